// Private to the simulator: its picture of the source, and the steps that its files share.
#pragma once
#include "sim/ledger.h"
#include "sim/rng.h"
#include "sim/simulate.h"

typedef struct sim_table sim_table;
typedef struct sim_row {
    char *bytes; // canonical, malloc
    uint32_t n;
} sim_row;

struct sim_table {
    const char *name;
    ds_relation relation;
    const ds_shape *shape;
    const ds_dataset *dataset;
    sim_table **parents; // per column: the table whose key it holds, or NULL
    bool is_parent;      // of some other table
    bool created;
    sim_row *rows;
    size_t n, cap;
    ds_map *keys;     // text of the key -> not NULL while such a row exists
    int64_t next_key; // for generated keys
    ds_cell *cells;   // scratch: one row
};

typedef struct sim {
    const ds_runtime *runtime;
    const ds_simulate_options *options;
    ds_simulate_result *result;
    ds_arena *arena;
    ds_db *db;
    sim_table *tables; // parents before their children
    size_t n;
    ds_rng rng;
    ds_ledger ledger;
    ds_rows work; // the row being made
    // the open transaction
    json_t *changes;
    int64_t inserted, updated, deleted;
} sim;

// --- simulate_source.c: the database
// Opens it, makes what is missing, reads all rows.
ds_rc sim_open(sim *s, const ds_container_def *source, ds_error *err);
// Reads all rows once more, in one snapshot.
ds_rc sim_read_all(sim *s, ds_error *err);
ds_rc sim_insert_row(sim *s, const sim_table *table, ds_str row, ds_error *err);
// *found is false when somebody else has changed or deleted the row.
ds_rc sim_update_row(sim *s, const sim_table *table, ds_str before, ds_str after, bool *found, ds_error *err);
ds_rc sim_delete_row(sim *s, const sim_table *table, ds_str row, bool *found, ds_error *err);

// --- simulate_rows.c: the picture
ds_rc sim_tables_new(sim *s, const ds_datastore *store, ds_error *err);
void sim_tables_release(sim *s);
void sim_table_add(sim *s, sim_table *table, ds_str row);
void sim_table_replace(sim_table *table, size_t i, ds_str row);
void sim_table_remove(sim *s, sim_table *table, size_t i);
void sim_table_clear(sim *s, sim_table *table);
bool sim_table_has_key(sim *s, const sim_table *table, ds_str row);
ds_str sim_table_row(const sim_table *table, size_t i);
// Rows of child whose reference is the key of parent's row; their indexes, at most max.
size_t sim_children(const sim_table *child, const sim_table *parent, ds_str row, size_t *out, size_t max);

// --- simulate_make.c: new and changed rows
// Makes a new row in s->work. *made is false when no free key was found.
ds_rc sim_make_row(sim *s, sim_table *table, const sim_table *parent, ds_str parent_row, bool *made, ds_error *err);
// The row with some columns changed, in s->work; *made is false when nothing can be changed.
ds_rc sim_change_row(sim *s, sim_table *table, ds_str row, bool *made, ds_error *err);

// --- simulate_values.c, simulate_words.c: plausible values
typedef struct sim_person {
    const char *first, *last; // for the mail address
    size_t place;             // city, state and zip that belong together
} sim_person;
sim_person sim_person_new(ds_rng *rng);
// A group of columns that change together: "email", "place" ...; NULL when the name says nothing.
const char *sim_column_family(const char *column);
// Appends a text for the column; its length is not yet cut to the type.
void sim_words(ds_rng *rng, const char *column, const sim_person *person, ds_buf *out);
// Appends a value for the column as text (binary: its bytes), cut to the type; with edges now and then one that is at
// the edge of what the type can hold.
void sim_value(ds_rng *rng, const ds_shape_column *column, const sim_person *person, bool edges, ds_buf *out);
// Does the column's name, in any case, contain the word?
bool sim_name_says(const char *name, const char *word);
