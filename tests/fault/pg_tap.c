#include "fault/pg_tap.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "store/postgres/postgres.h"

// --- the connections of the container, and their readers and writers

enum { WATCHED_MAX = 64 };
typedef struct watched {
    const void *what; // ds_db, ds_reader or ds_writer
    pg_tap *tap;
} watched;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; // guards list
static watched list[WATCHED_MAX];

static void put(const void *key, const void *what, pg_tap *tap)
{
    pthread_mutex_lock(&mutex);
    size_t i = 0;
    while (i < WATCHED_MAX && list[i].what != key)
        i++;
    if (i == WATCHED_MAX && tap)
        BUG("too much is open at a time");
    if (i < WATCHED_MAX)
        list[i] = (watched){what, tap};
    pthread_mutex_unlock(&mutex);
}

static pg_tap *tap_of(const void *what)
{
    pg_tap *tap = NULL;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < WATCHED_MAX; i++)
        if (list[i].what == what)
            tap = list[i].tap;
    pthread_mutex_unlock(&mutex);
    return tap;
}

static void tell(pg_tap *tap, const char *call)
{
    if (!tap || !tap->container)
        return;
    long n = atomic_fetch_add(&tap->calls, 1) + 1;
    if (tap->on_call)
        tap->on_call(tap->context, call, n);
}

// --- the driver

static ds_rc tap_open(const ds_driver *self, const ds_target *target, const ds_open_options *options, ds_db **out,
                      ds_error *err)
{
    pg_tap *tap = (pg_tap *)(uintptr_t)self;
    ds_open_options ours = *options;
    if (tap->busy_timeout_ms)
        ours.busy_timeout_ms = tap->busy_timeout_ms;
    if (tap->stall_timeout_ms)
        ours.stall_timeout_ms = tap->stall_timeout_ms;
    bool wanted = tap->container && strcmp(target->name, tap->container) == 0;
    if (wanted)
        tell(tap, "open");
    TRY(POSTGRES_DRIVER.open(self, target, &ours, out, err));
    if (wanted)
        put(NULL, *out, tap);
    return DS_DONE;
}

static void tap_close(ds_db *db)
{
    tell(tap_of(db), "close");
    put(db, NULL, NULL);
    POSTGRES_DRIVER.close(db);
}

static ds_rc tap_begin(ds_db *db, ds_begin kind, ds_error *err)
{
    tell(tap_of(db), "begin");
    return POSTGRES_DRIVER.begin(db, kind, err);
}

static ds_rc tap_begin_snapshot(ds_db *db, const ds_snapshot *snapshot, ds_error *err)
{
    tell(tap_of(db), "begin_snapshot");
    return POSTGRES_DRIVER.begin_snapshot(db, snapshot, err);
}

static ds_rc tap_snapshot_share(ds_db *db, ds_arena *arena, const char **out, ds_error *err)
{
    tell(tap_of(db), "snapshot_share");
    return POSTGRES_DRIVER.snapshot_share(db, arena, out, err);
}

static ds_rc tap_commit(ds_db *db, ds_error *err)
{
    tell(tap_of(db), "commit");
    return POSTGRES_DRIVER.commit(db, err);
}

static void tap_rollback(ds_db *db)
{
    tell(tap_of(db), "rollback");
    POSTGRES_DRIVER.rollback(db);
}

static ds_rc tap_exec(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err)
{
    tell(tap_of(db), "exec");
    return POSTGRES_DRIVER.exec(db, sql, affected, err);
}

static ds_rc tap_query(ds_db *db, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err)
{
    tell(tap_of(db), "query");
    return POSTGRES_DRIVER.query(db, sql, arena, out, err);
}

static ds_rc tap_describe(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n,
                          const ds_catalog_table **out, ds_error *err)
{
    tell(tap_of(db), "describe");
    return POSTGRES_DRIVER.describe(db, arena, relations, n, out, err);
}

static ds_rc tap_pages(ds_db *db, ds_relation table, int64_t *out, ds_error *err)
{
    tell(tap_of(db), "pages");
    return POSTGRES_DRIVER.pages(db, table, out, err);
}

static ds_rc tap_read_open(ds_db *db, const ds_read *read, ds_reader **out, ds_error *err)
{
    pg_tap *tap = tap_of(db);
    tell(tap, "read_open");
    TRY(POSTGRES_DRIVER.read_open(db, read, out, err));
    if (tap)
        put(NULL, *out, tap);
    return DS_DONE;
}

static ds_rc tap_read_next(ds_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more,
                           ds_error *err)
{
    tell(tap_of(reader), "read_next");
    return POSTGRES_DRIVER.read_next(reader, rows, max_rows, max_bytes, more, err);
}

static void tap_read_close(ds_reader *reader)
{
    if (!reader)
        return;
    tell(tap_of(reader), "read_close");
    put(reader, NULL, NULL);
    POSTGRES_DRIVER.read_close(reader);
}

static ds_rc tap_write_open(ds_db *db, const ds_write *write, ds_writer **out, ds_error *err)
{
    tell(tap_of(db), "write_open");
    return POSTGRES_DRIVER.write_open(db, write, out, err);
}

void pg_tap_init(pg_tap *tap)
{
    *tap = (pg_tap){.driver = POSTGRES_DRIVER};
    tap->driver.open = tap_open;
    tap->driver.close = tap_close;
    tap->driver.begin = tap_begin;
    tap->driver.begin_snapshot = tap_begin_snapshot;
    tap->driver.snapshot_share = tap_snapshot_share;
    tap->driver.commit = tap_commit;
    tap->driver.rollback = tap_rollback;
    tap->driver.exec = tap_exec;
    tap->driver.query = tap_query;
    tap->driver.describe = tap_describe;
    tap->driver.pages = tap_pages;
    tap->driver.read_open = tap_read_open;
    tap->driver.read_next = tap_read_next;
    tap->driver.read_close = tap_read_close;
    tap->driver.write_open = tap_write_open;
}

void pg_tap_arm(pg_tap *tap, const char *container, pg_tap_call on_call, void *context)
{
    tap->container = container;
    tap->on_call = on_call;
    tap->context = context;
    atomic_store(&tap->calls, 0);
}
