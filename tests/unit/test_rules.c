// gate/lint.h, the table of rules: every example does what it says, and docs/lint-rules.md is what the table prints.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "gate/lint.h"
#include "support/change.h"
#include "support/example.h"
#include "support/linted.h"

enum { TEXT_MAX = 1 << 20 };

// A warning may come with an info about something else.
static bool is_meant(const ds_diag *d, const char *id)
{
    return strcmp(d->rule, id) == 0 || (d->severity == DIAG_INFO && lint_rule(id)->severity != DIAG_INFO);
}

// Every finding of a failing example is of the rule; a passing one has none.
static bool expect(const char *id, const char *which, const char *text)
{
    linted r = linted_text(str_of(text));
    const ds_diags *diags = r.diags;
    const bool fails = strcmp(which, "failing") == 0;
    bool found = false, good = true;
    for (size_t i = 0; i < diags_count(diags); i++) {
        good = good && fails && is_meant(diags_at(diags, i), id);
        found = found || strcmp(diags_at(diags, i)->rule, id) == 0;
    }
    good = good && found == fails;
    if (!good) {
        fprintf(stderr, "%s\n", text);
        for (size_t i = 0; i < diags_count(diags); i++)
            diag_print(stderr, diags, diags_at(diags, i), false);
        fprintf(stderr, "%s: the %s example gives %zu findings\n", id, which, diags_count(diags));
    }
    for (size_t i = 0; good && i < diags_count(diags); i++)
        if (strcmp(diags_at(diags, i)->rule, id) == 0)
            assert_int_equal(diags_at(diags, i)->severity, lint_rule(id)->severity);
    linted_free(&r);
    return good;
}

// The same for a change: where it comes from, the base and the head.
static bool expect_change(const char *id, const char *which, const char *text)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_str rest = str_of(text);
    change_case example = {0};
    if (str_starts(rest, str_of(LINT_EXAMPLE_FROM)))
        example.repository = arena_str(arena, str_split(&rest, '\n')) + strlen(LINT_EXAMPLE_FROM);
    const char *middle = strstr(rest.p, LINT_EXAMPLE_HEAD);
    assert_non_null(middle);
    example.base = arena_str(arena, (ds_str){rest.p, (size_t)(middle - rest.p)});
    example.head = middle + strlen(LINT_EXAMPLE_HEAD);
    change_run run = change_check(&example);
    const bool fails = strcmp(which, "failing") == 0;
    // What passes may have something to tell all the same: a new column beside the one that stays.
    bool good = run.verdict->n > 0 && diags_count(run.base_diags) == 0 && (!fails || diags_count(run.diags) > 0);
    for (size_t i = 0; i < diags_count(run.diags); i++) {
        const ds_diag *d = diags_at(run.diags, i);
        good = good && (strcmp(d->rule, id) == 0) == fails && d->severity == lint_rule(d->rule)->severity;
        good = good && (fails || d->severity != DIAG_ERROR);
    }
    good = good && run.verdict->accepted == (diags_severity_count(run.diags, DIAG_ERROR) == 0);
    if (!good) {
        change_print(&run);
        fprintf(stderr, "%s: the %s example gives %zu findings\n", id, which, diags_count(run.diags));
    }
    change_free(&run);
    return good;
}

static bool is_about_change(const ds_rule *rule)
{
    return rule->id[0] == 'A' || rule->id[0] == 'C';
}

static void change_examples(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    size_t n, seen = 0;
    const ds_rule *rules = lint_rules(arena, &n);
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        if (!is_about_change(&rules[i]))
            continue;
        good = expect_change(rules[i].id, "failing", rules[i].failing) && good;
        good = expect_change(rules[i].id, "passing", rules[i].passing) && good;
        seen++;
    }
    assert_true(good && seen > 20);
}

static void examples(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    size_t n;
    const ds_rule *rules = lint_rules(arena, &n);
    bool good = expect("the model of the examples", "passing", LINT_EXAMPLE_MODEL);
    for (size_t i = 0; i < n; i++) {
        if (rules[i].id[0] == 'M' || is_about_change(&rules[i])) // the loader's test has the first
            continue;
        if (strcmp(rules[i].id, "L028") == 0) { // too long to be printed: see test_lint.c
            assert_string_equal(rules[i].failing, "");
            continue;
        }
        CLEANUP(buf_release) ds_buf failing = BUF_INIT(TEXT_MAX), passing = BUF_INIT(TEXT_MAX);
        example_compose(rules[i].failing, &failing);
        example_compose(rules[i].passing, &passing);
        good = expect(rules[i].id, "failing", buf_text(&failing)) && good;
        good = expect(rules[i].id, "passing", buf_text(&passing)) && good;
    }
    assert_true(good);
}

static void ids(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    size_t n;
    const ds_rule *rules = lint_rules(arena, &n);
    char expected[8], family = 0;
    for (size_t i = 0, number = 0; i < n; i++) {
        number = rules[i].id[0] == family ? number + 1 : 1;
        family = rules[i].id[0];
        snprintf(expected, sizeof expected, "%c%03zu", family, number);
        assert_string_equal(rules[i].id, expected);
        assert_ptr_equal(lint_rule(expected)->meaning, rules[i].meaning);
        assert_true(rules[i].title[0] && rules[i].meaning[0]);
    }
    assert_null(lint_rule("L999"));
    assert_non_null(lint_rule("l001"));
}

static void page(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX), printed = BUF_INIT(TEXT_MAX), file = BUF_INIT(TEXT_MAX);
    ds_error err;
    file_join(&path, getenv("DATASURFACE_ROOT"), "docs/lint-rules.md");
    lint_rules_markdown(&printed);
    const char *update = getenv("UPDATE_GOLDEN");
    if (update && strcmp(update, "1") == 0)
        assert_int_equal(file_write_atomic(buf_text(&path), buf_str(&printed), false, &err).code, DS_OK);
    assert_int_equal(file_read(buf_text(&path), &file, &err).code, DS_OK);
    assert_string_equal(buf_text(&file), buf_text(&printed)); // make golden rewrites it
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples), cmocka_unit_test(change_examples),
                                       cmocka_unit_test(ids), cmocka_unit_test(page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
