#include <stdio.h>
#include <string.h>

#include "store/postgres/pg_int.h"

typedef struct meaning {
    const char *state; // a SQLSTATE or the beginning of one; longer ones stand before shorter ones
    ds_code means;
    const char *hint; // NULL: none
} meaning;

// SQLSTATE classes: appendix A of PostgreSQL's manual.
static const meaning MEANINGS[] = {
    {"25006", DS_ENV, "the server only allows reading: is it a standby?"},
    {"25P03", DS_BUSY, "the server ended the transaction because this process stood still; run it again"},
    {"2BP01", DS_FINDING, "drop or change what depends on it first; nothing of others is ever dropped"},
    {"3D000", DS_ENV, "check the container's database"},
    {"40001", DS_BUSY, NULL},
    {"40P01", DS_BUSY, NULL},
    {"42501", DS_ENV, "the credential's role lacks a right; docs/postgres.md lists those that are needed"},
    {"53100", DS_ENV, "free some disk space on the server and run it again; nothing was lost"},
    {"53200", DS_ENV,
     "the server is out of memory or locks: max_locks_per_transaction must cover all tables of a stream"},
    {"53300", DS_ENV, "the server has no connection left; raise max_connections, or set limits on the container"},
    {"55006", DS_BUSY, NULL},
    {"55P03", DS_BUSY, "another session holds a lock on it; run it again"},
    {"57014", DS_ENV,
     "it was stopped on the server, by pg_cancel_backend or a very short statement_timeout; run it again"},
    {"57P01", DS_ENV, "the server is stopping, or somebody ended our session (pg_terminate_backend); run it again"},
    {"57P03", DS_ENV, "the server is starting up or shutting down; run it again"},
    {"XX001", DS_ENV, "the server reports damaged data"},
    {"XX002", DS_ENV, "the server reports a damaged index"},
    {"08", DS_ENV, "the connection was lost; run it again"},
    {"0A", DS_FINDING, NULL},
    {"22", DS_FINDING, NULL},
    {"23", DS_FINDING, NULL},
    {"28", DS_ENV, "check the credential's user and password, and the server's pg_hba.conf"},
    {"2B", DS_FINDING, NULL},
    {"3F", DS_FINDING, NULL},
    {"42", DS_FINDING, NULL},
    {"44", DS_FINDING, NULL},
    {"53", DS_ENV, NULL},
    {"54", DS_FINDING, NULL},
    {"55", DS_ENV, NULL},
    {"57", DS_ENV, "the server ended the connection; run it again"},
    {"58", DS_ENV, "check the server's disk and log"},
    {"72", DS_ENV, NULL},
    {"P0", DS_FINDING, NULL},
};

static const meaning *find(const char *state)
{
    static const meaning OTHER = {"", DS_INTERNAL, NULL};
    for (size_t i = 0; i < sizeof MEANINGS / sizeof MEANINGS[0]; i++)
        if (strncmp(state, MEANINGS[i].state, strlen(MEANINGS[i].state)) == 0)
            return &MEANINGS[i];
    return &OTHER;
}

// libpq ends its messages with a line feed, and some have several lines.
static void put_line(ds_buf *out, const char *text)
{
    size_t n = strlen(text);
    while (n && text[n - 1] == '\n')
        n--;
    for (size_t i = 0; i < n; i++)
        buf_putc(out, text[i] == '\n' || text[i] == '\t' ? ' ' : text[i]);
}

// Where "28P01: password authentication failed" begins in what libpq says about a connection that the server refused;
// pg_open has it show the state. NULL: the server had no part in it.
static const char *refusal(const char *message)
{
    enum { STATE = 5 };
    for (const char *p = strstr(message, ":  "); p; p = strstr(p + 1, ":  "))
        if (strspn(p + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == STATE && strncmp(p + 3 + STATE, ": ", 2) == 0)
            return p + 3;
    return NULL;
}

// The server's own words, without where in its source they stand.
static ds_rc fail_refused(const ds_pg *db, const char *said, ds_error *err)
{
    enum { STATE = 5 };
    CLEANUP(buf_release) ds_buf text = BUF_INIT(DS_ERROR_TEXT);
    const char *words = said + STATE + 2, *end = strstr(words, "\nLOCATION:");
    size_t n = end ? (size_t)(end - words) : strlen(words);
    buf_printf(&text, "%.*s", (int)(n < DS_ERROR_TEXT / 2 ? n : DS_ERROR_TEXT / 2), words);
    ds_rc rc = ds_fail(err, DS_ENV, "%s: no connection: %s", db->label, buf_text(&text));
    snprintf(err->state, sizeof err->state, "%.5s", said);
    const meaning *found = find(err->state);
    return ds_hint(rc, err, "%s", found->hint ? found->hint : "the server's log may say more; run it again");
}

// The client gives up before the server refuses.
static ds_rc fail_without_password(const ds_pg *db, ds_error *err)
{
    static const char STATE[] = "28P01";
    ds_rc rc = ds_fail(err, DS_ENV, "%s: no connection: the server wants a password, and there is none", db->label);
    snprintf(err->state, sizeof err->state, "%s", STATE);
    return ds_hint(rc, err, "%s", find(STATE)->hint);
}

ds_rc pg_fail_connection(ds_pg *db, ds_error *err)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(DS_ERROR_TEXT);
    const char *said = refusal(PQerrorMessage(db->conn));
    db->broken = true;
    if (said)
        return fail_refused(db, said, err);
    if (PQconnectionNeedsPassword(db->conn))
        return fail_without_password(db, err);
    put_line(&text, PQerrorMessage(db->conn));
    return ds_hint(ds_fail(err, DS_ENV, "%s: %s", db->label, text.n ? buf_text(&text) : "the connection was lost"), err,
                   "check that the server is up and can be reached; run it again");
}

// Who stands on it; the key that is there twice. Other details may show whole rows.
static bool shows_detail(const char *state)
{
    return strcmp(state, "2BP01") == 0 || strcmp(state, "23505") == 0;
}

// 42501 says on what a right is missing, and not which.
static const char *missing_right(const char *message)
{
    static const struct {
        const char *on, *right;
    } RIGHTS[] = {
        {"permission denied for table ", "SELECT"},
        {"permission denied for view ", "SELECT"},
        {"permission denied for materialized view ", "SELECT"},
        {"permission denied for foreign table ", "SELECT"},
        {"permission denied for schema ", "USAGE (and CREATE, where it makes tables or views)"},
        {"permission denied for database ", "CREATE, or schemas that an administrator has made for it,"},
        {"must be owner of ", "ownership"},
        {"query would be affected by row-level security policy ", "BYPASSRLS, or a policy that shows all rows,"},
    };
    for (size_t i = 0; i < sizeof RIGHTS / sizeof RIGHTS[0]; i++)
        if (strncmp(message, RIGHTS[i].on, strlen(RIGHTS[i].on)) == 0)
            return RIGHTS[i].right;
    return NULL;
}

static ds_rc hint_for(const ds_pg *db, const meaning *found, const char *message, ds_rc rc, ds_error *err)
{
    const char *right = strcmp(found->state, "42501") == 0 ? missing_right(message) : NULL;
    if (right)
        return ds_hint(rc, err, "role \"%s\" lacks %s there; docs/postgres.md lists what is needed", PQuser(db->conn),
                       right);
    return found->hint ? ds_hint(rc, err, "%s", found->hint) : rc;
}

ds_rc pg_fail_result(ds_pg *db, const PGresult *result, ds_error *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    db->spoilt = true;
    if (PQstatus(db->conn) == CONNECTION_BAD)
        db->broken = true;
    if (!state)
        return pg_fail_connection(db, err);
    const meaning *found = find(state);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(DS_ERROR_TEXT);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    put_line(&text, primary ? primary : "failed without a message");
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    if (detail && shows_detail(state)) {
        buf_puts(&text, ": ");
        put_line(&text, detail);
    }
    bool ours = strcmp(state, "57014") == 0 && pg_cancelled(db);
    ds_rc rc =
        ds_fail(err, ours ? DS_CANCELLED : found->means, "%s: %s", db->label, ours ? "interrupted" : buf_text(&text));
    snprintf(err->state, sizeof err->state, "%s", state);
    return ours ? rc : hint_for(db, found, buf_text(&text), rc, err);
}
