// Time zones of the system's database (/usr/share/zoneinfo), as stretches of constant offset from UTC. The C library
// knows one zone per process only; here every schedule has its own. Files are read as RFC 9636 (TZif) says, and go on
// after their last transition by the rule in their footer, until the year 2100.
//
// A zone lives in an arena and never changes: any thread.
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct ds_zone ds_zone;

// DS_FINDING for a name that is none, DS_ENV when the system has no such file or it can't be read. "" is UTC, and needs
// no database, as "UTC" does.
ds_rc zone_load(const char *name, ds_arena *arena, const ds_zone **out, ds_error *err);

typedef struct ds_zone_span {
    int64_t start_s, end_s;  // instants in seconds since 1970-01-01 UTC, start included; the extremes where it is open
    int64_t offset_s;        // local time = UTC + offset
    int64_t offset_before_s; // of the span before; the same where there is none
} ds_zone_span;
// The stretch that an instant lies in.
ds_zone_span zone_span(const ds_zone *zone, int64_t at_s);

// A name of the database, such as Europe/Berlin; on a system without one any well-formed name.
bool timezone_known(const char *name);
