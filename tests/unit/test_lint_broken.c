// gate/lint.h: whatever a model looks like, lint ends with findings; and those don't depend on the order of documents
// and files. The model has something of everything, and findings of most rules: the first seed of the fuzzer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "support/linted.h"

enum { TEXT_MAX = 4 << 20, DOCUMENTS_MAX = 64 };

static int load_estate(void **state)
{
    static ds_buf text = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    ds_error err;
    file_join(&path, getenv("DATASURFACE_ROOT"), "tests/fuzz/corpus/lint/estate.yaml");
    *state = &text;
    return file_read(buf_text(&path), &text, &err).code == DS_OK ? 0 : -1;
}

static int release_estate(void **state)
{
    buf_release(*state);
    return 0;
}

// xorshift64*
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(0x2545F4914F6CDD1D);
}

static size_t below(uint64_t *seed, size_t n)
{
    return (size_t)(next_random(seed) % n);
}

// --- the order of documents and files

static size_t split_documents(ds_str text, ds_str *out)
{
    size_t n = 0;
    const char *start = text.p;
    while (text.n) {
        ds_str line = str_split(&text, '\n');
        if (!str_eq(line, STR("---")))
            continue;
        assert_true(n + 1 < DOCUMENTS_MAX);
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
static void lint_dealt(const ds_str *documents, size_t n, size_t files, uint64_t *seed, ds_buf *out)
{
    ds_buf texts[DOCUMENTS_MAX];
    ds_str views[DOCUMENTS_MAX];
    char names[DOCUMENTS_MAX][16];
    const char *paths[DOCUMENTS_MAX];
    for (size_t i = 0; i < files; i++)
        texts[i] = BUF_INIT(TEXT_MAX);
    for (size_t i = 0; i < n; i++) {
        ds_buf *to = &texts[below(seed, files)];
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
    CLEANUP(buf_release) ds_buf expected = BUF_INIT(TEXT_MAX);
    uint64_t seed = 1;
    size_t n = split_documents(buf_str(*state), documents);
    lint_dealt(documents, n, 1, &seed, &expected);
    assert_true(expected.n > 5000);
    for (int turn = 0; turn < TURNS; turn++) {
        CLEANUP(buf_release) ds_buf found = BUF_INIT(TEXT_MAX);
        for (size_t i = n; i > 1; i--) {
            size_t k = below(&seed, i);
            ds_str swapped = documents[k];
            documents[k] = documents[i - 1];
            documents[i - 1] = swapped;
        }
        lint_dealt(documents, n, 1 + below(&seed, n), &seed, &found);
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
        CLEANUP(buf_release) ds_buf without = BUF_INIT(TEXT_MAX);
        ds_str line = str_split(&rest, '\n');
        buf_put(&without, text->p, (size_t)(line.p - text->p));
        buf_put_str(&without, rest);
        lint_broken(&without);
    }
    for (size_t n = 0; n < text->n; n += 37) {
        CLEANUP(buf_release) ds_buf prefix = BUF_INIT(TEXT_MAX);
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
        CLEANUP(buf_release) ds_buf other = BUF_INIT(TEXT_MAX);
        buf_put(&other, text->p, at);
        buf_puts(&other, WORDS[turn % (sizeof WORDS / sizeof WORDS[0])]);
        buf_puts(&other, text->p + at + n);
        if (n > 0)
            lint_broken(&other);
        at += n;
        at += strspn(text->p + at, DELIMITERS);
    }
}

// A node of the text: from a bracket to its partner, or a line with all that is indented below it.
static ds_str node_at(ds_str text, size_t at)
{
    const char *p = text.p + at, *end = text.p + text.n, *q = p;
    int depth = 0;
    for (; (*p == '{' || *p == '[') && q < end; q++) {
        depth += (*q == '{' || *q == '[') - (*q == '}' || *q == ']');
        if (depth == 0)
            return (ds_str){p, (size_t)(q - p) + 1};
    }
    while (p > text.p && p[-1] != '\n')
        p--;
    size_t indent = strspn(p, " -");
    q = p;
    do {
        q += strcspn(q, "\n");
        q += *q == '\n';
    } while (q < end && strspn(q, " -") > indent);
    return (ds_str){p, (size_t)(q - p)};
}

// One node is gone, stands elsewhere, or is another one.
static void garble(ds_buf *text, uint64_t *seed)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(TEXT_MAX);
    ds_str whole = buf_str(text);
    ds_str node = node_at(whole, below(seed, text->n)), other = node_at(whole, below(seed, text->n));
    const char *after = node.p + node.n;
    static const char *const VALUES[] = {"", "x", "[]", "{}", "{a: b}", "[a, b]", "true", "\"\"", "~", "*x", "7y"};
    buf_put(&out, whole.p, (size_t)(node.p - whole.p));
    switch (below(seed, 4)) {
    case 0: // gone
        break;
    case 1: // twice
        buf_put_str(&out, node);
        buf_put_str(&out, node);
        break;
    case 2:
        buf_put_str(&out, other);
        break;
    default:
        buf_puts(&out, VALUES[below(seed, sizeof VALUES / sizeof VALUES[0])]);
        break;
    }
    buf_put(&out, after, (size_t)(whole.p + whole.n - after));
    buf_clear(text);
    buf_put_str(text, buf_str(&out));
}

static void garbled_nodes(void **state)
{
    enum { MODELS = 300, GARBLED_MAX = 6 };
    for (uint64_t i = 1; i <= MODELS; i++) {
        uint64_t seed = i * UINT64_C(0x9E3779B97F4A7C15); // of its own, so that a model can be had again
        CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
        buf_put_str(&text, buf_str(*state));
        for (size_t k = 1 + below(&seed, GARBLED_MAX); k > 0 && text.n; k--)
            garble(&text, &seed);
        lint_broken(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_order), cmocka_unit_test(lines_and_prefixes),
                                       cmocka_unit_test(swapped_words), cmocka_unit_test(garbled_nodes)};
    return cmocka_run_group_tests(tests, load_estate, release_estate);
}
