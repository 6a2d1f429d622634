// Plays the cases: conformance [--one] DATABASES PREFIX... plays cases/PREFIX*.yaml under every strategy that they
// name, or under one of them in turn, and those that empty a table once more with the guard on. README.md says what
// stands in a case.
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/far.h"
#include "conformance/stage.h"
#include "support/check.h"
#include "support/dump.h"
#include "support/truth.h"

typedef struct play {
    const test_pair *pair, *far;
    const char *path, *strategy;
    const node *root;
    bool twin; // with the guard on
    stage s;
    size_t step; // counted from 1
    char name[200];
} play;

__attribute__((noreturn, format(printf, 2, 3))) static void wrong(const play *p, const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fail_msg("%s, %s%s, step %zu: %s", p->path, p->strategy, p->twin ? ", guarded" : "", p->step, text);
    abort();
}

static const struct {
    const char *name;
    ds_code code;
} CODES[] = {{"ok", DS_OK},     {"finding", DS_FINDING},     {"usage", DS_USAGE},      {"env", DS_ENV},
             {"busy", DS_BUSY}, {"cancelled", DS_CANCELLED}, {"internal", DS_INTERNAL}};

static ds_code code_named(const play *p, const char *name)
{
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (strcmp(CODES[i].name, name) == 0)
            return CODES[i].code;
    wrong(p, "unknown code %s", name);
}

// --- expectations

static void same(const play *p, const char *what, const char *there, const char *expected)
{
    if (strcmp(there, expected) != 0)
        wrong(p, "%s:\n%sexpected\n%s", what, there, expected);
}

typedef const char *look_at(stage *s, const char *dataset);

static void expect_lines(play *p, const node *datasets, const char *what, look_at *look)
{
    for (size_t i = 0; i < node_count(datasets); i++) {
        const char *dataset = node_key(datasets, i);
        char title[200];
        snprintf(title, sizeof title, "%s of %s", what, dataset);
        same(p, title, look(&p->s, dataset), stage_lines(&p->s, node_value(datasets, i)));
    }
}

static void expect_as_of(play *p, const node *datasets)
{
    for (size_t i = 0; i < node_count(datasets); i++) {
        const node *batches = node_value(datasets, i);
        for (size_t b = 0; b < node_count(batches); b++) {
            char title[200];
            snprintf(title, sizeof title, "%s as of batch %s", node_key(datasets, i), node_key(batches, b));
            same(p, title, stage_as_of(&p->s, node_key(datasets, i), strtoll(node_key(batches, b), NULL, 10)),
                 stage_lines(&p->s, node_value(batches, b)));
        }
    }
}

static void expect_counts(const play *p, const node *expected)
{
    if (!expected)
        return;
    const ds_counts *c = &p->s.result.counts;
    const int64_t there[] = {c->inserted, c->updated, c->deleted, c->read};
    for (size_t i = 0; i < 4; i++)
        if (there[i] != strtoll(node_text(node_item(expected, i)), NULL, 10))
            wrong(p, "counts are [%lld, %lld, %lld, %lld]", (long long)there[0], (long long)there[1],
                  (long long)there[2], (long long)there[3]);
}

static ds_batch_row *last_batch(play *p, const char *stream)
{
    ds_control *control;
    ds_batch_row *row;
    ds_error err;
    OK(control_open(&p->s.e.runtime, &p->s.e.deployment->merge, CONTROL_READ, &control, &err));
    OK(control_last_batch(control, stream, false, p->s.e.arena, &row, &err));
    control_close(control);
    return row;
}

static void expect_batch(play *p, const node *expect, const char *stream)
{
    int64_t id = node_get_int(expect, "batch", -1);
    const char *status = node_get_text(expect, "status", NULL);
    const char *error = node_get_text(expect, "error", NULL);
    if (id < 0 && !status && !error)
        return;
    const ds_batch_row *row = last_batch(p, stage_stream(&p->s, stream)->name);
    if (id >= 0 && (row ? row->id : 0) != id)
        wrong(p, "the last batch is %lld", (long long)(row ? row->id : 0));
    if (status && (!row || strcmp(row->status, status) != 0))
        wrong(p, "the batch is %s", row ? row->status : "none");
    if (error && (!row || !row->error || !strstr(row->error, error)))
        wrong(p, "the batch's error is \"%s\"", row && row->error ? row->error : "");
}

static void expect_staged(play *p, const node *datasets)
{
    for (size_t i = 0; i < node_count(datasets); i++) {
        const char *batches = node_text(node_value(datasets, i));
        same(p, "staged batches", stage_staged_batches(&p->s, node_key(datasets, i)), batches ? batches : "");
    }
}

static void expect_all(play *p, const node *step)
{
    const node *expect = node_get(step, "expect");
    bool history = strcmp(p->strategy, "scd1") != 0;
    expect_lines(p, node_get(expect, "live"), "live rows", stage_live);
    expect_lines(p, node_get(expect, "view"), "rows of the view", stage_view);
    expect_lines(p, node_get(expect, "history_view"), "rows of the history view", stage_history_view);
    if (history)
        expect_lines(p, node_get(expect, "versions"), "versions", stage_versions);
    if (history)
        expect_as_of(p, node_get(expect, "as_of"));
    expect_counts(p, node_get(expect, "counts"));
    expect_batch(p, expect, node_get_text(expect, "stream", NULL));
    expect_staged(p, node_get(expect, "staged"));
    const char *note = node_get_text(expect, "note", NULL);
    if (note && !strstr(p->s.result.note, note))
        wrong(p, "the run's note is \"%s\"", p->s.result.note);
}

// What holds after every run, whatever the case is about.
static void check_truth(play *p)
{
    const ds_deployment *d = p->s.e.deployment;
    for (size_t i = 0; i < d->n; i++) {
        const char *broken = truth_broken(&p->s.e.runtime, &d->merge, d->streams[i], p->s.e.arena);
        if (*broken)
            wrong(p, "%s", broken);
    }
}

static void check_view(play *p, const ds_stream_def *stream, const ds_dataset_def *dataset)
{
    const char *path = arena_printf(p->s.e.arena, "%s/%s", stream->name, dataset->name);
    CLEANUP(buf_release) ds_buf live = BUF_INIT(64 << 20);
    for (ds_str rest = str_of(stage_live(&p->s, path)); rest.n;) {
        ds_str line = str_split(&rest, '\n');
        while (line.n && line.p[line.n - 1] != '@')
            line.n--;
        buf_printf(&live, "%.*s\n", (int)line.n - 1, line.p);
    }
    same(p, "rows of the view, which should be the live rows", stage_view(&p->s, path), buf_text(&live));
}

static void check_views(play *p, const ds_stream_def *stream)
{
    for (size_t i = 0; i < stream->dataset_count; i++)
        if (stream->datasets[i].view_count)
            check_view(p, stream, &stream->datasets[i]);
}

// --- runs

static ds_rc run_job(play *p, const char *stream, ds_job_options options, ds_error *err)
{
    p->s.e.clock.fixed_us += 1000000;
    return job_run(&p->s.e.runtime, &p->s.e.deployment->merge, stream, &options, p->s.e.arena, &p->s.result, err);
}

static void expect_failure(play *p, const node *fails, ds_rc rc, const ds_error *err)
{
    const char *says = node_get_text(fails, "says", ""), *hint = node_get_text(fails, "hint", "");
    ds_code code = code_named(p, node_get_text(fails, "code", "finding"));
    if (rc.code == DS_OK)
        wrong(p, "went well, expected: %s", says);
    if (rc.code != code || !strstr(err->text, says) || !strstr(err->hint, hint))
        wrong(p, "failed with code %d: %s (hint: %s)", (int)rc.code, err->text, err->hint);
}

// All that consumers see and the batches that made it.
static const char *visible(play *p, const ds_stream_def *stream)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(64 << 20);
    for (size_t i = 0; i < stream->dataset_count; i++) {
        const char *path = arena_printf(p->s.e.arena, "%s/%s", stream->name, stream->datasets[i].name);
        buf_puts(&out, stage_versions(&p->s, path));
    }
    return arena_strdup(p->s.e.arena, buf_text(&out));
}

// The twin of a run that empties a table: it stops at the guard with nothing lost, twice; then it is let through.
static void stop_at_guard(play *p, const ds_stream_def *stream)
{
    const char *before = visible(p, stream);
    for (int attempt = 1; attempt <= 2; attempt++) {
        ds_error err;
        ds_rc rc = run_job(p, stream->name, (ds_job_options){0}, &err);
        if (rc.code != DS_FINDING || !strstr(err.text, "guarded") || !strstr(err.hint, "--accept-deletes"))
            wrong(p, "should stop at the guard: code %d: %s", (int)rc.code, rc.code ? err.text : "");
        same(p, "behind the guard", visible(p, stream), before);
        if (!last_batch(p, stream->name)->guarded)
            wrong(p, "the batch is not parked");
        check_truth(p);
    }
}

static void run_stream(play *p, const node *step, const char *name)
{
    const ds_stream_def *stream = stage_stream(&p->s, name);
    bool empties = node_get_text(step, "empties", NULL) != NULL;
    const char *verify = node_get_text(step, "verify", NULL);
    ds_job_options options = {.accept_deletes = (p->twin && empties) || node_get_text(step, "accept_deletes", NULL),
                              .verify = verify != NULL};
    if (p->twin && empties)
        stop_at_guard(p, stream);
    const node *fails = node_get(step, "fails");
    ds_error err;
    ds_rc rc = run_job(p, stream->name, options, &err);
    if (fails) {
        expect_failure(p, fails, rc, &err);
        return;
    }
    if (rc.code != DS_OK)
        wrong(p, "%s: code %d: %s", stream->name, (int)rc.code, err.text);
    if (verify && p->s.result.equal != (strcmp(verify, "equal") == 0))
        wrong(p, "verify says that they are %s", p->s.result.equal ? "equal" : "not equal");
    check_truth(p);
    check_views(p, stream);
}

// run: absent, the first stream; a name or a list of names; "none".
static void run_streams(play *p, const node *step)
{
    const node *run = node_get(step, "run");
    if (run && node_is_list(run)) {
        for (size_t i = 0; i < node_count(run); i++)
            run_stream(p, step, node_text(node_item(run, i)));
        return;
    }
    const char *name = run ? node_text(run) : NULL;
    if (!name || strcmp(name, "none") != 0)
        run_stream(p, step, name);
}

// --- crashes

typedef struct trigger {
    const char *point;
    int64_t left;
} trigger;

static void on_point(void *context, const char *point)
{
    trigger *t = context;
    if (strcmp(point, t->point) == 0 && --t->left == 0)
        kill(getpid(), SIGKILL);
}

static void crash(play *p, const node *step)
{
    const node *at = node_get(step, "crash");
    if (!at)
        return;
    node_get(at, "of");
    trigger t = {node_get_text(at, "at", NULL), node_get_int(at, "nth", 1)};
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        p->s.e.runtime.checkpoint = on_point;
        p->s.e.runtime.checkpoint_context = &t;
        ds_error err;
        ds_rc rc = run_job(p, stage_stream(&p->s, node_get_text(at, "of", NULL))->name, (ds_job_options){0}, &err);
        _exit(rc.code == DS_OK ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        wrong(p, "the job was not killed at %s: status %#x", t.point, (unsigned)status);
    p->s.e.clock.fixed_us += 1000000;
    check_truth(p);
}

// --- the rest of a step

static const char *changes_of(play *p, const ds_plan *plan)
{
    return estate_changes(&p->s.e, plan);
}

static ds_rc apply_place(play *p, bool prune, const char **changes, ds_error *err)
{
    const ds_plan *plan;
    p->s.e.clock.fixed_us += 1000000;
    TRY(plan_make(&p->s.e.runtime, p->s.e.deployment, prune, p->s.e.arena, &plan, err));
    *changes = arena_printf(p->s.e.arena, "%s%s", *changes, changes_of(p, plan));
    TRY(plan_apply(&p->s.e.runtime, plan, NULL, err));
    const ds_plan *again;
    TRY(plan_make(&p->s.e.runtime, p->s.e.deployment, prune, p->s.e.arena, &again, err));
    if (again->n)
        wrong(p, "the plan after apply is not empty:\n%s", changes_of(p, again));
    return DS_DONE;
}

// Every service, and behind each the containers that get replicas from it.
static ds_rc plan_and_apply(play *p, bool prune, const char **changes, ds_error *err)
{
    const ds_model *model = p->s.e.models[p->s.e.model_count - 1];
    *changes = "";
    for (size_t i = 0; i < model->services.n; i++) {
        stage_turn(&p->s, model->services.v[i]->name.s);
        TRY(apply_place(p, prune, changes, err));
        const ds_deployment *service = p->s.e.deployment;
        for (size_t k = 0; k < service->replica_count; k++) {
            stage_turn(&p->s, service->replica_defs[k].name);
            TRY(apply_place(p, prune, changes, err));
        }
    }
    return DS_DONE;
}

// A schema is a prefix where the engine has none.
static const char *without_schemas(play *p, const char *changes)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    for (const char *c = changes; *c; c++)
        if (*c == '.')
            buf_puts(&out, "__");
        else
            buf_putc(&out, *c);
    return arena_strdup(p->s.e.arena, buf_text(&out));
}

static void expect_changes(play *p, const node *list, const char *changes)
{
    for (size_t i = 0; i < node_count(list); i++)
        if (!strstr(without_schemas(p, changes), node_text(node_item(list, i))))
            wrong(p, "the plan has no \"%s\":\n%s", node_text(node_item(list, i)), changes);
    if (list && node_count(list) == 0 && *changes)
        wrong(p, "the plan is not empty:\n%s", changes);
}

static void apply(play *p, const node *step)
{
    const node *model = node_get(step, "model");
    bool prune = node_get_text(step, "prune", NULL) != NULL;
    if (!model && !prune)
        return;
    const node *refused = node_get(step, "refused"), *plan = node_get(step, "plan");
    const char *changes = "";
    ds_error err;
    ds_rc rc = model ? stage_compile(&p->s, model, &err) : DS_DONE;
    if (rc.code == DS_OK)
        rc = plan_and_apply(p, prune, &changes, &err);
    if (refused) {
        expect_failure(p, refused, rc, &err);
        return;
    }
    if (rc.code != DS_OK)
        wrong(p, "apply: %s\n%s", err.text, changes);
    expect_changes(p, plan, changes);
}

static void fill(play *p, const node *step)
{
    const node *rows = node_get(step, "rows");
    for (size_t i = 0; i < node_count(rows); i++)
        stage_make_table(&p->s, node_key(rows, i), node_value(rows, i));
    const char *source = node_get_text(step, "source", NULL);
    if (source)
        stage_source(&p->s, source);
}

static void control(play *p, const node *step)
{
    const char *statements = node_get_text(step, "merge", NULL);
    if (statements)
        stage_merge(&p->s, statements);
    const char *stream = stage_stream(&p->s, node_get_text(step, "of", NULL))->name;
    const ds_container_def *merge = &p->s.e.deployment->merge;
    const node *reset = node_get(step, "reset");
    ds_error err;
    if (reset) {
        int64_t batch = -1, rows = -1;
        OK(job_reset(&p->s.e.runtime, merge, stream, false, &batch, &rows, &err));
        if (batch != node_get_int(reset, "batch", 0) || rows != node_get_int(reset, "rows", 0))
            wrong(p, "reset gave up batch %lld with %lld rows", (long long)batch, (long long)rows);
        check_truth(p);
    }
    if (node_get_text(step, "resnapshot", NULL)) {
        ds_control *tables;
        OK(control_open(&p->s.e.runtime, merge, CONTROL_WRITE, &tables, &err));
        OK(control_set_resnapshot(tables, stream, true, &err));
        control_close(tables);
    }
}

static void play_step(play *p, const node *step)
{
    node_get(step, "about");
    apply(p, step);
    stage_turn(&p->s, NULL);
    fill(p, step);
    stage_turn(&p->s, node_get_text(step, "at", NULL));
    control(p, step);
    crash(p, step);
    if (!node_get(step, "crash") || node_get(step, "run"))
        run_streams(p, step);
    expect_all(p, step);
}

// --- cases

static void play_case(void **state)
{
    play *p = *state;
    stage_open(&p->s, p->pair, p->far, p->strategy, p->twin);
    ds_error err;
    const char *changes;
    OK(stage_compile(&p->s, p->root, &err));
    OK(plan_and_apply(p, false, &changes, &err));
    stage_turn(&p->s, NULL);
    for (size_t i = 0; i < p->s.e.deployment->n; i++) {
        const ds_stream_def *stream = p->s.e.deployment->streams[i];
        for (size_t d = 0; d < stream->dataset_count && !stream->workspace && !stream->primary; d++)
            stage_make_table(&p->s, arena_printf(p->s.e.arena, "%s/%s", stream->store, stream->datasets[d].name), NULL);
    }
    const node *steps = node_get(p->root, "steps");
    for (size_t i = 0; i < node_count(steps); i++) {
        p->step = i + 1;
        play_step(p, node_item(steps, i));
    }
    stage_close(&p->s);
}

enum { PLAYS_MAX = 1000, CASES_MAX = 400 };
static struct CMUnitTest tests[PLAYS_MAX];
static size_t test_count;

static bool empties_something(const node *root)
{
    const node *steps = node_get(root, "steps");
    for (size_t i = 0; i < node_count(steps); i++)
        if (node_get_text(node_item(steps, i), "empties", NULL))
            return true;
    return false;
}

static void add_play(const test_pair *pairs, const char *strategy, const node *root, bool twin)
{
    play *p = calloc(1, sizeof *p);
    if (!p || test_count == PLAYS_MAX)
        BUG("too many cases");
    const char *base = strrchr(node_path(root), '/') + 1;
    *p = (play){.pair = &pairs[0], .far = &pairs[1], .path = base, .strategy = strategy, .root = root, .twin = twin};
    snprintf(p->name, sizeof p->name, "%.*s %s%s", (int)strcspn(base, "."), base, strategy, twin ? " guarded" : "");
    tests[test_count++] = (struct CMUnitTest){p->name, play_case, NULL, NULL, p};
}

// turn: of the strategies this one alone; ALL_TURNS: all of them.
enum { ALL_TURNS = -1 };
static void add_case(const test_pair *pairs, const node *root, int turn)
{
    static const char *const ALL[] = {"scd1", "scd2", "scd4"};
    const node *strategies = node_get(root, "strategies");
    size_t n = strategies ? node_count(strategies) : 3;
    node_get(root, "about");
    for (size_t i = 0; i < n; i++) {
        const char *strategy = strategies ? node_text(node_item(strategies, i)) : ALL[i];
        if (turn != ALL_TURNS && (size_t)turn % n != i)
            continue;
        add_play(pairs, strategy, root, false);
        if (empties_something(root))
            add_play(pairs, strategy, root, true);
    }
}

static size_t add_cases(const test_pair *pairs, bool one, const char *prefix, node **roots, size_t n)
{
    char pattern[500];
    const char *top = getenv("DATASURFACE_ROOT");
    snprintf(pattern, sizeof pattern, "%s/tests/conformance/cases/%s*.yaml", top ? top : ".", prefix);
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        BUG("no case is called %s*", prefix);
    for (size_t i = 0; i < found.gl_pathc && n < CASES_MAX; i++) {
        roots[n] = node_load(found.gl_pathv[i]);
        add_case(pairs, roots[n], one ? (int)n : ALL_TURNS);
        n++;
    }
    globfree(&found);
    return n;
}

int main(int argc, char **argv)
{
    static node *roots[CASES_MAX];
    static test_pair pairs[2]; // and the far one
    bool one = argc > 1 && strcmp(argv[1], "--one") == 0;
    argc -= one;
    argv += one;
    if (argc < 3 || !pair_open(&pairs[0], argv[1])) {
        fprintf(stderr, "usage: conformance [--one] DATABASES PREFIX...\n");
        return 2;
    }
    far_open(&pairs[1], &pairs[0]);
    size_t n = 0;
    for (int i = 2; i < argc; i++)
        n = add_cases(pairs, one, argv[i], roots, n);
    int failed = _cmocka_run_group_tests("conformance", tests, test_count, NULL, NULL);
    for (size_t i = 0; i < n && failed == 0 && !one; i++) // some keys are for other strategies
        node_check_used(roots[i]);
    for (size_t i = 0; i < n; i++)
        node_free(roots[i]);
    for (size_t i = 0; i < test_count; i++)
        free(tests[i].initial_state);
    far_close(&pairs[1]);
    pair_close(&pairs[0]);
    return failed;
}
