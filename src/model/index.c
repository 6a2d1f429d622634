#include "model/index_int.h"

typedef LIST_OF(void *) pointer_list;

// --- lists

static void fill_lists(ds_model *model, decoder *d)
{
    for (size_t k = 0; k < MODEL_KIND_COUNT; k++) {
        pointer_list *list = (void *)((char *)model + MODEL_KINDS[k].list_offset);
        list->n = d->objects[k].n;
        list->v = ARENA_ARRAY(model->arena, void *, list->n);
        if (list->n)
            memcpy(list->v, d->objects[k].v, list->n * sizeof *list->v);
    }
}

static void add_output(ds_model *model, const ds_workspace *workspace, ds_datastore **out)
{
    ds_datastore *store = workspace->transformer.output;
    if (!store)
        return;
    // What YAML says of an output's capture, amid the defaults of all else.
    ds_ratio max_delete_ratio = store->capture.max_delete_ratio;
    decode_defaults(&SHAPE_CAPTURE, &store->capture);
    store->capture.max_delete_ratio = max_delete_ratio;
    store->team = workspace->team;
    store->producer = workspace;
    store->capture.type = CAPTURE_TRANSFORMER;
    store->capture.pos = workspace->transformer.pos;
    store->capture.trigger = workspace->transformer.trigger;
    out[model->datastores.n++] = store;
}

// Outputs of transformers come after the Datastore documents.
static void append_outputs(ds_model *model)
{
    size_t most = model->datastores.n + model->workspaces.n;
    ds_datastore **all = ARENA_ARRAY(model->arena, ds_datastore *, most);
    if (model->datastores.n)
        memcpy(all, model->datastores.v, model->datastores.n * sizeof *all);
    for (size_t i = 0; i < model->workspaces.n; i++)
        add_output(model, model->workspaces.v[i], all);
    model->datastores.v = all;
}

// --- names

// Collects the objects of one scope, then checks and maps them.
typedef struct scope {
    const char *what;
    VEC(scoped_name) names;
    VEC(void *) objects;
} scope;

static void scope_add(decoder *d, scope *s, const char *name, ds_pos pos, void *object)
{
    if (!name)
        return;
    *VEC_PUSH(d->scratch, &s->names) = (scoped_name){name, pos, false};
    *VEC_PUSH(d->scratch, &s->objects) = object;
}

static ds_map *scope_finish(ds_model *model, decoder *d, scope *s)
{
    // One scope's names come from many objects, so findings carry each name itself.
    name_scope rules = {d->diags, RULE_DUPLICATE, s->what, "", d->scratch};
    if (names_may_clash(s->names.v, s->names.n, d->scratch))
        names_check(&rules, s->names.v, s->names.n);
    ds_map *map = map_new(model->arena);
    for (size_t i = 0; i < s->names.n; i++)
        (void)map_add(map, s->names.v[i].name, s->objects.v[i]);
    return map;
}

static void index_containers(ds_model *model, decoder *d)
{
    scope s = {.what = "container"};
    for (size_t i = 0; i < model->containers.n; i++)
        scope_add(d, &s, model->containers.v[i]->name.s, model->containers.v[i]->name.pos, model->containers.v[i]);
    for (size_t i = 0; i < model->services.n; i++) {
        ds_platform_service *service = model->services.v[i];
        for (size_t k = 0; k < service->containers.n; k++) {
            ds_container *c = &service->containers.v[k];
            scope_add(d, &s, c->name.s, c->name.pos, c);
        }
    }
    model->container_by_name = scope_finish(model, d, &s);
}

static void index_platforms(ds_model *model, decoder *d)
{
    scope s = {.what = "platform"};
    for (size_t i = 0; i < model->services.n; i++) {
        ds_platform_service *service = model->services.v[i];
        for (size_t k = 0; k < service->platforms.n; k++)
            scope_add(d, &s, service->platforms.v[k].name, service->platforms.v[k].pos, &service->platforms.v[k]);
    }
    model->platform_by_name = scope_finish(model, d, &s);
}

// Documents whose struct has its name as a ds_text `name`.
#define INDEX_DOCUMENTS(model, d, what_, list)                                                                         \
    ({                                                                                                                 \
        scope s_ = {.what = what_};                                                                                    \
        for (size_t i_ = 0; i_ < (model)->list.n; i_++)                                                                \
            scope_add(d, &s_, (model)->list.v[i_]->name.s, (model)->list.v[i_]->name.pos, (model)->list.v[i_]);        \
        scope_finish(model, d, &s_);                                                                                   \
    })

// --- environments

static const ds_environment *find_environment(const ds_model *model, const char *name)
{
    for (size_t i = 0; i < model->environments.n; i++) {
        const char *its = model->environments.v[i]->name.s;
        if (its && strcmp(its, name) == 0)
            return model->environments.v[i];
    }
    return NULL;
}

static void check_environment(const ds_model *model, decoder *d, const ds_environment *environment)
{
    for (size_t i = 0; i < environment->containers.n; i++) {
        const ds_text *name = &environment->containers.v[i].name;
        if (map_get(model->container_by_name, name->s))
            continue;
        const char *nearest = map_nearest(model->container_by_name, name->s);
        MODEL_FIND(d->diags, RULE_ENVIRONMENT, name->pos, environment->name.s ? environment->name.s : "",
                   "no container \"%s\" to replace", name->s);
        if (nearest)
            diag_hint(d->diags, "did you mean \"%s\"?", nearest);
        else
            diag_hint(d->diags, "name a DataContainer, or a container of a PlatformService");
    }
}

static ds_rc apply_environment(ds_model *model, const char *name, ds_error *err)
{
    const ds_environment *environment = find_environment(model, name);
    if (environment) {
        environment_apply(model, environment);
        return DS_DONE;
    }
    ds_rc rc = ds_fail(err, DS_USAGE, "no environment \"%s\" in this model", name);
    CLEANUP(buf_release) ds_buf known = BUF_INIT(200);
    for (size_t i = 0; i < model->environments.n; i++)
        if (model->environments.v[i]->name.s)
            buf_printf(&known, "%s%s", known.n ? ", " : "", model->environments.v[i]->name.s);
    return known.n ? ds_hint(rc, err, "it has %s", buf_text(&known))
                   : ds_hint(rc, err, "an environment is a document of kind: Environment");
}

ds_rc index_build(ds_model *model, decoder *d, const char *environment, ds_error *err)
{
    arena_clear(d->scratch);
    fill_lists(model, d);
    append_outputs(model);
    index_containers(model, d);
    index_platforms(model, d);
    model->datastore_by_name = INDEX_DOCUMENTS(model, d, "datastore", datastores);
    model->workspace_by_name = INDEX_DOCUMENTS(model, d, "workspace", workspaces);
    model->zone_by_name = INDEX_DOCUMENTS(model, d, "zone", zones);
    model->service_by_name = INDEX_DOCUMENTS(model, d, "platform service", services);
    (void)INDEX_DOCUMENTS(model, d, "environment", environments);
    for (size_t i = 0; i < model->environments.n; i++)
        check_environment(model, d, model->environments.v[i]);
    return environment ? apply_environment(model, environment, err) : DS_DONE;
}
