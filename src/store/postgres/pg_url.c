// Connection URLs, by libpq's own parser, so that a URL that psql takes means the same here.
#include <stdlib.h>
#include <string.h>

#include "store/postgres/pg_int.h"

// Where a part of the URL goes.
typedef enum url_place {
    URL_HOST,
    URL_PORT,
    URL_DATABASE,
    URL_USER,
    URL_PASSWORD,
    URL_TLS_MODE,
    URL_TLS_CA,
    URL_TLS_CERT,
    URL_TLS_KEY,
    URL_OURS, // nothing of the database's place, and our own choice
} url_place;

static const struct {
    const char *keyword;
    url_place place;
} KEYWORDS[] = {
    {"host", URL_HOST},
    {"port", URL_PORT},
    {"dbname", URL_DATABASE},
    {"user", URL_USER},
    {"password", URL_PASSWORD},
    {"sslmode", URL_TLS_MODE},
    {"sslrootcert", URL_TLS_CA},
    {"sslcert", URL_TLS_CERT},
    {"sslkey", URL_TLS_KEY},
    {"application_name", URL_OURS},
    {"fallback_application_name", URL_OURS},
    {"client_encoding", URL_OURS},
    {"connect_timeout", URL_OURS},
    {"keepalives", URL_OURS},
    {"keepalives_idle", URL_OURS},
    {"keepalives_interval", URL_OURS},
    {"keepalives_count", URL_OURS},
    {"tcp_user_timeout", URL_OURS},
};

static ds_rc refuse_url(ds_error *err)
{
    return ds_hint(ds_fail(err, DS_USAGE, "the PostgreSQL URL can't be read"), err,
                   "postgres://[user[:password]@]host[:port]/database[?sslmode=require]; %%XX for characters that "
                   "have a meaning, [] around an IPv6 address");
}

static ds_rc take_port(const char *value, ds_target *target, ds_error *err)
{
    enum { PORT_MAX = 65535 };
    int64_t port;
    if (!str_int64(str_of(value), &port) || port < 1 || port > PORT_MAX)
        return ds_fail(err, DS_USAGE, "the port of the PostgreSQL URL is no number from 1 to %d", PORT_MAX);
    target->port = (int)port;
    return DS_DONE;
}

static ds_rc take_host(ds_arena *arena, const char *value, ds_target *target, ds_error *err)
{
    if (strchr(value, ','))
        return ds_hint(ds_fail(err, DS_USAGE, "the PostgreSQL URL names several hosts"), err, "a model names one");
    target->host = arena_strdup(arena, value);
    return DS_DONE;
}

static ds_rc take_tls_mode(ds_arena *arena, const char *value, ds_target *target, ds_error *err)
{
    static const char *const MODES[] = {"disable", "prefer", "require", "verify-ca", "verify-full"};
    for (size_t i = 0; i < sizeof MODES / sizeof MODES[0]; i++)
        if (strcmp(value, MODES[i]) == 0) {
            target->tls_mode = arena_strdup(arena, value);
            return DS_DONE;
        }
    return ds_hint(ds_fail(err, DS_USAGE, "the PostgreSQL URL has an sslmode that a model doesn't know"), err,
                   "disable, prefer, require, verify-ca or verify-full");
}

static char *secret_copy(const char *value)
{
    char *copy = strdup(value);
    if (!copy)
        BUG("out of memory: a secret");
    return copy;
}

static ds_rc take_part(ds_arena *arena, url_place place, const char *value, ds_target *target, ds_secret *secret,
                       ds_error *err)
{
    switch (place) {
    case URL_HOST:
        return take_host(arena, value, target, err);
    case URL_PORT:
        return take_port(value, target, err);
    case URL_DATABASE:
        target->database = arena_strdup(arena, value);
        return DS_DONE;
    case URL_USER:
        secret->parts[SECRET_USER] = secret_copy(value);
        return DS_DONE;
    case URL_PASSWORD:
        secret->parts[SECRET_PASSWORD] = secret_copy(value);
        return DS_DONE;
    case URL_TLS_MODE:
        return take_tls_mode(arena, value, target, err);
    case URL_TLS_CA:
        target->tls_ca = arena_strdup(arena, value);
        return DS_DONE;
    case URL_TLS_CERT:
        target->tls_cert = arena_strdup(arena, value);
        return DS_DONE;
    case URL_TLS_KEY:
        target->tls_key = arena_strdup(arena, value);
        return DS_DONE;
    case URL_OURS:
        return DS_DONE;
    }
    BUG("unknown part of a URL");
}

// The keyword is one of libpq's own, and no text of the user's.
static ds_rc take_option(ds_arena *arena, const PQconninfoOption *option, ds_target *target, ds_secret *secret,
                         ds_error *err)
{
    if (!option->val || !option->val[0])
        return DS_DONE;
    for (size_t i = 0; i < sizeof KEYWORDS / sizeof KEYWORDS[0]; i++)
        if (strcmp(KEYWORDS[i].keyword, option->keyword) == 0)
            return take_part(arena, KEYWORDS[i].place, option->val, target, secret, err);
    return ds_hint(ds_fail(err, DS_USAGE, "the PostgreSQL URL says %s, which a model has no place for",
                           option->keyword),
                   err, "leave it out, or set it in the environment where the program runs");
}

static void wipe_options(PQconninfoOption *options)
{
    for (PQconninfoOption *option = options; option && option->keyword; option++)
        if (option->val)
            explicit_bzero(option->val, strlen(option->val));
    PQconninfoFree(options);
}

ds_rc postgres_url_parse(ds_arena *arena, const char *url, ds_target *target, ds_secret *secret, ds_error *err)
{
    TRY(pg_library_load(err));
    bool is_url = str_starts(str_of(url), STR("postgres://")) || str_starts(str_of(url), STR("postgresql://"));
    char *message = NULL; // quotes the URL
    PQconninfoOption *options = is_url ? PQconninfoParse(url, &message) : NULL;
    if (message)
        explicit_bzero(message, strlen(message));
    PQfreemem(message);
    if (!options)
        return refuse_url(err);
    ds_target found = {.type = "postgres"};
    ds_secret parts = {0};
    ds_rc rc = DS_DONE;
    for (const PQconninfoOption *option = options; option->keyword && rc.code == DS_OK; option++)
        rc = take_option(arena, option, &found, &parts, err);
    wipe_options(options);
    if (rc.code != DS_OK) {
        secret_release(&parts);
        return rc;
    }
    *target = found;
    *secret = parts;
    return DS_DONE;
}

void postgres_url_hide(char *url)
{
    for (char *p = strchr(url, ':'); p && *p; p++)
        if (*p != ':' && *p != '/')
            *p = '*';
}

static bool is_set(const char *text)
{
    return text && text[0];
}

void postgres_where(const ds_db *base, ds_arena *arena, ds_target *target)
{
    const ds_pg *db = (const ds_pg *)base;
    ds_assert(base->driver == &POSTGRES_DRIVER);
    enum { USUAL_PORT = 5432 };
    int64_t port = 0;
    if (!is_set(target->host))
        target->host = arena_strdup(arena, PQhost(db->conn));
    if (!is_set(target->database))
        target->database = arena_strdup(arena, PQdb(db->conn));
    if (!target->port && str_int64(str_of(PQport(db->conn)), &port) && port != USUAL_PORT)
        target->port = (int)port;
}
