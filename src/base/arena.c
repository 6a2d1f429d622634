#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { ALIGNMENT = 16, FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20, LARGEST_TIGHT = 8192 };

typedef struct block block;
struct block {
    block *next;
    size_t size;
    size_t used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

struct ds_arena {
    block *head;
    size_t next_size, largest_size;
    size_t handed_out;
};

static ds_arena *new_arena(size_t largest_size)
{
    ds_arena *arena = calloc(1, sizeof *arena);
    if (!arena)
        BUG("out of memory");
    arena->next_size = FIRST_BLOCK;
    arena->largest_size = largest_size;
    return arena;
}

ds_arena *arena_new(void)
{
    return new_arena(LARGEST_BLOCK);
}

ds_arena *arena_new_tight(void)
{
    return new_arena(LARGEST_TIGHT);
}

static void free_blocks(block *b)
{
    while (b) {
        block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_free(ds_arena *arena)
{
    if (!arena)
        return;
    free_blocks(arena->head);
    free(arena);
}

void arena_freep(ds_arena **arena)
{
    arena_free(*arena);
    *arena = NULL;
}

// The block that is kept for the next use: the newest, which is the largest, unless a large object has it alone.
static block *block_to_keep(ds_arena *arena)
{
#ifndef DS_STRESS
    if (arena->head && arena->head->size <= arena->largest_size)
        return arena->head;
#endif
    arena->next_size = FIRST_BLOCK;
    return NULL;
}

void arena_clear(ds_arena *arena)
{
    block *kept = block_to_keep(arena), *others = kept ? kept->next : arena->head;
    free_blocks(others);
    if (kept) {
        kept->next = NULL;
        kept->used = 0;
    }
    arena->head = kept;
    arena->handed_out = 0;
}

void arena_adopt(ds_arena *arena, ds_arena *from)
{
    if (!from->head)
        return;
    block **behind = arena->head ? &arena->head->next : &arena->head; // what is left of the newest block is still used
    block *last = from->head;
    while (last->next)
        last = last->next;
    last->next = *behind;
    *behind = from->head;
    arena->handed_out += from->handed_out;
    from->head = NULL;
    arena_clear(from);
}

size_t arena_used(const ds_arena *arena)
{
    return arena->handed_out;
}

static block *block_new(ds_arena *arena, size_t at_least)
{
    size_t size = at_least;
#ifndef DS_STRESS
    if (size < arena->next_size)
        size = arena->next_size;
    if (arena->next_size < arena->largest_size)
        arena->next_size *= 2;
#endif
    block *b = malloc(sizeof *b + size);
    if (!b)
        BUG("out of memory: %zu bytes", size);
    b->size = size;
    b->used = 0;
    b->next = arena->head;
    arena->head = b;
    return b;
}

static void *take(ds_arena *arena, size_t size_bytes)
{
    if (size_bytes > PTRDIFF_MAX - ALIGNMENT)
        BUG("arena: size %zu overflows", size_bytes);
#ifdef DS_STRESS
    block *b = block_new(arena, size_bytes ? size_bytes : 1);
    size_t rounded = size_bytes;
#else
    size_t rounded = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    block *b = arena->head;
    if (!b || b->size - b->used < rounded)
        b = block_new(arena, rounded ? rounded : ALIGNMENT);
#endif
    void *p = b->bytes + b->used;
    b->used += rounded;
    arena->handed_out += rounded;
    return p;
}

void *arena_alloc(ds_arena *arena, size_t size_bytes)
{
    return memset(take(arena, size_bytes), 0, size_bytes);
}

void *arena_alloc_array(ds_arena *arena, size_t item_bytes, size_t n)
{
    size_t total;
    if (__builtin_mul_overflow(item_bytes, n, &total))
        BUG("arena: %zu items of %zu bytes overflow", n, item_bytes);
    return arena_alloc(arena, total);
}

void *arena_grow(ds_arena *arena, const void *old, size_t old_size_bytes, size_t new_size_bytes)
{
    ds_assert(new_size_bytes >= old_size_bytes);
    unsigned char *p = take(arena, new_size_bytes);
    if (old_size_bytes)
        memcpy(p, old, old_size_bytes);
    memset(p + old_size_bytes, 0, new_size_bytes - old_size_bytes);
    return p;
}

char *arena_str(ds_arena *arena, ds_str text)
{
    char *p = take(arena, text.n + 1);
    if (text.n)
        memcpy(p, text.p, text.n);
    p[text.n] = '\0';
    return p;
}

char *arena_strdup(ds_arena *arena, const char *text)
{
    return arena_str(arena, str_of(text));
}

char *arena_printf(ds_arena *arena, const char *format, ...)
{
    char brief[256]; // most texts are printed once
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(brief, sizeof brief, format, args);
    va_end(args);
    if (n < 0)
        BUG("arena_printf: bad format");
    char *p = arena_alloc(arena, (size_t)n + 1);
    if ((size_t)n < sizeof brief)
        memcpy(p, brief, (size_t)n);
    else
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

char *arena_path(ds_arena *arena, ...)
{
    va_list args, again;
    size_t n = 0;
    va_start(args, arena);
    va_copy(again, args);
    for (const char *part; (part = va_arg(args, const char *));)
        n += strlen(part) + 1;
    va_end(args);
    char *path = take(arena, n + 1), *at = path;
    for (const char *part; (part = va_arg(again, const char *));) {
        size_t length = strlen(part);
        memcpy(at, part, length + 1);
        at += length;
        *at++ = '/';
    }
    va_end(again);
    path[n ? n - 1 : 0] = '\0';
    return path;
}
