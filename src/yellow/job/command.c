// A transformer's program: the exchange is made, the program runs, and when it has ended well the batch reads what it
// left, like any source.
#include <stdlib.h>
#include <sysexits.h>

#include "base/child.h"
#include "base/file.h"
#include "yellow/job/exchange.h"
#include "yellow/job/transform.h"

enum { TAIL_MAX = 400 }; // bytes of the last line that a message quotes

typedef struct watcher {
    ds_job *job;
    char tail[TAIL_MAX];
} watcher;

// --- its output

// Without the password that it was given; nothing else of ours is known to it.
static const char *without_secrets(const ds_job *job, ds_str line, ds_arena *arena)
{
    char *text = arena_strdup(arena, arena_str(arena, line));
    const char *password = job->exchange->password;
    for (char *at = text; password && (at = strstr(at, password));)
        memset(at, '*', strlen(password));
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' && *p != '\t')
            *p = '?';
    return text;
}

static void on_line(void *context, ds_str line)
{
    watcher *w = context;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *text = without_secrets(w->job, line, arena);
    log_debug("stream %s, batch %lld, command: %s", w->job->def->name, (long long)w->job->batch, text);
    size_t n = strnlen(text, TAIL_MAX - 1);
    while (n && str_utf8_length((ds_str){text, n}) < 0)
        n--;
    if (!n)
        return;
    memcpy(w->tail, text, n);
    w->tail[n] = '\0';
}

static ds_rc on_look(void *context, ds_error *err)
{
    const watcher *w = context;
    return lease_check(w->job, err);
}

// --- its end

static ds_rc judge(const watcher *w, const ds_child_end *end, ds_error *err)
{
    const char *said = w->tail[0] ? ": " : "", *tail = w->tail;
    if (end->timed_out)
        return ds_hint(ds_fail(err, DS_ENV, "it was ended after %lld s%s%s", (long long)w->job->def->command->timeout_s,
                               said, tail),
                       err, "give it more time with `timeout` beside `exec`");
    if (end->signal)
        return ds_fail(err, DS_ENV, "it was killed by signal %d%s%s", end->signal, said, tail);
    if (end->code == 0)
        return DS_DONE;
    ds_code code = end->code == EX_TEMPFAIL ? DS_ENV : DS_FINDING;
    return ds_hint(ds_fail(err, code, "it ended with exit code %d%s%s", end->code, said, tail), err,
                   "the outputs stay as they are; its whole output is in the log at level debug");
}

static ds_rc run(ds_job *job, ds_error *err)
{
    watcher w = {.job = job};
    const ds_command_def *command = job->def->command;
    const char *base_dir = job->runtime->base_dir;
    ds_child child = {.argv = command->argv,
                      .directory = base_dir && base_dir[0] ? base_dir : NULL,
                      .timeout_ms = command->timeout_s * 1000,
                      .context = &w,
                      .line = on_line,
                      .look = on_look};
    ds_child_end end;
    TRY(command_context(job, &child.environment, err));
    TRY(child_run(&child, &end, err));
    return judge(&w, &end, err);
}

// --- the exchange

static void name_inputs(ds_job *job)
{
    const ds_stream_def *def = job->def;
    ds_exchange *x = job->exchange;
    ds_name_rules rules = job->control->db->dialect->names;
    x->n = def->command->input_count;
    x->inputs = ARENA_ARRAY(job->arena, ds_exchange_input, x->n);
    for (size_t i = 0; i < x->n; i++) {
        const ds_command_input *input = &def->command->inputs[i];
        const char *dataset = input->dataset->name;
        x->inputs[i].def = input;
        x->inputs[i].rows =
            naming_exchange(job->arena, rules, def->platform, def->workspace, "in", input->store, dataset);
        if (input->dataset->shape->key_count)
            x->inputs[i].changes =
                naming_exchange(job->arena, rules, def->platform, def->workspace, "changes", input->store, dataset);
    }
}

static ds_rc make(ds_job *job, ds_error *err)
{
    job->exchange = ARENA_NEW(job->arena, ds_exchange);
    name_inputs(job);
    TRY(private_dir_make(&job->exchange->dir, err));
    return job->control->db->dialect->has_roles ? exchange_role_make(job, err) : exchange_file_make(job, err);
}

static ds_rc make_and_run(ds_job *job, ds_error *err)
{
    TRY(make(job, err));
    job_checkpoint(job, "command:ready");
    TRY(run(job, err));
    job_checkpoint(job, "command:done");
    return job->exchange->made ? exchange_role_close(job, err) : DS_DONE;
}

ds_rc command_run(ds_job *job, ds_error *err)
{
    ds_assert(!job->exchange);
    return ds_context(make_and_run(job, err), err, "command of workspace \"%s\"", job->def->workspace);
}

const ds_container_def *command_container(const ds_job *job)
{
    return &job->exchange->container;
}

void command_release(ds_job *job)
{
    ds_exchange *x = job->exchange;
    ds_error ignored;
    if (!x)
        return;
    if (x->made) // what stays is dropped by the next run, and its login expires
        ds_ignore(exchange_role_drop(job, &ignored));
    private_dir_remove(&x->dir);
    job->exchange = NULL;
}
