// Slices: a pointer and a length into somebody else's bytes; not NUL-terminated. Plain values, free to copy.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct ds_str {
    const char *p;
    size_t n;
} ds_str;

#define STR(literal) ((ds_str){"" literal "", sizeof(literal) - 1})
// For printf: printf("%.*s", STR_ARGS(s))
#define STR_ARGS(s) (int)(s).n, (s).p

static inline ds_str str_of(const char *text)
{
    return (ds_str){text ? text : "", text ? strlen(text) : 0};
}

static inline bool str_eq(ds_str a, ds_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

// ASCII case is ignored, other bytes are compared as they are.
bool str_eq_nocase(ds_str a, ds_str b);
bool str_starts(ds_str text, ds_str prefix);
ds_str str_trim(ds_str text); // spaces and tabs
// Splits at the first `at`: returns what stands before it and leaves the rest in *text; whole text when there is none.
ds_str str_split(ds_str *text, char at);
// Whole slice as a decimal integer, an optional leading '-'; false when it isn't one or overflows.
bool str_int64(ds_str text, int64_t *out);

// Lower-cases ASCII letters.
static inline char str_lower_char(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
void str_lower(char *text);
// The value of a lower-case hexadecimal digit; -1: it is none.
static inline int str_hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Optimal string alignment distance of two names, ASCII case ignored; gives up above limit and returns limit + 1.
size_t str_distance(ds_str a, ds_str b, size_t limit);
// The candidate nearest to name for "did you mean", or NULL when none is near enough.
const char *str_nearest(const char *name, const char *const *candidates, size_t n);

// Number of code points of valid UTF-8, or -1 when it is not valid UTF-8 or contains U+0000.
// Overlong forms, surrogates and values above U+10FFFF are invalid.
int64_t str_utf8_length(ds_str text);

// name matches a shell pattern of * and ? (no brackets), whole.
bool str_glob(const char *pattern, const char *name);
