// A small world for engine tests: a source, a merge database and one applied stream, without a model.
//
//     world w;
//     world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD2);
//     world_dataset(&w, "people", "id integer primary key; name varchar(20)");
//     world_apply(&w);
//     world_source(&w, "INSERT INTO people VALUES (1, 'x')");
//     world_job(&w, &result, &err);
//
// Helpers abort the test when something fails that the test does not ask about.
#pragma once
#include "support/pair.h"
#include "support/workdir.h"
#include "yellow/job/job.h"

enum { WORLD_DATASETS_MAX = 64 };
typedef struct world {
    workdir dir;
    ds_arena *arena;
    const ds_driver *drivers[PAIR_SIDES];
    ds_store store;
    ds_clock clock; // moves by a second at every job
    ds_runtime runtime;
    ds_container_def source, merge;
    ds_dataset_def datasets[WORLD_DATASETS_MAX];
    ds_stream_def def;
    ds_job_options options;
} world;

// driver: the SQLite driver, or a fault-injecting wrapper around it.
void world_open(world *w, const ds_driver *driver, ds_milestoning milestoning);
// The same on a pair of databases, which outlives the world.
void world_open_on(world *w, const test_pair *pair, ds_milestoning milestoning);
void world_close(world *w);
// Columns as "NAME TYPE [primary key] [not null]; …"; a table of that name with those columns is made in the source.
void world_dataset(world *w, const char *name, const char *columns);
// Makes control tables, merge tables and the stream's definition; again after a change of w->def.
void world_apply(world *w);
// Runs statements on the source (any number, separated by ';').
void world_source(const world *w, const char *statements);
// Statements and queries on the merge database may name its relations as an engine without schemas has them.
void world_merge(const world *w, const char *statements);
ds_rc world_job(world *w, ds_job_result *out, ds_error *err);
// The name of a relation of the merge database, as statements write it. In w->arena.
const char *world_name(const world *w, ds_relation relation);
const char *world_control(const world *w, const char *table);
// What a select of the shape's columns in hash order gives, as canonical texts: columns by '|' in the shape's order,
// null as "~", lines sorted by their bytes. The same rows give the same text on every engine. In w->arena.
const char *world_rows(const world *w, int side, const ds_shape *shape, const ds_sql *select);
// Of the first dataset: all that a relation of a side holds; its view of live rows; what was valid in batch b.
const char *world_rows_of(const world *w, int side, ds_relation relation);
const char *world_live(const world *w);
const char *world_as_of(const world *w, int64_t b);
// A query's result as text: columns by '|', rows by '\n', null as "~". In w->arena.
const char *world_query(const world *w, bool merge, const char *select);
