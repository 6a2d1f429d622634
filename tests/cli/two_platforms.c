// The program with a second platform type, "note": it serves every group, and all that it does is to write down which
// streams it was given, in the file that NOTES names, a line each: "SERVICE PLATFORM/STORE". It knows nothing of
// Yellow, and whatever the command line does with its platforms it does through the table.
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/map.h"
#include "base/vec.h"
#include "cli/command.h"
#include "schema/rows.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"
#include "yellow/job/job.h"  // what a cycle is asked and says
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
            add_change(arena, &list, r->prune ? "drop" : "keep", map_key(noted, i));
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
        if (strcmp(change->action, "keep") != 0)
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
        out->v[out->n++] = (ds_stream_info){.name = arena_str(arena, name),
                                            .service = service,
                                            .platform = arena_str(arena, str_split(&rest, '/')),
                                            .priority = PRIORITY_MEDIUM};
    }
    out->nothing = map_count(noted) == 0;
    if (out->nothing)
        ds_ignore(ds_fail(&out->why, DS_FINDING, "nothing has been noted"));
    return DS_DONE;
}

// "WORD PLATFORM/STORE", a line in NOTES.runs.
static ds_rc note_down(const char *word, const char *stream, ds_error *err)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(NOTES_MAX), text = BUF_INIT(NOTES_MAX);
    buf_printf(&path, "%s.runs", notes_path());
    if (file_exists(buf_text(&path)))
        TRY(file_read(buf_text(&path), &text, err));
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

static const ds_platform_type NOTE = {
    .name = TYPE,
    .serves = serves,
    .check_stream = check_stream,
    .check_service = check_service,
    .names_at_stake = names_at_stake,
    .plan = plan,
    .apply = apply,
    .streams = streams,
    .run = run,
    .tell = tell,
    .reset = reset,
};

int main(int argc, char **argv)
{
    static const volatile int cancelled = 0;
    const ds_driver *const drivers[] = {&SQLITE_DRIVER, &POSTGRES_DRIVER};
    const ds_platform_type *const platforms[] = {yellow_platform_type(), &NOTE};
    ds_program program = {
        .store = {drivers, sizeof drivers / sizeof drivers[0]},
        .platforms = {platforms, sizeof platforms / sizeof platforms[0]},
        .cancelled = &cancelled,
    };
    return cli_main(&program, argc, argv, stdout);
}
