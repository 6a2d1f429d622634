// Connections that nobody uses at the moment, kept for who wants one to the same place: a server makes a process for
// each connection, which is dearer than a small batch.
//
// keeper_open is store_open, and store_close gives back what it has opened. Only a connection that is as good as a new
// one is kept (ds_driver.rest): no transaction, no failure, nothing of its last user. It goes when it has rested for
// too long, is too old or was used for much, and when there are too many. Who it is for is part of the place: with
// another password a connection made with the old one is never given out again, and is closed soon.
//
// Thread rule: any thread. The connections are closed before the keeper is freed.
#pragma once
#include "store/store.h"

typedef struct ds_keeper ds_keeper;

typedef struct ds_keeper_limits { // 0: the usual one
    size_t resting;               // connections in all; 64
    int rest_ms;                  // each; 90 s, so that what is due every minute finds its own
    int age_ms;                   // since it was made; 5 minutes
} ds_keeper_limits;

// clock: for tests; NULL: time that goes on evenly.
ds_keeper *keeper_new(const ds_keeper_limits *limits, const ds_clock *clock);
void keeper_freep(ds_keeper **keeper);

// keeper NULL, a database to be made, a connection that is counted (wait_closed), a driver that can't: store_open.
ds_rc keeper_open(ds_keeper *keeper, const ds_store *store, const ds_target *target, const ds_open_options *options,
                  ds_db **out, ds_error *err);
// For store_close.
void keeper_give_back(ds_db *db);
// Closes what has rested for too long. Takes NULL.
void keeper_sweep(ds_keeper *keeper);
// How many rest.
size_t keeper_resting(ds_keeper *keeper);
