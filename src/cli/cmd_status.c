#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/flag.h"
#include "cli/commands.h"
#include "cli/due.h"
#include "cli/output.h"
#include "cli/session.h"
#include "sched/backoff.h"

static const ds_option OPTIONS[] = {
    {"check", 0, OPTION_FLAG,
     .help =
         "exit 1 when a stream is late, has failed, is guarded, or has never run, a followed branch is not applied, "
         "or a database can't be looked at"},
    {"watch", 0, OPTION_FLAG, .help = "again every second, until Ctrl-C; on a terminal in place"},
    {0},
};

enum { DATASETS_SHOWN = 20 }; // with their watermarks; more are in JSON
#define CLEAR_SCREEN "\033[H\033[2J"

typedef struct stream_status {
    const ds_applied_stream *stream;
    const char *state;
    ds_stream_status is;                 // of a type that tells no more: empty
    const struct stream_status *primary; // of a mirror; NULL: it is none, or its primary is not looked at
} stream_status;

// One word for where a stream stands.
static const char *state_of(const stream_status *s, int64_t now_us)
{
    const ds_batch_row *last = s->is.last;
    if (s->stream->info.paused)
        return "paused";
    if (s->stream->info.failure)
        return "failed";
    if (!last)
        return s->is.load_count ? "loading" : "new";
    if (last->guarded)
        return "guarded";
    if (last->error && backoff_is_parked(last->attempts))
        return "parked";
    if (last->error)
        return "failed";
    if (strcmp(last->status, "committed") != 0)
        return last->status;
    return due_late(&s->stream->info, last->committed_at, now_us) ? "late" : "ok";
}

static bool is_bad(const stream_status *s)
{
    static const char *const BAD[] = {"failed", "guarded", "parked", "new", "late"};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++)
        if (strcmp(s->state, BAD[i]) == 0)
            return true;
    return false;
}

// After the last commit, which may lie in the past: then it is due.
static int64_t next_due(const stream_status *s)
{
    return s->is.committed && !s->stream->info.paused ? due_after(&s->stream->info, s->is.committed->committed_at) : 0;
}

static const char *trigger_text(const ds_applied_stream *stream)
{
    if (!stream->type->status) // it tells no more
        return "";
    if (stream->info.cron[0])
        return stream->info.cron;
    return stream->info.external ? "external" : "after inputs";
}

static int64_t lag_s(const ds_session *session, const stream_status *s)
{
    return (clock_now_us(session->runtime.clock) - s->is.committed->committed_at) / 1000000;
}

static const char *lag_text(ds_arena *arena, int64_t s)
{
    if (s < 120)
        return arena_printf(arena, "%lld s", (long long)s);
    if (s < 7200)
        return arena_printf(arena, "%lld min", (long long)(s / 60));
    return s < 172800 ? arena_printf(arena, "%lld h", (long long)(s / 3600))
                      : arena_printf(arena, "%lld d", (long long)(s / 86400));
}

static const char *error_of(const stream_status *s)
{
    return s->stream->info.failure ? s->stream->info.failure : s->is.last ? s->is.last->error : NULL;
}

static void add_row(const ds_session *session, ds_table *table, const stream_status *s)
{
    const ds_cli *cli = session->cli;
    ds_style colour = is_bad(s) ? STYLE_RED : strcmp(s->state, "ok") == 0 ? STYLE_GREEN : STYLE_YELLOW;
    table_row(table);
    table_cell(table, 0, "%s", s->stream->info.name);
    table_cell(table, 1, "%s%s%s", style(cli, colour), s->state, style_end(cli));
    if (s->is.last)
        table_int(table, 2, s->is.last->id);
    if (s->is.committed) {
        table_cell(table, 3, "%s", lag_text(cli->arena, lag_s(session, s)));
        table_int(table, 4, s->is.committed->fingerprint.rows);
    }
    table_cell(table, 5, "%s", trigger_text(s->stream));
    if (next_due(s))
        table_cell(table, 6, "%s", time_text(cli->arena, next_due(s)));
    if (error_of(s))
        table_cell(table, 7, "%s", error_of(s));
}

static void print_loads(const ds_cli *cli, const stream_status *s)
{
    for (size_t i = 0; i < s->is.load_count; i++)
        fprintf(cli->out, "%s %s\n", s->stream->info.name, s->is.loads[i].text);
}

static json_t *loads_json(const stream_status *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->is.load_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "dataset", s->is.loads[i].dataset, "rows_loaded",
                                              json_int64(s->is.loads[i].rows_loaded), "rows_estimate",
                                              json_int64(s->is.loads[i].rows_estimate)));
    return list;
}

// How many of its primary's batches a mirror has not taken yet; -1: it is none.
static int64_t batches_behind(const stream_status *s)
{
    if (!s->primary)
        return -1;
    int64_t primary = s->primary->is.committed ? s->primary->is.committed->id : 0;
    int64_t ours = s->is.committed ? s->is.committed->id : 0;
    return primary > ours ? primary - ours : 0;
}

static void print_behind(const ds_cli *cli, const stream_status *s)
{
    int64_t behind = batches_behind(s);
    if (behind > 0)
        fprintf(cli->out, "%s is %lld batch%s behind %s\n", s->stream->info.name, (long long)behind,
                behind == 1 ? "" : "es", s->primary->stream->info.name);
}

static void print_watermarks(const ds_cli *cli, const stream_status *s)
{
    for (size_t i = 0; i < s->is.watermark_count && s->is.watermark_count <= DATASETS_SHOWN; i++) {
        const ds_watermark_status *w = &s->is.watermarks[i];
        fprintf(cli->out, "%s %s: %s %s", s->stream->info.name, w->dataset, w->column,
                w->value ? w->value : "not read yet");
        if (w->swept_at)
            fprintf(cli->out, ", all rows read %s", time_text(cli->arena, w->swept_at));
        fputc('\n', cli->out);
    }
}

static json_t *watermarks_json(const stream_status *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->is.watermark_count; i++) {
        const ds_watermark_status *w = &s->is.watermarks[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "dataset", w->dataset, "watermark",
                                              json_text(w->value), "swept_at", json_time(w->swept_at)));
    }
    return list;
}

static json_t *status_json(const ds_session *session, const stream_status *s)
{
    const ds_stream_info *info = &s->stream->info;
    int64_t behind = batches_behind(s);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:o}", "stream", info->name, "platform",
                     info->platform, "state", s->state, "batch", json_int64(s->is.last ? s->is.last->id : 0), "lag_s",
                     s->is.committed ? json_int64(lag_s(session, s)) : json_null(), "next_due", json_time(next_due(s)),
                     "trigger", trigger_text(s->stream), "last_error", json_text(error_of(s)), "paused", info->paused,
                     "loads", loads_json(s), "watermarks", watermarks_json(s), "batches_behind",
                     behind < 0 ? json_null() : json_int64(behind));
}

// Those behind the first that are of one type, in one merge database; they are asked at once.
static size_t alike(const ds_applied_stream *streams, size_t n)
{
    size_t i = 1;
    while (i < n && streams[i].type == streams[0].type && streams[i].merge == streams[0].merge)
        i++;
    return i;
}

static ds_rc read_alike(ds_session *session, const ds_applied_stream *streams, size_t n, stream_status *out,
                        ds_error *err)
{
    ds_arena *arena = session->cli->arena;
    const ds_platform_type *type = streams[0].type;
    const ds_stream_info **infos = ARENA_ARRAY(arena, const ds_stream_info *, n);
    ds_stream_status *found = ARENA_ARRAY(arena, ds_stream_status, n);
    for (size_t i = 0; i < n; i++)
        infos[i] = &streams[i].info;
    if (type->status)
        TRY(type->status(&session->runtime, streams[0].merge, infos, n, arena, found, err));
    int64_t now_us = clock_now_us(session->runtime.clock);
    for (size_t i = 0; i < n; i++) {
        out[i] = (stream_status){.stream = &streams[i], .is = found[i]};
        out[i].state = type->status ? state_of(&out[i], now_us) : streams[i].info.paused ? "paused" : "applied";
    }
    return DS_DONE;
}

static ds_rc read_all(ds_session *session, const ds_applied_stream *streams, size_t n, stream_status *out,
                      ds_error *err)
{
    for (size_t i = 0, some; i < n; i += some) {
        some = alike(&streams[i], n - i);
        TRY(read_alike(session, &streams[i], some, &out[i], err));
    }
    return DS_DONE;
}

// --- the branches that are followed

typedef VEC(ds_follow_row) follow_rows;

// Databases that can't be reached have been told of before.
static void read_follows(ds_session *session, follow_rows *out)
{
    const char *service = args_text(&session->cli->args, "service");
    const ds_platform_types types = session->cli->program->platforms;
    for (size_t i = 0; i < session->merge_count * types.n; i++) {
        const ds_platform_type *type = types.v[i % types.n];
        ds_follow_row *rows;
        size_t n = 0;
        ds_error ignored = {0};
        if (!type->follows ||
            type->follows(&session->runtime, &session->merges[i / types.n], session->cli->arena, &rows, &n, &ignored)
                    .code != DS_OK)
            continue;
        for (size_t k = 0; k < n; k++)
            if (!service || !rows[k].service[0] || strcmp(service, rows[k].service) == 0)
                *VEC_PUSH(session->cli->arena, out) = rows[k];
    }
}

static bool follow_is_bad(const ds_follow_row *row)
{
    return strcmp(row->state, "applied") != 0;
}

static void print_follows(const ds_cli *cli, const follow_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        const ds_follow_row *row = &rows->v[i];
        fprintf(cli->out, "follows %s: %.10s%s%s%s%s %s, %s%s%s\n", row->ref, row->commit, row->commit[0] ? " " : "",
                style(cli, follow_is_bad(row) ? STYLE_RED : STYLE_GREEN), row->state, style_end(cli),
                time_text(cli->arena, row->since), row->service[0] ? row->service : "all services",
                row->detail[0] ? ": " : "", row->detail);
    }
}

static json_t *follows_json(const follow_rows *rows)
{
    json_t *list = json_array();
    for (size_t i = 0; i < rows->n; i++) {
        const ds_follow_row *row = &rows->v[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:s, s:o, s:o}", "ref", json_text(row->ref), "service",
                                              json_text(row->service[0] ? row->service : NULL), "commit", row->commit,
                                              "state", row->state, "detail", json_text(row->detail), "since",
                                              json_time(row->since)));
    }
    return list;
}

static void find_primaries(stream_status *all, size_t n, ds_arena *arena)
{
    ds_map *by_name = map_new(arena);
    for (size_t i = 0; i < n; i++)
        map_set(by_name, all[i].stream->info.name, &all[i]);
    for (size_t i = 0; i < n; i++) {
        const char *primary = all[i].stream->info.primary;
        all[i].primary = primary ? map_get(by_name, primary) : NULL;
    }
}

static void print_all(ds_session *session, const stream_status *all, size_t n)
{
    static const char *const HEADINGS[] = {"stream",   "state",      ">batch", ">last commit", ">rows", "trigger",
                                           "next due", "last error", NULL};
    const ds_cli *cli = session->cli;
    ds_table table = table_new(cli->arena, HEADINGS);
    for (size_t i = 0; i < n; i++)
        add_row(session, &table, &all[i]);
    if (n)
        table_print(cli, &table, "");
    for (size_t i = 0; i < n; i++)
        print_loads(cli, &all[i]);
    for (size_t i = 0; i < n; i++)
        print_behind(cli, &all[i]);
    for (size_t i = 0; i < n; i++)
        print_watermarks(cli, &all[i]);
    session_note_kept(session);
    session_note_strays(session);
}

static ds_rc look(ds_session *session, ds_error *err)
{
    ds_cli *cli = session->cli;
    ds_applied_stream *streams;
    size_t n, bad = 0;
    TRY(session_streams(session, NULL, &streams, &n, err));
    stream_status *all = ARENA_ARRAY(cli->arena, stream_status, n);
    TRY(read_all(session, streams, n, all, err));
    follow_rows follows = {0};
    read_follows(session, &follows);
    find_primaries(all, n, cli->arena);
    json_t *list = json_array();
    json_decref(cli->result);
    cli->result = json_pack("{s:o, s:o, s:o}", "streams", list, "kept", session_kept_json(session), "follows",
                            follows_json(&follows));
    for (size_t i = 0; i < follows.n; i++)
        bad += follow_is_bad(&follows.v[i]);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, status_json(session, &all[i]));
        bad += is_bad(&all[i]);
    }
    if (!cli->json) {
        print_all(session, all, n);
        print_follows(cli, &follows);
    }
    if (n == 0)
        note(cli, "no streams: no group is assigned to a platform");
    bad += session->missing.code != DS_OK; // it was told
    if (args_flag(&cli->args, "check") && bad)
        cli->exit = 1;
    return DS_DONE;
}

// A round's memory goes with it.
static ds_rc look_anew(ds_session *session, ds_error *err)
{
    ds_cli *cli = session->cli;
    ds_arena *whole = cli->arena;
    cli->arena = arena_new();
    ds_rc rc = look(session, err);
    memset(&session->kept, 0, sizeof session->kept);
    memset(&session->strays, 0, sizeof session->strays);
    arena_free(cli->arena);
    cli->arena = whole;
    return rc;
}

// Every second, in place on a terminal, until a signal ends it well.
static ds_rc watch(ds_session *session, ds_error *err)
{
    ds_cli *cli = session->cli;
    const ds_program *program = cli->program;
    flag_set(program->drains, 1);
    TRY(session_merges(session, err));
    bool in_place = isatty(fileno(cli->out)) && !cli->json;
    while (!flag_is_set(program->draining)) {
        if (in_place)
            fputs(CLEAR_SCREEN, cli->out);
        TRY(look_anew(session, err));
        if (cli->json)
            json_dumpf(cli->result, cli->out, JSON_COMPACT);
        if (!in_place)
            fputc('\n', cli->out);
        fflush(cli->out);
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL); // a signal ends it
    }
    return DS_DONE;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    session.some = true;
    CLEANUP(keeper_freep) ds_keeper *keeper = keeper_new(NULL, NULL); // several questions, and again each second
    session.runtime.keeper = keeper;
    return args_flag(&cli->args, "watch") ? watch(&session, err) : look(&session, err);
}

const ds_cli_command COMMAND_STATUS = {
    .name = "status",
    .summary = "how every stream is doing",
    .group = "The results",
    .options = OPTIONS,
    .help =
        "Shows each stream's state, its last batch, how long ago it committed, its rows and its last error; of datasets "
        "that are read by watermark how far they have been. States: ok, new (never run), loading (its first tables are "
        "too large for a batch), late (nothing committed for twice its interval), failed, parked (ten failures in a "
        "row: tried once an hour until resume), guarded (a batch would delete too much), paused, applied (of a platform "
        "that tells no more), or the state of an open batch. Branches that `run --follow` follows are shown with their "
        "commit: applied, waiting for a consumer's database, refused or failed, and why.",
    .exits = {{1, "with --check: a stream is late, has failed, is guarded or has never run; nothing has been applied"}},
    .examples = {"datasurface status", "datasurface status --watch", "datasurface status --check"},
    .run = run,
};
