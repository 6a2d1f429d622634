#include "gate/changes_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/vec.h"

struct ds_owners {
    const ds_ecosystem *ecosystem; // NULL: none
    ds_map *zones, *services;      // repositories by declared name
    ds_map *teams;                 // by "ZONE/TEAM"
    VEC(const char *) all;
    ds_map *seen;
};

const char *gate_text(const char *text)
{
    return text ? text : "";
}

// --- owners

static void add_owner(ds_owners *o, ds_arena *arena, ds_map *by_name, const char *name, ds_text repository)
{
    if (!repository.s)
        return;
    if (name && by_name)
        (void)map_add(by_name, name, (void *)(uintptr_t)repository.s);
    if (!map_add(o->seen, repository.s, o))
        *VEC_PUSH(arena, &o->all) = repository.s;
}

static ds_owners *owners_new(const ds_model *model, ds_arena *arena)
{
    ds_owners *o = ARENA_NEW(arena, ds_owners);
    ds_map **maps[] = {&o->zones, &o->services, &o->teams, &o->seen};
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        *maps[i] = map_new(arena);
    o->ecosystem = model->ecosystems.n ? model->ecosystems.v[0] : NULL;
    if (o->ecosystem) {
        const ds_ecosystem *e = o->ecosystem;
        add_owner(o, arena, NULL, NULL, e->repository);
        for (size_t i = 0; i < e->zones.n; i++)
            add_owner(o, arena, o->zones, e->zones.v[i].name.s, e->zones.v[i].repository);
        for (size_t i = 0; i < e->platform_services.n; i++)
            add_owner(o, arena, o->services, e->platform_services.v[i].name.s, e->platform_services.v[i].repository);
    }
    for (size_t i = 0; i < model->zones.n; i++) {
        const ds_zone *zone = model->zones.v[i];
        for (size_t k = 0; k < zone->teams.n; k++)
            add_owner(o, arena, o->teams,
                      arena_path(arena, gate_text(zone->name.s), gate_text(zone->teams.v[k].name.s), NULL),
                      zone->teams.v[k].repository);
    }
    return o;
}

static const char *ecosystem_owner(const ds_owners *o)
{
    return o->ecosystem ? gate_text(o->ecosystem->repository.s) : "";
}

static const char *declared(const ds_owners *o, const ds_map *by_name, const char *name)
{
    const char *owner = map_get(by_name, name);
    return owner ? owner : ecosystem_owner(o);
}

const char *owners_of_team(const ds_owners *o, const char *team)
{
    const char *owner = map_get(o->teams, team);
    if (owner)
        return owner;
    char zone[PATTERN_NAME_MAX + 1];
    snprintf(zone, sizeof zone, "%.*s", (int)strcspn(team, "/"), team);
    return declared(o, o->zones, zone);
}

const char *owners_of_zone(const ds_owners *o, const char *zone)
{
    return declared(o, o->zones, zone);
}

const char *owners_of_service(const ds_owners *o, const char *service)
{
    return declared(o, o->services, service);
}

static const char *owners_of(const ds_owners *o, ds_document document)
{
    const model_shape *shape = document.kind->shape;
    if (shape == &SHAPE_ECOSYSTEM)
        return gate_text(((const ds_ecosystem *)document.object)->repository.s);
    if (shape == &SHAPE_ZONE)
        return owners_of_zone(o, document_text(document, "name"));
    if (shape == &SHAPE_PLATFORM_SERVICE)
        return owners_of_service(o, document_text(document, "name"));
    if (shape == &SHAPE_ENVIRONMENT)
        return ecosystem_owner(o);
    return owners_of_team(o, document_text(document, "team"));
}

bool owners_has_ecosystem(const ds_owners *o)
{
    return o->ecosystem && o->ecosystem->repository.s;
}

bool owners_has_team(const ds_owners *o, const char *team)
{
    return map_get(o->teams, team) != NULL;
}

size_t owners_count(const ds_owners *o)
{
    return o->all.n;
}

const char *owners_at(const ds_owners *o, size_t i)
{
    return o->all.v[i];
}

// --- changes

bool gate_is_handed_over(const ds_change *c)
{
    return c->before.object && c->after.object &&
           strcmp(document_text(c->before, "team"), document_text(c->after, "team")) != 0;
}

// Offered by its owner before, and now taken.
static bool is_taken(const ds_change *c)
{
    return gate_is_handed_over(c) &&
           strcmp(document_text(c->before, "offered_to"), document_text(c->after, "team")) == 0;
}

static const char *owner_of(const gate *g, const ds_change *c)
{
    if (!owners_has_ecosystem(g->base_owners))
        return ecosystem_owner(g->head_owners);
    if (!c->before.object) // a second Ecosystem, which lint refuses, is no way to own the first one's
        return c->after.kind->single ? ecosystem_owner(g->base_owners) : owners_of(g->head_owners, c->after);
    if (is_taken(c) && (strcmp(c->field, "team") == 0 || strcmp(c->field, "offered_to") == 0))
        return owners_of(g->base_owners, c->after);
    return owners_of(g->base_owners, c->before);
}

// Files of the head whose text has errors, by their path: their documents may be missing for no other reason.
static const ds_map *broken_files(const gate *g)
{
    ds_map *broken = map_new(g->arena);
    for (size_t i = 0; i < diags_count(g->diags); i++) {
        const ds_diag *d = diags_at(g->diags, i);
        const char *path = d->pos.file ? files_path(diags_files(g->diags), d->pos.file) : "";
        if (d->severity == DIAG_ERROR && d->rule[0] == 'M' && path[0])
            (void)map_add(broken, path, broken);
    }
    return broken;
}

// A document that can't be read has not been removed; the error that says so refuses the change anyway.
static bool is_unread(const gate *g, const ds_change *c, const ds_map *broken)
{
    return !c->after.object && map_get(broken, files_path(g->base->files, c->old_pos.file));
}

void gate_collect(gate *g)
{
    ds_diff diff = model_diff(g->base_documents, g->head_documents, g->arena);
    g->base_owners = owners_new(g->base, g->arena);
    g->head_owners = owners_new(g->head, g->arena);
    g->changes = ARENA_ARRAY(g->arena, gate_change, diff.n);
    const ds_map *broken = diff.n ? broken_files(g) : NULL;
    for (size_t i = 0; i < diff.n; i++)
        if (!is_unread(g, &diff.v[i], broken))
            g->changes[g->n++] = (gate_change){.what = &diff.v[i], .owner = owner_of(g, &diff.v[i])};
}

// --- findings

static void find(gate *g, const ds_rule *rule, ds_severity severity, const ds_change *about, const char *text)
{
    // Findings name objects without their kind.
    const char *object = about ? strchr(about->object, ' ') + 1 : "", *stood = "";
    if (about && about->pos.file == 0 && about->old_pos.file)
        stood = arena_printf(g->arena, " (%s:%u:%u in the base)", files_path(g->base->files, about->old_pos.file),
                             (unsigned)about->old_pos.line, (unsigned)about->old_pos.column);
    diag_add(g->diags, severity, rule->id, about ? about->pos : NO_POS, object, "%s%s", text, stood);
}

void gate_find(gate *g, change_rule_id rule, const ds_change *about, const char *format, ...)
{
    char text[DS_ERROR_TEXT * 4];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    find(g, &CHANGE_RULES[rule], CHANGE_RULES[rule].severity, about, text);
}

void gate_break(gate *g, change_rule_id rule, gate_change *change, const char *format, ...)
{
    char text[DS_ERROR_TEXT * 4];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    change->breaking = true;
    find(g, &CHANGE_RULES[rule], g->approve_breaking ? DIAG_WARNING : DIAG_ERROR, change->what, text);
    if (g->approve_breaking)
        diag_hint(g->diags, "approved");
    else if (rule == CHANGE_UNSERVED || rule == CHANGE_MOVED_AT_ONCE)
        diag_hint(g->diags,
                  "assign another platform as `provisioning` first, and switch when it has loaded; or have it "
                  "approved: --approve breaking");
    else
        diag_hint(g->diags, "make a new one beside it, or have it approved: --approve breaking");
}
