// Whatever the bytes, unpacking them ends with a sound document or an error; a sound one can be packed again, and comes
// back the same.
#include <stddef.h>
#include <stdint.h>

#include "model/fields.h"
#include "model/pack.h"

// The input: a kind, the length of the words (two bytes), the words, the length of the head, the head, a dataset.
typedef struct input {
    const uint8_t *p;
    size_t n;
} input;

static ds_str take(input *in, size_t most)
{
    size_t n = most < in->n ? most : in->n;
    ds_str part = {(const char *)in->p, n};
    in->p += n;
    in->n -= n;
    return part;
}

static size_t take_length(input *in)
{
    ds_str two = take(in, 2);
    return two.n == 2 ? (size_t)((uint8_t)two.p[0] | (uint8_t)two.p[1] << 8) : 0;
}

typedef struct document {
    ds_unpacker *u;
    ds_words *words;
    ds_unpacked head;
} document;

static bool unpack(document *d, size_t kind, ds_str words, ds_str head, ds_arena *arena)
{
    ds_error err;
    d->u = unpacker_new(arena);
    return unpack_words(d->u, words, &d->words, &err).code == DS_OK &&
           unpack_document(d->u, d->words, kind, head, 1, &d->head, &err).code == DS_OK;
}

static void attach(document *d, ds_str bytes, ds_arena *arena)
{
    ds_error err;
    ds_dataset *dataset = ARENA_NEW(arena, ds_dataset);
    if (d->head.store && unpack_dataset(d->u, d->words, bytes, 1, arena, dataset, &err).code == DS_OK) {
        d->head.store->datasets.v = dataset;
        d->head.store->datasets.n = 1;
    }
}

static ds_str keep(ds_arena *arena, ds_str bytes)
{
    return (ds_str){arena_str(arena, bytes), bytes.n};
}

static void check_again(const document *d, size_t kind, ds_arena *arena)
{
    CLEANUP(packer_freep) ds_packer *packer = packer_new();
    ds_packed packed = pack_document(packer, kind, d->head.object);
    ds_str words = keep(arena, packed.words), head = keep(arena, packed.head);
    ds_str entry = packed.n ? keep(arena, packed.entries[0].bytes) : (ds_str){0};
    document again = {0};
    if (!unpack(&again, kind, words, head, arena))
        BUG("what was packed can't be unpacked");
    if (packed.n)
        attach(&again, entry, arena);
    packed = pack_document(packer, kind, again.head.object);
    if (!str_eq(words, packed.words) || !str_eq(head, packed.head) ||
        (packed.n && !str_eq(entry, packed.entries[0].bytes)))
        BUG("another document has come back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    input in = {data, size};
    ds_str first = take(&in, 1);
    size_t kind = first.n ? (uint8_t)first.p[0] % (MODEL_KIND_COUNT + 1) : 0;
    ds_str words = take(&in, take_length(&in));
    ds_str head = take(&in, take_length(&in));
    document d = {0};
    if (!unpack(&d, kind, words, head, arena))
        return 0;
    attach(&d, (ds_str){(const char *)in.p, in.n}, arena);
    check_again(&d, kind, arena);
    return 0;
}
