// A growable byte buffer with a mandatory maximum. Appending never fails at once: past the maximum the buffer keeps
// what it has, sets `overflow` and ignores the rest; check buf_ok() once at the end. Always NUL-terminated at
// p[n], so that text buffers can be used as strings. Thread rule: one thread at a time.
//
//     CLEANUP(buf_release) ds_buf b = BUF_INIT(64 * 1024);
//     buf_puts(&b, "hello");
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef struct ds_buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max;
    bool overflow;
} ds_buf;

#define BUF_INIT(max_bytes) ((ds_buf){.max = (max_bytes)})

void buf_release(ds_buf *buf); // frees the bytes; the buffer can be used again
void buf_clear(ds_buf *buf);   // keeps the memory
static inline bool buf_ok(const ds_buf *buf)
{
    return !buf->overflow;
}

void buf_put(ds_buf *buf, const void *bytes, size_t n);
void buf_puts(ds_buf *buf, const char *text);
static inline void buf_putc(ds_buf *buf, char c)
{
    if (buf->n + 1 >= buf->cap || buf->n >= buf->max || buf->overflow) {
        buf_put(buf, &c, 1);
        return;
    }
    buf->p[buf->n++] = c;
    buf->p[buf->n] = '\0';
}
void buf_put_str(ds_buf *buf, ds_str text);
__attribute__((format(printf, 2, 3))) void buf_printf(ds_buf *buf, const char *format, ...);
// Lower-case hexadecimal of n bytes.
void buf_put_hex(ds_buf *buf, const void *bytes, size_t n);
// n uninitialised bytes at the end, to be filled by the caller; NULL past the maximum.
void *buf_extend(ds_buf *buf, size_t n);
// The text, "" for an empty buffer. Valid until the next change.
const char *buf_text(const ds_buf *buf);
static inline ds_str buf_str(const ds_buf *buf)
{
    return (ds_str){buf->p, buf->n};
}
