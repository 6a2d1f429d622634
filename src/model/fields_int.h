// Shorthand for the tables of fields_*.c.
#pragma once
#include "model/fields.h"

#define AT(type, member) ((uint16_t)offsetof(type, member))
#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define WORDS(array)                                                                                                   \
    {                                                                                                                  \
        (array), COUNT(array)                                                                                          \
    }
#define FIELDS(array) .fields = (array), .n = COUNT(array)
// The struct that a shape fills, and where its position goes.
#define FILLS(type) .size = sizeof(type), .pos_offset = AT(type, pos)

// The fields of a ds_caps that stands in type at `in` (empty, or "member.").
#define CAPS_ROWS(type, in)                                                                                            \
    {.key = "connections",                                                                                             \
     .kind = FIELD_INT,                                                                                                \
     .offset = AT(type, in connections),                                                                               \
     .min = 1,                                                                                                         \
     .max = 10000,                                                                                                     \
     .about = "at most so many connections at a time",                                                                 \
     .example = "2"},                                                                                                  \
        {.key = "writers",                                                                                             \
         .kind = FIELD_INT,                                                                                            \
         .offset = AT(type, in writers),                                                                               \
         .min = 1,                                                                                                     \
         .max = 10000,                                                                                                 \
         .about = "at most so many of them write",                                                                     \
         .example = "1"},                                                                                              \
    {                                                                                                                  \
        .key = "rows_per_second", .kind = FIELD_INT, .offset = AT(type, in rows_per_second), .min = 1,                 \
        .max = INT32_MAX, .about = "at most so many rows a second are read", .example = "200000"                       \
    }
