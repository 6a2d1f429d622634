// The program with a second platform type, "note": it serves every group, and all that it does is to write down which
// streams it was given, in the file that NOTES names, a line each: "SERVICE PLATFORM/STORE". It knows nothing of
// Yellow, and whatever the command line does with its platforms it does through the table.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/flag.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/command.h"
#include "schema/rows.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"
#include "yellow/platform.h" // for main, as the program itself has it

enum { NOTES_MAX = 1 << 20 };
static const char TYPE[] = "note";

static bool is_note(const ds_platform *platform)
{
    return platform->type.s && strcmp(platform->type.s, TYPE) == 0;
}

static const char *notes_path(void)
{
    const char *path = getenv("NOTES");
    ds_assert(path);
    return path;
}

// Every line is a key of the map.
static ds_rc read_notes(ds_arena *arena, ds_map **out, ds_error *err)
{
    *out = map_new(arena);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(NOTES_MAX);
    if (!file_exists(notes_path()))
        return DS_DONE;
    TRY(file_read(notes_path(), &text, err));
    for (ds_str rest = buf_str(&text); rest.n;)
        (void)map_add(*out, arena_str(arena, str_split(&rest, '\n')), arena);
    return DS_DONE;
}

// --- what lint asks

static bool serves(const ds_platform *platform, const ds_requires *requires_, ds_buf *why)
{
    (void)platform, (void)requires_, (void)why;
    return true;
}

static void check_stream(const ds_model *model, const ds_node *ingest, ds_diags *diags)
{
    (void)model;
    diag_add(diags, DIAG_INFO, PLATFORM_RULE_IGNORED, ingest->store->name.pos, ingest->store->name.s,
             "%s is only noted", node_stream_name(ingest));
}

static void check_service(const ds_model *model, const ds_graph *graph, const ds_platform_service *service,
                          ds_diags *diags)
{
    (void)model, (void)graph, (void)service, (void)diags;
}

static uint64_t names_at_stake(const ds_model *model, const ds_graph *graph)
{
    (void)model, (void)graph;
    return 0;
}

// --- plan and apply

typedef VEC(ds_plan_change) changes;

static void add_change(ds_arena *arena, changes *list, const char *action, const char *note)
{
    *VEC_PUSH(arena, list) = (ds_plan_change){.container = "notes",
                                              .object = arena_printf(arena, "note %s", note),
                                              .action = action,
                                              .detail = "",
                                              .destructive = strcmp(action, "drop") == 0};
}

static void finish_plan(const changes *list, ds_plan *plan)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(NOTES_MAX);
    for (size_t i = 0; i < list->n; i++)
        buf_printf(&text, "%s %s\n", list->v[i].action, list->v[i].object);
    ds_hash hash = row_hash(buf_str(&text));
    snprintf(plan->id, sizeof plan->id, "%016llx%016llx", (unsigned long long)hash.high, (unsigned long long)hash.low);
    plan->changes = list->v;
    plan->n = list->n;
}

static ds_rc plan(const ds_plan_request *r, ds_arena *arena, ds_plan_list *out, ds_error *err)
{
    ds_map *noted, *wanted = map_new(arena);
    changes list = {0};
    bool ours = false;
    TRY(read_notes(arena, &noted, err));
    for (size_t i = 0; i < r->service->platforms.n; i++)
        ours |= is_note(&r->service->platforms.v[i]);
    ds_nodes nodes = graph_streams(r->graph, NULL, arena);
    for (size_t i = 0; i < nodes.n; i++) {
        if (nodes.v[i]->service != r->service || !is_note(nodes.v[i]->platform))
            continue;
        const char *note = arena_printf(arena, "%s %s", r->service->name.s, node_stream_name(nodes.v[i]));
        (void)map_add(wanted, note, arena);
        if (!map_get(noted, note))
            add_change(arena, &list, "create", note);
    }
    const char *of_service = arena_printf(arena, "%s ", r->service->name.s);
    for (size_t i = 0; i < map_count(noted); i++) {
        bool here = str_starts(str_of(map_key(noted, i)), str_of(of_service));
        ours |= here;
        if (here && !map_get(wanted, map_key(noted, i)))
            add_change(arena, &list, r->prune ? "drop" : PLAN_KEEP, map_key(noted, i));
    }
    ds_plan *made = ARENA_NEW(arena, ds_plan);
    *made = (ds_plan){.service = r->service->name.s, .container = "notes", .path = ""};
    finish_plan(&list, made);
    if (ours)
        *VEC_PUSH(arena, out) = made;
    return DS_DONE;
}

static ds_rc apply(const ds_runtime *runtime, const ds_plan *plan, const char *expected_id, ds_arena *arena,
                   const ds_plan **done, ds_error *err)
{
    (void)runtime;
    ds_map *noted;
    if (expected_id && strcmp(expected_id, plan->id) != 0)
        return ds_fail(err, DS_FINDING, "the notes have moved since plan %s", expected_id);
    TRY(read_notes(arena, &noted, err));
    for (size_t i = 0; i < plan->n; i++) {
        const ds_plan_change *change = &plan->changes[i];
        const char *note = change->object + strlen("note ");
        if (plan_changes_something(change))
            map_set(noted, note, strcmp(change->action, "create") == 0 ? arena : NULL);
    }
    CLEANUP(buf_release) ds_buf text = BUF_INIT(NOTES_MAX);
    for (size_t i = 0; i < map_count(noted); i++)
        if (map_value(noted, i))
            buf_printf(&text, "%s\n", map_key(noted, i));
    *done = plan;
    return file_write_atomic(notes_path(), buf_str(&text), false, err);
}

// --- streams, and a cycle

static ds_rc streams(const ds_runtime *runtime, const ds_container_def *merge, const char *only, ds_arena *arena,
                     ds_streams *out, ds_error *err)
{
    (void)runtime, (void)merge;
    ds_map *noted;
    *out = (ds_streams){.tree_id = ""};
    TRY(read_notes(arena, &noted, err));
    out->v = ARENA_ARRAY(arena, ds_stream_info, map_count(noted));
    for (size_t i = 0; i < map_count(noted); i++) {
        ds_str name = str_of(map_key(noted, i));
        const char *service = arena_str(arena, str_split(&name, ' '));
        if (only && !str_eq(name, str_of(only)))
            continue;
        ds_str rest = name;
        const char *platform = arena_str(arena, str_split(&rest, '/'));
        out->v[out->n++] = (ds_stream_info){.name = arena_str(arena, name),
                                            .service = service,
                                            .platform = platform,
                                            .store = arena_str(arena, rest),
                                            .priority = PRIORITY_MEDIUM,
                                            .cron = "",
                                            .timezone = ""};
    }
    out->nothing = map_count(noted) == 0;
    if (out->nothing)
        ds_ignore(ds_fail(&out->why, DS_FINDING, "nothing has been noted"));
    return DS_DONE;
}

// A line that was noted, for each stream.
static ds_rc artifacts(const ds_runtime *runtime, const ds_container_def *merge, ds_arena *arena, ds_artifacts *out,
                       ds_error *err)
{
    ds_streams noted;
    TRY(streams(runtime, merge, NULL, arena, &noted, err));
    *out = (ds_artifacts){.v = ARENA_ARRAY(arena, ds_artifact, noted.n), .nothing = noted.nothing, .why = noted.why};
    for (size_t i = 0; i < noted.n; i++)
        out->v[out->n++] = (ds_artifact){.workspace = "everybody",
                                         .group = "notes",
                                         .store = noted.v[i].store,
                                         .dataset = "line",
                                         .stream = noted.v[i].name,
                                         .kind = "note",
                                         .name = notes_path(),
                                         .use = arena_printf(arena, "grep ' %s$' NOTES", noted.v[i].name)};
    return DS_DONE;
}

// "WORD PLATFORM/STORE", a line in NOTES.runs.
static ds_rc read_runs(ds_buf *path, ds_buf *text, ds_error *err)
{
    buf_printf(path, "%s.runs", notes_path());
    return file_exists(buf_text(path)) ? file_read(buf_text(path), text, err) : DS_DONE;
}

static ds_rc note_down(const char *word, const char *stream, ds_error *err)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(NOTES_MAX), text = BUF_INIT(NOTES_MAX);
    TRY(read_runs(&path, &text, err));
    buf_printf(&text, "%s %s\n", word, stream);
    return file_write_atomic(buf_text(&path), buf_str(&text), false, err);
}

// Each cycle is "run PLATFORM/STORE" or "verify PLATFORM/STORE".
static ds_rc run(const ds_runtime *runtime, const ds_container_def *merge, const char *stream,
                 const ds_job_options *options, ds_arena *arena, ds_job_result *out, ds_error *err)
{
    (void)runtime, (void)merge, (void)arena;
    *out = (ds_job_result){.stream = stream, .note = "it is noted", .tree_id = "", .equal = true};
    return note_down(options->verify ? "verify" : "run", stream, err);
}

// "pause PLATFORM/STORE" and the like in NOTES.runs.
static ds_rc tell(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, ds_stream_order order,
                  ds_error *err)
{
    static const char *const WORDS[] = {"pause", "resume", "trigger", "resnapshot"};
    (void)runtime, (void)merge;
    return note_down(WORDS[order], stream, err);
}

static ds_rc reset(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, bool dry_run,
                   int64_t *batch, int64_t *rows, ds_error *err)
{
    (void)runtime, (void)merge, (void)dry_run, (void)batch, (void)rows;
    return ds_fail(err, DS_USAGE, "%s begins nothing that it would not end", stream);
}

// --- as tasks: each once

typedef struct note_schedule {
    ds_schedule_options options;
    size_t group;
} note_schedule;

static bool was_run(const char *runs, const char *stream)
{
    CLEANUP(buf_release) ds_buf line = BUF_INIT(NOTES_MAX);
    buf_printf(&line, "run %s\n", stream);
    return strstr(runs, buf_text(&line)) != NULL;
}

static ds_rc poll(void *context, ds_sched *sched, ds_error *err)
{
    const note_schedule *s = context;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(buf_release) ds_buf path = BUF_INIT(NOTES_MAX), runs = BUF_INIT(NOTES_MAX);
    ds_streams noted;
    int64_t now_us = clock_now_us(s->options.runtime->clock);
    TRY(streams(s->options.runtime, s->options.merges, NULL, arena, &noted, err));
    TRY(read_runs(&path, &runs, err));
    sched_put_begin(sched, s->group, now_us);
    for (size_t i = 0; i < noted.n; i++) {
        static const ds_task_def NEW_YEAR = {.cron = "0 0 1 1 *", .timezone = ""};
        int64_t run_us = was_run(buf_text(&runs), noted.v[i].name) ? now_us : 0;
        ds_task_state state = {.begun_us = run_us, .done_us = run_us};
        if (s->options.wanted(s->options.context, &noted.v[i]) && sched_put(sched, noted.v[i].name, 1, &state))
            TRY(sched_define(sched, noted.v[i].name, &NEW_YEAR, err));
    }
    sched_put_end(sched);
    return DS_DONE;
}

static ds_task_end run_task(void *context, const ds_task_run *task)
{
    const note_schedule *s = context;
    ds_error err = {0};
    ds_job_result result = {.stream = task->name, .note = "it is noted", .tree_id = ""};
    ds_rc rc = note_down("run", task->name, &err);
    s->options.tell(s->options.context, &(ds_schedule_event){.stream = task->name, .result = &result});
    return rc.code == DS_OK ? TASK_DONE : TASK_FAILED;
}

static void schedule(const ds_schedule_options *options, size_t first_group, ds_type_schedule *out)
{
    note_schedule *s = malloc(sizeof *s);
    ds_assert(s);
    *s = (note_schedule){*options, first_group};
    *out = (ds_type_schedule){.ops = {.context = s, .poll = poll, .run = run_task}, .free = free};
}

static const ds_platform_type NOTE = {
    .name = TYPE,
    .serves = serves,
    .check_stream = check_stream,
    .check_service = check_service,
    .names_at_stake = names_at_stake,
    .plan = plan,
    .apply = apply,
    .streams = streams,
    .artifacts = artifacts,
    .run = run,
    .schedule = schedule,
    .tell = tell,
    .reset = reset,
};

static volatile int cancelled, draining, drains;

static void on_signal(int number)
{
    flag_set(&draining, number);
}

int main(int argc, char **argv)
{
    signal(SIGTERM, on_signal);
    const ds_driver *const drivers[] = {&SQLITE_DRIVER, &POSTGRES_DRIVER};
    const ds_platform_type *const platforms[] = {yellow_platform_type(), &NOTE};
    ds_program program = {
        .store = {drivers, sizeof drivers / sizeof drivers[0]},
        .platforms = {platforms, sizeof platforms / sizeof platforms[0]},
        .cancelled = &cancelled,
        .draining = &draining,
        .drains = &drains,
    };
    return cli_main(&program, argc, argv, stdout);
}
