// Keys of rows for people.
#include <stdlib.h>

#include "schema/value.h"

enum { PRINT_COLUMNS = 8, PRINT_VALUE = 64 };

static bool is_plain_name(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && *p != '_' && (p == name || *p < '0' || *p > '9'))
            return false;
    return *name != '\0';
}

static void print_quoted(ds_str text, char quote, ds_buf *out)
{
    size_t n = text.n;
    if (n > PRINT_VALUE)
        for (n = PRINT_VALUE; n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80;)
            n--;
    buf_putc(out, quote);
    for (size_t i = 0; i < n; i++) {
        if (text.p[i] == quote)
            buf_putc(out, quote);
        buf_putc(out, text.p[i]);
    }
    if (n < text.n)
        buf_puts(out, "...");
    buf_putc(out, quote);
}

static void print_value(const ds_type *type, ds_cell cell, ds_buf *out)
{
    ds_value_class class = type_class(type);
    if (!cell.p) {
        buf_puts(out, "null");
    } else if (class == VALUE_INT || class == VALUE_BOOL || class == VALUE_FLOAT || class == VALUE_DECIMAL) {
        value_print(type, cell, out);
    } else {
        ds_buf text = BUF_INIT(2 * (size_t)ROWS_BYTES_MAX + 1);
        value_print(type, cell, &text);
        print_quoted(buf_str(&text), '\'', out);
        buf_release(&text);
    }
}

static void print_name(const char *name, ds_buf *out)
{
    if (is_plain_name(name))
        buf_puts(out, name);
    else
        print_quoted(str_of(name), '"', out);
}

void row_print_key(const ds_shape *shape, ds_str row, ds_buf *out)
{
    ds_cell *cells = calloc(shape->n, sizeof *cells);
    if (!cells)
        BUG("out of memory: %zu cells", shape->n);
    row_cells(shape, row, cells);
    size_t n = shape->key_count ? shape->key_count : shape->n;
    for (size_t i = 0; i < n && i <= PRINT_COLUMNS; i++) {
        size_t at = shape->key_count ? shape->key[i] : i;
        buf_puts(out, i == 0 ? "" : ", ");
        if (i == PRINT_COLUMNS) {
            buf_puts(out, "...");
            break;
        }
        print_name(shape->columns[at].name, out);
        buf_putc(out, '=');
        print_value(shape->columns[at].type, cells[at], out);
    }
    free(cells);
}
