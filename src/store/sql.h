// The SQL builder: the only way to make SQL text. Fixed text comes from string literals, identifiers are quoted by the
// dialect, values are parameters; so no value can break out of its place.
//
//     CLEANUP(sql_release) ds_sql q = sql_new(dialect);
//     SQL(&q, "DELETE FROM ");  sql_relation(&q, staging);
//     SQL(&q, " WHERE ds_batch_id < ");  sql_int(&q, oldest);
//
// Owns its text and copies of its parameters. Overflow (SQL_TEXT_MAX) is reported by the driver when executed.
#pragma once
#include "base/buf.h"
#include "naming/naming.h"
#include "schema/shape.h"
#include "store/dialect.h"

enum { SQL_TEXT_MAX = 4 << 20, SQL_PARAMS_MAX = 1000 };

typedef enum ds_param_kind { PARAM_NULL, PARAM_INT, PARAM_TEXT, PARAM_BLOB } ds_param_kind;
typedef struct ds_param {
    ds_param_kind kind;
    int64_t i;
    size_t offset, n;  // into ds_sql.values
    size_t at, length; // of its placeholder in ds_sql.text
} ds_param;

typedef struct ds_sql {
    const ds_dialect *dialect;
    ds_buf text;
    ds_buf values;
    ds_param *params;
    size_t param_count, param_cap;
} ds_sql;

ds_sql sql_new(const ds_dialect *dialect);
void sql_release(ds_sql *sql);
void sql_clear(ds_sql *sql);
bool sql_ok(const ds_sql *sql); // false after an overflow; drivers ask

// Fixed text: a string literal, nothing else compiles.
#define SQL(sql, literal) sql_add_fixed((sql), "" literal "", sizeof(literal) - 1)
void sql_add_fixed(ds_sql *sql, const char *text, size_t n);

void sql_ident(ds_sql *sql, const char *name); // "name"
// "schema"."name"; "name" alone where the dialect has no schemas: a source that moves there leaves its schema behind.
void sql_relation(ds_sql *sql, ds_relation relation);
void sql_column(ds_sql *sql, const char *alias, const char *name); // alias."name"; alias is an identifier too
void sql_locator(ds_sql *sql, const char *alias);     // the dialect's physical place of a row; alias may be NULL
void sql_locator_value(ds_sql *sql, int64_t locator); // one such place
// alias-less condition: places on pages first <= page < end. Only for dialects whose driver tells pages.
void sql_locator_range(ds_sql *sql, int64_t first_page, int64_t end_page);
// A column's value as a text that a later statement compares with: what sql_point_value turns into the value again.
void sql_point_column(ds_sql *sql, const char *alias, const char *name);
void sql_point_value(ds_sql *sql, const char *point);    // parameters; whatever the text is, it stays one value
void sql_int(ds_sql *sql, int64_t value);                // a parameter
void sql_text(ds_sql *sql, const char *value);           // a parameter; NULL gives null
void sql_blob(ds_sql *sql, const void *bytes, size_t n); // a parameter
void sql_literal_text(ds_sql *sql, const char *value);   // 'quoted', for DDL, where parameters can't stand
void sql_literal_int(ds_sql *sql, int64_t value);
// Another statement's text, as a part of this one. It has no parameters.
void sql_append(ds_sql *sql, const ds_sql *part);
// Text that a user wrote on purpose as SQL (a transformer's SELECT). The one hole; the driver runs it read-only.
void sql_user_text(ds_sql *sql, const char *text);

// "a", "b", "c" — all columns of the shape in model order; alias may be NULL.
void sql_columns(ds_sql *sql, const char *alias, const ds_shape *shape);
// The same in hash order, as a reader wants them. source_names: by their name at the source.
void sql_columns_to_read(ds_sql *sql, const ds_shape *shape, bool source_names);
// a."k1" = b."k1" AND a."k2" = b."k2" over the key columns (ds_row_hash and ds_copy for a multiset).
void sql_key_match(ds_sql *sql, const char *a, const char *b, const ds_shape *shape);
//  ORDER BY "k1", "k2"; nothing for a multiset.
void sql_order_by_key(ds_sql *sql, const ds_shape *shape);
