// yellow/control/control.h: what the control tables say is what was written.
#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/world.h"
#include "yellow/control/control.h"

static ds_control *open_control(world *w, ds_control_mode mode)
{
    ds_error err;
    ds_control *control = NULL;
    OK(control_open(&w->runtime, &w->merge, mode, &control, &err));
    return control;
}

static void nothing_applied(void **state)
{
    (void)state;
    world w;
    ds_error err;
    ds_control *control = NULL;
    bool exists = true;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD1);
    for (int file = 0; file < 2; file++) { // no file, then one without our tables
        FAILS(control_open(&w.runtime, &w.merge, CONTROL_READ, &control, &err), DS_FINDING, "nothing has been applied");
        HINTS("run datasurface apply");
        FAILS(control_open(&w.runtime, &w.merge, CONTROL_WRITE, &control, &err), DS_FINDING,
              "nothing has been applied");
        OK(control_exists(&w.runtime, &w.merge, &exists, &err));
        assert_false(exists);
        if (file == 0)
            world_merge(&w, "CREATE TABLE other (x)");
    }
    control_close(open_control(&w, CONTROL_CREATE));
    control_close(open_control(&w, CONTROL_CREATE)); // again changes nothing
    OK(control_exists(&w.runtime, &w.merge, &exists, &err));
    assert_true(exists);
    control_close(open_control(&w, CONTROL_READ));
    world_close(&w);
}

// An unreadable database is not an absent one.
static void unreadable(void **state)
{
    (void)state;
    world w;
    ds_error err;
    bool exists = true;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD1);
    w.merge.path = "."; // a directory
    FAILS(control_exists(&w.runtime, &w.merge, &exists, &err), DS_ENV, "directory");
    world_close(&w);
}

static void streams(void **state)
{
    (void)state;
    world w;
    ds_error err;
    ds_stream_row *rows, *row;
    size_t n;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD2);
    world_dataset(&w, "t", "id integer primary key; name text");
    w.runtime.tree_id = "tree1";
    ds_control *control = open_control(&w, CONTROL_CREATE);
    const char *const NAMES[] = {"P/B", "P/A", "P/C"};
    for (size_t i = 0; i < 3; i++) {
        w.def.name = NAMES[i];
        OK(control_put_stream(control, &w.def, &err));
    }
    OK(control_mark_removed(control, "P/A", true, &err));
    OK(control_streams(control, w.arena, &rows, &n, &err));
    assert_int_equal(n, 3);
    assert_string_equal(rows[0].name, "P/B");
    assert_string_equal(rows[1].name, "P/C");
    assert_string_equal(rows[2].name, "P/A"); // removed ones last
    assert_true(rows[2].removed);

    OK(control_stream(control, "P/A", w.arena, &row, &err));
    assert_int_equal(row->version, 1);
    assert_int_equal(row->fence, 0);
    assert_string_equal(row->tree_id, "tree1");
    assert_string_equal(row->def->datasets[0].name, "t");
    w.def.name = "P/A";
    w.runtime.tree_id = "tree2";
    OK(control_put_stream(control, &w.def, &err)); // back, in a new version
    OK(control_set_paused(control, "P/A", true, &err));
    OK(control_set_resnapshot(control, "P/A", true, &err));
    OK(control_stream(control, "P/A", w.arena, &row, &err));
    assert_int_equal(row->version, 2);
    assert_string_equal(row->tree_id, "tree2");
    assert_false(row->removed);
    assert_true(row->paused && row->resnapshot);

    FAILS(control_set_paused(control, "P/X", true, &err), DS_USAGE, "no stream \"P/X\"");
    OK(control_delete_stream(control, "P/A", &err));
    OK(control_stream(control, "P/A", w.arena, &row, &err));
    assert_null(row);
    control_close(control);
    world_close(&w);
}

static void batches(void **state)
{
    (void)state;
    world w;
    ds_error err;
    ds_batch_row *rows, *row;
    size_t n;
    ds_dataset_state known;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD2);
    ds_control *control = open_control(&w, CONTROL_CREATE);
    OK(control_last_batch(control, "P/S", false, w.arena, &row, &err));
    assert_null(row);
    OK(control_dataset_state(control, "P/S", "t", w.arena, &known, &err));
    assert_int_equal(known.batch, 0);
    assert_string_equal(known.key, "");
    world_merge(&w, "INSERT INTO datasurface__batch (stream, batch_id, status, started_at, committed_at, rows_read, "
                    "rows_inserted, rows_updated, rows_deleted, rows_unchanged, bytes, position, fingerprint_rows, "
                    "fingerprint, stream_version) VALUES ('P/S', 1, 'committed', '2026-01-31 12:34:56.789012+00:00', "
                    "'2026-01-31 12:34:57.000000+00:00', 1, 2, 3, 4, 5, 6, '{}', 7, "
                    "'00000000000000010000000000000002', 8);"
                    "INSERT INTO datasurface__batch (stream, batch_id, status, started_at, error, guarded, attempts, "
                    "retry_at) VALUES ('P/S', 2, 'merging', '2026-02-01 00:00:00.000000+00:00', 'broken', 1, 9, "
                    "'1970-01-01 00:00:00.000001+00:00');"
                    "INSERT INTO datasurface__dataset_batch (stream, batch_id, dataset, fingerprint_rows, fingerprint, "
                    "key_columns) VALUES ('P/S', 1, 't', 3, '00000000000000000000000000000004', 'a,b'), "
                    "('P/S', 2, 't', 5, '00000000000000000000000000000006', 'c')");
    OK(control_batches(control, "P/S", 10, w.arena, &rows, &n, &err));
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].id, 2); // newest first
    assert_string_equal(rows[0].error, "broken");
    assert_true(rows[0].guarded);
    assert_int_equal(rows[0].attempts, 9);
    assert_int_equal(rows[0].retry_at, 1);
    assert_int_equal(rows[0].committed_at, 0);
    assert_true(rows[1].started_at == INT64_C(1769862896789012));
    assert_true(rows[1].committed_at == INT64_C(1769862897000000));
    const ds_counts expected = {1, 2, 3, 4, 5, 6};
    assert_memory_equal(&rows[1].counts, &expected, sizeof expected);
    assert_int_equal(rows[1].fingerprint.rows, 7);
    assert_true(rows[1].fingerprint.sum.high == 1 && rows[1].fingerprint.sum.low == 2);
    assert_int_equal(rows[1].stream_version, 8);
    assert_null(rows[1].error);
    OK(control_batches(control, "P/S", 1, w.arena, &rows, &n, &err));
    assert_int_equal(n, 1);
    OK(control_last_batch(control, "P/S", true, w.arena, &row, &err));
    assert_int_equal(row->id, 1);
    OK(control_dataset_state(control, "P/S", "t", w.arena, &known, &err)); // of what is committed
    assert_int_equal(known.batch, 1);
    assert_int_equal(known.fingerprint.rows, 3);
    assert_string_equal(known.key, "a,b");
    control_close(control);
    world_close(&w);
}

static void records(void **state)
{
    (void)state;
    world w;
    ds_error err;
    ds_applied_model last;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD2);
    ds_control *control = open_control(&w, CONTROL_CREATE);
    OK(control_applied_last(control, w.arena, &last, &err));
    assert_string_equal(last.tree_id, "");
    assert_string_equal(last.commit, "");
    w.runtime.tree_id = "tree1";
    w.runtime.commit = "c0ffee";
    OK(control_applied(control, "plan1", "[]", &err));
    OK(control_applied_last(control, w.arena, &last, &err));
    assert_string_equal(last.commit, "c0ffee");
    w.runtime.tree_id = "tree2";
    w.runtime.commit = NULL;
    OK(control_applied(control, "plan2", "[]", &err));
    OK(control_applied_last(control, w.arena, &last, &err));
    assert_string_equal(last.tree_id, "tree2");
    assert_string_equal(last.commit, "");
    OK(control_event(control, "P/S", "failed", "it's 'quoted'", &err));
    OK(control_event(control, NULL, "other", "", &err));
    assert_string_equal(world_query(&w, true, "SELECT id, at, stream, kind, detail FROM datasurface__event"),
                        "1|2023-11-14 22:13:20.000000+00:00|P/S|failed|it's 'quoted'\n"
                        "2|2023-11-14 22:13:20.000000+00:00|~|other|\n");
    control_close(control);
    world_close(&w);
}

static void a_followed_branch_is_told_once(void **state)
{
    (void)state;
    world w;
    ds_error err;
    bool news;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD2);
    ds_control *control = open_control(&w, CONTROL_CREATE);
    ds_follow_row row = {"origin/main", "", "c0ffee", "refused", "the model has 1 error", 0};
    for (int i = 0; i < 3; i++) {
        OK(control_put_follow(control, &row, &news, &err));
        assert_int_equal(news, i == 0);
    }
    row.service = "Yellow_NY";
    OK(control_put_follow(control, &row, &news, &err));
    assert_true(news);
    row = (ds_follow_row){"origin/main", "", "c0ffee", "applied", "", 0};
    OK(control_put_follow(control, &row, &news, &err));
    assert_true(news);
    ds_follow_row *rows;
    size_t n;
    OK(control_follows(control, w.arena, &rows, &n, &err));
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].state, "applied");
    assert_string_equal(rows[1].service, "Yellow_NY");
    assert_string_equal(world_query(&w, true, "SELECT stream, kind, detail FROM datasurface__event"),
                        "~|refused|origin/main c0ffee: the model has 1 error\n"
                        "~|refused|origin/main c0ffee: the model has 1 error\n"
                        "~|applied|origin/main c0ffee\n");
    control_close(control);
    world_close(&w);
}

static void views(void **state)
{
    (void)state;
    world w;
    ds_error err;
    ds_view_row *rows;
    size_t n;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD2);
    ds_control *control = open_control(&w, CONTROL_CREATE);
    ds_view_row history = {"W", "g", "S", "t", "P/S", true, {"", "ws_w__g__s__t__history"}};
    ds_view_row live = {"W", "g", "S", "t", "P/S", false, {"", "ws_w__g__s__t"}};
    OK(control_put_view(control, &history, &err));
    OK(control_put_view(control, &live, &err));
    live.stream = "Q/S";
    OK(control_put_view(control, &live, &err)); // moved
    OK(control_views(control, w.arena, &rows, &n, &err));
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].relation.name, "ws_w__g__s__t");
    assert_string_equal(rows[0].stream, "Q/S");
    assert_true(rows[1].history && !rows[0].history);
    OK(control_delete_view(control, live.relation, &err));
    OK(control_views(control, w.arena, &rows, &n, &err));
    assert_int_equal(n, 1);
    control_close(control);
    world_close(&w);
}

static void damaged(void **state)
{
    (void)state;
    world w;
    ds_error err;
    ds_stream_row *row;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD2);
    world_dataset(&w, "t", "id integer primary key");
    world_apply(&w);
    ds_control *control = open_control(&w, CONTROL_READ);
    static const char *const CONFIGS[] = {"'{'", "'{}'", "'{\"def\":2}'"};
    static const char *const PARTS[] = {"no JSON", "\"def\"", "newer datasurface"};
    for (size_t i = 0; i < 3; i++) {
        world_merge(&w, arena_printf(w.arena, "UPDATE datasurface__stream SET config = %s", CONFIGS[i]));
        FAILS(control_stream(control, "P/S", w.arena, &row, &err), DS_FINDING, PARTS[i]);
        assert_non_null(strstr(err.text, "stream P/S"));
        assert_true(err.hint[0]);
    }
    control_close(control);
    world_close(&w);
}

// What somebody wrote into a control table is no bug of ours.
static void damaged_numbers(void **state)
{
    (void)state;
    static const char *const VERSIONS[] = {"'abc'", "''", "'1x'", "'-1'", "0", "x'ff'"};
    world w;
    ds_error err;
    ds_stream_row *row;
    ds_batch_row *batches;
    size_t n;
    world_open(&w, &SQLITE_DRIVER, MILESTONING_SCD2);
    world_dataset(&w, "t", "id integer primary key");
    world_apply(&w);
    world_merge(&w, "UPDATE datasurface__stream SET version = 'x', fence = 'y', paused = 'z'");
    ds_control *control = open_control(&w, CONTROL_READ);
    OK(control_stream(control, "P/S", w.arena, &row, &err));
    assert_true(row->version == 0 && row->fence == 0 && !row->paused);
    world_merge(
        &w,
        "INSERT INTO datasurface__batch (stream, batch_id, status, started_at, position) VALUES ('P/S', 'first', 'started', '', '')");
    FAILS(control_batches(control, "P/S", 9, w.arena, &batches, &n, &err), DS_FINDING, "\"first\" is no batch id");
    control_close(control);
    for (size_t i = 0; i < sizeof VERSIONS / sizeof VERSIONS[0]; i++) {
        world_merge(&w, arena_printf(w.arena, "UPDATE datasurface__meta SET value = %s", VERSIONS[i]));
        FAILS(control_open(&w.runtime, &w.merge, CONTROL_WRITE, &control, &err), DS_FINDING, "damaged control table");
        assert_non_null(strstr(err.hint, "datasurface__meta"));
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(nothing_applied), cmocka_unit_test(unreadable),
        cmocka_unit_test(streams),         cmocka_unit_test(batches),
        cmocka_unit_test(records),         cmocka_unit_test(a_followed_branch_is_told_once),
        cmocka_unit_test(views),           cmocka_unit_test(damaged),
        cmocka_unit_test(damaged_numbers),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
