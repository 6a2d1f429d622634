// The names that everything gets, shared by import.c, which gives them, and import_documents.c, which writes them.
#pragma once
#include "base/yaml_out.h"
#include "gate/import_from_int.h"
#include "gate/import_name_int.h"

typedef struct import_column {
    const import_from_column *from;
    const char *name;
} import_column;
typedef struct import_table {
    const import_from_table *from;
    const char *name;
    import_column *columns;
    size_t n;       // columns written
    size_t skipped; // columns without a name, which a model can't have
    size_t key_count;
    bool key_in_order; // of the columns
} import_table;

typedef struct importer {
    const ds_import_options *options;
    const import_from *from;
    ds_arena *arena;
    import_table *tables;
    size_t n;
    const char *zone, *team, *container;
    const char *schema; // of the container: where tables are that say nothing else; NULL: none
    ds_import_summary summary;
} importer;

ds_rc import_put_documents(importer *m, ds_buf *out, ds_error *err);
