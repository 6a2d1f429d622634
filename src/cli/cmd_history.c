#include "base/vec.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "schema/value.h"
#include "yellow/history.h"

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

typedef struct row_printer {
    ds_cli *cli;
    bool headed; // CSV: the names are written
} row_printer;

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

// Not before there is something to show: a refusal leaves standard output empty.
static void csv_header(row_printer *printer, const ds_shape *shape)
{
    FILE *out = printer->cli->out;
    if (printer->headed || printer->cli->json)
        return;
    printer->headed = true;
    for (size_t i = 0; i < shape->n; i++)
        csv_field(out, str_of(shape->columns[i].name), false, i == 0);
    fputs("\r\n", out);
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
    row_printer *printer = context;
    csv_header(printer, shape);
    json_t *row = printer->cli->json ? json_object() : NULL;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(CELL_MAX);
    for (size_t i = 0; i < shape->n; i++) {
        buf_clear(&text);
        if (cells[i].p)
            value_print(shape->columns[i].type, cells[i], &text);
        if (row)
            json_object_set_new(row, shape->columns[i].name, cell_json(shape->columns[i].type, cells[i], &text));
        else
            csv_field(printer->cli->out, (ds_str){buf_text(&text), text.n}, !cells[i].p, i == 0);
    }
    if (row)
        output_row_take(printer->cli, row);
    else
        fputs("\r\n", printer->cli->out);
    return DS_DONE;
}

// --- which merge database has the path

static bool is_path(const char *path, const ds_view_row *view)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(2048);
    buf_printf(&text, "%s/%s/%s/%s", view->workspace, view->group, view->store, view->dataset);
    return strcmp(buf_text(&text), path) == 0;
}

static const ds_shape *shape_of(const ds_stream_row *stream, const char *dataset)
{
    for (size_t i = 0; stream && i < stream->def->dataset_count; i++)
        if (strcmp(stream->def->datasets[i].name, dataset) == 0)
            return stream->def->datasets[i].shape;
    return NULL;
}

// Is the path's dataset one of a stream that the model no longer has?
static bool is_kept(const char *path, const ds_stream_row *stream)
{
    ds_str rest = str_of(path);
    (void)str_split(&rest, '/');
    (void)str_split(&rest, '/');
    ds_str store = str_split(&rest, '/');
    for (size_t i = 0; stream && stream->removed && i < stream->def->dataset_count; i++)
        if (str_eq(store, str_of(stream->def->store)) && str_eq(rest, str_of(stream->def->datasets[i].name)))
            return true;
    return false;
}

static ds_rc unknown_path(ds_session *session, const char *const *known, size_t n, ds_error *err)
{
    const char *path = args_word(&session->cli->args, 0);
    TRY(session_read_kept(session, err));
    for (size_t i = 0; i < session->kept.n; i++)
        if (is_kept(path, session->kept.v[i]->own))
            return ds_hint(ds_fail(err, DS_USAGE, "\"%s\": stream %s was removed from the model; its tables are kept",
                                   path, session->kept.v[i]->name),
                           err, "put it back and apply, or drop its tables with apply --prune");
    const char *nearest = str_nearest(path, known, n);
    ds_rc rc = ds_fail(err, DS_USAGE, "no consumer has \"%s\"", path);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "write WORKSPACE/GROUP/STORE/DATASET as datasurface views lists them");
}

typedef VEC(const char *) name_list;

// Prints the rows when this merge database has the path; *found tells.
static ds_rc try_merge(ds_session *session, const ds_container_def *merge, ds_as_of as_of, row_printer *printer,
                       name_list *known, bool *found, ds_error *err)
{
    const char *path = args_word(&session->cli->args, 0);
    ds_arena *arena = session->cli->arena;
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(&session->runtime, merge, CONTROL_READ, &control, err));
    ds_view_row *views;
    const ds_shape *shape = NULL;
    size_t n;
    TRY(control_views(control, arena, &views, &n, err));
    for (size_t i = 0; i < n && !*found; i++) {
        *VEC_PUSH(arena, known) =
            arena_printf(arena, "%s/%s/%s/%s", views[i].workspace, views[i].group, views[i].store, views[i].dataset);
        if (!is_path(path, &views[i]))
            continue;
        ds_stream_row *stream;
        TRY(control_stream(control, views[i].stream, arena, &stream, err));
        shape = shape_of(stream, views[i].dataset);
        *found = true;
    }
    if (!*found)
        return DS_DONE;
    TRY(history_read(control, path, as_of, print_row, printer, err));
    if (shape)
        csv_header(printer, shape);
    return DS_DONE;
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
    TRY(session_merges(&session, err));
    row_printer printer = {.cli = cli};
    cli->result =
        json_pack("{s:s, s:s, s:o}", "dataset", args_word(&cli->args, 0), "as_of", text, "rows", json_array());
    name_list known = {0};
    bool found = false;
    for (size_t i = 0; i < session.merge_count && !found; i++)
        TRY(try_merge(&session, &session.merges[i], as_of, &printer, &known, &found, err));
    return found ? DS_DONE : unknown_path(&session, known.v, known.n, err);
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
