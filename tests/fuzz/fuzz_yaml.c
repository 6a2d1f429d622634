// Whatever the text, what is read of it is what libyaml's events say: the same trees, places, texts and findings. The
// input is tried as it is and, when it is short, with each of its lines left out or moved: small changes of simple
// documents are where two readers could part.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/yaml_int.h"

typedef void reader(ds_diags *diags, uint32_t file, ds_str text, ds_arena *scratch, yaml_visit *visit, void *context);

enum { FILE_NUMBER = 1, PRINTED_MAX = 1 << 26 };

static void print_node(ds_buf *out, const yaml_node *node)
{
    buf_printf(out, "%u:%u %d%d%d%d %u %u ", (unsigned)node->pos.line, (unsigned)node->pos.column, node->kind,
               node->plain, node->quoted, node->flow, (unsigned)node->count, (unsigned)node->height);
    if (node->kind == NODE_SCALAR) {
        if (node->text.p[node->text.n] != '\0')
            BUG("a text without an end");
        buf_put(out, node->text.p, node->text.n);
    }
    buf_putc(out, '\n');
    for (size_t i = 0; node->kind != NODE_SCALAR && i < node->n; i++)
        print_node(out, &node->items[i]);
    buf_puts(out, ".\n");
}

static void print_document(const yaml_node *root, void *context)
{
    buf_puts(context, "document\n");
    print_node(context, root);
}

static void print_read(reader *read, ds_str text, ds_buf *out)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new(), *scratch = arena_new();
    ds_files *files = files_new(arena);
    (void)files_add(files, "fuzz.yaml", text);
    CLEANUP(diags_freep) ds_diags *diags = diags_new(files);
    read(diags, FILE_NUMBER, text, scratch, print_document, out);
    for (size_t i = 0; i < diags_count(diags); i++) {
        const ds_diag *d = diags_at(diags, i);
        buf_printf(out, "%s %u:%u %s %s\n", d->rule, (unsigned)d->pos.line, (unsigned)d->pos.column, d->message,
                   d->hint);
    }
}

static void compare(ds_str text)
{
    CLEANUP(buf_release) ds_buf ours = BUF_INIT(PRINTED_MAX), theirs = BUF_INIT(PRINTED_MAX);
    print_read(yaml_read, text, &ours);
    print_read(yaml_read_events, text, &theirs);
    if (!str_eq(buf_str(&ours), buf_str(&theirs)))
        BUG("read in two ways:\n%.*s\n--- simple\n%s--- by libyaml\n%s", (int)(text.n < 2000 ? text.n : 2000), text.p,
            buf_text(&ours), buf_text(&theirs));
}

// The line that begins at `at`, with its line end.
static size_t line_bytes(ds_str text, size_t at)
{
    const char *end = memchr(text.p + at, '\n', text.n - at);
    return end ? (size_t)(end - text.p) + 1 - at : text.n - at;
}

// The text with this instead of the n bytes at `at`.
static void compare_with(ds_str text, size_t at, size_t n, const char *instead)
{
    CLEANUP(buf_release) ds_buf changed = BUF_INIT(PRINTED_MAX);
    buf_put(&changed, text.p, at);
    buf_puts(&changed, instead);
    buf_put(&changed, text.p + at + n, text.n - at - n);
    compare(buf_str(&changed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { SHORT = 1500 };
    ds_str text = {(const char *)data, size};
    compare(text);
    for (size_t at = 0; size < SHORT && at < size;) {
        size_t n = line_bytes(text, at);
        compare_with(text, at, n, "");
        compare_with(text, at, 0, " ");
        compare_with(text, at, 0, "  ");
        if (text.p[at] == ' ')
            compare_with(text, at, 1, "");
        at += n;
    }
    return 0;
}
