// A transformer's SELECT on PostgreSQL: as which role it runs, what that one may do, and what is refused before.
#include <stdio.h>

#include "support/check.h"
#include "support/estate_model.h"

#define PEOPLE "id: integer primary key, name: text"
#define WHO "SELECT id, current_user::text AS name FROM {input.Store1.people}"
static test_pair pair;

__attribute__((format(printf, 1, 2))) static void super(const char *format, ...)
{
    va_list args;
    char text[4096];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pg_exec_super(&pair.postgres, text);
}

static const char *role(const estate *e)
{
    return arena_printf(e->arena, "dq_p__masker__%s", pair.postgres.name);
}

static estate_model open_estate(estate *e, bool may_create, const char *sql)
{
    estate_model model = {.people = PEOPLE, .live = "Masked/people", .masked = PEOPLE, .sql = sql};
    pair_clear(&pair);
    estate_open_on(e, &pair);
    super(may_create ? "ALTER ROLE %s CREATEROLE" : "ALTER ROLE %s NOCREATEROLE", pair.postgres.role);
    estate_sql(e, "source.db", "CREATE TABLE people (id integer, name text); INSERT INTO people VALUES (1, 'Ann')");
    estate_use(e, &model);
    return model;
}

// Roles are the server's: they outlive the pair's database.
static void close_estate(estate *e)
{
    const char *names =
        pg_query_text(&pair.postgres,
                      arena_printf(e->arena,
                                   "SELECT string_agg(rolname, ',') FROM pg_roles WHERE rolname ~ '^(ws|dq)_.*__%s$'",
                                   pair.postgres.name),
                      e->arena);
    for (ds_str rest = str_of(names); rest.n;) {
        ds_str line = str_split(&rest, '\n');
        while (line.n) {
            ds_str name = str_split(&line, ',');
            if (name.n && name.p[0] != '~')
                super("DROP OWNED BY %.*s; DROP ROLE %.*s", STR_ARGS(name), STR_ARGS(name));
        }
    }
    estate_close(e);
}

static const char *rights(const estate *e)
{
    return pg_query_text(
        &pair.postgres,
        arena_printf(e->arena,
                     "SELECT g.privilege_type || ' ' || o.name FROM (SELECT relacl AS acl, "
                     "relnamespace::regnamespace || '.' || relname AS name FROM pg_class UNION ALL "
                     "SELECT nspacl, nspname FROM pg_namespace) AS o CROSS JOIN aclexplode(o.acl) AS g "
                     "JOIN pg_roles AS r ON r.oid = g.grantee WHERE r.rolname = '%s' ORDER BY 1",
                     role(e)),
        e->arena);
}

// Who the SELECT ran as, which it wrote into its output.
static const char *ran_as(estate *e)
{
    estate_job(e, "P/Store1");
    estate_job(e, "P/Masked");
    return estate_query(e, "merge.db", "SELECT name FROM ds_p.masked__people");
}

#define READS "SELECT ds_p.store1__people\nUSAGE ds_p\n"

static void it_runs_as_a_role_of_its_own(void **state)
{
    (void)state;
    estate e;
    estate_model model = open_estate(&e, true, WHO);
    assert_non_null(strstr(estate_changes(&e, estate_plan(&e, false)), "create role dq_p__masker__"));
    estate_apply(&e);
    assert_string_equal(rights(&e), READS);
    assert_string_equal(ran_as(&e), arena_printf(e.arena, "%s\n", role(&e)));
    model.sql = NULL;
    model.live = "Store1/people";
    estate_use(&e, &model);
    estate_prune(&e);
    assert_string_equal(
        pg_query_text(&pair.postgres,
                      arena_printf(e.arena, "SELECT count(*) FROM pg_roles WHERE rolname = '%s'", role(&e)), e.arena),
        "0\n");
    close_estate(&e);
}

// The role is what keeps it from the rows, whatever else there is.
static void without_a_right_it_reads_nothing(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    (void)open_estate(&e, true, WHO);
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    super("REVOKE SELECT ON ds_p.store1__people FROM %s", role(&e));
    FAILS(estate_try_job(&e, "P/Masked", &err), DS_ENV, "permission denied for table store1__people");
    super("GRANT INSERT ON ds_p.store1__people TO %s", role(&e));
    estate_apply(&e);
    assert_string_equal(rights(&e), READS);
    assert_string_equal(ran_as(&e), arena_printf(e.arena, "%s\n", role(&e)));
    close_estate(&e);
}

static void a_table_that_is_made_anew_can_be_read(void **state)
{
    (void)state;
    estate e;
    estate_model model = open_estate(&e, true, WHO);
    estate_apply(&e);
    model.milestoning = "scd2";
    estate_use(&e, &model);
    estate_apply(&e);
    assert_string_equal(rights(&e), READS);
    assert_string_equal(ran_as(&e), arena_printf(e.arena, "%s\n", role(&e)));
    super("DROP TABLE ds_p.store1__people CASCADE");
    estate_apply(&e);
    assert_string_equal(rights(&e), READS);
    close_estate(&e);
}

static void without_the_right_to_make_it(void **state)
{
    (void)state;
    estate e;
    (void)open_estate(&e, false, WHO);
    estate_apply(&e);
    assert_string_equal(ran_as(&e), arena_printf(e.arena, "%s\n", pair.postgres.role));
    super("CREATE ROLE %s; GRANT %s TO %s", role(&e), role(&e), pair.postgres.role); // an administrator does
    estate_apply(&e);
    assert_string_equal(rights(&e), READS);
    estate_sql(&e, "source.db", "INSERT INTO people VALUES (2, 'Bob')");
    assert_string_equal(ran_as(&e), arena_printf(e.arena, "%s\n%s\n", role(&e), role(&e)));
    close_estate(&e);
}

// What a text that wants more than its inputs comes to. What is somebody else's in the database may be anything.
static void hostile_texts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *part;
    } CASES[] = {
        {"SELECT id, set_config('role', 'none', false) AS name FROM {input.Store1.people}", "may not call set_config"},
        {"SELECT id, set_config('role', 'postgres', true) AS name FROM {input.Store1.people}", "set_config"},
        {"RESET ROLE", "not a query"},
        {"SELECT id, name FROM {input.Store1.people}; RESET ROLE", ""},
        {"SELECT id, name FROM {input.Store1.people}) AS x; RESET ROLE; SELECT * FROM (SELECT 1", ""},
        {"SELECT id, pg_read_file('/etc/passwd') AS name FROM {input.Store1.people}", "may not call pg_read_file"},
        {"SELECT lo_import('/etc/passwd')::int AS id, 'x' AS name", "may not call lo_import"},
        {"SELECT 1 AS id, lo_from_bytea(0, 'x')::text AS name", "may not call lo_from_bytea"},
        {"SELECT id, (SELECT r.x FROM dblink('', 'SELECT 1') AS r(x text)) AS name FROM {input.Store1.people}",
         "dblink"},
        {"SELECT id, pg_sleep(3600)::text AS name FROM {input.Store1.people}", "may not call pg_sleep"},
        {"SELECT nextval('app.numbers')::int AS id, 'x' AS name", "may not call nextval"},
        {"SELECT id, app.writes() AS name FROM {input.Store1.people}", "may not call writes"},
        {"SELECT id, app.lies() AS name FROM {input.Store1.people}", "may not call lies"},
        {"SELECT id, app.definer() AS name FROM {input.Store1.people}", "may not call definer"},
        {"SELECT id, app.writes_by_default() AS name FROM {input.Store1.people}", "may not call"},
        {"SELECT 1 AS id, query_to_xml('TABLE datasurface.stream', true, true, '')::text AS name", "query_to_xml"},
        {"SELECT 1 AS id, usename::text AS name FROM pg_shadow", "pg_shadow"},
        {"SELECT batch_id::int AS id, status AS name FROM datasurface.batch", "\"datasurface\".\"batch\""},
        {"WITH x AS (DELETE FROM {input.Store1.people} RETURNING 1) SELECT 1 AS id, 'x' AS name FROM x", ""},
    };
    estate e;
    estate_model model = open_estate(&e, true, WHO);
    super(
        "DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app; CREATE SEQUENCE app.numbers; CREATE TABLE app.log (t text); "
        "CREATE FUNCTION app.writes() RETURNS text LANGUAGE sql AS "
        "'INSERT INTO app.log VALUES (''x'') RETURNING t'; "
        "CREATE FUNCTION app.lies() RETURNS text IMMUTABLE LANGUAGE plpgsql AS "
        "'BEGIN PERFORM nextval(''app.numbers''); RETURN ''x''; END'; "
        "CREATE FUNCTION app.definer() RETURNS text STABLE SECURITY DEFINER LANGUAGE sql AS "
        "'SELECT max(usename)::text FROM pg_shadow'; "
        "CREATE FUNCTION app.writes_by_default(a text DEFAULT app.writes()) RETURNS text STABLE LANGUAGE sql AS "
        "'SELECT a'");
    super("GRANT ALL ON SCHEMA app TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA app TO PUBLIC; "
          "GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO PUBLIC");
    estate_apply(&e);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        model.sql = CASES[i].sql;
        estate_use(&e, &model);
        ds_error err;
        const ds_plan *plan = estate_plan(&e, false);
        assert_true(plan->refused);
        FAILS(plan_apply(&e.runtime, plan, NULL, &err), DS_FINDING, CASES[i].part);
        assert_string_equal(pg_query_text(&pair.postgres, "SELECT count(*) FROM app.log", e.arena), "0\n");
    }
    close_estate(&e);
}

// A domain's condition is no function that the text calls: it passes, and meets the role's rights.
static void what_the_text_does_not_say_has_no_more_rights(void **state)
{
    (void)state;
    estate e;
    ds_error err;
    (void)open_estate(&e, true, "SELECT id, ('x'::app.trap)::text AS name FROM {input.Store1.people}");
    super(
        "DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app; CREATE TABLE app.log (t text); GRANT ALL ON SCHEMA app TO PUBLIC; "
        "CREATE FUNCTION app.looks(text) RETURNS boolean STABLE LANGUAGE plpgsql AS "
        "'BEGIN PERFORM 1 FROM datasurface.stream; RETURN true; END'; "
        "CREATE DOMAIN app.trap AS text CHECK (app.looks(VALUE))");
    estate_apply(&e);
    estate_job(&e, "P/Store1");
    FAILS(estate_try_job(&e, "P/Masked", &err), DS_ENV, "permission denied for schema datasurface");
    close_estate(&e);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(it_runs_as_a_role_of_its_own),
        cmocka_unit_test(without_a_right_it_reads_nothing),
        cmocka_unit_test(a_table_that_is_made_anew_can_be_read),
        cmocka_unit_test(without_the_right_to_make_it),
        cmocka_unit_test(hostile_texts_are_refused),
        cmocka_unit_test(what_the_text_does_not_say_has_no_more_rights),
    };
    if (!pair_open(&pair, "postgres"))
        return 2;
    int failed = cmocka_run_group_tests(TESTS, NULL, NULL);
    pair_close(&pair);
    return failed;
}
