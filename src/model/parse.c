#include "model/build.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "model/decode_int.h"
#include "model/load.h"

// The files are cut into slices of neighbours. Each thread takes the next slice, until none is left, and decodes it
// with strings, arena and findings of its own; finished slices are visited in the order of the files. So what comes out
// is that of one thread, whoever was faster.
enum { PARSE_THREADS_MAX = 16, SLICE_FILES = 64, SLICE_BYTES = 1 << 18 };

typedef struct slice {
    size_t first, end; // files
    bool done;
    ds_rc rc;
    ds_arena *arena; // its own, or NULL: documents are kept
    VEC(ds_decoded) files;
} slice;

typedef struct team {
    const decode_request *request;
    ds_tree *tree;
    slice *slices;
    size_t n;
    atomic_size_t next; // slice to take
    atomic_bool failed; // no more are taken
    pthread_mutex_t lock;
    // Guarded by lock:
    size_t joined; // slices that have been visited
    ds_error err;  // of the first slice that failed
    ds_rc rc;
    size_t failed_at;
} team;

// --- a file

static void visit_document(const yaml_node *root, void *context)
{
    decode_document(context, root);
}

static void report_link(decoder *d, uint32_t file)
{
    MODEL_FIND(d->diags, RULE_LINK, ((ds_pos){.file = file}), "", "the file is a symbolic link, which is not followed");
    diag_hint(d->diags, "put the file itself here");
}

static void report_too_large(decoder *d, uint32_t file)
{
    MODEL_FIND(d->diags, RULE_LIMIT, ((ds_pos){.file = file}), "", "the file is larger than %d bytes", MODEL_FILE_MAX);
    diag_hint(d->diags, "spread its documents over several files");
}

static ds_rc parse_file(ds_tree *tree, size_t i, decoder *d, ds_buf *text, ds_error *err)
{
    uint32_t file = (uint32_t)(i + 1);
    if (tree_file(tree, i)->is_link) {
        report_link(d, file);
        return DS_DONE;
    }
    buf_clear(text);
    TRY(tree_read(tree, i, text, err));
    if (!buf_ok(text)) {
        report_too_large(d, file);
        return DS_DONE;
    }
    if (!tree_file(tree, i)->has_id) {
        ds_blob_id id = blob_id_of(buf_str(text));
        tree_set_id(tree, i, &id);
    }
    yaml_read(d->diags, file, buf_str(text), d->scratch, visit_document, d);
    return DS_DONE;
}

// --- slices

// Behind the last file of the slice that begins at first. Sizes are 0 where they aren't known.
static size_t slice_end(const ds_tree *tree, size_t first)
{
    uint64_t bytes = 0;
    size_t end = first;
    while (end < tree_count(tree) && end - first < SLICE_FILES && bytes < SLICE_BYTES)
        bytes += tree_file(tree, end++)->stat.size_bytes;
    return end;
}

static void cut(team *t, ds_arena *arena)
{
    size_t files = tree_count(t->tree);
    for (size_t first = 0; first < files; t->n++)
        first = slice_end(t->tree, first);
    t->slices = ARENA_ARRAY(arena, slice, t->n);
    for (size_t i = 0; i < t->n; i++) {
        size_t first = i ? t->slices[i - 1].end : 0;
        t->slices[i] = (slice){.first = first, .end = slice_end(t->tree, first)};
    }
}

static ds_rc visit_slice(const decode_request *request, slice *s, ds_error *err)
{
    for (size_t i = 0; i < s->files.n; i++)
        TRY(request->visit(request->context, &s->files.v[i], err));
    return DS_DONE;
}

static void slice_release(slice *s)
{
    for (size_t i = 0; i < s->files.n; i++)
        diags_free(s->files.v[i].remarks);
    s->files.n = 0;
    arena_freep(&s->arena);
}

static void note_failure(team *t, const slice *s, ds_rc rc, const ds_error *err)
{
    size_t at = (size_t)(s - t->slices);
    atomic_store(&t->failed, true);
    if (at >= t->failed_at)
        return;
    t->failed_at = at;
    t->rc = rc;
    t->err = *err;
}

// Marks a slice as done, and visits all that are next in order.
static void finish(team *t, slice *s, const ds_error *err)
{
    pthread_mutex_lock(&t->lock);
    s->done = true;
    if (s->rc.code != DS_OK)
        note_failure(t, s, s->rc, err);
    for (; t->joined < t->n && t->slices[t->joined].done; t->joined++) {
        slice *next = &t->slices[t->joined];
        ds_error failure;
        ds_rc rc = t->joined < t->failed_at ? visit_slice(t->request, next, &failure) : DS_DONE;
        if (rc.code != DS_OK)
            note_failure(t, next, rc, &failure);
        slice_release(next);
    }
    pthread_mutex_unlock(&t->lock);
}

// --- threads

typedef struct worker {
    team *team;
    ds_arena *arena;
    pthread_t thread;
} worker;

// What the decoder has got since `before`.
static ds_decoded take_documents(decoder *d, size_t entry)
{
    ds_decoded file = {.entry = entry, .remarks = d->diags};
    for (size_t kind = 0; kind < MODEL_KIND_COUNT; kind++)
        file.n += d->objects[kind].n;
    ds_document *next = ARENA_ARRAY(d->arena, ds_document, file.n);
    file.documents = next;
    for (size_t kind = 0; kind < MODEL_KIND_COUNT; kind++) {
        for (size_t i = 0; i < d->objects[kind].n; i++)
            *next++ = (ds_document){kind, d->objects[kind].v[i]};
        d->objects[kind].n = 0;
    }
    return file;
}

static void parse_slice(team *t, slice *s, decoder *d, ds_buf *text)
{
    const decode_request *request = t->request;
    ds_error err;
    for (size_t i = s->first; i < s->end && s->rc.code == DS_OK; i++) {
        if (request->known && request->known[i])
            continue;
        d->diags = diags_new(request->files);
        s->rc = parse_file(t->tree, i, d, text, &err);
        ds_decoded *file = VEC_PUSH(d->arena, &s->files);
        *file = take_documents(d, i);
        if (request->prepare && s->rc.code == DS_OK)
            request->prepare(request->context, file, d->arena);
    }
    finish(t, s, &err);
}

// Documents that are not kept go to the slice's own arena, with the texts that they share.
static void parse_own_slice(team *t, slice *s, ds_arena *scratch, ds_buf *text)
{
    s->arena = arena_new();
    CLEANUP(interner_freep) interner *strings = interner_new(s->arena);
    decoder d = {.arena = s->arena, .scratch = scratch, .strings = strings};
    parse_slice(t, s, &d, text);
}

static void *work(void *context)
{
    worker *w = context;
    team *t = w->team;
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(interner_freep) interner *strings = interner_new(w->arena);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(MODEL_FILE_MAX);
    decoder kept = {.arena = w->arena, .scratch = scratch, .strings = strings};
    for (;;) {
        size_t i = atomic_fetch_add(&t->next, 1);
        if (i >= t->n || atomic_load(&t->failed))
            return NULL;
        if (t->request->keep)
            parse_slice(t, &t->slices[i], &kept, &text);
        else
            parse_own_slice(t, &t->slices[i], scratch, &text);
    }
}

static size_t thread_count(size_t slices)
{
    cpu_set_t processors;
    CPU_ZERO(&processors);
    int n = sched_getaffinity(0, sizeof processors, &processors) == 0 ? CPU_COUNT(&processors) : 1;
    size_t most = n < PARSE_THREADS_MAX ? (size_t)n : PARSE_THREADS_MAX;
    return slices < most ? slices : most;
}

// This thread works, too. One that can't be started is done without.
static void run(team *t)
{
    worker workers[PARSE_THREADS_MAX];
    size_t n = 0, wanted = thread_count(t->n);
    for (; n + 1 < wanted; n++) {
        workers[n] = (worker){.team = t, .arena = arena_new()};
        if (pthread_create(&workers[n].thread, NULL, work, &workers[n]) == 0)
            continue;
        arena_free(workers[n].arena);
        break;
    }
    if (wanted == 0)
        return;
    workers[n] = (worker){.team = t, .arena = arena_new()};
    work(&workers[n]);
    for (size_t i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i <= n; i++) {
        if (t->request->keep)
            arena_adopt(t->request->keep, workers[i].arena);
        arena_free(workers[i].arena);
    }
}

static size_t count_unknown(const ds_tree *tree, const uint32_t *known)
{
    size_t n = 0;
    for (size_t i = 0; i < tree_count(tree); i++)
        n += !known || !known[i];
    return n;
}

ds_rc tree_decode(ds_tree *tree, const decode_request *request, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    team t = {.request = request, .tree = tree, .lock = PTHREAD_MUTEX_INITIALIZER, .failed_at = SIZE_MAX};
    log_debug("%zu of %zu files are decoded", count_unknown(tree, request->known), tree_count(tree));
    cut(&t, arena);
    run(&t);
    for (size_t i = t.joined; i < t.n; i++) // behind one that failed
        slice_release(&t.slices[i]);
    if (t.failed_at == SIZE_MAX)
        return DS_DONE;
    *err = t.err;
    return t.rc;
}
