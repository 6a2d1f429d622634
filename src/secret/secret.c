#include "secret/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static const char *const PARTS[SECRET_PARTS] = {
    [SECRET_USER] = "USER", [SECRET_PASSWORD] = "PASSWORD", [SECRET_TOKEN] = "TOKEN",
    [SECRET_KEY] = "KEY",   [SECRET_SECRET] = "SECRET",
};

enum { CREDENTIAL_MAX = 256, ENV_NAME_MAX = CREDENTIAL_MAX + 32 };

void secret_env_name(const char *credential, char *out, size_t out_size)
{
    static const char PREFIX[] = "DATASURFACE_";
    size_t at = sizeof PREFIX - 1, n = strlen(credential);
    ds_assert(at + n < out_size);
    memcpy(out, PREFIX, at);
    for (size_t i = 0; i < n; i++) {
        char c = credential[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        out[at++] = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
    }
    out[at] = '\0';
}

static char *from_environment(const char *credential, ds_secret_part part)
{
    char prefix[ENV_NAME_MAX], name[ENV_NAME_MAX + 16];
    secret_env_name(credential, prefix, sizeof prefix);
    snprintf(name, sizeof name, "%s_%s", prefix, PARTS[part]);
    const char *value = getenv(name);
    if (!value)
        return NULL;
    char *copy = strdup(value);
    if (!copy)
        BUG("out of memory: a secret");
    return copy;
}

static void fd_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

// A buffer of SECRET_MAX + 2 bytes that is wiped.
static void wipep(char **buffer)
{
    explicit_bzero(*buffer, SECRET_MAX + 2);
    free(*buffer);
}

// Reads by hand, so that the secret passes through no memory that stays.
static ds_rc read_whole(int fd, const char *path, char *buffer, size_t *n, ds_error *err)
{
    for (*n = 0; *n <= SECRET_MAX;) {
        ssize_t got = read(fd, buffer + *n, SECRET_MAX + 1 - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EISDIR)
            return ds_fail(err, DS_ENV, "%s is a directory, not a file", path);
        if (got < 0)
            return ds_fail_errno(err, errno, "can't read", path);
        if (got == 0)
            return DS_DONE;
        *n += (size_t)got;
    }
    return ds_fail(err, DS_ENV, "%s is larger than the limit of %d bytes", path, SECRET_MAX);
}

// *out stays NULL when there is no such file.
static ds_rc from_file(const char *path, char **out, ds_error *err)
{
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return DS_DONE;
    if (fd < 0)
        return ds_fail_errno(err, errno, "can't open", path);
    CLEANUP(wipep) char *buffer = malloc(SECRET_MAX + 2);
    size_t n;
    if (!buffer)
        BUG("out of memory: a secret");
    TRY(read_whole(fd, path, buffer, &n, err));
    if (n > 0 && buffer[n - 1] == '\n')
        n--;
    if (memchr(buffer, '\0', n))
        return ds_fail(err, DS_ENV, "%s contains a NUL byte", path);
    *out = strndup(buffer, n);
    if (!*out)
        BUG("out of memory: a secret");
    return DS_DONE;
}

static ds_rc find_part(const char *dir, const char *credential, ds_secret_part part, char **out, ds_error *err)
{
    *out = from_environment(credential, part);
    if (*out || !dir)
        return DS_DONE;
    char path[FILE_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s/%s", dir, credential, PARTS[part]);
    if (n >= (int)sizeof path)
        return ds_fail(err, DS_USAGE, "the path of credential \"%s\" is too long", credential);
    return from_file(path, out, err);
}

// A credential is the name of a directory: it must not lead anywhere else.
static ds_rc check_name(const char *credential, ds_error *err)
{
    size_t n = strlen(credential);
    if (n == 0 || n > CREDENTIAL_MAX || credential[0] == '.' || strchr(credential, '/'))
        return ds_fail(err, DS_USAGE, "\"%.*s\" is not the name of a credential", CREDENTIAL_MAX, credential);
    return DS_DONE;
}

ds_rc secret_find(const char *dir, const char *credential, ds_secret *out, ds_error *err)
{
    TRY(check_name(credential, err));
    ds_secret found = {0};
    for (int part = 0; part < SECRET_PARTS; part++) {
        ds_rc rc = find_part(dir, credential, (ds_secret_part)part, &found.parts[part], err);
        if (rc.code != DS_OK) {
            secret_release(&found);
            return ds_context(rc, err, "credential \"%s\"", credential);
        }
    }
    *out = found;
    return DS_DONE;
}

void secret_release(ds_secret *secret)
{
    for (int part = 0; part < SECRET_PARTS; part++) {
        if (secret->parts[part])
            explicit_bzero(secret->parts[part], strlen(secret->parts[part]));
        free(secret->parts[part]);
        secret->parts[part] = NULL;
    }
}
