#include "support/pgserver.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "support/workdir.h"

struct pgserver {
    workdir dir;
    pid_t owner; // a forked child leaves the server alone
};

static int run(const char *const *args)
{
    extern char **environ;
    static const char TOOL[] = SUPPORT_ROOT "/tools/postgres.sh";
    char *argv[8] = {(char[]){"postgres.sh"}};
    for (int i = 0; args[i]; i++)
        argv[i + 1] = strdup(args[i]);
    pid_t pid;
    int failed = posix_spawn(&pid, TOOL, NULL, NULL, argv, environ);
    if (failed)
        BUG("%s: %s", TOOL, strerror(failed));
    for (int i = 1; argv[i]; i++)
        free(argv[i]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            BUG("waitpid: %s", strerror(errno));
    return status;
}

static void tool(const char *const *args)
{
    if (run(args) != 0)
        BUG("tools/postgres.sh %s %s failed; it has said why", args[0], args[1]);
}

pgserver *pgserver_private_new(void)
{
    pgserver *server = calloc(1, sizeof *server);
    if (!server)
        BUG("out of memory");
    *server = (pgserver){.dir = workdir_new(), .owner = getpid()};
    char owner[16];
    snprintf(owner, sizeof owner, "%d", (int)server->owner);
    tool((const char *[]){"start", server->dir.path, "--durable", "--owner", owner, NULL});
    return server;
}

const char *pgserver_host(const pgserver *server)
{
    return server->dir.path;
}

void pgserver_crash(pgserver *server)
{
    tool((const char *[]){"crash", server->dir.path, NULL});
}

void pgserver_stop(pgserver *server)
{
    tool((const char *[]){"stop", server->dir.path, NULL});
}

void pgserver_start(pgserver *server)
{
    tool((const char *[]){"start", server->dir.path, NULL});
}

void pgserver_free(pgserver *server)
{
    if (server && server->owner == getpid())
        tool((const char *[]){"remove", server->dir.path, NULL});
    free(server);
}

static pgserver *own; // stands in for the run's shared server

static void free_own(void)
{
    pgserver_free(own);
    own = NULL;
}

const char *pgserver_shared(void)
{
    const char *host = getenv("DATASURFACE_TEST_POSTGRES");
    if (host && *host)
        return host;
    if (!own) {
        own = pgserver_private_new();
        atexit(free_own);
    }
    return pgserver_host(own);
}
