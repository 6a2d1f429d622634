// value.h parses JSON into a tree to know whether it is JSON. The server has done so already, but takes a little more:
// numbers that no double holds, lone surrogates and U+0000 as \u, and deeper nesting. Where none of these can be, the
// second look is saved.
#include "store/postgres/pg_codec_int.h"

enum { DEPTH_MAX = 1000, DIGITS_MAX = 300 };

// Behind the string's closing quote, NULL when it is not plain.
static const unsigned char *skip_string(const unsigned char *p, const unsigned char *end)
{
    for (; p < end && *p != '"'; p++)
        if (*p == '\\' && (++p == end || *p == 'u'))
            return NULL;
    return p < end ? p + 1 : NULL;
}

// Behind a number that is short and has no exponent, else NULL.
static const unsigned char *skip_number(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *start = p;
    while (p < end && ((*p >= '0' && *p <= '9') || *p == '.'))
        p++;
    bool plain = p - start <= DIGITS_MAX && !(p < end && (*p == 'e' || *p == 'E'));
    return plain ? p : NULL;
}

bool pg_json_is_plain(const unsigned char *p, size_t n)
{
    if (str_utf8_length((ds_str){(const char *)p, n}) <= 0)
        return false;
    const unsigned char *end = p + n;
    int depth = 0;
    while (p && p < end) {
        unsigned char c = *p;
        if (c == '"')
            p = skip_string(p + 1, end);
        else if (c >= '0' && c <= '9')
            p = skip_number(p, end);
        else if ((c == '[' || c == '{') && ++depth > DEPTH_MAX)
            return false;
        else
            p++;
        depth -= c == ']' || c == '}';
    }
    return p != NULL;
}
