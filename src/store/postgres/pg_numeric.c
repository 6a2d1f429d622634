// numeric on the wire (numeric_send in PostgreSQL's numeric.c): int16 number of groups, weight of the first, sign,
// digits after the point for showing; then the groups, four decimal digits each. Groups end at the decimal point, so
// that digits are written group by group.
#include "store/postgres/pg_codec_int.h"

enum {
    HEAD = 8,
    GROUP_MAX = 9999,
    NEGATIVE = 0x4000,
    NOT_A_NUMBER = 0xC000,
    PLUS_INFINITY = 0xD000,
    MINUS_INFINITY = 0xF000
};

static unsigned group_at(const unsigned char *groups, int i)
{
    return pg_load_u16(groups + 2 * i);
}

// --- out of the wire

static bool parse_word(unsigned sign, int count, pg_numeric *out)
{
    out->word = sign == NOT_A_NUMBER     ? "NaN"
                : sign == PLUS_INFINITY  ? "Infinity"
                : sign == MINUS_INFINITY ? "-Infinity"
                                         : NULL;
    return out->word && count == 0;
}

// The server sends no zero groups at the ends; whatever else does is read as well.
static void strip(pg_numeric *number)
{
    while (number->count > 0 && group_at(number->groups, 0) == 0) {
        number->groups += 2;
        number->count--;
        number->weight--;
    }
    while (number->count > 0 && group_at(number->groups, number->count - 1) == 0)
        number->count--;
    if (number->count == 0)
        *number = (pg_numeric){.groups = number->groups, .weight = -1};
}

bool pg_numeric_parse(const unsigned char *p, size_t n, pg_numeric *out)
{
    if (n < HEAD)
        return false;
    int count = pg_load_u16(p);
    unsigned sign = pg_load_u16(p + 4);
    if (n != HEAD + 2 * (size_t)count)
        return false;
    *out = (pg_numeric){.groups = p + HEAD, .count = count, .weight = (int16_t)pg_load_u16(p + 2)};
    if (sign & ~(unsigned)NEGATIVE)
        return parse_word(sign, count, out);
    out->negative = sign == NEGATIVE;
    unsigned worst = 0;
    for (int i = 0; i < count; i++) {
        unsigned group = group_at(out->groups, i);
        worst = group > worst ? group : worst;
    }
    if (worst > GROUP_MAX)
        return false;
    strip(out);
    if (out->count == 0)
        return true;
    unsigned first = group_at(out->groups, 0), last = group_at(out->groups, out->count - 1);
    out->lead = 1 + (first > 9) + (first > 99) + (first > 999);
    out->trail = (last % 10 == 0) + (last % 100 == 0) + (last % 1000 == 0);
    return true;
}

size_t pg_numeric_size(const pg_numeric *number)
{
    size_t whole = number->weight < 0 ? 1 : (size_t)pg_numeric_whole(number);
    size_t fraction = (size_t)pg_numeric_fraction(number);
    return number->negative + whole + (fraction > 0 ? 1 + fraction : 0);
}

// The four digits of a group, the first in the lowest byte: both halves, and then both digits of each half, are taken
// apart at the same time.
static uint32_t digits_of(unsigned group)
{
    uint32_t halves = group / 100 | (group % 100) << 16;
    uint32_t tens = (halves * 103 >> 10) & 0x000F000F; // n * 103 / 1024 is n / 10 up to 99
    return 0x30303030 | tens | (halves - tens * 10) << 8;
}

// `count` digits of a group from the digit `first` on.
static inline unsigned char *put_digits(unsigned char *at, unsigned group, int first, int count)
{
    uint32_t digits = htole32(digits_of(group) >> 8 * first);
    if (count == 4)
        memcpy(at, &digits, 4);
    else
        for (int i = 0; i < count; i++)
            memcpy(at + i, (unsigned char *)&digits + i, 1);
    return at + count;
}

void pg_numeric_write(const pg_numeric *number, unsigned char *at)
{
    const unsigned char *groups = number->groups;
    int last = number->count - 1, i = 0;
    if (number->negative)
        *at++ = '-';
    if (number->weight < 0)
        *at++ = '0';
    else
        at = put_digits(at, group_at(groups, i++), 4 - number->lead, number->lead);
    for (; i <= number->weight; i++)
        at = put_digits(at, i <= last ? group_at(groups, i) : 0, 0, 4);
    if (last <= number->weight)
        return;
    *at++ = '.';
    for (int zeros = number->weight + 1; zeros < 0; zeros++)
        at = put_digits(at, 0, 0, 4);
    for (; i < last; i++)
        at = put_digits(at, group_at(groups, i), 0, 4);
    put_digits(at, group_at(groups, last), 0, 4 - number->trail);
}

bool pg_numeric_magnitude(const pg_numeric *number, uint64_t *out)
{
    enum { WEIGHT_MAX = 4 }; // 20 digits
    uint64_t value = 0;
    if (number->word || number->weight > WEIGHT_MAX || number->count - 1 > number->weight)
        return false;
    for (int i = 0; i <= number->weight; i++) {
        unsigned group = i < number->count ? group_at(number->groups, i) : 0;
        if (__builtin_mul_overflow(value, 10000, &value) || __builtin_add_overflow(value, group, &value))
            return false;
    }
    *out = value;
    return true;
}

// --- onto the wire

static void encode_head(unsigned char *p, size_t count, int weight, unsigned sign, size_t scale)
{
    pg_store_u32(p, (uint32_t)(HEAD + 2 * count));
    pg_store_u16(p + 4, (unsigned)count);
    pg_store_u16(p + 6, (unsigned)weight);
    pg_store_u16(p + 8, sign);
    pg_store_u16(p + 10, (unsigned)scale);
}

// A group of up to four digits, which are those at its end, or with `left` those at its beginning.
static unsigned group_of(const char *digits, size_t n, bool left)
{
    unsigned group = 0;
    for (size_t i = 0; i < n; i++)
        group = group * 10 + (unsigned)(digits[i] - '0');
    for (size_t i = n; left && i < 4; i++)
        group *= 10;
    return group;
}

static size_t groups_for(size_t digits)
{
    return (digits + 3) / 4;
}

static size_t zeros_at_end(ds_str digits)
{
    size_t n = 0;
    while (n < digits.n && digits.p[digits.n - 1 - n] == '0')
        n++;
    return n;
}

static size_t zeros_at_start(ds_str digits)
{
    size_t n = 0;
    while (n < digits.n && digits.p[n] == '0')
        n++;
    return n;
}

// Canonical digits: no zeros before `whole` or after `fraction`; only one of the two can begin or end with zero groups.
static void encode_digits(bool negative, ds_str whole, ds_str fraction, ds_buf *out)
{
    size_t scale = fraction.n, drop = fraction.n ? 0 : zeros_at_end(whole) / 4;
    size_t skip = whole.n ? 0 : zeros_at_start(fraction) / 4;
    int weight = (int)groups_for(whole.n) - 1 - (int)skip;
    fraction = (ds_str){fraction.p + 4 * skip, fraction.n - 4 * skip};
    whole.n -= 4 * drop;
    size_t count = groups_for(whole.n) + groups_for(fraction.n);
    unsigned char *p = buf_extend(out, 4 + HEAD + 2 * count);
    if (!p)
        return;
    encode_head(p, count, count ? weight : 0, negative ? NEGATIVE : 0, scale);
    p += 4 + HEAD;
    for (size_t taken = 0, n = whole.n % 4 ? whole.n % 4 : 4; taken < whole.n; taken += n, n = 4, p += 2)
        pg_store_u16(p, group_of(whole.p + taken, n, false));
    for (size_t taken = 0; taken < fraction.n; taken += 4, p += 2)
        pg_store_u16(p, group_of(fraction.p + taken, fraction.n - taken < 4 ? fraction.n - taken : 4, true));
}

void pg_numeric_encode(ds_str digits, ds_buf *out)
{
    bool negative = digits.n > 0 && digits.p[0] == '-';
    ds_str fraction = {digits.p + negative, digits.n - negative};
    if (fraction.n > 0 && (fraction.p[0] == 'N' || fraction.p[0] == 'I')) {
        unsigned char *p = buf_extend(out, 4 + HEAD);
        if (p)
            encode_head(p, 0, 0, fraction.p[0] == 'N' ? NOT_A_NUMBER : negative ? MINUS_INFINITY : PLUS_INFINITY, 0);
        return;
    }
    ds_str whole = str_split(&fraction, '.');
    if (str_eq(whole, STR("0")))
        whole.n = 0;
    encode_digits(negative, whole, fraction, out);
}
