// Cron lines: minute, hour, day of month, month, day of week. A field is *, N, A-B or a list of them, each with /STEP
// (N/STEP runs to the field's end); months and days of the week also by their first three letters; Sunday is 0 or 7.
// As in crontab(5), a day fires when both day fields match, or either of them when neither begins with *.
// Plain values, any thread.
#pragma once
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "base/zone.h"

typedef struct ds_cron {
    uint64_t minutes; // bit 0..59
    uint32_t hours;   // bit 0..23
    uint32_t days;    // bit 1..31
    uint16_t months;  // bit 1..12
    uint8_t weekdays; // bit 0..6, Sunday first
    bool either_day;  // neither day field began with *: one that matches is enough
} ds_cron;

// DS_FINDING `minute "60" is not between 0 and 59`, or when the line never fires (30 February).
ds_rc cron_parse(ds_str text, ds_cron *out, ds_error *err);
// Does a day of the calendar fire? weekday 0 is Sunday.
bool cron_day_matches(const ds_cron *cron, int month, int day, int weekday);
// The longest time between two firings, in minutes, without clock changes.
int64_t cron_longest_gap_minutes(const ds_cron *cron);

// The first firing after an instant, which is the beginning of a minute; 0 when there is none in eight years.
//
// Where the clocks change, as crontab(5) has it: a line that fires in every hour goes by real time, so that */15 fires
// every 15 minutes throughout. Any other line fires once for what its day holds: when its time is skipped, at the
// instant of the change, and when its time comes twice, the first time only.
int64_t cron_next(const ds_cron *cron, const ds_zone *zone, int64_t after_us);
