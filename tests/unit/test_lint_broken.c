// gate/lint.h: whatever a model looks like, lint ends with findings; and those don't depend on the order of documents
// and files. The model has something of everything, and findings of most rules: the first seed of the fuzzer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/documents.h"
#include "support/garbled.h"
#include "support/linted.h"

// --- the order of documents and files

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// Everything that a finding says but places, which differ with the files; sorted.
static void print_findings(const linted *r, ds_buf *out)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    size_t n = diags_count(r->diags);
    char **lines = ARENA_ARRAY(arena, char *, n);
    for (size_t i = 0; i < n; i++) {
        const ds_diag *d = diags_at(r->diags, i);
        const char *place = strstr(d->hint, " at file");
        int hint = place ? (int)(place - d->hint) : (int)strlen(d->hint);
        lines[i] = arena_printf(arena, "%s %s %s: %s (%.*s)\n", severity_name(d->severity), d->rule, d->object,
                                d->message, hint, d->hint);
    }
    qsort(lines, n, sizeof *lines, by_text);
    for (size_t i = 0; i < n; i++)
        buf_puts(out, lines[i]);
}

// The documents in this order, in some files.
static void lint_dealt(const ds_str *documents, size_t n, size_t files, ds_rng *chance, ds_buf *out)
{
    ds_buf texts[DOCUMENTS_MAX];
    ds_str views[DOCUMENTS_MAX];
    char names[DOCUMENTS_MAX][16];
    const char *paths[DOCUMENTS_MAX];
    for (size_t i = 0; i < files; i++)
        texts[i] = BUF_INIT(GARBLED_TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        ds_buf *to = &texts[rng_below(chance, files)];
        buf_puts(to, to->n ? "---\n" : "");
        buf_put_str(to, documents[i]);
    }
    for (size_t i = 0; i < files; i++) {
        snprintf(names[i], sizeof names[i], "file%02zu.yaml", i);
        paths[i] = names[i];
        views[i] = buf_str(&texts[i]);
    }
    linted r = linted_files(paths, views, files);
    print_findings(&r, out);
    linted_free(&r);
    for (size_t i = 0; i < files; i++)
        buf_release(&texts[i]);
}

static void any_order(void **state)
{
    enum { TURNS = 60 };
    ds_str documents[DOCUMENTS_MAX];
    CLEANUP(buf_release) ds_buf expected = BUF_INIT(GARBLED_TEXT_MAX);
    ds_rng chance = {1};
    size_t n = documents_split(buf_str(*state), documents);
    lint_dealt(documents, n, 1, &chance, &expected);
    assert_true(expected.n > 5000);
    for (int turn = 0; turn < TURNS; turn++) {
        CLEANUP(buf_release) ds_buf found = BUF_INIT(GARBLED_TEXT_MAX);
        for (size_t i = n; i > 1; i--) {
            size_t k = rng_below(&chance, i);
            ds_str swapped = documents[k];
            documents[k] = documents[i - 1];
            documents[i - 1] = swapped;
        }
        lint_dealt(documents, n, 1 + rng_below(&chance, n), &chance, &found);
        assert_string_equal(buf_text(&found), buf_text(&expected));
    }
}

// --- models that are half broken

static void lint_broken(const ds_buf *text)
{
    linted r = linted_text(buf_str(text));
    assert_true(diags_count(r.diags) > 0);
    linted_free(&r);
}

// Any line may be missing, any prefix may be all there is.
static void lines_and_prefixes(void **state)
{
    const ds_buf *text = *state;
    for (ds_str rest = buf_str(text); rest.n;) {
        CLEANUP(buf_release) ds_buf without = BUF_INIT(GARBLED_TEXT_MAX);
        ds_str line = str_split(&rest, '\n');
        buf_put(&without, text->p, (size_t)(line.p - text->p));
        buf_put_str(&without, rest);
        lint_broken(&without);
    }
    for (size_t n = 0; n < text->n; n += 37) {
        CLEANUP(buf_release) ds_buf prefix = BUF_INIT(GARBLED_TEXT_MAX);
        buf_put(&prefix, text->p, n);
        lint_broken(&prefix);
    }
}

// Each word in turn is another one: references lead elsewhere, types and numbers are wrong.
static void swapped_words(void **state)
{
    static const char *const WORDS[] = {"x", "Store1", "[]", "{}", "Store1/customers", "0"};
    static const char DELIMITERS[] = " \n,:[]{}\"";
    const ds_buf *text = *state;
    for (size_t at = 0, turn = 0; at < text->n; turn++) {
        size_t n = strcspn(text->p + at, DELIMITERS);
        CLEANUP(buf_release) ds_buf other = BUF_INIT(GARBLED_TEXT_MAX);
        buf_put(&other, text->p, at);
        buf_puts(&other, WORDS[turn % (sizeof WORDS / sizeof WORDS[0])]);
        buf_puts(&other, text->p + at + n);
        if (n > 0)
            lint_broken(&other);
        at += n;
        at += strspn(text->p + at, DELIMITERS);
    }
}

static void garbled_nodes(void **state)
{
    enum { MODELS = 300, GARBLED_MAX = 6 };
    for (uint64_t i = 1; i <= MODELS; i++) {
        ds_rng chance = {i}; // of its own, so that a model can be had again
        CLEANUP(buf_release) ds_buf text = BUF_INIT(GARBLED_TEXT_MAX);
        buf_put_str(&text, buf_str(*state));
        for (size_t k = 1 + rng_below(&chance, GARBLED_MAX); k > 0 && text.n; k--)
            garbled_garble(&text, &chance);
        lint_broken(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_order), cmocka_unit_test(lines_and_prefixes),
                                       cmocka_unit_test(swapped_words), cmocka_unit_test(garbled_nodes)};
    return cmocka_run_group_tests(tests, garbled_load_estate, garbled_release_estate);
}
