#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate/lint_int.h"

// Looking through so many is faster than sorting them.
enum { DATASETS_FEW = 64 };

void lint_add(lint *l, lint_rule_id rule, ds_pos pos, const char *object, const char *format, ...)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(DS_ERROR_TEXT * 4);
    va_list args;
    va_start(args, format);
    char *room = buf_extend(&text, DS_ERROR_TEXT * 2);
    vsnprintf(room, DS_ERROR_TEXT * 2, format, args);
    va_end(args);
    const ds_rule *row = lint_row(rule);
    diag_add(l->diags, row->severity, row->id, pos, object, "%s", room);
}

void lint_did_you_mean(lint *l, const ds_map *names, const char *written)
{
    const char *nearest = map_nearest(names, written);
    if (nearest)
        diag_hint(l->diags, "did you mean \"%s\"?", nearest);
}

void lint_hint_at(lint *l, const char *text, ds_pos pos)
{
    if (pos.file)
        diag_hint(l->diags, "%s at %s:%u:%u", text, files_path(diags_files(l->diags), pos.file), (unsigned)pos.line,
                  (unsigned)pos.column);
}

const char *lint_text(const char *text)
{
    return text ? text : "";
}

const char *lint_zone_of(lint *l, ds_text team)
{
    ds_str rest = str_of(team.s);
    return arena_str(l->arena, str_split(&rest, '/'));
}

const char *lint_path(lint *l, const char *parent, const char *child)
{
    return arena_path(l->arena, lint_text(parent), lint_text(child), NULL);
}

// By name; of equal names the first one, which counts, comes first.
static int by_name(const void *a, const void *b)
{
    const ds_dataset *x = *(const ds_dataset *const *)a, *y = *(const ds_dataset *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

// The datasets of a store that somebody looks into, by name; sorted when it is first asked.
static const ds_dataset **sorted_datasets(lint *l, const ds_datastore *store)
{
    const ds_dataset **sorted = map_get(l->datasets, store->name.s);
    if (sorted)
        return sorted;
    sorted = ARENA_ARRAY(l->arena, const ds_dataset *, store->datasets.n);
    for (size_t i = 0; i < store->datasets.n; i++)
        sorted[i] = &store->datasets.v[i];
    qsort(sorted, store->datasets.n, sizeof *sorted, by_name);
    (void)map_add(l->datasets, store->name.s, sorted);
    return sorted;
}

const ds_dataset *lint_dataset(lint *l, const char *store, const char *dataset)
{
    const ds_datastore *found = store && dataset ? model_datastore(l->model, store) : NULL;
    if (!found || found->unread || found->datasets.n <= DATASETS_FEW)
        return found ? datastore_dataset(found, dataset) : NULL;
    const ds_dataset **sorted = sorted_datasets(l, found);
    size_t low = 0, high = found->datasets.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sorted[middle]->name, dataset) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < found->datasets.n && strcmp(sorted[low]->name, dataset) == 0 ? sorted[low] : NULL;
}

// "USA/NJ/NJ_1" declares USA and USA/NJ as well.
static void add_place(lint *l, ds_map *places, const char *place)
{
    for (size_t i = 0; place[i]; i++)
        if (place[i] == '/')
            (void)map_add(places, arena_str(l->arena, (ds_str){place, i}), places);
    (void)map_add(places, place, places);
}

static void index_vendors(lint *l, const ds_ecosystem *ecosystem)
{
    for (size_t i = 0; i < ecosystem->vendors.n; i++) {
        const ds_vendor *vendor = &ecosystem->vendors.v[i];
        lint_vendor *entry = ARENA_NEW(l->arena, lint_vendor);
        entry->vendor = vendor;
        entry->places = map_new(l->arena);
        for (size_t k = 0; k < vendor->locations.n; k++)
            if (vendor->locations.v[k].s)
                add_place(l, entry->places, vendor->locations.v[k].s);
        if (vendor->name.s)
            (void)map_add(l->vendors, vendor->name.s, entry);
    }
}

static void index_declarations(lint *l)
{
    for (size_t i = 0; i < l->model->ecosystems.n; i++) {
        ds_ecosystem *e = l->model->ecosystems.v[i];
        index_vendors(l, e);
        for (size_t k = 0; k < e->zones.n; k++)
            if (e->zones.v[k].name.s)
                (void)map_add(l->zones, e->zones.v[k].name.s, &e->zones.v[k]);
        for (size_t k = 0; k < e->platform_services.n; k++)
            if (e->platform_services.v[k].name.s)
                (void)map_add(l->services, e->platform_services.v[k].name.s, &e->platform_services.v[k]);
    }
    for (size_t i = 0; i < l->model->zones.n; i++) {
        const ds_zone *zone = l->model->zones.v[i];
        for (size_t k = 0; k < zone->teams.n; k++)
            (void)map_add(l->teams, lint_path(l, zone->name.s, zone->teams.v[k].name.s), &zone->teams.v[k]);
    }
}

static void index_consumers(lint *l)
{
    for (size_t i = 0; i < l->whole->datastores.n; i++) {
        const ds_datastore *store = l->whole->datastores.v[i];
        for (size_t k = 0; store->name.s && k < store->consumers.n; k++)
            if (store->consumers.v[k].s)
                (void)map_add(l->approvals, arena_printf(l->arena, "%s %s", store->name.s, store->consumers.v[k].s),
                              l->approvals);
    }
}

// --- what is looked at: what has no name always is

bool lint_looks_at(const lint *l, const ds_datastore *store)
{
    return !l->focus || !store->name.s || map_get(l->focus->stores, store->name.s);
}

bool lint_looks_at_workspace(const lint *l, const ds_workspace *workspace)
{
    return !l->focus || !workspace->name.s || map_get(l->focus->workspaces, workspace->name.s);
}

// Lookups by name still find everything.
static const ds_model *narrowed(const lint *l)
{
    ds_model *model = ARENA_NEW(l->arena, ds_model);
    *model = *l->whole;
    model->datastores.n = model->workspaces.n = 0;
    model->datastores.v = ARENA_ARRAY(l->arena, ds_datastore *, l->whole->datastores.n);
    model->workspaces.v = ARENA_ARRAY(l->arena, ds_workspace *, l->whole->workspaces.n);
    for (size_t i = 0; i < l->whole->datastores.n; i++)
        if (lint_looks_at(l, l->whole->datastores.v[i]))
            model->datastores.v[model->datastores.n++] = l->whole->datastores.v[i];
    for (size_t i = 0; i < l->whole->workspaces.n; i++)
        if (lint_looks_at_workspace(l, l->whole->workspaces.v[i]))
            model->workspaces.v[model->workspaces.n++] = l->whole->workspaces.v[i];
    return model;
}

static lint *lint_new(const ds_model *model, const lint_focus *focus, ds_platform_types types, ds_diags *diags,
                      ds_arena *arena)
{
    lint *l = ARENA_NEW(arena, lint);
    *l = (lint){.whole = model, .focus = focus, .types = types, .diags = diags, .arena = arena};
    l->model = focus ? narrowed(l) : model;
    ds_map **maps[] = {&l->vendors, &l->zones, &l->services, &l->teams, &l->datasets, &l->approvals, &l->verdicts};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        *maps[i] = map_new(arena);
    index_declarations(l);
    index_consumers(l);
    lint_flow_init(l);
    l->services_by_name = assign_services(model, arena);
    return l;
}

static void make_graph(lint *l)
{
    ds_roots roots = assign_roots_of_workspaces(l->whole, l->types, l->focus ? l->focus->workspaces : NULL, l->arena);
    l->graph = graph_build(l->whole, roots, l->arena);
}

static void unknown_type(lint *l, const ds_platform_service *service, const ds_platform *platform)
{
    if (l->types.n == 0 || !platform->type.s) // nobody to ask; diagnosed already
        return;
    const char **names = ARENA_ARRAY(l->arena, const char *, l->types.n);
    for (size_t i = 0; i < l->types.n; i++)
        names[i] = l->types.v[i]->name;
    diag_add(l->diags, DIAG_ERROR, PLATFORM_RULE_TYPE, platform->type.pos,
             arena_path(l->arena, service->name.s, platform->name, NULL), "there is no platform type \"%s\"",
             platform->type.s);
    const char *nearest = str_nearest(platform->type.s, names, l->types.n);
    if (nearest)
        diag_hint(l->diags, "did you mean \"%s\"?", nearest);
    else
        diag_hint(l->diags, "this program has \"%s\"", names[0]);
}

// What each platform type has to say about its streams and services.
static void lint_platforms(lint *l)
{
    for (size_t i = 0; i < l->graph->nodes.n; i++) {
        const ds_node *node = l->graph->nodes.v[i];
        const ds_platform_type *type = node_is_stream(node) ? platform_type(l->types, node->platform->type.s) : NULL;
        if (type && lint_looks_at(l, node->store))
            type->check_stream(l->model, node, l->diags);
    }
    for (size_t i = 0; i < l->model->services.n; i++) {
        const ds_platform_service *service = l->model->services.v[i];
        ds_map *seen = map_new(l->arena); // a type is asked once per service
        for (size_t k = 0; k < service->platforms.n; k++) {
            const ds_platform_type *type = platform_type(l->types, service->platforms.v[k].type.s);
            if (!type)
                unknown_type(l, service, &service->platforms.v[k]);
            if (type && !map_add(seen, type->name, seen))
                type->check_service(l->model, l->graph, service, l->diags);
        }
    }
}

void lint_datasets(const ds_model *model, bool only_read, ds_diags *diags)
{
    for (size_t i = 0; i < model->datastores.n; i++)
        if (!only_read || !model->datastores.v[i]->unread)
            lint_datastore(model->datastores.v[i], diags);
}

void lint_datastore(const ds_datastore *store, ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new(); // millions of datasets are looked at one after the other
    lint l = {.diags = diags, .arena = arena};
    if (store->name.s)
        lint_store_datasets(&l, store);
}

static uint64_t names_at_stake(const lint *l)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < l->types.n; i++)
        sum += l->types.v[i]->names_at_stake(l->model, l->graph);
    return sum;
}

static void run_checks(lint *l)
{
    static void (*const CHECKS[])(lint * l) = {
        lint_ecosystem, lint_teams,  lint_containers, lint_stores, lint_workspaces,  lint_latencies, lint_transformers,
        lint_services,  lint_groups, lint_policies,   lint_hops,   lint_credentials, lint_platforms,
    };
    for (size_t i = 0; i < sizeof CHECKS / sizeof CHECKS[0]; i++)
        CHECKS[i](l);
}

uint64_t lint_run(const ds_model *model, const lint_focus *focus, ds_platform_types types, ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    lint *l = lint_new(model, focus, types, diags, arena);
    make_graph(l);
    run_checks(l);
    return focus ? names_at_stake(l) : 0;
}

void lint_objects(const ds_model *model, ds_platform_types types, ds_diags *diags)
{
    (void)lint_run(model, NULL, types, diags);
}

void lint_objects_with(const ds_model *model, const ds_graph *graph, ds_platform_types types, ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    lint *l = lint_new(model, NULL, types, diags, arena);
    l->graph = graph;
    run_checks(l);
}

void lint_model(const ds_model *model, ds_platform_types types, ds_diags *diags)
{
    lint_datasets(model, false, diags);
    lint_objects(model, types, diags);
    diags_sort(diags);
}
