#include "conformance/stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "conformance/far.h"
#include "schema/value.h"
#include "yellow/history.h"

#define MUST(expr)                                                                                                     \
    do {                                                                                                               \
        if ((expr).code != DS_OK)                                                                                      \
            BUG("%s: %s", #expr, err.text);                                                                            \
    } while (0)

void stage_open(stage *s, const test_pair *pair, const test_pair *far, const char *strategy, bool guard)
{
    *s = (stage){.far = far, .strategy = strategy, .guard = guard};
    pair_clear(pair);
    pair_clear(far);
    estate_open_on(&s->e, pair);
}

void stage_close(stage *s)
{
    estate_close(&s->e);
}

// --- the model

static void put_indented(ds_buf *out, const char *text, const char *indent)
{
    for (ds_str rest = str_of(text); rest.n;) {
        ds_str line = str_split(&rest, '\n');
        buf_printf(out, "%s%.*s\n", indent, STR_ARGS(line));
    }
}

// {Far} and {Far:credential} stand for the far database; the texts have other braces of their own.
static void put_line_of(const stage *s, ds_str line, ds_buf *out)
{
    const char *const names[] = {"{Far}", "{Far:credential}"};
    const char *const values[] = {far_container_yaml(s->far, s->e.arena), far_credential_yaml(s->far)};
    const char *text = arena_str(s->e.arena, line);
    for (size_t i = 0; i < 2; i++) {
        const char *at = strstr(text, names[i]);
        if (at)
            text = arena_printf(s->e.arena, "%.*s%s%s", (int)(at - text), text, values[i], at + strlen(names[i]));
    }
    buf_printf(out, "%s\n", text);
}

// The case's own documents; with the guard on, they switch it off nowhere.
static void put_documents(const stage *s, const char *text, ds_buf *out)
{
    for (ds_str rest = str_of(text); rest.n;) {
        ds_str line = str_split(&rest, '\n');
        if (!s->guard || !str_eq(str_trim(line), STR("max_delete_ratio: 1")))
            put_line_of(s, line, out);
    }
}

// Every name of a dataset: the keys at the margin.
static void put_sinks(ds_buf *out, const char *datasets)
{
    const char *comma = "";
    for (ds_str rest = str_of(datasets); rest.n;) {
        ds_str line = str_split(&rest, '\n');
        if (!line.n || line.p[0] == ' ' || line.p[0] == '#')
            continue;
        ds_str name = str_split(&line, ':');
        buf_printf(out, "%sStore1/%.*s", comma, STR_ARGS(name));
        comma = ", ";
    }
}

static void put_group(ds_buf *out, const char *name, const char *requires, const char *datasets)
{
    buf_printf(out, "  %s:\n    requires: {history: %s}\n    sinks: [", name, requires);
    put_sinks(out, datasets);
    buf_puts(out, "]\n");
}

// A field of the model as it stands in this step, or else at the top of the case.
static const char *field(const stage *s, const char *key, const char *otherwise)
{
    return node_get_text(s->model, key, node_get_text(s->root, key, otherwise));
}

static void put_source(const stage *s, ds_buf *out)
{
    buf_puts(out, "kind: DataContainer\nteam: Z/T\nname: Source\n");
    for (ds_str rest = str_of(pair_container_yaml(&s->e.pair, PAIR_SOURCE, s->e.arena)); rest.n;) {
        ds_str line = str_trim(str_split(&rest, ','));
        buf_printf(out, "%.*s\n", STR_ARGS(line));
    }
    bool typed = strstr(field(s, "capture", ""), "type: ") != NULL;
    buf_printf(out,
               "---\nkind: Datastore\nteam: Z/T\nname: Store1\ncapture:\n%s  container: Source\n"
               "  trigger: {external: true}\n%s\n",
               typed ? "" : "  type: sql_snapshot\n", estate_credential(&s->e, PAIR_SOURCE, "  "));
}

static const char *model_text(const stage *s)
{
    const char *datasets = field(s, "datasets", NULL);
    bool full = strcmp(s->strategy, "scd1") != 0;
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    put_source(s, &out);
    if (!s->guard)
        buf_puts(&out, "  max_delete_ratio: 1\n");
    put_indented(&out, field(s, "capture", ""), "  ");
    buf_puts(&out, "datasets:\n");
    put_indented(&out, datasets, "  ");
    buf_puts(&out, "---\nkind: Workspace\nteam: Z/T\nname: Consumer\ndataset_groups:\n");
    put_group(&out, "live", "live", datasets);
    if (full)
        put_group(&out, "full", "full", datasets);
    buf_printf(&out,
               "---\nkind: PlatformService\nname: Svc\nmerge: {container: Merge%s}\ncontainers:\n  Merge: {%s}\n"
               "auto_assign: true\nplatforms:\n  P: {type: yellow, milestoning: %s%s}\n",
               estate_credential(&s->e, PAIR_MERGE, ", "), pair_container_yaml(&s->e.pair, PAIR_MERGE, s->e.arena),
               s->strategy, field(s, "platform", ""));
    put_indented(&out, field(s, "platforms", ""), "  ");
    buf_puts(&out, field(s, "service", ""));
    const char *hints = field(s, "hints", NULL);
    if (hints)
        buf_printf(&out, "hints:\n  streams:\n    Store1: {%s}\n", hints);
    put_documents(s, field(s, "more", ""), &out);
    return arena_strdup(s->e.arena, buf_text(&out));
}

ds_rc stage_compile(stage *s, const node *model, ds_error *err)
{
    s->model = model;
    s->root = s->root ? s->root : model;
    s->place = NULL;
    return estate_compile(&s->e, model_text(s), err);
}

void stage_turn(stage *s, const char *place)
{
    if (strcmp(place ? place : "", s->place ? s->place : "") != 0)
        estate_turn_to(&s->e, place);
    s->place = place;
}

static ds_db *open_place(const stage *s)
{
    ds_db *db;
    ds_error err;
    MUST(runtime_open(&s->e.runtime, &s->e.deployment->merge, (ds_access){.create = true}, &db, &err));
    return db;
}

// The streams of the place, mirrors behind all others: what has no full name is the primary's.
static const ds_stream_def *stream_at(const stage *s, size_t i)
{
    const ds_deployment *d = s->e.deployment;
    size_t k = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < d->n; j++)
            if ((d->streams[j]->primary != NULL) == (pass == 1) && k++ == i)
                return d->streams[j];
    return NULL;
}

const ds_stream_def *stage_stream(const stage *s, const char *name)
{
    const ds_stream_def *stream;
    for (size_t i = 0; (stream = stream_at(s, i)); i++)
        if (!name || strcmp(stream->name, name) == 0)
            return stream;
    BUG("no stream %s", name ? name : "");
}

static bool is_called(const stage *s, const ds_stream_def *stream, const char *dataset, const char *name)
{
    const char *path = arena_printf(s->e.arena, "%s/%s", stream->store, dataset);
    const char *full = arena_printf(s->e.arena, "%s/%s", stream->name, dataset);
    return strcmp(dataset, name) == 0 || strcmp(path, name) == 0 || strcmp(full, name) == 0;
}

const ds_dataset_def *stage_dataset(const stage *s, const char *name, const ds_stream_def **stream)
{
    for (size_t i = 0; (*stream = stream_at(s, i)); i++)
        for (size_t k = 0; k < (*stream)->dataset_count; k++)
            if (is_called(s, *stream, (*stream)->datasets[k].name, name))
                return &(*stream)->datasets[k];
    BUG("no dataset %s", name);
}

// --- the source

static void run_statements(stage *s, ds_db *db, const char *statements)
{
    ds_error err;
    MUST(store_begin(db, BEGIN_WRITE, &err));
    for (ds_str rest = str_of(statements); rest.n;) {
        ds_str one = str_trim(str_split(&rest, ';'));
        while (one.n && (one.p[0] == '\n' || one.p[0] == ' '))
            one = (ds_str){one.p + 1, one.n - 1};
        if (!one.n)
            continue;
        CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
        sql_user_text(&q, arena_str(s->e.arena, one));
        if (store_exec(db, &q, NULL, &err).code != DS_OK)
            BUG("%s: %s", buf_text(&q.text), err.text);
    }
    MUST(store_commit(db, &err));
    store_close(db);
}

void stage_source(stage *s, const char *statements)
{
    run_statements(s, estate_database(&s->e, PAIR_SOURCE), statements);
}

// The dataset's columns under their names at the source.
static const ds_shape *source_shape(const stage *s, const ds_dataset_def *d)
{
    ds_shape_column *columns = ARENA_ARRAY(s->e.arena, ds_shape_column, d->shape->n);
    for (size_t i = 0; i < d->shape->n; i++)
        columns[i] = (ds_shape_column){.name = d->shape->columns[i].source, .type = d->shape->columns[i].type};
    const ds_shape *shape;
    ds_error err;
    MUST(shape_new(s->e.arena, columns, d->shape->n, NULL, 0, &shape, &err));
    return shape;
}

static void create_table(ds_db *db, const ds_dataset_def *d, const ds_shape *shape)
{
    ds_error err;
    CLEANUP(sql_release) ds_sql drop = sql_new(db->dialect);
    SQL(&drop, "DROP TABLE IF EXISTS ");
    sql_relation(&drop, (ds_relation){d->source_schema, d->source_table});
    MUST(store_exec(db, &drop, NULL, &err));
    CLEANUP(sql_release) ds_sql create = sql_new(db->dialect);
    SQL(&create, "CREATE TABLE ");
    sql_relation(&create, (ds_relation){d->source_schema, d->source_table});
    for (size_t i = 0; i < shape->n; i++) {
        sql_add_fixed(&create, i ? ", " : " (", 2);
        sql_ident(&create, shape->columns[i].name);
        SQL(&create, " ");
        db->dialect->column_type(shape->columns[i].type, &create.text);
    }
    SQL(&create, ")");
    MUST(store_exec(db, &create, NULL, &err));
}

static void encode_row(const ds_shape *shape, const node *values, ds_rows *rows)
{
    ds_error err;
    if (node_count(values) != shape->n)
        BUG("a row has %zu values, the dataset %zu columns", node_count(values), shape->n);
    rows_begin(rows);
    for (size_t i = 0; i < shape->n; i++) {
        const char *text = node_text(node_item(values, shape->hash_order[i]));
        if (text)
            MUST(value_put_text(rows, &shape->columns[shape->hash_order[i]], str_of(text), &err));
    }
    MUST(rows_end(rows, shape, 0, &err));
}

void stage_make_table(stage *s, const char *dataset, const node *rows)
{
    const ds_stream_def *stream;
    const ds_dataset_def *d = stage_dataset(s, dataset, &stream);
    const ds_shape *shape = source_shape(s, d);
    ds_db *db = estate_database(&s->e, PAIR_SOURCE);
    ds_error err;
    ds_rows one;
    rows_init(&one);
    MUST(store_begin(db, BEGIN_WRITE, &err));
    create_table(db, d, shape);
    ds_write write = {.table = {d->source_schema, d->source_table}, .shape = shape};
    ds_writer *writer;
    MUST(db->driver->write_open(db, &write, &writer, &err));
    for (size_t i = 0; i < node_count(rows); i++) {
        rows_clear(&one);
        encode_row(shape, node_item(rows, i), &one);
        MUST(db->driver->write_row(writer, NULL, rows_row(&one, 0), &err));
    }
    int64_t written;
    MUST(db->driver->write_close(writer, &written, &err));
    MUST(store_commit(db, &err));
    rows_release(&one);
    store_close(db);
}

// --- names in statements on the merge database

static ds_relation named(stage *s, ds_str name)
{
    ds_str what = name, dataset = str_split(&what, ':');
    if (str_eq(dataset, STR("control")))
        return naming_control(s->e.arena, s->e.deployment->dialect->names, arena_str(s->e.arena, what));
    const ds_stream_def *stream;
    const ds_dataset_def *d = stage_dataset(s, arena_str(s->e.arena, dataset), &stream);
    if (str_eq(what, STR("staging")))
        return d->staging;
    return str_eq(what, STR("history")) ? d->history : d->merge;
}

void stage_merge(stage *s, const char *statements)
{
    CLEANUP(sql_release) ds_sql out = sql_new(s->e.deployment->dialect);
    for (ds_str rest = str_of(statements); rest.n;) {
        buf_put_str(&out.text, str_split(&rest, '{'));
        if (rest.n)
            sql_relation(&out, named(s, str_split(&rest, '}')));
    }
    run_statements(s, open_place(s), buf_text(&out.text));
}

// --- what is seen

typedef struct lines {
    VEC(const char *) v;
} lines;

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *joined(stage *s, lines *l)
{
    if (l->v.n)
        qsort(l->v.v, l->v.n, sizeof l->v.v[0], compare);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(64 << 20);
    for (size_t i = 0; i < l->v.n; i++)
        buf_printf(&out, "%s\n", l->v.v[i]);
    return arena_strdup(s->e.arena, buf_text(&out));
}

static bool is_key(const ds_shape *shape, size_t column)
{
    for (size_t i = 0; i < shape->key_count; i++)
        if (shape->key[i] == column)
            return true;
    return false;
}

static void put_cell(const ds_shape *shape, const ds_cell *cells, size_t i, bool comma, ds_buf *out)
{
    if (comma)
        buf_putc(out, ',');
    if (cells[i].p)
        value_print(shape->columns[i].type, cells[i], out);
    else
        buf_putc(out, '~');
}

// key(other columns); the shape may have more cells behind.
static void put_row(const ds_shape *shape, const ds_cell *cells, ds_buf *out)
{
    for (size_t i = 0; i < shape->key_count; i++)
        put_cell(shape, cells, shape->key[i], i > 0, out);
    buf_putc(out, '(');
    for (size_t i = 0, n = 0; i < shape->n; i++)
        if (!is_key(shape, i))
            put_cell(shape, cells, i, n++ > 0, out);
    buf_putc(out, ')');
}

typedef enum seen { SEEN_ROW, SEEN_IN, SEEN_INTERVAL } seen;

// The dataset's columns and, behind them, ds_batch_in and ds_batch_out as far as they are wanted.
static const ds_shape *seen_shape(stage *s, const ds_shape *shape, size_t more)
{
    static const ds_type BIGINT = {.kind = TYPE_BIGINT};
    ds_shape_column *columns = ARENA_ARRAY(s->e.arena, ds_shape_column, shape->n + 2);
    memcpy(columns, shape->columns, shape->n * sizeof *columns);
    for (size_t i = 0; i < shape->n; i++)
        columns[i].not_null = false;
    columns[shape->n] = (ds_shape_column){.name = "ds_batch_in", .type = &BIGINT};
    columns[shape->n + 1] = (ds_shape_column){.name = "ds_batch_out", .type = &BIGINT};
    const ds_shape *out;
    ds_error err;
    MUST(shape_new(s->e.arena, columns, shape->n + more, NULL, 0, &out, &err));
    return out;
}

static void put_line(stage *s, const ds_shape *shape, const ds_cell *cells, seen how, bool live, lines *out)
{
    CLEANUP(buf_release) ds_buf line = BUF_INIT(1 << 20);
    put_row(shape, cells, &line);
    if (how == SEEN_IN)
        buf_printf(&line, "@%" PRId64, cell_i64(cells[shape->n]));
    if (how == SEEN_INTERVAL && (live || cell_i64(cells[shape->n + 1]) == BATCH_LIVE))
        buf_printf(&line, "[%" PRId64 ",MAX]", cell_i64(cells[shape->n]));
    else if (how == SEEN_INTERVAL)
        buf_printf(&line, "[%" PRId64 ",%" PRId64 "]", cell_i64(cells[shape->n]), cell_i64(cells[shape->n + 1]));
    *VEC_PUSH(s->e.arena, &out->v) = arena_strdup(s->e.arena, buf_text(&line));
}

static void read_lines(stage *s, const ds_read *read, const ds_shape *shape, seen how, bool live, lines *out)
{
    ds_db *db = open_place(s);
    ds_reader *reader;
    ds_error err;
    ds_rows rows;
    rows_init(&rows);
    MUST(db->driver->read_open(db, read, &reader, &err));
    ds_cell *cells = ARENA_ARRAY(s->e.arena, ds_cell, read->shape->n);
    for (bool more = true; more;) {
        rows_clear(&rows);
        MUST(db->driver->read_next(reader, &rows, 1000, 1 << 20, &more, &err));
        for (size_t i = 0; i < rows.n; i++) {
            row_cells(read->shape, rows_row(&rows, i), cells);
            put_line(s, shape, cells, how, live, out);
        }
    }
    db->driver->read_close(reader);
    rows_release(&rows);
    store_close(db);
}

// live: the relation holds, or is asked for, live rows only.
static void see(stage *s, const ds_dataset_def *d, ds_relation relation, seen how, bool has_out, bool live, lines *out)
{
    const ds_shape *shape = seen_shape(s, d->shape, how == SEEN_ROW ? 0 : how == SEEN_INTERVAL && has_out ? 2 : 1);
    CLEANUP(sql_release) ds_sql q = sql_new(s->e.deployment->dialect);
    SQL(&q, "SELECT ");
    sql_columns_to_read(&q, shape, false);
    SQL(&q, " FROM ");
    sql_relation(&q, relation);
    if (live && has_out) {
        SQL(&q, " WHERE ds_batch_out = ");
        sql_literal_int(&q, BATCH_LIVE);
    }
    ds_read read = {.select = &q, .shape = shape};
    read_lines(s, &read, d->shape, how, live, out);
}

const char *stage_live(stage *s, const char *dataset)
{
    const ds_stream_def *stream;
    const ds_dataset_def *d = stage_dataset(s, dataset, &stream);
    lines out = {0};
    see(s, d, d->merge, SEEN_IN, def_has_out(stream), true, &out);
    return joined(s, &out);
}

const char *stage_versions(stage *s, const char *dataset)
{
    const ds_stream_def *stream;
    const ds_dataset_def *d = stage_dataset(s, dataset, &stream);
    lines out = {0};
    bool out_column = def_has_out(stream);
    see(s, d, d->merge, SEEN_INTERVAL, out_column, !out_column, &out);
    if (stream->milestoning == MILESTONING_SCD4)
        see(s, d, d->history, SEEN_INTERVAL, true, false, &out);
    return joined(s, &out);
}

static const char *view_of(stage *s, const char *dataset, bool history)
{
    const ds_stream_def *stream;
    const ds_dataset_def *d = stage_dataset(s, dataset, &stream);
    lines out = {0};
    for (size_t i = 0; i < d->view_count; i++)
        if (d->views[i].history == history) {
            see(s, d, d->views[i].relation, history ? SEEN_INTERVAL : SEEN_ROW, history, false, &out);
            return joined(s, &out);
        }
    BUG("dataset %s has no such view", dataset);
}

const char *stage_view(stage *s, const char *dataset)
{
    return view_of(s, dataset, false);
}

const char *stage_history_view(stage *s, const char *dataset)
{
    return view_of(s, dataset, true);
}

typedef struct as_of {
    stage *s;
    lines lines;
} as_of;

static ds_rc on_row(void *context, const ds_shape *shape, const ds_cell *cells, ds_error *err)
{
    (void)err;
    as_of *a = context;
    put_line(a->s, shape, cells, SEEN_ROW, false, &a->lines);
    return DS_DONE;
}

const char *stage_as_of(stage *s, const char *dataset, int64_t batch)
{
    ds_control *control;
    ds_error err;
    as_of a = {.s = s};
    MUST(control_open(&s->e.runtime, &s->e.deployment->merge, CONTROL_READ, &control, &err));
    const char *path = arena_printf(s->e.arena, "Consumer/full/Store1/%s", dataset);
    MUST(history_read(control, path, (ds_as_of){.batch = batch, .is_batch = true}, &(ds_row_sink){&a, NULL, on_row},
                      &err));
    control_close(control);
    return joined(s, &a.lines);
}

const char *stage_staged_batches(stage *s, const char *dataset)
{
    const ds_stream_def *stream;
    const ds_dataset_def *d = stage_dataset(s, dataset, &stream);
    ds_db *db = open_place(s);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT DISTINCT ds_batch_id FROM ");
    sql_relation(&q, d->staging);
    SQL(&q, " ORDER BY 1");
    ds_result r;
    ds_error err;
    MUST(store_query(db, &q, s->e.arena, &r, &err));
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 16);
    for (size_t i = 0; i < r.rows; i++)
        buf_printf(&out, "%s%s", i ? " " : "", result_text(&r, i, 0));
    store_close(db);
    return arena_strdup(s->e.arena, buf_text(&out));
}

const char *stage_lines(stage *s, const node *list)
{
    lines out = {0};
    for (size_t i = 0; i < node_count(list); i++)
        *VEC_PUSH(s->e.arena, &out.v) = node_text(node_item(list, i));
    return joined(s, &out);
}
