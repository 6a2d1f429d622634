// gate/lint.h: what no table of examples can say: limits, places, counting.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "gate/lint.h"
#include "support/example.h"
#include "support/linted.h"
#include "yellow/platform.h"

enum { TEXT_MAX = 4 << 20 };

static void too_many_columns(void **state)
{
    (void)state;
    for (int n = 4096; n <= 4097; n++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX), whole = BUF_INIT(TEXT_MAX);
        buf_puts(&text,
                 "kind: Datastore\nteam: USA/customer_data\nname: Store1\n"
                 "capture: {type: sql_snapshot, container: CustomerDB, trigger: {cron: \"*/5 * * * *\"}}\n"
                 "datasets:\n  customers:\n    classification: cpi\n    columns:\n      id: integer primary key\n");
        for (int i = 1; i < n; i++)
            buf_printf(&text, "      c%d: text\n", i);
        example_compose(buf_text(&text), &whole);
        linted r = linted_text(buf_str(&whole));
        assert_int_equal(diags_count(r.diags), n > 4096);
        if (n > 4096)
            assert_string_equal(diags_at(r.diags, 0)->rule, "L028");
        linted_free(&r);
    }
}

// A store large enough to be looked into by another way: first, last, one between, and one that isn't there.
static void large_store(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX), whole = BUF_INIT(TEXT_MAX);
    buf_puts(&text,
             "kind: Datastore\nteam: USA/customer_data\nname: Store1\n"
             "capture: {type: sql_snapshot, container: CustomerDB, trigger: {cron: \"*/5 * * * *\"}}\ndatasets:\n");
    for (int i = 99; i >= 0; i--)
        buf_printf(&text, "  t%02d: {classification: pub, columns: {id: integer primary key}}\n", i);
    buf_puts(&text, "---\nkind: Workspace\nteam: USA/analytics\nname: Consumer1\ndataset_groups:\n"
                    "  live: {sinks: [Store1/t00, Store1/t99, Store1/t50, Store1/t5, Store1/t999, Store1/a]}\n");
    example_compose(buf_text(&text), &whole);
    linted r = linted_text(buf_str(&whole));
    assert_int_equal(diags_count(r.diags), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(diags_at(r.diags, i)->rule, "L030");
    linted_free(&r);
}

// An error, a warning and an info are counted apart, and every finding has a place.
static void counts_and_places(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    example_compose("kind: Workspace\nteam: USA/analytics\nname: Consumer1\ndataset_groups:\n"
                    "  live: {sinks: [Store1/customers, Store1/customers, Store2/orders]}\n---\n"
                    "kind: GovernanceZone\nname: USA\nteams:\n"
                    "  - {name: customer_data, repository: acme/model@customer_data}\n"
                    "  - {name: analytics, repository: acme/model@analytics}\n"
                    "  - {name: later, repository: acme/model@later}\n",
                    &text);
    linted r = linted_text(buf_str(&text));
    for (int s = DIAG_INFO; s <= DIAG_ERROR; s++)
        assert_int_equal(diags_severity_count(r.diags, (ds_severity)s), 1);
    for (size_t i = 0; i < diags_count(r.diags); i++) {
        const ds_diag *d = diags_at(r.diags, i);
        assert_true(d->pos.file == 1 && d->pos.line && d->pos.column && d->object[0]);
    }
    linted_free(&r);
}

// The documentation's example, as written and on a laptop.
static void documented_example(void **state)
{
    (void)state;
    static const char *const ENVIRONMENTS[] = {NULL, "laptop"};
    const ds_platform_type *const types[] = {yellow_platform_type()};
    CLEANUP(buf_release) ds_buf dir = BUF_INIT(FILE_PATH_MAX);
    file_join(&dir, getenv("DATASURFACE_ROOT"), "tests/data/example");
    for (size_t i = 0; i < 2; i++) {
        linted r;
        ds_error err;
        ds_load_options options = {.dir = buf_text(&dir), .environment = ENVIRONMENTS[i]};
        assert_int_equal(model_load(&options, &r.model, &r.diags, &err).code, DS_OK);
        lint_model(r.model, (ds_platform_types){types, 1}, r.diags);
        assert_int_equal(diags_severity_count(r.diags, DIAG_ERROR), 0);
        assert_int_equal(diags_severity_count(r.diags, DIAG_WARNING), 0);
        assert_int_equal(r.model->datastores.n, 2);
        linted_free(&r);
    }
}

static void empty_model(void **state)
{
    (void)state;
    linted r = linted_files(NULL, NULL, 0);
    assert_int_equal(diags_count(r.diags), 1);
    assert_string_equal(diags_at(r.diags, 0)->rule, "L001");
    linted_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_many_columns), cmocka_unit_test(large_store),        cmocka_unit_test(counts_and_places),
        cmocka_unit_test(empty_model),      cmocka_unit_test(documented_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
