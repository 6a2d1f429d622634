// base/child.h and base/private_dir.h: a program's end, its output, and that nothing of it stays.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/private_dir.h"
#include "support/check.h"
#include "support/workdir.h"

typedef struct seen {
    ds_buf lines;
    int looks, stop_at;
} seen;

static void on_line(void *context, ds_str line)
{
    seen *s = context;
    buf_put_str(&s->lines, line);
    buf_putc(&s->lines, '\n');
}

static ds_rc on_look(void *context, ds_error *err)
{
    seen *s = context;
    return s->stop_at && ++s->looks >= s->stop_at ? ds_fail(err, DS_CANCELLED, "interrupted") : DS_DONE;
}

static ds_rc run(seen *s, const char *script, int64_t timeout_ms, ds_child_end *end, ds_error *err)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    const char *environment[] = {"PATH=/usr/bin:/bin", "GIVEN=yes", NULL};
    ds_child child = {argv, environment, "/", timeout_ms, s, on_line, on_look};
    s->lines = BUF_INIT(1 << 20);
    return child_run(&child, end, err);
}

static void ends(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        int code, signal;
        const char *lines;
    } CASES[] = {
        {"true", 0, 0, ""},
        {"exit 7", 7, 0, ""},
        {"kill -9 $$", 0, SIGKILL, ""},
        {"echo one; echo two >&2; printf three", 0, 0, "one\ntwo\nthree\n"},
        {"cat; pwd; echo $GIVEN; echo $HOME", 0, 0, "/\nyes\n\n"},
        {"exec >&- 2>&-; exit 3", 3, 0, ""}, // ends some time after its output
        {"ls /proc/self/fd | wc -l", 0, 0, "4\n"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        seen s = {0};
        ds_child_end end;
        ds_error err;
        OK(run(&s, CASES[i].script, 60000, &end, &err));
        assert_false(end.timed_out);
        assert_int_equal(end.code, CASES[i].code);
        assert_int_equal(end.signal, CASES[i].signal);
        assert_string_equal(buf_text(&s.lines), CASES[i].lines);
        buf_release(&s.lines);
    }
}

static void long_lines_come_in_pieces(void **state)
{
    (void)state;
    seen s = {0};
    ds_child_end end;
    ds_error err;
    OK(run(&s, "head -c 10000 /dev/zero | tr '\\0' x; echo; echo end", 60000, &end, &err));
    assert_int_equal(s.lines.n, 10000 + 3 + 4);
    buf_release(&s.lines);
}

static void it_is_ended(void **state)
{
    (void)state;
    static const char *const SCRIPTS[] = {"exec sleep 600", "trap '' TERM; while :; do sleep 600; done", "yes",
                                          "sleep 600 & wait"};
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof SCRIPTS[0]; i++) {
        seen s = {0}, cancelled = {.stop_at = 1};
        ds_child_end end;
        ds_error err;
        OK(run(&s, SCRIPTS[i], 50, &end, &err));
        assert_true(end.timed_out);
        FAILS(run(&cancelled, SCRIPTS[i], 600000, &end, &err), DS_CANCELLED, "interrupted");
        assert_false(end.timed_out);
        buf_release(&s.lines);
        buf_release(&cancelled.lines);
    }
}

static void what_it_leaves_behind_is_killed(void **state)
{
    (void)state;
    seen s = {0};
    ds_child_end end;
    ds_error err;
    int64_t pid;
    OK(run(&s, "sleep 600 >/dev/null & echo $!", 60000, &end, &err));
    assert_true(str_int64((ds_str){buf_text(&s.lines), s.lines.n - 1}, &pid));
    bool gone = false; // or waits for somebody to reap it
    for (double end_s = clock_elapsed_s() + 60; !gone && clock_elapsed_s() < end_s;) {
        CLEANUP(buf_release) ds_buf stat = BUF_INIT(4096);
        char path[64];
        snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
        gone = file_read(path, &stat, &err).code != DS_OK || strstr(buf_text(&stat), ") Z");
    }
    assert_true(gone);
    buf_release(&s.lines);
}

static void what_is_not_there(void **state)
{
    (void)state;
    const char *argv[] = {"./no-such-program", NULL};
    const char *environment[] = {NULL};
    seen s = {.lines = BUF_INIT(100)};
    ds_child child = {argv, environment, NULL, 1000, &s, on_line, on_look};
    ds_child_end end;
    ds_error err;
    FAILS(child_run(&child, &end, &err), DS_ENV, "can't start ./no-such-program");
}

static void private_directories(void **state)
{
    (void)state;
    workdir dir = workdir_new();
    setenv("TMPDIR", dir.path, 1);
    ds_error err;
    ds_private_dir mine, abandoned, next;
    struct stat st;
    OK(private_dir_make(&mine, &err));
    OK(private_dir_write(&mine, "a", "text", &err));
    FAILS(private_dir_write(&mine, "a", "other", &err), DS_ENV, "");
    assert_int_equal(stat(mine.path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    OK(private_dir_make(&abandoned, &err));
    close(abandoned.lock); // as a dead process does
    OK(private_dir_make(&next, &err));
    assert_int_not_equal(stat(abandoned.path, &st), 0);
    assert_int_equal(stat(mine.path, &st), 0);
    private_dir_remove(&next);
    private_dir_remove(&mine);
    assert_int_equal(rmdir(dir.path), 0);
    unsetenv("TMPDIR");
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(ends),
        cmocka_unit_test(long_lines_come_in_pieces),
        cmocka_unit_test(it_is_ended),
        cmocka_unit_test(what_it_leaves_behind_is_killed),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(private_directories),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
