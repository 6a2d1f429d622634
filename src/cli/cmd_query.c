#include "cli/commands.h"
#include "cli/compiled.h"
#include "cli/output.h"
#include "cli/query_lineage.h"
#include "cli/session.h"
#include "image/query.h"

static const ds_option OPTIONS[] = {
    {"tables", 0, OPTION_FLAG, .help = "what can be queried, instead"},
    {"markdown", 0, OPTION_FLAG, .help = "docs/query.md, the reference of all tables, instead"},
    {0},
};

// --- what there is

static void print_reference(FILE *out)
{
    enum { PAGE_MAX = 1 << 20 };
    CLEANUP(buf_release) ds_buf page = BUF_INIT(PAGE_MAX);
    image_tables_markdown(&page);
    ds_assert(buf_ok(&page));
    fputs(buf_text(&page), out);
}

static void list_tables(ds_cli *cli)
{
    static const char *const HEADINGS[] = {"table", "columns", NULL};
    ds_table table = table_new(cli->arena, HEADINGS);
    json_t *list = json_array();
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++) {
        const image_table *t = &IMAGE_TABLES[i];
        CLEANUP(buf_release) ds_buf names = BUF_INIT(4096);
        json_t *columns = json_array();
        for (size_t k = 0; k < image_table_width(t); k++) {
            buf_printf(&names, "%s%s", k ? " " : "", t->columns[k].name);
            json_array_append_new(columns, json_string(t->columns[k].name));
        }
        table_row(&table);
        table_cell(&table, 0, "%s", t->name);
        table_cell(&table, 1, "%s", buf_text(&names));
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:o}", "table", t->name, "about", t->about, "columns", columns));
    }
    cli->result = json_pack("{s:o}", "tables", list);
    if (!cli->json)
        table_print(cli, &table, "");
}

// --- rows

static json_t *cell_json(const ds_query_value *cell)
{
    switch (cell->kind) {
    case QUERY_NULL:
        return json_null();
    case QUERY_INT: // 64 bits don't survive in JSON numbers, small ones do
        return cell->number > INT32_MIN && cell->number < INT32_MAX ? json_integer(cell->number)
                                                                    : json_int64(cell->number);
    case QUERY_REAL:
        return json_real(cell->real);
    default:
        return json_stringn(cell->text.p, cell->text.n);
    }
}

static ds_rc print_json(ds_cli *cli, ds_query *q, ds_error *err)
{
    cli->result = json_pack("{s:[]}", "rows");
    for (bool more;;) {
        TRY(query_next(q, &more, err));
        if (!more)
            return DS_DONE;
        json_t *row = json_object();
        for (size_t i = 0; i < query_width(q); i++) {
            ds_query_value cell = query_value(q, i);
            json_t *value = cell_json(&cell);
            json_object_set_new(row, query_column(q, i), value ? value : json_null()); // no UTF-8
        }
        output_row_take(cli, row);
    }
}

// A table is aligned as a whole, so it is printed in pieces of so many rows.
enum { PIECE_ROWS = 1000 };

static const char *const *headings(ds_query *q, ds_arena *arena)
{
    const char **names = ARENA_ARRAY(arena, const char *, query_width(q) + 1);
    for (size_t i = 0; i < query_width(q); i++)
        names[i] = query_column(q, i);
    return names;
}

static void add_row(ds_table *table, ds_query *q)
{
    table_row(table);
    for (size_t i = 0; i < query_width(q); i++) {
        ds_query_value cell = query_value(q, i);
        table_cell(table, i, "%.*s", STR_ARGS(cell.text));
    }
}

static ds_rc print_piece(ds_cli *cli, ds_query *q, bool *more, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_table table = table_new(arena, headings(q, arena));
    for (size_t n = 0; *more && n < PIECE_ROWS; n++) {
        add_row(&table, q);
        TRY(query_next(q, more, err));
    }
    table_print(cli, &table, "");
    return DS_DONE;
}

static ds_rc print_text(ds_cli *cli, ds_query *q, ds_error *err)
{
    bool more;
    TRY(query_next(q, &more, err));
    if (!more)
        note(cli, "no rows");
    while (more)
        TRY(print_piece(cli, q, &more, err));
    return DS_DONE;
}

// The model may come from another image, and reads what no query may: so it goes before.
static ds_rc open_with_lineage(ds_compiled *compiled, const char *sql, ds_query **q, ds_error *err)
{
    query_closep(q);
    if (!compiled->model)
        TRY(compiled_model(compiled, err));
    query_lineage lineage = query_lineage_find(compiled->model, compiled->cli->arena);
    TRY(compiled_whole(compiled, err));
    TRY(query_open(compiled->image, sql, compiled->cli->program->cancelled, q, err));
    return query_put_lineage(*q, lineage, err);
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    if (args_flag(&cli->args, "markdown")) {
        cli->json = false;
        print_reference(cli->out);
        return DS_DONE;
    }
    if (args_flag(&cli->args, "tables")) {
        list_tables(cli);
        return DS_DONE;
    }
    const char *sql = args_word(&cli->args, 0);
    if (!sql)
        return ds_hint(ds_fail(err, DS_USAGE, "query wants SQL"), err,
                       "datasurface query --tables lists what there is");
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    TRY(session_check_dirs(&session, err));
    CLEANUP(compiled_release) ds_compiled compiled;
    compiled_init(&compiled, cli, session.dir);
    TRY(compiled_image(&compiled, err));
    CLEANUP(query_closep) ds_query *q = NULL;
    TRY(query_open(compiled.image, sql, cli->program->cancelled, &q, err));
    if (query_reads_lineage(q))
        TRY(open_with_lineage(&compiled, sql, &q, err));
    return cli->json ? print_json(cli, q, err) : print_text(cli, q, err);
}

const ds_cli_command COMMAND_QUERY = {
    .name = "query",
    .summary = "SQL over the whole model",
    .group = "The model",
    .arguments = {{.name = "SQL", .help = "one SELECT, in SQLite's dialect", .optional = true}},
    .options = OPTIONS,
    .help = "Asks the compiled model: stores, datasets, columns, who uses what, streams, findings. Nothing can be "
            "changed, and nothing but the model is read. --tables lists the tables; docs/query.md explains them.",
    .exits = {{2, "the SQL is wrong, or asks for what it may not have"}},
    .examples = {"datasurface query \"SELECT workspace, store, dataset FROM sinks\"",
                 "datasurface query \"SELECT store, dataset, name FROM columns WHERE classification LIKE '%cpi%'\""},
    .run = run,
};
