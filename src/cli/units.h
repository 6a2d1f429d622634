// Numbers and names as people read them: short, aligned, and nothing that acts on a terminal. Pure; any thread.
#pragma once
#include "base/buf.h"

// "123456", "1.23M", "12.3G": six characters at most.
void put_count(ds_buf *out, double n);
// "123 B", "1.2 kB", "34.5 MB", by thousands.
void put_bytes(ds_buf *out, int64_t bytes);
// "0:07", "12:34", "1:02:03".
void put_duration(ds_buf *out, double seconds);
// Rows in so many seconds as rows a second; nothing when that was too short to tell.
void put_rate(ds_buf *out, int64_t rows, double seconds);

// A text from elsewhere on one line: control characters, marks that turn the direction of writing and bytes that are
// no UTF-8 are written as escapes. What needs more than so many columns ends with "…". Returns the columns used, rather
// too many than too few.
size_t put_printable(ds_buf *out, const char *text, size_t columns_max);
