// The program: which drivers and platforms there are, and what signals do.
#include <signal.h>
#include <unistd.h>

#include "base/flag.h"
#include "cli/command.h"
#include "store/postgres/postgres.h"
#include "store/sqlite/sqlite.h"
#include "yellow/platform.h"

// Written by the handler only: the number of the signal that asked us to stop.
static volatile int cancelled, draining;
// Set by a command that ends well by ending what it has begun.
static volatile int drains;

// Such a command is asked to drain first. Then work is asked to stop at the next safe place. The next signal ends the
// process; whatever is open rolls back.
static void on_signal(int number)
{
    if (cancelled)
        _exit(128 + number);
    if (!drains || draining)
        flag_set(&cancelled, number);
    flag_set(&draining, number);
}

static void setup_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a limit of the file size is a full disk: an error of who writes
}

int main(int argc, char **argv)
{
    setup_signals();
    const ds_driver *const drivers[] = {&SQLITE_DRIVER, &POSTGRES_DRIVER};
    const ds_platform_type *const platforms[] = {yellow_platform_type()};
    ds_program program = {
        .store = {drivers, sizeof drivers / sizeof drivers[0]},
        .platforms = {platforms, sizeof platforms / sizeof platforms[0]},
        .cancelled = &cancelled,
        .draining = &draining,
        .drains = &drains,
    };
    return cli_main(&program, argc, argv, stdout);
}
