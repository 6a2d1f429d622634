// yellow/def/def.h: a definition survives its JSON, member by member, and equal definitions give equal bytes.
#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/estate_model.h"
#include "yellow/def/def.h"

#include <stdlib.h>

static const ds_shape *make_shape(ds_arena *arena)
{
    static const struct {
        const char *name, *source, *type;
        bool not_null;
    } COLUMNS[] = {
        {"id", "id", "bigint", true},
        {"Line No", "line", "integer", true},
        {"price", "Unit \"Price\"", "decimal(12,2)", false},
        {"tags", "tags", "array(varchar(10))", false},
    };
    ds_shape_column *columns = ARENA_ARRAY(arena, ds_shape_column, 4);
    ds_error err;
    for (size_t i = 0; i < 4; i++) {
        size_t at;
        columns[i] = (ds_shape_column){COLUMNS[i].name, COLUMNS[i].source, NULL, COLUMNS[i].not_null, 0};
        OK(type_parse(arena, str_of(COLUMNS[i].type), &columns[i].type, &at, &err));
    }
    static const uint16_t KEY[] = {1, 0}; // key order is not column order
    const ds_shape *shape;
    OK(shape_new(arena, columns, 4, KEY, 2, &shape, &err));
    return shape;
}

static const ds_command_def *command_of(ds_arena *arena, const ds_dataset_def *dataset)
{
    static const char *const ARGV[] = {"./mask", "two words", NULL};
    ds_command_input *inputs = ARENA_ARRAY(arena, ds_command_input, 2);
    inputs[0] = (ds_command_input){"live", "A", "P/A", dataset};
    inputs[1] = (ds_command_input){"other", "B", "P/B/y", dataset};
    ds_command_def *command = ARENA_NEW(arena, ds_command_def);
    *command = (ds_command_def){ARGV, 2, INT64_C(1) << 33, inputs, 2};
    return command;
}

// No member has its default, so that one that is forgotten shows.
static ds_stream_def make_def(ds_arena *arena)
{
    static const ds_view_def VIEWS[] = {{"W", "live", false, {"ws_w", "live__s__d"}},
                                        {"W", "full", true, {"ws_w", "full__s__d__history"}}};
    static const ds_input_def INPUTS[] = {{"P/A", "x", {"ds_p", "a__x"}}, {"P/B/y", "y", {"", "ds_p__b__y"}}};
    static const char *const BOTH[] = {"id", "Line No"};
    static const ds_check_def CHECKS[] = {
        {.kind = CHECK_NOT_NULL, .columns = BOTH, .column_count = 2},
        {.kind = CHECK_UNIQUE, .columns = BOTH, .column_count = 1},
        {.kind = CHECK_RANGE, .columns = BOTH, .column_count = 1, .min = "-1", .max = "9"},
        {.kind = CHECK_RANGE, .columns = BOTH, .column_count = 1, .min = "0"},
        {.kind = CHECK_SQL, .sql = "price >= 0 -- é"},
    };
    ds_dataset_def *datasets = ARENA_ARRAY(arena, ds_dataset_def, 2);
    datasets[0] = (ds_dataset_def){"d",
                                   make_shape(arena),
                                   "public",
                                   "D Table",
                                   {"ds_p", "m"},
                                   {"ds_p", "s"},
                                   {"ds_p", "h"},
                                   {"ds_p", "r"},
                                   VIEWS,
                                   2,
                                   "SELECT 'é' AS x",
                                   NULL,
                                   0,
                                   CHECKS,
                                   5,
                                   {"ds_q", "h"},
                                   2562,
                                   1700000000000000,
                                   "P/other"};
    datasets[0].retired = &datasets[0].shape->columns[1];
    datasets[0].retired_count = 2;
    datasets[1] = datasets[0];
    datasets[1].name = "e";
    datasets[1].retired_count = 0;
    datasets[1].sql = NULL;
    datasets[1].view_count = 0;
    datasets[1].check_count = 0;
    datasets[1].source_history = (ds_relation){0};
    datasets[1].retention_days = datasets[1].kept_until = 0;
    return (ds_stream_def){
        .name = "P/S/d",
        .service = "Svc",
        .platform = "P",
        .store = "S",
        .dataset = "d",
        .workspace = "W",
        .primary = "Q/S/d",
        .primary_versions = true,
        .milestoning = MILESTONING_SCD4,
        .priority = PRIORITY_CRITICAL,
        .cron = "*/5 * * * *",
        .timezone = "Europe/Berlin",
        .external = true,
        .max_delete_ratio = 0.1,
        .staging_batches = STAGING_BATCHES_ALL,
        .staging_full = true,
        .chunk_rows = 123,
        .memory_bytes = INT64_C(1) << 40,
        .workers = 3,
        .source_rows_per_second = INT64_C(1) << 33,
        .watermark = "at",
        .overlap = INT64_C(1) << 35,
        .newest = "wait",
        .sweep_us = INT64_C(1) << 36,
        .source = {.name = "C",
                   .type = "postgres",
                   .path = "a path",
                   .host = "host",
                   .database = "db",
                   .schema = "schema",
                   .credential = "credential",
                   .port = 5432,
                   .tls_mode = "require",
                   .tls_ca = "ca.pem",
                   .tls_cert = "cert.pem",
                   .tls_key = "key.pem"},
        .datasets = datasets,
        .dataset_count = 2,
        .inputs = INPUTS,
        .input_count = 2,
        .command = command_of(arena, &datasets[1]),
    };
}

static char *text_of(const ds_stream_def *def)
{
    json_t *json = def_encode(def);
    char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(json);
    return text;
}

static ds_rc decode(ds_arena *arena, const char *text, const ds_stream_def **out, ds_error *err)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    ds_rc rc = def_decode(arena, json, out, err);
    json_decref(json); // the result must not need it
    return rc;
}

static void same_text(const char *a, const char *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a)
        assert_string_equal(a, b);
}

static void same_relation(ds_relation a, ds_relation b)
{
    same_text(a.schema, b.schema);
    same_text(a.name, b.name);
}

static void same_column(const ds_shape_column *a, const ds_shape_column *b)
{
    same_text(a->name, b->name);
    same_text(a->source, b->source);
    assert_true(type_equal(a->type, b->type));
    assert_int_equal(a->not_null, b->not_null);
}

static void same_shape(const ds_shape *a, const ds_shape *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->key_count, b->key_count);
    for (size_t i = 0; i < a->n; i++) {
        same_column(&a->columns[i], &b->columns[i]);
        assert_true(a->columns[i].name_hash == b->columns[i].name_hash);
        assert_int_equal(a->hash_order[i], b->hash_order[i]);
    }
    for (size_t i = 0; i < a->key_count; i++)
        assert_int_equal(a->key[i], b->key[i]);
}

static void same_dataset(const ds_dataset_def *a, const ds_dataset_def *b)
{
    same_text(a->name, b->name);
    same_shape(a->shape, b->shape);
    same_text(a->source_schema, b->source_schema);
    same_text(a->source_table, b->source_table);
    same_relation(a->merge, b->merge);
    same_relation(a->staging, b->staging);
    same_relation(a->history, b->history);
    same_relation(a->rejects, b->rejects);
    same_text(a->sql, b->sql);
    assert_int_equal(a->view_count, b->view_count);
    for (size_t i = 0; i < a->view_count; i++) {
        same_text(a->views[i].workspace, b->views[i].workspace);
        same_text(a->views[i].group, b->views[i].group);
        assert_int_equal(a->views[i].history, b->views[i].history);
        same_relation(a->views[i].relation, b->views[i].relation);
    }
    assert_int_equal(a->retired_count, b->retired_count);
    for (size_t i = 0; i < a->retired_count; i++)
        same_column(&a->retired[i], &b->retired[i]);
}

static void same_container(const ds_container_def *a, const ds_container_def *b)
{
    same_text(a->name, b->name);
    same_text(a->type, b->type);
    same_text(a->path, b->path);
    same_text(a->host, b->host);
    same_text(a->database, b->database);
    same_text(a->schema, b->schema);
    same_text(a->credential, b->credential);
    assert_int_equal(a->port, b->port);
    same_text(a->tls_mode, b->tls_mode);
    same_text(a->tls_ca, b->tls_ca);
    same_text(a->tls_cert, b->tls_cert);
    same_text(a->tls_key, b->tls_key);
}

static void same_scalars(const ds_stream_def *a, const ds_stream_def *b)
{
    same_text(a->name, b->name);
    same_text(a->service, b->service);
    same_text(a->platform, b->platform);
    same_text(a->store, b->store);
    same_text(a->dataset, b->dataset);
    same_text(a->workspace, b->workspace);
    assert_int_equal(a->milestoning, b->milestoning);
    assert_int_equal(a->priority, b->priority);
    same_text(a->cron, b->cron);
    same_text(a->timezone, b->timezone);
    assert_int_equal(a->external, b->external);
    assert_true(a->max_delete_ratio >= b->max_delete_ratio && a->max_delete_ratio <= b->max_delete_ratio);
    assert_int_equal(a->staging_batches, b->staging_batches);
    assert_int_equal(a->staging_full, b->staging_full);
    assert_int_equal(a->chunk_rows, b->chunk_rows);
    assert_int_equal(a->memory_bytes, b->memory_bytes);
    assert_int_equal(a->workers, b->workers);
    assert_int_equal(a->source_rows_per_second, b->source_rows_per_second);
}

static void same(const ds_stream_def *a, const ds_stream_def *b)
{
    same_scalars(a, b);
    same_container(&a->source, &b->source);
    assert_int_equal(a->dataset_count, b->dataset_count);
    for (size_t i = 0; i < a->dataset_count; i++)
        same_dataset(&a->datasets[i], &b->datasets[i]);
    assert_int_equal(a->input_count, b->input_count);
    for (size_t i = 0; i < a->input_count; i++) {
        same_text(a->inputs[i].stream, b->inputs[i].stream);
        same_text(a->inputs[i].dataset, b->inputs[i].dataset);
        same_relation(a->inputs[i].relation, b->inputs[i].relation);
    }
}

static void round_trip(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_error err;
    ds_stream_def defs[] = {make_def(arena), make_def(arena)};
    defs[1].dataset = defs[1].workspace = NULL; // multi_dataset, an ingestion
    defs[1].input_count = 0;
    defs[1].workers = defs[1].source_rows_per_second = 0;
    for (size_t i = 0; i < 2; i++) {
        char *text = text_of(&defs[i]);
        const ds_stream_def *back;
        OK(decode(arena, text, &back, &err));
        same(&defs[i], back);
        char *again = text_of(back);
        assert_string_equal(text, again);
        free(text);
        free(again);
    }
}

// A definition stays in memory for as long as its stream may be due: no text or type of it is there twice, and nothing
// that only its decoding needed.
static void kept_once(void **state)
{
    (void)state;
    enum { DATASETS = 100, COLUMNS = 4, SOME = 160 }; // bytes: what the shape and the rounding take
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(arena_freep) ds_arena *kept = arena_new();
    ds_error err;
    ds_stream_def def = make_def(arena);
    ds_dataset_def *datasets = ARENA_ARRAY(arena, ds_dataset_def, DATASETS);
    for (size_t i = 0; i < DATASETS; i++)
        datasets[i] = def.datasets[1];
    def.datasets = datasets;
    def.dataset_count = DATASETS;
    def.command = NULL;
    const ds_stream_def *out;
    char *text = text_of(&def);
    OK(decode(kept, text, &out, &err));
    free(text);
    const ds_dataset_def *first = &out->datasets[0], *last = &out->datasets[DATASETS - 1];
    assert_ptr_equal(first->merge.schema, last->staging.schema);
    assert_ptr_equal(first->shape->columns[2].name, last->shape->columns[2].name);
    assert_ptr_equal(first->shape->columns[2].type, last->shape->columns[2].type);
    assert_ptr_equal(first->shape->columns[0].name, first->shape->columns[0].source);
    assert_true(arena_used(kept) <
                DATASETS * (sizeof *first + sizeof *first->shape + COLUMNS * sizeof(ds_shape_column) + SOME));
}

static void a_container_with_texts_of_its_own(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_stream_def def = make_def(arena), copy = def;
    def.source.tls_key = NULL;
    char *host = arena_strdup(arena, def.source.host);
    def.source.host = host;
    copy.source = container_dup(arena, &def.source);
    same(&def, &copy);
    assert_ptr_not_equal(copy.source.host, host);
    assert_null(copy.source.tls_key);
}

// What an older version did not write is as it was then; what is not set stays unwritten, so that texts stay equal.
static void older(void **state)
{
    (void)state;
    static const char *const KEYS[] = {"workers", "source_rows_per_second"};
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_error err;
    ds_stream_def def = make_def(arena);
    const ds_stream_def *out;
    json_t *json = def_encode(&def);
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        assert_int_equal(json_object_del(json, KEYS[i]), 0);
    OK(def_decode(arena, json, &out, &err));
    def.workers = def.source_rows_per_second = 0;
    same(&def, out);
    json_t *again = def_encode(out);
    assert_true(json_equal(json, again));
    json_decref(again);
    json_decref(json);
}

static void damaged(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_error err;
    ds_stream_def def = make_def(arena);
    char *text = text_of(&def);
    const ds_stream_def *out;
    static const struct {
        const char *key, *value, *part;
    } CASES[] = {
        {"def", "2", "newer datasurface"},
        {"def", "\"1\"", "\"def\""},
        {"name", "null", "\"name\""},
        {"milestoning", "\"scd3\"", "\"milestoning\""},
        {"priority", "7", "\"priority\""},
        {"external", "1", "\"external\""},
        {"chunk_rows", "\"x\"", "\"chunk_rows\""},
        {"workers", "\"x\"", "\"workers\""},
        {"source_rows_per_second", "null", "\"source_rows_per_second\""},
        {"max_delete_ratio", "\"x\"", "\"max_delete_ratio\""},
        {"source", "{}", "\"name\""},
        {"datasets", "[{}]", "\"name\""},
        {"inputs", "[{\"stream\":\"x\"}]", "\"dataset\""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        json_t *json = json_loads(text, 0, NULL);
        json_object_set_new(json, CASES[i].key, json_loads(CASES[i].value, JSON_DECODE_ANY, NULL));
        FAILS(def_decode(arena, json, &out, &err), DS_FINDING, CASES[i].part);
        json_decref(json);
    }
    free(text);
}

// --- as apply finds it

static void begin(estate *e)
{
    static const estate_model MODEL = {.people = "id: integer primary key, name: text", .live = "Store1/people"};
    estate_open(e, &SQLITE_DRIVER);
    estate_sql(e, "source.db",
               "CREATE TABLE people (id INTEGER, name TEXT); INSERT INTO people VALUES (1, 'a'), (2, 'b')");
    estate_use(e, &MODEL);
}

// A definition that can't be read is written again, and all is read again: nobody knows what the tables hold.
static void written_again(void **state)
{
    (void)state;
    static const char *const CONFIGS[] = {"config = '{'", "config = '[]'", "config = '{\"def\":1}', version = 'x'",
                                          "config = '', removed = 1"};
    for (size_t i = 0; i < sizeof CONFIGS / sizeof CONFIGS[0]; i++) {
        estate e;
        ds_error err;
        begin(&e);
        estate_apply(&e);
        estate_job(&e, "P/Store1");
        estate_sql(&e, "merge.db", arena_printf(e.arena, "UPDATE datasurface__stream SET %s", CONFIGS[i]));
        FAILS(estate_try_job(&e, "P/Store1", &err), DS_FINDING, "stored definition");
        assert_string_equal(err.hint, "run datasurface apply to write it again");
        assert_string_equal(estate_changes(&e, estate_plan(&e, false)), "update stream P/Store1\n");
        estate_apply(&e);
        estate_sql(&e, "merge.db", "UPDATE ds_p__store1__people SET name = 'damaged' WHERE id = 1");
        estate_job(&e, "P/Store1");
        assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__people ORDER BY 1"),
                            "1|a\n2|b\n");
        estate_close(&e);
    }
}

// What can't be rewritten is refused with a hint: one of a newer version, one that the model no longer has.
static void not_written_again(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    const ds_plan *plan;
    begin(&e);
    estate_apply(&e);
    estate_sql(&e, "merge.db", "UPDATE datasurface__stream SET config = '{\"def\":2}'");
    FAILS(plan_make(&e.runtime, e.deployment, false, e.arena, &plan, &err), DS_FINDING, "newer datasurface");
    estate_sql(&e, "merge.db", "UPDATE datasurface__stream SET config = '{', name = 'P/Other'");
    FAILS(plan_make(&e.runtime, e.deployment, false, e.arena, &plan, &err), DS_FINDING, "stream P/Other");
    assert_non_null(strstr(err.hint, "the model has no such stream"));
    estate_close(&e);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(kept_once),
        cmocka_unit_test(a_container_with_texts_of_its_own),
        cmocka_unit_test(older),
        cmocka_unit_test(damaged),
        cmocka_unit_test(written_again),
        cmocka_unit_test(not_written_again),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
