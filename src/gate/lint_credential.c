// Credentials are found by a name in the environment: two names that become the same one are a mix-up of secrets.
#include "gate/lint_int.h"
#include "secret/secret.h"

// Of several names the first one in alphabetical order keeps the variable, whatever the order of files.
static void take(lint *l, ds_map *keepers, const ds_text *name, const char *variable)
{
    const ds_text *keeper = map_get(keepers, variable);
    if (!keeper || strcmp(name->s, keeper->s) < 0)
        map_set(keepers, keeper ? variable : arena_strdup(l->arena, variable), (void *)(uintptr_t)name);
}

static void report(lint *l, const ds_map *keepers, const ds_text *name, const char *variable, const char *object)
{
    const ds_text *keeper = map_get(keepers, variable);
    if (strcmp(name->s, keeper->s) == 0)
        return;
    lint_add(l, LINT_CREDENTIAL_NAMES, name->pos, lint_text(object),
             "credentials \"%s\" and \"%s\" are looked up under one name, %s", keeper->s, name->s, variable);
    lint_hint_at(l, "the other one is", keeper->pos);
}

static void visit(lint *l, ds_map *keepers, const ds_text *name, const char *object, bool reporting)
{
    char variable[512];
    if (!name->s)
        return;
    secret_env_name(name->s, variable, sizeof variable);
    if (reporting)
        report(l, keepers, name, variable, object);
    else
        take(l, keepers, name, variable);
}

void lint_credentials(lint *l)
{
    const ds_model *m = l->whole;
    ds_map *keepers = map_new(l->arena);
    for (int reporting = 0; reporting <= 1; reporting++) {
        for (size_t i = 0; i < m->datastores.n; i++)
            visit(l, keepers, &m->datastores.v[i]->capture.credential, m->datastores.v[i]->name.s, reporting);
        for (size_t i = 0; i < m->workspaces.n; i++)
            visit(l, keepers, &m->workspaces.v[i]->credential, m->workspaces.v[i]->name.s, reporting);
        for (size_t i = 0; i < m->services.n; i++)
            visit(l, keepers, &m->services.v[i]->merge_credential, m->services.v[i]->name.s, reporting);
    }
}
