#include "schema/shape.h"

#include <stdlib.h>
#include <xxhash.h>

#include "schema/value.h"

// A column's name in lower case and its index: what the order of encoding is made of.
typedef struct ds_named {
    const char *lower;
    uint64_t hash;
    uint16_t index;
} ds_named;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ds_named *)a)->lower, ((const ds_named *)b)->lower);
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x = ((const ds_named *)a)->hash, y = ((const ds_named *)b)->hash;
    return x < y ? -1 : x > y;
}

static ds_rc check_distinct(const ds_named *named, size_t n, const ds_shape_column *columns, ds_error *err)
{
    for (size_t i = 1; i < n; i++)
        if (named[i].hash == named[i - 1].hash)
            return ds_hint(ds_fail(err, DS_FINDING, "the names of columns \"%s\" and \"%s\" have the same hash",
                                   columns[named[i - 1].index].name, columns[named[i].index].name),
                           err, "rename one of them");
    return DS_DONE;
}

static ds_named *name_columns(ds_arena *scratch, ds_shape_column *columns, size_t n)
{
    ds_named *named = ARENA_ARRAY(scratch, ds_named, n);
    for (size_t i = 0; i < n; i++) {
        ds_shape_column *column = &columns[i];
        if (!column->source)
            column->source = column->name;
        char *lower = arena_strdup(scratch, column->name);
        str_lower(lower);
        column->name_hash = XXH3_64bits(lower, strlen(lower));
        named[i] = (ds_named){lower, column->name_hash, (uint16_t)i};
    }
    return named;
}

static void set_key(ds_arena *arena, ds_shape *shape, ds_shape_column *columns, const uint16_t *key, size_t key_count)
{
    uint16_t *own = ARENA_ARRAY(arena, uint16_t, key_count), *place = ARENA_ARRAY(arena, uint16_t, key_count);
    uint16_t *place_of = ARENA_ARRAY(arena, uint16_t, shape->n);
    for (size_t i = 0; i < shape->n; i++)
        place_of[shape->hash_order[i]] = (uint16_t)i;
    for (size_t i = 0; i < key_count; i++) {
        ds_assert(key[i] < shape->n);
        own[i] = key[i];
        place[i] = place_of[key[i]];
        columns[key[i]].not_null = true;
    }
    shape->key = own;
    shape->key_place = place;
    shape->key_count = key_count;
    const ds_type *type = key_count == 1 ? columns[key[0]].type : NULL;
    shape->key_is_number = type && type_class(type) == VALUE_INT && type->kind != TYPE_UBIGINT;
}

ds_rc shape_new(ds_arena *arena, const ds_shape_column *columns, size_t n, const uint16_t *key, size_t key_count,
                const ds_shape **out, ds_error *err)
{
    if (n == 0)
        return ds_fail(err, DS_FINDING, "no columns");
    if (n > SHAPE_COLUMNS_MAX)
        return ds_fail(err, DS_FINDING, "%zu columns: the limit is %d", n, SHAPE_COLUMNS_MAX);
    ds_shape_column *own = ARENA_ARRAY(arena, ds_shape_column, n);
    memcpy(own, columns, n * sizeof *columns);
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    ds_named *named = name_columns(scratch, own, n);
    qsort(named, n, sizeof *named, by_hash);
    TRY(check_distinct(named, n, own, err));
    qsort(named, n, sizeof *named, by_name);
    uint16_t *order = ARENA_ARRAY(arena, uint16_t, n);
    for (size_t i = 0; i < n; i++)
        order[i] = named[i].index;
    ds_shape *shape = ARENA_NEW(arena, ds_shape);
    *shape = (ds_shape){.columns = own, .n = n, .hash_order = order};
    set_key(arena, shape, own, key, key_count);
    *out = shape;
    return DS_DONE;
}

const ds_shape *shape_of_key(ds_arena *arena, const ds_shape *shape)
{
    if (shape->key_count == 0)
        return ARENA_NEW(arena, ds_shape);
    ds_shape_column *columns = ARENA_ARRAY(arena, ds_shape_column, shape->key_count);
    uint16_t *key = ARENA_ARRAY(arena, uint16_t, shape->key_count);
    for (size_t i = 0; i < shape->key_count; i++) {
        columns[i] = shape->columns[shape->key[i]];
        key[i] = (uint16_t)i;
    }
    const ds_shape *out = NULL;
    ds_error err;
    if (shape_new(arena, columns, shape->key_count, key, shape->key_count, &out, &err).code != DS_OK)
        BUG("shape of a key: %s", err.text);
    return out;
}

int shape_find(const ds_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n; i++)
        if (strcmp(shape->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}
