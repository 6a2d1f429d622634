// model/pack.h: what has been unpacked is what was packed; damaged bytes are an error.
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/fields.h"
#include "model/load.h"
#include "model/lookup.h"
#include "model/pack.h"
#include "sim/rng.h"
#include "support/same.h"

typedef LIST_OF(void *) documents;

static const documents *documents_of(const ds_model *model, size_t kind)
{
    return (const void *)((const char *)model + MODEL_KINDS[kind].list_offset);
}

// Without slack behind them, so that a sanitizer sees a read past the end.
static ds_str exact(ds_str bytes)
{
    char *copy = malloc(bytes.n ? bytes.n : 1);
    assert_non_null(copy);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    return (ds_str){copy, bytes.n};
}

typedef struct bytes {
    ds_str words, head, entries[64];
    size_t n;
} bytes;

static bytes bytes_of(ds_packed packed)
{
    bytes b = {exact(packed.words), exact(packed.head), {{0}}, packed.n};
    assert_true(b.n <= 64);
    for (size_t i = 0; i < b.n; i++)
        b.entries[i] = exact(packed.entries[i].bytes);
    return b;
}

static void bytes_release(bytes *b)
{
    free((void *)(uintptr_t)b->words.p);
    free((void *)(uintptr_t)b->head.p);
    for (size_t i = 0; i < b->n; i++)
        free((void *)(uintptr_t)b->entries[i].p);
}

// The whole document, its datasets among it.
static ds_rc unpack(const bytes *b, size_t kind, ds_arena *arena, void **out, ds_error *err)
{
    ds_unpacker *u = unpacker_new(arena);
    ds_words *words;
    ds_unpacked head;
    TRY(unpack_words(u, b->words, &words, err));
    TRY(unpack_document(u, words, kind, b->head, 7, &head, err));
    if (head.store) {
        head.store->datasets.n = head.datasets < b->n ? head.datasets : b->n;
        head.store->datasets.v = ARENA_ARRAY(arena, ds_dataset, b->n);
        for (size_t i = 0; i < head.store->datasets.n; i++)
            TRY(unpack_dataset(u, words, b->entries[i], 7, arena, &head.store->datasets.v[i], err));
    }
    *out = head.object;
    return DS_DONE;
}

static void check_document(ds_packer *packer, size_t kind, const void *object, const char *dir)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(bytes_release) bytes b = bytes_of(pack_document(packer, kind, object));
    CLEANUP(buf_release) ds_buf where = BUF_INIT(1000);
    ds_error err;
    void *again = NULL;
    OK(unpack(&b, kind, arena, &again, &err));
    same_struct(MODEL_KINDS[kind].shape, object, again, &where);
    if (where.n)
        fail_msg("%s: %s: %s", dir, MODEL_KINDS[kind].name, buf_text(&where));
}

// Bytes that somebody has changed: no crash, and no text without an end.
static void check_damage(ds_packer *packer, size_t kind, const void *object, ds_rng *rng)
{
    for (size_t round = 0; round < 200; round++) {
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        CLEANUP(bytes_release) bytes b = bytes_of(pack_document(packer, kind, object));
        ds_str *parts[] = {&b.words, &b.head, b.n ? &b.entries[0] : &b.head};
        ds_str *part = parts[rng_below(rng, 3)];
        if (part->n && rng_once_in(rng, 2))
            ((char *)(uintptr_t)part->p)[rng_below(rng, part->n)] = (char)rng_next(rng);
        else
            part->n = rng_below(rng, part->n + 1);
        ds_error err;
        void *again = NULL;
        if (unpack(&b, kind, arena, &again, &err).code == DS_OK) // it may mean something else now
            (void)pack_document(packer, kind, again);
    }
}

// Every document of every model of the other tests: the tables of fields are in `everything` completely.
static const char *const MODELS[] = {"aliases",      "choices",  "columns",    "documents",   "duplicates",
                                     "empty_values", "encoding", "everything", "environment", "features",
                                     "keys",         "limits",   "missing",    "names",       "not_for_type",
                                     "references",   "shapes",   "syntax",     "values"};

static void each_model(void check(ds_packer *packer, size_t kind, const void *object, const char *dir))
{
    CLEANUP(packer_freep) ds_packer *packer = packer_new();
    size_t documents_seen = 0;
    for (size_t i = 0; i <= sizeof MODELS / sizeof MODELS[0]; i++) {
        char dir[1000];
        const char *root = getenv("DATASURFACE_ROOT");
        assert_non_null(root);
        if (i == sizeof MODELS / sizeof MODELS[0])
            snprintf(dir, sizeof dir, "%s/tests/data/example", root);
        else
            snprintf(dir, sizeof dir, "%s/tests/golden/model/%s", root, MODELS[i]);
        ds_error err;
        CLEANUP(model_freep) ds_model *model = NULL;
        CLEANUP(diags_freep) ds_diags *diags = NULL;
        OK(model_load(&(ds_load_options){dir, NULL}, &model, &diags, &err));
        for (size_t kind = 0; kind < MODEL_KIND_COUNT; kind++)
            for (size_t k = 0; k < documents_of(model, kind)->n; k++) {
                const void *object = documents_of(model, kind)->v[k];
                if (MODEL_KINDS[kind].shape == &SHAPE_DATASTORE && ((const ds_datastore *)object)->producer)
                    continue; // an output is a part of its workspace
                check(packer, kind, object, dir);
                documents_seen++;
            }
    }
    assert_true(documents_seen > 80);
}

static void documents_come_back(void **state)
{
    (void)state;
    each_model(check_document);
}

static void damage(ds_packer *packer, size_t kind, const void *object, const char *dir)
{
    ds_rng rng = {kind + strlen(dir)};
    check_damage(packer, kind, object, &rng);
}

static void damage_is_found(void **state)
{
    (void)state;
    each_model(damage);
}

// A canonical type that is longer than any that may be written.
static void long_types_come_back(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 16);
    buf_puts(&text, "kind: Datastore\nteam: A/b\nname: S\ndatasets:\n  d:\n    columns:\n      id: struct(a0 int2");
    for (int i = 1; i < 400; i++)
        buf_printf(&text, ",a%d int2", i);
    buf_puts(&text, ")\n");
    const char *const PATHS[] = {"a.yaml"};
    ds_str texts[] = {buf_str(&text)};
    ds_error err;
    CLEANUP(model_freep) ds_model *model = NULL;
    CLEANUP(diags_freep) ds_diags *diags = NULL;
    CLEANUP(packer_freep) ds_packer *packer = packer_new();
    OK(model_load_texts(PATHS, texts, 1, NULL, &model, &diags, &err));
    assert_non_null(model_datastore(model, "S")->datasets.v[0].columns.v[0].type);
    for (size_t kind = 0; kind < MODEL_KIND_COUNT; kind++)
        if (MODEL_KINDS[kind].shape == &SHAPE_DATASTORE)
            check_document(packer, kind, model->datastores.v[0], "long");
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(documents_come_back),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(long_types_come_back),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
