// Assignments for groups that have none: what the infrastructure team could write. Proposes nothing for a transformer's
// groups, which have no assignments. Pure: reads a model, fills an arena; any thread.
#pragma once
#include "platform/platform.h"

typedef struct ds_candidate {
    const ds_platform_service *service;
    const ds_platform *platform;
    const char *why_not; // NULL: it fits
} ds_candidate;

typedef struct ds_proposal {
    const ds_workspace *workspace;
    const ds_group *group;
    const ds_candidate *candidates; // platforms of all services by name, of each in written order
    size_t n;
    const ds_candidate *chosen;     // the first one that fits; NULL: none does
    const ds_root *automatic;       // auto_assign serves the group already; NULL: nobody does
    const ds_assignment *mentioned; // an assignment that has the group, but none of its platforms will stay; or NULL
} ds_proposal;

typedef struct ds_proposals {
    const ds_proposal *v; // by workspace and group as they were loaded
    size_t n;
} ds_proposals;

// service NULL: all. roots: of the whole model (assign_roots).
ds_proposals assign_propose(const ds_model *model, ds_platform_types types, ds_roots roots,
                            const ds_platform_service *service, ds_arena *arena);

// The assignments of the chosen ones as YAML, to be added to those that the service has: an entry a line, indented as
// they are; under `assignments:` when there are none. Nothing when nothing is proposed for the service.
void propose_put_yaml(ds_proposals proposals, const ds_platform_service *service, ds_buf *out);
// Those of it that propose_put_yaml writes.
bool propose_is_new(const ds_proposal *proposal);
