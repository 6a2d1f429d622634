#include "model/parse_int.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "model/load.h"

enum { SLICE_FILES = 64, SLICE_BYTES = 1 << 18 };

typedef struct slice {
    size_t first, end; // files
    bool done;
    ds_rc rc;
    decoder decoder; // its objects and findings, until it is joined
} slice;

typedef struct team {
    ds_tree *tree;
    slice *slices;
    size_t n;
    atomic_size_t next; // slice to take
    atomic_bool failed; // no more are taken
    pthread_mutex_t lock;
    // Guarded by lock:
    decoder *whole;
    size_t joined; // slices that are in whole
    ds_error err;  // of the first slice that failed
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

static void join(decoder *whole, slice *s)
{
    for (size_t k = 0; k < MODEL_KIND_COUNT; k++)
        for (size_t i = 0; i < s->decoder.objects[k].n; i++)
            *VEC_PUSH(whole->arena, &whole->objects[k]) = s->decoder.objects[k].v[i];
    diags_append(whole->diags, s->decoder.diags);
    diags_freep(&s->decoder.diags);
}

// Marks a slice as done, and joins all that are next in order.
static void finish(team *t, slice *s, const ds_error *err)
{
    pthread_mutex_lock(&t->lock);
    s->done = true;
    size_t at = (size_t)(s - t->slices);
    if (s->rc.code != DS_OK && at < t->failed_at) {
        t->failed_at = at;
        t->err = *err;
    }
    for (; t->joined < t->n && t->slices[t->joined].done; t->joined++)
        join(t->whole, &t->slices[t->joined]);
    pthread_mutex_unlock(&t->lock);
}

// --- threads

typedef struct worker {
    team *team;
    ds_arena *arena;
    pthread_t thread;
} worker;

static void parse_slice(team *t, slice *s, const decoder *own, ds_buf *text)
{
    ds_error err;
    s->decoder = *own;
    s->decoder.diags = diags_new(diags_files(t->whole->diags));
    for (size_t i = s->first; i < s->end && s->rc.code == DS_OK; i++)
        s->rc = parse_file(t->tree, i, &s->decoder, text, &err);
    if (s->rc.code != DS_OK)
        atomic_store(&t->failed, true);
    finish(t, s, &err);
}

static void *work(void *context)
{
    worker *w = context;
    team *t = w->team;
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(interner_freep) interner *strings = interner_new(w->arena);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(MODEL_FILE_MAX);
    decoder own = {.arena = w->arena, .scratch = scratch, .strings = strings};
    for (;;) {
        size_t i = atomic_fetch_add(&t->next, 1);
        if (i >= t->n || atomic_load(&t->failed))
            return NULL;
        parse_slice(t, &t->slices[i], &own, &text);
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
    for (size_t i = 0; i < wanted; i++)
        workers[i] = (worker){.team = t, .arena = arena_new()};
    while (n + 1 < wanted && pthread_create(&workers[n].thread, NULL, work, &workers[n]) == 0)
        n++;
    if (wanted)
        work(&workers[n]);
    for (size_t i = 0; i < n; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < wanted; i++) {
        arena_adopt(t->whole->arena, workers[i].arena);
        arena_free(workers[i].arena);
    }
}

ds_rc parse_tree(ds_tree *tree, decoder *whole, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    team t = {.tree = tree, .whole = whole, .lock = PTHREAD_MUTEX_INITIALIZER, .failed_at = SIZE_MAX};
    cut(&t, arena);
    run(&t);
    for (size_t i = t.joined; i < t.n; i++) // behind one that failed
        diags_freep(&t.slices[i].decoder.diags);
    if (t.failed_at == SIZE_MAX)
        return DS_DONE;
    *err = t.err;
    return t.slices[t.failed_at].rc;
}
