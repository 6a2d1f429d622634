// A branch that the merge databases are kept true to: fetch, look where it is, judge the model there, apply. The model
// is read from git's objects; no file is touched.
//
// What is there already goes on whatever happens here: a model with errors, a plan that is refused, a commit that does
// not come from the one applied last, and a remote that can't be reached change nothing. They are told once: on stderr,
// in the control table `follow` and as an event. Several processes may follow the same branch: apply has a lease, under
// which may_replace (runtime/runtime.h) asks again.
//
// Thread rule: one thread at a time; follow_merges from any.
#pragma once
#include "cli/session.h"

typedef struct ds_follow ds_follow;

// The branch is that of --follow. DS_USAGE, DS_ENV: there is no such repository or branch.
ds_rc follow_new(ds_cli *cli, ds_follow **out, ds_error *err);
void follow_freep(ds_follow **follow);
// One look, and what follows from it.
void follow_look(ds_follow *follow);
// When the next one should be, on the system's clock.
int64_t follow_next_us(const ds_follow *follow);

// The merge databases of the model that was applied last, or was to be. They never go while the follow is there.
typedef struct ds_follow_merges {
    ds_container_def *v;
    size_t n;
    size_t replicas_from; // the first of those in which workspaces have replicas: behind the others
} ds_follow_merges;
const ds_follow_merges *follow_merges(const ds_follow *follow); // NULL: none are known yet; another pointer: others
