// Physical names in a merge database. Schemas, tables and views are lower-cased; columns keep the model's spelling.
// Where the database has no schemas the schema becomes a prefix: ws_consumer1__live__store1__customers. A name that
// is too long, or one of whose parts contains "__" or ends with "_", has its middle cut and 8 hex digits of a hash of
// the full logical path put there, so that the kind suffix stays readable.
#pragma once
#include "base/arena.h"

typedef struct ds_relation {
    const char *schema; // "" where the database has none
    const char *name;
} ds_relation;

// What a dialect says about names.
typedef struct ds_name_rules {
    size_t limit; // bytes of an identifier, 63 for PostgreSQL; SQLite has none: 200
    bool has_schemas;
} ds_name_rules;

typedef enum ds_table_kind {
    TABLE_MERGE,   // <store>__<dataset>
    TABLE_STAGING, // …__s
    TABLE_HISTORY, // …__h  (scd4)
    TABLE_REJECTS, // …__r
} ds_table_kind;

// Internal table of a dataset: schema ds_<platform>.
ds_relation naming_table(ds_arena *arena, ds_name_rules rules, const char *platform, const char *store,
                         const char *dataset, ds_table_kind kind);
// Consumer view: schema ws_<workspace>, <group>__<store>__<dataset>[__history].
ds_relation naming_view(ds_arena *arena, ds_name_rules rules, const char *workspace, const char *group,
                        const char *store, const char *dataset, bool history);
// What a transformer's command is given, and what it fills: schema dt_<platform>__<workspace>,
// <kind>__<store>__<dataset>. It has a schema on every engine: where there are none the names are in a database of
// their own.
ds_relation naming_exchange(ds_arena *arena, ds_name_rules rules, const char *platform, const char *workspace,
                            const char *kind, const char *store, const char *dataset);
// A role of the server, which all its databases share: the parts and at last the database, lower-cased.
enum { ROLE_PARTS_MAX = 3 };
const char *naming_role(ds_arena *arena, ds_name_rules rules, const char *const *parts, size_t n);
// Control table: schema datasurface.
ds_relation naming_control(ds_arena *arena, ds_name_rules rules, const char *table);
// Index on a table: the table's name, "__" and a suffix (not that of a table kind), within the limit.
const char *naming_index(ds_arena *arena, ds_name_rules rules, ds_relation table, const char *suffix);
