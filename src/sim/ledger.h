// What the simulator did, as JSON Lines that are enough to recompute every state of the source:
//   {"tx":3,"at":"2026-01-31T12:00:00.000000Z","dataset":"customers","op":"update","key":{"id":"C000001"},"row":{…}}
// op is insert, update or delete. row is the whole row after the change; null for a delete with a key. A dataset
// without a key has key null, and row is the row that came or went. Integers are JSON integers, booleans true and
// false, nulls null; everything else is text: decimals and floats their digits, times as the model writes them, binary
// as hex. Changes of one tx are one transaction. Lines are written after their transaction has committed.
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "schema/rows.h"

typedef struct ds_ledger {
    FILE *file; // NULL: nothing is kept
    const char *path;
    int64_t tx; // the last one written
} ds_ledger;

// Opens for appending and goes on counting where the last line stopped. path NULL: no ledger.
ds_rc ledger_open(const char *path, ds_ledger *out, ds_error *err);
void ledger_close(ds_ledger *ledger);
// One change of transaction ledger->tx + 1; cells in the order of shape->columns. key_only: a delete.
json_t *ledger_change(const char *dataset, const char *op, const ds_shape *shape, const ds_cell *cells, bool key_only);
// Writes the changes of one transaction (an array) and counts it.
ds_rc ledger_write(ds_ledger *ledger, int64_t at_us, const json_t *changes, ds_error *err);
