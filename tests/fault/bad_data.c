// A source whose data is bad, in a first load, in a staged one and in a later batch: the message says what, where and
// what to do, nothing is lost, and once the source is right the next run finishes the same batch.
#include <stdio.h>
#include <stdlib.h>

#include "support/check.h"
#include "support/dump.h"
#include "support/truth.h"
#include "support/world.h"

#define COLUMNS                                                                                                        \
    "id integer primary key; name varchar(8); age smallint; born date; paid decimal(5,2); ok boolean; raw json"

typedef struct bad {
    const char *name;
    const char *spoil, *mend; // statements on the source
    const char *says[4];      // parts of the message; NULL ends
    const char *hints;
    bool typed; // a source that checks its types can be so, too
} bad;

static test_pair pair;

static const bad BAD[] = {
    {.name = "missing table",
     .typed = true,
     .spoil = "ALTER TABLE people RENAME TO folk",
     .mend = "ALTER TABLE folk RENAME TO people",
     .says = {"dataset people", "source table \"people\" is missing in Source"},
     .hints = "create it"},
    {.name = "missing column",
     .typed = true,
     .spoil = "ALTER TABLE people RENAME COLUMN name TO nom",
     .mend = "ALTER TABLE people RENAME COLUMN nom TO name",
     .says = {"dataset people", "source column changed: table \"people\" has no column \"name\""},
     .hints = "change dataset people in the model and apply"},
    {.name = "text in an integer",
     .spoil = "UPDATE people SET age = 'old' WHERE id = 4",
     .mend = "UPDATE people SET age = 4 WHERE id = 4",
     .says = {"dataset people", "column \"age\"", "'old'", "id='4'"}},
    {.name = "integer out of range",
     .spoil = "UPDATE people SET age = 40000 WHERE id = 4",
     .mend = "UPDATE people SET age = 4 WHERE id = 4",
     .says = {"dataset people", "column \"age\"", "'40000'", "id='4'"}},
    {.name = "fraction in an integer",
     .spoil = "UPDATE people SET age = 4.5 WHERE id = 4",
     .mend = "UPDATE people SET age = 4 WHERE id = 4",
     .says = {"dataset people", "column \"age\"", "4.5", "id='4'"}},
    {.name = "text that is too long",
     .spoil = "UPDATE people SET name = 'Bartholomew' WHERE id = 4",
     .mend = "UPDATE people SET name = 'Bart' WHERE id = 4",
     .says = {"dataset people", "column \"name\"", "'Bartholomew'", "id='4'"}},
    {.name = "text with a zero byte",
     .spoil = "UPDATE people SET name = 'a' || char(0) || 'b' WHERE id = 4",
     .mend = "UPDATE people SET name = 'ab' WHERE id = 4",
     .says = {"dataset people", "column \"name\"", "U+0000", "id='4'"}},
    {.name = "text that is no UTF-8",
     .spoil = "UPDATE people SET name = CAST(x'61ff62' AS TEXT) WHERE id = 4",
     .mend = "UPDATE people SET name = 'ab' WHERE id = 4",
     .says = {"dataset people", "column \"name\"", "UTF-8", "id='4'"}},
    {.name = "no date",
     .spoil = "UPDATE people SET born = '2023-02-29' WHERE id = 4",
     .mend = "UPDATE people SET born = '2023-02-28' WHERE id = 4",
     .says = {"dataset people", "column \"born\"", "'2023-02-29'", "id='4'"}},
    {.name = "decimal out of range",
     .spoil = "UPDATE people SET paid = '1000.00' WHERE id = 4",
     .mend = "UPDATE people SET paid = '999.99' WHERE id = 4",
     .says = {"dataset people", "column \"paid\"", "1000", "id='4'"}},
    {.name = "no boolean",
     .spoil = "UPDATE people SET ok = 'maybe' WHERE id = 4",
     .mend = "UPDATE people SET ok = 1 WHERE id = 4",
     .says = {"dataset people", "column \"ok\"", "'maybe'", "id='4'"}},
    {.name = "null key",
     .typed = true,
     .spoil = "UPDATE people SET id = NULL WHERE id = 4",
     .mend = "UPDATE people SET id = 4 WHERE id IS NULL",
     .says = {"dataset people", "column \"id\": null", "id=null"},
     .hints = "correct the source"},
    {.name = "duplicate key",
     .typed = true,
     .spoil = "UPDATE people SET id = 3 WHERE id = 4",
     .mend = "UPDATE people SET id = 4 WHERE name = 'd'",
     .says = {"dataset people", "duplicate key in the source: id=3"},
     .hints = "primary key"},
};
enum { BAD_COUNT = sizeof BAD / sizeof BAD[0] };

static void fill(world *w)
{
    world_source(
        w, "INSERT INTO people VALUES (1, 'a', 1, '2001-01-01', 1.5, TRUE, '{}'), (2, 'b', 2, NULL, 2.5, FALSE, NULL), "
           "(3, 'c', 3, '2003-03-03', NULL, NULL, '[]'), (4, 'd', 4, '2004-04-04', 4.5, TRUE, '4')");
}

static void check_message(const bad *b, const ds_error *err)
{
    for (size_t i = 0; i < 4 && b->says[i]; i++)
        if (!strstr(err->text, b->says[i]))
            fail_msg("%s: \"%s\" should say %s", b->name, err->text, b->says[i]);
    if (!err->hint[0] || (b->hints && !strstr(err->hint, b->hints)))
        fail_msg("%s: hint \"%s\" should say %s", b->name, err->hint, b->hints ? b->hints : "something");
}

static void check_truth(world *w, const bad *b)
{
    const char *broken = truth_broken(&w->runtime, &w->merge, &w->def, w->arena);
    if (*broken)
        fail_msg("%s: %s", b->name, broken);
}

// Is that world one of those that this pair can have? A server's are fewer: each takes a while.
static bool is_played(const bad *b, size_t i, int64_t chunk_rows)
{
    bool sqlite = strcmp(pair.name, "sqlite") == 0;
    return (b->typed || strcmp(pair.drivers[PAIR_SOURCE]->name, "sqlite") == 0) &&
           (sqlite || chunk_rows == (int64_t)i % 2);
}

// The failing run, and the one after the source is right again.
static void fails_then_finishes(world *w, const bad *b, int64_t batches)
{
    const char *seen = world_live(w);
    world_source(w, b->spoil);
    ds_job_result result;
    ds_error err;
    for (int attempt = 1; attempt <= 2; attempt++) {
        if (world_job(w, &result, &err).code != DS_FINDING)
            fail_msg("%s: code %d: %s", b->name, (int)err.code, err.text);
        check_message(b, &err);
        check_truth(w, b);
        assert_string_equal(world_live(w), seen);
        const char *recorded =
            world_query(w, true,
                        arena_printf(w->arena, "SELECT attempts, error FROM %s ORDER BY batch_id DESC LIMIT 1",
                                     world_control(w, "batch")));
        assert_string_equal(recorded, arena_printf(w->arena, "%d|%s\n", attempt, err.text));
    }
    world_source(w, b->mend);
    OK(world_job(w, &result, &err));
    assert_int_equal(result.batch, batches);
    check_truth(w, b);
    assert_string_equal(world_live(w),
                        world_rows_of(w, PAIR_SOURCE, (ds_relation){w->datasets[0].source_schema, "people"}));
}

static void bad_world(world *w, ds_milestoning milestoning, int64_t chunk_rows)
{
    pair_clear(&pair);
    world_open_on(w, &pair, milestoning);
    w->def.chunk_rows = chunk_rows;
    world_dataset(w, "people", COLUMNS);
    fill(w);
}

static void in_a_first_load(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_COUNT; i++)
        for (int64_t chunk_rows = 0; chunk_rows < 2; chunk_rows++)
            for (int staged = 0; staged < 2; staged++) {
                if (!is_played(&BAD[i], i, chunk_rows))
                    continue;
                world w;
                bad_world(&w, MILESTONING_SCD1, chunk_rows);
                w.def.staging_batches = staged ? STAGING_BATCHES_ALL : DEFAULT_STAGING_BATCHES;
                world_apply(&w);
                fails_then_finishes(&w, &BAD[i], 1);
                world_close(&w);
            }
}

static void in_a_later_batch(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_COUNT; i++)
        for (int64_t chunk_rows = 0; chunk_rows < 2; chunk_rows++) {
            if (!is_played(&BAD[i], i, chunk_rows))
                continue;
            world w;
            bad_world(&w, i % 2 ? MILESTONING_SCD2 : MILESTONING_SCD4, chunk_rows);
            world_apply(&w);
            ds_job_result result;
            ds_error err;
            OK(world_job(&w, &result, &err));
            world_source(&w, "UPDATE people SET name = 'new' WHERE id < 3");
            fails_then_finishes(&w, &BAD[i], 2);
            world_close(&w);
        }
}

// bad_data DATABASES
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_a_first_load),
        cmocka_unit_test(in_a_later_batch),
    };
    if (argc != 2 || !pair_open(&pair, argv[1]))
        return 2;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    pair_close(&pair);
    return failed;
}
