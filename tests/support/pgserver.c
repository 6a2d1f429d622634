#include "support/pgserver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "support/pgspawn.h"
#include "support/workdir.h"

struct pgserver {
    workdir dir;
    pid_t owner; // a forked child leaves the server alone
};

#define TOOL SUPPORT_ROOT "/tools/postgres.sh"

static void tool(const char *const *args)
{
    if (pgspawn_wait(pgspawn(args)) != 0)
        BUG("tools/postgres.sh %s %s failed; it has said why", args[1], args[2]);
}

pgserver *pgserver_private_new(void)
{
    pgserver *server = calloc(1, sizeof *server);
    if (!server)
        BUG("out of memory");
    *server = (pgserver){.dir = workdir_new(), .owner = getpid()};
    char owner[16];
    snprintf(owner, sizeof owner, "%d", (int)server->owner);
    tool((const char *[]){TOOL, "start", server->dir.path, "--durable", "--owner", owner, NULL});
    return server;
}

const char *pgserver_host(const pgserver *server)
{
    return server->dir.path;
}

void pgserver_crash(pgserver *server)
{
    tool((const char *[]){TOOL, "crash", server->dir.path, NULL});
}

void pgserver_stop(pgserver *server)
{
    tool((const char *[]){TOOL, "stop", server->dir.path, NULL});
}

void pgserver_start(pgserver *server)
{
    tool((const char *[]){TOOL, "start", server->dir.path, NULL});
}

void pgserver_free(pgserver *server)
{
    if (server && server->owner == getpid())
        tool((const char *[]){TOOL, "remove", server->dir.path, NULL});
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
