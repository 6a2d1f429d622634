#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { LOOK_MS = 100, NOT_STARTED = 127 };

typedef struct running {
    const ds_child *child;
    pid_t pid;
    int pidfd, output;
    char line[CHILD_LINE_MAX];
    size_t n; // bytes of an unfinished line
} running;

typedef struct pipe_ends {
    int read, write;
} pipe_ends;

// --- in the child: nothing that takes a lock or memory, which another thread may have held when it was forked

static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    for (int s = 1; s < SIGRTMIN; s++)
        signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void start(const ds_child *child, pid_t parent, int output, int failed)
{
    setpgid(0, 0);
    reset_signals();
    int nothing = open("/dev/null", O_RDONLY);
    bool ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && nothing >= 0 &&
                 dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
                 dup2(output, STDERR_FILENO) >= 0 && (!child->directory || chdir(child->directory) == 0);
    (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); // ours are marked; a library's may not be
    if (ready)
        execvpe(child->argv[0], (char *const *)(uintptr_t)child->argv, (char *const *)(uintptr_t)child->environment);
    int error_number = errno;
    ssize_t written = write(failed, &error_number, sizeof error_number);
    _exit(written == (ssize_t)sizeof error_number ? NOT_STARTED : NOT_STARTED - 1);
}

// --- in the parent

static void close_ends(pipe_ends *p)
{
    if (p->read >= 0)
        close(p->read);
    if (p->write >= 0)
        close(p->write);
}

static ds_rc make_pipe(pipe_ends *out, ds_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ds_fail_errno(err, errno, "can't make a pipe for", "a program");
    *out = (pipe_ends){ends[0], ends[1]};
    return DS_DONE;
}

static void close_write(pipe_ends *p)
{
    close(p->write);
    p->write = -1;
}

// Until it has become the program, or could not.
static ds_rc await_start(const running *r, int failed, ds_error *err)
{
    int error_number = 0;
    ssize_t n;
    do
        n = read(failed, &error_number, sizeof error_number);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof error_number)
        return DS_DONE;
    return ds_fail_errno(err, error_number, "can't start", r->child->argv[0]);
}

static void end_line(running *r)
{
    r->child->line(r->child->context, (ds_str){r->line, r->n});
    r->n = 0;
}

static void put_output(running *r, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' || r->n == sizeof r->line)
            end_line(r);
        if (bytes[i] != '\n')
            r->line[r->n++] = bytes[i];
    }
}

// What is there; false at the end.
static bool read_output(running *r)
{
    char bytes[CHILD_LINE_MAX];
    ssize_t n = read(r->output, bytes, sizeof bytes);
    if (n > 0)
        put_output(r, bytes, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

// Reads until it ends, or for about so long; true when it has ended.
static bool wait_for(running *r, int ms)
{
    struct pollfd fds[] = {{.fd = r->pidfd, .events = POLLIN}, {.fd = r->output, .events = POLLIN}};
    if (poll(fds, 2, ms) <= 0)
        return false;
    if (fds[1].revents && !read_output(r)) {
        close(r->output);
        r->output = -1; // poll passes over it
    }
    return fds[0].revents != 0;
}

static bool end_group(running *r)
{
    double end_s = clock_elapsed_s() + CHILD_GRACE_MS / 1000.0;
    kill(-r->pid, SIGTERM);
    bool ended = false;
    while (!ended && clock_elapsed_s() < end_s)
        ended = wait_for(r, LOOK_MS);
    return ended;
}

// While it isn't reaped its group's number is nobody else's.
static void reap(running *r, ds_child_end *out)
{
    siginfo_t info;
    while (waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    kill(-r->pid, SIGKILL);
    int status = 0;
    while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
        ;
    out->code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    out->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (r->output >= 0)
        fcntl(r->output, F_SETFL, O_NONBLOCK);
    char bytes[CHILD_LINE_MAX];
    for (ssize_t n; r->output >= 0 && (n = read(r->output, bytes, sizeof bytes)) > 0;)
        put_output(r, bytes, (size_t)n);
    if (r->n)
        end_line(r);
}

static ds_rc attend(running *r, ds_child_end *out, ds_error *err)
{
    double end_s = clock_elapsed_s() + (double)r->child->timeout_ms / 1000.0;
    ds_rc rc = DS_DONE;
    while (!wait_for(r, LOOK_MS)) {
        rc = r->child->look(r->child->context, err);
        out->timed_out = rc.code == DS_OK && clock_elapsed_s() >= end_s;
        if (rc.code == DS_OK && !out->timed_out)
            continue;
        if (!end_group(r))
            kill(-r->pid, SIGKILL);
        break;
    }
    return rc;
}

static ds_rc run(running *r, int failed, ds_child_end *out, ds_error *err)
{
    r->pidfd = pidfd_open(r->pid, 0);
    ds_rc rc =
        r->pidfd >= 0 ? await_start(r, failed, err) : ds_fail_errno(err, errno, "can't watch", r->child->argv[0]);
    if (rc.code == DS_OK)
        rc = attend(r, out, err);
    else
        kill(r->pid, SIGKILL);
    reap(r, out);
    if (r->pidfd >= 0)
        close(r->pidfd);
    return rc;
}

static ds_rc with_pipes(const ds_child *child, pipe_ends *output, pipe_ends *failed, ds_child_end *out, ds_error *err)
{
    TRY(make_pipe(output, err));
    TRY(make_pipe(failed, err));
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return ds_fail_errno(err, errno, "can't start", child->argv[0]);
    if (pid == 0)
        start(child, parent, output->write, failed->write);
    setpgid(pid, pid); // in both, so that nobody is too early
    close_write(output);
    close_write(failed);
    running r = {.child = child, .pid = pid, .output = output->read};
    output->read = -1;
    ds_rc rc = run(&r, failed->read, out, err);
    if (r.output >= 0)
        close(r.output);
    return rc;
}

ds_rc child_run(const ds_child *child, ds_child_end *out, ds_error *err)
{
    pipe_ends output = {-1, -1}, failed = {-1, -1};
    ds_child_end end = {0};
    ds_rc rc = with_pipes(child, &output, &failed, &end, err);
    close_ends(&output);
    close_ends(&failed);
    *out = end;
    return rc;
}
