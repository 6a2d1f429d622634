#include "store/sqlite/sqlite_int.h"

static ds_rc sqlite_now(ds_db *db, int64_t *now_us, ds_error *err)
{
    (void)err;
    *now_us = clock_now_us(((ds_sqlite *)db)->clock);
    return DS_DONE;
}

static void sqlite_cancel(ds_db *db)
{
    ds_sqlite *self = (ds_sqlite *)db;
    atomic_store(&self->cancelled, true);
    sqlite3_interrupt(self->handle);
}

const ds_driver SQLITE_DRIVER = {
    .name = "sqlite",
    .dialect = &SQLITE_DIALECT,
    .open = sqlite_open,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .begin_snapshot = sqlite_begin_snapshot,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .exec = sqlite_exec,
    .query = sqlite_query,
    .read_open = sqlite_read_open,
    .read_next = sqlite_read_next,
    .read_close = sqlite_read_close,
    .write_open = sqlite_write_open,
    .write_row = sqlite_write_row,
    .write_close = sqlite_write_close,
    .write_abort = sqlite_write_abort,
    .describe = sqlite_describe,
    .list = sqlite_list,
    .prepare = sqlite_prepare,
    .view_put = sqlite_view_put,
    .rows_estimate = sqlite_rows_estimate,
    .now = sqlite_now,
    .cancel = sqlite_cancel,
    .lock_try = sqlite_lock_try,
    .lock_release = sqlite_lock_release,
};
