#include "cli/run_on.h"

#include <unistd.h>

#include "base/flag.h"
#include "cli/output.h"
#include "cli/work.h"
#include "platform/schedule.h"

enum { WORKERS = 4, A_PRIME = 7919 }; // pids are neighbours

static bool wanted(void *context, const ds_stream_info *stream)
{
    const ds_args *args = &((running *)context)->session->cli->args;
    const char *glob = args_text(args, "stream"), *service = args_text(args, "service");
    return (!glob || str_glob(glob, stream->name)) && (!service || strcmp(service, stream->service) == 0);
}

static void print_json(const ds_cli *cli, const char *at, const ds_schedule_event *event)
{
    const ds_job_result *r = event->result;
    json_t *line = json_pack("{s:s, s:o, s:o}", "at", at, "stream", json_text(event->stream), "error",
                             json_text(event->error ? event->error->text : NULL));
    if (r) {
        json_object_set_new(line, "batch", json_int64(r->batch));
        work_put_counts(line, &r->counts, r->seconds);
    }
    json_dumpf(line, cli->out, JSON_COMPACT);
    fputc('\n', cli->out);
    json_decref(line);
}

// What changed nothing is worth no line.
static void print_text(const ds_cli *cli, const char *at, const ds_schedule_event *event)
{
    const ds_job_result *r = event->result;
    if (event->error) {
        ds_error shown = *event->error;
        if (event->stream && !strstr(shown.text, event->stream))
            ds_ignore(ds_context((ds_rc){shown.code}, &shown, "stream %s", event->stream));
        error_report(cli, &shown);
        return;
    }
    const ds_counts *c = &r->counts;
    if (c->inserted || c->updated || c->deleted || r->batch == 1)
        fprintf(cli->out, "%s %s batch %lld: %lld read, %lld inserted, %lld updated, %lld deleted, %.2f s\n", at,
                r->stream, (long long)r->batch, (long long)c->read, (long long)c->inserted, (long long)c->updated,
                (long long)c->deleted, r->seconds);
}

static void tell(void *context, const ds_schedule_event *event)
{
    running *r = context;
    const ds_cli *cli = r->session->cli;
    char at[CLOCK_TEXT];
    clock_format_iso(clock_now_us(r->session->runtime.clock), at);
    r->batches += event->result && event->result->batch;
    r->failures += event->error != NULL;
    if (event->result && !event->result->batch)
        return;
    if (cli->json)
        print_json(cli, at, event);
    else
        print_text(cli, at, event);
    fflush(cli->out);
}

static void say_draining(void *context, size_t n)
{
    const running *r = context;
    note(r->session->cli, "draining: %zu stream%s still at work", n, plural((int64_t)n));
}

size_t run_workers(const ds_cli *cli)
{
    return (size_t)args_int(&cli->args, "workers", WORKERS);
}

ds_rc run_until(running *r, const volatile int *leave, ds_error *err)
{
    ds_session *session = r->session;
    const ds_program *program = session->cli->program;
    size_t workers = run_workers(session->cli);
    ds_schedule_options options = {
        .runtime = &session->runtime,
        .merges = session->merges,
        .merge_count = session->merge_count,
        .replica_count = session->merge_count - session->replicas_from,
        .workers = workers,
        .context = r,
        .wanted = wanted,
        .tell = tell,
    };
    CLEANUP(schedule_freep) ds_schedule *schedule = schedule_new(program->platforms, &options);
    ds_sched_options sched_options = {
        .workers = workers,
        .clock = session->runtime.clock,
        .stop = program->draining,
        .leave = leave,
        .first = (size_t)getpid() * A_PRIME,
        .stopping = leave ? NULL : say_draining,
        .stopping_context = r,
    };
    ds_sched_ops ops = schedule_ops(schedule);
    ds_sched *sched = sched_new(&sched_options, &ops);
    ds_rc rc = sched_run(sched, err);
    sched_free(sched);
    return rc;
}

ds_rc run_end(ds_cli *cli, const running *r, ds_error *err)
{
    cli->result = json_pack("{s:o, s:o}", "batches", json_int64(r->batches), "failures", json_int64(r->failures));
    if (flag_is_set(cli->program->cancelled))
        return ds_hint(ds_fail(err, DS_CANCELLED, "interrupted before all streams were done"), err,
                       "run it again: it goes on where it stopped");
    note(cli, "drained: %lld batch%s, %lld failure%s", (long long)r->batches, r->batches == 1 ? "" : "es",
         (long long)r->failures, plural(r->failures));
    return DS_DONE;
}

ds_rc run_on(ds_session *session, ds_error *err)
{
    ds_cli *cli = session->cli;
    flag_set(cli->program->drains, 1);
    TRY(session_merges(session, err));
    session_let_model_go(session);
    size_t workers = run_workers(cli);
    note(cli, "running with %zu worker%s; SIGTERM or Ctrl-C drains, once more cancels", workers,
         plural((int64_t)workers));
    running r = {.session = session};
    TRY(run_until(&r, NULL, err));
    return run_end(cli, &r, err);
}
