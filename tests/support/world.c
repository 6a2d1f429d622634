#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "schema/value.h"
#include "store/sql.h"
#include "yellow/control/control_tables.h"
#include "yellow/tables/tables.h"
#include "yellow/tables/views.h"

static void must(ds_rc rc, const ds_error *err, const char *what)
{
    if (rc.code == DS_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    abort();
}

void world_open(world *w, const ds_driver *driver, ds_milestoning milestoning)
{
    world_open_on(w, &(test_pair){.name = driver->name, .drivers = {driver, driver}}, milestoning);
}

void world_open_on(world *w, const test_pair *pair, ds_milestoning milestoning)
{
    *w = (world){.dir = workdir_new(), .arena = arena_new(), .drivers = {pair->drivers[0], pair->drivers[1]}};
    w->store = (ds_store){w->drivers, PAIR_SIDES};
    w->clock = clock_manual(INT64_C(1700000000000000));
    pair_write_secrets(pair, w->dir.path);
    w->runtime = (ds_runtime){
        .store = &w->store, .clock = &w->clock, .base_dir = w->dir.path, .secrets_dir = w->dir.path, .tree_id = ""};
    w->source = pair_container(pair, PAIR_SOURCE);
    w->merge = pair_container(pair, PAIR_MERGE);
    w->def = (ds_stream_def){.name = "P/S",
                             .service = "Svc",
                             .platform = "P",
                             .store = "S",
                             .cron = "",
                             .timezone = "",
                             .milestoning = milestoning,
                             .max_delete_ratio = 1,
                             .staging_batches = DEFAULT_STAGING_BATCHES,
                             .source = w->source,
                             .datasets = w->datasets};
}

void world_close(world *w)
{
    workdir_remove(&w->dir);
    arena_free(w->arena);
}

static ds_db *open_db(const world *w, const ds_container_def *container)
{
    ds_db *db = NULL;
    ds_error err;
    must(runtime_open(&w->runtime, container, (ds_access){.create = true}, &db, &err), &err, "open");
    return db;
}

static void run(const world *w, const ds_container_def *container, const char *statements)
{
    ds_db *db = open_db(w, container);
    ds_error err;
    must(store_begin(db, BEGIN_WRITE, &err), &err, statements);
    ds_str rest = str_of(statements);
    while (rest.n) {
        ds_str one = str_trim(str_split(&rest, ';'));
        if (!one.n)
            continue;
        CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
        sql_user_text(&q, arena_str(w->arena, one));
        must(store_exec(db, &q, NULL, &err), &err, statements);
    }
    must(store_commit(db, &err), &err, statements);
    store_close(db);
}

void world_source(const world *w, const char *statements)
{
    run(w, &w->source, statements);
}

// datasurface__batch, ds_p__s__people, ws_w__g__s__people: where there are schemas, the first two underscores are a
// dot.
static const char *with_schemas(const world *w, const char *text)
{
    static const char *const SCHEMAS[] = {"datasurface__", "ds_p__", "ws_w__"};
    if (!w->drivers[PAIR_MERGE]->dialect->names.has_schemas)
        return text;
    CLEANUP(buf_release) ds_buf out = BUF_INIT(64 << 20);
    while (*text) {
        size_t i = 0, n = sizeof SCHEMAS / sizeof SCHEMAS[0];
        while (i < n && !str_starts(str_of(text), str_of(SCHEMAS[i])))
            i++;
        if (i == n) {
            buf_putc(&out, *text++);
            continue;
        }
        buf_put(&out, SCHEMAS[i], strlen(SCHEMAS[i]) - 2);
        buf_putc(&out, '.');
        text += strlen(SCHEMAS[i]);
    }
    return arena_strdup(w->arena, buf_text(&out));
}

void world_merge(const world *w, const char *statements)
{
    run(w, &w->merge, with_schemas(w, statements));
}

void world_dataset(world *w, const char *name, const char *columns)
{
    ds_shape_column list[32];
    uint16_t key[32];
    size_t n = 0, keys = 0;
    ds_error err;
    ds_db *db = open_db(w, &w->source);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "CREATE TABLE IF NOT EXISTS ");
    sql_ident(&q, name);
    SQL(&q, " (");
    for (ds_str rest = str_of(columns); rest.n; n++) {
        ds_str spec = str_trim(str_split(&rest, ';'));
        const char *column = arena_str(w->arena, str_split(&spec, ' '));
        ds_column_spec parsed;
        size_t at;
        must(column_spec_parse(w->arena, spec, &parsed, &at, &err), &err, "column");
        list[n] = (ds_shape_column){column, column, parsed.type, parsed.not_null, 0};
        if (parsed.primary_key)
            key[keys++] = (uint16_t)n;
        if (n)
            SQL(&q, ", ");
        sql_ident(&q, column);
        SQL(&q, " ");
        db->dialect->column_type(parsed.type, &q.text);
    }
    SQL(&q, ")");
    must(store_exec(db, &q, NULL, &err), &err, "create source table");
    const char *schema = db->dialect->names.has_schemas ? "public" : "";
    const ds_name_rules rules = w->drivers[PAIR_MERGE]->dialect->names;
    ds_dataset_def *d = &w->datasets[w->def.dataset_count++];
    *d = (ds_dataset_def){.name = arena_strdup(w->arena, name),
                          .source_schema = schema,
                          .source_table = arena_strdup(w->arena, name),
                          .merge = naming_table(w->arena, rules, "P", "S", name, TABLE_MERGE),
                          .staging = naming_table(w->arena, rules, "P", "S", name, TABLE_STAGING),
                          .history = naming_table(w->arena, rules, "P", "S", name, TABLE_HISTORY),
                          .rejects = naming_table(w->arena, rules, "P", "S", name, TABLE_REJECTS)};
    ds_view_def *views = ARENA_ARRAY(w->arena, ds_view_def, 2);
    views[0] = (ds_view_def){"W", "G", false, naming_view(w->arena, rules, "W", "G", "S", name, false)};
    views[1] = (ds_view_def){"W", "G", true, naming_view(w->arena, rules, "W", "G", "S", name, true)};
    d->views = views;
    d->view_count = w->def.milestoning == MILESTONING_SCD1 ? 1 : 2;
    must(shape_new(w->arena, list, n, key, keys, &d->shape, &err), &err, "shape");
    store_close(db);
}

static void apply_dataset(const world *w, ds_control *control, const ds_dataset_def *d)
{
    ds_error err;
    must(store_schema_put(control->db, d->merge, &err), &err, "schema of tables");
    must(store_schema_put(control->db, d->views[0].relation, &err), &err, "schema of views");
    CLEANUP(sql_release) ds_sql merge = sql_new(control->db->dialect);
    table_create_merge_sql(&w->def, d, &merge);
    must(store_exec(control->db, &merge, NULL, &err), &err, "merge table");
    if (w->def.milestoning == MILESTONING_SCD4) {
        CLEANUP(sql_release) ds_sql history = sql_new(control->db->dialect);
        table_create_history_sql(&w->def, d, &history);
        must(store_exec(control->db, &history, NULL, &err), &err, "history table");
    }
    ds_dataset_state state;
    must(control_dataset_state(control, w->def.name, d->name, w->arena, &state, &err), &err, "state");
    must(views_replace(control, &w->def, d, state.batch ? VIEW_REAL : VIEW_STUB, &err), &err, "views");
}

void world_apply(world *w)
{
    ds_error err;
    ds_control *control = NULL;
    must(control_open(&w->runtime, &w->merge, CONTROL_CREATE, &control, &err), &err, "control");
    must(store_begin(control->db, BEGIN_WRITE, &err), &err, "begin");
    must(control_create_tables(control, &err), &err, "control tables");
    for (size_t i = 0; i < w->def.dataset_count; i++)
        apply_dataset(w, control, &w->datasets[i]);
    must(control_put_stream(control, &w->def, &err), &err, "stream");
    must(control_prune_restarts(control, &w->def, &err), &err, "restart points");
    must(store_commit(control->db, &err), &err, "commit");
    control_close(control);
}

ds_rc world_job(world *w, ds_job_result *out, ds_error *err)
{
    w->clock.fixed_us += 1000000;
    return job_run(&w->runtime, &w->merge, w->def.name, &w->options, w->arena, out, err);
}

const char *world_name(const world *w, ds_relation relation)
{
    CLEANUP(sql_release) ds_sql q = sql_new(w->drivers[PAIR_MERGE]->dialect);
    sql_relation(&q, relation);
    return arena_strdup(w->arena, buf_text(&q.text));
}

const char *world_control(const world *w, const char *table)
{
    return world_name(w, naming_control(w->arena, w->drivers[PAIR_MERGE]->dialect->names, table));
}

// --- rows

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *line_of(const world *w, const ds_shape *shape, const ds_cell *cells)
{
    CLEANUP(buf_release) ds_buf line = BUF_INIT(1 << 20);
    for (size_t i = 0; i < shape->n; i++) {
        buf_puts(&line, i ? "|" : "");
        if (cells[i].p)
            value_print(shape->columns[i].type, cells[i], &line);
        else
            buf_putc(&line, '~');
    }
    return arena_strdup(w->arena, buf_text(&line));
}

// Versions of a time before may lack what is a key now.
static const ds_shape *without_key(const world *w, const ds_shape *shape)
{
    ds_shape_column *columns = ARENA_ARRAY(w->arena, ds_shape_column, shape->n);
    for (size_t i = 0; i < shape->n; i++) {
        columns[i] = shape->columns[i];
        columns[i].not_null = false;
    }
    const ds_shape *out;
    ds_error err;
    must(shape_new(w->arena, columns, shape->n, NULL, 0, &out, &err), &err, "shape");
    return out;
}

typedef VEC(const char *) line_list;

static void read_lines(const world *w, ds_db *db, const ds_read *read, line_list *out)
{
    ds_error err;
    ds_reader *reader = NULL;
    must(db->driver->read_open(db, read, &reader, &err), &err, "read");
    ds_rows rows;
    rows_init(&rows);
    ds_cell *cells = ARENA_ARRAY(w->arena, ds_cell, read->shape->n);
    for (bool more = true; more; rows_clear(&rows)) {
        must(db->driver->read_next(reader, &rows, 1000, 1 << 20, &more, &err), &err, "read");
        for (size_t i = 0; i < rows.n; i++) {
            row_cells(read->shape, rows_row(&rows, i), cells);
            *VEC_PUSH(w->arena, out) = line_of(w, read->shape, cells);
        }
    }
    rows_release(&rows);
    db->driver->read_close(reader);
}

const char *world_rows(const world *w, int side, const ds_shape *shape, const ds_sql *select)
{
    ds_db *db = open_db(w, side == PAIR_MERGE ? &w->merge : &w->source);
    line_list lines = {0};
    read_lines(w, db, &(ds_read){.select = select, .shape = without_key(w, shape)}, &lines);
    store_close(db);
    if (lines.n)
        qsort(lines.v, lines.n, sizeof *lines.v, compare_lines);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(64 << 20);
    for (size_t i = 0; i < lines.n; i++)
        buf_printf(&out, "%s\n", lines.v[i]);
    return arena_strdup(w->arena, buf_text(&out));
}

static void select_all(const world *w, ds_relation relation, ds_sql *q)
{
    SQL(q, "SELECT ");
    sql_columns_to_read(q, w->datasets[0].shape, false);
    SQL(q, " FROM ");
    sql_relation(q, relation);
}

const char *world_rows_of(const world *w, int side, ds_relation relation)
{
    CLEANUP(sql_release) ds_sql q = sql_new(w->drivers[side]->dialect);
    select_all(w, relation, &q);
    return world_rows(w, side, w->datasets[0].shape, &q);
}

const char *world_live(const world *w)
{
    return world_rows_of(w, PAIR_MERGE, w->datasets[0].views[0].relation);
}

static void select_valid(const world *w, ds_relation relation, bool has_out, int64_t b, ds_sql *q)
{
    select_all(w, relation, q);
    SQL(q, " WHERE ds_batch_in <= ");
    sql_int(q, b);
    if (!has_out)
        return;
    SQL(q, " AND ds_batch_out >= ");
    sql_int(q, b);
}

const char *world_as_of(const world *w, int64_t b)
{
    CLEANUP(sql_release) ds_sql q = sql_new(w->drivers[PAIR_MERGE]->dialect);
    select_valid(w, w->datasets[0].merge, def_has_out(&w->def), b, &q);
    if (w->def.milestoning == MILESTONING_SCD4) {
        SQL(&q, " UNION ALL ");
        select_valid(w, w->datasets[0].history, true, b, &q);
    }
    return world_rows(w, PAIR_MERGE, w->datasets[0].shape, &q);
}

const char *world_query(const world *w, bool merge, const char *select)
{
    ds_db *db = open_db(w, merge ? &w->merge : &w->source);
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_user_text(&q, merge ? with_schemas(w, select) : select);
    ds_error err;
    ds_result r;
    must(store_query(db, &q, w->arena, &r, &err), &err, select);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(64 << 20);
    for (size_t i = 0; i < r.rows; i++) {
        for (size_t c = 0; c < r.columns; c++) {
            const char *cell = result_text(&r, i, c);
            buf_printf(&out, "%s%s", c ? "|" : "", cell ? cell : "~");
        }
        buf_putc(&out, '\n');
    }
    store_close(db);
    return arena_strdup(w->arena, buf_text(&out));
}
