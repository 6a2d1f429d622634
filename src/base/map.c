#include "base/map.h"

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

static uint64_t process_seed(void)
{
    static const int SOMEWHERE;
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)(uintptr_t)&SOMEWHERE; // without an entropy source: the address space's random layout
    return seed;
}

ds_map *map_new(ds_arena *arena)
{
    ds_map *map = ARENA_NEW(arena, ds_map);
    map->arena = arena;
    map->seed = process_seed();
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

static entry *find(const ds_map *map, const char *key)
{
    if (map->slot_count == 0)
        return NULL;
    uint32_t at = map->slots[find_slot(map, key, XXH3_64bits_withSeed(key, strlen(key), map->seed))];
    return at ? &map->entries[at - 1] : NULL;
}

void *map_add(ds_map *map, const char *key, void *value)
{
    entry *old = find(map, key);
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
    uint64_t hash = XXH3_64bits_withSeed(key, strlen(key), map->seed);
    map->entries[map->n++] = (entry){key, value, hash};
    map->slots[find_slot(map, key, hash)] = (uint32_t)map->n;
    return NULL;
}

void map_set(ds_map *map, const char *key, void *value)
{
    entry *old = find(map, key);
    if (old)
        old->value = value;
    else
        (void)map_add(map, key, value);
}

void *map_get(const ds_map *map, const char *key)
{
    const entry *e = find(map, key);
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
