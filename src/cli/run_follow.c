#include "cli/run_follow.h"

#include <pthread.h>
#include <time.h>

#include "base/flag.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "cli/run_on.h"

enum { LISTEN_MS = 50 };

// A round of the scheduler: as long as the model's merge databases stay the same.
typedef struct round_ {
    ds_cli *cli;
    ds_follow *follow;
    const ds_follow_merges *merges;
    volatile int leave; // the scheduler should end
    volatile int over;  // it has
} round_;

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

static void look_when_due(ds_follow *follow)
{
    if (clock_now_us(clock_system()) >= follow_next_us(follow))
        follow_look(follow);
}

static void *keep_looking(void *argument)
{
    round_ *r = argument;
    while (!flag_is_set(&r->over) && !flag_is_set(r->cli->program->draining)) {
        look_when_due(r->follow);
        if (follow_merges(r->follow) != r->merges)
            flag_set(&r->leave, 1);
        pause_ms(LISTEN_MS);
    }
    return NULL;
}

static ds_rc run_round(round_ *round, running *r, ds_error *err)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, keep_looking, round) != 0)
        BUG("can't start a thread");
    ds_rc rc = run_until(r, &round->leave, err);
    flag_set(&round->over, 1);
    pthread_join(thread, NULL);
    return rc;
}

// Of the merge databases that are known now; the model isn't needed.
static ds_rc run_streams(ds_cli *cli, ds_follow *follow, running *r, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    round_ round = {.cli = cli, .follow = follow, .merges = follow_merges(follow)};
    session.merges = round.merges->v;
    session.merge_count = round.merges->n;
    session.replicas_from = round.merges->replicas_from;
    session.runtime.keeper = r->keeper;
    r->session = &session;
    return run_round(&round, r, err);
}

// What has never been applied, or can't be reached, can't be run yet.
static void wait_for_more(const ds_cli *cli, ds_follow *follow)
{
    int64_t until = clock_now_us(clock_system()) + 1000000;
    while (!flag_is_set(cli->program->draining) && clock_now_us(clock_system()) < until) {
        look_when_due(follow);
        pause_ms(LISTEN_MS);
    }
}

// The same failure again is no news.
static void tell_once(const ds_cli *cli, ds_error *told, const ds_error *failure)
{
    if (strcmp(told->text, failure->text) != 0)
        error_report(cli, failure);
    *told = *failure;
}

ds_rc run_follow(ds_cli *cli, ds_keeper *keeper, ds_error *err)
{
    CLEANUP(follow_freep) ds_follow *follow = NULL;
    TRY(follow_new(cli, &follow, err));
    flag_set(cli->program->drains, 1);
    size_t workers = run_workers(cli);
    note(cli, "following %s, running with %zu worker%s; SIGTERM or Ctrl-C drains, once more cancels",
         args_text(&cli->args, "follow"), workers, plural((int64_t)workers));
    running r = {.keeper = keeper};
    ds_error told = {0};
    look_when_due(follow);
    while (!flag_is_set(cli->program->draining)) {
        ds_error failure = {0};
        ds_rc rc = follow_merges(follow) ? run_streams(cli, follow, &r, &failure) : DS_DONE;
        if (rc.code != DS_OK)
            tell_once(cli, &told, &failure);
        if (rc.code != DS_OK || !follow_merges(follow))
            wait_for_more(cli, follow);
    }
    return run_end(cli, &r, err);
}
