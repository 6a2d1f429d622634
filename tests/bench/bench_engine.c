// The runtime's own bars on SQLite, each a ratio of two medians measured in turn in one run. Every figure of ours is a
// whole process: forked, run, waited for, with the peak memory that the kernel counted. Prints a JSON object a line, as
// table.py takes them.
//   bench_engine BINARY [ROWS]
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/sqlite/sqlite.h"
#include "support/world.h"

enum { RUNS = 3, TEXT = 1024 };
static int64_t bench_rows = 1000000;

static const char COLUMNS[] =
    "id bigint primary key; name varchar(100) not null; city varchar(60); email varchar(100); "
    "born date; balance decimal(12,2); changed timestamp; visits integer";

static void must(int rc, sqlite3 *db, const char *what)
{
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
        return;
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static sqlite3 *open_file(const char *path)
{
    sqlite3 *db = NULL;
    must(sqlite3_open(path, &db), db, path);
    return db;
}

static void run_sql(sqlite3 *db, const char *sql)
{
    must(sqlite3_exec(db, sql, NULL, NULL, NULL), db, sql);
}

static void fill_source(const world *w)
{
    char path[WORKDIR_PATH], sql[TEXT];
    workdir_file(&w->dir, "source.db", path);
    sqlite3 *db = open_file(path);
    run_sql(db, "PRAGMA synchronous = OFF");
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %lld) INSERT INTO t SELECT i, "
             "'Customer number ' || i, 'City ' || (i %% 997), 'customer' || i || '@example.org', "
             "date('1950-01-01', '+' || (i %% 20000) || ' days'), (i * 7919 %% 1000000) / 100.0, "
             "datetime(1600000000 + i, 'unixepoch'), i %% 1000 FROM n",
             (long long)bench_rows);
    run_sql(db, sql);
    sqlite3_close(db);
}

// --- one measured run

typedef struct figure {
    double seconds;
    double peak_mb;
} figure;

typedef void measured(void *context);

static figure measure(measured *work, void *context)
{
    fflush(NULL); // or the child would print it again
    double start = clock_elapsed_s();
    pid_t pid = fork();
    if (pid == 0) {
        work(context);
        _exit(0);
    }
    int status = 0;
    struct rusage used;
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid || status != 0) {
        fprintf(stderr, "a measured process failed\n");
        exit(1);
    }
    return (figure){clock_elapsed_s() - start, (double)used.ru_maxrss / 1024};
}

static void run_job(void *context)
{
    world *w = context;
    ds_job_result result;
    ds_error err;
    if (world_job(w, &result, &err).code != DS_OK) {
        fprintf(stderr, "job: %s\n", err.text);
        _exit(1);
    }
}

// Reads every value of the table once through sqlite3's API; no hashing.
static void read_once(void *context)
{
    char path[WORKDIR_PATH];
    workdir_file(&((world *)context)->dir, "source.db", path);
    sqlite3 *db = open_file(path);
    sqlite3_stmt *stmt = NULL;
    must(sqlite3_prepare_v2(db, "SELECT id, name, city, email, born, balance, changed, visits FROM t", -1, &stmt, NULL),
         db, "prepare");
    size_t sum = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        sum += (size_t)sqlite3_column_int64(stmt, 0) + (size_t)sqlite3_column_int64(stmt, 7);
        sum += (size_t)sqlite3_column_double(stmt, 5);
        for (int c = 1; c < 7; c++) {
            if (c == 5)
                continue;
            const unsigned char *p = sqlite3_column_text(stmt, c);
            sum += (size_t)sqlite3_column_bytes(stmt, c) + (p ? p[0] : 0u);
        }
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    if (sum == 42)
        puts("");
}

// INSERT INTO … SELECT over ATTACH into a table with our columns and our index.
static void insert_select(void *context)
{
    char path[WORKDIR_PATH], source[WORKDIR_PATH], sql[TEXT];
    workdir_file(&((world *)context)->dir, "reference.db", path);
    workdir_file(&((world *)context)->dir, "source.db", source);
    sqlite3 *db = open_file(path);
    run_sql(db, "PRAGMA journal_mode = WAL");
    run_sql(db, "PRAGMA synchronous = FULL");
    snprintf(sql, sizeof sql, "ATTACH '%s' AS src", source);
    run_sql(db, sql);
    run_sql(db, "DROP TABLE IF EXISTS m; CREATE TABLE m(ds_row_hash BLOB NOT NULL, ds_batch_in INTEGER NOT NULL, id "
                "INTEGER NOT NULL, name TEXT, city TEXT, email TEXT, born TEXT, balance NUMERIC, changed TEXT, visits "
                "INTEGER)");
    run_sql(db, "BEGIN; INSERT INTO m SELECT zeroblob(16), 1, id, name, city, email, born, balance, changed, visits "
                "FROM src.t; CREATE UNIQUE INDEX mk ON m(id); COMMIT");
    sqlite3_close(db);
}

// --- the table

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, compare);
    return v[n / 2];
}

// bar: of the ratio; where there is no reference, of ours.
static void line(const char *work, double ours, const char *reference, double theirs, double bar, const char *unit)
{
    json_t *row = json_pack("{s:s, s:s, s:f, s:f, s:s}", "engine", "SQLite", "work", work, "ours", ours, "bar", bar,
                            "unit", unit);
    if (reference) {
        json_object_set_new(row, "reference", json_string(reference));
        json_object_set_new(row, "reference_value", json_real(theirs));
        json_object_set_new(row, "ratio", json_real(ours / theirs));
    } else {
        json_object_set_new(row, "bar_unit", json_string(unit));
    }
    bool failed = json_dumpf(row, stdout, JSON_COMPACT) != 0;
    json_decref(row);
    if (failed || putchar('\n') == EOF || fflush(stdout) != 0) {
        perror("standard output");
        exit(1);
    }
}

static void change_share(world *w, int one_in)
{
    char sql[TEXT];
    snprintf(sql, sizeof sql, "UPDATE t SET visits = visits + 1 WHERE id %% %d = 0", one_in);
    world_source(w, sql);
}

// --- process start

typedef struct command {
    const char *dir;
    const char *const *argv;
} command;

static void run_command(void *context)
{
    const command *c = context;
    if (chdir(c->dir) != 0 || !freopen("/dev/null", "w", stdout))
        _exit(1);
    execvp(c->argv[0], (char *const *)(uintptr_t)c->argv); // execvp changes nothing
    _exit(127);
}

static double command_seconds(const char *dir, const char *const *argv, int runs)
{
    double seconds[32];
    command c = {dir, argv};
    for (int i = 0; i < runs; i++)
        seconds[i] = measure(run_command, &c).seconds;
    return median(seconds, runs);
}

static void idle_stream(const char *binary)
{
    enum { STARTS = 15 };
    workdir dir = workdir_new();
    const char *init[] = {binary, "init", "shop", NULL};
    const char *simulate[] = {binary, "-C", "shop", "simulate", "Store1", "--changes", "0", NULL};
    const char *apply[] = {binary, "-C", "shop", "apply", NULL};
    const char *once[] = {binary, "-C", "shop", "run", "--once", NULL};
    const char *job[] = {binary, "-C", "shop", "job", "YellowLive/Store1", NULL};
    const char *sqlite[] = {"sqlite3", ":memory:", "select 1", NULL};
    const char *const *const setup[] = {init, simulate, apply, once};
    for (size_t i = 0; i < sizeof setup / sizeof setup[0]; i++)
        (void)command_seconds(dir.path, setup[i], 1);
    double theirs = command_seconds(dir.path, sqlite, STARTS);
    double ours = command_seconds(dir.path, job, STARTS);
    line("start + idle two-table stream", ours * 1000, "sqlite3 :memory: 'select 1', plus 20 ms", theirs * 1000 + 20,
         1.0, "ms");
    workdir_remove(&dir);
}

static void refreshes(world *w)
{
    static const char ONCE[] = "SELECT of all columns, each value read through sqlite3's API";
    double ours[RUNS], theirs[RUNS], peak = 0;
    w->clock.fixed_us += 1000000000;
    for (int i = 0; i < RUNS; i++) {
        theirs[i] = measure(read_once, w).seconds;
        w->clock.fixed_us += 1000000;
        figure f = measure(run_job, w);
        ours[i] = f.seconds;
        peak = f.peak_mb > peak ? f.peak_mb : peak;
    }
    line("refresh, unchanged", median(ours, RUNS), ONCE, median(theirs, RUNS), 2.0, "s");
    line("peak memory of that refresh", peak, NULL, 0, 80, "MB");
    for (int i = 0; i < RUNS; i++) {
        change_share(w, 100);
        theirs[i] = measure(read_once, w).seconds;
        w->clock.fixed_us += 1000000;
        ours[i] = measure(run_job, w).seconds;
    }
    line("refresh, 1 % changed", median(ours, RUNS), ONCE, median(theirs, RUNS), 2.5, "s");
}

// Leaves the last world loaded.
static void first_loads(world *w)
{
    double ours[RUNS], theirs[RUNS];
    for (int i = 0; i < RUNS; i++) {
        if (i)
            world_close(w);
        world_open(w, &SQLITE_DRIVER, MILESTONING_SCD2);
        world_dataset(w, "t", COLUMNS);
        fill_source(w);
        world_apply(w);
        theirs[i] = measure(insert_select, w).seconds;
        ours[i] = measure(run_job, w).seconds;
    }
    line("first load, scd2", median(ours, RUNS),
         "BEGIN; INSERT INTO m SELECT … FROM src.t over ATTACH; CREATE UNIQUE INDEX; COMMIT", median(theirs, RUNS), 2.5,
         "s");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_engine BINARY [ROWS]\n");
        return 2;
    }
    if (argc > 2)
        bench_rows = strtoll(argv[2], NULL, 10);
    printf("{\"note\": \"SQLite %s: %lld rows x 8 columns, SQLite to SQLite, medians of %d\"}\n", sqlite3_libversion(),
           (long long)bench_rows, RUNS);
    world w;
    first_loads(&w);
    refreshes(&w);
    world_close(&w);
    idle_stream(argv[1]);
    return 0;
}
