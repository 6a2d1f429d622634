#include "support/pgspawn.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

pid_t pgspawn(const char *const *args)
{
    enum { ARGS_MAX = 16 };
    char *argv[ARGS_MAX + 1] = {NULL}; // posix_spawn wants text that isn't const
    for (int i = 0; args[i]; i++) {
        ds_assert(i < ARGS_MAX);
        argv[i] = strdup(args[i]);
    }
    pid_t pid;
    int failed = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
    if (failed)
        BUG("%s: %s", args[0], strerror(failed));
    for (int i = 0; argv[i]; i++)
        free(argv[i]);
    return pid;
}

int pgspawn_wait(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            BUG("waitpid: %s", strerror(errno));
    return status;
}
