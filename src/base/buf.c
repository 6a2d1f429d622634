#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void buf_release(ds_buf *buf)
{
    free(buf->p);
    *buf = BUF_INIT(buf->max);
}

void buf_clear(ds_buf *buf)
{
    buf->n = 0;
    buf->overflow = false;
    if (buf->p)
        buf->p[0] = '\0';
}

static bool buf_reserve(ds_buf *buf, size_t more)
{
    ds_assert(buf->max > 0);
    if (buf->overflow || more > buf->max - buf->n) {
        buf->overflow = true;
        return false;
    }
    size_t need = buf->n + more + 1;
    if (need <= buf->cap)
        return true;
#ifdef DS_STRESS
    size_t cap = need;
#else
    size_t cap = buf->cap ? buf->cap * 2 : 64;
    while (cap < need)
        cap *= 2;
#endif
    char *p = realloc(buf->p, cap);
    if (!p)
        BUG("out of memory: buffer of %zu bytes", cap);
    buf->p = p;
    buf->cap = cap;
    return true;
}

// Appending is seldom more than this.
static inline bool has_room(const ds_buf *buf, size_t more)
{
    return more < buf->cap - buf->n && more <= buf->max - buf->n && !buf->overflow;
}

void *buf_extend(ds_buf *buf, size_t n)
{
    if (!has_room(buf, n) && !buf_reserve(buf, n))
        return NULL;
    char *at = buf->p + buf->n;
    buf->n += n;
    buf->p[buf->n] = '\0';
    return at;
}

void buf_put(ds_buf *buf, const void *bytes, size_t n)
{
    void *at = buf_extend(buf, n);
    if (at && n)
        memcpy(at, bytes, n);
}

void buf_puts(ds_buf *buf, const char *text)
{
    buf_put(buf, text, strlen(text));
}

void buf_put_str(ds_buf *buf, ds_str text)
{
    buf_put(buf, text.p, text.n);
}

void buf_printf(ds_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char brief[256]; // most texts are printed once
    int n = vsnprintf(brief, sizeof brief, format, args);
    va_end(args);
    if (n < 0)
        BUG("buf_printf: bad format");
    char *at = buf_extend(buf, (size_t)n);
    if (at && (size_t)n < sizeof brief)
        memcpy(at, brief, (size_t)n);
    else if (at)
        vsnprintf(at, (size_t)n + 1, format, again);
    va_end(again);
}

void buf_put_hex(ds_buf *buf, const void *bytes, size_t n)
{
    static const char DIGITS[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++) {
        buf_putc(buf, DIGITS[p[i] >> 4]);
        buf_putc(buf, DIGITS[p[i] & 15]);
    }
}

const char *buf_text(const ds_buf *buf)
{
    return buf->p ? buf->p : "";
}
