// The databases of a test: a source and a merge database, on one engine or on two.
//
//     test_pair pair;
//     pair_open(&pair, "sqlite-postgres");            // the source's engine, then the merge database's
//     world_open_on(&w, &pair, MILESTONING_SCD2);     // SQLite files are in the world's directory
//     pair_clear(&pair);                              // before the next world
//     pair_close(&pair);
//
// What is PostgreSQL is in one database of the run's shared server. Helpers abort the test when something fails.
#pragma once
#include "support/pg_database.h"
#include "runtime/runtime.h"

enum { PAIR_SOURCE, PAIR_MERGE, PAIR_SIDES };
typedef struct test_pair {
    const char *name;
    const ds_driver *drivers[PAIR_SIDES]; // a test may put wrappers around them in their place
    pg_database postgres;                 // zeroed when neither side needs one
    bool saved;
} test_pair;

// "sqlite", "postgres", "sqlite-postgres" or "postgres-sqlite"; false when the name is none of these.
bool pair_open(test_pair *pair, const char *name);
void pair_close(test_pair *pair);
// The server's database is as it was when the pair was opened.
void pair_clear(const test_pair *pair);

// Keeps the server's database aside as it is now, and brings it back to that, any number of times: for tests that start
// again and again from one state. Nobody is connected any more afterwards. Files are the test's own affair.
void pair_save(test_pair *pair);
void pair_restore(const test_pair *pair);

// A side as a container, its texts borrowed from the pair; and its fields as a model writes them, in arena.
ds_container_def pair_container(const test_pair *pair, int side);
const char *pair_container_yaml(const test_pair *pair, int side, ds_arena *arena);
// The credential that the containers name, as files below dir.
#define PAIR_CREDENTIAL "Pair"
void pair_write_secrets(const test_pair *pair, const char *dir);
// "public" where the side's engine has schemas, else "".
const char *pair_schema(const test_pair *pair, int side);
