// What only PostgreSQL has: transactions whose beginning travels with their first statement, connections that are made
// in the background or get lost, what a user's select may do, views that keep their grants, policies that would hide
// rows, types without a binary form.
#include <stdio.h>

#include "store/postgres/postgres.h"
#include "store/store.h"
#include "support/check.h"
#include "support/pg_database.h"

typedef struct fixture {
    pg_database database;
    ds_secret secret;
    ds_arena *arena;
    ds_db *db;
} fixture;

static ds_rc open_db(fixture *f, const char *database, bool later, ds_db **out, ds_error *err)
{
    ds_target target = {
        .type = "postgres", .name = "Test", .host = f->database.host, .port = f->database.port, .database = database};
    ds_open_options options = {.secret = &f->secret, .later = later};
    return POSTGRES_DRIVER.open(&POSTGRES_DRIVER, &target, &options, out, err);
}

static int setup(void **state)
{
    static fixture f;
    static char password[] = PG_PASSWORD;
    f = (fixture){.arena = arena_new()};
    pg_database_new(pgserver_shared(), &f.database);
    f.secret.parts[SECRET_USER] = f.database.role;
    f.secret.parts[SECRET_PASSWORD] = password;
    ds_error err;
    OK(open_db(&f, f.database.name, false, &f.db, &err));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    POSTGRES_DRIVER.close(f->db);
    pg_database_drop(&f->database);
    arena_free(f->arena);
    return 0;
}

static const ds_shape *shape_of(fixture *f, const char *const *columns, size_t n)
{
    ds_error err;
    ds_shape_column *list = ARENA_ARRAY(f->arena, ds_shape_column, n);
    for (size_t i = 0; i < n; i++) {
        size_t at;
        list[i].name = columns[2 * i];
        OK(type_parse(f->arena, str_of(columns[2 * i + 1]), &list[i].type, &at, &err));
    }
    const ds_shape *shape = NULL;
    OK(shape_new(f->arena, list, n, NULL, 0, &shape, &err));
    return shape;
}

static ds_rc read_all(fixture *f, const ds_read *read, ds_rows *rows, ds_error *err)
{
    ds_reader *reader = NULL;
    TRY(POSTGRES_DRIVER.read_open(f->db, read, &reader, err));
    ds_rc rc = DS_DONE;
    for (bool more = true; more && rc.code == DS_OK;)
        rc = POSTGRES_DRIVER.read_next(reader, rows, 100, 100000, &more, err);
    POSTGRES_DRIVER.read_close(reader);
    return rc;
}

// --- transactions

static ds_rc run(ds_db *db, const char *statement, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_user_text(&q, statement);
    return POSTGRES_DRIVER.exec(db, &q, NULL, err);
}

static ds_rc ask(fixture *f, ds_db *db, const char *select, const char **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    sql_user_text(&q, select);
    ds_result r;
    TRY(POSTGRES_DRIVER.query(db, &q, f->arena, &r, err));
    *out = result_text(&r, 0, 0);
    return DS_DONE;
}

static const char *claims(fixture *f)
{
    return pg_query_text(&f->database,
                         "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                         "(SELECT oid FROM pg_database WHERE datname = current_database())",
                         f->arena);
}

static void a_beginning_goes_with_the_first_statement(void **state)
{
    fixture *f = *state;
    ds_error err;
    for (int names = 1; names <= 6; names++) { // more than go with BEGIN
        OK(POSTGRES_DRIVER.begin(f->db, BEGIN_WRITE, &err));
        for (int i = 0; i < names; i++)
            OK(POSTGRES_DRIVER.claim(f->db, arena_printf(f->arena, "name %d", i), &err));
        if (names == 1)
            assert_string_equal(claims(f), "0\n");
        OK(run(f->db, "CREATE TABLE t (id bigint)", &err));
        assert_string_equal(claims(f), arena_printf(f->arena, "%d\n", names));
        POSTGRES_DRIVER.rollback(f->db);
        assert_string_equal(claims(f), "0\n");
    }
    OK(POSTGRES_DRIVER.begin(f->db, BEGIN_WRITE, &err));
    OK(POSTGRES_DRIVER.claim(f->db, "nothing", &err));
    OK(POSTGRES_DRIVER.commit(f->db, &err));
    OK(POSTGRES_DRIVER.begin(f->db, BEGIN_WRITE, &err));
    OK(run(f->db, "CREATE TABLE t (id bigint)", &err));
    assert_string_equal(claims(f), "0\n"); // of the transaction before
    OK(POSTGRES_DRIVER.commit(f->db, &err));
}

static void a_failing_first_statement(void **state)
{
    fixture *f = *state;
    const char *answer;
    ds_error err;
    for (int i = 0; i < 2; i++) {
        OK(POSTGRES_DRIVER.begin(f->db, BEGIN_WRITE, &err));
        FAILS(run(f->db, "INSERT INTO absent VALUES (1)", &err), DS_FINDING, "\"absent\" does not exist");
        FAILS(run(f->db, "CREATE TABLE t (id bigint)", &err), DS_INTERNAL, "aborted");
        if (i == 0)
            POSTGRES_DRIVER.rollback(f->db);
        else
            FAILS(POSTGRES_DRIVER.commit(f->db, &err), DS_INTERNAL, "rolled back by an earlier failure");
        FAILS(run(f->db, "INSERT INTO absent VALUES (1)", &err), DS_FINDING, "\"absent\" does not exist");
        FAILS(ask(f, f->db, "SELECT 1 / 0", &answer, &err), DS_FINDING, "division by zero");
        OK(ask(f, f->db, "SHOW timezone", &answer, &err));
        assert_string_equal(answer, "UTC");
    }
    assert_string_equal(pg_query_text(&f->database, "SELECT to_regclass('t')", f->arena), "~\n");
}

static void a_query_by_itself_only_reads(void **state)
{
    fixture *f = *state;
    const char *answer;
    ds_error err;
    OK(run(f->db, "CREATE TABLE t (id bigint)", &err));
    FAILS(ask(f, f->db, "INSERT INTO t VALUES (1) RETURNING id", &answer, &err), DS_ENV, "read-only transaction");
    OK(POSTGRES_DRIVER.begin(f->db, BEGIN_WRITE, &err));
    OK(ask(f, f->db, "INSERT INTO t VALUES (2) RETURNING id", &answer, &err));
    OK(POSTGRES_DRIVER.commit(f->db, &err));
    assert_string_equal(pg_query_text(&f->database, "SELECT id FROM t", f->arena), "2\n");
}

// --- connections

static void cut(fixture *f)
{
    pg_exec_super(&f->database, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = "
                                "current_database() AND pid <> pg_backend_pid()");
}

// Where nothing was begun on the server yet, there is nothing to lose.
static void a_lost_connection(void **state)
{
    fixture *f = *state;
    const char *answer;
    ds_error err;
    OK(run(f->db, "CREATE TABLE t (id bigint)", &err));
    cut(f);
    OK(ask(f, f->db, "SELECT 7", &answer, &err));
    assert_string_equal(answer, "7");
    cut(f);
    OK(run(f->db, "INSERT INTO t VALUES (1)", &err));
    OK(POSTGRES_DRIVER.begin(f->db, BEGIN_WRITE, &err));
    OK(POSTGRES_DRIVER.claim(f->db, "name", &err));
    cut(f);
    OK(run(f->db, "INSERT INTO t VALUES (2)", &err));
    assert_string_equal(claims(f), "1\n");
    OK(POSTGRES_DRIVER.commit(f->db, &err));
    OK(POSTGRES_DRIVER.begin(f->db, BEGIN_WRITE, &err));
    OK(run(f->db, "INSERT INTO t VALUES (3)", &err));
    cut(f);
    FAILS(run(f->db, "INSERT INTO t VALUES (4)", &err), DS_ENV, "");
    FAILS(run(f->db, "INSERT INTO t VALUES (5)", &err), DS_ENV, "");
    FAILS(POSTGRES_DRIVER.commit(f->db, &err), DS_ENV, "the connection was lost");
    OK(run(f->db, "INSERT INTO t VALUES (6)", &err));
    assert_string_equal(pg_query_text(&f->database, "SELECT id FROM t ORDER BY 1", f->arena), "1\n2\n6\n");
}

static void connected_in_the_background(void **state)
{
    fixture *f = *state;
    const char *answer;
    ds_error err;
    ds_db *db;
    OK(open_db(f, f->database.name, true, &db, &err));
    POSTGRES_DRIVER.close(db);
    OK(open_db(f, f->database.name, true, &db, &err));
    OK(POSTGRES_DRIVER.begin(db, BEGIN_WRITE, &err));
    OK(run(db, "CREATE TABLE t (id bigint)", &err));
    OK(POSTGRES_DRIVER.commit(db, &err));
    POSTGRES_DRIVER.close(db);
    OK(open_db(f, "absent", true, &db, &err));
    for (int i = 0; i < 2; i++)
        FAILS(ask(f, db, "SELECT 1", &answer, &err), DS_ENV, "\"absent\" does not exist");
    POSTGRES_DRIVER.close(db);
}

// --- a user's select

static const struct {
    const char *text;
    const char *refusal; // NULL: it runs
} SELECTS[] = {
    {"SELECT id, v FROM app.open", NULL},
    {"SELECT id, v FROM app.open -- and a comment", NULL},
    {"SELECT id, v FROM app.open /* a closed one */", NULL},
    {"SELECT a.id, sum(b.v)::bigint FROM app.open AS a JOIN app.view AS b USING (id) GROUP BY 1", NULL},
    {"SELECT count(*), max(v) OVER (ORDER BY v) FROM app.open GROUP BY v", NULL},
    {"WITH view AS (SELECT 1::bigint AS id) SELECT id, id + 1 AS v FROM view", NULL},
    {"SELECT (random() * 10)::bigint, length(upper('x') || now()::text)::bigint", NULL},
    {"SELECT id, v FROM app.open WHERE v = ANY (ARRAY[1, 2]) AND 'a' < 'b' ORDER BY v DESC", NULL},
    {"VALUES (1::bigint, 2::bigint)", NULL},
    {"SELECT id, v FROM app.secret", "reads \"app\".\"secret\""},
    {"SELECT id, (SELECT max(v) FROM app.secret) FROM app.open", "reads \"app\".\"secret\""},
    {"SELECT id, v FROM app.open WHERE EXISTS (TABLE app.secret)", "reads \"app\".\"secret\""},
    {"WITH open AS (SELECT * FROM app.secret) SELECT id, v FROM open", "reads \"app\".\"secret\""},
    {"SELECT id, v FROM app.other", "reads \"app\".\"other\""},
    {"SELECT oid::bigint, 1::bigint FROM pg_class", "reads \"pg_catalog\".\"pg_class\""},
    {"SELECT 1::bigint, count(*) FROM pg_stat_activity", "reads \"pg_catalog\".\"pg_stat_activity\""},
    {"SELECT 1::bigint, length(pg_read_file('/etc/passwd'))::bigint", "may not call pg_read_file"},
    {"SELECT 1::bigint, length(set_config('a.b', 'c', false))::bigint", "may not call set_config"},
    {"SELECT 1::bigint, length(table_to_xml('app.secret', true, true, '')::text)::bigint", "may not call table_to_xml"},
    {"SELECT 1::bigint, length(query_to_xml('TABLE app.secret', true, true, '')::text)::bigint",
     "may not call query_to_xml"},
    {"SELECT 1::bigint, pg_advisory_lock(1)::text::bigint", "may not call pg_advisory_lock"},
    {"SELECT 1::bigint, app.sneaky()", "may not call sneaky"},
    {"SELECT 1::bigint, 2 OPERATOR(app.%%%) 3", "may not call sneaky"},
    {"DELETE FROM app.open RETURNING id, v", "syntax error"},
    {"WITH gone AS (DELETE FROM app.open RETURNING id, v) SELECT id, v FROM gone", ""},
    {"SELECT id, v INTO x FROM app.open", ""},
    {"SELECT id, v FROM app.open; DELETE FROM app.open", ""},
    {"SELECT id, v FROM app.open) TO STDOUT; DELETE FROM app.open; COPY (SELECT 1", ""},
    {"SELECT id, v FROM app.open) TO PROGRAM 'id' --", ""},
    {"SELECT $1, 1", ""},
    {"SELECT id FROM app.open", "gives 1 columns instead of 2"},
    {"", ""},
};

static void selects_of_users(void **state)
{
    fixture *f = *state;
    ds_error err;
    pg_exec_text(
        &f->database,
        "CREATE SCHEMA app; CREATE TABLE app.open (id bigint, v bigint); INSERT INTO app.open VALUES (1, 1), (2, 2); "
        "CREATE TABLE app.secret (id bigint, v bigint); INSERT INTO app.secret VALUES (66, 66); "
        "CREATE VIEW app.view AS SELECT id, v FROM app.secret WHERE v > 99; "
        "CREATE VIEW app.other AS SELECT id, v FROM app.secret; "
        "CREATE FUNCTION app.sneaky(a int DEFAULT 1, b int DEFAULT 1) RETURNS bigint STABLE LANGUAGE sql AS "
        "'SELECT max(v) FROM app.secret'; "
        "CREATE OPERATOR app.%%% (LEFTARG = int, RIGHTARG = int, FUNCTION = app.sneaky)");
    const ds_relation allowed[] = {{"app", "open"}, {"app", "view"}};
    const char *const columns[] = {"id", "bigint", "v", "bigint"};
    for (size_t i = 0; i < sizeof SELECTS / sizeof SELECTS[0]; i++) {
        CLEANUP(sql_release) ds_sql q = sql_new(f->db->dialect);
        CLEANUP(rows_release) ds_rows rows;
        rows_init(&rows);
        sql_user_text(&q, SELECTS[i].text);
        ds_read read = {
            .select = &q, .shape = shape_of(f, columns, 2), .untrusted = true, .allowed = allowed, .allowed_count = 2};
        if (SELECTS[i].refusal)
            FAILS(read_all(f, &read, &rows, &err), DS_FINDING, SELECTS[i].refusal);
        else
            OK(read_all(f, &read, &rows, &err));
    }
    assert_string_equal(pg_query_text(&f->database, "SELECT count(*) FROM app.open", f->arena), "2\n");
}

// --- views

static ds_rc put(fixture *f, const char *select, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(f->db->dialect);
    sql_user_text(&q, select);
    return POSTGRES_DRIVER.view_put(f->db, (ds_relation){"app", "v"}, &q, err);
}

static void views_keep_their_grants(void **state)
{
    fixture *f = *state;
    ds_error err;
    OK(POSTGRES_DRIVER.schema_put(f->db, "app", &err));
    OK(POSTGRES_DRIVER.schema_put(f->db, "app", &err));
    OK(put(f, "SELECT 1 AS a", &err));
    pg_exec_text(&f->database,
                 "GRANT SELECT ON app.v TO PUBLIC; GRANT SELECT ON app.v TO pg_monitor WITH GRANT OPTION");
    static const char GRANTS[] =
        "SELECT CASE grantee WHEN 0 THEN 'public' ELSE grantee::regrole::text END, is_grantable FROM "
        "pg_class, aclexplode(relacl) WHERE oid = 'app.v'::regclass AND grantee <> relowner ORDER BY 1";
    static const char *const SELECTS_OF_V[] = {"SELECT 2 AS a", "SELECT 2 AS a, 3 AS b", "SELECT 'x'::text AS b",
                                               "SELECT 1 AS a"};
    for (size_t i = 0; i < 4; i++) {
        OK(put(f, SELECTS_OF_V[i], &err));
        assert_string_equal(pg_query_text(&f->database, GRANTS, f->arena), "pg_monitor|t\npublic|f\n");
    }
    pg_exec_text(&f->database, "CREATE VIEW app.standing AS SELECT a + 1 AS a FROM app.v");
    OK(put(f, "SELECT 5 AS a", &err)); // in place
    assert_string_equal(pg_query_text(&f->database, "SELECT a FROM app.standing", f->arena), "6\n");
    FAILS(put(f, "SELECT 'x'::text AS b", &err), DS_FINDING, "view app.standing depends on view app.v");
    assert_string_equal(pg_query_text(&f->database, "SELECT a FROM app.v", f->arena), "5\n");
}

// --- rows and values

static void hidden_rows_are_an_error(void **state)
{
    fixture *f = *state;
    ds_error err;
    pg_exec_text(&f->database,
                 "CREATE TABLE t (id bigint); INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE ROW LEVEL "
                 "SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (id = 1)");
    const char *const columns[] = {"id", "bigint"};
    CLEANUP(sql_release) ds_sql q = sql_new(f->db->dialect);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    SQL(&q, "SELECT id FROM t");
    ds_read read = {.select = &q, .shape = shape_of(f, columns, 1)};
    FAILS(read_all(f, &read, &rows, &err), DS_ENV, "row-level security");
}

// So many columns that all come from the source's `id`.
static const ds_shape *ids(fixture *f, size_t n)
{
    static const char *const NAMES[] = {"id", "again"};
    ds_error err;
    ds_shape_column *list = ARENA_ARRAY(f->arena, ds_shape_column, n);
    for (size_t i = 0; i < n; i++) {
        size_t at;
        list[i] = (ds_shape_column){.name = NAMES[i], .source = "id"};
        OK(type_parse(f->arena, str_of("text"), &list[i].type, &at, &err));
    }
    const ds_shape *shape = NULL;
    OK(shape_new(f->arena, list, n, NULL, 0, &shape, &err));
    return shape;
}

// The select is not of the table: whose row comes tells which of the two the server was asked for.
static bool is_copied(fixture *f, const char *table, const char *select, size_t n)
{
    ds_error err;
    const ds_catalog_table *found = NULL;
    OK(store_describe(f->db, f->arena, (ds_relation){"app", table}, &found, &err));
    CLEANUP(sql_release) ds_sql q = sql_new(f->db->dialect);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    sql_user_text(&q, select);
    const ds_shape *shape = ids(f, n);
    const uint32_t type = found->columns[found->n - 1].type_id, types[] = {type, type};
    ds_read read = {.select = &q,
                    .shape = shape,
                    .type_ids = types,
                    .plain = found->is_plain ? &found->relation : NULL};
    OK(read_all(f, &read, &rows, &err));
    assert_int_equal(rows.n, 1);
    ds_cell cells[2];
    row_cells(shape, rows_row(&rows, 0), cells);
    assert_memory_equal(cells[0].p, cells[0].n == 4 ? "copy" : "query", cells[0].n);
    return cells[0].n == 4;
}

// COPY of a table takes no plan. It leaves out what heirs have, and is no way to what is more than a table, to values
// that must be cast, or to a column twice.
static void plain_tables_are_copied(void **state)
{
    static const struct {
        const char *name, *ddl;
        bool copied;
        size_t columns;
    } TABLES[] = {
        {"t", "CREATE TABLE app.t (a int, id text); INSERT INTO app.t VALUES (1, 'copy')", true, 1},
        {"A \"t",
         "CREATE UNLOGGED TABLE app.\"A \"\"t\" (a int, b int PRIMARY KEY); INSERT INTO app.\"A \"\"t\" VALUES "
         "(1, 1); ALTER TABLE app.\"A \"\"t\" DROP COLUMN a, ADD COLUMN id varchar(9) DEFAULT 'copy'",
         true, 1},
        {"heir", "CREATE TABLE app.heir (id text); CREATE TABLE app.heirs () INHERITS (app.heir)", false, 1},
        {"parts", "CREATE TABLE app.parts (id text) PARTITION BY LIST (id)", false, 1},
        {"made", "CREATE TABLE app.made (a text, id text GENERATED ALWAYS AS (a) STORED)", false, 1},
        {"hides", "CREATE TABLE app.hides (id text); ALTER TABLE app.hides ENABLE ROW LEVEL SECURITY", false, 1},
        {"v", "CREATE VIEW app.v AS SELECT 'copy'::text AS id", false, 1},
        {"m", "CREATE MATERIALIZED VIEW app.m AS SELECT 'copy'::text AS id", false, 1},
        {"feels", "CREATE TYPE app.mood AS ENUM ('copy', 'query'); CREATE TABLE app.feels (id app.mood)", false, 1},
        {"twice", "CREATE TABLE app.twice (id text)", false, 2},
    };
    fixture *f = *state;
    pg_exec_text(&f->database, "CREATE SCHEMA app");
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
        pg_exec_text(&f->database, TABLES[i].ddl);
        const char *select = TABLES[i].columns == 1 ? "SELECT 'query'::text" : "SELECT 'query'::text, 'query'::text";
        assert_int_equal(is_copied(f, TABLES[i].name, select, TABLES[i].columns), TABLES[i].copied);
    }
}

// Tables of 10, 11 and 12 rows, one of half a megabyte, and one that we may not read.
enum { EXPECTED = 5, LARGE = 3, FORBIDDEN = 4 };
static void make_expected(fixture *f, ds_relation *tables)
{
    static const char *const NAMES[EXPECTED] = {"t0", "t1", "t2", "t3", "t4"};
    pg_exec_text(&f->database, "CREATE SCHEMA app");
    for (int i = 0; i < EXPECTED; i++) {
        tables[i] = (ds_relation){"app", NAMES[i]};
        pg_exec_text(&f->database, arena_printf(f->arena,
                                                "CREATE TABLE app.t%d (id text); INSERT INTO app.t%d "
                                                "SELECT repeat('x', %d) FROM generate_series(1, %d)",
                                                i, i, i == LARGE ? 1000 : 1, i == LARGE ? 500 : 10 + i));
    }
    pg_exec_text(&f->database, arena_printf(f->arena, "REVOKE ALL ON app.t%d FROM %s", FORBIDDEN, f->database.role));
}

static ds_rc read_expected(fixture *f, const ds_read *reads, int i, bool whole, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(f->db->dialect);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    SQL(&q, "SELECT id FROM ");
    sql_relation(&q, *reads[i].plain);
    ds_read read = reads[i];
    read.select = &q;
    if (!whole) {
        ds_reader *reader = NULL;
        TRY(POSTGRES_DRIVER.read_open(f->db, &read, &reader, err));
        POSTGRES_DRIVER.read_close(reader);
        return DS_DONE;
    }
    TRY(read_all(f, &read, &rows, err));
    assert_int_equal(rows.n, i == LARGE ? 500 : 10 + i);
    return DS_DONE;
}

// Whatever is done instead of what was expected, each read has its own table's rows, and the transaction goes on.
static void tables_asked_for_at_once(void **state)
{
    static const char *const ORDERS[] = {// - is a query, / leaves the next table in the middle
                                         "0123",  "03",    "3",    "",       "10", "0-123", "-0123",
                                         "0/123", "01/32", "/3/2", "0123-0", "00", "0123-"};
    static const uint32_t TEXT[] = {25};
    fixture *f = *state;
    ds_error err;
    ds_relation tables[EXPECTED];
    ds_read reads[EXPECTED];
    const char *one;
    make_expected(f, tables);
    for (int i = 0; i < EXPECTED; i++)
        reads[i] = (ds_read){.shape = ids(f, 1), .type_ids = TEXT, .plain = &tables[i]};
    for (size_t o = 0; o < sizeof ORDERS / sizeof ORDERS[0]; o++) {
        OK(POSTGRES_DRIVER.begin(f->db, BEGIN_READ, &err));
        OK(POSTGRES_DRIVER.read_expect(f->db, reads, FORBIDDEN, &err));
        for (const char *at = ORDERS[o]; *at; at++) {
            if (*at == '-')
                OK(ask(f, f->db, "SELECT 1", &one, &err));
            else if (*at == '/')
                OK(read_expected(f, reads, *++at - '0', false, &err));
            else
                OK(read_expected(f, reads, *at - '0', true, &err));
        }
        OK(POSTGRES_DRIVER.commit(f->db, &err));
    }
    OK(POSTGRES_DRIVER.begin(f->db, BEGIN_READ, &err));
    OK(POSTGRES_DRIVER.read_expect(f->db, (const ds_read[]){reads[0], reads[FORBIDDEN], reads[1]}, 3, &err));
    OK(read_expected(f, reads, 0, true, &err));
    FAILS(read_expected(f, reads, FORBIDDEN, true, &err), DS_ENV, "permission denied for table t4");
    POSTGRES_DRIVER.rollback(f->db);
    OK(ask(f, f->db, "SELECT 1", &one, &err));
}

// What has no binary form of its own comes as text; what the model's type can't take is named before a row is read.
static void types_of_sources(void **state)
{
    fixture *f = *state;
    ds_error err;
    pg_exec_text(&f->database,
                 "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN age AS integer CHECK (VALUE > 0); "
                 "CREATE TABLE t (a integer[], m mood, g age, j jsonb, i inet); "
                 "INSERT INTO t VALUES ('{1,NULL,3}', 'happy', 7, '{\"b\":1,  \"a\":[]}', '10.0.0.1/8')");
    const char *const columns[] = {"a", "array(integer)", "m", "text", "g", "integer", "i", "varchar(20)"};
    CLEANUP(sql_release) ds_sql q = sql_new(f->db->dialect);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    SQL(&q, "SELECT a, g, i, m FROM t");
    const ds_shape *shape = shape_of(f, columns, 4);
    OK(read_all(f, &(ds_read){.select = &q, .shape = shape}, &rows, &err));
    ds_cell cells[4];
    row_cells(shape, rows_row(&rows, 0), cells);
    assert_memory_equal(cells[0].p, "{1,NULL,3}", cells[0].n);
    assert_memory_equal(cells[1].p, "happy", cells[1].n);
    assert_int_equal(cell_i64(cells[2]), 7);
    assert_memory_equal(cells[3].p, "10.0.0.1/8", cells[3].n);

    const char *const wrong[] = {"m", "integer"};
    sql_clear(&q);
    SQL(&q, "SELECT m FROM t");
    FAILS(read_all(f, &(ds_read){.select = &q, .shape = shape_of(f, wrong, 1)}, &rows, &err), DS_FINDING,
          "source column changed");
}

// As PostGIS has it: a type of an extension, and a function beside it that prints well-known text.
static void geography_as_text(void **state)
{
    fixture *f = *state;
    ds_error err;
    pg_exec_text(&f->database, "CREATE SCHEMA gis; CREATE TYPE gis.geography AS (x int, y int); "
                               "CREATE FUNCTION gis.st_asewkt(g gis.geography) RETURNS text IMMUTABLE LANGUAGE sql AS "
                               "$$SELECT 'SRID=4326;POINT(' || g.x || ' ' || g.y || ')'$$; "
                               "CREATE TABLE t (at gis.geography, bare point); INSERT INTO t VALUES ((1, 2), '(3,4)')");
    const char *const columns[] = {"at", "geography(point,4326)", "bare", "geography"};
    CLEANUP(sql_release) ds_sql q = sql_new(f->db->dialect);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    SQL(&q, "SELECT at, bare FROM t");
    const ds_shape *shape = shape_of(f, columns, 2);
    OK(read_all(f, &(ds_read){.select = &q, .shape = shape}, &rows, &err));
    ds_cell cells[2];
    row_cells(shape, rows_row(&rows, 0), cells);
    assert_int_equal(cells[0].n, strlen("SRID=4326;POINT(1 2)"));
    assert_memory_equal(cells[0].p, "SRID=4326;POINT(1 2)", cells[0].n);
    assert_memory_equal(cells[1].p, "(3,4)", cells[1].n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_beginning_goes_with_the_first_statement, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failing_first_statement, setup, teardown),
        cmocka_unit_test_setup_teardown(a_query_by_itself_only_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(connected_in_the_background, setup, teardown),
        cmocka_unit_test_setup_teardown(selects_of_users, setup, teardown),
        cmocka_unit_test_setup_teardown(views_keep_their_grants, setup, teardown),
        cmocka_unit_test_setup_teardown(hidden_rows_are_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_tables_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_asked_for_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(types_of_sources, setup, teardown),
        cmocka_unit_test_setup_teardown(geography_as_text, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
