#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/flag.h"
#include "schema/value.h"
#include "store/sqlite/sqlite_int.h"

enum { PROGRESS_STEPS = 20000 };

// --- before SQLite sees the file: it would open a directory, wait on a pipe and make a missing file

static ds_rc fail_missing(const ds_target *target, const ds_open_options *options, const char *label, int error_number,
                          ds_error *err)
{
    if (error_number != ENOENT && error_number != ENOTDIR)
        return ds_fail_errno(err, error_number, "can't look at", label);
    ds_rc rc = ds_fail(err, DS_ENV, "%s: no such file", label);
    if (options->create && !options->read_only)
        return ds_hint(rc, err, "its directory is missing: make it first");
    return target->path[0] == '/'
               ? ds_hint(rc, err, "check the container's path")
               : ds_hint(rc, err, "check the container's path; relative paths start at the model's directory");
}

static ds_rc check_file(const ds_target *target, const ds_open_options *options, const char *label, ds_error *err)
{
    struct stat st;
    if (stat(target->path, &st) != 0) {
        int error_number = errno;
        CLEANUP(buf_release) ds_buf dir = BUF_INIT(FILE_PATH_MAX);
        const char *slash = strrchr(target->path, '/');
        buf_put(&dir, target->path, slash ? (size_t)(slash - target->path) + 1 : 0);
        if (options->create && !options->read_only && error_number == ENOENT && (!slash || file_is_dir(buf_text(&dir))))
            return DS_DONE;
        return fail_missing(target, options, label, error_number, err);
    }
    if (S_ISDIR(st.st_mode))
        return ds_hint(ds_fail(err, DS_ENV, "%s: is a directory", label), err, "the path must name the database file");
    if (!S_ISREG(st.st_mode))
        return ds_fail(err, DS_ENV, "%s: not a regular file", label);
    if (access(target->path, options->read_only ? R_OK : R_OK | W_OK) != 0)
        return ds_fail_errno(err, errno, options->read_only ? "can't read" : "can't write", label);
    return DS_DONE;
}

// A file in WAL mode says so in its header (bytes 18 and 19: file format versions).
static bool header_says_wal(const char *path)
{
    unsigned char version = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool wal = pread(fd, &version, 1, 19) == 1 && version == 2;
    close(fd);
    return wal;
}

// --- the connection's settings

bool sqlite_cancelled(const ds_sqlite *db)
{
    return atomic_load_explicit(&db->cancelled, memory_order_relaxed) || flag_is_set(db->stop);
}

bool sqlite_overdue(const ds_sqlite *db)
{
    return db->deadline_s > 0 && clock_elapsed_s() > db->deadline_s;
}

static int on_busy(void *context, int count)
{
    static const int WAITS_MS[] = {1, 1, 2, 5, 10, 10, 25, 25};
    ds_sqlite *db = context;
    double now_s = clock_elapsed_s();
    if (count == 0)
        db->busy_since_s = now_s;
    double left_ms = db->busy_timeout_ms - (now_s - db->busy_since_s) * 1000;
    if (left_ms <= 0 || sqlite_cancelled(db))
        return 0;
    int last = (int)(sizeof WAITS_MS / sizeof WAITS_MS[0]) - 1;
    double wait_ms = WAITS_MS[count < last ? count : last];
    wait_ms = wait_ms < left_ms ? wait_ms : left_ms;
    nanosleep(&(struct timespec){.tv_nsec = (long)(wait_ms * 1e6)}, NULL);
    return 1;
}

static int on_progress(void *context)
{
    ds_sqlite *db = context;
    return sqlite_cancelled(db) || sqlite_overdue(db);
}

// Numbers that SQLite can only hold as the text of their digits, in their order.
static int compare_numbers(void *context, int a_bytes, const void *a, int b_bytes, const void *b)
{
    (void)context;
    return number_text_compare((ds_str){a, (size_t)a_bytes}, (ds_str){b, (size_t)b_bytes});
}

// What no database of anybody may do to us. DQS: otherwise "no such column" would be read as a text.
static void harden(ds_sqlite *db)
{
    static const struct {
        int option, value;
    } SETTINGS[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 0},
    };
    for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++)
        sqlite3_db_config(db->handle, SETTINGS[i].option, SETTINGS[i].value, NULL);
    sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_busy_handler(db->handle, on_busy, db);
    sqlite3_progress_handler(db->handle, PROGRESS_STEPS, on_progress, db);
    // Finds damage before it is taken for rows; measured: 1 % of a scan.
    sqlite3_exec(db->handle, "PRAGMA cell_size_check = ON", NULL, NULL, NULL);
}

static ds_rc run(ds_sqlite *db, const char *text, ds_error *err)
{
    int code = sqlite3_exec(db->handle, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? DS_DONE : sqlite_fail(db, code, err);
}

static int first_text(void *context, int columns, char **values, char **names)
{
    (void)names;
    snprintf(context, 16, "%s", columns && values[0] ? values[0] : "");
    return 0;
}

// Two openers of a new file may both want to switch it: SQLite tells one that it is busy without waiting.
static ds_rc set_wal(ds_sqlite *db, ds_error *err)
{
    char mode[16] = "";
    int code;
    double end_s = clock_elapsed_s() + db->busy_timeout_ms / 1000.0;
    for (;;) {
        code = sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", first_text, mode, NULL);
        if ((code & 0xff) != SQLITE_BUSY || clock_elapsed_s() >= end_s)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (code != SQLITE_OK)
        return sqlite_fail(db, code, err);
    if (strcmp(mode, "wal") != 0)
        return ds_hint(ds_fail(err, DS_ENV, "%s: can't be written in WAL mode (it stays in \"%s\")", db->label, mode),
                       err, "use a local file system");
    return DS_DONE;
}

static ds_rc set_up_writer(ds_sqlite *db, ds_error *err)
{
    if (sqlite3_db_readonly(db->handle, "main"))
        return sqlite_fail_text(db->label, SQLITE_READONLY, 0, "the file is read-only", err);
    TRY(set_wal(db, err));
    TRY(run(db, "PRAGMA synchronous = FULL", err));
    sqlite3_exec(db->handle, "PRAGMA journal_size_limit = 67108864", NULL, NULL, NULL);
    // Large enough for an index to be sorted mostly in memory, and for a commit not to be copied back page by page.
    sqlite3_exec(db->handle, "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 8192", NULL, NULL, NULL);
    return DS_DONE;
}

// The first read: finds out that a file is no database, locked or damaged while we can still say so.
static ds_rc first_read(ds_sqlite *db, const char *path, ds_error *err)
{
    int code = sqlite3_exec(db->handle, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        return DS_DONE;
    bool cant_write = code == SQLITE_READONLY_DIRECTORY || (code & 0xff) == SQLITE_CANTOPEN;
    if (!cant_write || !header_says_wal(path))
        return sqlite_fail(db, code, err);
    ds_rc rc =
        sqlite_fail_text(db->label, code, 0, "the database is in WAL mode and its directory can't be written", err);
    return ds_hint(rc, err, "readers, too, make files beside it (-wal, -shm): allow writing to the directory");
}

// SQLite counts every allocation under one lock of the process; with a reader on each side that lock is busy.
static void without_memory_statistics(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); // refused, and harmless, once somebody has used SQLite
}

static ds_rc connect(ds_sqlite *db, const ds_target *target, const ds_open_options *options, ds_error *err)
{
    // Names that mean something to SQLite (":memory:", "file:...") are file names to us.
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    if (target->path[0] != '/')
        buf_puts(&path, "./");
    buf_puts(&path, target->path);
    if (!buf_ok(&path))
        return ds_fail(err, DS_ENV, "%s: the path is too long", db->label);

    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, without_memory_statistics);
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    flags |= options->create && !options->read_only ? SQLITE_OPEN_CREATE : 0;
    int code = sqlite3_open_v2(buf_text(&path), &db->handle, flags, NULL);
    if (!db->handle)
        BUG("out of memory in SQLite");
    if (code != SQLITE_OK)
        return sqlite_fail(db, code, err);
    harden(db);
    sqlite3_create_collation(db->handle, SQLITE_NUMBERS, SQLITE_UTF8, NULL, compare_numbers);
    TRY(first_read(db, target->path, err));
    return options->read_only ? DS_DONE : set_up_writer(db, err);
}

static char *make_label(const ds_target *target)
{
    char *label;
    int n = target->name && target->name[0] ? asprintf(&label, "%s (%s)", target->name, target->path)
                                            : asprintf(&label, "%s", target->path);
    if (n < 0)
        BUG("out of memory");
    return label;
}

ds_rc sqlite_open(const ds_driver *self, const ds_target *target, const ds_open_options *options, ds_db **out,
                  ds_error *err)
{
    if (!target->path || !target->path[0])
        return ds_fail(err, DS_FINDING, "container \"%s\" has no path", target->name ? target->name : "");
    ds_sqlite *db = calloc(1, sizeof *db);
    if (!db)
        BUG("out of memory");
    *db = (ds_sqlite){
        .db = {.driver = self, .dialect = self->dialect},
        .label = make_label(target),
        .clock = options->clock ? options->clock : clock_system(),
        .busy_timeout_ms = options->busy_timeout_ms,
        .stop = options->cancelled,
        .lock_fd = -1,
    };
    ds_rc rc = check_file(target, options, db->label, err);
    if (rc.code == DS_OK)
        rc = connect(db, target, options, err);
    if (rc.code != DS_OK)
        sqlite_close(&db->db);
    else
        *out = &db->db;
    return rc;
}

void sqlite_close(ds_db *base)
{
    ds_sqlite *db = (ds_sqlite *)base;
    if (!db)
        return;
    sqlite_rollback(base);
    if (sqlite3_close(db->handle) != SQLITE_OK)
        BUG("%s: closed while a reader or a writer is open", db->label);
    sqlite_lock_close(db);
    free(db->label);
    free(db);
}
