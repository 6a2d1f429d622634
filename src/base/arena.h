// An arena hands out memory that is released all at once. One per model snapshot, one scratch per unit of work.
// Never returns NULL: out of memory aborts. Memory is zeroed. Thread rule: one thread at a time.
// Under -Dstress=true each object is a malloc of its own, so that sanitizers see every overrun.
#pragma once
#include <stddef.h>

#include "base/str.h"

typedef struct ds_arena ds_arena;

ds_arena *arena_new(void);
// For one of thousands that stay: its memory grows in small steps, so that little is left over.
ds_arena *arena_new_tight(void);
void arena_free(ds_arena *arena); // takes NULL
void arena_freep(ds_arena **arena);
// Releases all objects; the arena can be used again, and keeps up to 1 MB for that.
void arena_clear(ds_arena *arena);
// Takes over all objects of `from`, which stay where they are; it is empty then.
void arena_adopt(ds_arena *arena, ds_arena *from);
// Bytes handed out since creation or clear.
size_t arena_used(const ds_arena *arena);

// Zeroed, aligned for any type. size 0 gives a valid pointer.
void *arena_alloc(ds_arena *arena, size_t size_bytes);
// Like realloc within the arena: the old bytes are copied, the rest zeroed, old_size may be 0.
void *arena_grow(ds_arena *arena, const void *old, size_t old_size_bytes, size_t new_size_bytes);
char *arena_strdup(ds_arena *arena, const char *text);
// NUL-terminated copy of a slice.
char *arena_str(ds_arena *arena, ds_str text);
__attribute__((format(printf, 2, 3))) char *arena_printf(ds_arena *arena, const char *format, ...);

// "a/b/c" of the parts before the NULL that ends them.
__attribute__((sentinel)) char *arena_path(ds_arena *arena, ...);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc_array((arena), sizeof(type), (n)))
// Checks the multiplication.
void *arena_alloc_array(ds_arena *arena, size_t item_bytes, size_t n);
