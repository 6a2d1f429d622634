// gate/lint.h, lint_objects_since: what it finds from what was found before a change is what a look at the whole finds.
// A model of one document per file is changed by chance, one file at a time, again and again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gate/lint.h"
#include "support/documents.h"
#include "support/garbled.h"
#include "yellow/platform.h"

// A model with what was found in it: by its loader and lint_datasets, and in all.
typedef struct judged {
    ds_model *model;
    ds_diags *loaded, *all;
} judged;

static ds_platform_types types(void)
{
    static const ds_platform_type *v[1];
    v[0] = yellow_platform_type();
    return (ds_platform_types){v, 1};
}

typedef struct files {
    ds_buf texts[DOCUMENTS_MAX];
    size_t n;
} files;

static judged judge(const files *f)
{
    char names[DOCUMENTS_MAX][16];
    const char *paths[DOCUMENTS_MAX];
    ds_str views[DOCUMENTS_MAX];
    judged j = {0};
    ds_error err;
    for (size_t i = 0; i < f->n; i++) {
        snprintf(names[i], sizeof names[i], "file%02zu.yaml", i);
        paths[i] = names[i];
        views[i] = buf_str(&f->texts[i]);
    }
    assert_int_equal(model_load_texts(paths, views, f->n, NULL, &j.model, &j.loaded, &err).code, DS_OK);
    lint_datasets(j.model, false, j.loaded);
    j.all = diags_new(j.model->files);
    diags_append(j.all, j.loaded);
    lint_objects(j.model, types(), j.all);
    diags_sort(j.all);
    return j;
}

static void judged_free(judged *j)
{
    diags_free(j->all);
    diags_free(j->loaded);
    model_free(j->model);
}

static void print(const ds_diags *diags, ds_buf *out)
{
    for (size_t i = 0; i < diags_count(diags); i++) {
        const ds_diag *d = diags_at(diags, i);
        buf_printf(out, "%s:%u:%u: %s %s %s: %s (%s)\n", files_path(diags_files(diags), d->pos.file),
                   (unsigned)d->pos.line, (unsigned)d->pos.column, severity_name(d->severity), d->rule, d->object,
                   d->message, d->hint);
    }
}

// Line by line: cmocka shows no more than a screenful.
static void assert_same_lines(ds_str got, ds_str expected)
{
    while (got.n && expected.n) {
        ds_str a = str_split(&got, '\n'), b = str_split(&expected, '\n');
        if (!str_eq(a, b))
            fail_msg("found:    %.*s\nexpected: %.*s", STR_ARGS(a), STR_ARGS(b));
    }
    assert_int_equal(got.n, expected.n);
}

// True when there was a shortcut, which then must have been right.
static bool same_since(const judged *before, const judged *after, size_t file)
{
    ds_tree_change change = {"", file, file};
    const ds_tree_diff diff = {&change, 1};
    const lint_past past = {before->model, before->all, before->loaded};
    CLEANUP(diags_freep) ds_diags *found = diags_new(after->model->files);
    CLEANUP(buf_release) ds_buf expected = BUF_INIT(GARBLED_TEXT_MAX), got = BUF_INIT(GARBLED_TEXT_MAX);
    diags_append(found, after->loaded);
    const bool shortcut = lint_objects_since(&past, after->model, &diff, types(), found);
    diags_sort(found);
    if (!shortcut) { // nothing was added
        assert_int_equal(diags_count(found), diags_count(after->loaded));
        return false;
    }
    print(after->all, &expected);
    print(found, &got);
    assert_same_lines(buf_str(&got), buf_str(&expected));
    for (int s = DIAG_INFO; s <= DIAG_ERROR; s++)
        assert_int_equal(diags_severity_count(found, (ds_severity)s), diags_severity_count(after->all, (ds_severity)s));
    return true;
}

static void files_fill(files *f, ds_str text)
{
    ds_str documents[DOCUMENTS_MAX];
    f->n = documents_split(text, documents);
    for (size_t i = 0; i < f->n; i++) {
        f->texts[i] = BUF_INIT(GARBLED_TEXT_MAX);
        buf_put_str(&f->texts[i], documents[i]);
    }
}

static void files_free(files *f)
{
    for (size_t i = 0; i < f->n; i++)
        buf_release(&f->texts[i]);
}

// One word of the text is another one of it, or nothing, or new.
static void swap_word(ds_buf *text, ds_rng *chance)
{
    static const char DELIMITERS[] = " \n,:[]{}\"";
    static const char *const WORDS[] = {"x",       "true",          "3",        "Consumer1",  "Store1", "CloudDB",
                                        "MergeDB", "USA/analytics", "UK/team",  "pub",        "cpi",    "external",
                                        "scd2",    "full",          "critical", "Rates/daily"};
    CLEANUP(buf_release) ds_buf out = BUF_INIT(GARBLED_TEXT_MAX);
    size_t at = rng_below(chance, text->n);
    while (at > 0 && !strchr(DELIMITERS, text->p[at - 1]))
        at--;
    size_t n = strcspn(text->p + at, DELIMITERS);
    buf_put(&out, text->p, at);
    buf_puts(&out, WORDS[rng_below(chance, sizeof WORDS / sizeof WORDS[0])]);
    buf_put(&out, text->p + at + n, text->n - at - n);
    buf_clear(text);
    buf_put_str(text, buf_str(&out));
}

static void change_file(ds_buf *text, ds_str first, ds_rng *chance)
{
    CLEANUP(buf_release) ds_buf moved = BUF_INIT(GARBLED_TEXT_MAX);
    switch (text->n ? rng_below(chance, 16) : 15) {
    case 15: // it goes, or comes back
        if (text->n) {
            buf_clear(text);
            break;
        }
        buf_put_str(text, first);
        break;
    case 0: // all stands elsewhere
    case 1:
    case 2:
        buf_puts(&moved, "# moved\n");
        buf_put_str(&moved, buf_str(text));
        buf_clear(text);
        buf_put_str(text, buf_str(&moved));
        break;
    case 3:
    case 4:
    case 5:
        garbled_garble(text, chance);
        break;
    default:
        swap_word(text, chance);
        break;
    }
}

static size_t walk(ds_str estate, ds_rng chance, size_t changes)
{
    files f;
    size_t shortcuts = 0;
    ds_str documents[DOCUMENTS_MAX];
    files_fill(&f, estate);
    (void)documents_split(estate, documents);
    judged before = judge(&f);
    for (size_t i = 0; i < changes; i++) {
        size_t file = rng_below(&chance, f.n);
        change_file(&f.texts[file], documents[file], &chance);
        judged after = judge(&f);
        shortcuts += same_since(&before, &after, file);
        judged_free(&before);
        before = after;
    }
    judged_free(&before);
    files_free(&f);
    return shortcuts;
}

static void any_change(void **state)
{
    enum { WALKS = 150, CHANGES = 12 };
    const ds_buf *estate = *state;
    const char *walks = getenv("LINT_SINCE_WALKS");
    const size_t n = walks ? (size_t)strtoul(walks, NULL, 10) : WALKS;
    size_t shortcuts = 0;
    for (uint64_t i = 1; i <= n; i++)
        shortcuts += walk(buf_str(estate), (ds_rng){i}, CHANGES);
    print_message("%zu of %zu changes by the shortcut\n", shortcuts, n * CHANGES);
    assert_true(shortcuts > n * CHANGES / 8);
}

// Names that carry a hash may meet one of a store that nobody has looked at: such a change is no case for a shortcut.
static void names_that_others_may_have(void **state)
{
    (void)state;
#define LONG_NAME "settlement_reports_for_customer_054543_of_all_regional_branches_and_of_all_others"
#define TABLE "{classification: ip, columns: {id: integer primary key}}"
#define READS(dataset)                                                                                                 \
    "kind: Workspace\nteam: USA/analytics\nname: Consumer1\n"                                                          \
    "dataset_groups: {live: {sinks: [Store1/" dataset "]}}\n"
    static const char STORE[] = "kind: Datastore\nteam: USA/customer_data\nname: Store1\n"
                                "capture: {type: sql_snapshot, container: CustomerDB, trigger: {external: true}}\n"
                                "datasets: {short: " TABLE ", other: " TABLE ", " LONG_NAME ": " TABLE "}\n";
    static const char SERVICE[] =
        "kind: PlatformService\nname: Yellow_NY\nauto_assign: true\nmerge: {container: MergeDB}\n"
        "containers: {MergeDB: {type: postgres, host: merge.internal, database: m}}\n"
        "platforms: {YellowLive: {type: yellow, milestoning: scd1}}\n";
    static const struct {
        const char *before, *after;
        bool shortcut;
    } ROWS[] = {{READS("short"), READS("other"), true},
                {READS("short"), READS(LONG_NAME), false},
                {READS(LONG_NAME), READS("short"), false},
                {READS(LONG_NAME), "# moved\n" READS(LONG_NAME), true}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const char *texts[][3] = {{ROWS[i].before, STORE, SERVICE}, {ROWS[i].after, STORE, SERVICE}};
        judged sides[2];
        for (size_t s = 0; s < 2; s++) {
            files f = {.n = 3};
            for (size_t k = 0; k < f.n; k++) {
                f.texts[k] = BUF_INIT(GARBLED_TEXT_MAX);
                buf_puts(&f.texts[k], texts[s][k]);
            }
            sides[s] = judge(&f);
            files_free(&f);
        }
        assert_int_equal(same_since(&sides[0], &sides[1], 0), ROWS[i].shortcut);
        judged_free(&sides[0]);
        judged_free(&sides[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_change), cmocka_unit_test(names_that_others_may_have)};
    return cmocka_run_group_tests(tests, garbled_load_estate, garbled_release_estate);
}
