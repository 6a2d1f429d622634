// The fingerprint of a set of rows: how many, and the sum of their row hashes modulo 2^128. Independent of order,
// additive over chunks, updated by (new - old).
#pragma once
#include "schema/rows.h"

typedef struct ds_fingerprint {
    int64_t rows;
    ds_hash sum;
} ds_fingerprint;

void fingerprint_add(ds_fingerprint *fp, ds_hash row);
void fingerprint_remove(ds_fingerprint *fp, ds_hash row);
void fingerprint_merge(ds_fingerprint *fp, ds_fingerprint other);
void fingerprint_take_away(ds_fingerprint *fp, ds_fingerprint other);
bool fingerprint_eq(ds_fingerprint a, ds_fingerprint b);
// The sum as 32 lower-case hex digits, high first. Rows are written apart.
enum { FINGERPRINT_TEXT = 33 };
void fingerprint_print(ds_fingerprint fp, char out[FINGERPRINT_TEXT]);
bool fingerprint_parse(int64_t rows, const char *text, ds_fingerprint *out);
