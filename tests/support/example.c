#include "support/example.h"

#include <stdio.h>

#include "gate/lint.h"
#include "support/documents.h"

// "kind name" of a document: what another one replaces.
static void document_key(ds_str document, char *out, size_t n)
{
    char kind[64] = "", name[128] = "";
    while (document.n) {
        ds_str line = str_split(&document, '\n');
        if (str_starts(line, STR("kind: ")))
            snprintf(kind, sizeof kind, "%.*s", (int)line.n - 6, line.p + 6);
        if (str_starts(line, STR("name: ")))
            snprintf(name, sizeof name, "%.*s", (int)line.n - 6, line.p + 6);
    }
    snprintf(out, n, "%s %s", kind, name);
}

void example_compose(const char *example, ds_buf *out)
{
    ds_str base[DOCUMENTS_MAX], own[DOCUMENTS_MAX];
    size_t own_count = documents_split(str_of(example), own);
    size_t base_count = documents_split(str_of(LINT_EXAMPLE_MODEL), base);
    bool whole = str_starts(str_of(example), str_of(LINT_EXAMPLE_WHOLE));
    char key[256], other[256];
    buf_puts(out, example);
    for (size_t i = 0; !whole && i < base_count; i++) {
        bool replaced = false;
        document_key(base[i], key, sizeof key);
        for (size_t k = 0; k < own_count; k++) {
            document_key(own[k], other, sizeof other);
            replaced |= strcmp(key, other) == 0;
        }
        if (replaced)
            continue;
        buf_puts(out, "---\n");
        buf_put_str(out, base[i]);
    }
}
