// Taking encoded rows apart.
#include "schema/rows_int.h"

typedef struct ds_named_cell {
    uint64_t name_hash;
    ds_cell cell;
} ds_named_cell;

// The cell at *at, which moves on; false at the end of the row.
static bool row_next(ds_str row, size_t *at, ds_named_cell *out)
{
    if (*at == row.n)
        return false;
    const unsigned char *p = (const unsigned char *)row.p + *at;
    ds_assert(row.n - *at >= CELL_HEAD);
    uint32_t n = load_u32(p + CELL_NAME);
    ds_assert(n <= row.n - *at - CELL_HEAD);
    *out = (ds_named_cell){load_u64(p), {p + CELL_HEAD, n}};
    *at += CELL_HEAD + (size_t)n;
    return true;
}

void row_cells(const ds_shape *shape, ds_str row, ds_cell *out)
{
    memset(out, 0, shape->n * sizeof *out);
    size_t at = 0, place = 0;
    for (ds_named_cell next; row_next(row, &at, &next);) {
        size_t i = place;
        while (i < shape->n && shape->columns[shape->hash_order[i]].name_hash != next.name_hash)
            i++;
        if (i == shape->n)
            continue; // a column that the shape lacks
        out[shape->hash_order[i]] = next.cell;
        place = i + 1;
    }
}

int64_t cell_i64(ds_cell cell)
{
    ds_assert(cell.n == sizeof(int64_t));
    return (int64_t)load_u64(cell.p);
}

double cell_double(ds_cell cell)
{
    int64_t bits = cell_i64(cell);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

ds_cell row_find_cell(ds_str row, uint64_t name_hash)
{
    size_t at = 0;
    for (ds_named_cell next; row_next(row, &at, &next);)
        if (next.name_hash == name_hash)
            return next.cell;
    return (ds_cell){0};
}
