// A tuple of COPY … (FORMAT binary): reading it never breaks anything, and what is taken, encoded and read again, is
// the same row. The first byte says how many columns there are, two more for each which wire and model type it has.
#include <stddef.h>
#include <stdint.h>

#include "store/postgres/pg_codec.h"

static const ds_type TEXT_TYPE = {.kind = TYPE_TEXT, .size = TYPE_UNLIMITED};
static const ds_type TYPES[] = {
    {.kind = TYPE_TINYINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_UTINYINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_SMALLINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_USMALLINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_INTEGER, .size = TYPE_UNLIMITED},
    {.kind = TYPE_UINTEGER, .size = TYPE_UNLIMITED},
    {.kind = TYPE_BIGINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_UBIGINT, .size = TYPE_UNLIMITED},
    {.kind = TYPE_REAL, .size = TYPE_UNLIMITED},
    {.kind = TYPE_DOUBLE, .size = TYPE_UNLIMITED},
    {.kind = TYPE_DECIMAL, .size = 12, .scale = 2},
    {.kind = TYPE_DECIMAL, .size = TYPE_UNLIMITED},
    {.kind = TYPE_BOOLEAN, .size = TYPE_UNLIMITED},
    {.kind = TYPE_CHAR, .size = 5},
    {.kind = TYPE_VARCHAR, .size = 20},
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
    {.kind = TYPE_ARRAY, .size = TYPE_UNLIMITED, .element = &TEXT_TYPE},
    {.kind = TYPE_VARIANT, .size = TYPE_UNLIMITED},
};
enum { TYPE_COUNT = sizeof TYPES / sizeof TYPES[0], COLUMNS_MAX = 8 };

typedef struct fuzz_table {
    ds_arena *arena;
    const ds_shape *shape;
    pg_wire wires[COLUMNS_MAX]; // in the order of the shape's columns
} fuzz_table;

static void table_init(fuzz_table *table, const uint8_t *choices, size_t n)
{
    static const char *const NAMES[COLUMNS_MAX] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    ds_shape_column columns[COLUMNS_MAX];
    ds_error err;
    table->arena = arena_new();
    for (size_t i = 0; i < n; i++) {
        const ds_type *type = &TYPES[choices[2 * i + 1] % TYPE_COUNT];
        pg_wire wire = (pg_wire)(choices[2 * i] % PG_WIRE_COUNT);
        columns[i] = (ds_shape_column){.name = NAMES[i], .type = type};
        table->wires[i] = pg_wire_fits(wire, type) ? wire : pg_wire_held(type);
    }
    if (shape_new(table->arena, columns, n, NULL, 0, &table->shape, &err).code != DS_OK)
        BUG("shape: %s", err.text);
}

// One row out of a tuple, its fields in hash order; false when one is refused.
static bool decode(const fuzz_table *table, const pg_field *fields, bool held, ds_rows *rows)
{
    ds_error err;
    rows_begin(rows);
    for (size_t i = 0; i < table->shape->n; i++) {
        uint16_t place = table->shape->hash_order[i];
        const ds_shape_column *column = &table->shape->columns[place];
        pg_column c = pg_column_of(column, held ? pg_wire_held(column->type) : table->wires[place]);
        if (fields[i].n < 0)
            continue;
        size_t marks = rows->marks;
        if (pg_put_field(&c, fields[i].p, (size_t)fields[i].n, rows, &err).code != DS_OK) {
            ds_assert(rows->marks == marks && err.text[0]);
            rows_drop(rows);
            return false;
        }
        ds_assert(rows->marks == marks + 1);
    }
    if (rows_end(rows, table->shape, 0, &err).code != DS_OK)
        BUG("row: %s", err.text);
    return true;
}

static void put_u16(uint16_t value, ds_buf *out)
{
    value = htobe16(value);
    buf_put(out, &value, sizeof value);
}

static void encode(const ds_shape *shape, ds_str row, ds_buf *out)
{
    ds_cell cells[COLUMNS_MAX];
    row_cells(shape, row, cells);
    put_u16((uint16_t)shape->n, out);
    for (size_t i = 0; i < shape->n; i++) {
        uint16_t place = shape->hash_order[i];
        if (cells[place].p)
            pg_encode_cell(shape->columns[place].type, cells[place], out);
        else
            buf_put(out, "\xff\xff\xff\xff", 4);
    }
}

static void check(const fuzz_table *table, const uint8_t *data, size_t size)
{
    CLEANUP(rows_release) ds_rows rows;
    CLEANUP(buf_release) ds_buf tuple = BUF_INIT(16 << 20);
    pg_field fields[COLUMNS_MAX];
    rows_init(&rows);
    if (!pg_split_tuple(data, size, fields, table->shape->n) || !decode(table, fields, false, &rows))
        return;
    encode(table->shape, rows_row(&rows, 0), &tuple);
    if (!buf_ok(&tuple) || !pg_split_tuple((const unsigned char *)tuple.p, tuple.n, fields, table->shape->n))
        BUG("the encoded tuple is none");
    if (!decode(table, fields, true, &rows))
        BUG("the encoded tuple is refused");
    if (!str_eq(rows_row(&rows, 0), rows_row(&rows, 1)))
        BUG("the encoded tuple is another row");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = size > 0 ? 1 + data[0] % COLUMNS_MAX : 0;
    if (n == 0 || size < 1 + 2 * n)
        return 0;
    fuzz_table table;
    table_init(&table, data + 1, n);
    check(&table, data + 1 + 2 * n, size - 1 - 2 * n);
    arena_free(table.arena);
    return 0;
}
