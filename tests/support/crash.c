#include "support/crash.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const CRASH_POINTS[] = {"begun", "load:chunk", "staged", "ingest:dataset", "merging", "committed", NULL};

typedef struct trigger {
    const char *point;
    int left;
} trigger;

static void on_point(void *context, const char *point)
{
    trigger *t = context;
    if (strcmp(point, t->point) == 0 && --t->left == 0)
        kill(getpid(), SIGKILL);
}

static int run_in_child(world *w, const char *point, int n)
{
    trigger t = {point, n};
    w->runtime.checkpoint = on_point;
    w->runtime.checkpoint_context = &t;
    ds_job_result result;
    ds_error err;
    return world_job(w, &result, &err).code == DS_OK ? CRASH_DONE : CRASH_FAILED;
}

crash_end crash_job(world *w, const char *point, int n)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(run_in_child(w, point, n));
    w->clock.fixed_us += 1000000; // as the child's job moved its own
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        BUG("can't fork");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return CRASH_KILLED;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > CRASH_FAILED)
        BUG("the child ended with status %#x", (unsigned)status);
    return (crash_end)WEXITSTATUS(status);
}
