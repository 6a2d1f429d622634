// Where the rows of a zone go. The producer's zone rules wherever its rows, or anything made of them, are held:
//
//   source --capture--> merge database --transformer--> merge database --> replica
//
// At each of these hops the policies of every zone that has rows in it hold: that of the datastore's own team, and
// those of all datastores that it is made from, through chains of transformers.
#include <stddef.h>

#include "base/vec.h"
#include "gate/lint_policy_int.h"

// --- whose rows

// A zone with policies, and the datastore by which its rows come in.
typedef struct origin {
    const ds_zone *zone;
    const ds_datastore *store;
} origin;
typedef struct lint_origins {
    origin *v;
    size_t n, cap;
} lint_origins;

typedef struct spread {
    origin from;
    const ds_zone **last; // by number of the store: the zone that came there last
    lint_origins *origins;
} spread;

static bool arrive(lint *l, uint32_t store, void *context)
{
    spread *s = context;
    if (s->last[store] == s->from.zone)
        return false;
    s->last[store] = s->from.zone;
    *VEC_PUSH(l->arena, &s->origins[store]) = s->from;
    return true;
}

typedef struct zone_stores {
    const ds_zone *zone;
    VEC(uint32_t) stores; // by name
} zone_stores;

// The zones with policies, each with its own datastores.
static ds_map *stores_by_zone(lint *l)
{
    ds_map *zones = map_new(l->arena);
    for (size_t i = 0; i < l->flow.n; i++) {
        const char *name = lint_zone_of(l, l->flow.stores[i]->team);
        const ds_zone *zone = model_zone(l->model, name);
        if (!zone || !zone->policies.pos.file)
            continue;
        zone_stores *its = map_get(zones, name);
        if (!its) {
            its = ARENA_NEW(l->arena, zone_stores);
            its->zone = zone;
            (void)map_add(zones, name, its);
        }
        *VEC_PUSH(l->arena, &its->stores) = (uint32_t)i;
    }
    return zones;
}

// By number of the store. A zone is there once for each store: by the store itself where that is its own, else by the
// first one by name of those from which it is made.
static lint_origins *find_origins(lint *l)
{
    spread s = {.last = ARENA_ARRAY(l->arena, const ds_zone *, l->flow.n),
                .origins = ARENA_ARRAY(l->arena, lint_origins, l->flow.n)};
    const ds_map *zones = stores_by_zone(l);
    for (size_t i = 0; i < map_count(zones); i++) {
        const zone_stores *its = map_value(zones, i);
        for (size_t k = 0; k < its->stores.n; k++) {
            s.from = (origin){its->zone, l->flow.stores[its->stores.v[k]]};
            (void)arrive(l, its->stores.v[k], &s);
        }
        for (size_t k = 0; k < its->stores.n; k++) {
            s.from.store = l->flow.stores[its->stores.v[k]];
            lint_flow_spread(l, its->stores.v[k], arrive, &s);
        }
    }
    return s.origins;
}

static const lint_origins *origins_of(const lint *l, const ds_datastore *store)
{
    return &l->origins[lint_store_number(l, store)];
}

// --- a zone's verdict on a container

static const char *whole_location(lint *l, const char *location)
{
    (void)l;
    return location;
}

static const char *vendor_of(lint *l, const char *location)
{
    ds_str rest = str_of(location);
    return arena_str(l->arena, str_split(&rest, ':'));
}

// NULL: the vendor is unknown, which is a finding of its own.
static const char *cloud_of(lint *l, const char *location)
{
    const lint_vendor *vendor = map_get(l->vendors, vendor_of(l, location));
    return vendor ? lint_text(vendor->vendor->cloud.s) : NULL;
}

// What policies look at in a location.
static const struct aspect {
    const char *what;
    size_t policy; // offset in ds_policies
    const char *(*value)(lint *l, const char *location);
} ASPECTS[] = {
    {"location", offsetof(ds_policies, locations), whole_location},
    {"vendor", offsetof(ds_policies, vendors), vendor_of},
    {"cloud", offsetof(ds_policies, hard_vendors), cloud_of},
};
enum { ASPECT_COUNT = sizeof ASPECTS / sizeof ASPECTS[0] };

static const ds_policy *policy_of(const ds_zone *zone, size_t aspect)
{
    return (const void *)((const char *)&zone->policies + ASPECTS[aspect].policy);
}

typedef struct verdict {
    const ds_policy *unplaced;        // asks for locations, and the container has none
    const char *broken[ASPECT_COUNT]; // what is not allowed: `vendor "A", "B"`; NULL: nothing
} verdict;

// All values of the aspect that the policy does not allow, each once; NULL: none.
static const char *judge_aspect(lint *l, const ds_policy *policy, size_t aspect, const ds_texts *locations)
{
    CLEANUP(buf_release) ds_buf list = BUF_INIT(DS_ERROR_TEXT);
    ds_map *seen = map_new(l->arena);
    for (size_t i = 0; i < locations->n; i++) {
        const char *value = locations->v[i].s ? ASPECTS[aspect].value(l, locations->v[i].s) : NULL;
        if (!value || policy_allows(policy, value) || map_add(seen, value, seen))
            continue;
        buf_printf(&list, "%s\"%s\"", list.n ? ", " : "", value);
    }
    return list.n ? arena_printf(l->arena, "%s %s", ASPECTS[aspect].what, buf_text(&list)) : NULL;
}

// Judged once for each zone and container.
static const verdict *verdict_on(lint *l, const ds_zone *zone, const ds_container *container)
{
    const char *key = arena_printf(l->arena, "%s %s", zone->name.s, lint_text(container->name.s));
    verdict *v = map_get(l->verdicts, key);
    if (v)
        return v;
    v = ARENA_NEW(l->arena, verdict);
    (void)map_add(l->verdicts, key, v);
    for (size_t i = 0; i < ASPECT_COUNT; i++) {
        const ds_policy *policy = policy_of(zone, i);
        if (!policy_given(policy))
            continue;
        if (container->locations.n == 0 && !v->unplaced)
            v->unplaced = policy;
        v->broken[i] = judge_aspect(l, policy, i, &container->locations);
    }
    return v;
}

// --- hops

typedef struct hop {
    const char *what; // "source", "merge database", "replica"
    const ds_container *container;
    const ds_datastore *store;
    ds_pos pos; // what the one who leads the rows there would have to change
} hop;

// `transformer output "Masked", made from "Store1",`
static const char *rows_text(lint *l, const ds_datastore *store, const origin *from)
{
    const char *rows = arena_printf(l->arena, "%s\"%s\"", store->producer ? "transformer output " : "", store->name.s);
    if (from->store != store)
        rows = arena_printf(l->arena, "%s, made from \"%s\"", rows, from->store->name.s);
    return rows;
}

static void forbid(lint *l, const ds_policy *policy, ds_pos pos, const char *object, const char *text)
{
    lint_add(l, LINT_POLICY_BROKEN, pos, object, "%s", text);
    lint_hint_at(l, "its policy is", policy->pos);
}

static void check_hop(lint *l, const hop *h, const origin *from)
{
    const verdict *v = verdict_on(l, from->zone, h->container);
    const char *name = lint_text(h->container->name.s), *zone = from->zone->name.s;
    if (v->unplaced) {
        ds_pos pos = h->container->name.pos.file ? h->container->name.pos : h->container->pos;
        lint_add(l, LINT_NEEDS_LOCATION, pos, name, "container \"%s\" holds data of zone \"%s\" and needs locations",
                 name, zone);
        lint_hint_at(l, "the zone's policy is", v->unplaced->pos);
    }
    for (size_t i = 0; i < ASPECT_COUNT; i++)
        if (v->broken[i])
            forbid(l, policy_of(from->zone, i), h->pos, h->store->name.s,
                   arena_printf(l->arena, "%s \"%s\" of %s: zone \"%s\" does not allow %s", h->what, name,
                                rows_text(l, h->store, from), zone, v->broken[i]));
}

static void check_hops(lint *l, const hop *h)
{
    const lint_origins *origins = h->container ? origins_of(l, h->store) : NULL;
    for (size_t i = 0; origins && i < origins->n; i++)
        check_hop(l, h, &origins->v[i]);
}

// --- sources

static void check_sources(lint *l)
{
    for (size_t i = 0; i < l->flow.n; i++) {
        const ds_datastore *store = l->flow.stores[i];
        const ds_text name = store->capture.container;
        if (name.s && lint_looks_at(l, store))
            check_hops(l, &(hop){"source", model_container(l->model, name.s), store, name.pos});
    }
}

// --- merge databases and platforms

// The sink that brings the store to the platform.
static ds_pos sink_pos(const ds_node *ingest)
{
    const ds_node *export = ingest->right.n ? ingest->right.v[0] : NULL;
    if (export && export->kind == NODE_REPLICA)
        export = export->right.v[0];
    for (size_t i = 0; export && i < export->group->sinks.n; i++) {
        const ds_sink *sink = &export->group->sinks.v[i];
        if (sink->store && strcmp(sink->store, export->store->name.s) == 0)
            return sink->pos;
    }
    return NO_POS;
}

static void check_platform(lint *l, const ds_node *ingest, const origin *from, ds_pos pos)
{
    const ds_policy *policy = &from->zone->policies.platforms;
    if (!policy_allows(policy, ingest->platform->name))
        forbid(l, policy, pos, ingest->store->name.s,
               arena_printf(l->arena, "stream of %s: zone \"%s\" does not allow platform \"%s\"",
                            rows_text(l, ingest->store, from), from->zone->name.s, ingest->platform->name));
}

static void check_streams(lint *l)
{
    const ds_node *before = NULL; // streams of one store on one platform are neighbours
    for (size_t i = 0; i < l->graph->nodes.n; i++) {
        const ds_node *node = l->graph->nodes.v[i];
        if (node->kind != NODE_INGEST || !lint_looks_at(l, node->store) ||
            (before && before->store == node->store && before->platform == node->platform))
            continue;
        before = node;
        ds_pos pos = sink_pos(node);
        const lint_origins *origins = origins_of(l, node->store);
        for (size_t k = 0; k < origins->n; k++)
            check_platform(l, node, &origins->v[k], pos);
        check_hops(l, &(hop){"merge database", service_container(l->model, node->service), node->store, pos});
    }
}

// --- replicas, and how long rows are kept

static void check_retention(lint *l, const ds_group *group, const char *object, const ds_datastore *store)
{
    const lint_origins *origins = origins_of(l, store);
    const ds_text wanted = group->requires_.retention;
    for (size_t i = 0; i < origins->n; i++) {
        const ds_policy *policy = &origins->v[i].zone->policies.retention;
        if (!policy_allows(policy, wanted.s))
            forbid(l, policy, wanted.pos, object,
                   arena_printf(l->arena, "group \"%s\" keeps %s: zone \"%s\" does not allow retention \"%s\"", object,
                                rows_text(l, store, &origins->v[i]), origins->v[i].zone->name.s, wanted.s));
    }
}

// Each store of the group once.
static void check_group(lint *l, const ds_workspace *workspace, const ds_group *group)
{
    const ds_text replica = workspace->container;
    ds_map *seen = map_new(l->arena);
    for (size_t i = 0; i < group->sinks.n; i++) {
        const char *name = group->sinks.v[i].store;
        const ds_datastore *store = name ? model_datastore(l->model, name) : NULL;
        if (!store || map_add(seen, name, seen))
            continue;
        if (group->requires_.retention.s)
            check_retention(l, group, lint_path(l, workspace->name.s, group->name), store);
        if (replica.s)
            check_hops(l, &(hop){"replica", model_container(l->model, replica.s), store, replica.pos});
    }
}

static void check_workspaces(lint *l)
{
    for (size_t i = 0; i < l->model->workspaces.n; i++) {
        const ds_workspace *workspace = l->model->workspaces.v[i];
        for (size_t k = 0; k < workspace->groups.n; k++)
            if (workspace->container.s || workspace->groups.v[k].requires_.retention.s)
                check_group(l, workspace, &workspace->groups.v[k]);
    }
}

static bool rules_anything(const ds_model *model)
{
    for (size_t i = 0; i < model->zones.n; i++)
        if (model->zones.v[i]->policies.pos.file)
            return true;
    return false;
}

void lint_hops(lint *l)
{
    if (!rules_anything(l->model))
        return;
    l->origins = find_origins(l);
    check_sources(l);
    check_streams(l);
    check_workspaces(l);
}
