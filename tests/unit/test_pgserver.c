// tests/support's own: PostgreSQL servers, databases on them.
#include "support/check.h"
#include "support/pg_database.h"

static ds_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void a_database_is_new_empty_and_its_roles_own(void **state)
{
    (void)state;
    pg_database one, other;
    pg_database_new(pgserver_shared(), &one);
    pg_database_new(pgserver_shared(), &other);
    assert_string_not_equal(one.name, other.name);
    pg_exec_text(&one, "CREATE TABLE people (id integer, name text); INSERT INTO people VALUES (1, 'x'), (null, null)");
    assert_string_equal(pg_query_text(&one, "SELECT * FROM people ORDER BY id", arena), "1|x\n~|~\n");
    assert_string_equal(pg_query_text(&other, "SELECT to_regclass('people')", arena), "~\n");
    const char *rights = "SELECT rolsuper, rolcreatedb, rolcreaterole, rolcanlogin, rolname = (SELECT tableowner FROM "
                         "pg_tables WHERE tablename = 'people') FROM pg_roles WHERE rolname = "
                         "(SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database())";
    assert_string_equal(pg_query_text(&one, rights, arena), "f|f|f|t|t\n");

    char role[PG_NAME_MAX];
    memcpy(role, one.role, sizeof role);
    pg_database_drop(&one);
    pg_database_drop(&one);
    const char *left = arena_printf(arena, "SELECT count(*) FROM pg_roles WHERE rolname = '%s'", role);
    assert_string_equal(pg_query_text(&other, left, arena), "0\n");
    pg_database_drop(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_is_new_empty_and_its_roles_own),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
