// The table of type names, shared by the parser (type_parse.c), the printer (type.c) and widening (type_widen.c).
#pragma once
#include "schema/type.h"

// What stands between the parentheses after a name.
typedef enum type_params {
    PARAMS_NONE,
    PARAMS_LENGTH_OPTIONAL, // varchar, varchar(20)
    PARAMS_LENGTH,          // char(3), vector(16)
    PARAMS_DECIMAL,         // decimal(12), decimal(12,2)
    PARAMS_GEOGRAPHY,       // geography, geography(point), geography(point,4326)
    PARAMS_ARRAY,           // array(T)
    PARAMS_MAP,             // map(K, V)
    PARAMS_STRUCT,          // struct(name T, ...)
} type_params;
enum { TYPE_PARAMS_COUNT = PARAMS_STRUCT + 1 };

typedef struct type_name {
    const char *name; // lower case; one space in "double precision"
    ds_type_kind kind;
    type_params params;
    bool alias;
    const char *form;    // how it is written, for hints
    const char *subtype; // ml floats
} type_name;

extern const type_name TYPE_NAMES[];
extern const size_t TYPE_NAME_COUNT;

enum { TYPE_DECIMAL_DIGITS_MAX = 1000, TYPE_SRID_MAX = 998999 };
// "point", ... in the order of the table; "geometry" is any kind and becomes NULL.
extern const char *const TYPE_GEOGRAPHY_KINDS[];
enum { TYPE_GEOGRAPHY_KIND_COUNT = 8 };

// type_hint.c: DS_FINDING, with a hint at what may have been meant.
ds_rc type_fail_unknown(ds_str word, ds_error *err);
ds_rc type_fail_modifier(ds_str word, ds_error *err);
