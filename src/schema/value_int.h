// Shared by the value_*.c files: calendar, classes of characters, refusals.
#pragma once
#include "schema/value.h"

#define DAY_MICROS INT64_C(86400000000)
#define SECOND_MICROS INT64_C(1000000)

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back (H. Hinnant, "chrono-Compatible
// Low-Level Date Algorithms").
int64_t days_from_civil(int64_t year, unsigned month, unsigned day);
void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);
