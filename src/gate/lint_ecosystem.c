// The ecosystem itself, and who belongs to it: zones, teams, platform services.
#include "gate/lint_int.h"

static void check_one(lint *l)
{
    size_t n = l->model->ecosystems.n;
    if (n == 0) {
        lint_add(l, LINT_NO_ECOSYSTEM, NO_POS, "", "the model has no Ecosystem");
        diag_hint(l->diags, "datasurface init DIR writes a model to start from");
    }
    for (size_t i = 1; i < n; i++) {
        const ds_ecosystem *e = l->model->ecosystems.v[i];
        lint_add(l, LINT_TWO_ECOSYSTEMS, e->pos, lint_text(e->name.s), "a second Ecosystem: \"%s\"",
                 lint_text(e->name.s));
        lint_hint_at(l, "the first one is", l->model->ecosystems.v[0]->pos);
    }
}

static void check_live(lint *l, const ds_ecosystem *e)
{
    if (!e->live.s || !e->repository.s || strcmp(e->live.s, e->repository.s) != 0)
        return;
    lint_add(l, LINT_LIVE_IS_OWNER, e->live.pos, lint_text(e->name.s), "live \"%s\" is the repository, too", e->live.s);
    diag_hint(l->diags, "changes are made on one branch and followed on another");
}

static void check_declared(lint *l, const ds_map *declared, ds_text name, const char *what)
{
    if (!name.s || map_get(declared, name.s) || l->model->ecosystems.n == 0)
        return;
    lint_add(l, LINT_NOT_DECLARED, name.pos, name.s, "%s \"%s\" is not declared by the Ecosystem", what, name.s);
    lint_did_you_mean(l, declared, name.s);
}

static void check_defined(lint *l, const ds_declaration *declared, const ds_map *defined, const char *what)
{
    if (!declared->name.s || map_get(defined, declared->name.s))
        return;
    lint_add(l, LINT_EMPTY_DECLARATION, declared->name.pos, declared->name.s, "%s \"%s\" has no document yet", what,
             declared->name.s);
    if (declared->repository.s)
        diag_hint(l->diags, "%s defines it", declared->repository.s);
}

void lint_ecosystem(lint *l)
{
    const ds_model *m = l->model;
    check_one(l);
    for (size_t i = 0; i < m->ecosystems.n; i++) {
        const ds_ecosystem *e = m->ecosystems.v[i];
        check_live(l, e);
        for (size_t k = 0; k < e->zones.n; k++)
            check_defined(l, &e->zones.v[k], m->zone_by_name, "zone");
        for (size_t k = 0; k < e->platform_services.n; k++)
            check_defined(l, &e->platform_services.v[k], m->service_by_name, "platform service");
    }
    for (size_t i = 0; i < m->zones.n; i++)
        check_declared(l, l->zones, m->zones.v[i]->name, "zone");
    for (size_t i = 0; i < m->services.n; i++)
        check_declared(l, l->services, m->services.v[i]->name, "platform service");
}

// --- teams

static void check_team(lint *l, ds_text team, const char *object, ds_map *used)
{
    if (!team.s)
        return;
    (void)map_add(used, team.s, used);
    if (map_get(l->teams, team.s))
        return;
    const char *zone = lint_zone_of(l, team);
    if (!map_get(l->model->zone_by_name, zone)) {
        lint_add(l, LINT_UNKNOWN_TEAM, team.pos, object, "no zone \"%s\" in the model", zone);
        lint_did_you_mean(l, l->model->zone_by_name, zone);
        return;
    }
    lint_add(l, LINT_UNKNOWN_TEAM, team.pos, object, "zone \"%s\" declares no team \"%s\"", zone,
             team.s + strlen(zone) + (team.s[strlen(zone)] == '/'));
    lint_did_you_mean(l, l->teams, team.s);
}

static void check_idle_teams(lint *l, const ds_map *used)
{
    for (size_t i = 0; i < map_count(l->teams); i++) {
        const char *path = map_key(l->teams, i);
        const ds_declaration *team = map_value(l->teams, i);
        if (map_get(used, path) || !team->name.s)
            continue;
        lint_add(l, LINT_EMPTY_DECLARATION, team->name.pos, path, "team \"%s\" has nothing in the model yet", path);
        if (team->repository.s)
            diag_hint(l->diags, "%s defines its objects", team->repository.s);
    }
}

// The team that an object has, and the one that may take it.
static void check_teams_of(lint *l, ds_text team, ds_text offered_to, ds_text name, ds_map *used)
{
    check_team(l, team, lint_text(name.s), used);
    check_team(l, offered_to, lint_text(name.s), used);
}

void lint_teams(lint *l)
{
    const ds_model *m = l->whole;
    ds_map *used = map_new(l->arena);
    for (size_t i = 0; i < m->containers.n; i++)
        check_teams_of(l, m->containers.v[i]->team, m->containers.v[i]->offered_to, m->containers.v[i]->name, used);
    for (size_t i = 0; i < m->datastores.n; i++)
        if (!m->datastores.v[i]->producer)
            check_teams_of(l, m->datastores.v[i]->team, m->datastores.v[i]->offered_to, m->datastores.v[i]->name, used);
    for (size_t i = 0; i < m->workspaces.n; i++)
        check_teams_of(l, m->workspaces.v[i]->team, m->workspaces.v[i]->offered_to, m->workspaces.v[i]->name, used);
    check_idle_teams(l, used);
}
