// A store whose consistency changes back and forth at random, between batches, in open ones, and by applies that are
// killed: platform P keeps all versions, platform Q mirrors it, and lags. What each batch has seen is remembered; P
// must show it as of that instant, by `history` and by the history view, across all moves; and when Q has caught up it
// has the very versions of P, with their batches.
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "property/property.h"
#include "schema/value.h"
#include "support/estate_model.h"
#include "yellow/history.h"

enum { STEPS = 40, MOVES_MAX = ESTATE_MODELS_MAX - 2, DATASETS = 2, TEXT = 400 };
static const char *const NAMES[DATASETS] = {"people", "orders"};

typedef struct seen {
    int64_t at; // when the batch was committed
    const char *rows;
} seen;

typedef struct play {
    estate e;
    estate_model model;
    bool single;
    int moves;
    seen seen[DATASETS][STEPS * 3 + 10];
    int seen_count[DATASETS];
} play;

static void use(play *p)
{
    p->model.consistency = p->single ? "single_dataset" : "multi_dataset";
    estate_use(&p->e, &p->model);
    p->moves++;
}

static const char *stream_of(play *p, const char *platform, int dataset)
{
    return p->single ? arena_printf(p->e.arena, "%s/Store1/%s", platform, NAMES[dataset])
                     : arena_printf(p->e.arena, "%s/Store1", platform);
}

// --- what is there

static const char *source_rows(play *p, int dataset)
{
    return estate_query(&p->e, "source.db",
                        arena_printf(p->e.arena, "SELECT id, v FROM %s ORDER BY id", NAMES[dataset]));
}

static ds_rc print_row(void *context, const ds_shape *shape, const ds_cell *cells, ds_error *err)
{
    (void)err;
    for (size_t i = 0; i < shape->n; i++) {
        value_print(shape->columns[i].type, cells[i], context);
        buf_putc(context, i + 1 < shape->n ? '|' : '\n');
    }
    return DS_DONE;
}

static const char *rows_as_of(play *p, ds_control *control, int dataset, int64_t instant)
{
    ds_error err;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    const char *path = arena_printf(p->e.arena, "Consumer/full/Store1/%s", NAMES[dataset]);
    OK(history_read(control, path, (ds_as_of){.instant = instant}, &(ds_row_sink){&text, NULL, print_row}, &err));
    return arena_strdup(p->e.arena, buf_text(&text));
}

static ds_relation history_view(play *p, ds_control *control, int dataset)
{
    ds_view_row *views;
    ds_error err;
    size_t n;
    OK(control_views(control, p->e.arena, &views, &n, &err));
    for (size_t i = 0; i < n; i++)
        if (views[i].history && strcmp(views[i].dataset, NAMES[dataset]) == 0 &&
            strcmp(views[i].stream, stream_of(p, "P", dataset)) == 0)
            return views[i].relation;
    fail_msg("no history view of %s", NAMES[dataset]);
    return (ds_relation){0};
}

static const char *relation_text(play *p, ds_relation relation)
{
    return relation.schema && relation.schema[0] ? arena_printf(p->e.arena, "%s.%s", relation.schema, relation.name)
                                                 : relation.name;
}

static const char *rows_of_view(play *p, ds_control *control, int dataset, int64_t instant)
{
    char at[CLOCK_TEXT];
    clock_format_iso(instant, at);
    const char *zone = strpbrk(at, "Z+");
    const char *text = arena_printf(p->e.arena, "%.10s %.*s+00:00", at, (int)(zone - at) - 11, at + 11);
    const char *view = relation_text(p, history_view(p, control, dataset));
    return estate_query(&p->e, "merge.db",
                        arena_printf(p->e.arena,
                                     "SELECT id, v FROM %s WHERE ds_valid_from <= '%s' AND (ds_valid_to IS NULL OR "
                                     "ds_valid_to > '%s') ORDER BY id",
                                     view, text, text));
}

// Every batch so far, as it was.
static void look(play *p)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    ds_error err;
    OK(control_open(&p->e.runtime, &p->e.deployment->merge, CONTROL_READ, &control, &err));
    for (int d = 0; d < DATASETS; d++)
        for (int i = 0; i < p->seen_count[d]; i++) {
            const seen *s = &p->seen[d][i];
            assert_string_equal(rows_as_of(p, control, d, s->at), s->rows);
            assert_string_equal(rows_of_view(p, control, d, s->at), s->rows);
        }
}

// --- what happens

static void change(play *p)
{
    const char *table = NAMES[below(DATASETS)];
    int key = below(12);
    const char *sql = arena_printf(p->e.arena, "UPDATE %s SET v = v + 1 WHERE id >= %d", table, key);
    if (below(2))
        sql = arena_printf(p->e.arena, "DELETE FROM %s WHERE id = %d; INSERT INTO %s VALUES (%d, %d)", table, key,
                           table, key, below(1000));
    else if (below(2))
        sql = arena_printf(p->e.arena, "DELETE FROM %s WHERE id = %d", table, key);
    estate_sql(&p->e, "source.db", sql);
}

static void remember(play *p, int dataset, const char *stream)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    ds_batch_row *last;
    ds_error err;
    OK(control_open(&p->e.runtime, &p->e.deployment->merge, CONTROL_READ, &control, &err));
    OK(control_last_batch(control, stream, true, p->e.arena, &last, &err));
    p->seen[dataset][p->seen_count[dataset]++] = (seen){last->committed_at, source_rows(p, dataset)};
}

static void run_primary(play *p, int dataset)
{
    const char *stream = stream_of(p, "P", dataset);
    estate_job(&p->e, stream); // may end a batch that saw another source
    estate_job(&p->e, stream);
    for (int d = 0; d < DATASETS; d++)
        if (!p->single || d == dataset)
            remember(p, d, stream);
}

static void die(void *context, const char *point)
{
    (void)point;
    if (--*(int *)context == 0)
        _exit(7);
}

// In a child that is killed at its n-th checkpoint, if it comes so far.
static void begin_and_die(play *p, const char *stream, int n)
{
    enum { SECOND = 1000000 };
    p->e.clock.fixed_us += SECOND; // the child's clock goes on by as much, and no clock goes back
    pid_t child = fork();
    if (child == 0) {
        ds_error err;
        const ds_plan *plan;
        p->e.runtime.checkpoint = die;
        p->e.runtime.checkpoint_context = &n;
        bool good = stream ? estate_try_job(&p->e, stream, &err).code == DS_OK
                           : plan_make(&p->e.runtime, p->e.deployment, false, p->e.arena, &plan, &err).code == DS_OK &&
                                 plan_apply(&p->e.runtime, plan, NULL, &err).code == DS_OK;
        _exit(good ? 0 : 1);
    }
    int status = 0;
    p->e.clock.fixed_us += SECOND;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
}

static void move(play *p)
{
    if (p->moves >= MOVES_MAX)
        return;
    p->single = !p->single;
    use(p);
    if (below(2))
        begin_and_die(p, NULL, 1 + below(6));
    estate_apply(&p->e);
}

static void leave_open(play *p)
{
    change(p);
    begin_and_die(p, stream_of(p, "P", 0), 1 + below(3));
}

static void step(play *p)
{
    int what = below(12);
    if (what < 5)
        change(p);
    else if (what < 8)
        run_primary(p, below(DATASETS));
    else if (what < 9)
        estate_job(&p->e, stream_of(p, "Q", below(DATASETS)));
    else if (what < 10)
        leave_open(p);
    else
        move(p);
}

// --- the end

static ds_relation table_of(play *p, const char *platform, int dataset)
{
    const char *stream = stream_of(p, platform, dataset);
    for (size_t i = 0; i < p->e.deployment->n; i++) {
        const ds_stream_def *def = p->e.deployment->streams[i];
        for (size_t k = 0; k < def->dataset_count; k++)
            if (strcmp(def->name, stream) == 0 && strcmp(def->datasets[k].name, NAMES[dataset]) == 0)
                return def->datasets[k].merge;
    }
    fail_msg("no table of %s", stream);
    return (ds_relation){0};
}

static const char *versions(play *p, const char *platform, int dataset)
{
    return estate_query(&p->e, "merge.db",
                        arena_printf(p->e.arena,
                                     "SELECT id, v, ds_batch_in, ds_batch_out FROM %s ORDER BY id, ds_batch_in",
                                     relation_text(p, table_of(p, platform, dataset))));
}

static void catch_up(play *p)
{
    for (int d = 0; d < DATASETS; d++) {
        run_primary(p, d);
        estate_job(&p->e, stream_of(p, "Q", d));
    }
    look(p);
    for (int d = 0; d < DATASETS; d++)
        assert_string_equal(versions(p, "Q", d), versions(p, "P", d));
}

static void one_play(const test_pair *pair)
{
    static play p;
    p = (play){.model = {.people = "id: integer primary key, v: integer",
                         .orders = "id: integer primary key, v: integer",
                         .milestoning = "scd2",
                         .live = "Store1/people, Store1/orders",
                         .full = "Store1/people, Store1/orders",
                         .live_on = "Q",
                         .primary = "P"},
               .single = below(2)};
    estate_open_on(&p.e, pair);
    estate_sql(&p.e, "source.db",
               "CREATE TABLE people (id INTEGER, v INTEGER); CREATE TABLE orders (id INTEGER, v INTEGER);"
               "INSERT INTO people VALUES (1, 1), (2, 2); INSERT INTO orders VALUES (7, 1)");
    use(&p);
    estate_apply(&p.e);
    for (int i = 0; i < STEPS; i++)
        step(&p);
    catch_up(&p);
    move(&p);
    catch_up(&p);
    estate_close(&p.e);
}

static void moves(void **state)
{
    const test_pair *pair = *state;
    for (int round = property_rounds(pair, 12); round > 0; round--) {
        one_play(pair);
        pair_clear(pair);
    }
}

int main(int argc, char **argv)
{
    return property_main(argc, argv, moves);
}
