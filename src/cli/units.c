#include "cli/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

// Three digits of a number below 1000.
static void put_three(ds_buf *out, double n)
{
    buf_printf(out, "%.*f", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n);
}

void put_count(ds_buf *out, double n)
{
    static const char SUFFIXES[] = "MGTPE";
    if (n < 999999.5) {
        buf_printf(out, "%.0f", n);
        return;
    }
    size_t i = 0;
    for (n /= 1e6; n >= 999.5 && SUFFIXES[i + 1]; i++)
        n /= 1e3;
    put_three(out, n);
    buf_putc(out, SUFFIXES[i]);
}

void put_bytes(ds_buf *out, int64_t bytes)
{
    static const char *const UNITS[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        buf_printf(out, "%" PRId64 " B", bytes);
        return;
    }
    double n = (double)bytes / 1e3;
    size_t i = 0;
    for (; n >= 999.95 && i + 1 < sizeof UNITS / sizeof UNITS[0]; i++)
        n /= 1e3;
    buf_printf(out, "%.1f %s", n, UNITS[i]);
}

void put_duration(ds_buf *out, double seconds)
{
    int64_t s = seconds < 1e15 ? (int64_t)ceil(seconds) : INT64_C(1000000000000000);
    if (s >= 3600)
        buf_printf(out, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    else
        buf_printf(out, "%d:%02d", (int)(s / 60), (int)(s % 60));
}

void put_rate(ds_buf *out, int64_t rows, double seconds)
{
    static const double SHORTEST_S = 0.01;
    if (rows > 0 && seconds >= SHORTEST_S)
        put_count(out, (double)rows / seconds);
}

// --- names

typedef struct glyph {
    size_t bytes; // of the text
    size_t columns;
    uint32_t code; // 0: not valid UTF-8
    bool escaped;
} glyph;

static uint32_t decode(const char *p, size_t n)
{
    static const unsigned char LEAD[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (unsigned char)p[0] & LEAD[n];
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)p[i] & 0x3F);
    return code;
}

// C0, DEL, C1, line ends, and what has no width of its own or turns the direction of what follows.
static bool acts(uint32_t code)
{
    return code < ' ' || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x061C ||
           (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || code >= 0xE0000;
}

static glyph next_glyph(const char *text)
{
    unsigned char lead = (unsigned char)text[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (strnlen(text, n) < n || str_utf8_length((ds_str){text, n}) != 1)
        return (glyph){.bytes = 1, .columns = sizeof "\\xFF" - 1, .escaped = true};
    uint32_t code = decode(text, n);
    if (acts(code))
        return (glyph){n, code < 0x80 ? sizeof "\\x1B" - 1 : code < 0x10000 ? 6 : 10, code, true};
    return (glyph){n, code < 0x1100 ? 1 : 2, code, false};
}

static void put_glyph(ds_buf *out, const char *text, glyph g)
{
    if (!g.escaped)
        buf_put(out, text, g.bytes);
    else if (g.code < 0x80)
        buf_printf(out, "\\x%02X", (unsigned char)text[0]);
    else
        buf_printf(out, g.code < 0x10000 ? "\\u%04X" : "\\U%08X", g.code);
}

static size_t columns_of(const char *text, size_t enough)
{
    size_t columns = 0;
    for (const char *p = text; *p && columns <= enough;) {
        glyph g = next_glyph(p);
        columns += g.columns;
        p += g.bytes;
    }
    return columns;
}

size_t put_printable(ds_buf *out, const char *text, size_t columns_max)
{
    bool cut = columns_of(text, columns_max) > columns_max;
    size_t room = cut && columns_max ? columns_max - 1 : columns_max, used = 0;
    for (const char *p = text; *p;) {
        glyph g = next_glyph(p);
        if (used + g.columns > room)
            break;
        put_glyph(out, p, g);
        used += g.columns;
        p += g.bytes;
    }
    if (!cut || columns_max == 0)
        return used;
    buf_puts(out, "…");
    return used + 1;
}
