#include "contract/contract.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"

static void sqlite_target(contract *w)
{
    workdir_file(&w->dir, "contract.db", w->path);
    w->target = (ds_target){.type = "sqlite", .name = "Contract", .path = w->path};
}

static void postgres_target(contract *w)
{
    static char password[] = PG_PASSWORD;
    pg_database_new(pgserver_shared(), &w->postgres);
    w->secret.parts[SECRET_USER] = w->postgres.role;
    w->secret.parts[SECRET_PASSWORD] = password;
    w->target = (ds_target){.type = "postgres",
                            .name = "Contract",
                            .host = w->postgres.host,
                            .port = w->postgres.port,
                            .database = w->postgres.name};
}

static void postgres_release(contract *w)
{
    pg_database_drop(&w->postgres);
}

static const engine ENGINES[] = {
    {.name = "sqlite", .driver = &SQLITE_DRIVER, .target = sqlite_target, .injected_clock = true, .one_writer = true},
    {.name = "postgres", .driver = &POSTGRES_DRIVER, .target = postgres_target, .release = postgres_release},
};

const engine *engine_find(const char *name)
{
    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++)
        if (strcmp(ENGINES[i].name, name) == 0)
            return &ENGINES[i];
    return NULL;
}
