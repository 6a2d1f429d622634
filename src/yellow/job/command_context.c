// What a transformer's program is told: a JSON file, whose path is in DATASURFACE_CONTEXT, and where there is a server
// the variables by which its clients find it. docs/transformers.md describes both.
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/vec.h"
#include "yellow/job/exchange.h"

enum { CONTEXT_VERSION = 1 };

static void put(json_t *object, const char *key, json_t *value)
{
    ds_assert(value && json_object_set_new(object, key, value) == 0);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text && text[0])
        put(object, key, json_string(text));
}

// {"schema", "name", "sql"}: its name as a statement writes it.
static json_t *relation_json(const ds_job *job, ds_relation relation)
{
    const ds_dialect *dialect = job->control->db->dialect;
    CLEANUP(sql_release) ds_sql q = sql_new(dialect);
    sql_relation(&q, relation);
    json_t *out = json_object();
    if (dialect->names.has_schemas)
        put(out, "schema", json_string(relation.schema));
    put(out, "name", json_string(relation.name));
    put(out, "sql", json_string(buf_text(&q.text)));
    return out;
}

static json_t *columns_json(const ds_shape *shape, bool source_names)
{
    json_t *out = json_array();
    for (size_t i = 0; i < shape->n; i++)
        ds_assert(json_array_append_new(out, json_string(source_names ? shape->columns[i].source
                                                                      : shape->columns[i].name)) == 0);
    return out;
}

static json_t *key_json(const ds_shape *shape)
{
    json_t *out = json_array();
    for (size_t i = 0; i < shape->key_count; i++)
        ds_assert(json_array_append_new(out, json_string(shape->columns[shape->key[i]].name)) == 0);
    return out;
}

static json_t *input_json(const ds_job *job, const ds_exchange_input *input)
{
    json_t *out = json_object();
    put(out, "group", json_string(input->def->group));
    put(out, "store", json_string(input->def->store));
    put(out, "dataset", json_string(input->def->dataset->name));
    put(out, "stream", json_string(input->def->stream));
    put(out, "batch", json_integer(input->batch));
    put(out, "since", json_integer(input->since));
    put(out, "columns", columns_json(input->def->dataset->shape, false));
    put(out, "key", key_json(input->def->dataset->shape));
    put(out, "table", relation_json(job, input->rows));
    if (input->changes.name)
        put(out, "changes", relation_json(job, input->changes));
    return out;
}

static json_t *output_json(const ds_job *job, const ds_dataset_def *dataset)
{
    json_t *out = json_object();
    put(out, "dataset", json_string(dataset->name));
    put(out, "columns", columns_json(dataset->shape, true));
    put(out, "key", key_json(dataset->shape));
    put(out, "table", relation_json(job, exchange_output(dataset)));
    return out;
}

// A container's files are relative to the model's directory.
static const char *file_of(const ds_job *job, const char *path)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(FILE_PATH_MAX);
    const char *base_dir = job->runtime->base_dir;
    if (!path || !path[0])
        return NULL;
    file_join(&out, base_dir && base_dir[0] ? base_dir : ".", path);
    char real[PATH_MAX];
    return arena_strdup(job->arena, realpath(buf_text(&out), real) ? real : buf_text(&out));
}

static json_t *connection_json(const ds_job *job)
{
    const ds_exchange *x = job->exchange;
    const ds_container_def *c = &x->container;
    json_t *out = json_object();
    put(out, "type", json_string(c->type));
    if (!x->role) {
        put(out, "path", json_string(c->path));
        return out;
    }
    put_text(out, "host", c->host);
    if (c->port)
        put(out, "port", json_integer(c->port));
    put_text(out, "database", x->database);
    put_text(out, "user", x->role);
    put_text(out, "password", x->password);
    put_text(out, "tls_mode", c->tls_mode);
    put_text(out, "tls_ca", file_of(job, c->tls_ca));
    return out;
}

static char *context_text(const ds_job *job)
{
    const ds_exchange *x = job->exchange;
    json_t *out = json_object(), *inputs = json_array(), *outputs = json_array();
    put(out, "datasurface", json_integer(CONTEXT_VERSION));
    put(out, "platform", json_string(job->def->platform));
    put(out, "workspace", json_string(job->def->workspace));
    put(out, "stream", json_string(job->def->name));
    put(out, "batch", json_integer(job->batch));
    put(out, "connection", connection_json(job));
    for (size_t i = 0; i < x->n; i++)
        ds_assert(json_array_append_new(inputs, input_json(job, &x->inputs[i])) == 0);
    for (size_t i = 0; i < job->work_count; i++)
        ds_assert(json_array_append_new(outputs, output_json(job, job->work[i].def)) == 0);
    put(out, "inputs", inputs);
    put(out, "outputs", outputs);
    char *text = json_dumps(out, JSON_INDENT(2));
    json_decref(out);
    ds_assert(text);
    return text;
}

// --- the environment

typedef VEC(const char *) texts;

static void add_variable(const ds_job *job, texts *out, const char *name, const char *value)
{
    if (value && value[0])
        *VEC_PUSH(job->arena, out) = arena_printf(job->arena, "%s=%s", name, value);
}

// Nothing of ours that may be a secret: what is not named here is not passed on.
static void add_ours(const ds_job *job, texts *out)
{
    static const char *const NAMES[] = {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        add_variable(job, out, NAMES[i], getenv(NAMES[i]));
}

static ds_rc add_server(const ds_job *job, texts *out, ds_error *err)
{
    const ds_exchange *x = job->exchange;
    const ds_container_def *c = &x->container;
    // The role's name may hold what the file's format quotes.
    TRY(private_dir_write(&x->dir, "password", arena_printf(job->arena, "*:*:*:*:%s\n", x->password), err));
    add_variable(job, out, "PGHOST", c->host && c->host[0] ? c->host : getenv("PGHOST"));
    add_variable(job, out, "PGPORT", c->port ? arena_printf(job->arena, "%d", c->port) : getenv("PGPORT"));
    add_variable(job, out, "PGDATABASE", x->database);
    add_variable(job, out, "PGUSER", x->role);
    add_variable(job, out, "PGPASSFILE", arena_printf(job->arena, "%s/password", x->dir.path));
    add_variable(job, out, "PGSSLMODE", c->tls_mode);
    add_variable(job, out, "PGSSLROOTCERT", file_of(job, c->tls_ca));
    return DS_DONE;
}

ds_rc command_context(ds_job *job, const char *const **environment, ds_error *err)
{
    texts out = {0};
    char *text = context_text(job);
    ds_rc rc = private_dir_write(&job->exchange->dir, "context.json", text, err);
    explicit_bzero(text, strlen(text));
    free(text);
    TRY(rc);
    add_variable(job, &out, "DATASURFACE_CONTEXT",
                 arena_printf(job->arena, "%s/context.json", job->exchange->dir.path));
    add_ours(job, &out);
    if (job->exchange->role)
        TRY(add_server(job, &out, err));
    *VEC_PUSH(job->arena, &out) = NULL;
    *environment = out.v;
    return DS_DONE;
}
