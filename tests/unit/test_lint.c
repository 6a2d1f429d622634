// gate/lint.h: what no table of examples can say: order, limits, half-broken models, counting.
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
#include "yellow/platform.h"

enum { TEXT_MAX = 4 << 20, FILES_MAX = 64 };

typedef struct linted {
    ds_model *model;
    ds_diags *diags;
} linted;

static linted lint_files(const char *const *paths, const ds_str *texts, size_t n)
{
    const ds_platform_type *const types[] = {yellow_platform_type()};
    linted r;
    ds_error err;
    assert_int_equal(model_load_texts(paths, texts, n, NULL, &r.model, &r.diags, &err).code, DS_OK);
    lint_model(r.model, (ds_platform_types){types, 1}, r.diags);
    return r;
}

static linted lint_text_of(const char *text)
{
    const char *path = "m.yaml";
    ds_str whole = str_of(text);
    return lint_files(&path, &whole, 1);
}

static void linted_free(linted *r)
{
    diags_free(r->diags);
    model_free(r->model);
}

// A model with something of everything: policies, a transformer, hints, limits, an Environment, findings of all kinds.
static const char RICH[] =
    "kind: GovernanceZone\nname: USA\nteams:\n  - {name: customer_data, repository: acme/model@customer_data}\n"
    "  - {name: analytics, repository: acme/model@analytics}\n  - {name: idle, repository: acme/model@idle}\n"
    "policies:\n  locations: {allow: [\"MyCorp:USA/NY_1\"], deny: [\"MyCorp:USA\"]}\n  vendors: {allow: [MyCorp]}\n"
    "  hard_vendors: {deny: [private]}\n  platforms: {deny: [YellowLive, Nothing]}\n"
    "  classifications: {allow: [pub]}\n  retention: {deny: [7y]}\n"
    "---\n"
    "kind: Workspace\nteam: USA/analytics\nname: Consumer1\nproduction: true\ncontainer: MergeDB\ncredential: merge-rw\n"
    "dataset_groups:\n  live:\n    requires: {history: live, latency: seconds}\n"
    "    sinks: [Store1/customers, Masked/customers, Store9/x, Store1/y, Store1/customers]\n"
    "  audit:\n    requires: {history: full, retention: 7y}\n    sinks: [{dataset: Store1/log, allow_deprecated: true}]\n"
    "---\n"
    "kind: Workspace\nteam: USA/customer_data\nname: Masker\ndataset_groups:\n"
    "  input: {requires: {latency: hours}, sinks: [Store1/customers, Masked/customers]}\n"
    "transformer:\n  name: mask\n  trigger: {cron: \"61 * * * *\", timezone: Nowhere}\n"
    "  run: {sql: {customers: {sqlite: \"SELECT {a.b.c} {\"}, other: \"SELECT 1\"}}\n"
    "  output:\n    datastore: Masked\n    datasets: {customers: {columns: {id: integer}}, more: {columns: {id: integer "
    "primary key}}}\n"
    "---\n"
    "kind: Datastore\nteam: USA/customer_data\nname: Store1\nproduction: true\nconsumers: [Consumer1/live/customers, A/b]\n"
    "capture:\n  type: sql_watermark\n  container: CustomerDB\n  credential: merge_rw\n  watermark: {column: at}\n"
    "  bad_rows: {reject: 3}\n  trigger: {cron: \"0 0 * * *\"}\n"
    "datasets:\n  customers: {deprecated: true, primary_key: [id, nope], columns: {id: integer null, name: text}}\n"
    "  log: {key: none, deprecated: gone soon, columns: {at: \"geography(point)\", id: integer primary key}}\n"
    "---\n"
    "kind: PlatformService\nname: Yellow_NY\nlocations: [\"Other:X\"]\nmerge: {container: MergeDB, credential: merge_rw}\n"
    "containers: {MergeDB: {type: sqlite, path: merge.db, locations: [\"MyCorp:USA/NJ_1\"]}}\n"
    "platforms:\n  YellowLive: {type: yellow, milestoning: scd1}\n  YellowForensic: {type: yellow, milestoning: scd2}\n"
    "hints: {streams: {Store1/customers: {workers: 2}, Store7: {workers: 2}}}\nlimits: {NoDB: {connections: 1}}\n"
    "assignments:\n  - group: Consumer1/live\n    platforms:\n"
    "      - {platform: YellowLive, status: provisioned}\n      - {platform: YellowForensic, status: provisioned}\n"
    "  - {group: Consumer1/audit, platforms: [{platform: YellowLive, status: provisioned}]}\n"
    "  - {group: Masker/input, platforms: [{platform: YellowLive, status: provisioned}]}\n"
    "  - {group: Consumer1/none, platforms: [{platform: Yelow, status: provisioned}]}\n"
    "primary_ingestion: {Store1: YellowForensic, Store8: Nothing}\n"
    "---\n"
    "kind: Environment\nname: laptop\ncontainers: {MergeDB: {type: postgres, host: \"-bad\", database: m}}\n";

static size_t split_documents(ds_str text, ds_str *out)
{
    size_t n = 0;
    const char *start = text.p;
    while (text.n) {
        ds_str line = str_split(&text, '\n');
        if (!str_eq(line, STR("---")))
            continue;
        out[n++] = (ds_str){start, (size_t)(line.p - start)};
        start = text.p;
    }
    out[n++] = (ds_str){start, (size_t)(text.p - start)};
    return n;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Severity, rule, object and message of every finding, sorted: places differ with the files.
static void print_findings(const linted *r, ds_buf *out)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    size_t n = diags_count(r->diags);
    char **lines = ARENA_ARRAY(arena, char *, n);
    for (size_t i = 0; i < n; i++) {
        const ds_diag *d = diags_at(r->diags, i);
        lines[i] = arena_printf(arena, "%s %s %s %s\n", severity_name(d->severity), d->rule, d->object, d->message);
    }
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++)
        buf_puts(out, lines[i]);
}

static void order_of_files(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX), expected = BUF_INIT(TEXT_MAX);
    example_compose(RICH, &text);
    ds_str documents[FILES_MAX], rotated[FILES_MAX];
    char paths[FILES_MAX][16];
    const char *names[FILES_MAX];
    size_t n = split_documents(buf_str(&text), documents);
    for (size_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof paths[i], "f%02zu.yaml", i);
        names[i] = paths[i];
    }
    for (size_t shift = 0; shift < n; shift++) {
        CLEANUP(buf_release) ds_buf found = BUF_INIT(TEXT_MAX);
        for (size_t i = 0; i < n; i++)
            rotated[i] = documents[(i * (shift % 2 ? n - 1 : 1) + shift) % n];
        linted r = lint_files(names, rotated, n);
        print_findings(&r, shift ? &found : &expected);
        if (shift)
            assert_string_equal(buf_text(&found), buf_text(&expected));
        linted_free(&r);
    }
    assert_true(expected.n > 2000);
}

// Any line may be missing, any prefix may be all there is: findings, never a crash.
static void half_broken_models(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    example_compose(RICH, &text);
    for (ds_str rest = buf_str(&text); rest.n;) {
        CLEANUP(buf_release) ds_buf without = BUF_INIT(TEXT_MAX);
        ds_str line = str_split(&rest, '\n');
        buf_put(&without, text.p, (size_t)(line.p - text.p));
        buf_put_str(&without, rest);
        linted r = lint_text_of(buf_text(&without));
        assert_true(diags_count(r.diags) > 0);
        linted_free(&r);
    }
    for (size_t n = 0; n < text.n; n += 7) {
        CLEANUP(buf_release) ds_buf prefix = BUF_INIT(TEXT_MAX);
        buf_put(&prefix, text.p, n);
        linted r = lint_text_of(buf_text(&prefix));
        assert_true(diags_count(r.diags) > 0);
        linted_free(&r);
    }
}

// Each word of the model in turn is another one: references lead elsewhere, types and numbers are wrong.
static void swapped_words(void **state)
{
    (void)state;
    static const char *const WORDS[] = {"x", "Store1", "[]", "{}", "Store1/customers", "0"};
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    example_compose(RICH, &text);
    for (size_t at = 0, turn = 0; at < text.n; turn++) {
        static const char DELIMITERS[] = " \n,:[]{}\"";
        size_t n = strcspn(text.p + at, DELIMITERS);
        CLEANUP(buf_release) ds_buf other = BUF_INIT(TEXT_MAX);
        buf_put(&other, text.p, at);
        buf_puts(&other, WORDS[turn % (sizeof WORDS / sizeof WORDS[0])]);
        buf_puts(&other, text.p + at + n);
        if (n > 0) {
            linted r = lint_text_of(buf_text(&other));
            assert_true(diags_count(r.diags) > 0);
            linted_free(&r);
        }
        at += n;
        at += strspn(text.p + at, DELIMITERS);
    }
}

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
        linted r = lint_text_of(buf_text(&whole));
        assert_int_equal(diags_count(r.diags), n > 4096);
        if (n > 4096)
            assert_string_equal(diags_at(r.diags, 0)->rule, "L028");
        linted_free(&r);
    }
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
    linted r = lint_text_of(buf_text(&text));
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
    linted r = lint_files(NULL, NULL, 0);
    assert_int_equal(diags_count(r.diags), 1);
    assert_string_equal(diags_at(r.diags, 0)->rule, "L001");
    linted_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_files),     cmocka_unit_test(half_broken_models), cmocka_unit_test(swapped_words),
        cmocka_unit_test(too_many_columns),   cmocka_unit_test(counts_and_places),  cmocka_unit_test(empty_model),
        cmocka_unit_test(documented_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
