#include "cli/commands.h"
#include "cli/output.h"
#include "cli/view_list.h"
#include "schema/value.h"

static const ds_option OPTIONS[] = {
    {"as-of", 0, OPTION_TEXT, "N|TIME", .help = "a batch, or an instant such as 2026-01-31T12:00:00Z"},
    {0},
};

enum { CELL_MAX = 64 << 20 };

// --- the instant

static bool parse_instant(ds_arena *arena, const char *text, int64_t *out)
{
    size_t error_at;
    ds_error ignored;
    ds_shape_column column = {.name = "as-of", .source = "as-of"};
    if (type_parse(arena, STR("timestamptz"), &column.type, &error_at, &ignored).code != DS_OK)
        BUG("no timestamptz");
    const ds_shape *shape;
    if (shape_new(arena, &column, 1, NULL, 0, &shape, &ignored).code != DS_OK)
        BUG("no shape");
    ds_rows rows;
    rows_init(&rows);
    rows_begin(&rows);
    bool ok = value_put_text(&rows, &shape->columns[0], str_of(text), &ignored).code == DS_OK &&
              rows_end(&rows, shape, 0, &ignored).code == DS_OK;
    ds_cell cell = {0};
    if (ok)
        row_cells(shape, rows_row(&rows, 0), &cell);
    if (cell.p)
        *out = cell_i64(cell);
    rows_release(&rows);
    return ok && cell.p;
}

// "7" is a batch; a time without a zone is UTC, a date its midnight.
static ds_rc parse_as_of(ds_arena *arena, const char *text, ds_as_of *out, ds_error *err)
{
    static const char *const TAILS[] = {"", "Z", " 00:00:00Z"};
    *out = (ds_as_of){0};
    out->is_batch = str_int64(str_of(text), &out->batch);
    if (out->is_batch && out->batch > 0)
        return DS_DONE;
    for (size_t i = 0; !out->is_batch && i < sizeof TAILS / sizeof TAILS[0]; i++)
        if (parse_instant(arena, arena_printf(arena, "%s%s", text, TAILS[i]), &out->instant))
            return DS_DONE;
    return ds_hint(ds_fail(err, DS_USAGE, "--as-of can't be \"%s\"", text), err,
                   "write a batch from 1, or a time such as 2026-01-31T12:00:00Z");
}

// --- rows out

// RFC 4180. Null is an empty field, an empty text is "".
static void csv_field(FILE *out, ds_str text, bool null, bool first)
{
    if (!first)
        fputc(',', out);
    if (null)
        return;
    bool quote = text.n == 0;
    for (size_t i = 0; i < text.n; i++)
        quote |= text.p[i] == ',' || text.p[i] == '"' || text.p[i] == '\r' || text.p[i] == '\n';
    if (!quote) {
        fwrite(text.p, 1, text.n, out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            fputc('"', out);
        fputc(text.p[i], out);
    }
    fputc('"', out);
}

// Not before there is an answer: a refusal leaves standard output empty.
static void print_header(void *context, const ds_shape *shape)
{
    const ds_cli *cli = context;
    if (cli->json)
        return;
    for (size_t i = 0; i < shape->n; i++)
        csv_field(cli->out, str_of(shape->columns[i].name), false, i == 0);
    fputs("\r\n", cli->out);
}

// 64-bit numbers don't survive in JSON numbers.
static json_t *cell_json(const ds_type *type, ds_cell cell, const ds_buf *text)
{
    if (!cell.p)
        return json_null();
    if (type_class(type) == VALUE_BOOL)
        return json_boolean(cell.p[0]);
    if (type_class(type) == VALUE_INT && type->kind != TYPE_BIGINT && type->kind != TYPE_UBIGINT)
        return json_integer(cell_i64(cell));
    return json_stringn(buf_text(text), text->n);
}

static ds_rc print_row(void *context, const ds_shape *shape, const ds_cell *cells, ds_error *err)
{
    (void)err;
    ds_cli *cli = context;
    json_t *row = cli->json ? json_object() : NULL;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(CELL_MAX);
    for (size_t i = 0; i < shape->n; i++) {
        buf_clear(&text);
        if (cells[i].p)
            value_print(shape->columns[i].type, cells[i], &text);
        if (row)
            json_object_set_new(row, shape->columns[i].name, cell_json(shape->columns[i].type, cells[i], &text));
        else
            csv_field(cli->out, (ds_str){buf_text(&text), text.n}, !cells[i].p, i == 0);
    }
    if (row)
        output_row_take(cli, row);
    else
        fputs("\r\n", cli->out);
    return DS_DONE;
}

// --- whose path it is

static const char *path_of(ds_arena *arena, const ds_artifact *is)
{
    return arena_path(arena, is->workspace, is->group, is->store, is->dataset, NULL);
}

// Is the path's dataset one of a stream that the model no longer has?
static bool is_kept(const char *path, const ds_stream_info *stream)
{
    ds_str rest = str_of(path);
    (void)str_split(&rest, '/');
    (void)str_split(&rest, '/');
    ds_str store = str_split(&rest, '/');
    for (size_t i = 0; i < stream->dataset_count; i++)
        if (str_eq(store, str_of(stream->store)) && str_eq(rest, str_of(stream->datasets[i])))
            return true;
    return false;
}

static ds_rc unknown_path(ds_session *session, const view_list *views, ds_error *err)
{
    const char *path = args_word(&session->cli->args, 0);
    if (session->missing.code != DS_OK) { // it may be there
        *err = session->missing;
        return (ds_rc){err->code};
    }
    TRY(session_read_kept(session, err));
    for (size_t i = 0; i < session->kept.n; i++)
        if (is_kept(path, session->kept.v[i]))
            return ds_hint(ds_fail(err, DS_USAGE, "\"%s\": stream %s was removed from the model; its tables are kept",
                                   path, session->kept.v[i]->name),
                           err, "put it back and apply, or drop its tables with apply --prune");
    const char **known = ARENA_ARRAY(session->cli->arena, const char *, views->n);
    for (size_t i = 0; i < views->n; i++)
        known[i] = path_of(session->cli->arena, &views->v[i].is);
    const char *nearest = str_nearest(path, known, views->n);
    ds_rc rc = ds_fail(err, DS_USAGE, "no consumer has \"%s\"", path);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "write WORKSPACE/GROUP/STORE/DATASET as datasurface views lists them");
}

static ds_rc find_path(ds_session *session, const view_entry **out, ds_error *err)
{
    view_list views;
    TRY(view_list_read(session, NULL, &views, err));
    for (size_t i = 0; i < views.n; i++)
        if (strcmp(path_of(session->cli->arena, &views.v[i].is), args_word(&session->cli->args, 0)) == 0) {
            *out = &views.v[i];
            return DS_DONE;
        }
    return unknown_path(session, &views, err);
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    const char *text = args_text(&cli->args, "as-of");
    if (!text)
        return ds_hint(ds_fail(err, DS_USAGE, "history wants --as-of"), err, "give a batch or a time");
    ds_as_of as_of;
    TRY(parse_as_of(cli->arena, text, &as_of, err));
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    session.some = true;
    const view_entry *view = NULL;
    TRY(find_path(&session, &view, err));
    if (!view->type->history)
        return ds_fail(err, DS_USAGE, "stream %s is of a platform that keeps no history", view->is.stream);
    cli->result =
        json_pack("{s:s, s:s, s:o}", "dataset", args_word(&cli->args, 0), "as_of", text, "rows", json_array());
    const ds_row_sink sink = {.context = cli, .shape = print_header, .row = print_row};
    return view->type->history(&session.runtime, view->merge, &view->is, as_of, &sink, err);
}

const ds_cli_command COMMAND_HISTORY = {
    .name = "history",
    .summary = "a dataset's rows as of a batch or an instant",
    .group = "The results",
    .arguments = {{.name = "PATH", .help = "WORKSPACE/GROUP/STORE/DATASET, as views lists them"}},
    .options = OPTIONS,
    .help =
        "Prints the rows that a consumer's dataset had after a batch, or at an instant: after the last batch that had "
        "committed by then. CSV (RFC 4180; a null is an empty field, an empty text is \"\"), or JSON.",
    .exits = {{1, "before the kept history, after the last batch, or the platform keeps no history"}},
    .examples = {"datasurface history Consumer1/audit/Store1/customers --as-of 3",
                 "datasurface history Consumer1/audit/Store1/customers --as-of 2026-01-31T12:00:00Z"},
    .run = run,
};
