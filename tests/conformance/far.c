#include "conformance/far.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_file(const test_pair *far)
{
    return strcmp(far->drivers[PAIR_MERGE]->name, "sqlite") == 0;
}

__attribute__((format(printf, 2, 3))) static void run_beside(const test_pair *far, const char *format, ...)
{
    pg_database beside = far->postgres;
    snprintf(beside.name, sizeof beside.name, "postgres");
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pg_exec_super(&beside, text);
}

void far_open(test_pair *far, const test_pair *pair)
{
    *far = *pair;
    far->drivers[PAIR_MERGE] = pair->drivers[PAIR_SOURCE];
    if (is_file(far)) {
        far->postgres = (pg_database){0};
        return;
    }
    snprintf(far->postgres.name, sizeof far->postgres.name, "far_%.50s", pair->postgres.role);
    run_beside(far, "CREATE DATABASE %s OWNER %s TEMPLATE template0 STRATEGY wal_log", far->postgres.name,
               far->postgres.role);
}

void far_close(test_pair *far)
{
    if (far->postgres.name[0])
        run_beside(far, "DROP DATABASE %s WITH (FORCE)", far->postgres.name);
}

const char *far_container_yaml(const test_pair *far, ds_arena *arena)
{
    return is_file(far) ? "type: sqlite, path: far.db" : pair_container_yaml(far, PAIR_MERGE, arena);
}

const char *far_credential_yaml(const test_pair *far)
{
    return is_file(far) ? "" : "credential: " PAIR_CREDENTIAL;
}
