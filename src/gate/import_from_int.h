// What the engines' parts of import (import_sqlite.c, import_postgres.c) make of a catalogue, and what import.c turns
// into text. Plain data; everything lives in the caller's arena.
#pragma once
#include "gate/import.h"

typedef struct import_from_column {
    const char *name;        // at the source; "" for a column without one, which a model can't have
    const char *type;        // the model's
    const char *description; // NULL: none
    bool not_null;
    bool guessed; // what type it is
    int key;      // place in the key from 1, 0 when not part of it
} import_from_column;

typedef struct import_from_table {
    ds_relation relation;
    const char *description; // NULL: none
    const import_from_column *columns;
    size_t n;
} import_from_table;

typedef struct import_from {
    import_from_table *tables;
    size_t n;
    const char **left_out; // "public.x: the reason"; may hold anything that a name can
    size_t left_out_count;
    size_t views;        // not asked for
    size_t not_imported; // of left_out those that nobody can ask for
} import_from;

// As import_catalog.
ds_rc import_write(const ds_import_options *options, const import_from *from, ds_arena *arena, ds_buf *out,
                   ds_import_summary *summary, ds_error *err);

// The table's name matches, as far as there are patterns, and so does its schema's.
bool import_is_chosen(const ds_import_options *options, ds_relation relation);

// --- import_type.c

// A type of the model's own grammar, in canonical form; NULL when it is none.
const char *import_model_type(ds_arena *arena, const char *text);
