#include "conformance/engine/play.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/crash.h"
#include "support/truth.h"
#include "yellow/plan/plan.h"

static void must(const play *p, ds_rc rc, const ds_error *err)
{
    if (rc.code != DS_OK)
        node_fail(p->step, "%s", err->text);
}

// As TAP wants it: a report's line can't begin anyhow.
static const char *one_line(const play *p, const char *text)
{
    char *line = arena_strdup(p->w.arena, text);
    for (char *c = line; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return line;
}

static void check_truth(play *p)
{
    const char *broken = truth_broken(&p->w.runtime, &p->w.merge, &p->w.def, p->w.arena);
    if (broken[0])
        node_fail(p->step, "the tables don't fit the batch's state: %s", broken);
}

static const ds_dataset_def *dataset_named(const play *p, node name)
{
    for (size_t i = 0; i < p->w.def.dataset_count; i++)
        if (strcmp(p->w.datasets[i].name, node_text(name)) == 0)
            return &p->w.datasets[i];
    node_fail(name, "the case has no dataset \"%s\"", node_text(name));
}

// --- definition

static int64_t option_batches(node value)
{
    return strcmp(node_text(value), "all") == 0 ? STAGING_BATCHES_ALL : node_int(value);
}

static void do_options(play *p, node options)
{
    static const char *const NAMES[] = {"staging_batches", "staging", "max_delete_ratio", "memory", "chunk_rows", NULL};
    node_allow(options, NAMES);
    ds_stream_def *def = &p->w.def;
    node value;
    if ((value = node_get(options, "staging_batches")).yaml)
        def->staging_batches = option_batches(value);
    if ((value = node_get(options, "staging")).yaml)
        def->staging_full = strcmp(node_text(value), "full") == 0;
    if ((value = node_get(options, "max_delete_ratio")).yaml)
        def->max_delete_ratio = strtod(node_text(value), NULL);
    if ((value = node_get(options, "memory")).yaml)
        def->memory_bytes = node_int(value);
    if ((value = node_get(options, "chunk_rows")).yaml)
        def->chunk_rows = node_int(value);
}

// Plans and applies the stream as it is defined now; afterwards nothing is left to plan.
static ds_rc try_deploy(play *p, ds_error *err)
{
    const ds_platform_service service = {.name = {.s = p->w.def.service}};
    const ds_stream_def *streams[] = {&p->w.def};
    const ds_deployment deployment = {.service = &service,
                                      .merge = p->w.merge,
                                      .dialect = p->w.drivers[PAIR_MERGE]->dialect,
                                      .streams = streams,
                                      .n = 1};
    const ds_plan *plan;
    p->w.clock.fixed_us += 1000000;
    TRY(plan_make(&p->w.runtime, &deployment, false, p->w.arena, &plan, err));
    TRY(plan_apply(&p->w.runtime, plan, NULL, err));
    TRY(plan_make(&p->w.runtime, &deployment, false, p->w.arena, &plan, err));
    if (plan->n)
        node_fail(p->step, "apply left something to do: %s %s", plan->changes[0].action, plan->changes[0].object);
    return DS_DONE;
}

static ds_rc try_define(play *p, node datasets, ds_error *err)
{
    p->w.def.dataset_count = 0;
    for (size_t i = 0; i < node_count(datasets); i++) {
        if (i == WORLD_DATASETS_MAX)
            node_fail(datasets, "more than %d datasets", WORLD_DATASETS_MAX);
        world_dataset(&p->w, node_text(node_key(datasets, i)), node_text(node_value(datasets, i)));
    }
    return try_deploy(p, err);
}

static void define(play *p, node datasets)
{
    ds_error err;
    must(p, try_define(p, datasets, &err), &err);
}

// --- actions

static void do_source(play *p, node statements)
{
    for (size_t i = 0; i < node_count(statements); i++)
        world_source(&p->w, node_text(node_at(statements, i)));
}

static ds_code code_named(node name)
{
    static const struct {
        const char *name;
        ds_code code;
    } CODES[] = {{"usage", DS_USAGE}, {"finding", DS_FINDING}, {"env", DS_ENV}, {"busy", DS_BUSY}};
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++)
        if (strcmp(CODES[i].name, node_text(name)) == 0)
            return CODES[i].code;
    node_fail(name, "unknown code \"%s\"", node_text(name));
}

static void check_failure(node run, ds_rc rc, const ds_error *err)
{
    node error = node_get(run, "error"), code = node_get(run, "code");
    if (!error.yaml && !code.yaml) {
        if (rc.code != DS_OK)
            node_fail(run, "the run failed: %s", err->text);
        return;
    }
    if (!error.yaml || !code.yaml)
        node_fail(run, "a run that must fail needs both error and code");
    if (rc.code == DS_OK)
        node_fail(run, "the run went well, expected: %s", node_text(error));
    if (rc.code != code_named(code) || !strstr(err->text, node_text(error)))
        node_fail(run, "the run failed otherwise, with code %d: %s", (int)rc.code, err->text);
}

static void check_counts(node counts, const ds_counts *found)
{
    if (!counts.yaml)
        return;
    const int64_t values[] = {found->inserted, found->updated, found->deleted, found->read};
    enum { COUNTS = sizeof values / sizeof values[0] };
    if (node_count(counts) != COUNTS)
        node_fail(counts, "expected [inserted, updated, deleted, read]");
    for (size_t i = 0; i < COUNTS; i++)
        if (node_int(node_at(counts, i)) != values[i])
            node_fail(counts, "counts: found [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 "]", values[0],
                      values[1], values[2], values[3]);
}

static void do_run(play *p, node run)
{
    static const char *const NAMES[] = {"batch", "counts", "error", "code", "accept_deletes", "verify", NULL};
    node_allow(run, NAMES);
    node batch = node_get(run, "batch"), accept = node_get(run, "accept_deletes"), verify = node_get(run, "verify");
    p->w.options.accept_deletes = accept.yaml && node_bool(accept);
    p->w.options.verify = verify.yaml && node_bool(verify);
    ds_job_result result = {0};
    ds_error err;
    ds_rc rc = world_job(&p->w, &result, &err);
    check_failure(run, rc, &err);
    check_truth(p);
    if (rc.code != DS_OK)
        return;
    if (batch.yaml && node_int(batch) != result.batch)
        node_fail(batch, "the run committed batch %" PRId64, result.batch);
    check_counts(node_get(run, "counts"), &result.counts);
    if (p->w.options.verify && !result.equal)
        node_fail(verify, "source and merge differ");
}

// A cycle that finds source and merge equal and changes nothing.
static void do_verify(play *p, node wanted)
{
    if (!node_bool(wanted))
        node_fail(wanted, "verify: true, or not at all");
    p->w.options = (ds_job_options){.verify = true};
    ds_job_result result = {0};
    ds_error err;
    must(p, world_job(&p->w, &result, &err), &err);
    if (!result.equal || result.counts.inserted || result.counts.updated || result.counts.deleted)
        node_fail(wanted, "source and merge differ");
    check_truth(p);
}

static void do_crash(play *p, node crash)
{
    static const char *const NAMES[] = {"at", "n", NULL};
    const bool map = node_is_map(crash);
    if (map)
        node_allow(crash, NAMES);
    const char *point = node_text(map ? node_get(crash, "at") : crash);
    node n = node_get(crash, "n");
    p->w.options = (ds_job_options){0};
    crash_end end = crash_job(&p->w, point, n.yaml ? (int)node_int(n) : 1);
    if (end != CRASH_KILLED)
        node_fail(crash, "the job %s without passing \"%s\" so often", end == CRASH_DONE ? "ended" : "failed", point);
    check_truth(p);
}

static void do_reset(play *p, node reset)
{
    static const char *const NAMES[] = {"batch", "rows", NULL};
    int64_t batch, rows;
    ds_error err;
    if (node_is_map(reset))
        node_allow(reset, NAMES);
    must(p, job_reset(&p->w.runtime, &p->w.merge, p->w.def.name, false, &batch, &rows, &err), &err);
    node wanted = node_get(reset, "batch"), gone = node_get(reset, "rows");
    if (wanted.yaml && node_int(wanted) != batch)
        node_fail(wanted, "reset gave up batch %" PRId64, batch);
    if (gone.yaml && node_int(gone) != rows)
        node_fail(gone, "reset removed %" PRId64 " staging rows", rows);
    check_truth(p);
}

// The newest batch, "2 committed".
static void do_batch(play *p, node wanted)
{
    ds_error err;
    ds_control *control;
    ds_batch_row *last;
    must(p, control_open(&p->w.runtime, &p->w.merge, CONTROL_READ, &control, &err), &err);
    must(p, control_last_batch(control, p->w.def.name, false, p->w.arena, &last, &err), &err);
    const char *found = last ? arena_printf(p->w.arena, "%" PRId64 " %s", last->id, last->status) : "none";
    control_close(control);
    if (strcmp(found, node_text(wanted)) != 0)
        node_fail(wanted, "the newest batch is \"%s\"", found);
}

static void each_dataset(play *p, node map, rows_kind kind)
{
    for (size_t i = 0; i < node_count(map); i++)
        rows_check(p, dataset_named(p, node_key(map, i)), kind, node_value(map, i));
}

static void do_rows(play *p, node map)
{
    each_dataset(p, map, ROWS_LIVE);
    each_dataset(p, map, ROWS_VIEW);
}

static void do_versions(play *p, node map)
{
    if (p->w.def.milestoning != MILESTONING_SCD1)
        each_dataset(p, map, ROWS_VERSIONS);
}

static void do_row_count(play *p, node map)
{
    for (size_t i = 0; i < node_count(map); i++) {
        int64_t found = rows_count(p, dataset_named(p, node_key(map, i)));
        if (found != node_int(node_value(map, i)))
            node_fail(node_value(map, i), "found %" PRId64 " rows", found);
    }
}

static void do_as_of(play *p, node map)
{
    node batch = node_get(map, "batch");
    if (!batch.yaml)
        node_fail(map, "as_of needs a batch");
    for (size_t i = 0; i < node_count(map) && p->w.def.milestoning != MILESTONING_SCD1; i++)
        if (strcmp(node_text(node_key(map, i)), "batch") != 0)
            rows_check_as_of(p, dataset_named(p, node_key(map, i)), node_int(batch), node_value(map, i));
}

// Batches that have rows in staging, per dataset.
static void do_staging(play *p, node map)
{
    for (size_t i = 0; i < node_count(map); i++) {
        node wanted = node_value(map, i);
        CLEANUP(buf_release) ds_buf text = BUF_INIT(4096);
        for (size_t b = 0; b < node_count(wanted); b++)
            buf_printf(&text, "%" PRId64 "\n", node_int(node_at(wanted, b)));
        CLEANUP(sql_release) ds_sql q = sql_new(p->w.drivers[PAIR_MERGE]->dialect);
        SQL(&q, "SELECT DISTINCT ds_batch_id FROM ");
        sql_relation(&q, dataset_named(p, node_key(map, i))->staging);
        SQL(&q, " ORDER BY 1");
        const char *found = world_query(&p->w, true, buf_text(&q.text));
        if (strcmp(found, buf_text(&text)) != 0)
            node_fail(wanted, "staging holds other batches: %s", one_line(p, found));
    }
}

// Columns of a merge table as the database has them, also those that the dataset gave up: "1|x", null as "~".
static void do_query(play *p, node query)
{
    static const char *const NAMES[] = {"columns", "where", "result", NULL};
    node_allow(query, NAMES);
    node columns = node_get(query, "columns"), where = node_get(query, "where"), result = node_get(query, "result");
    CLEANUP(sql_release) ds_sql q = sql_new(p->w.drivers[PAIR_MERGE]->dialect);
    SQL(&q, "SELECT ");
    for (size_t i = 0; i < node_count(node_value(columns, 0)); i++) {
        if (i)
            SQL(&q, ", ");
        sql_ident(&q, node_text(node_at(node_value(columns, 0), i)));
    }
    SQL(&q, " FROM ");
    sql_relation(&q, dataset_named(p, node_key(columns, 0))->merge);
    if (where.yaml) {
        SQL(&q, " WHERE ");
        sql_ident(&q, node_text(node_key(where, 0)));
        SQL(&q, " = ");
        sql_literal_text(&q, node_text(node_value(where, 0)));
    }
    SQL(&q, " ORDER BY 1");
    CLEANUP(buf_release) ds_buf wanted = BUF_INIT(1 << 16);
    for (size_t i = 0; i < node_count(result); i++)
        buf_printf(&wanted, "%s\n", node_text(node_at(result, i)));
    const char *found = world_query(&p->w, true, buf_text(&q.text));
    if (strcmp(found, buf_text(&wanted)) != 0)
        node_fail(result, "found %s", one_line(p, found));
}

static void do_apply(play *p, node datasets)
{
    define(p, datasets);
}

// A definition that apply must refuse; the one before stays in force.
static void do_refused(play *p, node refused)
{
    static const char *const NAMES[] = {"datasets", "error", NULL};
    node_allow(refused, NAMES);
    node error = node_get(refused, "error");
    const size_t count = p->w.def.dataset_count;
    ds_dataset_def *before = ARENA_ARRAY(p->w.arena, ds_dataset_def, count);
    memcpy(before, p->w.datasets, count * sizeof *before);
    ds_error err;
    ds_rc rc = try_define(p, node_get(refused, "datasets"), &err);
    if (rc.code == DS_OK)
        node_fail(refused, "apply took it");
    if (rc.code != DS_FINDING || !strstr(err.text, node_text(error)))
        node_fail(error, "apply refused otherwise, with code %d: %s", (int)rc.code, err.text);
    memcpy(p->w.datasets, before, count * sizeof *before);
    p->w.def.dataset_count = count;
}

typedef struct action {
    const char *name;
    void (*run)(play *p, node value);
} action;
// One more action is one more row, a line in README.md and a case that uses it.
static const action ACTIONS[] = {
    {"source", do_source},       {"run", do_run},           {"crash", do_crash},
    {"reset", do_reset},         {"apply", do_apply},       {"options", do_options},
    {"rows", do_rows},           {"versions", do_versions}, {"as_of", do_as_of},
    {"row_count", do_row_count}, {"batch", do_batch},       {"staging", do_staging},
    {"verify", do_verify},       {"query", do_query},       {"refused", do_refused},
};

static const action *action_named(node name)
{
    for (size_t i = 0; i < sizeof ACTIONS / sizeof ACTIONS[0]; i++)
        if (strcmp(ACTIONS[i].name, node_text(name)) == 0)
            return &ACTIONS[i];
    node_fail(name, "unknown action \"%s\"", node_text(name));
}

void play_case(node root, const test_pair *pair, ds_milestoning milestoning)
{
    play p = {.step = root};
    pair_clear(pair);
    world_open_on(&p.w, pair, milestoning);
    p.w.def.max_delete_ratio = 0.5; // what a model gives by default
    node options = node_get(root, "options"), steps = node_get(root, "steps");
    if (options.yaml)
        do_options(&p, options);
    define(&p, node_get(root, "datasets"));
    if (node_count(steps) == 0)
        node_fail(root, "a case without steps");
    for (size_t i = 0; i < node_count(steps); i++) {
        node step = p.step = node_at(steps, i);
        for (size_t a = 0; a < node_count(step); a++)
            action_named(node_key(step, a))->run(&p, node_value(step, a));
    }
    world_close(&p.w);
}
