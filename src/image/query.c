#include "image/query.h"

#include <stdlib.h>
#include <strings.h>

#include "image/packed_int.h"

struct ds_query {
    ds_image *image;
    sqlite3_stmt *statement;
    ds_buf hex; // of a blob
    char refused[160];
    bool reads[IMAGE_TABLE_COUNT];
    sqlite3_stmt *put[IMAGE_TABLE_COUNT]; // of late tables
};

// --- what may be asked

static bool has_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; name && i < n; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int refuse(ds_query *q, const char *what, const char *name)
{
    if (!q->refused[0])
        snprintf(q->refused, sizeof q->refused, "%s%.100s", what, name ? name : "");
    return SQLITE_DENY;
}

// Functions that reach beyond the database.
static const char *const FORBIDDEN[] = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"};

static void note_read(ds_query *q, const char *table)
{
    for (size_t i = 0; table && i < IMAGE_TABLE_COUNT; i++)
        q->reads[i] |= strcasecmp(IMAGE_TABLES[i].name, table) == 0;
}

static int authorize(void *context, int action, const char *first, const char *second, const char *schema,
                     const char *view)
{
    (void)schema, (void)view;
    ds_query *q = context;
    if (q->image->ours)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        if (has_name(IMAGE_INNER_NAMES, COUNT(IMAGE_INNER_NAMES), first) || strncasecmp(first, "sqlite_", 7) == 0)
            return refuse(q, "no such table: ", first);
        note_read(q, first);
        return SQLITE_OK;
    case SQLITE_FUNCTION:
        return has_name(FORBIDDEN, COUNT(FORBIDDEN), second) ? refuse(q, "no such function: ", second) : SQLITE_OK;
    default:
        return refuse(q, "only a query may run here: one SELECT", NULL);
    }
}

static int is_cancelled(void *flag)
{
    return *(const volatile int *)flag != 0;
}

static ds_rc make_late_tables(sqlite3 *db, ds_error *err)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(64 << 10);
    buf_puts(&sql, "PRAGMA temp_store = MEMORY;");
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++) {
        if (!IMAGE_TABLES[i].late)
            continue;
        buf_puts(&sql, "DROP TABLE IF EXISTS temp.");
        buf_puts(&sql, IMAGE_TABLES[i].name);
        buf_puts(&sql, "; CREATE TEMP TABLE ");
        image_table_shape(&IMAGE_TABLES[i], &sql);
        buf_putc(&sql, ';');
    }
    ds_assert(buf_ok(&sql));
    return sqlite3_exec(db, buf_text(&sql), NULL, NULL, NULL) == SQLITE_OK ? DS_DONE : image_fail(db, "query", err);
}

static ds_rc restrict_connection(ds_query *q, const volatile int *cancelled, ds_error *err)
{
    enum { STEPS = 10000, TEXT_MAX_BYTES = 100 << 20 };
    sqlite3 *db = q->image->db;
    if (packed_tables_add(q->image) != SQLITE_OK)
        return image_fail(db, "query", err);
    TRY(make_late_tables(db, err));
    // Table-valued functions are declared at their first use, which the authorizer would take for a CREATE TABLE.
    (void)sqlite3_exec(db, "SELECT 1 FROM json_each('[]'), json_tree('[]'), datasets, columns LIMIT 0", NULL, NULL,
                       NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL); // "misspelt" is an error, no text
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, TEXT_MAX_BYTES);
    (void)sqlite3_set_authorizer(db, authorize, q);
    if (cancelled)
        sqlite3_progress_handler(db, STEPS, is_cancelled, (void *)(uintptr_t)cancelled);
    return DS_DONE;
}

// --- statements

static ds_rc fail_missing_table(const char *message, ds_error *err)
{
    static const char KNOWN[] = "no such table: ";
    ds_rc rc = ds_fail(err, DS_USAGE, "%s", message);
    if (strncmp(message, KNOWN, sizeof KNOWN - 1) != 0)
        return rc;
    const char *names[IMAGE_TABLE_COUNT];
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++)
        names[i] = IMAGE_TABLES[i].name;
    const char *nearest = str_nearest(message + sizeof KNOWN - 1, names, IMAGE_TABLE_COUNT);
    return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest)
                   : ds_hint(rc, err, "datasurface query --tables lists them");
}

static ds_rc fail(const ds_query *q, int code, ds_error *err)
{
    sqlite3 *db = q->image->db;
    if (q->refused[0])
        return fail_missing_table(q->refused, err);
    if ((code & 0xFF) == SQLITE_INTERRUPT)
        return ds_fail(err, DS_CANCELLED, "the query was interrupted");
    if ((code & 0xFF) == SQLITE_ERROR || (code & 0xFF) == SQLITE_TOOBIG || (code & 0xFF) == SQLITE_MISMATCH)
        return fail_missing_table(sqlite3_errmsg(db), err);
    return image_fail(db, "query", err);
}

static ds_rc prepare(ds_query *q, const char *sql, ds_error *err)
{
    sqlite3_stmt *more = NULL;
    const char *rest = NULL;
    int code = sqlite3_prepare_v2(q->image->db, sql, -1, &q->statement, &rest);
    if (code != SQLITE_OK)
        return fail(q, code, err);
    if (!q->statement)
        return ds_fail(err, DS_USAGE, "there is no query in \"%s\"", sql);
    code = sqlite3_prepare_v2(q->image->db, rest, -1, &more, NULL);
    bool alone = code == SQLITE_OK && !more;
    image_finalizep(&more);
    return alone ? DS_DONE : ds_fail(err, DS_USAGE, "one query at a time: there is more behind the first");
}

ds_rc query_open(ds_image *image, const char *sql, const volatile int *cancelled, ds_query **out, ds_error *err)
{
    ds_query *q = calloc(1, sizeof *q);
    if (!q)
        BUG("out of memory");
    q->image = image;
    q->hex = BUF_INIT(64 << 20);
    ds_rc rc = restrict_connection(q, cancelled, err);
    if (rc.code == DS_OK)
        rc = prepare(q, sql, err);
    if (rc.code == DS_OK)
        *out = q;
    else
        query_closep(&q);
    return rc;
}

void query_closep(ds_query **query)
{
    ds_query *q = *query;
    *query = NULL;
    if (!q)
        return;
    image_finalizep(&q->statement);
    for (size_t i = 0; i < IMAGE_TABLE_COUNT; i++)
        image_finalizep(&q->put[i]);
    (void)sqlite3_set_authorizer(q->image->db, NULL, NULL);
    sqlite3_progress_handler(q->image->db, 0, NULL, NULL);
    buf_release(&q->hex);
    free(q);
}

// --- late tables

bool query_reads(const ds_query *q, image_table_id table)
{
    return q->reads[table];
}

static ds_rc prepare_put(ds_query *q, image_table_id table, ds_error *err)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(4096);
    image_table_insert(&IMAGE_TABLES[table], &sql);
    q->image->ours = true;
    ds_rc rc = image_prepare(q->image->db, buf_text(&sql), &q->put[table], err);
    q->image->ours = false;
    return rc;
}

ds_rc query_put(ds_query *q, image_table_id table, const char *const *cells, ds_error *err)
{
    ds_assert(IMAGE_TABLES[table].late);
    if (!q->put[table])
        TRY(prepare_put(q, table, err));
    sqlite3_stmt *put = q->put[table];
    for (size_t i = 0; i < image_table_width(&IMAGE_TABLES[table]); i++)
        (void)sqlite3_bind_text(put, (int)i + 1, cells[i], -1, SQLITE_STATIC);
    int code = sqlite3_step(put);
    (void)sqlite3_reset(put);
    return code == SQLITE_DONE ? DS_DONE : fail(q, code, err);
}

// --- rows

size_t query_width(const ds_query *q)
{
    return (size_t)sqlite3_column_count(q->statement);
}

const char *query_column(const ds_query *q, size_t i)
{
    return sqlite3_column_name(q->statement, (int)i);
}

ds_rc query_next(ds_query *q, bool *more, ds_error *err)
{
    int code = sqlite3_step(q->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return fail(q, code, err);
    *more = code == SQLITE_ROW;
    return DS_DONE;
}

ds_query_value query_value(ds_query *q, size_t column)
{
    static const ds_value_kind KINDS[] = {[SQLITE_NULL] = QUERY_NULL,
                                          [SQLITE_INTEGER] = QUERY_INT,
                                          [SQLITE_FLOAT] = QUERY_REAL,
                                          [SQLITE_TEXT] = QUERY_TEXT,
                                          [SQLITE_BLOB] = QUERY_BLOB};
    int i = (int)column;
    ds_query_value cell = {.kind = KINDS[sqlite3_column_type(q->statement, i)]};
    cell.number = cell.kind == QUERY_INT ? sqlite3_column_int64(q->statement, i) : 0;
    cell.real = cell.kind == QUERY_REAL ? sqlite3_column_double(q->statement, i) : 0;
    if (cell.kind == QUERY_BLOB) {
        ds_str bytes = image_blob(q->statement, i);
        buf_clear(&q->hex);
        buf_put_hex(&q->hex, bytes.p, bytes.n);
        cell.text = buf_str(&q->hex);
    } else {
        cell.text.p = image_text(q->statement, i);
        cell.text.n = (size_t)sqlite3_column_bytes(q->statement, i);
    }
    return cell;
}
