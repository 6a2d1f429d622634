// Policies of governance zones: what they say themselves, and what a zone's own workspaces may use. Where the rows of a
// zone may go is in lint_hop.c.
#include "gate/lint_policy_int.h"

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

bool policy_allows(const ds_policy *policy, const char *value)
{
    return (policy->allow.n == 0 || listed(&policy->allow, value)) && !listed(&policy->deny, value);
}

bool policy_given(const ds_policy *policy)
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

// --- what a zone's workspaces may use

static const char *forbidden_class(const ds_policy *policy, const ds_dataset *dataset, bool *any)
{
    for (size_t i = 0; i < dataset->classification.n; i++) {
        *any = true;
        if (dataset->classification.v[i].s && !policy_allows(policy, dataset->classification.v[i].s))
            return dataset->classification.v[i].s;
    }
    for (size_t i = 0; i < dataset->columns.n; i++)
        for (size_t k = 0; k < dataset->columns.v[i].rest->classification_count; k++) {
            const char *class = dataset->columns.v[i].rest->classification[k].s;
            *any = true;
            if (class && !policy_allows(policy, class))
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
        if (!zone || !policy_given(&zone->policies.classifications))
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
    check_uses(l);
}
