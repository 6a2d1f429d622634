// Words of the standard and ours.
#include "gate/odcs_int.h"

// clang-format off
static const odcs_server SERVERS[] = {
    {"postgres", "postgres", {{"host", "host", NULL}, {"port", "port", "5432"}, {"database", "database", NULL},
                              {"schema", "schema", "public"}}},
    {"mariadb", "mysql", {{"host", "host", NULL}, {"port", "port", "3306"}, {"database", "database", NULL}}},
    {"sqlserver", "sqlserver", {{"host", "host", NULL}, {"port", "port", NULL}, {"database", "database", NULL},
                                {"schema", "schema", "dbo"}}},
    {"oracle", "oracle", {{"host", "host", NULL}, {"port", "port", "1521"}, {"database", "serviceName", NULL}}},
    {"db2", "db2", {{"host", "host", NULL}, {"port", "port", "50000"}, {"database", "database", NULL},
                    {"schema", "schema", NULL}}},
    {"snowflake", "snowflake", {{"host", "account", NULL}, {"database", "database", NULL},
                                {"schema", "schema", "PUBLIC"}}},
    {"kafka", "kafka", {{"host", "host", NULL}}},
    {"postgres", "postgresql", {{"host", "host", NULL}, {"port", "port", "5432"}, {"database", "database", NULL},
                                {"schema", "schema", "public"}}},
    // every other type; ours stands in customProperties
    {NULL, "custom", {{"path", "path", NULL}, {"host", "host", NULL}, {"port", "port", NULL},
                      {"database", "database", NULL}}},
};
// clang-format on
enum { SERVER_COUNT = sizeof SERVERS / sizeof SERVERS[0] };

const odcs_server *odcs_server_of(const char *container_type)
{
    for (size_t i = 0; i < SERVER_COUNT - 1; i++)
        if (strcmp(SERVERS[i].ours, container_type) == 0)
            return &SERVERS[i];
    return &SERVERS[SERVER_COUNT - 1];
}

const odcs_server *odcs_server_from(const char *server_type)
{
    for (size_t i = 0; i < SERVER_COUNT; i++)
        if (strcmp(SERVERS[i].theirs, server_type) == 0)
            return &SERVERS[i];
    return NULL;
}

const char *odcs_logical_type(ds_type_kind kind)
{
    static const char *const TYPES[TYPE_KIND_COUNT] = {
        [TYPE_TINYINT] = "integer",  [TYPE_SMALLINT] = "integer",    [TYPE_INTEGER] = "integer",
        [TYPE_BIGINT] = "integer",   [TYPE_UTINYINT] = "integer",    [TYPE_USMALLINT] = "integer",
        [TYPE_UINTEGER] = "integer", [TYPE_UBIGINT] = "integer",     [TYPE_REAL] = "number",
        [TYPE_DOUBLE] = "number",    [TYPE_DECIMAL] = "number",      [TYPE_MLFLOAT] = "number",
        [TYPE_BOOLEAN] = "boolean",  [TYPE_DATE] = "date",           [TYPE_TIME] = "time",
        [TYPE_TIMETZ] = "time",      [TYPE_TIMESTAMP] = "timestamp", [TYPE_TIMESTAMPTZ] = "timestamp",
        [TYPE_JSON] = "object",      [TYPE_MAP] = "object",          [TYPE_STRUCT] = "object",
        [TYPE_ARRAY] = "array",      [TYPE_VECTOR] = "array",
    };
    return TYPES[kind] ? TYPES[kind] : "string";
}

const char *odcs_type_from(ds_arena *arena, const char *logical, int64_t size)
{
    static const struct {
        const char *logical, *type;
    } TYPES[] = {
        {"string", "text"},     {"integer", "bigint"}, {"number", "double"},
        {"boolean", "boolean"}, {"date", "date"},      {"timestamp", "timestamp"},
        {"time", "time"},       {"object", "json"},    {"array", "json"},
    };
    if (size > 0 && strcmp(logical, "string") == 0)
        return arena_printf(arena, "varchar(%lld)", (long long)size);
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (strcmp(TYPES[i].logical, logical) == 0)
            return TYPES[i].type;
    return NULL;
}

const char *const ODCS_STORE_FIELDS[] = {"production", "deprecated", "consumers", "capture", NULL};
const char *const ODCS_DATASET_FIELDS[] = {"classification", "deprecated", "source", "key", NULL};
const char *const ODCS_CONTAINER_FIELDS[] = {"team", "type",     "locations", "limits", "path", "host",
                                             "port", "database", "schema",    "tls",    NULL};
