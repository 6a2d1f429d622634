// Values from and to text: the forms in which SQLite holds what it has no type for, COPY text, CSV and JSON.
#pragma once
#include "schema/rows.h"

// Parses text as a value of the column's type and puts its canonical form into the row being written. Strict: what the
// type can't hold exactly is refused (DS_FINDING: `'12.345' does not fit decimal(4,2)`); text kinds are checked for
// length in code points, valid UTF-8 and U+0000. Dates YYYY-MM-DD (with an optional zero time), timestamps with ' '
// or 'T', up to 6 fraction digits, timestamptz with Z, +HH, +HHMM or +HH:MM; 'infinity', '-infinity'. Booleans
// t/f/true/false/0/1. Intervals ISO 8601 (P1Y2M3DT4H5M6.7S) and "1 year 2 mons 3 days 04:05:06.7".
ds_rc value_put_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err);
// The same from an integer or a floating point number of the source (a SQLite REAL into a decimal is rounded to its
// scale; everything else must be exact).
ds_rc value_put_int(ds_rows *rows, const ds_shape_column *column, int64_t value, ds_error *err);
ds_rc value_put_real(ds_rows *rows, const ds_shape_column *column, double value, ds_error *err);
ds_rc value_put_blob(ds_rows *rows, const ds_shape_column *column, const void *bytes, size_t n, ds_error *err);

// Appends the value as text: what SQLite holds for types that it stores as TEXT, and what CSV shows.
// date YYYY-MM-DD, timestamp YYYY-MM-DD HH:MM:SS[.ffffff], timestamptz the same with +00:00, floats shortest that
// round-trips, decimals their digits, binary as lower-case hex, uuid with dashes, boolean true/false, interval
// ISO 8601.
void value_print(const ds_type *type, ds_cell cell, ds_buf *out);

// A value's class decides how drivers carry it.
typedef enum ds_value_class {
    VALUE_INT,
    VALUE_BOOL,
    VALUE_FLOAT,
    VALUE_DECIMAL,
    VALUE_TEXT,   // text kinds, json
    VALUE_MICROS, // date, timestamp, timestamptz
    VALUE_TIME,
    VALUE_INTERVAL,
    VALUE_UUID,
    VALUE_BINARY,
    VALUE_OTHER, // canonical text: timetz, geography, vector, array, map, struct, ml floats
} ds_value_class;
ds_value_class type_class(const ds_type *type);

// --- order: numbers, dates and times have one that all engines share.
bool type_has_order(const ds_type *type);
// A bound that a user gives for values of the type, which has an order, as canonical text in arena. DS_FINDING when it
// is no value of the type, or one that bounds nothing (NaN, an infinite number).
ds_rc value_bound(ds_arena *arena, const ds_type *type, ds_str text, const char **out, ds_error *err);
// Of two such texts: below zero when a is the lesser one.
int value_bound_compare(const ds_type *type, const char *a, const char *b);
// The same for any two canonical decimals or integers; NaN is the largest, as in PostgreSQL.
int number_text_compare(ds_str a, ds_str b);
