// A value from text, printed and read again, is the same value. The first byte chooses the type.
#include <stddef.h>
#include <stdint.h>

#include "schema/value.h"

static const ds_type TYPES[] = {
    {.kind = TYPE_TINYINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_INTEGER, .size = TYPE_UNLIMITED},
    {.kind = TYPE_BIGINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_UBIGINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_REAL, .size = TYPE_UNLIMITED},
    {.kind = TYPE_DOUBLE, .size = TYPE_UNLIMITED},
    {.kind = TYPE_DECIMAL, .size = 12, .scale = 2},
    {.kind = TYPE_DECIMAL, .size = TYPE_UNLIMITED},
    {.kind = TYPE_BOOLEAN, .size = TYPE_UNLIMITED},
    {.kind = TYPE_CHAR, .size = 5},
    {.kind = TYPE_VARCHAR, .size = 5},
    {.kind = TYPE_TEXT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_DATE, .size = TYPE_UNLIMITED},
    {.kind = TYPE_TIME, .size = TYPE_UNLIMITED},
    {.kind = TYPE_TIMETZ, .size = TYPE_UNLIMITED},
    {.kind = TYPE_TIMESTAMP, .size = TYPE_UNLIMITED},
    {.kind = TYPE_TIMESTAMPTZ, .size = TYPE_UNLIMITED},
    {.kind = TYPE_INTERVAL, .size = TYPE_UNLIMITED},
    {.kind = TYPE_UUID, .size = TYPE_UNLIMITED},
    {.kind = TYPE_JSON, .size = TYPE_UNLIMITED},
    {.kind = TYPE_BINARY, .size = 8},
    {.kind = TYPE_VARIANT, .size = TYPE_UNLIMITED},
};

// One row of the text as a value; false when it is refused.
static bool encode(ds_rows *rows, const ds_shape *shape, ds_str text)
{
    ds_error err;
    rows_begin(rows);
    if (value_put_text(rows, shape->columns, text, &err).code == DS_FINDING) {
        ds_assert(rows->marks == 0 && err.text[0]);
        rows_drop(rows);
        return false;
    }
    if (rows_end(rows, shape, 0, &err).code != DS_OK)
        BUG("row: %s", err.text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const ds_shape_column column = {.name = "v", .type = &TYPES[data[0] % (sizeof TYPES / sizeof TYPES[0])]};
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(rows_release) ds_rows rows;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    const ds_shape *shape = NULL;
    ds_error err;
    if (shape_new(arena, &column, 1, NULL, 0, &shape, &err).code != DS_OK)
        BUG("shape: %s", err.text);
    rows_init(&rows);
    if (!encode(&rows, shape, (ds_str){(const char *)data + 1, size - 1}))
        return 0;
    ds_cell cell;
    row_cells(shape, rows_row(&rows, 0), &cell);
    value_print(column.type, cell, &text);
    if (!encode(&rows, shape, buf_str(&text)))
        BUG("'%s' is refused", buf_text(&text));
    if (!str_eq(rows_row(&rows, 0), rows_row(&rows, 1)))
        BUG("'%s' is another value", buf_text(&text));
    return 0;
}
