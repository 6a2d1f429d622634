// Rows out of a select and into a table.
#include <stdio.h>

#include "contract/contract.h"

static const column_text COLUMNS[] = {{"id", "integer"}, {"name", "varchar(10)"}, {"price", "decimal(10,2)"}};
static const ds_system_column SYSTEM[] = {{"ds_batch_in", SYSTEM_INT},
                                          {"ds_op", SYSTEM_TEXT},
                                          {"ds_row_hash", SYSTEM_HASH}};
enum { SYSTEM_COUNT = 3 };

// A table `t` as above, and n rows with id 1..n.
typedef struct fixture {
    ds_db *db;
    const ds_shape *shape;
    ds_write write;
} fixture;

static fixture fixture_new(contract *w)
{
    fixture f = {.db = contract_open(w), .shape = shape_of(w->arena, COLUMNS, 3, 1)};
    create_table(f.db, "t", SYSTEM, SYSTEM_COUNT, f.shape);
    f.write = (ds_write){.table = {"", "t"}, .system = SYSTEM, .system_count = SYSTEM_COUNT, .shape = f.shape};
    return f;
}

static ds_hash hash_for(int i)
{
    return (ds_hash){.low = (uint64_t)i, .high = UINT64_MAX - (uint64_t)i};
}

static void put_numbered(ds_rows *rows, const ds_shape *shape, int i)
{
    char id[12], price[16];
    snprintf(id, sizeof id, "%d", i);
    snprintf(price, sizeof price, "%d.25", i);
    put_row(rows, shape, (const char *const[]){id, i % 3 ? "some" : NULL, price});
}

static ds_rc write_rows(fixture *f, int first, int n, ds_writer *writer, ds_error *err)
{
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    for (int i = first; i < first + n; i++) {
        rows_clear(&rows);
        put_numbered(&rows, f->shape, i);
        const ds_system_value system[] = {{.i = INT64_MAX}, {.text = i % 2 ? "I" : NULL}, {.hash = hash_for(i)}};
        TRY(f->db->driver->write_row(writer, system, rows_row(&rows, 0), err));
    }
    return DS_DONE;
}

static void fill(fixture *f, int n)
{
    ds_error err;
    ds_writer *writer = NULL;
    int64_t written = -1;
    OK(store_begin(f->db, BEGIN_WRITE, &err));
    OK(f->db->driver->write_open(f->db, &f->write, &writer, &err));
    OK(write_rows(f, 1, n, writer, &err));
    OK(f->db->driver->write_close(writer, &written, &err));
    OK(store_commit(f->db, &err));
    assert_int_equal(written, n);
}

static void system_columns_are_written(void **state)
{
    contract *w = *state;
    ds_error err;
    fixture f = fixture_new(w);
    fill(&f, 3);
    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    SQL(&q, "SELECT ds_batch_in, ds_op, ds_row_hash, id, name, price FROM t ORDER BY id");
    ds_result found;
    OK(store_query(f.db, &q, w->arena, &found, &err));
    assert_int_equal(found.rows, 3);
    assert_true(result_int(&found, 0, 0) == INT64_MAX);
    assert_string_equal(result_text(&found, 0, 1), "I");
    assert_null(result_text(&found, 1, 1));
    assert_string_equal(result_text(&found, 0, 2), "fffffffffffffffe0000000000000001");
    assert_string_equal(result_text(&found, 0, 4), "some");
    assert_null(result_text(&found, 2, 4));
    assert_string_equal(result_text(&found, 2, 5), "3.25");
    store_close(f.db);
}

// What was written comes back: the same bytes, computed or stored hashes, key hashes under a seed, locators.
static void rows_come_back(void **state)
{
    contract *w = *state;
    ds_error err;
    fixture f = fixture_new(w);
    enum { N = 1000, SEED = 42 };
    fill(&f, N);
    CLEANUP(rows_release) ds_rows expected, found;
    rows_init(&expected);
    rows_init(&found);
    for (int i = 1; i <= N; i++)
        put_numbered(&expected, f.shape, i);

    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    SQL(&q, "SELECT ");
    sql_columns_to_read(&q, f.shape, false);
    SQL(&q, ", ds_row_hash, ");
    sql_add_fixed(&q, f.db->dialect->locator, strlen(f.db->dialect->locator));
    SQL(&q, " FROM t ORDER BY id");
    OK(store_begin(f.db, BEGIN_READ, &err));
    read_all(f.db, &(ds_read){.select = &q, .shape = f.shape, .has_hash = true, .has_locator = true, .key_seed = SEED},
             &found);
    OK(store_commit(f.db, &err));
    assert_int_equal(found.n, N);
    for (size_t i = 0; i < N; i++) {
        ds_str row = rows_row(&found, i);
        assert_true(str_eq(row, rows_row(&expected, i)));
        assert_true(hash_eq(found.row_hash[i], hash_for((int)i + 1)));
        assert_true(hash_eq(found.key_hash[i], row_key_hash(f.shape, row, SEED)));
        assert_true(i == 0 || found.locator[i] != found.locator[i - 1]);
    }
    rows_clear(&found);
    sql_clear(&q);
    select_rows(&q, f.shape, "t", true);
    read_all(f.db, &(ds_read){.select = &q, .shape = f.shape}, &found);
    assert_int_equal(found.n, N);
    for (size_t i = 0; i < N; i++)
        assert_true(hash_eq(found.row_hash[i], expected.row_hash[i]));
    store_close(f.db);
}

static void chunks_have_limits(void **state)
{
    contract *w = *state;
    ds_error err;
    fixture f = fixture_new(w);
    enum { N = 25 };
    fill(&f, N);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    select_rows(&q, f.shape, "t", true);
    static const struct {
        size_t max_rows, max_bytes, most;
    } CASES[] = {{1, 1 << 20, 1}, {7, 1 << 20, 7}, {100, 1, 1}, {100, 1 << 20, N}};
    for (size_t c = 0; c < sizeof CASES / sizeof CASES[0]; c++) {
        ds_reader *reader = NULL;
        size_t total = 0;
        OK(f.db->driver->read_open(f.db, &(ds_read){.select = &q, .shape = f.shape}, &reader, &err));
        for (bool more = true; more; total += rows.n) {
            rows_clear(&rows);
            OK(f.db->driver->read_next(reader, &rows, CASES[c].max_rows, CASES[c].max_bytes, &more, &err));
            assert_true(rows.n <= CASES[c].most);
#ifdef DS_STRESS
            assert_true(rows.n <= 2);
#endif
            assert_true(!more || rows.n > 0);
        }
        assert_int_equal(total, N);
        bool more = true;
        OK(f.db->driver->read_next(reader, &rows, 1, 1, &more, &err)); // the end stays the end
        assert_false(more);
        f.db->driver->read_close(reader);
    }
    f.db->driver->read_close(NULL);
    store_close(f.db);
}

static void rows_are_appended(void **state)
{
    contract *w = *state;
    fixture f = fixture_new(w);
    fill(&f, 2);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    put_numbered(&rows, f.shape, 77);
    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    select_rows(&q, f.shape, "t", true);
    read_all(f.db, &(ds_read){.select = &q, .shape = f.shape}, &rows);
    assert_int_equal(rows.n, 3);
    CLEANUP(buf_release) ds_buf key = BUF_INIT(100);
    row_print_key(f.shape, rows_row(&rows, 0), &key);
    assert_string_equal(buf_text(&key), "id=77");
    store_close(f.db);
}

static void read_of_nothing(void **state)
{
    contract *w = *state;
    fixture f = fixture_new(w);
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    select_rows(&q, f.shape, "t", false);
    read_all(f.db, &(ds_read){.select = &q, .shape = f.shape}, &rows);
    assert_int_equal(rows.n, 0);
    store_close(f.db);
}

// The first failure of opening or reading everything.
static ds_rc try_read(ds_db *db, const ds_read *read, ds_rows *rows, ds_error *err)
{
    ds_reader *reader = NULL;
    TRY(db->driver->read_open(db, read, &reader, err));
    ds_rc rc = DS_DONE;
    for (bool more = true; more && rc.code == DS_OK;)
        rc = db->driver->read_next(reader, rows, 10, 1000, &more, err);
    db->driver->read_close(reader);
    return rc;
}

// id='3' where values have no type of their own, else id=3.
static bool names_id(const ds_error *err, char id)
{
    const char quoted[] = {'i', 'd', '=', '\'', id, '\'', 0}, plain[] = {'i', 'd', '=', id, 0};
    return strstr(err->text, quoted) || strstr(err->text, plain);
}

static void reads_that_are_refused(void **state)
{
    contract *w = *state;
    ds_error err;
    fixture f = fixture_new(w);
    fill(&f, 3); // row 3 has no name
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    select_rows(&q, f.shape, "t", true);

    ds_shape_column columns[3];
    memcpy(columns, f.shape->columns, sizeof columns);
    columns[1].not_null = true;
    const ds_shape *strict = NULL;
    OK(shape_new(w->arena, columns, 3, (const uint16_t[]){0}, 1, &strict, &err));
    FAILS(try_read(f.db, &(ds_read){.select = &q, .shape = strict}, &rows, &err), DS_FINDING, "null");
    assert_true(names_id(&err, '3'));
    assert_non_null(strstr(err.text, "\"name\""));
    assert_int_equal(rows.n, 2); // those before the bad one, and no part of it
    assert_int_equal(rows.bytes.n, rows.end[1]);

    FAILS(try_read(f.db, &(ds_read){.select = &q, .shape = f.shape, .has_hash = true}, &rows, &err), DS_FINDING,
          "columns");
    const ds_shape *narrow = shape_of_key(w->arena, f.shape);
    FAILS(try_read(f.db, &(ds_read){.select = &q, .shape = narrow}, &rows, &err), DS_FINDING, "columns");

    RUN(f.db, "UPDATE t SET ds_row_hash = NULL WHERE id = 2");
    sql_clear(&q);
    SQL(&q, "SELECT id, ds_row_hash FROM t ORDER BY id");
    rows_clear(&rows);
    FAILS(try_read(f.db, &(ds_read){.select = &q, .shape = narrow, .has_hash = true}, &rows, &err), DS_FINDING,
          "damaged row hash");
    assert_true(names_id(&err, '2'));
    assert_int_equal(rows.n, 1);

    sql_clear(&q);
    SQL(&q, "SELECT id FROM missing");
    FAILS(try_read(f.db, &(ds_read){.select = &q, .shape = narrow}, &rows, &err), DS_FINDING, "missing");
    store_close(f.db);
}

// The source is bound by one snapshot, however long the reading takes.
static void reading_is_one_snapshot(void **state)
{
    contract *w = *state;
    ds_error err;
    fixture f = fixture_new(w);
    fill(&f, 100);
    ds_db *reader_db = contract_open_with(w, (ds_open_options){.read_only = true, .busy_timeout_ms = WAIT_MS});
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    select_rows(&q, f.shape, "t", true);
    ds_reader *reader = NULL;
    bool more = true;
    OK(store_begin(reader_db, BEGIN_READ, &err));
    OK(reader_db->driver->read_open(reader_db, &(ds_read){.select = &q, .shape = f.shape}, &reader, &err));
    OK(reader_db->driver->read_next(reader, &rows, 1, 1000, &more, &err));
    RUN(f.db, "DELETE FROM t");
    while (more)
        OK(reader_db->driver->read_next(reader, &rows, 10, 1000, &more, &err));
    reader_db->driver->read_close(reader);
    assert_int_equal(rows.n, 100);
    OK(store_commit(reader_db, &err));
    store_close(reader_db);
    store_close(f.db);
}

// Closed in the middle, even while it was cancelled, a read leaves the transaction and its snapshot as they were.
static void a_read_given_up_leaves_the_snapshot(void **state)
{
    contract *w = *state;
    ds_error err;
    fixture f = fixture_new(w);
    fill(&f, 5000);
    ds_db *db = contract_open_with(w, (ds_open_options){.read_only = true, .busy_timeout_ms = WAIT_MS});
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    select_rows(&q, f.shape, "t", false);
    ds_read read = {.select = &q, .shape = f.shape};
    OK(store_begin(db, BEGIN_READ, &err));
    for (int i = 0; i < 3; i++) {
        ds_reader *reader = NULL;
        bool more;
        OK(db->driver->read_open(db, &read, &reader, &err));
        OK(db->driver->read_next(reader, &rows, 1, 1000, &more, &err));
        assert_true(more);
        if (i == 1)
            db->driver->cancel(db);
        db->driver->read_close(reader);
        if (i == 0)
            RUN(f.db, "DELETE FROM t");
    }
    assert_int_equal(count_rows(db, "t"), 5000);
    rows_clear(&rows);
    read_all(db, &read, &rows);
    assert_int_equal(rows.n, 5000);
    OK(store_commit(db, &err));
    store_close(db);
    store_close(f.db);
}

// Whether it gives no row at all or one after another.
static void a_read_may_have_a_limit_of_time(void **state)
{
    contract *w = *state;
    ds_error err;
    fixture f = fixture_new(w);
    fill(&f, 10);
    for (int rows_come = 0; rows_come < 2; rows_come++) {
        ds_db *db = contract_open_with(w, (ds_open_options){.read_only = true, .busy_timeout_ms = WAIT_MS});
        CLEANUP(rows_release) ds_rows rows;
        rows_init(&rows);
        CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
        select_rows(&q, f.shape, "t", false);
        if (rows_come)
            SQL(&q, " CROSS JOIN (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT i FROM n) AS e");
        else
            SQL(&q, " WHERE (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n) SELECT count(*) FROM n) > 0");
        ds_read read = {.select = &q, .shape = f.shape, .timeout_ms = 200};
        ds_reader *reader = NULL;
        OK(store_begin(db, BEGIN_READ, &err));
        ds_rc rc = db->driver->read_open(db, &read, &reader, &err);
        for (bool more = true; rc.code == DS_OK && more; rows_clear(&rows))
            rc = db->driver->read_next(reader, &rows, 100, 1 << 16, &more, &err);
        FAILS(rc, DS_ENV, "the query was ended after 0.2 s");
        db->driver->read_close(reader);
        store_rollback(db);
        store_close(db);
    }
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    CLEANUP(sql_release) ds_sql q = sql_new(f.db->dialect);
    select_rows(&q, f.shape, "t", false);
    read_all(f.db, &(ds_read){.select = &q, .shape = f.shape, .timeout_ms = INT64_C(3600000)}, &rows);
    assert_int_equal(rows.n, 10);
    store_close(f.db);
}

static void writes_that_are_refused(void **state)
{
    contract *w = *state;
    ds_error err;
    fixture f = fixture_new(w);
    RUN(f.db, "CREATE UNIQUE INDEX u ON t (id)");
    fill(&f, 3);
    OK(store_begin(f.db, BEGIN_WRITE, &err));
    ds_writer *writer = NULL;
    OK(f.db->driver->write_open(f.db, &f.write, &writer, &err));
    OK(write_rows(&f, 4, 2, writer, &err));
    ds_rc rc = write_rows(&f, 3, 1, writer, &err);
    if (rc.code == DS_OK) { // a driver that sends rows in bulk may notice when it flushes
        rc = f.db->driver->write_close(writer, NULL, &err);
        writer = NULL;
    }
    FAILS(rc, DS_FINDING, "id");
    f.db->driver->write_abort(writer);
    f.db->driver->write_abort(NULL);
    store_rollback(f.db);
    assert_int_equal(count_rows(f.db, "t"), 3);

    ds_write missing = f.write;
    missing.table.name = "missing";
    FAILS(f.db->driver->write_open(f.db, &missing, &writer, &err), DS_FINDING, "missing");
    store_close(f.db);
}

TEST_TABLE(STREAM, CONTRACT(system_columns_are_written), CONTRACT(rows_come_back), CONTRACT(chunks_have_limits),
           CONTRACT(rows_are_appended), CONTRACT(read_of_nothing), CONTRACT(reads_that_are_refused),
           CONTRACT(reading_is_one_snapshot), CONTRACT(a_read_given_up_leaves_the_snapshot),
           CONTRACT(a_read_may_have_a_limit_of_time), CONTRACT(writes_that_are_refused), );
