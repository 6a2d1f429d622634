// Which rows a batch reads of a dataset that has a watermark: a window or, in a sweep, all of them.
//
// A window is every row whose watermark is at least the recorded one less the overlap, and every row that has none
// (null, or infinity). Its upper end is the snapshot; with `newest: wait` rows of the greatest watermark there are left
// for later, unless it has been delivered before. window.c compares these rows with the live rows of the same keys,
// so rows that are read again change nothing, and nothing is deleted for not being among them. The batch records the
// greatest watermark among the rows that it has read itself: never one whose row it didn't see.
//
// A sweep is an ordinary batch of whole tables (compare.c). It finds what no window can: deletions, and rows that came
// with a lesser watermark than they should have. It is made at first, when one is due, when the definition has changed,
// and for `resnapshot` and `verify`.
#include "yellow/job/watermark.h"

#include <stdlib.h>
#include <string.h>

#include "schema/value.h"
#include "yellow/job/job_int.h"

#define MINUTE_US INT64_C(60000000)
#define DAY_US (INT64_C(1440) * MINUTE_US)
#define FIRST_US (INT64_C(-62135596800) * 1000000) // 0001-01-01

const ds_shape_column *watermark_column(const ds_stream_def *def, const ds_dataset_def *dataset)
{
    int at = def->watermark ? shape_find(dataset->shape, def->watermark) : -1;
    return at >= 0 ? &dataset->shape->columns[at] : NULL;
}

static void print_value(const ds_type *type, int64_t value, ds_buf *out)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
    value_print(type, (ds_cell){bytes, sizeof bytes}, out);
}

// --- positions

static void put(json_t *object, const char *key, json_t *value)
{
    ds_assert(value && json_object_set_new(object, key, value) == 0);
}

const char *position_watermark(ds_arena *arena, const ds_position *position, const ds_shape_column *column)
{
    if (!position->known || !column)
        return NULL;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(100);
    print_value(column->type, position->watermark, &text);
    return arena_strdup(arena, buf_text(&text));
}

const char *position_encode(ds_arena *arena, const ds_position *position, const ds_shape_column *column)
{
    char again[FINGERPRINT_TEXT];
    fingerprint_print(position->again, again);
    json_t *json = json_object();
    put(json, "definition", json_string(position->definition));
    put(json, "swept_at_us", json_integer(position->swept_at));
    put(json, "again_rows", json_integer(position->again.rows));
    put(json, "again_sum", json_string(again));
    if (position->known) {
        put(json, "value", json_integer(position->watermark));
        put(json, "watermark", json_string(position_watermark(arena, position, column)));
    }
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    ds_assert(text);
    const char *out = arena_strdup(arena, text);
    free(text);
    json_decref(json);
    return out;
}

ds_position position_decode(ds_arena *arena, const char *text)
{
    ds_position out = {.definition = ""};
    json_t *json = json_loads(text, 0, NULL);
    const char *definition = json_string_value(json_object_get(json, "definition"));
    const char *again = json_string_value(json_object_get(json, "again_sum"));
    const json_t *value = json_object_get(json, "value");
    int64_t rows = json_integer_value(json_object_get(json, "again_rows"));
    if (definition && again && fingerprint_parse(rows, again, &out.again)) {
        out.definition = arena_strdup(arena, definition);
        out.known = json_is_integer(value);
        out.watermark = json_integer_value(value);
        out.swept_at = json_integer_value(json_object_get(json, "swept_at_us"));
    }
    json_decref(json);
    return out;
}

// --- what a batch reads

// Of another table, other columns or another watermark nothing is known.
static const char *definition_id(ds_arena *arena, const ds_stream_def *def, const ds_dataset_def *dataset)
{
    const ds_container_def *from = &def->source;
    const char *text = arena_printf(arena, "%s\n%s\n%s\n%s\n%s\n%d\n%s\n%s\n%s", control_table_id(arena, def, dataset),
                                    from->type, from->path, from->host, from->database, from->port,
                                    dataset->source_schema, dataset->source_table, def->watermark);
    unsigned char hash[16];
    hash_store(row_hash(str_of(text)), hash);
    CLEANUP(buf_release) ds_buf hex = BUF_INIT(2 * sizeof hash + 1);
    buf_put_hex(&hex, hash, sizeof hash);
    return arena_strdup(arena, buf_text(&hex));
}

static bool sweep_is_due(const ds_job *job, const ds_position *was)
{
    return job->def->sweep_us && job->started_at - was->swept_at >= job->def->sweep_us;
}

static int64_t reach_back(int64_t watermark, int64_t overlap)
{
    return watermark < INT64_MIN + overlap ? INT64_MIN : watermark - overlap;
}

static void choose(const ds_job *job, ds_work *work)
{
    const char *definition = definition_id(job->arena, job->def, work->def);
    ds_position was = position_decode(job->arena, work->state.position);
    bool same = strcmp(was.definition, definition) == 0;
    bool sweep = work->first_load || work->rekey || job->resnapshot || job->options->verify || sweep_is_due(job, &was);
    work->window = same && was.known && !sweep;
    work->again = was.again;
    work->position = was;
    if (!work->window) {
        work->position = (ds_position){.definition = definition, .swept_at = job->started_at};
        work->changed |= sweep || !same; // that it was swept is worth a record; not each time where no row has one
    }
    work->low = reach_back(was.watermark, job->def->overlap);
    work->delivered = was;
    if (!same && !work->first_load) // nobody knows, and what consumers have seen isn't taken away
        work->delivered = (ds_position){.known = true, .watermark = INT64_MAX};
    watermark_forget(work);
}

ds_rc watermark_choose(ds_job *job, ds_error *err)
{
    for (size_t i = 0; job->def->watermark && i < job->work_count; i++) {
        ds_work *work = &job->work[i];
        work->watermark = watermark_column(job->def, work->def);
        if (!work->watermark)
            return ds_hint(ds_fail(err, DS_FINDING, "dataset %s has no watermark column \"%s\"", work->def->name,
                                   job->def->watermark),
                           err, "run datasurface apply");
        choose(job, work);
    }
    return DS_DONE;
}

// Texts of times sort as times do where they have one form. A bound that begins as each of its forms does is not above
// any of them; local times are off by less than a day. What is too much is left out when it has been read.
static void text_bound(const ds_type *type, int64_t low, ds_sql *out)
{
    static const ds_type TIMESTAMP = {.kind = TYPE_TIMESTAMP};
    int64_t reach = type->kind == TYPE_TIMESTAMPTZ ? DAY_US : 0;
    low = low < FIRST_US + reach ? FIRST_US : low - reach;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(100);
    print_value(&TIMESTAMP, low, &text);
    bool midnight = (low - FIRST_US) % DAY_US < MINUTE_US;
    CLEANUP(buf_release) ds_buf cut = BUF_INIT(100);
    buf_put(&cut, buf_text(&text), midnight ? strlen("yyyy-mm-dd") : strlen("yyyy-mm-dd hh:mm"));
    sql_text(out, buf_text(&cut));
}

static void bound(const ds_type *type, int64_t low, ds_sql *out)
{
    if (type_class(type) == VALUE_INT) {
        sql_int(out, low);
        return;
    }
    if (out->dialect->times_are_text) {
        text_bound(type, low, out);
        return;
    }
    CLEANUP(buf_release) ds_buf text = BUF_INIT(100);
    print_value(type, low < FIRST_US ? FIRST_US : low, &text);
    sql_text(out, buf_text(&text));
}

static void or_null(const ds_work *work, bool never_null, ds_sql *out)
{
    if (!never_null) {
        SQL(out, " OR ");
        sql_ident(out, work->watermark->source);
        SQL(out, " IS NULL");
    }
    SQL(out, ")");
}

void watermark_where(const ds_work *work, bool never_null, ds_sql *out)
{
    if (work->window) {
        SQL(out, " AND (");
        sql_ident(out, work->watermark->source);
        SQL(out, " >= ");
        bound(work->watermark->type, work->low, out);
        or_null(work, never_null, out);
    }
    if (work->waiting) {
        SQL(out, " AND (");
        sql_ident(out, work->watermark->source);
        SQL(out, " <> ");
        sql_point_value(out, work->waiting);
        or_null(work, never_null, out);
    }
}

// --- newest: wait

// SELECT … FROM (SELECT max("at") AS "w" FROM table) AS s: of the watermarks that are not infinite.
static void select_newest(const ds_work *work, bool as_point, ds_sql *q)
{
    const ds_dataset_def *dataset = work->def;
    SQL(q, "SELECT ");
    if (as_point)
        sql_point_column(q, "s", "w");
    else
        sql_column(q, "s", "w");
    SQL(q, " FROM (SELECT max(");
    sql_ident(q, work->watermark->source);
    SQL(q, ") AS w FROM ");
    sql_relation(q, (ds_relation){dataset->source_schema, dataset->source_table});
    if (type_class(work->watermark->type) != VALUE_INT) {
        SQL(q, " WHERE ");
        sql_ident(q, work->watermark->source);
        SQL(q, " < ");
        sql_text(q, "infinity");
    }
    SQL(q, ") AS s");
}

static ds_rc read_newest(ds_db *db, const ds_work *work, ds_arena *arena, bool *known, int64_t *out, ds_error *err)
{
    ds_shape_column column = {.name = "w", .type = work->watermark->type};
    const ds_shape *shape;
    TRY(shape_new(arena, &column, 1, NULL, 0, &shape, err));
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    select_newest(work, false, &q);
    CLEANUP(pump_closep) ds_pump *pump = NULL;
    TRY(pump_open(db, &(ds_read){.select = &q, .shape = shape}, 1, &pump, err));
    const ds_rows *rows = pump_peek(pump);
    ds_cell cell = rows->n ? row_find_cell(rows_row(rows, 0), shape->columns[0].name_hash) : (ds_cell){0};
    *known = cell.p != NULL;
    *out = cell.p ? cell_i64(cell) : 0;
    return DS_DONE;
}

ds_rc watermark_find_waiting(ds_db *db, ds_work *work, ds_arena *arena, ds_error *err)
{
    bool known;
    int64_t newest;
    TRY(read_newest(db, work, arena, &known, &newest, err));
    if (!known || (work->delivered.known && newest <= work->delivered.watermark))
        return DS_DONE;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    select_newest(work, true, &q);
    ds_result r;
    TRY(store_query(db, &q, arena, &r, err));
    work->waiting = result_text(&r, 0, 0);
    return DS_DONE;
}

// --- what it has read

typedef enum mark { MARK_NONE, MARK_GIVEN, MARK_BEFORE_ALL } mark;

static mark mark_of(const ds_work *work, ds_str row, int64_t *out)
{
    ds_cell cell = row_find_cell(row, work->watermark->name_hash);
    if (!cell.p)
        return MARK_NONE;
    *out = cell_i64(cell);
    if (type_class(work->watermark->type) == VALUE_INT)
        return MARK_GIVEN;
    if (*out == INT64_MAX)
        return MARK_NONE;
    return *out == INT64_MIN ? MARK_BEFORE_ALL : MARK_GIVEN;
}

bool watermark_wants(const ds_work *work, ds_str row)
{
    int64_t value;
    if (!work->window)
        return true;
    mark found = mark_of(work, row, &value);
    return found == MARK_NONE || (found == MARK_GIVEN && value >= work->low);
}

static void see(ds_work *work, ds_str row, ds_hash hash)
{
    ds_position *p = &work->position;
    int64_t value;
    mark found = mark_of(work, row, &value);
    if (found == MARK_NONE) {
        fingerprint_add(&work->unmarked, hash);
        return;
    }
    if (found == MARK_BEFORE_ALL || (p->known && value < p->watermark))
        return;
    if (!p->known || value > p->watermark)
        p->again = (ds_fingerprint){0};
    p->known = true;
    p->watermark = value;
    fingerprint_add(&p->again, hash);
}

void watermark_see(ds_work *work, const ds_rows *chunk)
{
    for (size_t i = 0; work->watermark && i < chunk->n; i++)
        see(work, rows_row(chunk, i), chunk->row_hash[i]);
}

void watermark_forget(ds_work *work)
{
    work->unmarked = work->position.again = (ds_fingerprint){0};
    if (!work->window)
        work->position.known = false;
}

const char *watermark_position(const ds_job *job, const ds_work *work)
{
    if (!work->watermark)
        return NULL;
    ds_position position = work->position;
    fingerprint_merge(&position.again, work->unmarked);
    return position_encode(job->arena, &position, work->watermark);
}
