#include "contract/contract.h"
#include "store/sqlite/sqlite.h"

static void sqlite_target(contract *w)
{
    workdir_file(&w->dir, "contract.db", w->path);
    w->target = (ds_target){.type = "sqlite", .name = "Contract", .path = w->path};
}

static const engine ENGINES[] = {
    {.name = "sqlite", .driver = &SQLITE_DRIVER, .target = sqlite_target, .injected_clock = true, .one_writer = true},
};

const engine *engine_find(const char *name)
{
    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++)
        if (strcmp(ENGINES[i].name, name) == 0)
            return &ENGINES[i];
    return NULL;
}
