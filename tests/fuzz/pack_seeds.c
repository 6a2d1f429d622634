// Seeds for fuzz_pack: every document of the models below some directories, packed as that fuzzer reads them. They are
// made with each build, so that they are always of the format that is unpacked.
//
//   pack_seeds LIST OUT DIR...    writes OUT/NUMBER-KIND, and what it has written into LIST
#include <stdio.h>

#include "base/file.h"
#include "model/diff.h"
#include "model/load.h"
#include "model/pack.h"

enum { SEED_MAX = 1 << 20 };

typedef struct seeds {
    const char *out;
    ds_packer *packer;
    ds_buf list;
    size_t n;
} seeds;

static void put_part(ds_buf *seed, ds_str part)
{
    const uint8_t length[] = {(uint8_t)part.n, (uint8_t)(part.n >> 8)};
    buf_put(seed, length, sizeof length);
    buf_put_str(seed, part);
}

static ds_rc put_seed(seeds *s, const ds_document *document, ds_error *err)
{
    const uint8_t kind = (uint8_t)(document->kind - MODEL_KINDS);
    ds_packed packed = pack_document(s->packer, kind, document->object);
    if (packed.words.n > UINT16_MAX || packed.head.n > UINT16_MAX)
        return DS_DONE;
    CLEANUP(buf_release) ds_buf seed = BUF_INIT(SEED_MAX), path = BUF_INIT(FILE_PATH_MAX);
    buf_put(&seed, &kind, sizeof kind);
    put_part(&seed, packed.words);
    put_part(&seed, packed.head);
    if (packed.n)
        buf_put_str(&seed, packed.entries[0].bytes);
    buf_printf(&path, "%s/%zu-%s", s->out, s->n++, document->kind->name);
    buf_printf(&s->list, "%s\n", buf_text(&path));
    return file_write_atomic(buf_text(&path), buf_str(&seed), false, err);
}

// Duplicates and broken documents, too: whatever can be decoded is a seed.
static ds_rc put_model(seeds *s, const char *dir, ds_error *err)
{
    CLEANUP(model_freep) ds_model *model = NULL;
    CLEANUP(diags_freep) ds_diags *ignored = NULL;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    TRY(model_load(&(ds_load_options){.dir = dir}, &model, &ignored, err));
    ds_documents documents = model_documents(model, arena);
    for (size_t i = 0; i < documents.n; i++)
        TRY(put_seed(s, &documents.v[i], err));
    return DS_DONE;
}

static ds_rc put_all(seeds *s, const char *list, char *const *dirs, ds_error *err)
{
    TRY(file_make_dirs(s->out, err));
    for (; *dirs; dirs++)
        TRY(put_model(s, *dirs, err));
    return file_write_atomic(list, buf_str(&s->list), false, err);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: pack_seeds LIST OUT DIR...\n", stderr);
        return 2;
    }
    seeds s = {.out = argv[2], .packer = packer_new(), .list = BUF_INIT(SEED_MAX)};
    ds_error err;
    ds_rc rc = put_all(&s, argv[1], argv + 3, &err);
    packer_freep(&s.packer);
    buf_release(&s.list);
    if (rc.code != DS_OK)
        fprintf(stderr, "%s\n", err.text);
    return rc.code == DS_OK ? 0 : 1;
}
