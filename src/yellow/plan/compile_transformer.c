// A transformer's inputs, and its SELECT with {GROUP.STORE.DATASET} replaced by a name for the live rows of that input:
// WITH ds_input_1 AS (live rows) SELECT * FROM (its text) AS ds_text. So an input may have an alias, or none, as users
// like; a subquery in its place must have one on some engines.
#include "base/vec.h"
#include "graph/placeholder.h"
#include "model/lookup.h"
#include "yellow/plan/compile_int.h"

typedef VEC(ds_input_def) input_list;

static const ds_datastore *sink_store(const ds_compiler *c, const ds_sink *sink, const ds_dataset **dataset)
{
    const ds_datastore *store = sink->store ? model_datastore(c->model, sink->store) : NULL;
    *dataset = store && sink->dataset ? datastore_dataset(store, sink->dataset) : NULL;
    return *dataset ? store : NULL;
}

static bool has_input(const input_list *inputs, const ds_input_def *input)
{
    for (size_t i = 0; i < inputs->n; i++)
        if (strcmp(inputs->v[i].stream, input->stream) == 0 && strcmp(inputs->v[i].dataset, input->dataset) == 0)
            return true;
    return false;
}

static void add_input(const ds_compiler *c, const ds_platform *platform, const ds_sink *sink, input_list *inputs)
{
    const ds_dataset *dataset;
    const ds_datastore *store = sink_store(c, sink, &dataset);
    if (!store)
        return;
    ds_input_def input = {
        .stream = compile_stream_name(c->arena, platform, store, dataset->name),
        .dataset = dataset->name,
        .relation =
            naming_table(c->arena, c->dialect->names, platform->name, store->name.s, dataset->name, TABLE_MERGE),
    };
    if (!has_input(inputs, &input))
        *VEC_PUSH(c->arena, inputs) = input;
}

enum { MS_US = 1000, SECOND_US = 1000000 };

void compile_inputs(const ds_compiler *c, const ds_node *ingest, ds_stream_def *out)
{
    const ds_workspace *workspace = ingest->store->producer;
    input_list inputs = {0};
    for (size_t i = 0; i < workspace->groups.n; i++)
        for (size_t k = 0; k < workspace->groups.v[i].sinks.n; k++)
            add_input(c, ingest->platform, &workspace->groups.v[i].sinks.v[k], &inputs);
    out->inputs = inputs.v;
    out->input_count = inputs.n;
    const ds_transformer *transformer = &workspace->transformer;
    if (transformer->timeout.s && !transformer->command.pos.file)
        out->sql_timeout_ms = compile_amount(transformer->timeout) / MS_US;
}

// --- the text

typedef struct expansion {
    const ds_compiler *c;
    const ds_platform *platform;
    const ds_workspace *workspace;
    const char *output;             // dataset
    VEC(const ds_dataset *) inputs; // that the text has named so far
    ds_buf with;                    // what defines them
    ds_buf text;
} expansion;

enum { EXPANDED_MAX = SQL_TEXT_MAX / 2 - 100 }; // so that both fit into a statement
#define INPUT_NAME "ds_input_%zu"               // no column of a model begins with ds_

static ds_rc fail_text(const expansion *x, ds_error *err, const char *message, ds_str part)
{
    return ds_fail(err, DS_FINDING, "transformer of workspace \"%s\", output \"%s\": %s \"%.*s\"", x->workspace->name.s,
                   x->output, message, STR_ARGS(part));
}

// ds_input_1 AS NOT MATERIALIZED (SELECT "id", "firstname" FROM "ds_p__store__dataset" WHERE ds_batch_out = …)
static ds_rc define_input(expansion *x, const ds_datastore *store, const ds_dataset *dataset, ds_error *err)
{
    const ds_compiler *c = x->c;
    const ds_shape *shape;
    TRY(compile_shape(c, store, dataset, &shape, err));
    CLEANUP(sql_release) ds_sql q = sql_new(c->dialect);
    SQL(&q, " AS NOT MATERIALIZED (SELECT ");
    sql_columns(&q, NULL, shape);
    SQL(&q, " FROM ");
    sql_relation(&q, naming_table(c->arena, c->dialect->names, x->platform->name, store->name.s, dataset->name,
                                  TABLE_MERGE));
    if (x->platform->milestoning == MILESTONING_SCD2) {
        SQL(&q, " WHERE ds_batch_out = ");
        sql_literal_int(&q, BATCH_LIVE);
    }
    SQL(&q, ")");
    buf_printf(&x->with, "%s" INPUT_NAME, x->inputs.n > 1 ? ", " : "WITH ", x->inputs.n);
    buf_put_str(&x->with, buf_str(&q.text));
    return DS_DONE;
}

// Its name in the text; the first mention defines it.
static ds_rc name_input(expansion *x, const ds_datastore *store, const ds_dataset *dataset, ds_error *err)
{
    size_t i = 0;
    while (i < x->inputs.n && x->inputs.v[i] != dataset)
        i++;
    buf_printf(&x->text, INPUT_NAME, i + 1);
    if (i < x->inputs.n)
        return DS_DONE;
    *VEC_PUSH(x->c->arena, &x->inputs) = dataset;
    return define_input(x, store, dataset, err);
}

static ds_rc put_input(expansion *x, const ds_piece *piece, ds_error *err)
{
    const ds_sink *sink = placeholder_sink(x->workspace, piece);
    const ds_dataset *dataset;
    const ds_datastore *input = sink ? sink_store(x->c, sink, &dataset) : NULL;
    if (!input)
        return ds_hint(fail_text(x, err, "no such input:", piece->text), err,
                       "write {GROUP.STORE.DATASET} of a sink of this workspace; {{ is a brace");
    return name_input(x, input, dataset, err);
}

static ds_rc expand(expansion *x, const char *text, ds_error *err)
{
    ds_piece piece;
    while (placeholder_next(&text, &piece)) {
        if (piece.kind == PIECE_BAD)
            return ds_hint(fail_text(x, err, "unbalanced brace at", piece.text), err, "write {{ or }} for a brace");
        if (piece.kind == PIECE_INPUT)
            TRY(put_input(x, &piece, err));
        else
            buf_put_str(&x->text, piece.text);
    }
    return DS_DONE;
}

static const char *text_for(const ds_transformer *transformer, const char *dataset, const char *dialect)
{
    for (size_t i = 0; i < transformer->sql.n; i++) {
        const ds_sql_text *sql = &transformer->sql.v[i];
        if (!sql->dataset || strcmp(sql->dataset, dataset) != 0)
            continue;
        if (sql->any.s)
            return sql->any.s;
        if (strcmp(dialect, "sqlite") == 0)
            return sql->sqlite.s;
        return strcmp(dialect, "postgres") == 0 ? sql->postgres.s : NULL;
    }
    return NULL;
}

// What the names stand for, and the text with them. A text without inputs stays as it is.
static const char *whole_text(const ds_compiler *c, expansion *x)
{
    if (x->inputs.n == 0)
        return arena_str(c->arena, buf_str(&x->text));
    CLEANUP(sql_release) ds_sql q = sql_new(c->dialect);
    sql_user_text(&q, buf_text(&x->with));
    SQL(&q, " SELECT * FROM (");
    sql_user_text(&q, buf_text(&x->text));
    SQL(&q, "\n) AS ds_text");
    return arena_str(c->arena, buf_str(&q.text));
}

ds_rc compile_sql(const ds_compiler *c, const ds_node *ingest, const ds_dataset *dataset, const char **out,
                  ds_error *err)
{
    const ds_workspace *workspace = ingest->store->producer;
    const char *text = text_for(&workspace->transformer, dataset->name, c->dialect->name);
    expansion x = {.c = c, .platform = ingest->platform, .workspace = workspace, .output = dataset->name};
    if (!text)
        return fail_text(&x, err, "has no SQL for", str_of(c->dialect->name));
    x.text = x.with = BUF_INIT(EXPANDED_MAX);
    ds_rc rc = expand(&x, text, err);
    if (rc.code == DS_OK && !(buf_ok(&x.text) && buf_ok(&x.with)))
        rc = fail_text(&x, err, "the SQL is too long for", str_of(c->dialect->name));
    if (rc.code == DS_OK)
        *out = whole_text(c, &x);
    buf_release(&x.text);
    buf_release(&x.with);
    return rc;
}

// --- a command

enum { TIMEOUT_S = 3600 };

static ds_rc command_input(const ds_compiler *c, const ds_node *ingest, const ds_group *group, const ds_sink *sink,
                           ds_command_input *out, ds_error *err)
{
    const char *platform = ingest->platform->name;
    ds_dataset_def *def = ARENA_NEW(c->arena, ds_dataset_def);
    const ds_dataset *dataset;
    const ds_datastore *store = sink_store(c, sink, &dataset);
    if (!store)
        return ds_hint(ds_fail(err, DS_FINDING, "transformer of workspace \"%s\": no such input: \"%s\"",
                               ingest->store->producer->name.s, sink->text.s),
                       err, "run datasurface lint");
    def->name = dataset->name;
    def->source_schema = def->source_table = "";
    def->merge = naming_table(c->arena, c->dialect->names, platform, store->name.s, dataset->name, TABLE_MERGE);
    def->staging = naming_table(c->arena, c->dialect->names, platform, store->name.s, dataset->name, TABLE_STAGING);
    def->history = naming_table(c->arena, c->dialect->names, platform, store->name.s, dataset->name, TABLE_HISTORY);
    def->rejects = naming_table(c->arena, c->dialect->names, platform, store->name.s, dataset->name, TABLE_REJECTS);
    TRY(compile_shape(c, store, dataset, &def->shape, err));
    *out = (ds_command_input){
        .group = group->name,
        .store = store->name.s,
        .stream = compile_stream_name(c->arena, ingest->platform, store, dataset->name),
        .dataset = def,
    };
    return DS_DONE;
}

ds_rc compile_command(const ds_compiler *c, const ds_node *ingest, const ds_command_def **out, ds_error *err)
{
    const ds_workspace *workspace = ingest->store->producer;
    const ds_command *command = &workspace->transformer.command;
    ds_command_def *def = ARENA_NEW(c->arena, ds_command_def);
    def->argc = command->exec.n;
    ds_text timeout = command->timeout.s ? command->timeout : workspace->transformer.timeout;
    def->timeout_s = timeout.s ? compile_amount(timeout) / SECOND_US : TIMEOUT_S;
    const char **argv = ARENA_ARRAY(c->arena, const char *, def->argc + 1);
    for (size_t i = 0; i < def->argc; i++)
        argv[i] = command->exec.v[i].s;
    def->argv = argv;
    VEC(ds_command_input) inputs = {0};
    for (size_t i = 0; i < workspace->groups.n; i++)
        for (size_t k = 0; k < workspace->groups.v[i].sinks.n; k++) {
            const ds_group *group = &workspace->groups.v[i];
            TRY(command_input(c, ingest, group, &group->sinks.v[k], VEC_PUSH(c->arena, &inputs), err));
        }
    def->inputs = inputs.v;
    def->input_count = inputs.n;
    *out = def;
    return DS_DONE;
}
