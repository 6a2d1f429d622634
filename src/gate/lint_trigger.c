// When streams run, and whether that is often enough.
#include <stdlib.h>

#include "base/cron.h"
#include "gate/lint_int.h"

void lint_trigger(lint *l, const ds_trigger *trigger, const char *object)
{
    ds_cron cron;
    ds_error err;
    if (trigger->external.set && !trigger->external.v && !trigger->cron.s) {
        lint_add(l, LINT_CRON, trigger->external.pos, object,
                 "a trigger that is neither cron nor external never fires");
        diag_hint(l->diags, "write a cron line, or external: true");
    }
    if (trigger->cron.s && cron_parse(str_of(trigger->cron.s), &cron, &err).code != DS_OK) {
        lint_add(l, LINT_CRON, trigger->cron.pos, object, "not a cron line: %s", err.text);
        diag_hint(l->diags, "minute, hour, day, month, weekday: \"*/5 * * * *\" is every five minutes");
    }
    if (trigger->timezone.s && !timezone_known(trigger->timezone.s)) {
        lint_add(l, LINT_TIMEZONE, trigger->timezone.pos, object, "no time zone \"%s\"", trigger->timezone.s);
        diag_hint(l->diags, "write UTC, or a name such as Europe/Berlin");
    }
}

// --- latency

static int64_t *measure_gap(const char *line, ds_arena *arena)
{
    ds_cron cron;
    ds_error err;
    int64_t *minutes = ARENA_NEW(arena, int64_t);
    *minutes = cron_parse(str_of(line), &cron, &err).code == DS_OK ? cron_longest_gap_minutes(&cron) : 0;
    return minutes;
}

// Many triggers are written alike: known has what was measured before, by the cron line.
static int64_t cron_gap(const ds_trigger *trigger, ds_map *known, ds_arena *arena)
{
    const char *line = trigger->cron.s;
    int64_t *minutes = line ? map_get(known, line) : NULL;
    if (line && !minutes) {
        minutes = measure_gap(line, arena);
        (void)map_add(known, line, minutes);
    }
    return minutes ? *minutes : 0;
}

// The longest times between two batches of stores, by number. 0: unknown, something outside starts them.
typedef struct clock {
    uint32_t store;
    int64_t minutes;
} clock;

static int slowest_first(const void *a, const void *b)
{
    const clock *x = a, *y = b;
    return (x->minutes < y->minutes) - (x->minutes > y->minutes);
}

typedef struct gaps {
    int64_t *minutes;
    int64_t now;
} gaps;

static bool slow_down(lint *l, uint32_t store, void *context)
{
    gaps *g = context;
    if (g->minutes[store] || !lint_store_waits(l->flow.stores[store]))
        return false;
    g->minutes[store] = g->now;
    return true;
}

// A transformer without a clock is as slow as the slowest of all that it waits for: those come first, and who has a
// time keeps it.
static const int64_t *find_gaps(lint *l)
{
    clock *clocks = ARENA_ARRAY(l->arena, clock, l->flow.n);
    ds_map *known = map_new(l->arena);
    gaps g = {ARENA_ARRAY(l->arena, int64_t, l->flow.n), 0};
    size_t n = 0;
    for (size_t i = 0; i < l->flow.n; i++) {
        const ds_datastore *store = l->flow.stores[i];
        int64_t minutes = lint_store_waits(store) ? 0 : cron_gap(&store->capture.trigger, known, l->arena);
        if (minutes)
            clocks[n++] = (clock){(uint32_t)i, g.minutes[i] = minutes};
    }
    if (n > 1)
        qsort(clocks, n, sizeof *clocks, slowest_first);
    for (size_t i = 0; i < n; i++) {
        g.now = clocks[i].minutes;
        lint_flow_spread(l, clocks[i].store, slow_down, &g);
    }
    return g.minutes;
}

// What each word promises at most; "days" promises nothing that a trigger could break.
typedef struct latency {
    const char *word;
    int64_t minutes;
    const char *most;
} latency;
static const latency LATENCIES[] = {{"seconds", 0, "59 seconds"},
                                    {"minutes", 59, "59 minutes"},
                                    {"hours", 23 * 60, "23 hours"}};

static const latency *latency_of(const ds_requires *requires_)
{
    const char *word = requires_->latency.s ? requires_->latency.s : "minutes";
    for (size_t i = 0; i < sizeof LATENCIES / sizeof LATENCIES[0]; i++)
        if (strcmp(LATENCIES[i].word, word) == 0)
            return &LATENCIES[i];
    return NULL;
}

static const char *gap_text(lint *l, int64_t minutes)
{
    enum { HOUR = 60, DAY = 24 * HOUR };
    int64_t unit = minutes % DAY == 0 ? DAY : minutes % HOUR == 0 ? HOUR : 1;
    const char *name = unit == DAY ? "day" : unit == HOUR ? "hour" : "minute";
    return minutes == unit ? name : arena_printf(l->arena, "%ld %ss", (long)(minutes / unit), name);
}

static void check_group(lint *l, const ds_workspace *workspace, const ds_group *group, const int64_t *minutes)
{
    const latency *wanted = latency_of(&group->requires_);
    ds_map *seen = NULL; // a store is reported once per group
    for (size_t i = 0; wanted && i < group->sinks.n; i++) {
        const ds_sink *sink = &group->sinks.v[i];
        const ds_datastore *store = sink->store ? model_datastore(l->model, sink->store) : NULL;
        int64_t gap = store ? minutes[lint_store_number(l, store)] : 0;
        if (gap <= wanted->minutes)
            continue;
        seen = seen ? seen : map_new(l->arena);
        if (map_add(seen, sink->store, seen))
            continue;
        lint_add(l, LINT_LATENCY, sink->pos, lint_path(l, workspace->name.s, group->name),
                 "latency \"%s\" is at most %s, and \"%s\" may run only every %s", wanted->word, wanted->most,
                 sink->store, gap_text(l, gap));
        diag_hint(l->diags, "ask its team for a more frequent trigger, or require less");
    }
}

void lint_latencies(lint *l)
{
    const int64_t *minutes = find_gaps(l);
    for (size_t i = 0; i < l->model->workspaces.n; i++) {
        const ds_workspace *workspace = l->model->workspaces.v[i];
        for (size_t k = 0; !workspace->transformer.pos.file && k < workspace->groups.n; k++)
            check_group(l, workspace, &workspace->groups.v[k], minutes);
    }
}
