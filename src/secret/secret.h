// A credential `name` is DATASURFACE_<NAME>_USER|_PASSWORD|_TOKEN|_KEY|_SECRET in the environment (upper case, other
// characters '_'), then files <dir>/<name>/USER ..., then absent. A directory in the place of a part, or a file that
// can't be read, is an error that names the path and never the content.
#pragma once
#include "base/error.h"

typedef enum ds_secret_part { SECRET_USER, SECRET_PASSWORD, SECRET_TOKEN, SECRET_KEY, SECRET_SECRET } ds_secret_part;
enum { SECRET_PARTS = 5, SECRET_MAX = 64 * 1024 };

typedef struct ds_secret {
    char *parts[SECRET_PARTS]; // NULL: absent
} ds_secret;

// dir may be NULL. One trailing newline of a file is dropped.
ds_rc secret_find(const char *dir, const char *credential, ds_secret *out, ds_error *err);
void secret_release(ds_secret *secret); // wipes
// The environment's prefix of a credential, "DATASURFACE_CUSTOMER_DB": names that collapse into one are a lint error.
void secret_env_name(const char *credential, char *out, size_t out_size);
