// yellow/plan/compile.h: what a stream's definition gets from the model, and what is refused.
#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/estate.h"

// A model around the parts that a case is about.
typedef struct parts {
    const char *container; // more of the source's
    const char *capture;   // type and what belongs to it
    const char *dataset;   // of Store1/people, flow map
    const char *sql;       // of the transformer, a YAML value; NULL: none
    const char *status;    // of Consumer/live on Live
    const char *service;   // more of the platform service
    const char *platform;  // of Live, flow map
    const char *sinks;     // of Consumer/live
} parts;

static const parts PLAIN = {
    .container = "",
    .capture = "type: sql_snapshot",
    .dataset = "{columns: {id: integer primary key, name: text}}",
    .status = "provisioned",
    .service = "",
    .platform = "{type: yellow, milestoning: scd1}",
    .sinks = "[Store1/people]",
};

static const char *yaml_of(estate *e, const parts *p)
{
    const char *transformer =
        p->sql
            ? arena_printf(e->arena,
                           "---\nkind: Workspace\nteam: Z/T\nname: Mask\ndataset_groups:\n"
                           "  input: {sinks: [Store1/people, Masked/people]}\ntransformer:\n  name: mask\n"
                           "  trigger: {cron: \"0 * * * *\"}\n  run: %s\n"
                           "  output: {datastore: Masked, datasets: {people: {columns: {id: integer primary key}}}}\n",
                           p->sql)
            : "";
    return arena_printf(e->arena,
                        "kind: DataContainer\nteam: Z/T\nname: Source\ntype: sqlite\npath: source.db\n%s\n---\n"
                        "kind: Datastore\nteam: Z/T\nname: Store1\ncapture:\n  %s\n  container: Source\n"
                        "  credential: reader\n  trigger: {cron: \"*/5 * * * *\", timezone: Europe/Berlin}\n"
                        "datasets:\n  people: %s\n  Unused: {columns: {id: integer primary key}}\n"
                        "---\nkind: Workspace\nteam: Z/T\nname: Consumer\npriority: high\ndataset_groups:\n"
                        "  live: {sinks: %s}\n%s"
                        "---\nkind: PlatformService\nname: Svc\nmerge: {container: Merge, credential: writer}\n"
                        "containers:\n  Merge: {type: sqlite, path: merge.db}\n"
                        "platforms:\n  Live: %s\nassignments:\n"
                        "  - {group: Consumer/live, platforms: [{platform: Live, status: %s}]}\n%s",
                        p->container, p->capture, p->dataset, p->sinks, transformer, p->platform, p->status,
                        p->service);
}

static void use(estate *e, const parts *p)
{
    ds_error err;
    OK(estate_compile(e, yaml_of(e, p), &err));
}

static void one_stream(void **state)
{
    (void)state;
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    parts p = PLAIN;
    p.capture = "type: sql_snapshot\n  max_delete_ratio: 0.25\n  staging: full";
    p.dataset = "{source: {schema: s, table: T 1}, columns: {id: integer, Name: {type: text, source: N n}}, "
                "primary_key: [Name, id]}";
    p.service = "hints: {streams: {Store1: {chunk_rows: 7, workers: 2, memory: 64Mi}}}\n";
    use(&e, &p);
    assert_string_equal(e.deployment->merge.credential, "writer");
    assert_int_equal(e.deployment->n, 1);
    const ds_stream_def *def = e.deployment->streams[0];
    assert_string_equal(def->name, "Live/Store1");
    assert_string_equal(def->service, "Svc");
    assert_null(def->dataset);
    assert_null(def->workspace);
    assert_int_equal(def->priority, PRIORITY_HIGH);
    assert_string_equal(def->cron, "*/5 * * * *");
    assert_string_equal(def->timezone, "Europe/Berlin");
    assert_true(def->max_delete_ratio > 0.24 && def->max_delete_ratio < 0.26);
    assert_true(def->staging_full);
    assert_int_equal(def->staging_batches, 50);
    assert_int_equal(def->chunk_rows, 7);
    assert_int_equal(def->memory_bytes, 64 << 20);
    assert_int_equal(def->workers, 2);
    assert_int_equal(def->source_rows_per_second, 0);
    assert_string_equal(def->source.path, "source.db");
    assert_string_equal(def->source.credential, "reader");
    assert_int_equal(def->input_count, 0);
    assert_int_equal(def->dataset_count, 1); // nobody asks for the other one
    const ds_dataset_def *people = &def->datasets[0];
    assert_string_equal(people->source_schema, "s");
    assert_string_equal(people->source_table, "T 1");
    assert_string_equal(people->shape->columns[1].source, "N n");
    assert_int_equal(people->shape->key_count, 2);
    assert_int_equal(people->shape->key[0], 1); // primary_key gives the order
    assert_true(people->shape->columns[0].not_null);
    assert_string_equal(people->merge.name, "ds_live__store1__people");
    assert_string_equal(people->staging.name, "ds_live__store1__people__s");
    assert_int_equal(people->view_count, 1);
    assert_string_equal(people->views[0].relation.name, "ws_consumer__live__store1__people");
    estate_close(&e);
}

// Of the container's own limit and the service's for it, the smaller one.
static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *own, *service;
        int64_t expected;
    } CASES[] = {
        {"", "", 0},
        {"limits: {connections: 1}", "limits: {Source: {connections: 1}}\n", 0},
        {"limits: {rows_per_second: 30}", "", 30},
        {"", "limits: {Source: {rows_per_second: 20}}\n", 20},
        {"", "limits: {Merge: {rows_per_second: 20}}\n", 0},
        {"limits: {rows_per_second: 30}", "limits: {Merge: {rows_per_second: 1}, Source: {rows_per_second: 20}}\n", 20},
        {"limits: {rows_per_second: 10}", "limits: {Source: {rows_per_second: 20}}\n", 10},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        estate_open(&e, &SQLITE_DRIVER);
        parts p = PLAIN;
        p.container = CASES[i].own;
        p.service = CASES[i].service;
        use(&e, &p);
        assert_int_equal(e.deployment->streams[0]->source_rows_per_second, CASES[i].expected);
        estate_close(&e);
    }
}

static void provisioning_has_no_views(void **state)
{
    (void)state;
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    parts p = PLAIN;
    p.status = "provisioning";
    use(&e, &p);
    assert_int_equal(e.deployment->n, 1);
    assert_int_equal(e.deployment->streams[0]->datasets[0].view_count, 0);
    estate_close(&e);
}

// An input's name is one for every engine: some want an alias for a subquery, and a user may have given one.
static void transformer_sql(void **state)
{
    (void)state;
#define WITH_PEOPLE "WITH ds_input_1 AS NOT MATERIALIZED (SELECT \"id\", \"name\" FROM \"ds_live__store1__people\""
    static const struct {
        const char *platform, *sql, *expected;
    } CASES[] = {
        {"{type: yellow, milestoning: scd1}", "{sql: {people: 'SELECT id FROM {input.Store1.people} p'}}",
         WITH_PEOPLE ") SELECT * FROM (SELECT id FROM ds_input_1 p\n) AS ds_text"},
        {"{type: yellow, milestoning: scd4}", "{sql: {people: 'SELECT id FROM { input.Store1.people }'}}",
         WITH_PEOPLE ") SELECT * FROM (SELECT id FROM ds_input_1\n) AS ds_text"},
        {"{type: yellow, milestoning: scd2}",
         "{sql: {people: \"SELECT id, '{{x}}' FROM {input.Store1.people} UNION SELECT id FROM {input.Masked.people} UNION "
         "SELECT id FROM {input.Store1.people} again\"}}",
         WITH_PEOPLE " WHERE ds_batch_out = 9223372036854775807), ds_input_2 AS NOT MATERIALIZED (SELECT \"id\" FROM "
                     "\"ds_live__masked__people\" WHERE ds_batch_out = 9223372036854775807) SELECT * FROM (SELECT id, "
                     "'{x}' FROM ds_input_1 UNION SELECT id FROM ds_input_2 UNION SELECT id FROM ds_input_1 again\n) "
                     "AS ds_text"},
        {"{type: yellow, milestoning: scd1}", "{sql: {people: {sqlite: 'SELECT 1 AS id', postgres: 'SELECT 2 AS id'}}}",
         "SELECT 1 AS id"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        estate_open(&e, &SQLITE_DRIVER);
        parts p = PLAIN;
        p.platform = CASES[i].platform;
        p.sql = CASES[i].sql;
        p.sinks = "[Masked/people]";
        use(&e, &p);
        assert_int_equal(e.deployment->n, 2); // the input's stream first
        const ds_stream_def *def = e.deployment->streams[1];
        assert_string_equal(def->name, "Live/Masked");
        assert_string_equal(def->workspace, "Mask");
        assert_string_equal(def->cron, "0 * * * *");
        assert_string_equal(def->source.type, "");
        assert_int_equal(def->input_count, 2);
        assert_string_equal(def->inputs[0].stream, "Live/Store1");
        assert_string_equal(def->inputs[0].relation.name, "ds_live__store1__people");
        assert_string_equal(def->inputs[1].stream, "Live/Masked"); // itself, as of the batch before
        assert_string_equal(def->datasets[0].sql, CASES[i].expected);
        estate_close(&e);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *capture, *dataset, *sql, *platform, *part;
    } CASES[] = {
        {"type: sql_cdc", NULL, NULL, NULL, "datastore \"Store1\": capture type \"sql_cdc\" can't be run yet"},
        {"type: sql_watermark\n  watermark: {column: at}", NULL, NULL, NULL,
         "Store1/people has no watermark column \"at\""},
        {"type: sql_watermark\n  watermark: {column: name}", "{columns: {id: integer primary key, name: text}}", NULL,
         NULL, "Store1/people: \"name\" can't be a watermark"},
        {"type: sql_watermark\n  watermark: {column: id}", "{key: none, columns: {id: integer}}", NULL, NULL,
         "Store1/people has no key: it can't be read by watermark"},
        {NULL, NULL, "{command: {image: mask}}", NULL, "transformer of workspace \"Mask\": images can't be run yet"},
        {NULL, NULL, "{sql: {people: 'SELECT id FROM {input.Store1.Unused}'}}", NULL,
         "no such input: \"input.Store1.Unused\""},
        {NULL, NULL, "{sql: {people: 'SELECT id FROM {input.Store1}'}}", NULL, "no such input: \"input.Store1\""},
        {NULL, NULL, "{sql: {people: 'SELECT { FROM x'}}", NULL, "unbalanced brace"},
        {NULL, NULL, "{sql: {people: 'SELECT } FROM x'}}", NULL, "unbalanced brace"},
        {NULL, NULL, "{sql: {people: {postgres: 'SELECT 1 AS id'}}}", NULL, "has no SQL for \"sqlite\""},
        {NULL, "{key: none, columns: {id: integer}}", NULL, "{type: yellow, milestoning: scd2}",
         "Store1/people has no key"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        ds_error err;
        estate_open(&e, &SQLITE_DRIVER);
        parts p = PLAIN;
        p.capture = CASES[i].capture ? CASES[i].capture : p.capture;
        p.dataset = CASES[i].dataset ? CASES[i].dataset : p.dataset;
        p.platform = CASES[i].platform ? CASES[i].platform : p.platform;
        p.sql = CASES[i].sql;
        p.sinks = p.sql ? "[Masked/people]" : p.sinks;
        FAILS(estate_compile(&e, yaml_of(&e, &p), &err), DS_FINDING, CASES[i].part);
        estate_close(&e);
    }
}

// Where the server would cut a column's name.
#define LETTERS "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdef" // 60
static void long_column_names(void **state)
{
    (void)state;
    ds_dialect dialect = *SQLITE_DRIVER.dialect;
    dialect.names.limit = 63;
    ds_driver driver = SQLITE_DRIVER;
    driver.dialect = &dialect;
    static const struct {
        const char *dataset, *part;
    } CASES[] = {
        {"{columns: {id: integer primary key, " LETTERS "abc: text}}", NULL},
        {"{columns: {id: integer primary key, " LETTERS "abcd: text}}",
         "Store1/people: the name of column \"" LETTERS "abcd\" is too long for Merge, which takes 63 bytes"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        ds_error err;
        estate_open(&e, &driver);
        parts p = PLAIN;
        p.dataset = CASES[i].dataset;
        ds_rc rc = estate_compile(&e, yaml_of(&e, &p), &err);
        if (CASES[i].part)
            FAILS(rc, DS_FINDING, CASES[i].part);
        else
            OK(rc);
        estate_close(&e);
    }
}

// A stream that can't be run, and what reads it, wait as long as only groups in provisioning need them.
static void left_out(void **state)
{
    (void)state;
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    parts p = PLAIN;
    p.capture = "type: sql_cdc";
    p.status = "provisioning";
    p.sql = "{sql: {people: 'SELECT id FROM {input.Store1.people}'}}";
    p.sinks = "[Masked/people]";
    use(&e, &p);
    assert_int_equal(e.deployment->n, 0);
    estate_close(&e);
}

static void watermarks(void **state)
{
    (void)state;
    static const struct {
        const char *capture;
        int64_t overlap, sweep_us;
        const char *newest;
    } CASES[] = {
        {"{column: id}", 0, 0, NULL},
        {"{column: id, overlap: 1000}", 1000, 0, NULL},
        {"{column: id, overlap: 10m, newest: deliver}", 600000000, 0, NULL},
        {"{column: id, sweep: 1d, newest: wait}", 0, INT64_C(86400000000), "wait"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        estate_open(&e, &SQLITE_DRIVER);
        parts p = PLAIN;
        p.capture = arena_printf(e.arena, "type: sql_watermark\n  watermark: %s", CASES[i].capture);
        use(&e, &p);
        const ds_stream_def *def = e.deployment->streams[0];
        assert_string_equal(def->watermark, "id");
        assert_int_equal(def->overlap, CASES[i].overlap);
        assert_int_equal(def->sweep_us, CASES[i].sweep_us);
        assert_string_equal(def->newest ? def->newest : "", CASES[i].newest ? CASES[i].newest : "");
        estate_close(&e);
    }
}

static void single_dataset(void **state)
{
    (void)state;
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    parts p = PLAIN;
    p.capture = "type: sql_snapshot\n  consistency: single_dataset";
    p.sinks = "[Store1/people, Store1/Unused]";
    p.service = "hints: {streams: {Store1: {chunk_rows: 7}, Store1/people: {memory: 10Ki}}}\n";
    use(&e, &p);
    assert_int_equal(e.deployment->n, 2);
    assert_string_equal(e.deployment->streams[0]->name, "Live/Store1/Unused");
    assert_string_equal(e.deployment->streams[0]->dataset, "Unused");
    assert_int_equal(e.deployment->streams[0]->chunk_rows, 7);
    assert_string_equal(e.deployment->streams[1]->name, "Live/Store1/people");
    assert_int_equal(e.deployment->streams[1]->chunk_rows, 0); // the nearer hint stands alone
    assert_int_equal(e.deployment->streams[1]->memory_bytes, 10240);
    estate_close(&e);
}

// What a consumer's database gets: mirrors of what is merged, with the views; the merge database has none of these.
static void replicas(void **state)
{
    (void)state;
    estate e;
    estate_open(&e, &SQLITE_DRIVER);
    parts p = PLAIN;
    p.platform = "{type: yellow, milestoning: scd4}";
    p.container = "---\nkind: DataContainer\nteam: Z/T\nname: Own\ntype: sqlite\npath: own.db\nlimits: {writers: 2}";
    p.dataset = "{source: {table: T 1}, columns: {id: integer primary key}, checks: [{not_null: [id]}]}";
    p.capture = "type: sql_watermark\n  max_delete_ratio: 0.25\n  staging: full\n  watermark: {column: id}";
    p.service = "limits: {Own: {writers: 1}}\n---\nkind: Workspace\nteam: Z/T\nname: Late\ncontainer: Own\n"
                "credential: own_rw\npriority: low\ndataset_groups:\n  all: {sinks: [Store1/people]}\n";
    ds_error err;
    const char *yaml = yaml_of(&e, &p);
    const char *assigned = "assignments:\n";
    const char *at = strstr(yaml, assigned) + strlen(assigned);
    OK(estate_compile(&e,
                      arena_printf(e.arena,
                                   "%.*s  - {group: Late/all, platforms: [{platform: Live, status: provisioned}]}\n%s",
                                   (int)(at - yaml), yaml, at),
                      &err));
    assert_int_equal(e.merged->n, 1);
    assert_int_equal(e.merged->streams[0]->datasets[0].view_count, 1); // Consumer's
    assert_int_equal(e.merged->replica_count, 1);
    estate_turn_to(&e, "Own");
    assert_string_equal(e.deployment->merge.path, "own.db");
    assert_string_equal(e.deployment->merge.credential, "own_rw");
    assert_int_equal(e.deployment->caps[0].writers, 1);
    assert_int_equal(e.deployment->n, 1);
    const ds_stream_def *def = e.deployment->streams[0];
    assert_string_equal(def->name, "Live/Store1@Own");
    assert_string_equal(def->platform, "Live");
    assert_string_equal(def->primary, "Live/Store1");
    assert_true(def->primary_versions);
    assert_int_equal(def->milestoning, MILESTONING_SCD4);
    assert_int_equal(def->priority, PRIORITY_LOW); // its own consumers'
    assert_string_equal(def->source.path, "merge.db");
    assert_string_equal(def->source.credential, "writer");
    assert_string_equal(def->cron, "");
    assert_int_equal(def->input_count, 1);
    assert_string_equal(def->inputs[0].stream, "Live/Store1");
    assert_true(def->max_delete_ratio >= 1);
    assert_false(def->staging_full);
    assert_null(def->watermark);
    const ds_dataset_def *people = &def->datasets[0];
    assert_string_equal(people->source_table, "ds_live__store1__people");
    assert_string_equal(people->source_history.name, "ds_live__store1__people__h");
    assert_string_equal(people->merge.name, "ds_live__store1__people");
    assert_int_equal(people->check_count, 0);
    assert_int_equal(people->view_count, 1);
    assert_string_equal(people->views[0].relation.name, "ws_late__all__store1__people");
    estate_close(&e);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(one_stream),      cmocka_unit_test(limits),     cmocka_unit_test(provisioning_has_no_views),
        cmocka_unit_test(transformer_sql), cmocka_unit_test(refused),    cmocka_unit_test(long_column_names),
        cmocka_unit_test(left_out),        cmocka_unit_test(watermarks), cmocka_unit_test(single_dataset),
        cmocka_unit_test(replicas),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
