#include "support/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct ds_fault {
    ds_driver driver; // first: open finds its ds_fault through it
    const ds_driver *inner;
    fault_call only;
    int mode;
    ds_code code;
    long n;
    atomic_long calls, hits;
};

typedef struct fault_db {
    ds_db db; // first
    ds_db *inner;
    ds_fault *fault;
} fault_db;

typedef struct fault_stream { // a reader or a writer
    fault_db *db;
    ds_reader *reader;
    ds_writer *writer;
} fault_stream;

static const char *const NAMES[] = {
    [FAULT_ANY] = "any",
    [FAULT_OPEN] = "open",
    [FAULT_BEGIN] = "begin",
    [FAULT_COMMIT] = "commit",
    [FAULT_EXEC] = "exec",
    [FAULT_QUERY] = "query",
    [FAULT_READ_OPEN] = "read_open",
    [FAULT_READ_NEXT] = "read_next",
    [FAULT_WRITE_OPEN] = "write_open",
    [FAULT_WRITE_ROW] = "write_row",
    [FAULT_WRITE_CLOSE] = "write_close",
    [FAULT_DESCRIBE] = "describe",
    [FAULT_LIST] = "list",
    [FAULT_PREPARE] = "prepare",
    [FAULT_NOW] = "now",
    [FAULT_LOCK_TRY] = "lock_try",
};

const char *fault_call_name(fault_call call)
{
    return NAMES[call];
}

// --- the decision

// One of these per call: strikes is asked once before the work and once after it.
typedef struct shot {
    ds_fault *fault;
    fault_call call;
    long number; // 0: doesn't count
    bool hit;
} shot;

static shot aim(ds_fault *fault, fault_call call)
{
    shot s = {.fault = fault, .call = call};
    if (fault->only != FAULT_ANY && fault->only != call)
        return s;
    s.number = atomic_fetch_add(&fault->calls, 1) + 1;
    s.hit =
        ((fault->mode & FAULT_ONCE) && s.number == fault->n) || ((fault->mode & FAULT_FROM) && s.number >= fault->n);
    return s;
}

static bool strikes(const shot *s, bool after)
{
    if (!s->hit || after != !!(s->fault->mode & FAULT_AFTER))
        return false;
    if (s->fault->mode & FAULT_KILL)
        kill(getpid(), SIGKILL);
    atomic_fetch_add(&s->fault->hits, 1);
    return true;
}

static ds_rc fail(const shot *s, ds_error *err)
{
    return ds_fail(err, s->fault->code, "injected failure of %s, call %ld", NAMES[s->call], s->number);
}

// The whole of most calls: fail before, work, fail after when the work went well.
#define WITH_FAULT(fault, which, work, undo)                                                                           \
    do {                                                                                                               \
        shot shot_ = aim((fault), (which));                                                                            \
        if (strikes(&shot_, false))                                                                                    \
            return fail(&shot_, err);                                                                                  \
        TRY(work);                                                                                                     \
        if (strikes(&shot_, true)) {                                                                                   \
            undo;                                                                                                      \
            return fail(&shot_, err);                                                                                  \
        }                                                                                                              \
        return DS_DONE;                                                                                                \
    } while (0)
#define DB(db) fault_db *self = (fault_db *)(db)
#define DRIVER self->fault->inner

// --- the driver

static ds_rc open_inner(ds_fault *fault, const ds_target *target, const ds_open_options *options, ds_db **out,
                        ds_error *err)
{
    ds_db *inner;
    TRY(fault->inner->open(fault->inner, target, options, &inner, err));
    fault_db *db = calloc(1, sizeof *db);
    if (!db)
        BUG("out of memory");
    *db = (fault_db){.db = {.driver = &fault->driver, .dialect = inner->dialect}, .inner = inner, .fault = fault};
    *out = &db->db;
    return DS_DONE;
}

static void fault_close(ds_db *db)
{
    if (!db)
        return;
    DB(db);
    DRIVER->close(self->inner);
    free(self);
}

static ds_rc fault_open(const ds_driver *driver, const ds_target *target, const ds_open_options *options, ds_db **out,
                        ds_error *err)
{
    ds_fault *fault = (ds_fault *)(uintptr_t)driver;
    ds_db *db = NULL;
    shot s = aim(fault, FAULT_OPEN);
    if (strikes(&s, false))
        return fail(&s, err);
    TRY(open_inner(fault, target, options, &db, err));
    if (strikes(&s, true)) {
        fault_close(db);
        return fail(&s, err);
    }
    *out = db;
    return DS_DONE;
}

static ds_rc fault_begin(ds_db *db, ds_begin kind, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_BEGIN, DRIVER->begin(self->inner, kind, err), DRIVER->rollback(self->inner));
}

static ds_rc fault_begin_snapshot(ds_db *db, const ds_snapshot *snapshot, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_BEGIN, DRIVER->begin_snapshot(self->inner, snapshot, err),
               DRIVER->rollback(self->inner));
}

static ds_rc fault_snapshot_share(ds_db *db, ds_arena *arena, const char **out, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_QUERY, DRIVER->snapshot_share(self->inner, arena, out, err), );
}

static ds_rc fault_snapshot_check(ds_db *db, const ds_snapshot *snapshot, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_QUERY, DRIVER->snapshot_check(self->inner, snapshot, err), );
}

static ds_rc commit_or_not(fault_db *self, ds_error *err)
{
    WITH_FAULT(self->fault, FAULT_COMMIT, DRIVER->commit(self->inner, err), );
}

static ds_rc fault_commit(ds_db *db, ds_error *err)
{
    DB(db);
    ds_rc rc = commit_or_not(self, err);
    if (rc.code != DS_OK)
        DRIVER->rollback(self->inner); // as the contract says; does nothing after a real commit
    return rc;
}

static void fault_rollback(ds_db *db)
{
    DB(db);
    DRIVER->rollback(self->inner);
}

static ds_rc fault_exec(ds_db *db, const ds_sql *sql, int64_t *affected, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_EXEC, DRIVER->exec(self->inner, sql, affected, err), );
}

static ds_rc fault_query(ds_db *db, const ds_sql *sql, ds_arena *arena, ds_result *out, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_QUERY, DRIVER->query(self->inner, sql, arena, out, err), );
}

static fault_stream *stream_new(fault_db *db)
{
    fault_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        BUG("out of memory");
    stream->db = db;
    return stream;
}

static ds_rc fault_read_expect(ds_db *db, const ds_read *reads, size_t n, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_READ_OPEN, DRIVER->read_expect(self->inner, reads, n, err), );
}

static ds_rc read_open_inner(fault_db *self, const ds_read *read, ds_reader **out, ds_error *err)
{
    WITH_FAULT(self->fault, FAULT_READ_OPEN, DRIVER->read_open(self->inner, read, out, err), DRIVER->read_close(*out));
}

static ds_rc fault_read_open(ds_db *db, const ds_read *read, ds_reader **out, ds_error *err)
{
    DB(db);
    ds_reader *inner;
    TRY(read_open_inner(self, read, &inner, err));
    fault_stream *stream = stream_new(self);
    stream->reader = inner;
    *out = (ds_reader *)stream;
    return DS_DONE;
}

static ds_rc fault_read_next(ds_reader *reader, ds_rows *rows, size_t max_rows, size_t max_bytes, bool *more,
                             ds_error *err)
{
    fault_stream *stream = (fault_stream *)reader;
    DB(stream->db);
    WITH_FAULT(self->fault, FAULT_READ_NEXT, DRIVER->read_next(stream->reader, rows, max_rows, max_bytes, more, err), );
}

static void fault_read_close(ds_reader *reader)
{
    fault_stream *stream = (fault_stream *)reader;
    if (!stream)
        return;
    stream->db->fault->inner->read_close(stream->reader);
    free(stream);
}

static ds_rc write_open_inner(fault_db *self, const ds_write *write, ds_writer **out, ds_error *err)
{
    WITH_FAULT(self->fault, FAULT_WRITE_OPEN, DRIVER->write_open(self->inner, write, out, err),
               DRIVER->write_abort(*out));
}

static ds_rc fault_write_open(ds_db *db, const ds_write *write, ds_writer **out, ds_error *err)
{
    DB(db);
    ds_writer *inner;
    TRY(write_open_inner(self, write, &inner, err));
    fault_stream *stream = stream_new(self);
    stream->writer = inner;
    *out = (ds_writer *)stream;
    return DS_DONE;
}

static ds_rc fault_write_row(ds_writer *writer, const ds_system_value *system, ds_str row, ds_error *err)
{
    fault_stream *stream = (fault_stream *)writer;
    DB(stream->db);
    WITH_FAULT(self->fault, FAULT_WRITE_ROW, DRIVER->write_row(stream->writer, system, row, err), );
}

static void fault_write_abort(ds_writer *writer)
{
    fault_stream *stream = (fault_stream *)writer;
    if (!stream)
        return;
    stream->db->fault->inner->write_abort(stream->writer);
    free(stream);
}

static ds_rc write_close_inner(fault_stream *stream, int64_t *rows_written, ds_error *err)
{
    DB(stream->db);
    ds_writer *inner = stream->writer;
    shot s = aim(self->fault, FAULT_WRITE_CLOSE);
    if (strikes(&s, false)) {
        DRIVER->write_abort(inner); // frees in any case
        return fail(&s, err);
    }
    TRY(DRIVER->write_close(inner, rows_written, err));
    return strikes(&s, true) ? fail(&s, err) : DS_DONE;
}

static ds_rc fault_write_close(ds_writer *writer, int64_t *rows_written, ds_error *err)
{
    fault_stream *stream = (fault_stream *)writer;
    ds_rc rc = write_close_inner(stream, rows_written, err);
    free(stream);
    return rc;
}

static ds_rc fault_describe(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n,
                            const ds_catalog_table **out, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_DESCRIBE, DRIVER->describe(self->inner, arena, relations, n, out, err), );
}

static ds_rc fault_schema_put(ds_db *db, const char *name, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_EXEC, DRIVER->schema_put(self->inner, name, err), );
}

static ds_rc fault_view_put(ds_db *db, ds_relation view, const ds_sql *select, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_EXEC, DRIVER->view_put(self->inner, view, select, err), );
}

static ds_rc fault_pages(ds_db *db, ds_relation table, int64_t *out, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_QUERY, DRIVER->pages(self->inner, table, out, err), );
}

static ds_rc fault_rows_estimate(ds_db *db, ds_relation table, int64_t *out, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_QUERY, DRIVER->rows_estimate(self->inner, table, out, err), );
}

static ds_rc fault_claim(ds_db *db, const char *name, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_EXEC, DRIVER->claim(self->inner, name, err), );
}

static ds_rc fault_claim_break(ds_db *db, const char *name, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_EXEC, DRIVER->claim_break(self->inner, name, err), );
}

static ds_rc fault_list(ds_db *db, ds_arena *arena, const ds_catalog_table **out, size_t *n, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_LIST, DRIVER->list(self->inner, arena, out, n, err), );
}

static ds_rc fault_prepare(ds_db *db, const ds_sql *select, ds_arena *arena, const char *const **names, size_t *n,
                           ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_PREPARE, DRIVER->prepare(self->inner, select, arena, names, n, err), );
}

static ds_rc fault_now(ds_db *db, int64_t *now_us, ds_error *err)
{
    DB(db);
    WITH_FAULT(self->fault, FAULT_NOW, DRIVER->now(self->inner, now_us, err), );
}

static void fault_cancel(ds_db *db)
{
    DB(db);
    DRIVER->cancel(self->inner);
}

static ds_rc lock_try_inner(fault_db *self, const char *name, bool *held, ds_error *err)
{
    WITH_FAULT(self->fault, FAULT_LOCK_TRY, DRIVER->lock_try(self->inner, name, held, err),
               DRIVER->lock_release(self->inner, name));
}

static ds_rc fault_lock_try(ds_db *db, const char *name, bool *held, ds_error *err)
{
    DB(db);
    bool got = false;
    TRY(lock_try_inner(self, name, &got, err));
    *held = got;
    return DS_DONE;
}

static void fault_lock_release(ds_db *db, const char *name)
{
    DB(db);
    DRIVER->lock_release(self->inner, name);
}

// --- the object

ds_fault *fault_new(const ds_driver *inner)
{
    ds_fault *fault = calloc(1, sizeof *fault);
    if (!fault)
        BUG("out of memory");
    fault->inner = inner;
    fault->driver = (ds_driver){
        .name = inner->name,
        .dialect = inner->dialect,
        .open = fault_open,
        .close = fault_close,
        .begin = fault_begin,
        .commit = fault_commit,
        .rollback = fault_rollback,
        .exec = fault_exec,
        .query = fault_query,
        .read_open = fault_read_open,
        .read_next = fault_read_next,
        .read_close = fault_read_close,
        .write_open = fault_write_open,
        .write_row = fault_write_row,
        .write_close = fault_write_close,
        .write_abort = fault_write_abort,
        .describe = fault_describe,
        .list = fault_list,
        .prepare = fault_prepare,
        .now = fault_now,
        .cancel = fault_cancel,
        .lock_try = inner->lock_try ? fault_lock_try : NULL,
        .lock_release = inner->lock_release ? fault_lock_release : NULL,
        .claim = inner->claim ? fault_claim : NULL,
        .claim_break = inner->claim_break ? fault_claim_break : NULL,
        .begin_snapshot = fault_begin_snapshot,
        .snapshot_check = inner->snapshot_check ? fault_snapshot_check : NULL,
        .snapshot_share = inner->snapshot_share ? fault_snapshot_share : NULL,
        .schema_put = inner->schema_put ? fault_schema_put : NULL,
        .view_put = fault_view_put,
        .pages = inner->pages ? fault_pages : NULL,
        .rows_estimate = inner->rows_estimate ? fault_rows_estimate : NULL,
        .read_expect = inner->read_expect ? fault_read_expect : NULL,
    };
    return fault;
}

void fault_free(ds_fault *fault)
{
    free(fault);
}

const ds_driver *fault_driver(const ds_fault *fault)
{
    return &fault->driver;
}

void fault_arm_call(ds_fault *fault, fault_call call, long n, int mode, ds_code code)
{
    ds_assert(mode == FAULT_OFF || (n > 0 && (mode & (FAULT_ONCE | FAULT_FROM)) && code != DS_OK));
    fault->only = call;
    fault->n = n;
    fault->mode = mode;
    fault->code = code;
    atomic_store(&fault->calls, 0);
    atomic_store(&fault->hits, 0);
}

void fault_arm(ds_fault *fault, long n, int mode, ds_code code)
{
    fault_arm_call(fault, FAULT_ANY, n, mode, code);
}

long fault_calls(const ds_fault *fault)
{
    return atomic_load(&fault->calls);
}

long fault_hits(const ds_fault *fault)
{
    return atomic_load(&fault->hits);
}
