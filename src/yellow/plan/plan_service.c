// The plans of a service: one for its merge database, one for each database of a workspace that gets replicas, and one
// for each that got some and does so no more, as the merge database remembers.
#include "base/log.h"
#include "platform/assign.h"
#include "yellow/control/control_tables.h"
#include "yellow/plan/plan_int.h"
#include "yellow/plan/plan_service.h"

typedef struct service_planner {
    const ds_plan_request *request;
    const ds_deployment *merge;
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
    ds_container_def def = compile_container(merge, r->service->merge_credential.s);
    return control_exists(r->runtime, &def, out, err);
}

static ds_rc plan_one(const service_planner *s, const ds_deployment *deployment, const ds_plan **out, ds_error *err)
{
    return plan_make(s->request->runtime, deployment, s->request->prune, s->arena, out, err);
}

static ds_rc plan_merge(service_planner *s, ds_error *err)
{
    const ds_plan_request *r = s->request;
    TRY(ds_context(compile_service(r->model, r->graph, r->service, r->runtime->store, s->arena, &s->merge, err), err,
                   "PlatformService %s", r->service->name.s));
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
    TRY(plan_one(s, deployment, &plan, err));
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
    const ds_deployment *deployment;
    const ds_plan *plan;
    ds_rc rc = compile_former_replica(s->merge, container, s->request->runtime->store, s->arena, &deployment, err);
    if (rc.code == DS_OK)
        rc = plan_one(s, deployment, &plan, err);
    if (rc.code == DS_CANCELLED || (rc.code != DS_OK && s->request->prune))
        return ds_context(rc, err, "former replica in %s", container->name);
    if (rc.code != DS_OK) {
        log_write(LOG_WARNING, "views and copies in %s, which no workspace uses any more, stay as they are: %s",
                  container->name, err->text);
        *err = (ds_error){0};
    } else if (plan->n || s->request->prune)
        *VEC_PUSH(s->arena, s->out) = plan;
    return DS_DONE;
}

ds_rc plan_service(const ds_plan_request *r, ds_arena *arena, ds_plan_list *out, ds_error *err)
{
    service_planner s = {r, NULL, arena, out};
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

// Such as what a retention asks for: the next --prune has to find it again.
static bool keeps_something(const ds_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        if (strcmp(plan->changes[i].action, "keep") == 0)
            return true;
    return false;
}

ds_rc plan_service_apply(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_arena *arena,
                         const ds_plan **done, ds_error *err)
{
    const ds_deployment *deployment = plan->deployment;
    TRY(plan_carry_out(runtime, plan, expected_id, arena, done, err));
    bool emptied = deployment->home && deployment->n == 0 && plan->steps->prune && !keeps_something(plan);
    return emptied ? forget(runtime, deployment, err) : DS_DONE;
}
