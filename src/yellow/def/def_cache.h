// Definitions of streams, kept as they were decoded: a definition is some fifty kilobytes of JSON, and reading it is
// dearer than the batch of a stream that is idle. What is kept is immutable and counted: a job holds its definition
// until it ends, whatever comes to the cache's place meanwhile.
//
// An apply that changes a definition gives it another version; that it is the same merge database still, and not a new
// one under the old name, shows the time at which it was applied.
//
// Thread rule: any thread. All that was taken is given back before the cache is freed.
#pragma once
#include "yellow/def/def.h"

typedef struct ds_def_cache ds_def_cache;

typedef struct ds_kept_def {
    const ds_stream_def *def;
    int64_t version, applied_at;
} ds_kept_def;

// max_bytes: of all definitions; what comes when it is full is not kept. 0: the usual, 256 MB.
ds_def_cache *def_cache_new(size_t max_bytes);
void def_cache_freep(ds_def_cache **cache);

// The stream's in that merge database, to be given back; NULL when there is none.
const ds_kept_def *def_cache_take(ds_def_cache *cache, const ds_container_def *merge, const char *stream);
// In the place of what there was. The arena is the cache's from now on, and has the definition; the result is to be
// given back.
const ds_kept_def *def_cache_put(ds_def_cache *cache, const ds_container_def *merge, ds_kept_def kept, ds_arena *arena);
void def_cache_give_back(ds_def_cache *cache, const ds_kept_def *kept); // takes NULL
