// The plans of a service: one for its merge database, one for each database of a workspace that gets replicas, and one
// for each that got some and does so no more, as the merge database remembers.
//
// A replica's database that can't be reached stops no other one. Views that go from one database to another are dropped
// when they have been made in the new one, which may be days later.
#include "base/log.h"
#include "platform/assign.h"
#include "yellow/control/control_tables.h"
#include "yellow/plan/plan_int.h"
#include "yellow/plan/plan_service.h"

typedef struct service_planner {
    const ds_plan_request *request;
    const ds_deployment *merge;
    ds_error *away;       // of the merge deployment's replicas; code DS_OK: it can be reached
    ds_elsewhere *places; // of all workspaces that have replicas
    size_t place_count;
    ds_arena *arena;
    ds_plan_list *out;
} service_planner;

static bool has_platform(const ds_platform_service *service)
{
    for (size_t i = 0; i < service->platforms.n; i++)
        if (compile_is_ours(&service->platforms.v[i]))
            return true;
    return false;
}

// Has something been applied to the service's merge database? False where there is none that we can open.
static ds_rc has_been_here(const ds_plan_request *r, bool *out, ds_error *err)
{
    const ds_container *merge = service_container(r->model, r->service);
    const char *type = merge ? container_type_name(merge->type) : "";
    *out = false;
    if (!merge || !store_driver(r->runtime->store, type))
        return DS_DONE;
    ds_container_def def = database_of(merge, r->service->merge_credential.s);
    return control_exists(r->runtime, &def, out, err);
}

static bool is_away(ds_rc rc)
{
    return rc.code == DS_ENV || rc.code == DS_BUSY;
}

// --- who has views where

// Which of the replicas' databases can be reached.
static ds_rc look_at_replicas(service_planner *s, ds_error *err)
{
    s->away = ARENA_ARRAY(s->arena, ds_error, s->merge->replica_count);
    for (size_t i = 0; i < s->merge->replica_count; i++) {
        bool ignored;
        ds_rc rc = control_exists(s->request->runtime, &s->merge->replica_defs[i], &ignored, &s->away[i]);
        if (rc.code == DS_CANCELLED) {
            *err = s->away[i];
            return rc;
        }
        if (!is_away(rc)) // the plan tells
            s->away[i] = (ds_error){0};
    }
    return DS_DONE;
}

static void add_place(service_planner *s, const ds_root *root)
{
    for (size_t i = 0; i < s->merge->replica_count; i++)
        if (s->merge->replicas[i] == root->replica)
            s->places[s->place_count++] =
                (ds_elsewhere){root->workspace->name.s, &s->merge->replica_defs[i], s->away[i].code != DS_OK};
}

static void find_places(service_planner *s)
{
    ds_map *seen = map_new(s->arena);
    const ds_roots *roots = &s->request->graph->roots;
    s->places = ARENA_ARRAY(s->arena, ds_elsewhere, roots->n);
    for (size_t i = 0; i < roots->n; i++)
        if (roots->v[i].replica && roots->v[i].service == s->request->service &&
            !map_add(seen, roots->v[i].workspace->name.s, s))
            add_place(s, &roots->v[i]);
}

static const ds_deployment *with_places(ds_arena *arena, const ds_deployment *deployment, const ds_elsewhere *places,
                                        size_t n)
{
    ds_deployment *out = ARENA_NEW(arena, ds_deployment);
    *out = *deployment;
    ds_elsewhere *elsewhere = ARENA_ARRAY(arena, ds_elsewhere, n);
    out->elsewhere_count = 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(places[i].container->name, deployment->merge.name) != 0)
            elsewhere[out->elsewhere_count++] = places[i];
    out->elsewhere = elsewhere;
    return out;
}

// --- the plans

static ds_rc plan_one(const service_planner *s, const ds_deployment *deployment, const ds_plan **out, ds_error *err)
{
    const ds_deployment *whole = with_places(s->arena, deployment, s->places, s->place_count);
    return plan_make(s->request->runtime, whole, s->request->prune, s->arena, out, err);
}

static ds_rc plan_merge(service_planner *s, ds_error *err)
{
    const ds_plan_request *r = s->request;
    TRY(ds_context(compile_service(r->model, r->graph, r->service, r->runtime->store, s->arena, &s->merge, err), err,
                   "PlatformService %s", r->service->name.s));
    TRY(look_at_replicas(s, err));
    find_places(s);
    const ds_plan *plan;
    TRY(plan_one(s, s->merge, &plan, err));
    *VEC_PUSH(s->arena, s->out) = plan;
    return DS_DONE;
}

static ds_rc plan_replica(service_planner *s, size_t replica, ds_error *err)
{
    const ds_plan_request *r = s->request;
    const ds_deployment *deployment;
    TRY(ds_context(compile_replica(r->model, r->graph, s->merge, replica, r->runtime->store, s->arena, &deployment,
                                   err),
                   err, "PlatformService %s, replica in %s", r->service->name.s, s->merge->replica_defs[replica].name));
    const ds_plan *plan;
    ds_error away = s->away[replica];
    ds_rc rc = {away.code};
    if (rc.code == DS_OK)
        rc = plan_one(s, deployment, &plan, &away);
    if (is_away(rc))
        plan = plan_missing(deployment, &away, s->arena);
    else if (rc.code != DS_OK) {
        *err = away;
        return rc;
    }
    *VEC_PUSH(s->arena, s->out) = plan;
    return DS_DONE;
}

static bool is_replica(const service_planner *s, const ds_container_def *container)
{
    for (size_t i = 0; i < s->merge->replica_count; i++)
        if (strcmp(s->merge->replica_defs[i].name, container->name) == 0)
            return true;
    return false;
}

// The model has no use for it any more: that it can't be reached is no reason to stop, unless it is to be emptied.
static ds_rc plan_former(service_planner *s, const ds_container_def *container, ds_error *err)
{
    const ds_deployment *deployment = NULL;
    const ds_plan *plan;
    ds_rc rc = compile_former_replica(s->merge, container, s->request->runtime->store, s->arena, &deployment, err);
    if (rc.code == DS_OK)
        rc = plan_one(s, deployment, &plan, err);
    if (rc.code == DS_CANCELLED || (rc.code != DS_OK && !is_away(rc) && s->request->prune))
        return ds_context(rc, err, "former replica in %s", container->name);
    if (is_away(rc) && s->request->prune) {
        *VEC_PUSH(s->arena, s->out) = plan_missing(deployment, err, s->arena);
        *err = (ds_error){0};
    } else if (rc.code != DS_OK) {
        log_write(LOG_WARNING, "views and copies in %s, which no workspace uses any more, stay as they are: %s",
                  container->name, err->text);
        *err = (ds_error){0};
    } else if (plan->n || s->request->prune)
        *VEC_PUSH(s->arena, s->out) = plan;
    return DS_DONE;
}

ds_rc plan_service(const ds_plan_request *r, ds_arena *arena, ds_plan_list *out, ds_error *err)
{
    service_planner s = {.request = r, .arena = arena, .out = out};
    bool ours = has_platform(r->service);
    if (!ours)
        TRY(has_been_here(r, &ours, err));
    if (!ours)
        return DS_DONE;
    TRY(plan_merge(&s, err));
    for (size_t i = 0; i < s.merge->replica_count; i++)
        TRY(plan_replica(&s, i, err));
    const ds_plan_steps *steps = out->v[0]->steps;
    for (size_t i = 0; i < steps->replica_count; i++)
        if (!is_replica(&s, &steps->replicas[i]))
            TRY(plan_former(&s, &steps->replicas[i], err));
    return DS_DONE;
}

// --- apply

// Nothing of the service is left there.
static ds_rc forget(const ds_runtime *runtime, const ds_deployment *replica, ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(runtime, replica->home, CONTROL_WRITE, &control, err));
    TRY(store_begin(control->db, BEGIN_WRITE, err));
    ds_rc rc = control_forget_replica(control, replica->service->name.s, replica->merge.name, err);
    if (rc.code == DS_OK)
        return store_commit(control->db, err);
    store_rollback(control->db);
    return rc;
}

// Such as what a retention asks for, or a view that waits: the next --prune has to find it again.
static bool keeps_something(const ds_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        if (!plan_changes_something(&plan->changes[i]))
            return true;
    return false;
}

static ds_rc carry_out(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_arena *arena,
                       const ds_plan **done, ds_error *err)
{
    const ds_deployment *deployment = plan->deployment;
    TRY(plan_carry_out(runtime, plan, expected_id, arena, done, err));
    bool emptied = deployment->home && deployment->n == 0 && plan->steps->prune && !keeps_something(plan);
    return emptied ? forget(runtime, deployment, err) : DS_DONE;
}

// Nothing that leaves goes before it is there. The plan that is carried out is another one then than that which was
// shown; where both are as they were, nothing has moved.
static ds_rc hold_leaving(const ds_runtime *runtime, const ds_plan **plan, const char **expected_id, ds_arena *arena,
                          ds_error *err)
{
    const ds_plan *shown = *plan;
    const ds_deployment *deployment = shown->deployment;
    size_t n = deployment->elsewhere_count;
    ds_elsewhere *places = ARENA_ARRAY(arena, ds_elsewhere, n);
    for (size_t i = 0; i < n; i++) {
        places[i] = deployment->elsewhere[i];
        places[i].waits = true;
    }
    TRY(plan_make(runtime, with_places(arena, deployment, places, n), shown->steps->prune, arena, plan, err));
    if (!*expected_id)
        return DS_DONE;
    const ds_plan *again;
    TRY(plan_make(runtime, deployment, shown->steps->prune, arena, &again, err));
    if (strcmp(again->id, *expected_id) == 0) // else it is told there
        *expected_id = (*plan)->id;
    return DS_DONE;
}

ds_rc plan_service_apply(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_arena *arena,
                         const ds_plan **done, ds_error *err)
{
    if (plan->steps->leaving && !plan->refused)
        TRY(hold_leaving(runtime, &plan, &expected_id, arena, err));
    return carry_out(runtime, plan, expected_id, arena, done, err);
}

// --- what waited

// Has the database been brought to this model?
static ds_rc is_made(const ds_runtime *runtime, const ds_container_def *container, ds_arena *arena, bool *out,
                     ds_error *err)
{
    *out = false;
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(runtime, container, CONTROL_READ, &control, err));
    ds_applied_model last;
    TRY(control_applied_last(control, arena, &last, err));
    *out = strcmp(last.tree_id, runtime->tree_id ? runtime->tree_id : "") == 0;
    return DS_DONE;
}

// Databases that can't be asked have not been.
static ds_rc find_waiting(const ds_runtime *runtime, const ds_deployment *deployment, ds_arena *arena,
                          ds_elsewhere *places, ds_error *err)
{
    for (size_t i = 0; i < deployment->elsewhere_count; i++) {
        bool made;
        places[i] = deployment->elsewhere[i];
        ds_rc rc = is_made(runtime, places[i].container, arena, &made, err);
        if (rc.code == DS_CANCELLED)
            return rc;
        places[i].waits = !made;
    }
    *err = (ds_error){0};
    return DS_DONE;
}

// What two plans have done, one after the other. What the first one kept the second one has judged anew.
static const ds_plan *both(ds_arena *arena, const ds_plan *first, const ds_plan *second)
{
    ds_plan *out = ARENA_NEW(arena, ds_plan);
    *out = *second;
    out->n = 0;
    out->changes = ARENA_ARRAY(arena, ds_plan_change, first->n + second->n);
    for (size_t i = 0; i < first->n; i++)
        if (plan_changes_something(&first->changes[i]))
            out->changes[out->n++] = first->changes[i];
    for (size_t i = 0; i < second->n; i++)
        out->changes[out->n++] = second->changes[i];
    return out;
}

ds_rc plan_service_finish(const ds_runtime *runtime, const ds_plan *shown, ds_arena *arena, const ds_plan **done,
                          ds_error *err)
{
    const ds_deployment *deployment = shown->deployment;
    if (!shown->steps->leaving)
        return DS_DONE;
    ds_elsewhere *places = ARENA_ARRAY(arena, ds_elsewhere, deployment->elsewhere_count);
    TRY(find_waiting(runtime, deployment, arena, places, err));
    const ds_deployment *now = with_places(arena, deployment, places, deployment->elsewhere_count);
    const ds_plan *plan, *rest;
    TRY(plan_make(runtime, now, shown->steps->prune, arena, &plan, err));
    TRY(carry_out(runtime, plan, NULL, arena, &rest, err));
    *done = both(arena, *done, rest);
    return DS_DONE;
}
