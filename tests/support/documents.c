#include "support/documents.h"

#include "base/error.h"

size_t documents_split(ds_str text, ds_str *out)
{
    size_t n = 0;
    const char *start = text.p;
    while (text.n) {
        ds_str line = str_split(&text, '\n');
        if (!str_eq(line, STR("---")))
            continue;
        ds_assert(n + 1 < DOCUMENTS_MAX);
        out[n++] = (ds_str){start, (size_t)(line.p - start)};
        start = text.p;
    }
    out[n++] = (ds_str){start, (size_t)(text.p - start)};
    return n;
}
