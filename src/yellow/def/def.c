// Definitions to JSON and back, by tables of fields. A new field: one row below, and the test compares a round trip.
#include "yellow/def/def_json.h"
#include "yellow/def/def_pool_int.h"

#include <stdlib.h>

typedef enum def_kind {
    DEF_TEXT,      // never NULL: "" when absent
    DEF_TEXT_NULL, // NULL: the key is left out
    DEF_INT,
    DEF_LONG,
    DEF_LONG_NULL, // 0: the key is left out, as by versions that didn't know it
    DEF_BOOL,
    DEF_BOOL_FALSE, // false: the key is left out
    DEF_REAL,
    DEF_RELATION,
    DEF_RELATION_NULL, // its name is NULL: the key is left out
    DEF_MILESTONING,
    DEF_PRIORITY,
} def_kind;

typedef struct def_field {
    const char *name;
    def_kind kind;
    size_t offset;
} def_field;

typedef struct def_fields {
    const def_field *v;
    size_t n;
} def_fields;

#define FIELD(type, member, kind)                                                                                      \
    {                                                                                                                  \
#member, kind, offsetof(type, member)                                                                          \
    }
#define FIELDS(table) ((def_fields){table, sizeof table / sizeof table[0]})

static const def_field STREAM_FIELDS[] = {
    FIELD(ds_stream_def, name, DEF_TEXT),
    FIELD(ds_stream_def, service, DEF_TEXT),
    FIELD(ds_stream_def, platform, DEF_TEXT),
    FIELD(ds_stream_def, store, DEF_TEXT),
    FIELD(ds_stream_def, dataset, DEF_TEXT_NULL),
    FIELD(ds_stream_def, workspace, DEF_TEXT_NULL),
    FIELD(ds_stream_def, primary, DEF_TEXT_NULL),
    FIELD(ds_stream_def, primary_versions, DEF_BOOL_FALSE),
    FIELD(ds_stream_def, milestoning, DEF_MILESTONING),
    FIELD(ds_stream_def, priority, DEF_PRIORITY),
    FIELD(ds_stream_def, cron, DEF_TEXT),
    FIELD(ds_stream_def, timezone, DEF_TEXT),
    FIELD(ds_stream_def, external, DEF_BOOL),
    FIELD(ds_stream_def, max_delete_ratio, DEF_REAL),
    FIELD(ds_stream_def, staging_batches, DEF_LONG),
    FIELD(ds_stream_def, staging_full, DEF_BOOL),
    FIELD(ds_stream_def, chunk_rows, DEF_LONG),
    FIELD(ds_stream_def, memory_bytes, DEF_LONG),
    FIELD(ds_stream_def, workers, DEF_LONG_NULL),
    FIELD(ds_stream_def, source_rows_per_second, DEF_LONG_NULL),
    FIELD(ds_stream_def, watermark, DEF_TEXT_NULL),
    FIELD(ds_stream_def, overlap, DEF_LONG_NULL),
    FIELD(ds_stream_def, newest, DEF_TEXT_NULL),
    FIELD(ds_stream_def, sweep_us, DEF_LONG_NULL),
    FIELD(ds_stream_def, sql_timeout_ms, DEF_LONG_NULL),
};

static const def_field CONTAINER_FIELDS[] = {
    FIELD(ds_container_def, name, DEF_TEXT),          FIELD(ds_container_def, type, DEF_TEXT),
    FIELD(ds_container_def, path, DEF_TEXT),          FIELD(ds_container_def, host, DEF_TEXT),
    FIELD(ds_container_def, database, DEF_TEXT),      FIELD(ds_container_def, schema, DEF_TEXT),
    FIELD(ds_container_def, port, DEF_INT),           FIELD(ds_container_def, credential, DEF_TEXT),
    FIELD(ds_container_def, tls_mode, DEF_TEXT_NULL), FIELD(ds_container_def, tls_ca, DEF_TEXT_NULL),
    FIELD(ds_container_def, tls_cert, DEF_TEXT_NULL), FIELD(ds_container_def, tls_key, DEF_TEXT_NULL),
};

static const def_field DATASET_FIELDS[] = {
    FIELD(ds_dataset_def, name, DEF_TEXT),
    FIELD(ds_dataset_def, source_schema, DEF_TEXT),
    FIELD(ds_dataset_def, source_table, DEF_TEXT),
    FIELD(ds_dataset_def, sql, DEF_TEXT_NULL),
    FIELD(ds_dataset_def, merge, DEF_RELATION),
    FIELD(ds_dataset_def, staging, DEF_RELATION),
    FIELD(ds_dataset_def, history, DEF_RELATION),
    FIELD(ds_dataset_def, rejects, DEF_RELATION),
    FIELD(ds_dataset_def, source_history, DEF_RELATION_NULL),
    FIELD(ds_dataset_def, retention_days, DEF_LONG_NULL),
    FIELD(ds_dataset_def, kept_until, DEF_LONG_NULL),
    FIELD(ds_dataset_def, former, DEF_TEXT_NULL),
};

static const def_field VIEW_FIELDS[] = {
    FIELD(ds_view_def, workspace, DEF_TEXT),
    FIELD(ds_view_def, group, DEF_TEXT),
    FIELD(ds_view_def, history, DEF_BOOL),
    FIELD(ds_view_def, relation, DEF_RELATION),
};

static const def_field INPUT_FIELDS[] = {
    FIELD(ds_input_def, stream, DEF_TEXT),
    FIELD(ds_input_def, dataset, DEF_TEXT),
    FIELD(ds_input_def, relation, DEF_RELATION),
};

static const def_field COLUMN_FIELDS[] = {
    // the type stands beside them
    FIELD(ds_shape_column, name, DEF_TEXT),
    FIELD(ds_shape_column, source, DEF_TEXT),
    FIELD(ds_shape_column, not_null, DEF_BOOL),
};

// --- encoding

static void put(json_t *object, const char *key, json_t *value)
{
    ds_assert(value && json_object_set_new(object, key, value) == 0);
}

static json_t *text_json(const char *text)
{
    return json_string(text ? text : "");
}

static json_t *relation_json(ds_relation relation)
{
    json_t *object = json_object();
    put(object, "schema", text_json(relation.schema));
    put(object, "name", text_json(relation.name));
    return object;
}

static json_t *field_json(def_kind kind, const void *value)
{
    switch (kind) {
    case DEF_TEXT:
        return text_json(*(const char *const *)value);
    case DEF_TEXT_NULL:
        return *(const char *const *)value ? json_string(*(const char *const *)value) : NULL;
    case DEF_INT:
        return json_integer(*(const int *)value);
    case DEF_LONG:
        return json_integer(*(const int64_t *)value);
    case DEF_LONG_NULL:
        return *(const int64_t *)value ? json_integer(*(const int64_t *)value) : NULL;
    case DEF_BOOL:
        return json_boolean(*(const bool *)value);
    case DEF_BOOL_FALSE:
        return *(const bool *)value ? json_true() : NULL;
    case DEF_REAL:
        return json_real(*(const double *)value);
    case DEF_RELATION:
        return relation_json(*(const ds_relation *)value);
    case DEF_RELATION_NULL:
        return ((const ds_relation *)value)->name ? relation_json(*(const ds_relation *)value) : NULL;
    case DEF_MILESTONING:
        return json_string(milestoning_name(*(const ds_milestoning *)value));
    case DEF_PRIORITY:
        return json_string(priority_name(*(const ds_priority *)value));
    }
    BUG("field kind %d", (int)kind);
}

static json_t *encode_fields(def_fields fields, const void *object)
{
    json_t *out = json_object();
    for (size_t i = 0; i < fields.n; i++) {
        json_t *value = field_json(fields.v[i].kind, (const char *)object + fields.v[i].offset);
        if (value)
            put(out, fields.v[i].name, value);
    }
    return out;
}

static json_t *encode_list(def_fields fields, const void *items, size_t n, size_t item_bytes)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        ds_assert(json_array_append_new(out, encode_fields(fields, (const char *)items + i * item_bytes)) == 0);
    return out;
}

static json_t *encode_columns(const ds_shape_column *columns, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *column = encode_fields(FIELDS(COLUMN_FIELDS), &columns[i]);
        CLEANUP(buf_release) ds_buf type = BUF_INIT(TYPE_TEXT_MAX * 4);
        type_print(columns[i].type, &type);
        put(column, "type", json_string(buf_text(&type)));
        ds_assert(json_array_append_new(out, column) == 0);
    }
    return out;
}

static json_t *encode_key(const ds_shape *shape)
{
    json_t *out = json_array();
    for (size_t i = 0; i < shape->key_count; i++)
        ds_assert(json_array_append_new(out, json_string(shape->columns[shape->key[i]].name)) == 0);
    return out;
}

json_t *def_encode_dataset(const ds_dataset_def *dataset)
{
    json_t *out = encode_fields(FIELDS(DATASET_FIELDS), dataset);
    put(out, "columns", encode_columns(dataset->shape->columns, dataset->shape->n));
    put(out, "key", encode_key(dataset->shape));
    put(out, "views", encode_list(FIELDS(VIEW_FIELDS), dataset->views, dataset->view_count, sizeof(ds_view_def)));
    if (dataset->retired_count)
        put(out, "retired", encode_columns(dataset->retired, dataset->retired_count));
    if (dataset->check_count)
        put(out, "checks", def_encode_checks(dataset->checks, dataset->check_count));
    return out;
}

json_t *def_encode_container(const ds_container_def *container)
{
    return encode_fields(FIELDS(CONTAINER_FIELDS), container);
}

json_t *def_encode(const ds_stream_def *def)
{
    json_t *out = encode_fields(FIELDS(STREAM_FIELDS), def);
    put(out, "def", json_integer(DEF_VERSION));
    put(out, "source", encode_fields(FIELDS(CONTAINER_FIELDS), &def->source));
    put(out, "inputs", encode_list(FIELDS(INPUT_FIELDS), def->inputs, def->input_count, sizeof(ds_input_def)));
    json_t *datasets = json_array();
    for (size_t i = 0; i < def->dataset_count; i++)
        ds_assert(json_array_append_new(datasets, def_encode_dataset(&def->datasets[i])) == 0);
    put(out, "datasets", datasets);
    if (def->command)
        put(out, "command", def_encode_command(def->command));
    return out;
}

const char *def_json_text(ds_arena *arena, const json_t *json)
{
    char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
    ds_assert(text);
    const char *out = arena_strdup(arena, text);
    free(text);
    return out;
}

// --- decoding

static ds_rc damaged(const char *field, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_FINDING, "the stored definition has no valid \"%s\"", field);
    return ds_hint(rc, err, "run datasurface apply to write it again");
}

static ds_rc decode_relation(def_pool *pool, const json_t *json, ds_relation *out)
{
    const char *schema = json_string_value(json_object_get(json, "schema"));
    const char *name = json_string_value(json_object_get(json, "name"));
    if (!schema || !name)
        return (ds_rc){DS_FINDING};
    *out = (ds_relation){def_pool_text(pool, schema), def_pool_text(pool, name)};
    return DS_DONE;
}

static bool decode_milestoning(const char *text, ds_milestoning *out)
{
    for (int i = MILESTONING_SCD1; i <= MILESTONING_SCD4; i++)
        if (text && strcmp(text, milestoning_name((ds_milestoning)i)) == 0) {
            *out = (ds_milestoning)i;
            return true;
        }
    return false;
}

static bool decode_priority(const char *text, ds_priority *out)
{
    for (int i = PRIORITY_LOW; i <= PRIORITY_CRITICAL; i++)
        if (text && strcmp(text, priority_name((ds_priority)i)) == 0) {
            *out = (ds_priority)i;
            return true;
        }
    return false;
}

// Texts: false when the value isn't one.
static bool decode_text(def_pool *pool, def_kind kind, const json_t *json, const char **out)
{
    if (kind == DEF_TEXT_NULL && !json) {
        *out = NULL;
        return true;
    }
    const char *text = json_string_value(json);
    if (text)
        *out = def_pool_text(pool, text);
    return text != NULL;
}

static bool decode_number(def_kind kind, const json_t *json, void *out)
{
    if (kind == DEF_REAL) {
        *(double *)out = json_number_value(json);
        return json_is_number(json);
    }
    if (kind == DEF_INT)
        *(int *)out = (int)json_integer_value(json);
    else
        *(int64_t *)out = json_integer_value(json);
    return json_is_integer(json) || (kind == DEF_LONG_NULL && !json);
}

static bool decode_field(def_pool *pool, def_kind kind, const json_t *json, void *out)
{
    switch (kind) {
    case DEF_TEXT:
    case DEF_TEXT_NULL:
        return decode_text(pool, kind, json, out);
    case DEF_INT:
    case DEF_LONG:
    case DEF_LONG_NULL:
    case DEF_REAL:
        return decode_number(kind, json, out);
    case DEF_BOOL:
        *(bool *)out = json_is_true(json);
        return json_is_boolean(json);
    case DEF_BOOL_FALSE:
        *(bool *)out = json_is_true(json);
        return !json || json_is_boolean(json);
    case DEF_RELATION:
        return decode_relation(pool, json, out).code == DS_OK;
    case DEF_RELATION_NULL:
        return !json || decode_relation(pool, json, out).code == DS_OK;
    case DEF_MILESTONING:
        return decode_milestoning(json_string_value(json), out);
    case DEF_PRIORITY:
        return decode_priority(json_string_value(json), out);
    }
    BUG("field kind %d", (int)kind);
}

static ds_rc decode_fields(def_pool *pool, def_fields fields, const json_t *json, void *out, ds_error *err)
{
    for (size_t i = 0; i < fields.n; i++) {
        const def_field *field = &fields.v[i];
        if (!decode_field(pool, field->kind, json_object_get(json, field->name), (char *)out + field->offset))
            return damaged(field->name, err);
    }
    return DS_DONE;
}

// *out gets n structs of item_bytes each.
static ds_rc decode_list(def_pool *pool, def_fields fields, const json_t *list, size_t item_bytes, void **out,
                         ds_error *err)
{
    size_t n = json_array_size(list);
    char *items = arena_alloc_array(pool->arena, item_bytes, n);
    for (size_t i = 0; i < n; i++)
        TRY(decode_fields(pool, fields, json_array_get(list, i), items + i * item_bytes, err));
    *out = items;
    return DS_DONE;
}

static ds_rc decode_column(def_pool *pool, const json_t *json, ds_shape_column *out, ds_error *err)
{
    TRY(decode_fields(pool, FIELDS(COLUMN_FIELDS), json, out, err));
    const char *type = json_string_value(json_object_get(json, "type"));
    return type ? def_pool_type(pool, type, &out->type, err) : damaged("type", err);
}

// The array is in `into`, the columns' names and types in the pool.
static ds_rc decode_columns(def_pool *pool, const json_t *list, ds_arena *into, ds_shape_column **out, size_t *n,
                            ds_error *err)
{
    *n = json_array_size(list);
    *out = ARENA_ARRAY(into, ds_shape_column, *n);
    for (size_t i = 0; i < *n; i++)
        TRY(decode_column(pool, json_array_get(list, i), &(*out)[i], err));
    return DS_DONE;
}

static int column_index(const ds_shape_column *columns, size_t n, const char *name)
{
    for (size_t i = 0; name && i < n; i++)
        if (strcmp(columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

static ds_rc decode_shape(def_pool *pool, const json_t *json, const ds_shape **out, ds_error *err)
{
    const json_t *key_list = json_object_get(json, "key");
    size_t n, key_count = json_array_size(key_list);
    ds_shape_column *columns;
    TRY(decode_columns(pool, json_object_get(json, "columns"), pool->scratch, &columns, &n, err));
    uint16_t *key = ARENA_ARRAY(pool->scratch, uint16_t, key_count);
    for (size_t i = 0; i < key_count; i++) {
        int at = column_index(columns, n, json_string_value(json_array_get(key_list, i)));
        if (at < 0)
            return damaged("key", err);
        key[i] = (uint16_t)at;
    }
    return shape_new(pool->arena, columns, n, key, key_count, out, err);
}

static ds_rc decode_dataset(def_pool *pool, const json_t *json, ds_dataset_def *out, ds_error *err)
{
    TRY(decode_fields(pool, FIELDS(DATASET_FIELDS), json, out, err));
    TRY(decode_shape(pool, json, &out->shape, err));
    const json_t *views = json_object_get(json, "views");
    out->view_count = json_array_size(views);
    void *list = NULL;
    TRY(decode_list(pool, FIELDS(VIEW_FIELDS), views, sizeof(ds_view_def), &list, err));
    out->views = list;
    ds_shape_column *retired;
    TRY(decode_columns(pool, json_object_get(json, "retired"), pool->arena, &retired, &out->retired_count, err));
    out->retired = retired;
    return def_decode_checks(pool->arena, json_object_get(json, "checks"), out) ? DS_DONE : damaged("checks", err);
}

ds_rc def_decode_dataset(ds_arena *arena, const json_t *json, ds_dataset_def *out, ds_error *err)
{
    CLEANUP(def_pool_release) def_pool pool;
    def_pool_init(&pool, arena);
    return decode_dataset(&pool, json, out, err);
}

ds_rc def_decode_container(ds_arena *arena, const json_t *json, ds_container_def *out, ds_error *err)
{
    CLEANUP(def_pool_release) def_pool pool;
    def_pool_init(&pool, arena);
    *out = (ds_container_def){0};
    return decode_fields(&pool, FIELDS(CONTAINER_FIELDS), json, out, err);
}

static ds_rc decode_datasets(def_pool *pool, const json_t *list, ds_stream_def *out, ds_error *err)
{
    out->dataset_count = json_array_size(list);
    ds_dataset_def *datasets = ARENA_ARRAY(pool->arena, ds_dataset_def, out->dataset_count);
    for (size_t i = 0; i < out->dataset_count; i++)
        TRY(decode_dataset(pool, json_array_get(list, i), &datasets[i], err));
    out->datasets = datasets;
    return DS_DONE;
}

bool def_is_newer(const json_t *json)
{
    return json_integer_value(json_object_get(json, "def")) > DEF_VERSION;
}

ds_rc def_decode(ds_arena *arena, const json_t *json, const ds_stream_def **out, ds_error *err)
{
    if (!json_is_integer(json_object_get(json, "def")))
        return damaged("def", err);
    if (def_is_newer(json))
        return ds_hint(ds_fail(err, DS_FINDING, "the stored definition was written by a newer datasurface"), err,
                       "use that version here, too");
    CLEANUP(def_pool_release) def_pool pool;
    def_pool_init(&pool, arena);
    ds_stream_def *def = ARENA_NEW(arena, ds_stream_def);
    TRY(decode_fields(&pool, FIELDS(STREAM_FIELDS), json, def, err));
    const json_t *source = json_object_get(json, "source"), *inputs = json_object_get(json, "inputs");
    TRY(decode_fields(&pool, FIELDS(CONTAINER_FIELDS), source, &def->source, err));
    void *list = NULL;
    TRY(decode_list(&pool, FIELDS(INPUT_FIELDS), inputs, sizeof(ds_input_def), &list, err));
    def->inputs = list;
    def->input_count = json_array_size(inputs);
    TRY(decode_datasets(&pool, json_object_get(json, "datasets"), def, err));
    const json_t *command = json_object_get(json, "command");
    if (command && !def_decode_command(arena, command, &def->command))
        return damaged("command", err);
    *out = def;
    return DS_DONE;
}
