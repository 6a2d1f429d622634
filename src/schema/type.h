// Logical types: what the model says about a column. Parsed from text such as "decimal(12,2)" or
// "array(varchar(10))"; case is ignored and aliases are folded (int4 -> integer), so that equal types are equal
// structs. A ds_type lives in an arena and never changes.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

typedef enum ds_type_kind {
    TYPE_TINYINT,
    TYPE_SMALLINT,
    TYPE_INTEGER,
    TYPE_BIGINT,
    TYPE_UTINYINT,
    TYPE_USMALLINT,
    TYPE_UINTEGER,
    TYPE_UBIGINT,
    TYPE_REAL,
    TYPE_DOUBLE,
    TYPE_DECIMAL,
    TYPE_BOOLEAN,
    TYPE_CHAR,
    TYPE_VARCHAR,
    TYPE_TEXT,
    TYPE_NCHAR,
    TYPE_NVARCHAR,
    TYPE_STRING,
    TYPE_DATE,
    TYPE_TIME,
    TYPE_TIMETZ,
    TYPE_TIMESTAMP,
    TYPE_TIMESTAMPTZ,
    TYPE_INTERVAL,
    TYPE_UUID,
    TYPE_JSON,
    TYPE_BINARY,
    TYPE_VARIANT,
    TYPE_GEOGRAPHY,
    TYPE_VECTOR,
    TYPE_ARRAY,
    TYPE_MAP,
    TYPE_STRUCT,
    TYPE_MLFLOAT, // ieee16, ieee128, ieee256, fp8_*, fp6_*, fp4_*, mxfp*: kept as canonical text
} ds_type_kind;
enum { TYPE_KIND_COUNT = TYPE_MLFLOAT + 1 };

enum { TYPE_UNLIMITED = -1, TYPE_DEPTH_MAX = 16, TYPE_FIELDS_MAX = 1000, TYPE_TEXT_MAX = 4096 };
enum { TYPE_PRINT_MAX = 4 * TYPE_TEXT_MAX }; // canonical names may be longer than those that were written

typedef struct ds_type ds_type;
typedef struct ds_type_field {
    const char *name;
    const ds_type *type;
} ds_type_field;

struct ds_type {
    ds_type_kind kind;
    int32_t size;                // characters, bytes, decimal digits or dimensions; TYPE_UNLIMITED when not given
    int32_t scale;               // decimal: digits after the point; geography: SRID, 0 when not given
    const char *subtype;         // geography: "point" ...; ml float: "fp8_e4m3" ...; else NULL
    const ds_type *element;      // array element, map value
    const ds_type *key;          // map key
    const ds_type_field *fields; // struct
    size_t field_count;
};

// Parses one type, whole. On failure DS_FINDING with a message like `unknown type "varchr"` and a hint; *error_at is
// then the offset in text where the trouble begins. The result lives in arena.
ds_rc type_parse(ds_arena *arena, ds_str text, const ds_type **out, size_t *error_at, ds_error *err);
// Canonical text: parse(print(t)) equals t.
void type_print(const ds_type *type, ds_buf *out);
bool type_equal(const ds_type *a, const ds_type *b);
// The canonical name of a kind: "varchar". Aliases are in the table in type.c.
const char *type_kind_name(ds_type_kind kind);

// Can every value of `from` be held by `to` without loss, and does the canonical hash stay the same?
// One exception to the hash: from a machine-learning float to real or double it changes, text becoming a number.
// why gets a short reason when not, else nothing.
bool type_widens(const ds_type *from, const ds_type *to, ds_buf *why);
bool type_is_text(const ds_type *type);    // char ... string
bool type_is_integer(const ds_type *type); // tinyint ... ubigint
// What of an integer type an int64_t can hold: for ubigint half of it.
void type_int64_range(const ds_type *type, int64_t *low, int64_t *high);

// The column grammar of a model: TYPE [primary key] [not null|null] [partition], modifiers in any order.
typedef struct ds_column_spec {
    const ds_type *type;
    bool primary_key;
    bool not_null; // also by primary key and partition
    bool null_given;
    bool partition;
} ds_column_spec;
ds_rc column_spec_parse(ds_arena *arena, ds_str text, ds_column_spec *out, size_t *error_at, ds_error *err);
