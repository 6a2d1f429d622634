#include "schema/fingerprint.h"

#include <stdio.h>

static unsigned __int128 sum_of(ds_hash hash)
{
    return (unsigned __int128)hash.high << 64 | hash.low;
}

static ds_hash hash_of(unsigned __int128 sum)
{
    return (ds_hash){.low = (uint64_t)sum, .high = (uint64_t)(sum >> 64)};
}

void fingerprint_add(ds_fingerprint *fp, ds_hash row)
{
    fp->rows++;
    fp->sum = hash_of(sum_of(fp->sum) + sum_of(row));
}

void fingerprint_remove(ds_fingerprint *fp, ds_hash row)
{
    fp->rows--;
    fp->sum = hash_of(sum_of(fp->sum) - sum_of(row));
}

void fingerprint_merge(ds_fingerprint *fp, ds_fingerprint other)
{
    fp->rows += other.rows;
    fp->sum = hash_of(sum_of(fp->sum) + sum_of(other.sum));
}

void fingerprint_take_away(ds_fingerprint *fp, ds_fingerprint other)
{
    fp->rows -= other.rows;
    fp->sum = hash_of(sum_of(fp->sum) - sum_of(other.sum));
}

bool fingerprint_eq(ds_fingerprint a, ds_fingerprint b)
{
    return a.rows == b.rows && hash_eq(a.sum, b.sum);
}

void fingerprint_print(ds_fingerprint fp, char out[FINGERPRINT_TEXT])
{
    snprintf(out, FINGERPRINT_TEXT, "%016llx%016llx", (unsigned long long)fp.sum.high, (unsigned long long)fp.sum.low);
}

static bool hex_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    for (int i = 0; i < 16; i++) {
        int digit = str_hex_digit(text[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *out = value;
    return true;
}

bool fingerprint_parse(int64_t rows, const char *text, ds_fingerprint *out)
{
    ds_fingerprint fp = {.rows = rows};
    if (strlen(text) != FINGERPRINT_TEXT - 1 || !hex_u64(text, &fp.sum.high) || !hex_u64(text + 16, &fp.sum.low))
        return false;
    *out = fp;
    return true;
}
