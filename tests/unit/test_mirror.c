// A stream that mirrors another platform's tables: what it does when the primary is not where it was.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/estate_model.h"
#include "support/mirror.h"
#include "support/truth.h"

#define PEOPLE "id integer primary key; name varchar(20)"

static test_pair pair;
static mirror_place place; // the other engine's database where there is one

static void run(world *w, int64_t batch)
{
    ds_job_result result;
    ds_error err;
    OK(world_job(w, &result, &err));
    assert_int_equal(result.batch, batch);
    assert_string_equal(truth_broken(&w->runtime, &w->merge, &w->def, w->arena), "");
}

// Three batches of the primary: ann comes, bob comes, ann becomes anna.
static void primary_world(world *p, ds_milestoning milestoning)
{
    pair_clear(&pair);
    world_open_on(p, &pair, milestoning);
    world_dataset(p, "people", PEOPLE);
    world_apply(p);
    world_source(p, "INSERT INTO people VALUES (1, 'ann')");
    run(p, 1);
    world_source(p, "INSERT INTO people VALUES (2, 'bob')");
    run(p, 2);
    world_source(p, "UPDATE people SET name = 'anna' WHERE id = 1");
    run(p, 3);
}

static void mirror_world(world *m, const world *p, ds_milestoning milestoning)
{
    mirror_open(m, p, milestoning, place);
    world_apply(m);
}

static void same_rows(const world *m, const world *p, bool versions)
{
    assert_string_equal(world_live(m), world_live(p));
    if (versions)
        assert_string_equal(mirror_versions(m, 0, false), mirror_versions(p, 0, false));
}

static void it_waits_for_the_primary(void **state)
{
    (void)state;
    world p, m;
    ds_job_result result;
    ds_error err;
    pair_clear(&pair);
    world_open_on(&p, &pair, MILESTONING_SCD2);
    world_dataset(&p, "people", PEOPLE);
    world_apply(&p);
    mirror_world(&m, &p, MILESTONING_SCD2);
    OK(world_job(&m, &result, &err));
    assert_int_equal(result.batch, 0);
    assert_string_equal(result.note, "primary P/S has no first batch yet");
    run(&p, 1);
    run(&m, 1);
    OK(world_job(&m, &result, &err));
    assert_int_equal(result.batch, 0);
    assert_string_equal(result.note, "at batch 1 of primary P/S");
    run(&p, 2);
    run(&m, 2);
    assert_string_equal(world_query(&m, true, "SELECT count(*) FROM datasurface__dataset_batch WHERE stream = 'Q/S'"),
                        "1\n"); // nothing changed in 2
    world_close(&p);
}

static void it_follows_in_steps_of_any_length(void **state)
{
    (void)state;
    for (int from = MILESTONING_SCD2; from <= MILESTONING_SCD4; from++)
        for (int to = MILESTONING_SCD1; to <= MILESTONING_SCD4; to++) {
            world p, m;
            primary_world(&p, (ds_milestoning)from);
            mirror_world(&m, &p, (ds_milestoning)to);
            run(&m, 3);
            same_rows(&m, &p, to != MILESTONING_SCD1);
            world_source(&p, "DELETE FROM people WHERE id = 1");
            run(&p, 4);
            world_source(&p, "INSERT INTO people VALUES (1, 'ann'); UPDATE people SET name = 'rob' WHERE id = 2");
            run(&p, 5);
            world_source(&p, "UPDATE people SET name = 'bob' WHERE id = 2");
            run(&p, 6);
            run(&m, 6);
            same_rows(&m, &p, to != MILESTONING_SCD1);
            world_close(&p);
        }
}

// The reference system's sequence: what a mirror holds that looks after some of the primary's batches.
static const char *const SEQUENCE[] = {
    "INSERT INTO people VALUES (1, 'billy')",          "INSERT INTO people VALUES (2, 'laura')",
    "UPDATE people SET name = 'william' WHERE id = 1", "DELETE FROM people WHERE id = 1",
    "INSERT INTO people VALUES (1, 'billy')",
};
enum { LENGTH = sizeof SEQUENCE / sizeof SEQUENCE[0] };

#define LIVE "9223372036854775807"
static const struct {
    const char *looks; // batches after which the mirror runs
    const char *versions, *live;
} LOOKS[] = {
    {"12345", "1|billy|1|2\n1|billy|5|" LIVE "\n1|william|3|3\n2|laura|2|" LIVE "\n",
     "1|billy|5|" LIVE "\n2|laura|2|" LIVE "\n"},
    {"34", "1|billy|1|2\n1|william|3|3\n2|laura|2|" LIVE "\n", "2|laura|2|" LIVE "\n"},
    {"35", "1|billy|1|2\n1|billy|5|" LIVE "\n1|william|3|3\n2|laura|2|" LIVE "\n",
     "1|billy|5|" LIVE "\n2|laura|2|" LIVE "\n"},
    {"5", "1|billy|1|2\n1|billy|5|" LIVE "\n1|william|3|3\n2|laura|2|" LIVE "\n",
     "1|billy|5|" LIVE "\n2|laura|2|" LIVE "\n"},
    {"3", "1|billy|1|2\n1|william|3|" LIVE "\n2|laura|2|" LIVE "\n", "1|william|3|" LIVE "\n2|laura|2|" LIVE "\n"},
};

static void play(const char *looks, ds_milestoning from, ds_milestoning to, const char *expected)
{
    world p, m;
    pair_clear(&pair);
    world_open_on(&p, &pair, from);
    world_dataset(&p, "people", PEOPLE);
    world_apply(&p);
    mirror_world(&m, &p, to);
    for (int b = 1; b <= LENGTH; b++) {
        world_source(&p, SEQUENCE[b - 1]);
        run(&p, b);
        if (strchr(looks, '0' + b))
            run(&m, b);
    }
    assert_string_equal(mirror_versions(&m, 0, false), expected);
    world_close(&p);
}

static void the_sequence_gives_what_the_primary_had(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LOOKS / sizeof LOOKS[0]; i++)
        for (int from = MILESTONING_SCD2; from <= MILESTONING_SCD4; from++)
            for (int to = MILESTONING_SCD1; to <= MILESTONING_SCD4; to++)
                play(LOOKS[i].looks, (ds_milestoning)from, (ds_milestoning)to,
                     to == MILESTONING_SCD1 ? LOOKS[i].live : LOOKS[i].versions);
}

static void forget(world *p)
{
    world_merge(p, "DELETE FROM datasurface__batch WHERE stream = 'P/S';"
                   "DELETE FROM datasurface__dataset_batch WHERE stream = 'P/S'; DELETE FROM ds_p__s__people");
    world_merge(p, arena_printf(p->arena, "DELETE FROM %s", world_name(p, p->datasets[0].staging)));
}

static void a_primary_built_anew_is_refused(void **state)
{
    (void)state;
    for (int to = MILESTONING_SCD1; to <= MILESTONING_SCD4; to++) {
        world p, m;
        ds_job_result result;
        ds_error err;
        primary_world(&p, MILESTONING_SCD2);
        mirror_world(&m, &p, (ds_milestoning)to);
        run(&m, 3);
        forget(&p);
        run(&p, 1);
        FAILS(world_job(&m, &result, &err), DS_FINDING, "the primary was built anew");
        assert_non_null(strstr(err.hint, "datasurface resnapshot Q/S"));
        world_merge(&m, "UPDATE datasurface__stream SET resnapshot = 1 WHERE name = 'Q/S'");
        run(&m, 1);
        same_rows(&m, &p, to != MILESTONING_SCD1);
        world_source(&p, "DELETE FROM people WHERE id = 2");
        run(&p, 2);
        run(&m, 2);
        same_rows(&m, &p, to != MILESTONING_SCD1);
        world_close(&p);
    }
}

static int partings(const world *m)
{
    return (int)strtol(world_query(m, true, "SELECT count(*) FROM datasurface__event WHERE kind = 'parted'"), NULL, 10);
}

// Its ids have passed ours again before we looked.
static void a_primary_built_anew_and_further_is_compared(void **state)
{
    (void)state;
    world p, m;
    primary_world(&p, MILESTONING_SCD2);
    mirror_world(&m, &p, MILESTONING_SCD2);
    run(&m, 3);
    forget(&p);
    world_source(&p, "INSERT INTO people VALUES (7, 'eve')");
    for (int64_t b = 1; b <= 5; b++)
        run(&p, b);
    run(&m, 5);
    same_rows(&m, &p, false);
    assert_int_equal(partings(&m), 1);
    world_source(&p, "DELETE FROM people WHERE id = 1");
    run(&p, 6);
    run(&m, 6);
    same_rows(&m, &p, false);
    assert_int_equal(partings(&m), 1);
    world_close(&p);
}

// The same, and resnapshot is asked for before we look: all is taken from the primary, its history too.
static void resnapshot_takes_a_restored_primarys_history(void **state)
{
    (void)state;
    world p, m;
    primary_world(&p, MILESTONING_SCD2);
    mirror_world(&m, &p, MILESTONING_SCD2);
    run(&m, 3);
    forget(&p);
    world_source(&p, "INSERT INTO people VALUES (7, 'eve')");
    for (int64_t b = 1; b <= 4; b++)
        run(&p, b);
    world_merge(&m, "UPDATE datasurface__stream SET resnapshot = 1 WHERE name = 'Q/S'");
    run(&m, 4);
    same_rows(&m, &p, true);
    assert_int_equal(partings(&m), 0);
    world_source(&p, "DELETE FROM people WHERE id = 1");
    run(&p, 5);
    run(&m, 5);
    same_rows(&m, &p, true);
    world_close(&p);
}

static const char *merge_name(const world *m)
{
    return world_name(m, m->datasets[0].merge);
}

static void damage(const world *m, int id)
{
    world_merge(m, arena_printf(m->arena, "UPDATE %s SET name = 'mallory' WHERE id = %d", merge_name(m), id));
}

// What comes from the primary finds no row to close: then all rows are compared.
static void lost_rows_come_back(void **state)
{
    (void)state;
    for (int to = MILESTONING_SCD1; to <= MILESTONING_SCD4; to++) {
        world p, m;
        primary_world(&p, MILESTONING_SCD4);
        mirror_world(&m, &p, (ds_milestoning)to);
        run(&m, 3);
        world_merge(&m, arena_printf(m.arena, "DELETE FROM %s", merge_name(&m)));
        world_source(&p, "UPDATE people SET name = 'ann' WHERE id = 1");
        run(&p, 4);
        run(&m, 4);
        same_rows(&m, &p, false);
        world_close(&p);
    }
}

static void resnapshot_compares_with_the_next_batch(void **state)
{
    (void)state;
    world p, m;
    ds_job_result result;
    ds_error err;
    primary_world(&p, MILESTONING_SCD2);
    mirror_world(&m, &p, MILESTONING_SCD2);
    run(&m, 3);
    damage(&m, 2);
    world_merge(&m, "UPDATE datasurface__stream SET resnapshot = 1 WHERE name = 'Q/S'");
    OK(world_job(&m, &result, &err));
    assert_int_equal(result.batch, 0); // there is no number for it yet
    run(&p, 4);
    run(&m, 4);
    same_rows(&m, &p, false);
    m.options.verify = true;
    OK(world_job(&m, &result, &err)); // nothing to do, but to prove
    assert_true(result.equal);
    assert_string_equal(result.note, "");
    damage(&m, 1);
    OK(world_job(&m, &result, &err));
    assert_false(result.equal);
    assert_string_equal(result.datasets[0].keys[0].key, "id=1");
    world_close(&p);
}

static void a_key_change_is_followed(void **state)
{
    (void)state;
    for (int to = MILESTONING_SCD1; to <= MILESTONING_SCD4; to++) {
        world p, m, n;
        primary_world(&p, MILESTONING_SCD2);
        mirror_world(&m, &p, (ds_milestoning)to);
        run(&m, 3);
        p.def.dataset_count = 0;
        world_dataset(&p, "people", "id integer; name varchar(20) primary key");
        world_apply(&p);
        world_source(&p, "UPDATE people SET id = 9 WHERE name = 'bob'");
        run(&p, 4);
        mirror_open(&n, &p, (ds_milestoning)to, place);
        world_apply(&n);
        run(&n, 4);
        same_rows(&n, &p, false);
        world_source(&p, "DELETE FROM people WHERE id = 9");
        run(&p, 5);
        run(&n, 5);
        same_rows(&n, &p, false);
        world_close(&p);
    }
}

static void an_unreachable_primary_is_an_event(void **state)
{
    (void)state;
    world p, m;
    ds_job_result result;
    ds_error err;
    primary_world(&p, MILESTONING_SCD2);
    mirror_open(&m, &p, MILESTONING_SCD1, place);
    m.def.source.path = m.def.source.host = "/nowhere";
    world_apply(&m);
    FAILS(world_job(&m, &result, &err), DS_ENV, "");
    assert_string_equal(world_query(&m, true,
                                    "SELECT kind, count(*) FROM datasurface__event WHERE stream = 'Q/S' GROUP BY kind"),
                        "failed|1\n");
    world_close(&p);
}

// --- from a model

static void use(estate *e, const char *columns, const char *service)
{
    estate_model model = {
        .people = columns, .milestoning = "scd2", .full = "Store1/people", .live = "Store1/people", .live_on = "Q"};
    ds_error err;
    OK(estate_compile(e, arena_printf(e->arena, "%s%s", estate_yaml(e, &model), service), &err));
    estate_apply(e);
}

#define COLUMNS "id: integer primary key, name: text"
#define PRIMARY "primary_ingestion: {Store1: P}\n"

static void open_people(estate *e)
{
    estate_open(e, &SQLITE_DRIVER);
    estate_sql(e, "source.db", "CREATE TABLE people (id, name); INSERT INTO people VALUES (1, 'ann')");
}

static void mirrored_estate(estate *e)
{
    open_people(e);
    use(e, COLUMNS, PRIMARY);
}

static void both(estate *e)
{
    estate_job(e, "P/Store1");
    estate_job(e, "Q/Store1");
}

static const char VERSIONS_OF_Q[] = "SELECT id, name, ds_batch_in, CASE WHEN ds_batch_out < 1000 THEN ds_batch_out END "
                                    "FROM ds_q__store1__people ORDER BY id, ds_batch_in";

static void a_new_column_is_carried(void **state)
{
    (void)state;
    estate e;
    mirrored_estate(&e);
    both(&e);
    estate_sql(&e, "source.db", "ALTER TABLE people ADD COLUMN age");
    use(&e, COLUMNS ", age: integer", PRIMARY);
    estate_sql(&e, "source.db", "UPDATE people SET age = 7; INSERT INTO people VALUES (2, 'bob', 8)");
    both(&e);
    assert_string_equal(estate_query(&e, "merge.db", "SELECT * FROM ws_consumer__live__store1__people ORDER BY id"),
                        "1|ann|7\n2|bob|8\n");
    use(&e, COLUMNS, PRIMARY); // and given up again
    both(&e);
    estate_sql(&e, "source.db", "INSERT INTO people VALUES (3, 'cyd', 9)");
    both(&e);
    assert_string_equal(estate_query(&e, "merge.db", VERSIONS_OF_Q),
                        "1|ann|1|1\n1|ann|2|2\n1|ann|3|~\n2|bob|2|2\n2|bob|3|~\n3|cyd|4|~\n");
    estate_close(&e);
}

// An apply that has come to the other stream only: this one keeps the definition that it had, and undo takes away what
// was done to its tables.
static void use_for_all_but(estate *e, const char *stream, const char *columns, const char *undo)
{
    estate_sql(e, "merge.db",
               arena_printf(e->arena,
                            "CREATE TABLE kept AS SELECT config, version FROM datasurface__stream WHERE name = '%s'",
                            stream));
    use(e, columns, PRIMARY);
    estate_sql(e, "merge.db",
               arena_printf(e->arena,
                            "UPDATE datasurface__stream SET (config, version) = (SELECT config, version FROM kept) "
                            "WHERE name = '%s'; DROP TABLE kept; %s",
                            stream, undo));
}

// The mirror may wait for its own apply, or for its primary's.
static void both_or_one(estate *e)
{
    ds_error err;
    estate_job(e, "P/Store1");
    ds_ignore(estate_try_job(e, "Q/Store1", &err));
}

static const char LIVE_OF_Q[] = "SELECT id, name, age FROM ds_q__store1__people WHERE ds_batch_out > 1000 ORDER BY id";

static void a_column_that_comes_to_one_of_them_first_is_not_lost(void **state)
{
    (void)state;
    static const struct {
        const char *late, *undo;
    } CASES[] = {
        {"Q/Store1", "DROP VIEW ws_consumer__live__store1__people; ALTER TABLE ds_q__store1__people DROP COLUMN age; "
                     "ALTER TABLE ds_q__store1__people__s DROP COLUMN age"},
        {"P/Store1", "DROP VIEW ws_consumer__full__store1__people; DROP VIEW "
                     "ws_consumer__full__store1__people__history; ALTER TABLE ds_p__store1__people DROP COLUMN age"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        mirrored_estate(&e);
        both(&e);
        estate_sql(&e, "source.db", "ALTER TABLE people ADD COLUMN age; UPDATE people SET age = 7");
        use_for_all_but(&e, CASES[i].late, COLUMNS ", age: integer", CASES[i].undo);
        both_or_one(&e);
        estate_sql(&e, "source.db", "INSERT INTO people VALUES (2, 'bob', 8)");
        use(&e, COLUMNS ", age: integer", PRIMARY);
        both(&e);
        assert_string_equal(estate_query(&e, "merge.db", LIVE_OF_Q), "1|ann|7\n2|bob|8\n");
        estate_close(&e);
    }
}

static void a_column_that_goes_and_comes_back_is_not_lost(void **state)
{
    (void)state;
    estate e;
    open_people(&e);
    estate_sql(&e, "source.db", "ALTER TABLE people ADD COLUMN age");
    use(&e, COLUMNS ", age: integer", PRIMARY);
    both(&e);
    use_for_all_but(&e, "P/Store1", COLUMNS, "");
    estate_sql(&e, "source.db", "INSERT INTO people VALUES (2, 'bob', 8)");
    both_or_one(&e);
    use(&e, COLUMNS ", age: integer", PRIMARY);
    both(&e);
    assert_string_equal(estate_query(&e, "merge.db", LIVE_OF_Q), "1|ann|~\n2|bob|8\n");
    estate_close(&e);
}

static void it_becomes_a_mirror_and_ceases_to_be_one(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    open_people(&e);
    use(&e, COLUMNS, "");
    both(&e);
    estate_sql(&e, "source.db", "UPDATE people SET name = 'anna'");
    both(&e); // has made staging tables
    use(&e, COLUMNS, PRIMARY);
    estate_sql(&e, "source.db", "INSERT INTO people VALUES (2, 'bob')");
    both(&e);
    use(&e, COLUMNS, "");
    estate_sql(&e, "source.db", "DELETE FROM people WHERE id = 1");
    both(&e);
    assert_string_equal(estate_query(&e, "merge.db", VERSIONS_OF_Q), "1|ann|1|1\n1|anna|2|3\n2|bob|3|~\n");
    estate_job(&e, "Q/Store1"); // is at batch 5 when it becomes a mirror of one that is at 4
    use(&e, COLUMNS, PRIMARY);
    FAILS(estate_try_job(&e, "Q/Store1", &err), DS_FINDING, "at batch 4");
    estate_job(&e, "P/Store1");
    estate_job(&e, "Q/Store1"); // at 5, too, with the same rows
    estate_sql(&e, "source.db", "INSERT INTO people VALUES (1, 'ann')");
    both(&e);
    assert_string_equal(estate_query(&e, "merge.db", VERSIONS_OF_Q), "1|ann|1|1\n1|anna|2|3\n1|ann|6|~\n2|bob|3|~\n");
    estate_close(&e);
}

static void nobody_but_the_primary_reads_the_source(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    mirrored_estate(&e);
    estate_job(&e, "P/Store1");
    CLEANUP(buf_release) ds_buf path = BUF_INIT(4096);
    buf_printf(&path, "%s/source.db", e.dir.path);
    assert_int_equal(unlink(buf_text(&path)), 0);
    assert_int_not_equal(estate_try_job(&e, "P/Store1", &err).code, DS_OK);
    estate_job(&e, "Q/Store1");
    assert_string_equal(estate_query(&e, "merge.db", "SELECT name FROM ws_consumer__live__store1__people"), "ann\n");
    assert_string_equal(estate_query(&e, "merge.db",
                                     "SELECT position FROM datasurface__batch WHERE stream = 'Q/Store1'"),
                        "{\"P/Store1\":\"1\"}\n");
    for (size_t i = 0; i < e.deployment->n; i++) {
        const ds_stream_def *def = e.deployment->streams[i];
        bool mirror = strcmp(def->name, "Q/Store1") == 0;
        assert_string_equal(def->source.name, mirror ? "Merge" : "Source");
        assert_string_equal(def->cron, mirror ? "" : "*/5 * * * *"); // after its primary
        assert_int_equal(def->input_count, mirror);
    }
    estate_close(&e);
}

static void a_primary_must_have_what_others_read(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    estate_model model = {.people = "id: integer primary key, name: text", .live = "Store1/people", .live_on = "Q"};
    estate_open(&e, &SQLITE_DRIVER);
    FAILS(estate_compile(&e, arena_printf(e.arena, "%sprimary_ingestion: {Store1: P}\n", estate_yaml(&e, &model)),
                         &err),
          DS_FINDING, "no group on primary platform \"P\" uses \"Store1/people\"");
    estate_close(&e);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(it_waits_for_the_primary),
        cmocka_unit_test(it_follows_in_steps_of_any_length),
        cmocka_unit_test(the_sequence_gives_what_the_primary_had),
        cmocka_unit_test(a_primary_built_anew_is_refused),
        cmocka_unit_test(a_primary_built_anew_and_further_is_compared),
        cmocka_unit_test(resnapshot_takes_a_restored_primarys_history),
        cmocka_unit_test(lost_rows_come_back),
        cmocka_unit_test(resnapshot_compares_with_the_next_batch),
        cmocka_unit_test(a_key_change_is_followed),
        cmocka_unit_test(an_unreachable_primary_is_an_event),
        cmocka_unit_test(a_new_column_is_carried),
        cmocka_unit_test(a_column_that_comes_to_one_of_them_first_is_not_lost),
        cmocka_unit_test(a_column_that_goes_and_comes_back_is_not_lost),
        cmocka_unit_test(it_becomes_a_mirror_and_ceases_to_be_one),
        cmocka_unit_test(nobody_but_the_primary_reads_the_source),
        cmocka_unit_test(a_primary_must_have_what_others_read),
    };
    if (argc != 2 || !pair_open(&pair, argv[1])) {
        fprintf(stderr, "usage: test_mirror DATABASES\n");
        return 2;
    }
    place = strchr(argv[1], '-') ? MIRROR_OTHER : MIRROR_SAME;
    int failed = cmocka_run_group_tests(TESTS, NULL, NULL);
    pair_close(&pair);
    return failed;
}
