#include "support/pair.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"

static const struct {
    const char *name;
    const ds_driver *source, *merge;
} PAIRS[] = {
    {"sqlite", &SQLITE_DRIVER, &SQLITE_DRIVER},
    {"postgres", &POSTGRES_DRIVER, &POSTGRES_DRIVER},
    {"sqlite-postgres", &SQLITE_DRIVER, &POSTGRES_DRIVER},
    {"postgres-sqlite", &POSTGRES_DRIVER, &SQLITE_DRIVER},
};

static bool is_postgres(const test_pair *pair, int side)
{
    return strcmp(pair->drivers[side]->name, "postgres") == 0;
}

bool pair_open(test_pair *pair, const char *name)
{
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        if (strcmp(PAIRS[i].name, name) != 0)
            continue;
        *pair = (test_pair){.name = PAIRS[i].name, .drivers = {PAIRS[i].source, PAIRS[i].merge}};
        if (is_postgres(pair, PAIR_SOURCE) || is_postgres(pair, PAIR_MERGE))
            pg_database_new(pgserver_shared(), &pair->postgres);
        return true;
    }
    return false;
}

// As superuser, outside of the pair's own database.
__attribute__((format(printf, 2, 3))) static void run_beside(const test_pair *pair, const char *format, ...)
{
    pg_database beside = pair->postgres;
    snprintf(beside.name, sizeof beside.name, "postgres");
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ds_assert(n > 0 && (size_t)n < sizeof text);
    pg_exec_super(&beside, text);
}

void pair_close(test_pair *pair)
{
    if (pair->saved)
        run_beside(pair, "DROP DATABASE %s_saved", pair->postgres.name);
    pg_database_drop(&pair->postgres);
}

// A copy of a database that somebody is connected to is refused: those of killed jobs may take a moment to go.
void pair_save(test_pair *pair)
{
    const char *name = pair->postgres.name;
    if (!name[0])
        return;
    if (pair->saved)
        run_beside(pair, "DROP DATABASE %s_saved", name);
    run_beside(pair, "ALTER DATABASE %s RENAME TO %s_saved", name, name);
    pair->saved = true;
    pair_restore(pair);
}

void pair_restore(const test_pair *pair)
{
    const char *name = pair->postgres.name;
    if (!name[0])
        return;
    run_beside(pair, "DROP DATABASE IF EXISTS %s WITH (FORCE)", name);
    run_beside(pair, "CREATE DATABASE %s OWNER %s TEMPLATE %s_saved STRATEGY wal_log", name, pair->postgres.role, name);
}

// Schemas that the role has made, and what is in the one that every database has.
void pair_clear(const test_pair *pair)
{
    if (!pair->postgres.name[0])
        return;
    pg_exec_text(&pair->postgres,
                 "DO $$ DECLARE s name; BEGIN"
                 " FOR s IN SELECT nspname FROM pg_namespace WHERE nspowner = current_user::regrole LOOP"
                 "  EXECUTE format('DROP SCHEMA %I CASCADE', s);"
                 " END LOOP;"
                 " FOR s IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                 "   AND relkind IN ('r', 'p') AND NOT relispartition LOOP"
                 "  EXECUTE format('DROP TABLE public.%I CASCADE', s);"
                 " END LOOP;"
                 " FOR s IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                 "   AND relkind = 'v' LOOP"
                 "  EXECUTE format('DROP VIEW public.%I CASCADE', s);"
                 " END LOOP;"
                 "END $$");
}

ds_container_def pair_container(const test_pair *pair, int side)
{
    ds_container_def out = {.name = side == PAIR_SOURCE ? "Source" : "Merge",
                            .type = pair->drivers[side]->name,
                            .path = side == PAIR_SOURCE ? "source.db" : "merge.db",
                            .host = "",
                            .database = "",
                            .schema = "",
                            .credential = ""};
    if (!is_postgres(pair, side))
        return out;
    out.path = "";
    out.host = pair->postgres.host;
    out.port = pair->postgres.port;
    out.database = pair->postgres.name;
    out.credential = PAIR_CREDENTIAL;
    return out;
}

const char *pair_container_yaml(const test_pair *pair, int side, ds_arena *arena)
{
    ds_container_def c = pair_container(pair, side);
    if (!is_postgres(pair, side))
        return arena_printf(arena, "type: %s, path: %s", c.type, c.path);
    return arena_printf(arena, "type: %s, host: %s, port: %d, database: %s", c.type, c.host, c.port, c.database);
}

static void write_part(const char *dir, const char *part, const char *text)
{
    char path[400];
    snprintf(path, sizeof path, "%s/" PAIR_CREDENTIAL "/%s", dir, part);
    FILE *out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        BUG("can't write %s", path);
}

void pair_write_secrets(const test_pair *pair, const char *dir)
{
    if (!pair->postgres.name[0])
        return;
    char path[400];
    snprintf(path, sizeof path, "%s/" PAIR_CREDENTIAL, dir);
    if (mkdir(path, 0700) != 0)
        BUG("can't make %s", path);
    write_part(dir, "USER", pair->postgres.role);
    write_part(dir, "PASSWORD", PG_PASSWORD);
}

const char *pair_schema(const test_pair *pair, int side)
{
    return pair->drivers[side]->dialect->names.has_schemas ? "public" : "";
}
