#include "cli/exchange_context.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { CONTEXT_MAX = 64 << 20, BUSY_TIMEOUT_MS = 10000 };
static const char VARIABLE[] = "DATASURFACE_CONTEXT";

static const char *text_of(ds_arena *arena, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? arena_strdup(arena, text) : NULL;
}

static bool read_columns(ds_arena *arena, const json_t *list, ds_exchange_output *out)
{
    out->column_count = json_array_size(list);
    const char **columns = ARENA_ARRAY(arena, const char *, out->column_count);
    out->columns = columns;
    for (size_t i = 0; i < out->column_count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        if (!name)
            return false;
        columns[i] = arena_strdup(arena, name);
    }
    return out->column_count > 0;
}

static bool read_outputs(ds_arena *arena, const json_t *list, ds_exchange_context *out)
{
    out->output_count = json_array_size(list);
    ds_exchange_output *outputs = ARENA_ARRAY(arena, ds_exchange_output, out->output_count);
    out->outputs = outputs;
    for (size_t i = 0; i < out->output_count; i++) {
        const json_t *entry = json_array_get(list, i), *table = json_object_get(entry, "table");
        const char *schema = text_of(arena, table, "schema");
        outputs[i].dataset = text_of(arena, entry, "dataset");
        outputs[i].table = (ds_relation){.schema = schema ? schema : "", .name = text_of(arena, table, "name")};
        if (!outputs[i].dataset || !outputs[i].table.name ||
            !read_columns(arena, json_object_get(entry, "columns"), &outputs[i]))
            return false;
    }
    return out->output_count > 0;
}

static bool read_all(ds_arena *arena, const json_t *root, ds_exchange_context *out)
{
    const json_t *connection = json_object_get(root, "connection");
    out->target = (ds_target){
        .type = text_of(arena, connection, "type"),
        .name = "the exchange",
        .path = text_of(arena, connection, "path"),
        .host = text_of(arena, connection, "host"),
        .port = (int)json_integer_value(json_object_get(connection, "port")),
        .database = text_of(arena, connection, "database"),
        .tls_mode = text_of(arena, connection, "tls_mode"),
        .tls_ca = text_of(arena, connection, "tls_ca"),
    };
    out->user = text_of(arena, connection, "user");
    out->password = text_of(arena, connection, "password");
    return out->target.type && read_outputs(arena, json_object_get(root, "outputs"), out);
}

ds_rc exchange_context_read(ds_arena *arena, ds_exchange_context *out, ds_error *err)
{
    const char *path = getenv(VARIABLE);
    if (!path || !path[0])
        return ds_hint(
            ds_fail(err, DS_USAGE, "%s is not set", VARIABLE), err,
            "this is for the programs of transformers: command: {exec: [datasurface, export, model, --fill]}");
    CLEANUP(buf_release) ds_buf text = BUF_INIT(CONTEXT_MAX);
    TRY(file_read(path, &text, err));
    json_t *root = json_loadb(buf_text(&text), text.n, JSON_REJECT_DUPLICATES, NULL);
    bool ok = root && json_integer_value(json_object_get(root, "datasurface")) == 1 && read_all(arena, root, out);
    json_decref(root);
    return ok ? DS_DONE
              : ds_fail(err, DS_USAGE, "\"%s\", which %s names, is no context of a transformer", path, VARIABLE);
}

ds_rc exchange_context_open(const ds_exchange_context *context, const ds_program *program, ds_db **out, ds_error *err)
{
    const ds_secret secret = {.parts = {[SECRET_USER] = (char *)(uintptr_t)context->user,
                                        [SECRET_PASSWORD] = (char *)(uintptr_t)context->password}};
    const ds_open_options options = {
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
        .purpose = "export model",
        .cancelled = program->cancelled,
        .clock = clock_system(),
        .secret = &secret,
    };
    return store_open(&program->store, &context->target, &options, out, err);
}
