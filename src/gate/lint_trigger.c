// When streams run, and whether that is often enough.
#include "base/cron.h"
#include "base/vec.h"
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

// The longest time between two batches of a store. 0: unknown, something outside starts them.
typedef struct store_gap {
    int64_t minutes;
    bool open; // being computed: a cycle of transformers ends here
} store_gap;

static int64_t store_gap_minutes(lint *l, const ds_datastore *store);

static int64_t inputs_gap(lint *l, const ds_workspace *workspace)
{
    int64_t longest = 0;
    for (size_t i = 0; i < workspace->groups.n; i++)
        for (size_t k = 0; k < workspace->groups.v[i].sinks.n; k++) {
            const char *name = workspace->groups.v[i].sinks.v[k].store;
            const ds_datastore *input = name ? model_datastore(l->model, name) : NULL;
            int64_t gap = input ? store_gap_minutes(l, input) : 0;
            longest = gap > longest ? gap : longest;
        }
    return longest;
}

static int64_t cron_gap(const ds_trigger *trigger)
{
    ds_cron cron;
    ds_error err;
    bool known = trigger->cron.s && cron_parse(str_of(trigger->cron.s), &cron, &err).code == DS_OK;
    return known ? cron_longest_gap_minutes(&cron) : 0;
}

static int64_t store_gap_minutes(lint *l, const ds_datastore *store)
{
    if (!store->name.s)
        return 0;
    store_gap *gap = map_get(l->gaps, store->name.s);
    if (gap)
        return gap->open ? 0 : gap->minutes;
    gap = ARENA_NEW(l->arena, store_gap);
    gap->open = true;
    (void)map_add(l->gaps, store->name.s, gap);
    const ds_workspace *producer = store->producer;
    const ds_trigger *trigger = producer ? &producer->transformer.trigger : &store->capture.trigger;
    gap->minutes = trigger->pos.file || !producer ? cron_gap(trigger) : inputs_gap(l, producer);
    gap->open = false;
    return gap->minutes;
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

static void check_group(lint *l, const ds_workspace *workspace, const ds_group *group)
{
    const latency *wanted = latency_of(&group->requires_);
    ds_map *seen = NULL; // a store is reported once per group
    for (size_t i = 0; wanted && i < group->sinks.n; i++) {
        const ds_sink *sink = &group->sinks.v[i];
        const ds_datastore *store = sink->store ? model_datastore(l->model, sink->store) : NULL;
        int64_t gap = store ? store_gap_minutes(l, store) : 0;
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
    for (size_t i = 0; i < l->model->workspaces.n; i++) {
        const ds_workspace *workspace = l->model->workspaces.v[i];
        for (size_t k = 0; !workspace->transformer.pos.file && k < workspace->groups.n; k++)
            check_group(l, workspace, &workspace->groups.v[k]);
    }
}
