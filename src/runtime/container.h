// A database as those who open it know it: a container of the model with its Environment applied, and the credential to
// use. Texts are "" where there is nothing to say.
#pragma once
#include "base/arena.h"
#include "secret/secret.h"

typedef struct ds_container_def {
    const char *name, *type, *path, *host, *database, *schema, *credential;
    int port;
    const char *tls_mode, *tls_ca, *tls_cert, *tls_key; // NULL: not given; files
    const ds_secret *login;                             // instead of a credential's; NULL: none. Never stored
} ds_container_def;

// With texts of its own in arena; the login is borrowed still.
ds_container_def container_dup(ds_arena *arena, const ds_container_def *container);
// Are they the same database, reached in the same way? A login doesn't count.
bool container_same(const ds_container_def *a, const ds_container_def *b);
