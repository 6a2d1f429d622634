// The program, which kills itself, as kill -9 would, when it passes the point KILL_AT for the KILL_NTH time.
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"
#include "yellow/platform.h"

static const char *kill_at;
static _Atomic long left;

static void on_point(void *context, const char *point)
{
    (void)context;
    if (strcmp(point, kill_at) == 0 && atomic_fetch_sub(&left, 1) == 1)
        kill(getpid(), SIGKILL);
}

int main(int argc, char **argv)
{
    static volatile int cancelled, draining, drains;
    const ds_driver *const drivers[] = {&SQLITE_DRIVER, &POSTGRES_DRIVER};
    const ds_platform_type *const platforms[] = {yellow_platform_type()};
    const char *nth = getenv("KILL_NTH");
    kill_at = getenv("KILL_AT");
    if (!kill_at || !nth)
        return 2;
    left = strtol(nth, NULL, 10);
    ds_program program = {
        .store = {drivers, sizeof drivers / sizeof drivers[0]},
        .platforms = {platforms, sizeof platforms / sizeof platforms[0]},
        .cancelled = &cancelled,
        .draining = &draining,
        .drains = &drains,
        .checkpoint = on_point,
    };
    return cli_main(&program, argc, argv, stdout);
}
