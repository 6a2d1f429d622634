// Where data is kept and read: merge databases that move, sources that become others.
#include "gate/compat_int.h"
#include "model/lookup.h"
#include "platform/assign.h"

bool change_is_address(const ds_change *c)
{
    static const char *const KEYS[] = {"type", "path", "host", "port", "database", "schema"};
    bool is = false;
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        is |= change_is_of(c, &SHAPE_CONTAINER, KEYS[i]) || change_is_of(c, &SHAPE_DATA_CONTAINER, KEYS[i]);
    return is;
}

// The container that it is a part of, or that came or went; NULL: none.
static const char *change_container(const ds_change *c)
{
    const ds_container *container = c->inner.after ? c->inner.after : c->inner.before;
    bool is = c->inner.shape == &SHAPE_CONTAINER || c->inner.shape == &SHAPE_DATA_CONTAINER;
    return is ? gate_text(container->name.s) : NULL;
}

static bool is_called(const char *name, ds_text container)
{
    return name && container.s && strcmp(name, container.s) == 0;
}

// Another name for the same place?
static bool is_same_place(const ds_container *a, const ds_container *b)
{
    const ds_text *const texts[][2] = {{&a->type_text, &b->type_text},
                                       {&a->path, &b->path},
                                       {&a->host, &b->host},
                                       {&a->database, &b->database},
                                       {&a->schema, &b->schema}};
    bool same = a->port.v == b->port.v;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        same = same && strcmp(gate_text(texts[i][0]->s), gate_text(texts[i][1]->s)) == 0;
    return same;
}

// --- merge databases

// A service before and after, which may have got another name: it is known by its platforms.
typedef struct service_pair {
    const ds_platform_service *before, *after;
} service_pair;

// Could the change be what moves the pair's merge database?
static bool moves(const ds_change *c, service_pair p)
{
    const char *container = change_container(c);
    if ((c->before.object ? c->before : c->after).kind->shape == &SHAPE_ENVIRONMENT)
        return false;
    if (container)
        return (is_called(container, p.before->merge_container) || is_called(container, p.after->merge_container)) &&
               (change_is_address(c) || !c->inner.before || !c->inner.after);
    bool whole = !c->before.object || !c->after.object;
    return (c->before.object == p.before || c->after.object == p.after) &&
           (whole || str_starts(str_of(c->field), STR("merge")));
}

static void judge_pair(gate *g, service_pair p)
{
    const char *was = assign_merge_database(g->base, p.before, g->arena);
    if (strcmp(was, assign_merge_database(g->head, p.after, g->arena)) == 0)
        return;
    bool told = false;
    for (size_t i = 0; i < g->n; i++) {
        if (!moves(g->changes[i].what, p))
            continue;
        if (!told)
            gate_break(g, CHANGE_MERGE_DATABASE, &g->changes[i],
                       "all tables and views of \"%s\" begin anew in another merge database", p.after->name.s);
        told = g->changes[i].breaking = true;
    }
}

static void judge_services(gate *g)
{
    ds_map *seen = map_new(g->arena);
    for (size_t i = 0; i < g->base->services.n; i++) {
        const ds_platform_service *before = g->base->services.v[i];
        for (size_t k = 0; k < before->platforms.n; k++) {
            const ds_platform *platform = model_platform(g->head, before->platforms.v[k].name);
            const ds_platform_service *after = platform ? platform_service(g->head, platform) : NULL;
            if (!after || !after->name.s || map_add(seen, arena_printf(g->arena, "%zu %s", i, after->name.s), seen))
                continue;
            judge_pair(g, (service_pair){before, after});
        }
    }
}

// Of an Environment that was there before, and is: does it say another place for the container than before, or begin or
// end to say one? Without it the container is where the model itself says.
static bool moves_with_env(const gate *g, const ds_change *c)
{
    if (!c->before.object || !c->after.object || c->before.kind->shape != &SHAPE_ENVIRONMENT)
        return false;
    if (change_is_address(c))
        return true;
    const char *name = change_container(c);
    if (!name || (c->inner.before && c->inner.after))
        return false;
    const ds_container *was = c->inner.before ? c->inner.before : model_container(g->base, name);
    const ds_container *is = c->inner.after ? c->inner.after : model_container(g->head, name);
    return was && is && !is_same_place(was, is);
}

// With --env the merge database is where the Environment says.
static void judge_environment(gate *g, gate_change *change)
{
    const ds_model *head = g->head;
    if (!moves_with_env(g, change->what))
        return;
    const char *container = change_container(change->what);
    for (size_t i = 0; i < head->services.n; i++)
        if (is_called(container, head->services.v[i]->merge_container)) {
            gate_break(g, CHANGE_MERGE_DATABASE, change,
                       "with --env %s all tables and views of \"%s\" begin anew in another merge database",
                       document_text(change->what->after, "name"), gate_text(head->services.v[i]->name.s));
            return;
        }
}

// --- sources

// How many of the head's stores are captured from each container; the first one's name is said.
typedef struct captures {
    const char *first;
    size_t n;
} captures;

static const ds_map *count_captures(const gate *g)
{
    ds_map *by_container = map_new(g->arena);
    for (size_t i = 0; i < g->head->datastores.n; i++) {
        const ds_datastore *store = g->head->datastores.v[i];
        if (!store->capture.container.s)
            continue;
        captures *its = map_get(by_container, store->capture.container.s);
        if (!its) {
            its = ARENA_NEW(g->arena, captures);
            its->first = gate_text(store->name.s);
            (void)map_add(by_container, store->capture.container.s, its);
        }
        its->n++;
    }
    return by_container;
}

static void report_source(gate *g, const ds_change *c, const char *what)
{
    gate_find(g, CHANGE_SOURCE, c, "%s", what);
    diag_hint(g->diags,
              "the next batch compares it with what is loaded: what it lacks is deleted, up to max_delete_ratio");
}

static void judge_capture(gate *g, const ds_change *c)
{
    const bool type = change_is_of(c, &SHAPE_CAPTURE, "type");
    if (!type && !change_is_of(c, &SHAPE_CAPTURE, "container"))
        return;
    const ds_datastore *before = c->store.before, *after = c->store.after;
    const ds_container *was = model_container(g->base, gate_text(before->capture.container.s));
    const ds_container *is = model_container(g->head, gate_text(after->capture.container.s));
    if (!type && was && is && is_same_place(was, is))
        return;
    report_source(g, c,
                  arena_printf(g->arena, "\"%s\" is %s %s, before %s", gate_text(after->name.s),
                               type ? "captured by" : "read from container", gate_text(c->new_text),
                               gate_text(c->old_text)));
}

// A dataset's table at the source. Columns that get another name there are how a producer spares its consumers.
static void judge_table(gate *g, const ds_change *c)
{
    if (c->dataset.before && c->dataset.after && c->part.shape == &SHAPE_DATASET &&
        str_starts(str_of(c->field), STR("source.")))
        report_source(g, c,
                      arena_printf(g->arena, "dataset \"%s\" is read from another table: %s",
                                   ((const ds_dataset *)c->dataset.after)->name,
                                   c->new_text ? c->new_text : "that of its name"));
}

// Of a container that has become another place the first change is told.
static void judge_sources(gate *g)
{
    const ds_map *stores = NULL;
    const void *told = NULL;
    for (size_t i = 0; i < g->n; i++) {
        const ds_change *c = g->changes[i].what;
        judge_capture(g, c);
        judge_table(g, c);
        if (!change_is_address(c) || c->inner.after == told || c->after.kind->shape == &SHAPE_ENVIRONMENT)
            continue;
        told = c->inner.after;
        stores = stores ? stores : count_captures(g);
        const captures *its = map_get(stores, change_container(c));
        if (!its)
            continue;
        const char *more = its->n > 1 ? arena_printf(g->arena, " and %zu more", its->n - 1) : "";
        report_source(g, c,
                      arena_printf(g->arena, "container \"%s\", which \"%s\"%s %s read from, is another place",
                                   change_container(c), its->first, more, its->n > 1 ? "are" : "is"));
    }
}

void compat_places(gate *g)
{
    bool any = false;
    for (size_t i = 0; i < g->n; i++) {
        const ds_change *c = g->changes[i].what;
        ds_document document = c->before.object ? c->before : c->after;
        any |= document.kind->shape == &SHAPE_PLATFORM_SERVICE || change_container(c);
        judge_environment(g, &g->changes[i]);
    }
    if (any)
        judge_services(g);
    judge_sources(g);
}
