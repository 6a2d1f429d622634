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
void garbled_garble(ds_buf *text, ds_rng *chance)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(GARBLED_TEXT_MAX);
    ds_str whole = buf_str(text);
    ds_str node = node_at(whole, rng_below(chance, text->n)), other = node_at(whole, rng_below(chance, text->n));
    const char *after = node.p + node.n;
    static const char *const VALUES[] = {"", "x", "[]", "{}", "{a: b}", "[a, b]", "true", "\"\"", "~", "*x", "7y"};
    buf_put(&out, whole.p, (size_t)(node.p - whole.p));
    switch (rng_below(chance, 4)) {
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
        buf_puts(&out, VALUES[rng_below(chance, sizeof VALUES / sizeof VALUES[0])]);
        break;
    }
    buf_put(&out, after, (size_t)(whole.p + whole.n - after));
    buf_clear(text);
    buf_put_str(text, buf_str(&out));
}
