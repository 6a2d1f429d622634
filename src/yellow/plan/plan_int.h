// A plan's steps, as plan makes them and apply runs them. Everything lives in the plan's arena.
//
// Each stream that changes has one transaction (new ones share some): fence, views that are in the way dropped, tables,
// definition, views. Views that move from one stream to another do so together, in the last transaction.
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "yellow/control/control_tables.h"
#include "yellow/plan/plan.h"
#include "yellow/tables/roles.h"

typedef enum step_kind {
    STEP_CREATE_TABLE,
    STEP_DROP_TABLE,
    STEP_ADD_COLUMN,     // column, to
    STEP_RENAME_COLUMN,  // column: old spelling; name: new one
    STEP_CONVERT_COLUMN, // column, from -> to: declared anew, nullable unless its table keeps it in the key
    STEP_REPLACE_VIEW,   // made, or given another select; before
    STEP_DROP_VIEW,
    STEP_FORGET_DATASET, // its control rows
    STEP_UNSTAGE,        // what is staged of the open batch of the stream `name`
} step_kind;

typedef struct plan_step {
    step_kind kind;
    const ds_stream_def *def;      // of the table or view
    const ds_dataset_def *dataset; // for drops: may be an old definition
    ds_table_kind table;
    const char *column, *name;
    const ds_type *from, *to;
    const ds_view_def *view;
    const ds_dataset_def *before; // what the view shows now, when its table changes under it; else NULL
} plan_step;
typedef VEC(plan_step) plan_step_list;

typedef struct plan_stream {
    const char *name;
    const ds_stream_def *def;    // NULL: no longer in the model
    const ds_stream_row *old;    // NULL: new
    bool put;                    // write the definition
    bool remove, drop;           // mark as removed; drop the control rows
    bool resnapshot;             // tables lost something: the next batch reads everything again
    const char *retired;         // JSON to write; NULL: unchanged
    ds_dataset_state *states;    // of def's datasets, when it was applied before, or takes some over
    const ds_stream_row **from;  // of each dataset: the stream that it is taken from, or NULL; NULL: none is
    const ds_stream_row **above; // of each that is new: another stream that it could have been in; as from
    bool pause;                  // as one of those was
    bool gives;                  // its datasets are taken: it becomes a record of their batches
    const char **leaves;         // datasets that leave its definition with this change, as their tables are dropped
    size_t leave_count;
    plan_step_list steps;
} plan_stream;
typedef VEC(plan_stream *) plan_stream_list;

typedef struct ds_plan_steps {
    bool prune;
    bool create_control;
    bool older;    // control tables: they are brought up to date, and what else there is to do is seen only then
    bool new_tree; // the model's text or commit changed, even if nothing here does
    plan_stream_list streams;
    plan_step_list moves; // of views, in the last transaction
    size_t leaving;       // views that are dropped here because they are in another database now
    VEC(const plan_role *) roles;
    ds_container_def *replicas; // of a merge database: those that are recorded
    size_t replica_count;
} ds_plan_steps;

// --- while a plan is made
typedef struct plan_retired { // the datasets that a stream gave up
    const char *text;         // JSON as stored
    ds_dataset_def *datasets;
    size_t n;
} plan_retired;

typedef VEC(const ds_view_row *) plan_view_rows;

typedef struct plan_view_owner {
    const ds_stream_def *def;
    const ds_dataset_def *dataset;
    const ds_view_def *view;
} plan_view_owner;

typedef struct ds_planner {
    const ds_runtime *runtime;
    const ds_deployment *deployment;
    ds_control *control; // NULL: there is no database
    bool has_control;    // the control tables are there
    ds_arena *arena;
    ds_stream_row *rows;
    size_t row_count;
    plan_retired *retired;      // of each row
    const ds_stream_def **defs; // of the deployment's streams, as apply writes them; behind them those that stay
    size_t def_count;
    ds_view_row *views;
    size_t view_count;
    ds_map *catalog;      // "schema.name" in lower case -> ds_catalog_table
    ds_map *row_by_name;  // ds_stream_row
    ds_map *damaged;      // the rows whose definition can't be read: def is the model's
    ds_map *table_owner;  // "schema.name" -> the name of the stream that a table belongs to
    ds_map *view_by_name; // "schema.name" -> ds_view_row as applied
    ds_map *views_of;     // a stream's name -> plan_view_rows, its own
    ds_map *view_wanted;  // "schema.name" -> plan_view_owner
    ds_map *in_model;     // the names of its streams
    ds_map *moved;        // "stream\ndataset" -> plan_stream that takes it over
    ds_map *records;      // the names of streams that have the record of what is elsewhere now; NULL: not asked yet
    VEC(ds_plan_change) changes;
    ds_plan_steps *steps;
    bool refused;
    int64_t now_us; // of the database
} ds_planner;

// Reads control tables and catalogue into p, in one snapshot. p->control may be NULL.
ds_rc plan_read(ds_planner *p, ds_error *err);
// A plan from what the control's connection sees (apply), or from an empty database (control NULL).
ds_rc plan_make_on(const ds_runtime *runtime, const ds_deployment *deployment, ds_control *control, bool prune,
                   ds_arena *arena, const ds_plan **out, ds_error *err);

// The plan of a database that can't be reached. Its id says no more than that.
const ds_plan *plan_missing(const ds_deployment *deployment, const ds_error *why, ds_arena *arena);
// Does it change anything? What is kept is told, and nothing else.
bool plan_has_changes(const ds_plan *plan);
// [{container, object, action, detail, destructive}], a new reference.
json_t *plan_changes_json(const ds_plan_change *changes, size_t n);
const char *plan_relation_key(ds_arena *arena, ds_relation relation);
__attribute__((format(printf, 4, 5))) void plan_change(ds_planner *p, const char *object, const char *action,
                                                       const char *format, ...);
void plan_refuse(ds_planner *p, const char *object, const char *detail);
const ds_catalog_table *plan_catalog(const ds_planner *p, ds_relation relation);
// "table ds_…", "view ws_…"
const char *plan_object(ds_planner *p, const char *what, ds_relation relation);
plan_step *plan_add_step(ds_planner *p, plan_stream *stream, step_kind kind, const ds_dataset_def *dataset);

// --- plan_defs.c
// A dataset's definition as applied, also when the stream gave it up since; NULL when there is none. row may be NULL.
const ds_dataset_def *plan_old_dataset(const ds_planner *p, const ds_stream_row *row, const char *name);
// The compiled definition with the columns that its datasets have given up.
const ds_stream_def *plan_applied_def(ds_planner *p, const ds_stream_def *def);

// --- plan_move.c: datasets that change their stream
// The stream that has the dataset now: def's own, or the other one of its store, or NULL.
const ds_stream_row *plan_holder(const ds_planner *p, const ds_stream_def *def, const char *dataset);
// Fills stream->from and the states of what is taken over.
ds_rc plan_takes(ds_planner *p, plan_stream *stream, ds_error *err);
// NULL when it was the stream's own, or is new.
const ds_stream_row *plan_taken_from(const plan_stream *stream, const ds_dataset_def *dataset);
// The definition that the dataset's tables were made by; NULL: none.
const ds_stream_def *plan_def_before(const plan_stream *stream, const ds_dataset_def *dataset);
// Is the view the stream's, or that of a dataset which it takes over?
bool plan_has_view(const plan_stream *stream, const ds_view_row *row);
// All of these: a service has more views than each of its streams could go through.
plan_view_rows plan_views_held(const ds_planner *p, const plan_stream *stream);
bool plan_is_moved(const ds_planner *p, const char *stream, const char *dataset);
// The datasets of a stream that nobody takes over, those that it gave up among them. out has room for plan_had.
size_t plan_left(const ds_planner *p, const ds_stream_row *row, const ds_dataset_def **out);
size_t plan_had(const ds_planner *p, const ds_stream_row *row);
// Does it hold batches of a dataset that is elsewhere now?
bool plan_is_record(ds_planner *p, const ds_stream_row *row);
// --- plan.c: until when a dataset is kept that is given up at that time, or was before, and until when a stream that
// is no longer the model's; 0: nobody requires it
int64_t plan_required_until(const ds_dataset_def *dataset, int64_t given_up_us);
int64_t plan_kept_until(const ds_planner *p, const ds_stream_row *row);

// --- plan_tables.c: what a dataset's tables lack. old: its definition as applied, NULL when it has none. *moves_views:
// a table changes so that views on it have to be made anew.
void plan_tables(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset, const ds_dataset_def *old,
                 bool *moves_views);
void plan_drop_tables(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset);

// --- plan_views.c
void plan_views_wanted(ds_planner *p);
// forced: all views of the dataset are made anew.
ds_rc plan_views(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset, const ds_dataset_def *old,
                 bool forced, ds_error *err);
// Views of the stream that nobody wants any more.
void plan_drop_views(ds_planner *p, plan_stream *stream);

// --- plan_elsewhere.c: views whose workspaces have another database now
const ds_elsewhere *plan_elsewhere(const ds_planner *p, const char *workspace); // NULL: it is here
// Those that wait for it stay in the definitions of their streams, and so do these.
void plan_keep_waiting(ds_planner *p);

// --- plan_standing.c: refuses to drop what others' views stand on
ds_rc plan_standing(ds_planner *p, ds_error *err);

// --- plan_roles.c: what the workspaces' roles lack, and have too much
ds_rc plan_roles(ds_planner *p, ds_error *err);

// --- evolve.c: a column's values into another form, inside the caller's transaction
// Can values of the first type, as this dialect stores them, be rewritten as the second's? Also when nothing is to do.
bool evolve_possible(const ds_dialect *dialect, const ds_type *from, const ds_type *to);
// False when the definition alone changes.
bool evolve_needed(const ds_dialect *dialect, const ds_type *from, const ds_type *to);
// Does that take the table's every row?
bool evolve_rewrites(const ds_dialect *dialect, const ds_type *from, const ds_type *to);
// A STEP_CONVERT_COLUMN.
ds_rc evolve_column(ds_control *control, ds_relation table, const plan_step *step, ds_error *err);

// --- plan_transformer.c
// Prepares a transformer's SELECTs, as a batch will run them, and compares their columns with the output's. DS_FINDING
// when they don't fit, or read what isn't an input.
ds_rc plan_check_sql(ds_control *control, const ds_stream_def *def, ds_error *err);

// --- plan_checks.c
// What changes in the dataset's checks.
void plan_checks(ds_planner *p, const ds_dataset_def *dataset, const ds_dataset_state *state,
                 const ds_dataset_def *old);
bool plan_has_check_sql(const ds_stream_def *def);
// DS_FINDING when a check's SQL is not one condition on the dataset's columns, or reads or calls what it may not. Needs
// no table.
ds_rc plan_vet_checks(ds_control *control, const ds_stream_def *def, ds_error *err);
