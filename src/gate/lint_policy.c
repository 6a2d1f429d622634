// Policies of governance zones. The producer's zone rules wherever its rows, or anything made of them, are held:
// source, merge databases, replicas, the outputs of transformers. The consumer's zone rules what its workspaces may
// use.
#include "base/vec.h"
#include "gate/lint_int.h"

// --- the policies themselves

// Entries of locations cover what is below them.
static bool covers(const char *entry, const char *value)
{
    size_t n = strlen(entry);
    return strncmp(entry, value, n) == 0 && (value[n] == '\0' || value[n] == '/');
}

static bool listed(const ds_texts *entries, const char *value)
{
    for (size_t i = 0; i < entries->n; i++)
        if (entries->v[i].s && covers(entries->v[i].s, value))
            return true;
    return false;
}

static bool allows(const ds_policy *policy, const char *value)
{
    return (policy->allow.n == 0 || listed(&policy->allow, value)) && !listed(&policy->deny, value);
}

static bool is_given(const ds_policy *policy)
{
    return policy->allow.n || policy->deny.n;
}

static void check_overlap(lint *l, const ds_zone *zone, const ds_policy *policy)
{
    for (size_t i = 0; i < policy->deny.n; i++)
        for (size_t k = 0; k < policy->allow.n; k++) {
            const ds_text deny = policy->deny.v[i], allow = policy->allow.v[k];
            if (!deny.s || !allow.s || (!covers(deny.s, allow.s) && !covers(allow.s, deny.s)))
                continue;
            lint_add(l, LINT_POLICY_OVERLAP, deny.pos, zone->name.s, "\"%s\" is denied, and \"%s\" is allowed", deny.s,
                     allow.s);
            lint_hint_at(l, "it is allowed", allow.pos);
        }
}

static void check_names(lint *l, const ds_zone *zone, const ds_texts *entries, const ds_map *names, const char *what)
{
    for (size_t i = 0; i < entries->n; i++) {
        const ds_text entry = entries->v[i];
        if (!entry.s || map_get(names, entry.s))
            continue;
        lint_add(l, LINT_POLICY_UNKNOWN, entry.pos, zone->name.s, "no %s \"%s\" in the model", what, entry.s);
        lint_did_you_mean(l, names, entry.s);
    }
}

static void check_zone(lint *l, const ds_zone *zone)
{
    const ds_policies *p = &zone->policies;
    const ds_policy *all[] = {&p->locations, &p->vendors,         &p->hard_vendors,
                              &p->platforms, &p->classifications, &p->retention};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        check_overlap(l, zone, all[i]);
    lint_locations(l, &p->locations.allow, zone->name.s);
    lint_locations(l, &p->locations.deny, zone->name.s);
    check_names(l, zone, &p->vendors.allow, l->vendors, "vendor");
    check_names(l, zone, &p->vendors.deny, l->vendors, "vendor");
    check_names(l, zone, &p->platforms.allow, l->model->platform_by_name, "platform");
    check_names(l, zone, &p->platforms.deny, l->model->platform_by_name, "platform");
}

// --- a zone's verdict on a container

typedef struct verdict {
    bool bad;
    lint_rule_id rule;
    const char *why;
    ds_pos policy;
} verdict;

static verdict forbid(lint_rule_id rule, const char *why, const ds_policy *policy)
{
    return (verdict){true, rule, why, policy->pos};
}

static verdict judge_location(lint *l, const ds_policies *p, const char *location)
{
    ds_str rest = str_of(location);
    const char *vendor_name = arena_str(l->arena, str_split(&rest, ':'));
    const lint_vendor *vendor = map_get(l->vendors, vendor_name);
    if (is_given(&p->locations) && !allows(&p->locations, location))
        return forbid(LINT_POLICY_BROKEN, arena_printf(l->arena, "location \"%s\"", location), &p->locations);
    if (is_given(&p->vendors) && !allows(&p->vendors, vendor_name))
        return forbid(LINT_POLICY_BROKEN, arena_printf(l->arena, "vendor \"%s\"", vendor_name), &p->vendors);
    if (!vendor || !is_given(&p->hard_vendors))
        return (verdict){0};
    const char *cloud = vendor->vendor->cloud.s ? vendor->vendor->cloud.s : "private";
    if (allows(&p->hard_vendors, cloud))
        return (verdict){0};
    return forbid(LINT_POLICY_BROKEN, arena_printf(l->arena, "cloud \"%s\" of vendor \"%s\"", cloud, vendor_name),
                  &p->hard_vendors);
}

static verdict judge_container(lint *l, const ds_zone *zone, const ds_container *container)
{
    const ds_policies *p = &zone->policies;
    const ds_policy *place[] = {&p->locations, &p->vendors, &p->hard_vendors};
    for (size_t i = 0; i < sizeof place / sizeof place[0] && container->locations.n == 0; i++)
        if (is_given(place[i]))
            return forbid(LINT_NEEDS_LOCATION, "", place[i]);
    for (size_t i = 0; i < container->locations.n; i++) {
        verdict v = container->locations.v[i].s ? judge_location(l, p, container->locations.v[i].s) : (verdict){0};
        if (v.bad)
            return v;
    }
    return (verdict){0};
}

// Judged once for each zone and container.
static const verdict *verdict_on(lint *l, const ds_zone *zone, const ds_container *container)
{
    const char *key = arena_printf(l->arena, "%s %s", zone->name.s, lint_text(container->name.s));
    verdict *known = map_get(l->verdicts, key);
    if (known)
        return known;
    known = ARENA_NEW(l->arena, verdict);
    *known = judge_container(l, zone, container);
    (void)map_add(l->verdicts, key, known);
    return known;
}

static void check_hop(lint *l, const ds_zone *zone, const ds_container *container, const char *store, ds_pos pos)
{
    if (!container)
        return;
    const verdict *v = verdict_on(l, zone, container);
    const char *name = lint_text(container->name.s);
    if (!v->bad)
        return;
    if (v->rule == LINT_NEEDS_LOCATION) {
        lint_add(l, v->rule, container->name.pos.file ? container->name.pos : container->pos, name,
                 "container \"%s\" holds data of zone \"%s\" and needs locations", name, zone->name.s);
        lint_hint_at(l, "the zone's policy is", v->policy);
        return;
    }
    lint_add(l, v->rule, pos, store, "\"%s\" would be in \"%s\": zone \"%s\" does not allow %s", store, name,
             zone->name.s, v->why);
    lint_hint_at(l, "its policy is", v->policy);
}

// --- where the rows of a zone go

typedef VEC(const ds_zone *) zone_list;

static void add_zone(lint *l, ds_text team, ds_map *seen, zone_list *out)
{
    const char *name = lint_zone_of(l, team);
    const ds_zone *zone = model_zone(l->model, name);
    if (zone && zone->policies.pos.file && !map_add(seen, name, seen))
        *VEC_PUSH(l->arena, out) = zone;
}

typedef VEC(const ds_datastore *) store_list;

static void open_inputs(lint *l, const ds_workspace *reader, ds_map *seen, store_list *open)
{
    for (size_t i = 0; i < reader->groups.n; i++)
        for (size_t k = 0; k < reader->groups.v[i].sinks.n; k++) {
            const char *name = reader->groups.v[i].sinks.v[k].store;
            const ds_datastore *store = name ? model_datastore(l->model, name) : NULL;
            if (store && !map_add(seen, name, seen))
                *VEC_PUSH(l->arena, open) = store;
        }
}

// The zones that have a say: of the store's own team, and of all that it is made from.
static zone_list zones_of(lint *l, const ds_datastore *store)
{
    zone_list zones = {0};
    store_list open = {0};
    ds_map *seen = NULL, *names = map_new(l->arena);
    add_zone(l, store->team, names, &zones);
    for (const ds_datastore *next = store; next; next = open.n ? open.v[--open.n] : NULL) {
        add_zone(l, next->team, names, &zones);
        if (!next->producer)
            continue;
        seen = seen ? seen : map_new(l->arena);
        open_inputs(l, next->producer, seen, &open);
    }
    return zones;
}

// The sink that brings the store to the platform: what its owner would have to change.
static ds_pos sink_pos(const ds_node *ingest)
{
    const ds_node *export = ingest->right.n ? ingest->right.v[0] : NULL;
    for (size_t i = 0; export && i < export->group->sinks.n; i++) {
        const ds_sink *sink = &export->group->sinks.v[i];
        if (sink->store && strcmp(sink->store, export->store->name.s) == 0)
            return sink->pos;
    }
    return NO_POS;
}

static void check_export(lint *l, const ds_zone *zone, const ds_node *export)
{
    const ds_workspace *workspace = export->workspace;
    const ds_policy *keep = &zone->policies.retention;
    const ds_text wanted = export->group->requires_.retention;
    if (workspace->container.s)
        check_hop(l, zone, model_container(l->model, workspace->container.s), export->store->name.s,
                  workspace->container.pos);
    if (!wanted.s || !is_given(keep) || allows(keep, wanted.s))
        return;
    lint_add(l, LINT_POLICY_BROKEN, wanted.pos, lint_path(l, workspace->name.s, export->group->name),
             "\"%s\" would be kept for %s: zone \"%s\" does not allow that", export->store->name.s, wanted.s,
             zone->name.s);
    lint_hint_at(l, "its policy is", keep->pos);
}

static void check_stream(lint *l, const ds_zone *zone, const ds_node *ingest)
{
    const ds_policy *platforms = &zone->policies.platforms;
    ds_pos pos = sink_pos(ingest);
    check_hop(l, zone, service_container(l->model, ingest->service), ingest->store->name.s, pos);
    if (is_given(platforms) && !allows(platforms, ingest->platform->name)) {
        lint_add(l, LINT_POLICY_BROKEN, pos, ingest->store->name.s,
                 "\"%s\" would be on platform \"%s\": zone \"%s\" does not allow that", ingest->store->name.s,
                 ingest->platform->name, zone->name.s);
        lint_hint_at(l, "its policy is", platforms->pos);
    }
    for (size_t i = 0; i < ingest->right.n; i++)
        check_export(l, zone, ingest->right.v[i]);
}

static void check_streams(lint *l)
{
    for (size_t i = 0; i < l->graph->nodes.n; i++) {
        const ds_node *node = l->graph->nodes.v[i];
        if (node->kind != NODE_INGEST)
            continue;
        zone_list zones = zones_of(l, node->store);
        for (size_t k = 0; k < zones.n; k++)
            check_stream(l, zones.v[k], node);
    }
}

static void check_sources(lint *l)
{
    for (size_t i = 0; i < l->model->datastores.n; i++) {
        const ds_datastore *store = l->model->datastores.v[i];
        const ds_zone *zone = model_zone(l->model, lint_zone_of(l, store->team));
        if (zone && zone->policies.pos.file && store->capture.container.s && store->name.s)
            check_hop(l, zone, model_container(l->model, store->capture.container.s), store->name.s,
                      store->capture.container.pos);
    }
}

// --- what a zone's workspaces may use

static const char *forbidden_class(const ds_policy *policy, const ds_dataset *dataset, bool *any)
{
    for (size_t i = 0; i < dataset->classification.n; i++) {
        *any = true;
        if (dataset->classification.v[i].s && !allows(policy, dataset->classification.v[i].s))
            return dataset->classification.v[i].s;
    }
    for (size_t i = 0; i < dataset->columns.n; i++)
        for (size_t k = 0; k < dataset->columns.v[i].rest->classification_count; k++) {
            const char *class = dataset->columns.v[i].rest->classification[k].s;
            *any = true;
            if (class && !allows(policy, class))
                return class;
        }
    return NULL;
}

static void check_class(lint *l, const ds_zone *zone, const char *object, const ds_sink *sink)
{
    const ds_policy *policy = &zone->policies.classifications;
    const ds_dataset *dataset = lint_dataset(l, sink->store, sink->dataset);
    bool any = false;
    const char *class = dataset ? forbidden_class(policy, dataset, &any) : NULL;
    if (!dataset || (!class && (any || policy->allow.n == 0)))
        return;
    if (class)
        lint_add(l, LINT_CLASS_FORBIDDEN, sink->pos, object,
                 "\"%s/%s\" is %s, which workspaces of zone \"%s\" may not use", sink->store, sink->dataset, class,
                 zone->name.s);
    else
        lint_add(l, LINT_CLASS_FORBIDDEN, sink->pos, object,
                 "\"%s/%s\" has no classification, and workspaces of zone \"%s\" may use only some", sink->store,
                 sink->dataset, zone->name.s);
    lint_hint_at(l, "the zone's policy is", policy->pos);
}

static void check_uses(lint *l)
{
    for (size_t i = 0; i < l->model->workspaces.n; i++) {
        const ds_workspace *workspace = l->model->workspaces.v[i];
        const ds_zone *zone = model_zone(l->model, lint_zone_of(l, workspace->team));
        if (!zone || !is_given(&zone->policies.classifications))
            continue;
        for (size_t g = 0; g < workspace->groups.n; g++) {
            const char *object = lint_path(l, workspace->name.s, workspace->groups.v[g].name);
            for (size_t s = 0; s < workspace->groups.v[g].sinks.n; s++)
                check_class(l, zone, object, &workspace->groups.v[g].sinks.v[s]);
        }
    }
}

void lint_policies(lint *l)
{
    for (size_t i = 0; i < l->model->zones.n; i++)
        if (l->model->zones.v[i]->name.s)
            check_zone(l, l->model->zones.v[i]);
    check_sources(l);
    check_streams(l);
    check_uses(l);
}
