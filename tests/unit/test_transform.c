// yellow/job/transform.h: a transformer's SELECT is a user's text.
#include "store/sqlite/sqlite.h"
#include "support/check.h"
#include "support/estate_model.h"

#define PEOPLE "id: integer primary key, name: text"
#define ORDERS "id: integer primary key, person: integer"

// Only what is declared as input, and only what a query may do: plan says so, not the first batch.
static void reads_its_inputs_only(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *part;
    } CASES[] = {
        {"SELECT id, name FROM ds_p__store1__people", NULL}, // its input by the physical name
        {"SELECT i.id, 'x' AS name FROM {input.Store1.people} i JOIN ds_p__store1__orders o ON o.id = i.id",
         "ds_p__store1__orders"},
        {"SELECT batch_id AS id, status AS name FROM datasurface__batch", "datasurface__batch"},
        {"SELECT 1 AS id, name FROM sqlite_schema", "sqlite_"},
        {"SELECT id, load_extension('x') AS name FROM {input.Store1.people}", "load_extension"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        estate e;
        ds_error err;
        estate_model model = {.people = PEOPLE, .orders = ORDERS, .live = "Store1/people, Store1/orders"};
        estate_open(&e, &SQLITE_DRIVER);
        estate_sql(&e, "source.db", "CREATE TABLE people (id, name); CREATE TABLE orders (id, person)");
        estate_use(&e, &model);
        estate_apply(&e);
        model.live = "Masked/people";
        model.sql = "SELECT id, '***' AS name FROM {input.Store1.people}";
        model.masked = PEOPLE;
        estate_use(&e, &model);
        estate_apply(&e);
        model.sql = CASES[i].sql;
        estate_use(&e, &model);
        const ds_plan *plan = estate_plan(&e, false);
        assert_int_equal(plan->refused, CASES[i].part != NULL);
        if (CASES[i].part)
            FAILS(plan_apply(&e.runtime, plan, NULL, &err), DS_FINDING, CASES[i].part);
        else
            estate_apply(&e);
        estate_close(&e);
    }
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(reads_its_inputs_only),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
