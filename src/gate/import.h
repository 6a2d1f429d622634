// A database's catalogue -> the model's text: a DataContainer and a Datastore, and where there is no Ecosystem yet a
// complete model of one team around them. Opens nothing: the caller reads the catalogue (store's list, or PostgreSQL's
// survey) and writes the text. Equal input gives equal text. Classification is never guessed: lint warns about it.
//
//     CLEANUP(buf_release) ds_buf yaml = BUF_INIT(IMPORT_TEXT_MAX);
//     ds_import_options options = {.datastore = "Chinook", .target = &target, .whole_model = true};
//     TRY(import_catalog(&options, tables, n, arena, &yaml, &summary, err));
#pragma once
#include "base/buf.h"
#include "store/driver.h"
#include "store/postgres/postgres.h"

enum { IMPORT_TEXT_MAX = 64 << 20 };

typedef struct ds_import_options {
    const char *datastore; // a legal name (import_legal_name)
    const char *team;      // ZONE/TEAM; NULL: "Main/data" for a whole model, otherwise a mistake of the caller
    const char *container; // the DataContainer's name; NULL: the datastore's with "DB" behind it
    const ds_target
        *target; // type and place of the database as the model says it: path relative to the model's directory
    const char *credential; // NULL: none
    const char *tables;     // shell pattern of table names; NULL: all
    const char *schemas;    // shell pattern of schema names; NULL: all
    const char *cron;       // NULL: every five minutes
    bool views;             // PostgreSQL: views, materialized views and foreign tables as well
    bool whole_model;       // Ecosystem, zone, workspace and platforms as well
    const char *merge_path; // of the whole model's SQLite merge database; NULL: "merge.db"
} ds_import_options;

typedef struct ds_import_summary {
    size_t tables;   // datasets written
    size_t views;    // not asked for (of PostgreSQL materialized views and foreign tables, too)
    size_t keyless;  // key: none, so live rows only
    size_t renamed;  // tables and columns whose name is not legal, or taken
    size_t skipped;  // columns without a name, left out with a comment
    size_t guessed;  // columns whose declared type is not known
    size_t left_out; // tables that can't be read, each with its reason in a comment
} ds_import_summary;

// Appends YAML documents to out, behind the comment that tells editors the schema. DS_USAGE when no table matches or a
// name is not legal. import_catalog: as SQLite declares types. import_postgres: DS_FINDING when there are tables and
// none can be imported.
ds_rc import_catalog(const ds_import_options *options, const ds_catalog_table *tables, size_t n, ds_arena *arena,
                     ds_buf *out, ds_import_summary *summary, ds_error *err);
ds_rc import_postgres(const ds_import_options *options, const postgres_survey *survey, ds_arena *arena, ds_buf *out,
                      ds_import_summary *summary, ds_error *err);

// A legal name of the model made from any text: "Order Details" -> "Order_Details"; fallback when nothing is left of
// it.
const char *import_legal_name(ds_arena *arena, const char *text, const char *fallback);

// The model's type of a type that SQLite declares: a table for what is common, the model's own grammar, and for what
// neither knows SQLite's rules of affinity; *guessed is then true.
const char *import_type(ds_arena *arena, const char *declared, bool *guessed);
