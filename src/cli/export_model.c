#include "cli/export_model.h"

#include "base/yaml_out.h"
#include "cli/exchange_context.h"
#include "cli/output.h"
#include "cli/session.h"
#include "image/query.h"
#include "image/tables.h"
#include "model/fields.h"
#include "model/pattern.h"
#include "store/store.h"

// --- documents

enum { DOCUMENTS_MAX = 1 << 20 };
static const char WORKSPACE[] = "ModelCatalog", DATASTORE[] = "Model", GROUP[] = "own";

// Where a row stands in the text says nothing about the model, and changes with each line above it.
static bool is_place(const image_column *column)
{
    return strcmp(column->name, "file") == 0 || strcmp(column->name, "line") == 0;
}

static void put_columns(yaml_out *y, const image_table *table)
{
    yaml_map_begin(y, "columns");
    for (size_t i = 0; i < image_table_width(table); i++) {
        bool text = strcmp(table->columns[i].type, "TEXT") == 0, key = i < table->key;
        if (!is_place(&table->columns[i]))
            yaml_word(y, table->columns[i].name,
                      text  ? key ? "varchar primary key" : "varchar"
                      : key ? "bigint primary key"
                            : "bigint");
    }
    yaml_map_end(y);
}

static void put_run(yaml_out *y)
{
    static const char *const WORDS[] = {"datasurface", "export", "model", "--fill"};
    yaml_map_begin(y, "trigger");
    yaml_word(y, "cron", "*/5 * * * *");
    yaml_map_end(y);
    yaml_map_begin(y, "run");
    yaml_map_begin(y, "command");
    yaml_list_begin(y, "exec");
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        yaml_word(y, NULL, WORDS[i]);
    yaml_list_end(y);
    yaml_word(y, "timeout", "10m");
    yaml_map_end(y);
    yaml_map_end(y);
}

static void put_output(yaml_out *y, const char *datastore, const char *classification)
{
    yaml_map_begin(y, "output");
    yaml_word(y, "datastore", datastore);
    yaml_map_begin(y, "datasets");
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++) {
        const image_table *table = &IMAGE_TABLES[i];
        if (!table->key)
            continue;
        yaml_map_begin(y, table->name);
        yaml_word(y, "description", table->about);
        if (classification)
            yaml_word(y, "classification", classification);
        put_columns(y, table);
        yaml_map_end(y);
    }
    yaml_map_end(y);
    yaml_map_end(y);
}

// A workspace has a sink: its own output, which it doesn't wait for.
static void put_sinks(yaml_out *y, ds_arena *arena, const char *datastore)
{
    yaml_map_begin(y, "dataset_groups");
    yaml_map_begin(y, GROUP);
    yaml_list_begin(y, "sinks");
    yaml_word(y, NULL, arena_printf(arena, "%s/%s", datastore, IMAGE_TABLES[IMAGE_ECOSYSTEM].name));
    yaml_list_end(y);
    yaml_map_end(y);
    yaml_map_end(y);
}

static ds_rc legal(const char *option, const char *text, model_pattern kind, ds_error *err)
{
    if (MODEL_PATTERNS[kind].matches(str_of(text)))
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_USAGE, "--%s can't be \"%s\"", option, text), err, "%s", MODEL_PATTERNS[kind].form);
}

static ds_rc legal_classification(const char *word, ds_error *err)
{
    CLEANUP(buf_release) ds_buf all = BUF_INIT(1024);
    for (size_t i = 0; i < WORDS_CLASSIFICATION.n; i++) {
        if (!word || strcmp(word, WORDS_CLASSIFICATION.v[i].word) == 0)
            return DS_DONE;
        buf_printf(&all, "%s%s", i ? ", " : "", WORDS_CLASSIFICATION.v[i].word);
    }
    return ds_hint(ds_fail(err, DS_USAGE, "--classification can't be \"%s\"", word), err, "one of %s", buf_text(&all));
}

ds_rc export_model_documents(ds_cli *cli, ds_error *err)
{
    const char *team = args_text(&cli->args, "team"), *datastore = args_text(&cli->args, "datastore");
    const char *classification = args_text(&cli->args, "classification");
    datastore = datastore ? datastore : DATASTORE;
    if (!team)
        return ds_hint(ds_fail(err, DS_USAGE, "export model wants --team"), err, "whose the datasets are: ZONE/TEAM");
    TRY(legal("team", team, PATTERN_TEAM, err));
    TRY(legal("datastore", datastore, PATTERN_NAME, err));
    TRY(legal_classification(classification, err));
    CLEANUP(buf_release) ds_buf text = BUF_INIT(DOCUMENTS_MAX);
    buf_puts(&text, "# yaml-language-server: $schema=datasurface.schema.json\n");
    yaml_out y;
    yaml_out_begin(&y, &text);
    yaml_word(&y, "kind", "Workspace");
    yaml_word(&y, "team", team);
    yaml_word(&y, "name", WORKSPACE);
    put_sinks(&y, cli->arena, datastore);
    yaml_map_begin(&y, "transformer");
    yaml_word(&y, "name", "model");
    put_run(&y);
    put_output(&y, datastore, classification);
    yaml_map_end(&y);
    if (!yaml_out_end(&y) || !buf_ok(&text))
        BUG("our own words are no YAML");
    const char *output = args_text(&cli->args, "output");
    if (output)
        TRY(output_file(cli, output, buf_str(&text), err));
    cli->result =
        json_pack("{s:s, s:o, s:s}", "datastore", datastore, "file", json_text(output), "text", buf_text(&text));
    if (output && !cli->json)
        fprintf(cli->out, "wrote %s: %s\n", output, datastore);
    else if (!cli->json)
        fwrite(text.p, 1, text.n, cli->out);
    return DS_DONE;
}

// --- filling

typedef struct filling {
    ds_cli *cli;
    ds_compiled *compiled;
    ds_db *db;
    int64_t rows;
} filling;

static const image_table *find_table(const char *name)
{
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++)
        if (IMAGE_TABLES[i].key && strcmp(IMAGE_TABLES[i].name, name) == 0)
            return &IMAGE_TABLES[i];
    return NULL;
}

static ds_rc check_columns(const image_table *table, const ds_exchange_output *output, ds_error *err)
{
    const char *names[IMAGE_COLUMNS_MAX];
    size_t width = image_table_width(table);
    for (size_t i = 0; i < width; i++)
        names[i] = table->columns[i].name;
    for (size_t i = 0, k; i < output->column_count; i++) {
        for (k = 0; k < width && strcmp(names[k], output->columns[i]) != 0; k++)
            ;
        if (k < width)
            continue;
        const char *nearest = str_nearest(output->columns[i], names, width);
        ds_rc rc = ds_fail(err, DS_FINDING, "output \"%s\" has a column \"%s\", which the model has not",
                           output->dataset, output->columns[i]);
        return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest) : rc;
    }
    return DS_DONE;
}

static ds_rc table_of(const ds_exchange_output *output, const image_table **out, ds_error *err)
{
    *out = find_table(output->dataset);
    if (*out)
        return check_columns(*out, output, err);
    const char *names[IMAGE_TABLE_COUNT];
    size_t n = 0;
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++)
        if (IMAGE_TABLES[i].key)
            names[n++] = IMAGE_TABLES[i].name;
    const char *nearest = str_nearest(output->dataset, names, n);
    ds_rc rc = ds_fail(err, DS_FINDING, "the model has no table \"%s\"", output->dataset);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "datasurface export model --team ZONE/TEAM prints those that there are");
}

static void put_names(ds_sql *q, const ds_exchange_output *output)
{
    for (size_t i = 0; i < output->column_count; i++) {
        if (i)
            SQL(q, ", ");
        sql_ident(q, output->columns[i]);
    }
}

static void put_value(ds_sql *q, ds_query_value value, ds_arena *arena)
{
    if (value.kind == QUERY_INT)
        sql_int(q, value.number);
    else
        sql_text(q, value.kind == QUERY_NULL ? NULL : arena_str(arena, value.text));
}

// So many rows as a statement may have parameters, from the one that q is at.
static ds_rc insert_some(filling *f, ds_query *q, const ds_exchange_output *output, bool *more, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql insert = sql_new(f->db->dialect);
    SQL(&insert, "INSERT INTO ");
    sql_relation(&insert, output->table);
    SQL(&insert, " (");
    put_names(&insert, output);
    SQL(&insert, ") VALUES ");
    for (size_t n = 0; *more && (n + 1) * output->column_count <= SQL_PARAMS_MAX; n++) {
        if (n)
            SQL(&insert, ", ");
        for (size_t i = 0; i < output->column_count; i++) {
            if (i)
                SQL(&insert, ", ");
            else
                SQL(&insert, "(");
            put_value(&insert, query_value(q, i), arena);
        }
        SQL(&insert, ")");
        f->rows++;
        TRY(query_next(q, more, err));
    }
    return store_exec(f->db, &insert, NULL, err);
}

static ds_rc fill(filling *f, const ds_exchange_output *output, ds_error *err)
{
    const image_table *table;
    TRY(table_of(output, &table, err));
    CLEANUP(sql_release) ds_sql select = sql_new(store_driver(&f->cli->program->store, "sqlite")->dialect);
    SQL(&select, "SELECT ");
    put_names(&select, output);
    SQL(&select, " FROM ");
    sql_ident(&select, table->name);
    CLEANUP(query_closep) ds_query *q = NULL;
    TRY(query_open(f->compiled->image, buf_text(&select.text), f->cli->program->cancelled, &q, err));
    bool more;
    TRY(query_next(q, &more, err));
    while (more)
        TRY(insert_some(f, q, output, &more, err));
    return DS_DONE;
}

static ds_rc fill_all(filling *f, const ds_exchange_context *context, ds_error *err)
{
    TRY(store_begin(f->db, BEGIN_WRITE, err));
    for (size_t i = 0; i < context->output_count; i++) {
        ds_rc rc = fill(f, &context->outputs[i], err);
        if (rc.code != DS_OK) {
            store_rollback(f->db);
            return rc;
        }
    }
    return store_commit(f->db, err);
}

static ds_rc fill_outputs(ds_cli *cli, ds_error *err)
{
    ds_exchange_context context;
    TRY(exchange_context_read(cli->arena, &context, err));
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    session_use_ref_option(&session);
    TRY(session_need_valid(&session, err));
    TRY(compiled_image(&session.compiled, err));
    filling f = {.cli = cli, .compiled = &session.compiled};
    TRY(exchange_context_open(&context, cli->program, &f.db, err));
    ds_rc rc = fill_all(&f, &context, err);
    store_close(f.db);
    TRY(rc);
    if (!cli->json)
        fprintf(cli->out, "%lld row%s in %zu dataset%s\n", (long long)f.rows, plural(f.rows), context.output_count,
                plural((int64_t)context.output_count));
    cli->result = json_pack("{s:o, s:I}", "rows", json_int64(f.rows), "datasets", (json_int_t)context.output_count);
    return DS_DONE;
}

// The last line that a program leaves is what its job tells people: so there is but one.
ds_rc export_model_fill(ds_cli *cli, ds_error *err)
{
    ds_rc rc = fill_outputs(cli, err);
    if (rc.code == DS_OK || !err->hint[0])
        return rc;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(DS_ERROR_TEXT);
    buf_printf(&text, "%s (%s)", err->text, err->hint);
    *err = (ds_error){0};
    return ds_fail(err, rc.code, "%s", buf_text(&text));
}
