// Credentials are found by a name in the environment: two names that become the same one are a mix-up of secrets.
#include "gate/lint_int.h"
#include "secret/secret.h"

typedef struct credential_use {
    ds_text name;
    const char *object;
} credential_use;

static void check_name(lint *l, ds_map *taken, ds_text name, const char *object)
{
    char variable[512];
    if (!name.s)
        return;
    secret_env_name(name.s, variable, sizeof variable);
    credential_use *this = ARENA_NEW(l->arena, credential_use);
    *this = (credential_use){name, object};
    const credential_use *first = map_add(taken, arena_strdup(l->arena, variable), this);
    if (!first || strcmp(first->name.s, name.s) == 0)
        return;
    lint_add(l, LINT_CREDENTIAL_NAMES, name.pos, lint_text(object),
             "credentials \"%s\" and \"%s\" are looked up under one name, %s", first->name.s, name.s, variable);
    lint_hint_at(l, "the other one is", first->name.pos);
}

void lint_credentials(lint *l)
{
    const ds_model *m = l->model;
    ds_map *taken = map_new(l->arena);
    for (size_t i = 0; i < m->datastores.n; i++)
        check_name(l, taken, m->datastores.v[i]->capture.credential, m->datastores.v[i]->name.s);
    for (size_t i = 0; i < m->workspaces.n; i++)
        check_name(l, taken, m->workspaces.v[i]->credential, m->workspaces.v[i]->name.s);
    for (size_t i = 0; i < m->services.n; i++)
        check_name(l, taken, m->services.v[i]->merge_credential, m->services.v[i]->name.s);
}
