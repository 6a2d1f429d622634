#include "cli/fetch.h"

#include <unistd.h>

#include "base/child.h"
#include "base/flag.h"
#include "base/vec.h"

enum { SAID_MAX = 400 };

typedef struct fetching {
    const volatile int *stop;
    char said[SAID_MAX]; // git's first complaint: what follows it is advice
} fetching;

// "https://user:password@host/…": whatever stands before the last '@' is nobody's business. cut: the text goes on, and
// what it ends with may be a login whose '@' isn't here.
static void hide_logins(char *text, bool cut)
{
    for (char *at = text; (at = strstr(at, "://"));) {
        at += 3;
        size_t n = strcspn(at, "/ '\"");
        const char *end = memrchr(at, '@', n);
        if (cut && !at[n])
            end = at + n;
        if (end)
            memset(at, '*', (size_t)(end - at));
    }
}

// ssh and git may have something to say before they fail.
static bool is_remark(ds_str line)
{
    return line.n == 0 || str_starts(line, STR("warning:")) || str_starts(line, STR("Warning:")) ||
           str_starts(line, STR("hint:"));
}

static void on_line(void *context, ds_str line)
{
    fetching *f = context;
    if (f->said[0] || is_remark(line))
        return;
    size_t n = line.n < SAID_MAX - 1 ? line.n : SAID_MAX - 1;
    while (n && str_utf8_length((ds_str){line.p, n}) < 0)
        n--;
    if (!n)
        return;
    memcpy(f->said, line.p, n);
    f->said[n] = '\0';
    for (char *p = f->said; *p; p++)
        if ((unsigned char)*p < ' ')
            *p = ' ';
    hide_logins(f->said, n < line.n);
}

static ds_rc on_look(void *context, ds_error *err)
{
    const fetching *f = context;
    return flag_is_set(f->stop) ? ds_fail(err, DS_CANCELLED, "git fetch was interrupted") : DS_DONE;
}

// The operator's, without ours.
static const char *const *environment(ds_arena *arena)
{
    VEC(const char *) out = {0};
    for (char **at = environ; *at; at++)
        if (!str_starts(str_of(*at), STR("DATASURFACE_")))
            *VEC_PUSH(arena, &out) = *at;
    *VEC_PUSH(arena, &out) = "GIT_TERMINAL_PROMPT=0";
    *VEC_PUSH(arena, &out) = NULL;
    return out.v;
}

ds_rc fetch_remote(const char *directory, const char *remote, const char *branch, int timeout_ms,
                   const volatile int *stop, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    fetching f = {.stop = stop};
    const char *const argv[] = {
        "git",  "-c", "gc.autoDetach=false", "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--", remote,
        branch, NULL};
    ds_child child = {
        .argv = argv,
        .environment = environment(arena),
        .directory = directory,
        .timeout_ms = timeout_ms,
        .context = &f,
        .line = on_line,
        .look = on_look,
    };
    ds_child_end end;
    TRY(ds_context(child_run(&child, &end, err), err, "can't fetch from %s", remote));
    if (end.code == 0 && !end.signal && !end.timed_out)
        return DS_DONE;
    if (end.timed_out)
        return ds_fail(err, DS_ENV, "can't fetch from %s: git was ended after %d s", remote, timeout_ms / 1000);
    return ds_fail(err, DS_ENV, "can't fetch from %s: %s", remote, f.said[0] ? f.said : "git fetch failed");
}
