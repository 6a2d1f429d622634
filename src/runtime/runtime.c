#include "runtime/runtime.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/flag.h"

enum { BUSY_TIMEOUT_MS = 5000 };

static bool is_set(const char *text)
{
    return text && *text;
}

// Files of a container are relative to the model's directory; "" when none.
static void file_path(const ds_runtime *runtime, const char *path, ds_buf *out)
{
    if (is_set(path))
        file_join(out, is_set(runtime->base_dir) ? runtime->base_dir : ".", path);
}

// Who is refused and gave no password has most likely not said it, or has misspelt where it is.
static ds_rc explain_login(const ds_container_def *container, const ds_secret *secret, ds_rc rc, ds_error *err)
{
    static const char REFUSED[] = "28"; // SQLSTATE class: invalid authorization specification
    if (rc.code != DS_ENV || strncmp(err->state, REFUSED, sizeof REFUSED - 1) != 0 || secret->parts[SECRET_PASSWORD])
        return rc;
    if (!is_set(container->credential))
        return ds_hint(rc, err, "the model names no credential for container %s", container->name);
    char name[FILE_PATH_MAX];
    secret_env_name(container->credential, name, sizeof name);
    return ds_hint(rc, err, "credential %s has no password here: set %s_USER and %s_PASSWORD, or --secrets DIR",
                   container->credential, name, name);
}

ds_rc runtime_open(const ds_runtime *runtime, const ds_container_def *container, ds_access access, ds_db **out,
                   ds_error *err)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    CLEANUP(buf_release) ds_buf ca = BUF_INIT(FILE_PATH_MAX);
    CLEANUP(buf_release) ds_buf cert = BUF_INIT(FILE_PATH_MAX);
    CLEANUP(buf_release) ds_buf key = BUF_INIT(FILE_PATH_MAX);
    file_path(runtime, container->path, &path);
    file_path(runtime, container->tls_ca, &ca);
    file_path(runtime, container->tls_cert, &cert);
    file_path(runtime, container->tls_key, &key);
    if (!buf_ok(&path) || !buf_ok(&ca) || !buf_ok(&cert) || !buf_ok(&key))
        return ds_fail(err, DS_ENV, "a path of container \"%s\" is too long", container->name);
    CLEANUP(secret_release) ds_secret secret = {0};
    if (is_set(container->credential))
        TRY(secret_find(runtime->secrets_dir, container->credential, &secret, err));
    ds_target target = {
        .type = container->type,
        .name = container->name,
        .path = buf_text(&path),
        .host = container->host,
        .database = container->database,
        .schema = container->schema,
        .port = container->port,
        .tls_mode = container->tls_mode,
        .tls_ca = buf_text(&ca),
        .tls_cert = buf_text(&cert),
        .tls_key = buf_text(&key),
    };
    ds_open_options options = {
        .read_only = access.read_only,
        .create = access.create,
        .later = access.later,
        .wait_closed = runtime->wait_closed,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
        .purpose = runtime->purpose,
        .cancelled = runtime->cancelled,
        .clock = runtime->clock,
        .secret = container->login ? container->login : &secret,
    };
    ds_rc rc = keeper_open(runtime->keeper, runtime->store, &target, &options, out, err);
    return container->login ? rc : explain_login(container, &secret, rc, err);
}

bool runtime_absent(const ds_runtime *runtime, const ds_container_def *container)
{
    if (!is_set(container->path))
        return false;
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    file_path(runtime, container->path, &path);
    struct stat st;
    return stat(buf_text(&path), &st) != 0 && errno == ENOENT;
}

bool runtime_cancelled(const ds_runtime *runtime)
{
    return flag_is_set(runtime->cancelled);
}

void runtime_checkpoint(const ds_runtime *runtime, const char *point)
{
    if (runtime->checkpoint)
        runtime->checkpoint(runtime->checkpoint_context, point);
}
