#include "base/map.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/random.h>
#include <xxhash.h>

#include "base/error.h"

typedef struct entry {
    const char *key;
    void *value;
    uint64_t hash;
} entry;

struct ds_map {
    ds_arena *arena;
    uint64_t seed;
    entry *entries; // in order of insertion
    size_t n, cap;
    uint32_t *slots; // index of an entry + 1; 0 is free
    size_t slot_count;
};

// One for all maps of the process: to ask the kernel costs more than many a map.
static uint64_t process_seed;
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
    if (getrandom(&process_seed, sizeof process_seed, 0) != (ssize_t)sizeof process_seed)
        process_seed = (uint64_t)(uintptr_t)&process_seed; // no entropy: the address space's random layout
}

ds_map *map_new(ds_arena *arena)
{
    ds_map *map = ARENA_NEW(arena, ds_map);
    map->arena = arena;
    (void)pthread_once(&seeded, make_seed);
    map->seed = process_seed;
    return map;
}

// The slot of the key, or the free slot where it would go.
static size_t find_slot(const ds_map *map, const char *key, uint64_t hash)
{
    size_t mask = map->slot_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t at = map->slots[i];
        if (at == 0)
            return i;
        const entry *e = &map->entries[at - 1];
        if (e->hash == hash && strcmp(e->key, key) == 0)
            return i;
    }
}

static void rehash(ds_map *map)
{
    map->slot_count = map->slot_count ? map->slot_count * 2 : 16;
    map->slots = ARENA_ARRAY(map->arena, uint32_t, map->slot_count);
    for (size_t i = 0; i < map->n; i++)
        map->slots[find_slot(map, map->entries[i].key, map->entries[i].hash)] = (uint32_t)(i + 1);
}

static uint64_t hash_of(const ds_map *map, const char *key)
{
    return XXH3_64bits_withSeed(key, strlen(key), map->seed);
}

static entry *find(const ds_map *map, const char *key, uint64_t hash)
{
    uint32_t at = map->slot_count ? map->slots[find_slot(map, key, hash)] : 0;
    return at ? &map->entries[at - 1] : NULL;
}

void *map_add(ds_map *map, const char *key, void *value)
{
    uint64_t hash = hash_of(map, key);
    entry *old = find(map, key, hash);
    if (old)
        return old->value;
    if ((map->n + 1) * 4 > map->slot_count * 3)
        rehash(map);
    if (map->n == map->cap) {
        size_t cap = map->cap ? map->cap * 2 : 8;
        ds_assert(cap < UINT32_MAX);
        map->entries = arena_grow(map->arena, map->entries, map->n * sizeof(entry), cap * sizeof(entry));
        map->cap = cap;
    }
    map->entries[map->n++] = (entry){key, value, hash};
    map->slots[find_slot(map, key, hash)] = (uint32_t)map->n;
    return NULL;
}

void map_set(ds_map *map, const char *key, void *value)
{
    entry *old = find(map, key, hash_of(map, key));
    if (old)
        old->value = value;
    else
        (void)map_add(map, key, value);
}

void *map_get(const ds_map *map, const char *key)
{
    const entry *e = map->n ? find(map, key, hash_of(map, key)) : NULL;
    return e ? e->value : NULL;
}

size_t map_count(const ds_map *map)
{
    return map->n;
}

const char *map_key(const ds_map *map, size_t i)
{
    ds_assert(i < map->n);
    return map->entries[i].key;
}

void *map_value(const ds_map *map, size_t i)
{
    ds_assert(i < map->n);
    return map->entries[i].value;
}

const char *map_nearest(const ds_map *map, const char *key)
{
    size_t best = strlen(key) / 3 + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < map->n; i++) {
        size_t d = str_distance(str_of(key), str_of(map->entries[i].key), best);
        bool nearer = !nearest || d < best || strcmp(map->entries[i].key, nearest) < 0;
        if (d <= best && nearer) {
            best = d;
            nearest = map->entries[i].key;
        }
    }
    return nearest;
}
