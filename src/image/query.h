// Reading an image with SQL that somebody else wrote. Only the tables of tables.h are there, nothing can be written,
// attached, configured or loaded, and no function reaches outside.
#pragma once
#include "image/image.h"

typedef struct ds_query ds_query;
// Only for queries from now on. cancelled: looked at while a statement runs; NULL: nobody interrupts.
// sql is one statement. DS_USAGE with SQLite's words when it is wrong, or asks for what it may not have.
ds_rc query_open(ds_image *image, const char *sql, const volatile int *cancelled, ds_query **out, ds_error *err);
void query_closep(ds_query **query);
size_t query_width(const ds_query *query);
const char *query_column(const ds_query *query, size_t i); // the heading
// Tables that no image has (tables.h: late) are there, and empty: who knows their rows puts them before query_next is
// called first. Does the query read this one?
bool query_reads(const ds_query *query, image_table_id table);
// A row, as many cells as the table has columns; NULL is null.
ds_rc query_put(ds_query *query, image_table_id table, const char *const *cells, ds_error *err);
// Is there another row? DS_CANCELLED when we were interrupted.
ds_rc query_next(ds_query *query, bool *more, ds_error *err);

typedef enum ds_value_kind { QUERY_NULL, QUERY_INT, QUERY_REAL, QUERY_TEXT, QUERY_BLOB } ds_value_kind;
typedef struct ds_query_value {
    ds_value_kind kind;
    int64_t number;
    double real;
    ds_str text; // also of numbers, as SQLite prints them; of a blob in hexadecimal; until the next row
} ds_query_value;
ds_query_value query_value(ds_query *query, size_t i);
