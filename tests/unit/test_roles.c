// yellow/plan/plan_roles.c: a role for each workspace, with its views and nothing else, whoever changed what meanwhile.
#include <stdio.h>

#include "support/check.h"
#include "support/estate_model.h"

#define PEOPLE "id: integer primary key, name: text"
#define ORDERS "id: integer primary key, person: integer"
static test_pair pair;

// A format with one name in it.
__attribute__((format(printf, 2, 3))) static void super(const estate *e, const char *format, ...)
{
    va_list args;
    char text[512];
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    (void)e;
    pg_exec_super(&pair.postgres, text);
}

static const char *role(const estate *e)
{
    return arena_printf(e->arena, "ws_consumer__%s", pair.postgres.name);
}

static estate_model open_estate(estate *e, bool may_create)
{
    estate_model model = {.people = PEOPLE, .orders = ORDERS, .live = "Store1/people"};
    pair_clear(&pair);
    estate_open_on(e, &pair);
    super(e, may_create ? "ALTER ROLE %s CREATEROLE" : "ALTER ROLE %s NOCREATEROLE", pair.postgres.role);
    estate_sql(e, "source.db",
               "CREATE TABLE people (id integer, name text); CREATE TABLE orders (id integer, person integer)");
    estate_use(e, &model);
    return model;
}

static bool is_there(const estate *e)
{
    return strcmp(pg_query_text(&pair.postgres,
                                arena_printf(e->arena, "SELECT count(*) FROM pg_roles WHERE rolname = '%s'", role(e)),
                                e->arena),
                  "1\n") == 0;
}

// Roles are the server's: they outlive the pair's database.
static void close_estate(estate *e)
{
    if (is_there(e))
        super(e, "DROP OWNED BY %s; DROP ROLE %s", role(e), role(e));
    estate_close(e);
}

// "SELECT ws_consumer.live__store1__people\n…": all that the role may do in the database.
static const char *rights(const estate *e)
{
    return pg_query_text(
        &pair.postgres,
        arena_printf(
            e->arena,
            "SELECT g.privilege_type || ' ' || o.name FROM (SELECT relacl AS acl, "
            "relnamespace::regnamespace || '.' || relname AS name FROM pg_class UNION ALL "
            "SELECT nspacl, nspname FROM pg_namespace UNION ALL SELECT attacl, attname FROM pg_attribute) AS o "
            "CROSS JOIN aclexplode(o.acl) AS g JOIN pg_roles AS r ON r.oid = g.grantee "
            "WHERE r.rolname = '%s' ORDER BY 1",
            role(e)),
        e->arena);
}

#define USAGE "USAGE ws_consumer\n"
#define READS_PEOPLE "SELECT ws_consumer.live__store1__people\n" USAGE

static void a_role_follows_its_views(void **state)
{
    (void)state;
    estate e;
    estate_model model = open_estate(&e, true);
    assert_non_null(strstr(estate_changes(&e, estate_plan(&e, false)), "create role ws_consumer__"));
    estate_apply(&e);
    assert_string_equal(rights(&e), READS_PEOPLE);
    assert_string_equal(pg_query_text(&pair.postgres,
                                      arena_printf(e.arena,
                                                   "SELECT rolcanlogin OR rolsuper OR rolcreatedb OR rolcreaterole OR "
                                                   "rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = '%s'",
                                                   role(&e)),
                                      e.arena),
                        "f\n");
    model.live = "Store1/people, Store1/orders";
    model.people = PEOPLE ", note: text"; // the view is made anew, and keeps what was granted
    estate_sql(&e, "source.db", "ALTER TABLE people ADD COLUMN note text");
    estate_use(&e, &model);
    assert_non_null(strstr(estate_changes(&e, estate_plan(&e, false)), "grant role ws_consumer__"));
    estate_apply(&e);
    assert_string_equal(rights(&e), "SELECT ws_consumer.live__store1__orders\n" READS_PEOPLE);
    model.live = "Store1/people";
    estate_use(&e, &model);
    estate_apply(&e);
    assert_string_equal(rights(&e), READS_PEOPLE);
    estate_job(&e, "P/Store1"); // stubs become views
    assert_string_equal(rights(&e), READS_PEOPLE);
    close_estate(&e);
}

static void what_is_too_much_is_taken_away(void **state)
{
    (void)state;
    static const struct {
        const char *grant; // a right, behind which the role's name is put
        const char *more;
        const char *left; // NULL: what was there
    } CASES[] = {
        {"GRANT SELECT ON ds_p.store1__people TO ", "", NULL},
        {"GRANT SELECT ON datasurface.stream TO ", "", NULL},
        {"GRANT UPDATE ON ws_consumer.live__store1__people TO ", "", NULL},
        {"GRANT SELECT ON ws_consumer.live__store1__people TO ", " WITH GRANT OPTION", NULL},
        {"GRANT UPDATE (id) ON ws_consumer.live__store1__people TO ", "", NULL},
        {"GRANT CREATE ON SCHEMA ws_consumer TO ", "", NULL},
        {"GRANT USAGE ON SCHEMA ds_p TO ", "", NULL},
        {"REVOKE ALL ON SCHEMA ws_consumer FROM ", "", NULL},
        {"REVOKE ALL ON ws_consumer.live__store1__people FROM ", "", NULL},
        {"SET ROLE postgres; CREATE TABLE public.other (id int); GRANT SELECT ON public.other TO ", "",
         "SELECT public.other\n" READS_PEOPLE}, // somebody else's to give
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        (void)open_estate(&e, true);
        estate_apply(&e);
        super(&e, "%s", arena_printf(e.arena, "%s%s%s", CASES[i].grant, role(&e), CASES[i].more));
        estate_apply(&e);
        assert_string_equal(rights(&e), CASES[i].left ? CASES[i].left : READS_PEOPLE);
        close_estate(&e);
    }
}

static void without_the_right_to_make_it(void **state)
{
    (void)state;
    estate e;
    (void)open_estate(&e, false);
    estate_apply(&e);
    assert_false(is_there(&e));
    super(&e, "CREATE ROLE %s", role(&e)); // an administrator does
    estate_apply(&e);
    assert_string_equal(rights(&e), READS_PEOPLE);
    close_estate(&e);
}

static void a_workspace_that_is_gone(void **state)
{
    (void)state;
    static const bool OURS[] = {true, false};
    for (size_t i = 0; i < 2; i++) {
        estate e;
        estate_model model = open_estate(&e, true);
        if (!OURS[i])
            super(&e, "CREATE ROLE %s", role(&e));
        estate_apply(&e);
        assert_string_equal(rights(&e), READS_PEOPLE);
        model.live = NULL;
        estate_use(&e, &model);
        estate_apply(&e);
        if (OURS[i])
            assert_string_equal(rights(&e), "");
        assert_true(is_there(&e));
        estate_prune(&e);
        assert_int_equal(is_there(&e), !OURS[i]);
        close_estate(&e);
    }
}

// A service leaves alone what another one in the same database has granted.
static void two_services_share_a_database(void **state)
{
    (void)state;
    estate e;
    estate_model model = open_estate(&e, true), other = model;
    estate_apply(&e);
    other.service = "Other";
    other.live = NULL;
    estate_use(&e, &other);
    estate_prune(&e);
    assert_string_equal(rights(&e), READS_PEOPLE);
    close_estate(&e);
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(a_role_follows_its_views),      cmocka_unit_test(what_is_too_much_is_taken_away),
        cmocka_unit_test(without_the_right_to_make_it),  cmocka_unit_test(a_workspace_that_is_gone),
        cmocka_unit_test(two_services_share_a_database),
    };
    if (!pair_open(&pair, "postgres"))
        return 2;
    int failed = cmocka_run_group_tests(TESTS, NULL, NULL);
    pair_close(&pair);
    return failed;
}
