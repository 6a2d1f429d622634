#include "support/garbled.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

int garbled_load_estate(void **state)
{
    static ds_buf text = BUF_INIT(GARBLED_TEXT_MAX);
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    ds_error err;
    file_join(&path, getenv("DATASURFACE_ROOT"), "tests/fuzz/corpus/lint/estate.yaml");
    *state = &text;
    return file_read(buf_text(&path), &text, &err).code == DS_OK ? 0 : -1;
}

int garbled_release_estate(void **state)
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

size_t random_below(uint64_t *seed, size_t n)
{
    return (size_t)(next_random(seed) % n);
}

size_t garbled_split(ds_str text, ds_str *out)
{
    size_t n = 0;
    const char *start = text.p;
    while (text.n) {
        ds_str line = str_split(&text, '\n');
        if (!str_eq(line, STR("---")))
            continue;
        ds_assert(n + 1 < ESTATE_DOCUMENTS_MAX);
        out[n++] = (ds_str){start, (size_t)(line.p - start)};
        start = text.p;
    }
    out[n++] = (ds_str){start, (size_t)(text.p - start)};
    return n;
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
void garbled_garble(ds_buf *text, uint64_t *seed)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(GARBLED_TEXT_MAX);
    ds_str whole = buf_str(text);
    ds_str node = node_at(whole, random_below(seed, text->n)), other = node_at(whole, random_below(seed, text->n));
    const char *after = node.p + node.n;
    static const char *const VALUES[] = {"", "x", "[]", "{}", "{a: b}", "[a, b]", "true", "\"\"", "~", "*x", "7y"};
    buf_put(&out, whole.p, (size_t)(node.p - whole.p));
    switch (random_below(seed, 4)) {
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
        buf_puts(&out, VALUES[random_below(seed, sizeof VALUES / sizeof VALUES[0])]);
        break;
    }
    buf_put(&out, after, (size_t)(whole.p + whole.n - after));
    buf_clear(text);
    buf_put_str(text, buf_str(&out));
}
