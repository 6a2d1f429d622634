#include "support/dump.h"

#include <stdlib.h>
#include <string.h>

typedef struct dumper {
    ds_db *db;
    ds_arena *arena;
    ds_buf out;
} dumper;

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *line_of(const ds_result *r, size_t row, ds_arena *arena)
{
    CLEANUP(buf_release) ds_buf line = BUF_INIT(1 << 20);
    for (size_t c = 0; c < r->columns; c++) {
        const char *cell = result_text(r, row, c);
        buf_printf(&line, "%s%s", c ? "|" : "", cell ? cell : "~");
    }
    return arena_strdup(arena, buf_text(&line));
}

static void put_sorted(dumper *d, const char *title, const ds_sql *q)
{
    ds_result r;
    ds_error err;
    if (store_query(d->db, q, d->arena, &r, &err).code != DS_OK)
        BUG("%s: %s", buf_text(&q->text), err.text);
    const char **lines = ARENA_ARRAY(d->arena, const char *, r.rows);
    for (size_t i = 0; i < r.rows; i++)
        lines[i] = line_of(&r, i, d->arena);
    qsort(lines, r.rows, sizeof *lines, compare_lines);
    buf_printf(&d->out, "%s:\n", title);
    for (size_t i = 0; i < r.rows; i++)
        buf_printf(&d->out, "  %s\n", lines[i]);
}

// A staging table that is empty is as good as none.
static void put_relation(dumper *d, ds_relation relation)
{
    const ds_catalog_table *table;
    ds_error err;
    if (store_describe(d->db, d->arena, relation, &table, &err).code != DS_OK)
        BUG("%s: %s", relation.name, err.text);
    if (!table) {
        buf_printf(&d->out, "%s:\n", relation.name);
        return;
    }
    CLEANUP(sql_release) ds_sql q = sql_new(d->db->dialect);
    SQL(&q, "SELECT ");
    for (size_t i = 0, n = 0; i < table->n; i++) {
        if (strncmp(table->columns[i].name, "ds_valid_", 9) == 0)
            continue;
        if (n++)
            SQL(&q, ", ");
        sql_ident(&q, table->columns[i].name);
    }
    SQL(&q, " FROM ");
    sql_relation(&q, relation);
    put_sorted(d, relation.name, &q);
}

static void put_dataset(dumper *d, const ds_dataset_def *dataset, int what)
{
    put_relation(d, dataset->merge);
    put_relation(d, dataset->history);
    if (what & DUMP_STAGING)
        put_relation(d, dataset->staging);
    for (size_t i = 0; i < dataset->view_count; i++)
        put_relation(d, dataset->views[i].relation);
}

#define PUT_CONTROL(d, columns, table, column, stream)                                                                 \
    do {                                                                                                               \
        CLEANUP(sql_release) ds_sql q_ = sql_new((d)->db->dialect);                                                    \
        SQL(&q_, "SELECT " columns " FROM ");                                                                          \
        sql_relation(&q_, (table));                                                                                    \
        SQL(&q_, " WHERE " column " = ");                                                                              \
        sql_text(&q_, (stream));                                                                                       \
        put_sorted((d), (table).name, &q_);                                                                            \
    } while (0)

static void put_control(dumper *d, const ds_control_names *names, const char *stream)
{
    PUT_CONTROL(d, "version, removed", names->stream, "name", stream);
    PUT_CONTROL(d,
                "batch_id, status, rows_read, rows_inserted, rows_updated, rows_deleted, rows_unchanged, bytes, "
                "fingerprint_rows, fingerprint, error, guarded",
                names->batch, "stream", stream);
    PUT_CONTROL(d, "*", names->dataset_batch, "stream", stream);
    PUT_CONTROL(d, "stream", names->lease, "stream", stream);
}

static ds_control *opened(const ds_runtime *runtime, const ds_container_def *merge)
{
    ds_control *control = NULL;
    ds_error err;
    if (control_open(runtime, merge, CONTROL_READ, &control, &err).code != DS_OK)
        BUG("dump: %s", err.text);
    return control;
}

const char *dump_stream(const ds_runtime *runtime, const ds_container_def *merge, const ds_stream_def *def, int what,
                        ds_arena *arena)
{
    CLEANUP(control_closep) ds_control *control = opened(runtime, merge);
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    dumper d = {.db = control->db, .arena = scratch, .out = BUF_INIT(64 << 20)};
    for (size_t i = 0; i < def->dataset_count; i++)
        put_dataset(&d, &def->datasets[i], what);
    put_control(&d, &control->names, def->name);
    const char *text = arena_strdup(arena, buf_text(&d.out));
    buf_release(&d.out);
    return text;
}

int64_t dump_committed(const ds_runtime *runtime, const ds_container_def *merge, const char *stream)
{
    CLEANUP(control_closep) ds_control *control = opened(runtime, merge);
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT count(*) FROM ");
    sql_relation(&q, control->names.batch);
    SQL(&q, " WHERE status = 'committed' AND stream = ");
    sql_text(&q, stream);
    ds_result r;
    ds_error err;
    if (store_query(control->db, &q, scratch, &r, &err).code != DS_OK)
        BUG("dump: %s", err.text);
    return result_int(&r, 0, 0);
}
