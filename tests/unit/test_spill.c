// Rows on disk come back as they were, by side and range, or not at all.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/check.h"
#include "support/workdir.h"
#include "yellow/diff/spill.h"

enum { ROWS = 3000, LARGEST = 300 * 1024, BUFFER = 1 << 20 };

// What a row is, by its number, which is also its locator.
static ds_spill_side side_of(int64_t i)
{
    return i % 3 ? SPILL_SOURCE : SPILL_LIVE;
}

static uint32_t range_of(int64_t i)
{
    return (uint32_t)(i % 7 * i % 5); // many ranges stay empty
}

static size_t size_of(int64_t i)
{
    return i == 1000 ? LARGEST : i % 11 == 0 ? 0 : (size_t)(i * 37 % 200);
}

static ds_hash hash_of(int64_t i, uint64_t salt)
{
    return (ds_hash){(uint64_t)i * salt, ~(uint64_t)i};
}

static void put(ds_rows *rows, int64_t i)
{
    static char bytes[LARGEST];
    memset(bytes, (int)(i % 251), size_of(i));
    rows_clear(rows);
    rows_append(rows, (ds_str){bytes, size_of(i)}, hash_of(i, 3), hash_of(i, 5), i);
}

static ds_rc add_rows(ds_spill *spill, int64_t n, ds_error *err)
{
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    for (int64_t i = 0; i < n; i++) {
        put(&rows, i);
        TRY(spill_add(spill, side_of(i), range_of(i), &rows, 0, err));
    }
    return spill_end(spill, err);
}

static void expect_row(const ds_rows *got, size_t at)
{
    CLEANUP(rows_release) ds_rows wanted;
    rows_init(&wanted);
    int64_t i = got->locator[at];
    put(&wanted, i);
    assert_true(hash_eq(got->row_hash[at], wanted.row_hash[0]));
    assert_true(hash_eq(got->key_hash[at], wanted.key_hash[0]));
    assert_int_equal(rows_row(got, at).n, size_of(i));
    assert_memory_equal(rows_row(got, at).p, rows_row(&wanted, 0).p, size_of(i));
}

static ds_rc read_run(ds_spill *spill, ds_spill_side side, uint32_t range, bool *seen, ds_error *err)
{
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    for (;;) {
        TRY(spill_read(spill, side, range, &rows, err));
        if (rows.n == 0)
            return DS_DONE;
        for (size_t k = 0; k < rows.n; k++) {
            int64_t i = rows.locator[k];
            expect_row(&rows, k);
            assert_true(side_of(i) == side && range_of(i) == range && !seen[i]);
            seen[i] = true;
        }
    }
}

static void expect_fingerprint(const ds_spill *spill, ds_spill_side side, uint32_t range, int64_t n)
{
    ds_fingerprint wanted = {0};
    for (int64_t i = 0; i < n; i++)
        if (side_of(i) == side && range_of(i) == range)
            fingerprint_add(&wanted, hash_of(i, 3));
    assert_true(fingerprint_eq(spill_rows(spill, side, range), wanted));
}

static void rows_come_back_as_they_were(void **state)
{
    (void)state;
    static const struct {
        int64_t rows;
        size_t buffer;
    } CASES[] = {{0, BUFFER}, {1, BUFFER}, {ROWS, BUFFER}, {ROWS, 0}, {ROWS, 64 << 20}};
    for (size_t c = 0; c < sizeof CASES / sizeof CASES[0]; c++) {
        ds_spill *spill;
        ds_error err;
        bool seen[ROWS] = {0};
        OK(spill_open(NULL, CASES[c].buffer, &spill, &err));
        OK(add_rows(spill, CASES[c].rows, &err));
        for (int side = 0; side < SPILL_SIDES; side++)
            for (uint32_t range = 0; range < SPILL_RANGES; range++) {
                expect_fingerprint(spill, (ds_spill_side)side, range, CASES[c].rows);
                OK(read_run(spill, (ds_spill_side)side, range, seen, &err));
            }
        for (int64_t i = 0; i < CASES[c].rows; i++)
            assert_true(seen[i]);
        spill_close(spill);
    }
}

// --- the file itself

static int files_in(const char *directory)
{
    DIR *dir = opendir(directory);
    assert_non_null(dir);
    int n = 0;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

// The descriptor of a file that was in the directory; -1: none is open.
static int open_file_in(const char *directory)
{
    for (int fd = 3; fd < 100; fd++) {
        char name[40], target[PATH_MAX];
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(name, target, sizeof target - 1);
        if (n > 0 && (size_t)n > strlen(directory) && strncmp(target, directory, strlen(directory)) == 0)
            return fd;
    }
    return -1;
}

typedef struct opened {
    workdir dir;
    ds_spill *spill;
    int fd;
} opened;

static opened open_in_workdir(void)
{
    opened o = {.dir = workdir_new()};
    ds_error err;
    OK(spill_open(o.dir.path, BUFFER, &o.spill, &err));
    o.fd = open_file_in(o.dir.path);
    assert_true(o.fd >= 0);
    return o;
}

static void close_workdir(opened *o)
{
    spill_close(o->spill);
    assert_int_equal(open_file_in(o->dir.path), -1);
    workdir_remove(&o->dir);
}

static void the_file_has_no_name_and_no_other_reader(void **state)
{
    (void)state;
    opened o = open_in_workdir();
    struct stat st;
    assert_int_equal(fstat(o.fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 0);
    assert_int_equal(fcntl(o.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(files_in(o.dir.path), 0);
    close_workdir(&o);
}

static void the_directory_is_that_of_the_environment(void **state)
{
    (void)state;
    workdir dir = workdir_new();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    char *before = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
    setenv("TMPDIR", dir.path, 1);
    ds_spill *spill;
    ds_error err;
    OK(spill_open(NULL, BUFFER, &spill, &err));
    assert_true(open_file_in(dir.path) >= 0);
    spill_close(spill);
    setenv("TMPDIR", "/nowhere", 1);
    FAILS(spill_open(NULL, BUFFER, &spill, &err), DS_ENV, "can't make a temporary file in /nowhere: No such file");
    HINTS("TMPDIR");
    if (before)
        setenv("TMPDIR", before, 1);
    else
        unsetenv("TMPDIR");
    free(before);
    workdir_remove(&dir);
}

static void a_full_disk_is_said_with_its_directory_and_a_way_out(void **state)
{
    (void)state;
    opened o = open_in_workdir();
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ds_error err;
    ds_rc rc = add_rows(o.spill, ROWS, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    FAILS(rc, DS_ENV, "can't write a temporary file in ");
    assert_non_null(strstr(err.text, o.dir.path));
    HINTS(o.dir.path);
    HINTS("`memory`");
    close_workdir(&o);
}

// --- a bad disk

static ds_rc read_all(ds_spill *spill, ds_error *err)
{
    bool seen[ROWS] = {0};
    for (int side = 0; side < SPILL_SIDES; side++)
        for (uint32_t range = 0; range < SPILL_RANGES; range++)
            TRY(read_run(spill, (ds_spill_side)side, range, seen, err));
    return DS_DONE;
}

// One byte, anywhere.
static void a_changed_byte_is_an_error(void **state)
{
    (void)state;
    for (int tenth = 0; tenth < 10; tenth++) {
        opened o = open_in_workdir();
        ds_error err;
        OK(add_rows(o.spill, ROWS, &err));
        struct stat st;
        assert_int_equal(fstat(o.fd, &st), 0);
        off_t at = st.st_size * tenth / 10;
        unsigned char byte;
        assert_int_equal(pread(o.fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(o.fd, &byte, 1, at), 1);
        FAILS(read_all(o.spill, &err), DS_ENV, "doesn't give back what was written");
        close_workdir(&o);
    }
}

// Two blocks in each other's place are right in themselves.
static void blocks_that_changed_places_are_an_error(void **state)
{
    (void)state;
    opened o = open_in_workdir();
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    ds_error err;
    put(&rows, 1);
    OK(spill_add(o.spill, SPILL_LIVE, 0, &rows, 0, &err));
    OK(spill_add(o.spill, SPILL_LIVE, 1, &rows, 0, &err));
    OK(spill_end(o.spill, &err));
    struct stat st;
    char block[1000];
    assert_int_equal(fstat(o.fd, &st), 0);
    ssize_t half = st.st_size / 2;
    assert_int_equal(pread(o.fd, block, (size_t)half, 0), half);
    assert_int_equal(pwrite(o.fd, block, (size_t)half, half), half);
    FAILS(spill_read(o.spill, SPILL_LIVE, 1, &rows, &err), DS_ENV, "doesn't give back what was written");
    close_workdir(&o);
}

static void a_file_cut_short_is_an_error(void **state)
{
    (void)state;
    opened o = open_in_workdir();
    ds_error err;
    OK(add_rows(o.spill, ROWS, &err));
    assert_int_equal(ftruncate(o.fd, 50000), 0);
    FAILS(read_all(o.spill, &err), DS_ENV, "can't read a temporary file in");
    close_workdir(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_were),
        cmocka_unit_test(the_file_has_no_name_and_no_other_reader),
        cmocka_unit_test(the_directory_is_that_of_the_environment),
        cmocka_unit_test(a_full_disk_is_said_with_its_directory_and_a_way_out),
        cmocka_unit_test(a_changed_byte_is_an_error),
        cmocka_unit_test(blocks_that_changed_places_are_an_error),
        cmocka_unit_test(a_file_cut_short_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
