#include "conformance/engines.h"

#include "store/sqlite/sqlite.h"

static const engine_pair ENGINES[] = {
    {.name = "sqlite",
     .driver = &SQLITE_DRIVER,
     .source = "type: sqlite, path: source.db",
     .merge = "type: sqlite, path: merge.db"},
};

const engine_pair *engine_find(const char *name)
{
    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++)
        if (strcmp(ENGINES[i].name, name) == 0)
            return &ENGINES[i];
    return NULL;
}

static ds_db *open_database(const estate *e, const engine_pair *engine, const char *file, const char *name)
{
    ds_container_def container = {
        .name = name, .type = engine->name, .path = file, .host = "", .database = "", .schema = "", .credential = ""};
    ds_db *db = NULL;
    ds_error err;
    if (runtime_open(&e->runtime, &container, (ds_access){.create = true}, &db, &err).code != DS_OK)
        BUG("%s: %s", name, err.text);
    return db;
}

ds_db *engine_open_source(const estate *e, const engine_pair *engine)
{
    return open_database(e, engine, "source.db", "Source");
}

ds_db *engine_open_merge(const estate *e, const engine_pair *engine)
{
    return open_database(e, engine, "merge.db", "Merge");
}
