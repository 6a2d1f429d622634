#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "conformance/engine/play.h"
#include "schema/value.h"
#include "yellow/history.h"

enum { ROW_MAX = 1 << 20, EXTRA_MAX = 2 };
typedef VEC(const char *) lines;

typedef struct printing {
    play *p;
    const ds_dataset_def *dataset;
    lines lines;
} printing;

static void must(const play *p, ds_rc rc, const ds_error *err)
{
    if (rc.code != DS_OK)
        node_fail(p->step, "%s", err->text);
}

// --- one row as text

static bool is_key(const ds_shape *shape, size_t column)
{
    for (size_t k = 0; k < shape->key_count; k++)
        if (shape->key[k] == column)
            return true;
    return false;
}

static void put_cells(const ds_shape *shape, const ds_cell *cells, bool keys, ds_buf *out)
{
    for (size_t i = 0, n = 0; i < shape->n; i++) {
        if (is_key(shape, i) != keys)
            continue;
        if (n++)
            buf_putc(out, ',');
        if (cells[i].p)
            value_print(shape->columns[i].type, cells[i], out);
        else
            buf_putc(out, '~');
    }
}

// in, out: behind the dataset's own cells, as far as the kind has them.
static void put_row(printing *t, const ds_cell *cells, rows_kind kind, int64_t out)
{
    const ds_shape *shape = t->dataset->shape;
    CLEANUP(buf_release) ds_buf line = BUF_INIT(ROW_MAX);
    put_cells(shape, cells, true, &line);
    buf_putc(&line, '(');
    put_cells(shape, cells, false, &line);
    buf_putc(&line, ')');
    if (kind == ROWS_LIVE)
        buf_printf(&line, "@%" PRId64, cell_i64(cells[shape->n]));
    if (kind == ROWS_VERSIONS && out == BATCH_LIVE)
        buf_printf(&line, "[%" PRId64 ",MAX]", cell_i64(cells[shape->n]));
    else if (kind == ROWS_VERSIONS)
        buf_printf(&line, "[%" PRId64 ",%" PRId64 "]", cell_i64(cells[shape->n]), out);
    *VEC_PUSH(t->p->w.arena, &t->lines) = arena_strdup(t->p->w.arena, buf_text(&line));
}

// --- a whole table

// The dataset's shape with the batch columns behind it.
static const ds_shape *shape_with(play *p, const ds_shape *shape, bool in, bool out)
{
    static const char *const NAMES[EXTRA_MAX] = {"ds_batch_in", "ds_batch_out"};
    ds_arena *arena = p->w.arena;
    ds_error err;
    size_t n = shape->n, at;
    ds_shape_column *columns = ARENA_ARRAY(arena, ds_shape_column, shape->n + EXTRA_MAX);
    memcpy(columns, shape->columns, shape->n * sizeof *columns);
    for (size_t i = 0; i < (size_t)in + (size_t)out; i++) {
        columns[n] = (ds_shape_column){.name = NAMES[i], .source = NAMES[i]};
        must(p, type_parse(arena, STR("bigint"), &columns[n++].type, &at, &err), &err);
    }
    const ds_shape *extended;
    must(p, shape_new(arena, columns, n, NULL, 0, &extended, &err), &err);
    return extended;
}

static void read_rows(printing *t, ds_db *db, const ds_read *read, rows_kind kind, bool has_out)
{
    ds_error err;
    ds_reader *reader = NULL;
    must(t->p, db->driver->read_open(db, read, &reader, &err), &err);
    ds_rows rows;
    rows_init(&rows);
    ds_cell *cells = ARENA_ARRAY(t->p->w.arena, ds_cell, read->shape->n);
    for (bool more = true; more; rows_clear(&rows)) {
        must(t->p, db->driver->read_next(reader, &rows, 1000, ROW_MAX, &more, &err), &err);
        for (size_t i = 0; i < rows.n; i++) {
            row_cells(read->shape, rows_row(&rows, i), cells);
            put_row(t, cells, kind, has_out ? cell_i64(cells[t->dataset->shape->n + 1]) : BATCH_LIVE);
        }
    }
    rows_release(&rows);
    db->driver->read_close(reader);
}

static void read_table(printing *t, ds_relation relation, rows_kind kind, bool has_out, bool live_only)
{
    play *p = t->p;
    ds_error err;
    ds_db *db = NULL;
    must(p, runtime_open(&p->w.runtime, &p->w.merge, (ds_access){.read_only = true}, &db, &err), &err);
    const ds_shape *shape = shape_with(p, t->dataset->shape, kind != ROWS_VIEW, has_out);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT ");
    sql_columns_to_read(&q, shape, false);
    SQL(&q, " FROM ");
    sql_relation(&q, relation);
    if (live_only) {
        SQL(&q, " WHERE ds_batch_out = ");
        sql_int(&q, BATCH_LIVE);
    }
    read_rows(t, db, &(ds_read){.select = &q, .shape = shape}, kind, has_out);
    store_close(db);
}

int64_t rows_count(play *p, const ds_dataset_def *dataset)
{
    ds_error err;
    ds_db *db = NULL;
    ds_result found;
    must(p, runtime_open(&p->w.runtime, &p->w.merge, (ds_access){.read_only = true}, &db, &err), &err);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, dataset->views[0].relation);
    must(p, store_query(db, &q, p->w.arena, &found, &err), &err);
    store_close(db);
    return result_int(&found, 0, 0);
}

// --- comparing

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

// Control characters would break the report's lines.
static void report(const char *title, const lines *list)
{
    printf("#   %s:", title);
    for (size_t i = 0; i < list->n; i++) {
        printf(" ");
        for (const char *c = list->v[i]; *c; c++)
            printf((unsigned char)*c < ' ' ? "\\x%02x" : "%c", (unsigned)(unsigned char)*c);
    }
    printf("%s\n", list->n ? "" : " nothing");
}

// A row as the case has it, as far as its cells.
static const char *cells_of(ds_arena *arena, node row)
{
    const char *text = node_text(row), *end = strrchr(text, ')');
    if (!end)
        node_fail(row, "expected a row such as 1(a,b)@2, found \"%s\"", text);
    return arena_printf(arena, "%.*s", (int)(end + 1 - text), text);
}

static void check(printing *t, const char *what, bool cells_only, node expected)
{
    lines wanted = {0};
    ds_arena *arena = t->p->w.arena;
    for (size_t i = 0; i < node_count(expected); i++) {
        node row = node_at(expected, i);
        *VEC_PUSH(arena, &wanted) = cells_only ? cells_of(arena, row) : node_text(row);
    }
    if (wanted.n)
        qsort(wanted.v, wanted.n, sizeof *wanted.v, compare);
    if (t->lines.n)
        qsort(t->lines.v, t->lines.n, sizeof *t->lines.v, compare);
    bool same = wanted.n == t->lines.n;
    for (size_t i = 0; same && i < wanted.n; i++)
        same = strcmp(wanted.v[i], t->lines.v[i]) == 0;
    if (!same) {
        report("expected", &wanted);
        report("found", &t->lines);
        node_fail(expected, "%s of %s", what, t->dataset->name);
    }
}

void rows_check(play *p, const ds_dataset_def *dataset, rows_kind kind, node expected)
{
    static const char *const NAMES[] = {"rows", "versions", "view"};
    printing t = {.p = p, .dataset = dataset};
    bool scd2 = p->w.def.milestoning == MILESTONING_SCD2;
    if (kind == ROWS_VIEW)
        read_table(&t, dataset->views[0].relation, kind, false, false);
    else
        read_table(&t, dataset->merge, kind, scd2, scd2 && kind == ROWS_LIVE);
    if (kind == ROWS_VERSIONS && p->w.def.milestoning == MILESTONING_SCD4)
        read_table(&t, dataset->history, kind, true, false);
    check(&t, NAMES[kind], kind == ROWS_VIEW, expected);
}

static ds_rc on_row(void *context, const ds_shape *shape, const ds_cell *cells, ds_error *err)
{
    (void)shape;
    (void)err;
    put_row(context, cells, ROWS_VIEW, 0);
    return DS_DONE;
}

void rows_check_as_of(play *p, const ds_dataset_def *dataset, int64_t batch, node expected)
{
    printing t = {.p = p, .dataset = dataset};
    ds_error err;
    ds_control *control = NULL;
    must(p, control_open(&p->w.runtime, &p->w.merge, CONTROL_READ, &control, &err), &err);
    const char *path = arena_printf(p->w.arena, "W/G/S/%s", dataset->name);
    must(p,
         history_read(control, path, (ds_as_of){.batch = batch, .is_batch = true}, &(ds_row_sink){&t, NULL, on_row},
                      &err),
         &err);
    control_close(control);
    check(&t, "as-of", true, expected);
}
