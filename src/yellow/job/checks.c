// A dataset's checks on the rows that consumers would see: each is one statement (checks_sql.c), and what it finds
// becomes one message.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "yellow/job/checks_int.h"

enum { KEYS_SHOWN = 5, KEYS_TEXT = 200, ENTRY_TEXT = 800, FAILURE_TEXT = 900 };

// The rows that break one check.
typedef struct broken_rows {
    const checker *checker;
    int64_t n;
    int shown;
    ds_buf keys; // of the first ones
} broken_rows;

typedef struct failures {
    ds_buf text;
    size_t more; // checks for which it has no room
} failures;

static void add_row(ds_str row, broken_rows *out)
{
    if (out->n++ != out->shown || out->shown == KEYS_SHOWN)
        return;
    CLEANUP(buf_release) ds_buf key = BUF_INIT(ROWS_BYTES_MAX);
    row_print_key(out->checker->key, row, &key);
    if (out->keys.n + key.n + 2 > KEYS_TEXT)
        return;
    buf_puts(&out->keys, out->shown++ ? ", " : "");
    buf_put_str(&out->keys, buf_str(&key));
}

static ds_rc add_rows(void *context, const ds_rows *chunk, ds_error *err)
{
    broken_rows *out = context;
    for (size_t i = 0; i < chunk->n; i++)
        add_row(rows_row(chunk, i), out);
    return lease_check(out->checker->job, err);
}

// A user's SQL may read these two tables, through the statement around it, and nothing else.
static ds_rc find_broken(const checker *c, broken_rows *out, ds_error *err)
{
    ds_db *db = c->job->control->db;
    const ds_relation own[] = {c->work->def->merge, c->work->def->staging};
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    checks_select(c, &q);
    ds_read read = {.select = &q, .shape = c->key, .salvage = true};
    if (c->check->kind == CHECK_SQL) {
        read.untrusted = true;
        read.allowed = own;
        read.allowed_count = sizeof own / sizeof own[0];
    }
    return store_read(db, &read, add_rows, out, err);
}

static void add_failure(const checker *c, const char *name, const broken_rows *rows, failures *out)
{
    CLEANUP(buf_release) ds_buf entry = BUF_INIT(ENTRY_TEXT);
    buf_printf(&entry, "%scheck %s of %s failed for %" PRId64 " row%s", out->text.n ? "; " : "", name,
               c->work->def->name, rows->n, rows->n == 1 ? "" : "s");
    if (rows->shown)
        buf_printf(&entry, ": %s%s", buf_text(&rows->keys), rows->n > rows->shown ? ", ..." : "");
    if (out->text.n + entry.n > FAILURE_TEXT)
        out->more++;
    else
        buf_put_str(&out->text, buf_str(&entry));
}

static ds_rc run_check(const checker *c, failures *out, ds_error *err)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(CHECK_TEXT_MAX);
    check_print(c->check, &name);
    broken_rows rows = {.checker = c, .keys = BUF_INIT(KEYS_TEXT)};
    ds_rc rc = find_broken(c, &rows, err);
    if (rc.code == DS_OK && rows.n)
        add_failure(c, buf_text(&name), &rows, out);
    buf_release(&rows.keys);
    return ds_context(rc, err, "check %s of %s", buf_text(&name), c->work->def->name);
}

static ds_rc fail_checks(const failures *found, ds_error *err)
{
    ds_rc rc = found->more ? ds_fail(err, DS_FINDING, "%s; and %zu more", buf_text(&found->text), found->more)
                           : ds_fail(err, DS_FINDING, "%s", buf_text(&found->text));
    return ds_hint(rc, err, "nothing was changed; the next run reads the source again: correct it there, or the check");
}

// --- a batch

static bool is_wanted(const ds_work *work)
{
    bool news = work->counts.inserted + work->counts.updated > 0;
    return work->def->check_count > 0 && work->changed && (work->check_all || news);
}

bool checks_wanted(const ds_job *job)
{
    for (size_t i = 0; i < job->work_count; i++)
        if (is_wanted(&job->work[i]))
            return true;
    return false;
}

static ds_rc run_all(ds_job *job, const ds_work *work, failures *out, ds_error *err)
{
    TRY(merge_refresh_statistics(job, work, false, err));
    const ds_shape *shape = work->def->shape;
    checker c = {.job = job, .work = work, .key = shape->key_count ? shape_of_key(job->arena, shape) : shape};
    for (size_t i = 0; i < work->def->check_count; i++) {
        c.check = &work->def->checks[i];
        TRY(run_check(&c, out, err));
    }
    return DS_DONE;
}

ds_rc checks_run(ds_job *job, ds_error *err)
{
    if (!checks_wanted(job))
        return DS_DONE;
    failures found = {.text = BUF_INIT(FAILURE_TEXT)};
    ds_rc rc = DS_DONE;
    for (size_t i = 0; rc.code == DS_OK && i < job->work_count; i++)
        if (is_wanted(&job->work[i]))
            rc = run_all(job, &job->work[i], &found, err);
    if (rc.code == DS_OK && found.text.n)
        rc = fail_checks(&found, err);
    buf_release(&found.text);
    if (rc.code == DS_OK)
        job_checkpoint(job, "checked");
    return rc;
}
