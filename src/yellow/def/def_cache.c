#include "yellow/def/def_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { SLOTS = 4096 }; // lists of so many hashes; some more streams make them longer by a little

static const size_t USUAL_BYTES = (size_t)256 << 20;

typedef struct entry entry;
struct entry {
    ds_kept_def kept; // first: what callers see
    entry *next;      // of the slot's
    char *name;       // the merge database and the stream
    ds_arena *arena;
    size_t bytes;
    size_t users; // and one more while it is in its slot
};

struct ds_def_cache {
    size_t max_bytes;
    pthread_mutex_t mutex; // guards what follows, and the users of every entry
    size_t bytes;          // of those in slots
    entry *slots[SLOTS];
};

static void *checked(void *memory)
{
    if (!memory)
        BUG("out of memory");
    return memory;
}

ds_def_cache *def_cache_new(size_t max_bytes)
{
    ds_def_cache *cache = checked(calloc(1, sizeof *cache));
    cache->max_bytes = max_bytes ? max_bytes : USUAL_BYTES;
    pthread_mutex_init(&cache->mutex, NULL);
    return cache;
}

static void entry_free(entry *e)
{
    arena_free(e->arena);
    free(e->name);
    free(e);
}

void def_cache_freep(ds_def_cache **at)
{
    ds_def_cache *cache = *at;
    if (!cache)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        for (entry *e = cache->slots[i], *next; e; e = next) {
            next = e->next;
            ds_assert(e->users == 1);
            entry_free(e);
        }
    pthread_mutex_destroy(&cache->mutex);
    free(cache);
    *at = NULL;
}

// --- names

// The parts of a merge database's name can't have a line feed, which a path may: then two are taken for one, whose
// definitions differ in when they were applied.
static char *name_of(const ds_container_def *merge, const char *stream)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    const char *const PARTS[] = {merge->name, merge->host, merge->database, merge->path};
    const char *name = stream;
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        name = arena_printf(scratch, "%s\n%s", name, PARTS[i] ? PARTS[i] : "");
    return checked(strdup(arena_printf(scratch, "%s\n%d", name, merge->port)));
}

static size_t slot_of(const char *name)
{
    return XXH3_64bits(name, strlen(name)) % SLOTS;
}

static entry **find(ds_def_cache *cache, const char *name)
{
    entry **at = &cache->slots[slot_of(name)];
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

// --- taking and giving back

// Under the mutex; true: it was the last user's, who frees it without.
static bool drop(entry *e)
{
    return --e->users == 0;
}

const ds_kept_def *def_cache_take(ds_def_cache *cache, const ds_container_def *merge, const char *stream)
{
    char *name = name_of(merge, stream);
    pthread_mutex_lock(&cache->mutex);
    entry *e = *find(cache, name);
    if (e)
        e->users++;
    pthread_mutex_unlock(&cache->mutex);
    free(name);
    return e ? &e->kept : NULL;
}

// The entry that was in its place, if its last user has gone.
static entry *replace(ds_def_cache *cache, entry *e)
{
    entry **at = find(cache, e->name), *old = *at;
    if (old) {
        *at = old->next;
        cache->bytes -= old->bytes;
    }
    if (cache->bytes + e->bytes <= cache->max_bytes) {
        e->next = *at;
        *at = e;
        e->users++;
        cache->bytes += e->bytes;
    }
    return old && drop(old) ? old : NULL;
}

const ds_kept_def *def_cache_put(ds_def_cache *cache, const ds_container_def *merge, ds_kept_def kept, ds_arena *arena)
{
    entry *e = checked(calloc(1, sizeof *e));
    *e = (entry){
        .kept = kept, .name = name_of(merge, kept.def->name), .arena = arena, .bytes = arena_used(arena), .users = 1};
    pthread_mutex_lock(&cache->mutex);
    entry *gone = replace(cache, e);
    pthread_mutex_unlock(&cache->mutex);
    if (gone)
        entry_free(gone);
    return &e->kept;
}

void def_cache_give_back(ds_def_cache *cache, const ds_kept_def *kept)
{
    if (!kept)
        return;
    entry *e = (entry *)(uintptr_t)kept;
    pthread_mutex_lock(&cache->mutex);
    bool last = drop(e);
    pthread_mutex_unlock(&cache->mutex);
    if (last)
        entry_free(e);
}
