// The order of values, for bounds that a user gives. Engines that hold such values natively order them the same way.
#include <stdlib.h>
#include <string.h>

#include "schema/value_int.h"

bool type_has_order(const ds_type *type)
{
    switch (type_class(type)) {
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_DECIMAL:
    case VALUE_MICROS:
    case VALUE_TIME:
        return true;
    default:
        return false; // texts have as many orders as there are collations, intervals none that all engines share
    }
}

// --- numbers as the text of their digits

typedef enum number_rank { LEAST, NEGATIVE, POSITIVE, LARGEST, NOT_A_NUMBER } number_rank;

static number_rank rank_of(ds_str text)
{
    if (str_starts(text, STR("-")))
        return str_starts(text, STR("-I")) ? LEAST : NEGATIVE;
    if (str_starts(text, STR("N")))
        return NOT_A_NUMBER;
    return str_starts(text, STR("I")) ? LARGEST : POSITIVE;
}

static size_t digits_before_point(ds_str text)
{
    const char *point = text.n ? memchr(text.p, '.', text.n) : NULL;
    return point ? (size_t)(point - text.p) : text.n;
}

// Without leading zeros the number with more digits before the point is larger; else the texts decide.
static int compare_magnitudes(ds_str a, ds_str b)
{
    size_t before_a = digits_before_point(a), before_b = digits_before_point(b);
    if (before_a != before_b)
        return before_a < before_b ? -1 : 1;
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order == 0)
        order = (a.n > b.n) - (a.n < b.n);
    return order;
}

int number_text_compare(ds_str a, ds_str b)
{
    number_rank rank = rank_of(a), other = rank_of(b);
    if (rank != other)
        return rank < other ? -1 : 1;
    if (rank == POSITIVE)
        return compare_magnitudes(a, b);
    if (rank != NEGATIVE)
        return 0;
    return compare_magnitudes((ds_str){b.p + 1, b.n - 1}, (ds_str){a.p + 1, a.n - 1});
}

// --- bounds

static ds_rc encode_bound(ds_rows *rows, const ds_shape *shape, ds_str text, ds_error *err)
{
    rows_begin(rows);
    TRY(value_put_text(rows, &shape->columns[0], text, err));
    return rows_end(rows, shape, 0, err);
}

static bool is_finite_number(const char *text)
{
    return (text[0] >= '0' && text[0] <= '9') || (text[0] == '-' && text[1] != 'I');
}

ds_rc value_bound(ds_arena *arena, const ds_type *type, ds_str text, const char **out, ds_error *err)
{
    const ds_shape *shape;
    TRY(shape_new(arena, &(ds_shape_column){.name = "bound", .type = type}, 1, NULL, 0, &shape, err));
    ds_rows rows;
    rows_init(&rows);
    ds_rc rc = encode_bound(&rows, shape, text, err);
    if (rc.code == DS_OK) {
        CLEANUP(buf_release) ds_buf printed = BUF_INIT(ROWS_BYTES_MAX);
        ds_cell cell;
        row_cells(shape, rows_row(&rows, 0), &cell);
        value_print(type, cell, &printed);
        ds_value_class class = type_class(type);
        bool number = class == VALUE_INT || class == VALUE_FLOAT || class == VALUE_DECIMAL;
        if (number && !is_finite_number(buf_text(&printed)))
            rc = refuse_because(text, "bounds nothing", err);
        *out = arena_str(arena, buf_str(&printed));
    }
    rows_release(&rows);
    return rc;
}

int value_bound_compare(const ds_type *type, const char *a, const char *b)
{
    ds_value_class class = type_class(type);
    if (class == VALUE_FLOAT) {
        double x = strtod(a, NULL), y = strtod(b, NULL);
        return (x > y) - (x < y);
    }
    if (class == VALUE_INT || class == VALUE_DECIMAL)
        return number_text_compare(str_of(a), str_of(b));
    return strcmp(a, b); // dates and times have as many digits each, '-infinity' sorts before them, 'infinity' after
}
