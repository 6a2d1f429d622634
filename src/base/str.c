#include "base/str.h"

void str_lower(char *text)
{
    for (; *text; text++)
        *text = str_lower_char(*text);
}

bool str_eq_nocase(ds_str a, ds_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (str_lower_char(a.p[i]) != str_lower_char(b.p[i]))
            return false;
    return true;
}

bool str_starts(ds_str text, ds_str prefix)
{
    return text.n >= prefix.n && memcmp(text.p, prefix.p, prefix.n) == 0;
}

ds_str str_trim(ds_str text)
{
    while (text.n && (text.p[0] == ' ' || text.p[0] == '\t'))
        text = (ds_str){text.p + 1, text.n - 1};
    while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
        text.n--;
    return text;
}

ds_str str_split(ds_str *text, char at)
{
    const char *hit = text->n ? memchr(text->p, at, text->n) : NULL;
    ds_str before = *text;
    if (!hit) {
        *text = (ds_str){text->p + text->n, 0};
        return before;
    }
    before.n = (size_t)(hit - text->p);
    *text = (ds_str){hit + 1, text->n - before.n - 1};
    return before;
}

bool str_int64(ds_str text, int64_t *out)
{
    bool negative = text.n && text.p[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == text.n)
        return false;
    int64_t value = 0;
    for (; i < text.n; i++) {
        int digit = text.p[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) // negative, so that INT64_MIN fits
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

enum { DISTANCE_MAX = 128 };

size_t str_distance(ds_str a, ds_str b, size_t limit)
{
    if (a.n > DISTANCE_MAX || b.n > DISTANCE_MAX)
        return str_eq_nocase(a, b) ? 0 : limit + 1;
    size_t rows[3][DISTANCE_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            char x = str_lower_char(a.p[i - 1]), y = str_lower_char(b.p[j - 1]);
            size_t best = last[j - 1] + (x != y);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && x == str_lower_char(b.p[j - 2]) && y == str_lower_char(a.p[i - 2]) &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.n] <= limit ? last[b.n] : limit + 1;
}

const char *str_nearest(const char *name, const char *const *candidates, size_t n)
{
    ds_str wanted = str_of(name);
    size_t best = wanted.n / 3 + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < n; i++) {
        size_t d = str_distance(wanted, str_of(candidates[i]), best);
        if (d <= best && (!nearest || d < best)) {
            best = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}

// Well-formed sequences of more than one byte: table 3-7 of the Unicode Standard.
static const struct {
    unsigned char first_low, first_high, length, second_low, second_high;
} UTF8_FORMS[] = {
    {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF}, {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F},
    {0xEE, 0xEF, 3, 0x80, 0xBF}, {0xF0, 0xF0, 4, 0x90, 0xBF}, {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

// Length in bytes of the code point at p, or 0 when it is invalid.
static size_t utf8_step(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return p[0] != 0;
    for (size_t i = 0; i < sizeof UTF8_FORMS / sizeof UTF8_FORMS[0]; i++) {
        if (p[0] < UTF8_FORMS[i].first_low || p[0] > UTF8_FORMS[i].first_high)
            continue;
        size_t length = UTF8_FORMS[i].length;
        if (n < length || p[1] < UTF8_FORMS[i].second_low || p[1] > UTF8_FORMS[i].second_high)
            return 0;
        for (size_t k = 2; k < length; k++)
            if ((p[k] & 0xC0) != 0x80)
                return 0;
        return length;
    }
    return 0;
}

// True when none of the eight bytes is NUL or above 0x7F.
static bool plain_ascii8(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    const uint64_t high = 0x8080808080808080u, ones = 0x0101010101010101u;
    return ((v | (v - ones)) & high) == 0;
}

int64_t str_utf8_length(ds_str text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    int64_t points = 0;
    for (size_t i = 0; i < text.n;) {
        if (text.n - i >= 8 && plain_ascii8(p + i)) {
            i += 8;
            points += 8;
            continue;
        }
        size_t step = p[i] - 1u < 0x7F ? 1 : utf8_step(p + i, text.n - i);
        if (step == 0)
            return -1;
        i += step;
        points++;
    }
    return points;
}

bool str_glob(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            resume = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}
