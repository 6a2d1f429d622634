#include "support/pgbouncer.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "support/pgspawn.h"
#include "support/workdir.h"

enum { START_MS = 30000, LOOK_MS = 10 };
struct pgbouncer {
    workdir dir;
    pid_t pid, owner;
};

static void write_file(const pgbouncer *b, const char *name, const char *text)
{
    char path[WORKDIR_PATH];
    workdir_file(&b->dir, name, path);
    FILE *f = fopen(path, "we");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        BUG("%s: %s", path, strerror(errno));
}

// It asks the server for the verifiers of roles that its own file doesn't list, so that those made later may log in.
static void configure(const pgbouncer *b, const char *server_host, const char *pool_mode)
{
    char text[2048];
    int n = snprintf(text, sizeof text,
                     "[databases]\n"
                     "* = host=%s port=%d\n"
                     "[pgbouncer]\n"
                     "listen_port = %d\n"
                     "unix_socket_dir = %s\n"
                     "logfile = %s/log\n"
                     "auth_type = scram-sha-256\n"
                     "auth_file = %s/users\n"
                     "auth_user = postgres\n"
                     "pool_mode = %s\n"
                     "default_pool_size = %d\n"
                     "max_client_conn = 200\n",
                     server_host, PG_PORT, PG_PORT, b->dir.path, b->dir.path, b->dir.path, pool_mode, PGBOUNCER_POOL);
    ds_assert(n > 0 && (size_t)n < sizeof text);
    write_file(b, "ini", text);
    write_file(b, "users", "\"postgres\" \"\"\n");
}

// It refuses to run as root.
static void launch(pgbouncer *b)
{
    char ini[WORKDIR_PATH];
    workdir_file(&b->dir, "ini", ini);
    const struct passwd *postgres = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (geteuid() == 0 && (!postgres || chown(b->dir.path, postgres->pw_uid, postgres->pw_gid) != 0))
        BUG("user postgres can't have %s", b->dir.path);
    const char *const as_root[] = {
        "setpriv", "--pdeathsig",         "KILL", "--reuid", "postgres", "--regid", "postgres", "--clear-groups",
        "--",      "/usr/sbin/pgbouncer", "-q",   ini,       NULL};
    const char *const as_user[] = {"setpriv", "--pdeathsig", "KILL", "--", "/usr/sbin/pgbouncer", "-q", ini, NULL};
    b->pid = pgspawn(postgres ? as_root : as_user);
}

static bool answers(const pgbouncer *b)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.%d", b->dir.path, PG_PORT);
    ds_assert(n > 0 && (size_t)n < sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return ok;
}

pgbouncer *pgbouncer_new(const char *server_host, const char *pool_mode)
{
    pgbouncer *b = calloc(1, sizeof *b);
    ds_assert(b);
    *b = (pgbouncer){.dir = workdir_new(), .owner = getpid()};
    configure(b, server_host, pool_mode);
    launch(b);
    for (int waited = 0; !answers(b); waited += LOOK_MS) {
        if (waitpid(b->pid, NULL, WNOHANG) != 0 || waited > START_MS)
            BUG("pgbouncer does not start; %s/log may say why; tools/setup.sh test installs it", b->dir.path);
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
    return b;
}

const char *pgbouncer_host(const pgbouncer *bouncer)
{
    return bouncer->dir.path;
}

void pgbouncer_free(pgbouncer *bouncer)
{
    if (bouncer && bouncer->owner == getpid()) {
        kill(bouncer->pid, SIGKILL);
        waitpid(bouncer->pid, NULL, 0);
        workdir_remove(&bouncer->dir);
    }
    free(bouncer);
}
