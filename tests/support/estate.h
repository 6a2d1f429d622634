// A small enterprise for tests of compile, plan and apply: a model as text, databases beside each other, jobs.
//
//     estate e;
//     estate_open(&e, &SQLITE_DRIVER);
//     estate_sql(&e, "source.db", "CREATE TABLE people (id INTEGER, name TEXT)");
//     OK(estate_compile(&e, yaml, &err));
//     estate_apply(&e);
//     estate_job(&e, "Live/Store1");
//     estate_close(&e);
//
// Helpers abort the test when something fails that the test does not ask about. Results live in e->arena.
#pragma once
#include "model/load.h"
#include "support/pair.h"
#include "support/workdir.h"
#include "yellow/job/job.h"
#include "yellow/plan/plan.h"

enum { ESTATE_MODELS_MAX = 32 };
typedef struct estate {
    workdir dir;
    ds_arena *arena;
    test_pair pair; // which databases; estates of one engine have it twice
    const ds_driver *drivers[PAIR_SIDES];
    ds_store store;
    ds_clock clock; // moves by a second at every job and every apply
    ds_runtime runtime;
    ds_model *models[ESTATE_MODELS_MAX]; // every one that was compiled: definitions refer to them
    size_t model_count;
    const ds_graph *graph;           // of the model compiled last
    const ds_deployment *merged;     // of its first service, or of the one that was turned to
    const ds_deployment *deployment; // what plans, applies and jobs are about: merged, or see estate_turn_to
} estate;

void estate_open(estate *e, const ds_driver *driver);
// The same on a pair of databases, which outlives the estate.
void estate_open_on(estate *e, const test_pair *pair);
void estate_close(estate *e);
// Loads the text, which must have no errors, and compiles its first platform service.
ds_rc estate_compile(estate *e, const char *yaml, ds_error *err);
// From here on, until the next model: that service, or the replicas in that container; NULL: the first service.
void estate_turn_to(estate *e, const char *place);
const ds_plan *estate_plan(estate *e, bool prune);
// "create table p__s__t\n…": action and object of every change.
const char *estate_changes(estate *e, const ds_plan *plan);
// Plans and applies; a plan after it must be empty.
void estate_apply(estate *e);
void estate_prune(estate *e);
ds_rc estate_try_job(estate *e, const char *stream, ds_error *err);
void estate_job(estate *e, const char *stream);
// One side of the pair: made when it is a file that is missing.
ds_db *estate_database(const estate *e, int side);
// " credential: Pair" of a side's container where it needs one, behind separator; else "".
const char *estate_credential(const estate *e, int side, const char *separator);
// Runs statements, separated by ';', on a file in the directory, which is made when missing; "source.db" and "merge.db"
// are the sides of the pair.
void estate_sql(const estate *e, const char *file, const char *statements);
// A query's result as text: columns by '|', rows by '\n', null as "~".
const char *estate_query(const estate *e, const char *file, const char *select);
