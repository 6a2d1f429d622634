// The plans of all chosen services, as one.
#pragma once
#include "cli/session.h"

typedef struct ds_plans {
    const ds_plan **v; // one per service, type of its platforms and database
    size_t n, cap;
    VEC(const ds_platform_type *) types; // whose plans they are
    size_t changes;
    size_t destructive;
    size_t missing; // of databases that could not be reached
    bool refused;
    char id[33]; // of one plan its own; of several a hash over theirs
} ds_plans;

// session_deploy first.
ds_rc plans_make(ds_session *session, bool prune, ds_plans *out, ds_error *err);
// Applies them, as far as the databases can be reached; the plans are then what was done in fact, which is less when
// another apply was faster. as_shown: fails when anything has moved since.
ds_rc plans_carry_out(ds_session *session, ds_plans *plans, bool as_shown, ds_error *err);
void plans_print(const ds_cli *cli, const ds_plans *plans);
// The same counted, with only what deserves a look in full.
void plans_print_short(const ds_cli *cli, const ds_plans *plans);
json_t *plans_json(const ds_plans *plans);
// How many changes can't be made, and the first of them.
size_t plans_refusals(const ds_plans *plans, const ds_plan_change **first);
// The failure of a plan that can't be applied. Of several refusals each is printed, and a finding of the envelope.
ds_rc plans_refused(ds_cli *cli, const ds_plans *plans, ds_error *err);
// "the plan for ReportsDb is missing: why", and of plans that were carried out "ReportsDb is left out: why"; DS_DONE
// when none is. Of several each is printed, and a finding.
ds_rc plans_missing(ds_cli *cli, const ds_plans *plans, bool carried_out, ds_error *err);
