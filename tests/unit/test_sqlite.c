// store/sqlite/sqlite.h: what only SQLite does. What every driver promises is in tests/contract.
#include "support/check.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "schema/value.h"
#include "store/sqlite/sqlite.h"
#include "store/store.h"
#include "support/workdir.h"

static const ds_driver *const DRIVERS[] = {&SQLITE_DRIVER};
static const ds_store STORE = {DRIVERS, 1};

typedef struct fixture {
    workdir dir;
    char path[WORKDIR_PATH];
    ds_arena *arena;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->dir = workdir_new();
    f->arena = arena_new();
    workdir_file(&f->dir, "a.db", f->path);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    workdir_remove(&f->dir);
    arena_free(f->arena);
    free(f);
    return 0;
}

static ds_rc open_path(const char *path, ds_open_options options, ds_db **out, ds_error *err)
{
    return store_open(&STORE, &(ds_target){.type = "sqlite", .name = "C", .path = path}, &options, out, err);
}

static const ds_open_options CREATE = {.create = true, .busy_timeout_ms = 50};
static const ds_open_options WRITE = {.busy_timeout_ms = 50};
static const ds_open_options READ = {.read_only = true, .busy_timeout_ms = 50};

static ds_db *create(fixture *f)
{
    ds_error err;
    ds_db *db = NULL;
    OK(open_path(f->path, CREATE, &db, &err));
    return db;
}

static ds_rc run(ds_db *db, const char *text, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_user_text(&q, text);
    return store_exec(db, &q, NULL, err);
}

// The first cell of a query.
static const char *ask(fixture *f, ds_db *db, const char *text)
{
    ds_error err;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_user_text(&q, text);
    ds_result found;
    OK(store_query(db, &q, f->arena, &found, &err));
    return found.rows ? result_text(&found, 0, 0) : NULL;
}

static void write_file(const char *path, const char *text, size_t times)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < times; i++)
        fputs(text, file);
    fclose(file);
}

// --- opening

static void files_that_are_no_database(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = NULL;
    char path[WORKDIR_PATH];

    FAILS(open_path(f->path, READ, &db, &err), DS_ENV, "no such file");
    assert_non_null(strstr(err.text, f->path));
    HINTS("check the container's path");
    FAILS(open_path(f->path, WRITE, &db, &err), DS_ENV, "no such file");
    FAILS(open_path("missing.db", READ, &db, &err), DS_ENV, "C (missing.db): no such file");
    HINTS("model's directory");
    FAILS(open_path("", READ, &db, &err), DS_FINDING, "has no path");
    FAILS(open_path(NULL, READ, &db, &err), DS_FINDING, "has no path");
    workdir_file(&f->dir, "no/a.db", path);
    FAILS(open_path(path, CREATE, &db, &err), DS_ENV, "no such file");
    HINTS("directory is missing");
    FAILS(open_path(f->dir.path, CREATE, &db, &err), DS_ENV, "is a directory");
    workdir_file(&f->dir, "pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    FAILS(open_path(path, READ, &db, &err), DS_ENV, "not a regular file");

    static const struct {
        const char *text;
        size_t times;
    } TEXTS[] = {{"hello", 1}, {"name,value\n", 20}, {"name,value\n", 5000}};
    for (size_t i = 0; i < 3; i++) {
        write_file(f->path, TEXTS[i].text, TEXTS[i].times);
        FAILS(open_path(f->path, READ, &db, &err), DS_ENV, "file is not a database");
        assert_string_equal(err.state, "26");
        FAILS(open_path(f->path, CREATE, &db, &err), DS_ENV, "file is not a database");
        struct stat st;
        assert_int_equal(stat(f->path, &st), 0);
        assert_int_equal(st.st_size, strlen(TEXTS[i].text) * TEXTS[i].times); // and nobody made it one
    }
    assert_null(db);
}

static void a_damaged_file(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    OK(run(db, "CREATE TABLE t (a, b)", &err));
    OK(run(db, "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT i, i FROM n",
           &err));
    store_close(db);
    int fd = open(f->path, O_WRONLY);
    char noise[4096];
    memset(noise, 0xA5, sizeof noise);
    assert_int_equal(pwrite(fd, noise, sizeof noise, 8192), sizeof noise);
    close(fd);
    OK(open_path(f->path, READ, &db, &err));
    FAILS(run(db, "SELECT sum(a) FROM t", &err), DS_ENV, "malformed");
    HINTS("backup");
    store_close(db);
}

// What SQLite gives a meaning to is a file name to us.
static void names_are_file_names(void **state)
{
    fixture *f = *state;
    ds_error err;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(f->dir.path), 0);
    static const char *const NAMES[] = {":memory:", "file:x?mode=memory", "file:y", "-z", "with space %20", "b.db"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        ds_db *db = NULL;
        OK(open_path(NAMES[i], CREATE, &db, &err));
        store_close(db);
        assert_int_equal(access(NAMES[i], F_OK), 0);
        OK(open_path(NAMES[i], READ, &db, &err));
        store_close(db);
    }
    assert_int_equal(chdir(before), 0);
}

static void settings_of_a_writer(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    assert_string_equal(ask(f, db, "PRAGMA journal_mode"), "wal");
    assert_string_equal(ask(f, db, "PRAGMA synchronous"), "2");
    assert_string_equal(ask(f, db, "PRAGMA foreign_keys"), "0");
    assert_string_equal(ask(f, db, "PRAGMA trusted_schema"), "0");
    FAILS(run(db, "ATTACH ':memory:' AS other", &err), DS_FINDING, "attached");
    OK(run(db, "CREATE TABLE t (a)", &err));
    OK(run(db, "PRAGMA writable_schema = ON", &err));
    FAILS(run(db, "UPDATE sqlite_schema SET sql = 'x'", &err), DS_FINDING, "may not be modified");
    FAILS(run(db, "SELECT load_extension('x')", &err), DS_FINDING, "not authorized");
    FAILS(run(db, "SELECT \"no such column\"", &err), DS_FINDING, "no such column");
    store_close(db);
}

static void failures_of_the_disk(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    OK(run(db, "CREATE TABLE t (a)", &err));
    assert_string_equal(ask(f, db, "PRAGMA max_page_count = 3"), "3");
    FAILS(run(db, "INSERT INTO t VALUES (zeroblob(100000))", &err), DS_ENV, "full");
    HINTS("free some disk space");
    assert_string_equal(err.state, "13");
    assert_string_equal(ask(f, db, "SELECT count(*) FROM t"), "0");
    store_close(db);
}

// --- opening as somebody who may not do everything

static void as_nobody(const char *path, ds_open_options options, ds_error *out)
{
    int result[2];
    assert_int_equal(pipe(result), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        enum { NOBODY = 65534 };
        ds_error err = {0};
        ds_db *db = NULL;
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
            _exit(1);
        ds_rc rc = open_path(path, options, &db, &err);
        if (rc.code == DS_OK)
            store_close(db);
        _exit(write(result[1], &err, sizeof err) == sizeof err ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(read(result[0], out, sizeof *out), sizeof *out);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close(result[0]);
    close(result[1]);
}

static void permissions(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    OK(run(db, "CREATE TABLE t (a)", &err));
    store_close(db);
    assert_int_equal(chmod(f->path, 0000), 0);
    assert_int_equal(chmod(f->dir.path, 0755), 0);
    as_nobody(f->path, READ, &err);
    assert_int_equal(err.code, DS_ENV);
    assert_non_null(strstr(err.text, "can't read"));
    HINTS("permissions");

    assert_int_equal(chmod(f->path, 0444), 0);
    as_nobody(f->path, WRITE, &err);
    assert_int_equal(err.code, DS_ENV);
    assert_non_null(strstr(err.text, "can't write"));

    assert_int_equal(chmod(f->dir.path, 0555), 0); // the -shm file can't be made
    as_nobody(f->path, READ, &err);
    assert_int_equal(chmod(f->dir.path, 0755), 0);
    assert_int_equal(err.code, DS_ENV);
    HINTS("allow writing to the directory");
    assert_non_null(strstr(err.text, "WAL mode"));
    assert_non_null(strstr(err.text, f->path));

    char path[WORKDIR_PATH];
    workdir_file(&f->dir, "new.db", path);
    assert_int_equal(chmod(f->dir.path, 0555), 0);
    as_nobody(path, CREATE, &err);
    assert_int_equal(chmod(f->dir.path, 0755), 0);
    assert_int_equal(err.code, DS_ENV);
    assert_non_null(strstr(err.text, "unable to open"));
    HINTS("permissions");
}

// --- many at once

enum { OPENERS = 8 };
static void *open_and_write(void *context)
{
    ds_error err;
    ds_db *db = NULL;
    ds_open_options patient = {.create = true, .busy_timeout_ms = 30000};
    ds_rc rc = open_path(context, patient, &db, &err);
    if (rc.code == DS_OK)
        rc = run(db, "CREATE TABLE IF NOT EXISTS t (a)", &err);
    if (rc.code == DS_OK)
        rc = run(db, "INSERT INTO t VALUES (1)", &err);
    if (rc.code != DS_OK)
        fprintf(stderr, "%s\n", err.text);
    store_close(db);
    return rc.code == DS_OK ? context : NULL;
}

static void many_open_a_new_file(void **state)
{
    fixture *f = *state;
    pthread_t threads[OPENERS];
    for (size_t i = 0; i < OPENERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_write, f->path), 0);
    bool fine = true;
    for (size_t i = 0; i < OPENERS; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        fine = fine && result;
    }
    assert_true(fine);
    ds_db *db = create(f);
    assert_string_equal(ask(f, db, "SELECT count(*) FROM t"), "8");
    store_close(db);
}

static void lock_file_is_found_through_links(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *a = create(f), *b = NULL;
    char link[WORKDIR_PATH], lease[WORKDIR_PATH];
    workdir_file(&f->dir, "link.db", link);
    workdir_file(&f->dir, "a.db-lease", lease);
    assert_int_equal(symlink(f->path, link), 0);
    assert_int_equal(chmod(f->path, 0662), 0);
    OK(open_path(link, WRITE, &b, &err));
    bool held = false;
    OK(a->driver->lock_try(a, "x", &held, &err));
    assert_true(held);
    OK(b->driver->lock_try(b, "x", &held, &err));
    assert_false(held);
    struct stat database, lock;
    assert_int_equal(stat(f->path, &database), 0);
    assert_int_equal(stat(lease, &lock), 0);
    assert_int_equal(lock.st_mode & 0777, database.st_mode & 0666); // who may write there may lock, whatever the umask
    store_close(b);
    store_close(a);
}

// A reader that becomes a writer after somebody else wrote would overwrite what it has not seen.
static void stale_snapshot_may_not_write(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *a = create(f), *b = create(f);
    OK(run(a, "CREATE TABLE t (a)", &err));
    OK(store_begin(a, BEGIN_READ, &err));
    OK(run(b, "INSERT INTO t VALUES (1)", &err));
    FAILS(run(a, "INSERT INTO t VALUES (2)", &err), DS_BUSY, "locked");
    store_rollback(a);
    OK(run(a, "INSERT INTO t VALUES (2)", &err));
    store_close(b);
    store_close(a);
}

static void *cancel_soon(void *context)
{
    ds_db *db = context;
    for (int i = 0; i < 20; i++) {
        usleep(5000);
        db->driver->cancel(db);
    }
    return NULL;
}

// SQLite rolls a transaction back when a statement that writes is interrupted: what follows must not run alone.
static void nothing_runs_after_a_rollback_by_itself(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    OK(run(db, "CREATE TABLE t (a)", &err));
    OK(store_begin(db, BEGIN_WRITE, &err));
    OK(run(db, "INSERT INTO t VALUES (1)", &err));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, db), 0);
    ds_rc rc = run(db, "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT i FROM n", &err);
    pthread_join(thread, NULL);
    FAILS(rc, DS_CANCELLED, "interrupted");
    FAILS(run(db, "INSERT INTO t VALUES (3)", &err), DS_INTERNAL, "rolled back by an earlier failure");
    FAILS(store_commit(db, &err), DS_INTERNAL, "rolled back by an earlier failure");
    assert_string_equal(ask(f, db, "SELECT count(*) FROM t"), "0");
    OK(run(db, "INSERT INTO t VALUES (3)", &err));
    store_close(db);
}

// The process's own flag (Ctrl-C) interrupts a statement that would never end, without anybody calling cancel.
static void a_flag_of_the_process_interrupts(void **state)
{
    fixture *f = *state;
    static volatile int stop;
    ds_error err;
    ds_db *db;
    ds_open_options options = CREATE;
    options.cancelled = &stop;
    OK(open_path(f->path, options, &db, &err));
    stop = 1;
    FAILS(run(db, "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", &err), DS_CANCELLED,
          "interrupted");
    stop = 0;
    OK(run(db, "CREATE TABLE t (a)", &err));
    store_close(db);
}

// --- how values are held

static const ds_type *type_of(fixture *f, const char *text)
{
    ds_error err;
    const ds_type *type = NULL;
    size_t at;
    OK(type_parse(f->arena, str_of(text), &type, &at, &err));
    return type;
}

static const ds_shape *shape_of(fixture *f, const char *key_type, const char *type)
{
    ds_error err;
    const ds_shape_column columns[] = {
        {.name = "id", .source = "id", .type = type_of(f, key_type), .not_null = true},
        {.name = "v", .source = "v", .type = type_of(f, type)},
    };
    const ds_shape *shape = NULL;
    OK(shape_new(f->arena, columns, 2, (const uint16_t[]){0}, 1, &shape, &err));
    return shape;
}

static const struct {
    const char *type, *value, *storage, *held, *declared;
} HELD[] = {
    {"integer", "-5", "integer", "-5", "INTEGER"},
    {"ubigint", "18446744073709551615", "text", "18446744073709551615", "TEXT"},
    {"ubigint", "7", "text", "7", "TEXT"},
    {"boolean", "t", "integer", "1", "INTEGER"},
    {"real", "1", "real", "1.0", "REAL"},
    {"double", "NaN", "text", "NaN", "REAL"},
    {"double", "-Infinity", "real", "-Inf", "REAL"},
    {"decimal(10,2)", "12.50", "real", "12.5", "NUMERIC"},
    {"decimal(10,2)", "12.00", "integer", "12", "NUMERIC"},
    {"decimal(15,2)", "NaN", "text", "NaN", "NUMERIC"},
    {"decimal(16,2)", "12.50", "text", "12.5", "TEXT"},
    {"varchar(9)", "1.0", "text", "1.0", "TEXT"},
    {"json", "1.0", "text", "1.0", "TEXT"},
    {"date", "2024-02-29", "text", "2024-02-29", "TEXT"},
    {"timestamp", "2024-02-29T01:02:03.5", "text", "2024-02-29 01:02:03.500000", "TEXT"},
    {"timestamp", "2024-02-29 01:02:03.000", "text", "2024-02-29 01:02:03", "TEXT"},
    {"timestamptz", "2024-02-29 01:02:03+02:00", "text", "2024-02-28 23:02:03+00:00", "TEXT"},
    {"time", "01:02:03", "text", "01:02:03", "TEXT"},
    {"uuid", "123E4567E89B12D3A456426614174000", "text", "123e4567-e89b-12d3-a456-426614174000", "TEXT"},
    {"interval", "P1D", "text", "P1D", "TEXT"},
    {"binary", "3132", "blob", "3132", "BLOB"},
    {"vector(2)", "[1,2]", "text", "[1,2]", "TEXT"},
};

static void values_are_held_as_documented(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    for (size_t i = 0; i < sizeof HELD / sizeof HELD[0]; i++) {
        const ds_shape *shape = shape_of(f, "integer", HELD[i].type);
        CLEANUP(buf_release) ds_buf declared = BUF_INIT(100);
        db->dialect->column_type(shape->columns[1].type, &declared);
        assert_string_equal(buf_text(&declared), HELD[i].declared);
        CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
        SQL(&q, "CREATE TABLE t (id INTEGER, v ");
        sql_user_text(&q, HELD[i].declared);
        SQL(&q, ")");
        OK(store_exec(db, &q, NULL, &err));
        CLEANUP(rows_release) ds_rows rows;
        rows_init(&rows);
        rows_begin(&rows);
        rows_put_i64(&rows, shape->columns[0].name_hash, 1);
        OK(value_put_text(&rows, &shape->columns[1], str_of(HELD[i].value), &err));
        OK(rows_end(&rows, shape, 0, &err));
        ds_writer *writer = NULL;
        OK(db->driver->write_open(db, &(ds_write){.table = {"", "t"}, .shape = shape}, &writer, &err));
        OK(db->driver->write_row(writer, NULL, rows_row(&rows, 0), &err));
        OK(db->driver->write_close(writer, NULL, &err));
        assert_string_equal(ask(f, db, "SELECT typeof(v) FROM t"), HELD[i].storage);
        assert_string_equal(ask(f, db, "SELECT v FROM t"), HELD[i].held);
        OK(run(db, "DROP TABLE t", &err));
    }
    store_close(db);
}

// --- what stands in other people's tables

static const struct {
    const char *type, *expression;
    const char *read; // printed; NULL: null
    const char *refusal;
} SOURCES[] = {
    {"integer", "5", "5", NULL},
    {"integer", "'5'", "5", NULL},
    {"integer", "NULL", NULL, NULL},
    {"integer", "2147483648", NULL, "does not fit integer"},
    {"integer", "5.5", NULL, "not a valid integer"},
    {"integer", "'five'", NULL, "'five' is not a valid integer"},
    {"integer", "x'35'", NULL, "blob of 1 bytes"},
    {"utinyint", "-1", NULL, "does not fit utinyint"},
    {"ubigint", "'18446744073709551615'", "18446744073709551615", NULL},
    {"ubigint", "7", "7", NULL},
    {"ubigint", "-7", NULL, "does not fit ubigint"},
    {"boolean", "1", "true", NULL},
    {"boolean", "2", NULL, "not a valid boolean"},
    {"double", "1", "1", NULL},
    {"double", "'NaN'", "NaN", NULL},
    {"double", "9e999", "Infinity", NULL},
    {"decimal(10,2)", "0.1 + 0.2", "0.3", NULL},
    {"decimal(10,2)", "12.345", "12.35", NULL}, // only a REAL is rounded
    {"decimal(10,2)", "'12.345'", NULL, "'12.345' does not fit decimal(10,2)"},
    {"decimal(10,2)", "12", "12", NULL},
    {"decimal(4,2)", "123", NULL, "does not fit decimal(4,2)"},
    {"varchar(3)", "'abc'", "abc", NULL},
    {"varchar(3)", "'abcd'", NULL, "'abcd' does not fit varchar(3)"},
    {"varchar(3)", "'\xc3\xa4\xc3\xb6\xc3\xbc'", "\xc3\xa4\xc3\xb6\xc3\xbc", NULL},
    {"varchar(3)", "''", "", NULL},
    {"varchar(3)", "CAST(x'c3' AS TEXT)", NULL, "not valid UTF-8"},
    {"varchar(3)", "CAST(x'610062' AS TEXT)", NULL, "U+0000"},
    {"varchar(3)", "1", NULL, "an integer (1)"},
    {"varchar(3)", "x'616263'", NULL, "blob of 3 bytes"},
    {"char(3)", "'a  '", "a", NULL},
    {"date", "'2024-02-30'", NULL, "'2024-02-30' is not a valid date"},
    {"date", "'2024-02-29'", "2024-02-29", NULL},
    {"date", "'2024-02-29 00:00:00'", "2024-02-29", NULL},
    {"date", "19000", NULL, "an integer (19000)"},
    {"timestamp", "'2024-02-29T12:00:00'", "2024-02-29 12:00:00", NULL},
    {"timestamp", "2460370.5", NULL, "a floating point number"},
    {"binary", "x''", "", NULL},
    {"binary", "x'00ff'", "00ff", NULL},
    {"uuid", "x'123e4567e89b12d3a456426614174000'", "123e4567-e89b-12d3-a456-426614174000", NULL},
};

static ds_rc read_one(ds_db *db, const ds_shape *shape, const char *id, const char *expression, ds_rows *rows,
                      ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT ");
    sql_user_text(&q, id); // "id" stands before "v" in hash order
    SQL(&q, ", ");
    sql_user_text(&q, expression);
    ds_reader *reader = NULL;
    bool more = true;
    TRY(db->driver->read_open(db, &(ds_read){.select = &q, .shape = shape}, &reader, err));
    ds_rc rc = db->driver->read_next(reader, rows, 10, 1000, &more, err);
    db->driver->read_close(reader);
    return rc;
}

static void values_of_sources(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++) {
        const ds_shape *shape = shape_of(f, "integer", SOURCES[i].type);
        CLEANUP(rows_release) ds_rows rows;
        rows_init(&rows);
        if (SOURCES[i].refusal) {
            FAILS(read_one(db, shape, "7", SOURCES[i].expression, &rows, &err), DS_FINDING, SOURCES[i].refusal);
            assert_non_null(strstr(err.text, "row id='7': column \"v\": "));
            assert_int_equal(rows.n, 0);
            continue;
        }
        OK(read_one(db, shape, "7", SOURCES[i].expression, &rows, &err));
        ds_cell cells[2];
        row_cells(shape, rows_row(&rows, 0), cells);
        assert_int_equal(cells[1].p != NULL, SOURCES[i].read != NULL);
        CLEANUP(buf_release) ds_buf text = BUF_INIT(100);
        if (SOURCES[i].read)
            value_print(shape->columns[1].type, cells[1], &text);
        assert_string_equal(buf_text(&text), SOURCES[i].read ? SOURCES[i].read : "");
    }
    store_close(db);
}

static void refusals_name_the_row(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    static const struct {
        const char *id, *said;
    } KEYS[] = {
        {"'a''b'", "row id='a'b': column \"v\""},
        {"'a\nb'", "row id='a\\x0ab': column \"v\""},
        {"NULL", "row id=null"},
        {"replace(hex(zeroblob(100)), '0', 'k')",
         "row id='kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk...': column"},
    };
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        FAILS(read_one(db, shape_of(f, "text", "integer"), KEYS[i].id, "'x\ny'", &rows, &err), DS_FINDING,
              KEYS[i].said);
    FAILS(read_one(db, shape_of(f, "text", "integer"), "'k'", "'x\ny'", &rows, &err), DS_FINDING, "'x\\x0ay' is not");
    FAILS(read_one(db, shape_of(f, "text", "integer"), "'k'", "replace(hex(zeroblob(100)), '0', 'z')", &rows, &err),
          DS_FINDING, "zzz...' is not");
    assert_true(strlen(err.text) < 300);
    assert_non_null(strstr(err.text, "C ("));
    store_close(db);
}

// A bad row is left out; the rest can still be read.
static void reading_goes_on_after_a_bad_value(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    const ds_shape *shape = shape_of(f, "integer", "integer");
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "VALUES (1, 1), (2, 'x'), (3, 3)");
    ds_reader *reader = NULL;
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    OK(db->driver->read_open(db, &(ds_read){.select = &q, .shape = shape}, &reader, &err));
    int refused = 0;
    for (bool more = true; more;)
        refused += db->driver->read_next(reader, &rows, 10, 1000, &more, &err).code == DS_FINDING;
    db->driver->read_close(reader);
    assert_int_equal(refused, 1);
    assert_int_equal(rows.n, 2);
    store_close(db);
}

static void utf16_databases(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    OK(run(db, "PRAGMA encoding = 'UTF-16le'", &err));
    OK(run(db, "CREATE TABLE t (id TEXT, v TEXT)", &err));
    OK(run(db, "INSERT INTO t VALUES ('k', '\xc3\xa4\xf0\x9f\x98\x80')", &err));
    if (strcmp(ask(f, db, "PRAGMA encoding"), "UTF-16le") != 0)
        fail_msg("the test has made no UTF-16 database");
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    const ds_shape *shape = shape_of(f, "text", "varchar(2)");
    OK(read_one(db, shape, "id", "v FROM t", &rows, &err));
    ds_cell cells[2];
    row_cells(shape, rows_row(&rows, 0), cells);
    assert_int_equal(cells[1].n, 6);
    assert_memory_equal(cells[1].p, "\xc3\xa4\xf0\x9f\x98\x80", 6);
    store_close(db);
}

// --- the catalogue

static void catalogue_of_odd_tables(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    static const char *const DDL[] = {
        "CREATE TABLE Rowid (id INTEGER PRIMARY KEY, x, g AS (x + 1), s AS (x + 2) STORED)",
        "CREATE TABLE bare (a, \"b c\")",
        "CREATE TABLE textkey (k TEXT PRIMARY KEY)",
        "CREATE TABLE without (k TEXT PRIMARY KEY) WITHOUT ROWID",
        "CREATE VIRTUAL TABLE words USING fts5(body)",
        "CREATE TABLE gone (a)",
        "CREATE VIEW broken AS SELECT a FROM gone",
        "DROP TABLE gone",
    };
    for (size_t i = 0; i < sizeof DDL / sizeof DDL[0]; i++)
        OK(run(db, DDL[i], &err));
    const ds_catalog_table *t = NULL;
    OK(store_describe(db, f->arena, (ds_relation){"main", "ROWID"}, &t, &err));
    assert_string_equal(t->relation.name, "Rowid");
    assert_int_equal(t->n, 4);
    assert_true(t->columns[0].not_null);
    assert_string_equal(t->columns[1].declared, "");
    assert_string_equal(t->columns[3].name, "s");
    OK(store_describe(db, f->arena, (ds_relation){"", "textkey"}, &t, &err));
    assert_false(t->columns[0].not_null); // SQLite lets nulls into it
    OK(store_describe(db, f->arena, (ds_relation){"", "without"}, &t, &err));
    assert_true(t->columns[0].not_null);
    OK(store_describe(db, f->arena, (ds_relation){"", "words"}, &t, &err));
    assert_int_equal(t->n, 1);
    OK(store_describe(db, f->arena, (ds_relation){"public", "bare"}, &t, &err)); // a schema says nothing here
    assert_int_equal(t->n, 2);
    FAILS(store_describe(db, f->arena, (ds_relation){"", "broken"}, &t, &err), DS_FINDING, "gone");

    size_t n = 0;
    OK(db->driver->list(db, f->arena, &t, &n, &err));
    static const char *const NAMES[] = {"Rowid", "bare", "broken", "textkey", "without", "words"};
    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(t[i].relation.name, NAMES[i]);
    assert_int_equal(t[2].n, 0);
    store_close(db);
}

// --- other people's SELECT

static const struct {
    const char *text;
    const char *refusal; // NULL: allowed
} UNTRUSTED[] = {
    {"SELECT id, v FROM open", NULL},
    {"SELECT id, v FROM OPEN AS o WHERE v > 0;", NULL},
    {"SELECT id, v FROM open -- the end", NULL},
    {"SELECT id, v FROM open /* never closed", NULL},
    {"SELECT id, v FROM view", NULL},
    {"SELECT id, v FROM \"view\" AS not_secret", NULL},
    {"SELECT id, v FROM main.open", NULL},
    {"SELECT 1, count(*) FROM view", NULL},
    {"SELECT 1, count(*) FROM plain_view", NULL}, // SQLite asks about the table behind it
    {"SELECT 1, count(*) FROM deep_view", NULL},
    {"SELECT id, v FROM deep_view", NULL},
    {"SELECT a.id, count(*) FROM deep_view AS a, plain_view AS b", NULL},
    {"SELECT o.id, count(*) FROM open AS o JOIN view USING (id) GROUP BY 1", NULL},
    {"SELECT 1, count(*) FROM open", NULL},
    {"WITH e AS (SELECT id, v FROM open) SELECT id, v FROM e", NULL},
    {"WITH e AS (SELECT id, v FROM open) SELECT 1, count(*) FROM e", NULL},
    {"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i, i FROM n", NULL},
    {"SELECT id, v FROM (SELECT id, v FROM open UNION SELECT id, v FROM view)", NULL},
    {"SELECT id, (SELECT max(v) FROM open) FROM view", NULL},
    {"SELECT key + 1, value FROM json_each('[1,2]')", NULL},
    {"SELECT 1, abs(-1) + length('x') + instr('ab', 'b')", NULL},
    {"VALUES (1, 2)", NULL},
    {"SELECT id, v FROM secret", "reads \"secret\", which is not one of its inputs"},
    {"SELECT id, 1 FROM Secret", "reads \"secret\""},
    {"SELECT 1, count(*) FROM secret", "reads \"secret\""},
    {"SELECT 1, count(*) FROM main.secret", "reads \"secret\""},
    {"SELECT 1, 1 FROM open WHERE EXISTS (SELECT 1 FROM secret)", "reads \"secret\""},
    {"SELECT id, (SELECT v FROM secret) FROM open", "reads \"secret\""},
    {"SELECT id, v FROM other_view", "\"other_view\", which is not one of its inputs"},
    {"SELECT 1, count(*) FROM other_view", "\"other_view\", which is not one of its inputs"},
    {"WITH view AS (SELECT * FROM secret) SELECT id, v FROM view", "gives the name \"view\""},
    {"WITH \xEF\xBB\xBFview AS (SELECT * FROM secret) SELECT id, v FROM view", "gives the name \"view\""},
    {"WITH \"view\"(id, v) AS (SELECT * FROM secret) SELECT id, v FROM view", "gives the name \"view\""},
    {"WITH 'view' AS NOT MATERIALIZED (SELECT * FROM secret) SELECT id, v FROM view", "gives the name \"view\""},
    {"WITH [VIEW]/**/AS--\n MATERIALIZED (SELECT * FROM secret) SELECT id, v FROM view", "gives the name \"view\""},
    {"WITH c AS (SELECT * FROM secret) SELECT id, v FROM c", "gives the name \"c\""}, // deep_view has one
    {"WITH deeper_view AS (SELECT * FROM secret) SELECT id, v FROM deeper_view", "gives the name"},
    {"SELECT id, v FROM deeper_view", "reads \"deeper_view\""},
    {"SELECT id, v FROM behind", "reads \"behind\""},
    {"SELECT 1, max(rowid) FROM behind", "reads \"behind\""},
    {"WITH a AS (SELECT 1), `view` as (SELECT * FROM secret) SELECT id, v FROM view", "gives the name \"view\""},
    {"WITH a AS (SELECT * FROM secret) SELECT id, v FROM a", "reads \"secret\""},
    {"SELECT '''', v FROM (WITH view AS (SELECT * FROM secret) SELECT v FROM view)", "gives the name \"view\""},
    {"SELECT 1, count(*) FROM sqlite_schema", "reads \"sqlite_"},
    {"SELECT name, 1 FROM sqlite_master", "reads \"sqlite_"},
    {"SELECT name, 1 FROM pragma_table_info('secret')", "only a query"},
    {"SELECT 1, sum(pgsize) FROM dbstat", ""},
    {"DELETE FROM open", "only a query"},
    {"INSERT INTO open VALUES (9, 9)", "only a query"},
    {"INSERT INTO open VALUES (9, 9) RETURNING id, v", "only a query"},
    {"UPDATE open SET v = 1", "only a query"},
    {"CREATE TABLE x (a)", "only a query"},
    {"CREATE TEMP TABLE x AS SELECT * FROM open", "only a query"},
    {"DROP TABLE open", "only a query"},
    {"PRAGMA journal_mode = DELETE", "only a query"},
    {"PRAGMA query_only = OFF", "only a query"},
    {"ATTACH 'x' AS y", "only a query"},
    {"VACUUM INTO 'x'", ""},
    {"BEGIN", "only a query"},
    {"SELECT load_extension('x'), 1", "load_extension"},
    {"SELECT fts3_tokenizer('x'), 1", "fts3_tokenizer"},
    {"SELECT id, v FROM open; DELETE FROM open", "more than one statement"},
    {"SELECT id, v FROM open; SELECT 1", "more than one statement"},
    {"SELECT id FROM open", "gives 1 columns instead of 2"},
    {"", "empty"},
};

static ds_rc read_untrusted(ds_db *db, const ds_shape *shape, const char *text, ds_error *err)
{
    static const ds_relation ALLOWED[] = {
        {"", "open"}, {"", "view"}, {"", "plain_view"}, {"", "deep_view"}, {"", "gone"}};
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    sql_user_text(&q, text);
    ds_read read = {.select = &q, .shape = shape, .untrusted = true, .allowed = ALLOWED, .allowed_count = 5};
    ds_reader *reader = NULL;
    TRY(db->driver->read_open(db, &read, &reader, err));
    ds_rc rc = DS_DONE;
    for (bool more = true; more && rc.code == DS_OK;)
        rc = db->driver->read_next(reader, &rows, 10, 1000, &more, err);
    db->driver->read_close(reader);
    return rc;
}

static void untrusted_queries(void **state)
{
    fixture *f = *state;
    ds_error err;
    ds_db *db = create(f);
    const ds_shape *shape = shape_of(f, "bigint", "bigint");
    static const char *const DDL[] = {
        "CREATE TABLE open (id INTEGER, v INTEGER)",
        "INSERT INTO open VALUES (1, 1), (2, 2)",
        "CREATE TABLE secret (id INTEGER, v INTEGER)",
        "INSERT INTO secret VALUES (66, 66)",
        "CREATE TABLE behind (id INTEGER, v INTEGER)",
        "INSERT INTO behind VALUES (3, 3)",
        "CREATE VIEW plain_view AS SELECT id, v FROM behind",
        "CREATE VIEW deeper_view AS SELECT id, v FROM (SELECT id, v FROM behind) WHERE v IN (SELECT id FROM behind)",
        "CREATE VIEW deep_view AS WITH c AS (SELECT * FROM deeper_view) SELECT id, v FROM c UNION SELECT 7, 7",
        "CREATE VIEW view AS SELECT id, v FROM secret WHERE v > 99",
        "CREATE VIEW other_view AS SELECT id, v FROM secret",
    };
    for (size_t i = 0; i < sizeof DDL / sizeof DDL[0]; i++)
        OK(run(db, DDL[i], &err));
    for (size_t i = 0; i < sizeof UNTRUSTED / sizeof UNTRUSTED[0]; i++) {
        if (UNTRUSTED[i].refusal)
            FAILS(read_untrusted(db, shape, UNTRUSTED[i].text, &err), DS_FINDING, UNTRUSTED[i].refusal);
        else
            OK(read_untrusted(db, shape, UNTRUSTED[i].text, &err));
    }
    // The connection is as free as before.
    OK(run(db, "INSERT INTO secret VALUES (2, 2)", &err));
    assert_string_equal(ask(f, db, "SELECT count(*) FROM open"), "2");
    store_close(db);
}

#define SQLITE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(files_that_are_no_database),
        SQLITE_TEST(a_damaged_file),
        SQLITE_TEST(names_are_file_names),
        SQLITE_TEST(settings_of_a_writer),
        SQLITE_TEST(failures_of_the_disk),
        SQLITE_TEST(permissions),
        SQLITE_TEST(many_open_a_new_file),
        SQLITE_TEST(lock_file_is_found_through_links),
        SQLITE_TEST(stale_snapshot_may_not_write),
        SQLITE_TEST(nothing_runs_after_a_rollback_by_itself),
        SQLITE_TEST(a_flag_of_the_process_interrupts),
        SQLITE_TEST(values_are_held_as_documented),
        SQLITE_TEST(values_of_sources),
        SQLITE_TEST(refusals_name_the_row),
        SQLITE_TEST(reading_goes_on_after_a_bad_value),
        SQLITE_TEST(utf16_databases),
        SQLITE_TEST(catalogue_of_odd_tables),
        SQLITE_TEST(untrusted_queries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
