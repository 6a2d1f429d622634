// Roles of workspaces and of transformers' SQL, as plan_roles.c finds what they lack and roles.c gives it to them.
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "yellow/control/control.h"

typedef VEC(ds_relation) plan_relations; // no name: the schema itself

// What a role has been granted on a table, or on a schema.
typedef struct plan_grant {
    ds_relation relation;
    bool as_wanted; // SELECT; USAGE of a schema
    bool too_much;  // anything else
} plan_grant;

typedef struct plan_role {
    const char *name;
    const char *comment; // by which we know ours
    const char *purpose; // "for consumers"; for people
    bool ours_to_be;     // those who apply and run jobs become members
    bool exists, ours;
    bool create, drop;
    ds_map *wanted;               // ds_relation of views, by plan_relation_key
    ds_map *granted;              // plan_grant
    plan_relations grant, revoke; // revoke comes first, and takes all
} plan_role;

// Of a transformer's SQL: "dq_<platform>__<workspace>__<database>", in arena.
const char *role_transformer_name(ds_arena *arena, ds_name_rules rules, const ds_stream_def *def, const char *database);
// The same when there is such a role, and this connection may act as it; else NULL. def is a transformer's.
ds_rc role_transformer_find(ds_db *db, const ds_stream_def *def, ds_arena *arena, const char **out, ds_error *err);

// Inside the caller's transaction.
ds_rc role_change(ds_control *control, const plan_role *role, ds_error *err);
