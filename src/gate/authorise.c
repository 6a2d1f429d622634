#include "gate/authorise.h"

#include <strings.h>

#include "gate/changes_int.h"

// Is "PATH@BRANCH", split at the first @, this repository?
static bool is_repository(const char *owner, const char *path, const char *branch)
{
    ds_str rest = str_of(owner), its_path = str_split(&rest, '@');
    return owner[0] && str_eq(its_path, str_of(path)) && str_eq(rest, str_of(branch));
}

static bool is_known(const gate *g, const char *path, const char *branch)
{
    for (size_t i = 0; i < owners_count(g->base_owners); i++)
        if (is_repository(owners_at(g->base_owners, i), path, branch))
            return true;
    return false;
}

static void report_unknown(gate *g, const char *repository)
{
    size_t n = owners_count(g->base_owners);
    const char **known = ARENA_ARRAY(g->arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        known[i] = owners_at(g->base_owners, i);
    gate_find(g, CHANGE_UNKNOWN_REPOSITORY, NULL, "\"%s\" is not the repository of anything in the base", repository);
    const char *nearest = str_nearest(repository, known, n);
    if (nearest)
        diag_hint(g->diags, "did you mean \"%s\"?%s", nearest,
                  strcasecmp(nearest, repository) == 0 ? " Upper and lower case differ" : "");
    else
        diag_hint(g->diags, "its parent declares it first: the Ecosystem a zone or platform service, a zone a team");
}

// `"priority" of Workspace Consumer1 is changed`
static const char *tell(const gate *g, const ds_change *c)
{
    static const char *const DONE[] = {"is added", "is removed", "is changed", "is put into another order"};
    if (!c->field[0])
        return arena_printf(g->arena, "%s %s", c->object, DONE[c->action]);
    return arena_printf(g->arena, "\"%s\" of %s %s", c->field, c->object, DONE[c->action]);
}

// The repository of the team that the change gives its object to; NULL: it gives it to nobody.
static const char *receiver_of(const gate *g, const ds_change *c)
{
    return gate_is_handed_over(c) && strcmp(c->field, "team") == 0
               ? owners_of_team(g->base_owners, document_text(c->after, "team"))
               : NULL;
}

// Who owns an object can't leave it at somebody's door: to take it is the receiver's.
static void report_unwanted(gate *g, gate_change *change, const char *receiver)
{
    const ds_change *c = change->what;
    const char *team = document_text(c->after, "team");
    change->allowed = false;
    change->owner = receiver;
    gate_find(g, CHANGE_NOT_OFFERED, c, "%s is given to team \"%s\", which \"%s\" has not agreed to", c->object, team,
              receiver);
    diag_hint(g->diags, "say offered_to: %s first; then a pull request from %s changes team", team, receiver);
}

static void report_foreign(gate *g, const gate_change *change, const char *repository, bool mixed)
{
    gate_find(g, CHANGE_NOT_OWNED, change->what, "%s: that belongs to \"%s\", not to \"%s\"", tell(g, change->what),
              change->owner, repository);
    const char *receiver = receiver_of(g, change->what);
    if (receiver && strcmp(receiver, repository) == 0)
        diag_hint(g->diags, "%s offers it first: offered_to: %s", change->owner,
                  document_text(change->what->after, "team"));
    else if (mixed)
        diag_hint(g->diags, "one pull request for each repository: this one also changes what is \"%s\"'s", repository);
    else
        diag_hint(g->diags, "open the pull request from %s", change->owner);
}

void gate_authorise(gate *g, const char *path, const char *branch)
{
    const char *repository = arena_printf(g->arena, "%s@%s", path, branch);
    size_t allowed = 0;
    for (size_t i = 0; i < g->n; i++) {
        g->changes[i].allowed = is_repository(g->changes[i].owner, path, branch);
        allowed += g->changes[i].allowed;
    }
    if (!owners_has_ecosystem(g->base_owners)) {
        if (g->n && !allowed && g->changes[0].owner[0]) { // lint reports a head without an Ecosystem
            gate_find(g, CHANGE_FIRST_MODEL, g->changes[0].what,
                      "the first model comes from the Ecosystem's repository \"%s\", not from \"%s\"",
                      g->changes[0].owner, repository);
            diag_hint(g->diags, "until there is an Ecosystem nobody else owns anything");
        }
        return;
    }
    if (!is_known(g, path, branch)) {
        report_unknown(g, repository);
        return;
    }
    for (size_t i = 0; i < g->n; i++) {
        const char *receiver = receiver_of(g, g->changes[i].what);
        if (!g->changes[i].allowed)
            report_foreign(g, &g->changes[i], repository, allowed > 0);
        else if (receiver && strcmp(receiver, repository) != 0)
            report_unwanted(g, &g->changes[i], receiver);
    }
}
