#include "model/intern_int.h"

#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

typedef struct slot {
    const char *text; // NULL: free
    uint64_t hash;
    size_t n;
    const ds_column_spec *spec; // of the table of types
} slot;

typedef struct table {
    slot *slots;
    size_t used, size; // size is a power of two
} table;

struct interner {
    ds_arena *arena;
    ds_arena *scratch; // of failed parses
    uint64_t seed;     // so that nobody can craft texts that collide
    table texts, types;
};

interner *interner_new(ds_arena *arena)
{
    interner *in = calloc(1, sizeof *in);
    if (!in)
        BUG("out of memory");
    in->arena = arena;
    in->scratch = arena_new();
    if (getrandom(&in->seed, sizeof in->seed, 0) != (ssize_t)sizeof in->seed)
        in->seed = (uint64_t)(uintptr_t)in;
    return in;
}

void interner_freep(interner **owner)
{
    interner *in = *owner;
    *owner = NULL;
    if (!in)
        return;
    arena_free(in->scratch);
    free(in->texts.slots);
    free(in->types.slots);
    free(in);
}

// The slot of the text, or the free one where it belongs.
static slot *find(const table *t, ds_str text, uint64_t hash)
{
    for (size_t i = hash & (t->size - 1);; i = (i + 1) & (t->size - 1)) {
        slot *s = &t->slots[i];
        if (!s->text || (s->hash == hash && s->n == text.n && memcmp(s->text, text.p, text.n) == 0))
            return s;
    }
}

static void grow(table *t)
{
    table wider = {.size = t->size ? t->size * 2 : 256, .used = t->used};
    wider.slots = calloc(wider.size, sizeof *wider.slots);
    if (!wider.slots)
        BUG("out of memory");
    for (size_t i = 0; i < t->size; i++) {
        const slot *s = &t->slots[i];
        if (s->text)
            *find(&wider, (ds_str){s->text, s->n}, s->hash) = *s;
    }
    free(t->slots);
    *t = wider;
}

// The slot of the text; a new one has its text set and counted.
static slot *claim(interner *in, table *t, ds_str text)
{
    if ((t->used + 1) * 4 > t->size * 3)
        grow(t);
    uint64_t hash = XXH3_64bits_withSeed(text.n ? text.p : "", text.n, in->seed);
    slot *s = find(t, text, hash);
    if (!s->text) {
        *s = (slot){.text = arena_str(in->arena, text), .hash = hash, .n = text.n};
        t->used++;
    }
    return s;
}

const char *intern(interner *in, ds_str text)
{
    return claim(in, &in->texts, text)->text;
}

const ds_column_spec *intern_column(interner *in, ds_str text, size_t *error_at, ds_error *err)
{
    ds_column_spec spec;
    if (in->types.size) {
        uint64_t hash = XXH3_64bits_withSeed(text.n ? text.p : "", text.n, in->seed);
        const slot *known = find(&in->types, text, hash);
        if (known->text)
            return known->spec;
    }
    // A text that fails leaves nothing behind in the model's arena.
    arena_clear(in->scratch);
    if (column_spec_parse(in->scratch, text, &spec, error_at, err).code != DS_OK)
        return NULL;
    ds_column_spec *kept = ARENA_NEW(in->arena, ds_column_spec);
    if (column_spec_parse(in->arena, text, kept, error_at, err).code != DS_OK)
        return NULL;
    claim(in, &in->types, text)->spec = kept;
    return kept;
}
