// Shared by the value_*.c files. Nothing else includes it.
#pragma once
#include "schema/value.h"

#define SECOND_MICROS INT64_C(1000000)
#define DAY_MICROS INT64_C(86400000000)

// The fewest digits that read back as the same finite number; as_real: the same 32-bit number.
enum { FLOAT_TEXT = 40 };
void float_print(double value, bool as_real, char out[FLOAT_TEXT]);
// Appends HH:MM:SS, with .ffffff when there is a fraction.
void day_time_print(int64_t micros, ds_buf *out);

// --- from text: one function for each class, in the order of ds_value_class
typedef ds_rc value_from_text(ds_rows *rows, const ds_shape_column *column, ds_str text, ds_error *err);
value_from_text int_from_text, bool_from_text, float_from_text, decimal_from_text, text_from_text, micros_from_text,
    time_from_text, interval_from_text, uuid_from_text, binary_from_text, other_from_text;

ds_rc int_from_int(ds_rows *rows, const ds_shape_column *column, int64_t value, ds_error *err);
ds_rc decimal_from_int(ds_rows *rows, const ds_shape_column *column, int64_t value, ds_error *err);
ds_rc decimal_from_real(ds_rows *rows, const ds_shape_column *column, double value, ds_error *err);
ds_rc float_from_real(ds_rows *rows, const ds_shape_column *column, double value, ds_error *err);
ds_rc bytes_put(ds_rows *rows, const ds_shape_column *column, const void *bytes, size_t n, ds_error *err);

// --- refusals, all DS_FINDING
// `'12.345' does not fit decimal(4,2)`: right in form, too large or too exact.
ds_rc refuse_fit(const ds_type *type, ds_str text, ds_error *err);
// `'2024-1-1' is not a valid date`, with the right form as a hint.
ds_rc refuse_form(const ds_type *type, ds_str text, ds_error *err);
// `'...' REASON`. Values are cut and made printable.
ds_rc refuse_because(ds_str text, const char *reason, ds_error *err);
