// What a platform type would change so that the model becomes true in one service's databases. Made by its plan,
// carried out by its apply; lives in the arena that plan was given.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/vec.h"

typedef struct ds_plan_change {
    const char *container; // merge container's name
    const char *object;    // "stream YellowLive/Store1", "table ds_…", "view ws_…", "role ws_…"
    const char *action;    // create add-column widen rekey replace update grant revoke keep drop refuse
    const char *detail;    // for people
    bool destructive;
} ds_plan_change;

// What is only told: that something stays, and why.
#define PLAN_KEEP "keep"
static inline bool plan_changes_something(const ds_plan_change *change)
{
    return strcmp(change->action, PLAN_KEEP) != 0;
}

typedef struct ds_plan {
    char id[33];             // of what was found and what would be done: equal plans have equal ids
    const char *service;     // whose platforms these are
    const char *container;   // the database's name in the model
    const char *path;        // of the file that it is; "" on a server
    ds_plan_change *changes; // in the order of execution; empty: nothing to do
    size_t n;
    bool refused;            // some change can't be made: apply refuses
    bool is_replica;         // a consumer's database: that nobody can work on it keeps no other one from being changed
    const ds_error *missing; // it can't be reached, so that nothing is known of it; NULL: it could be
    // The type's own, which nobody else looks into.
    const struct ds_deployment *deployment;
    struct ds_plan_steps *steps;
} ds_plan;

typedef VEC(const ds_plan *) ds_plan_list;
