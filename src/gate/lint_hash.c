// A row is encoded under the hashes of its columns' names: two columns of a dataset must not have the same one.
#include <strings.h>
#include <xxhash.h>

#include "gate/lint_int.h"
#include "model/pattern.h"

static size_t room_for(lint *l, size_t columns)
{
    size_t slots = 32;
    while (slots < columns * 2)
        slots *= 2;
    if (l->slot_cap < slots) {
        l->slots = ARENA_ARRAY(l->arena, uint16_t, slots);
        l->hashes = ARENA_ARRAY(l->arena, uint64_t, slots);
        l->slot_cap = slots;
    }
    memset(l->slots, 0, slots * sizeof *l->slots);
    return slots;
}

static uint64_t name_hash(ds_str name)
{
    char lower[PATTERN_NAME_MAX];
    for (size_t i = 0; i < name.n; i++)
        lower[i] = str_lower_char(name.p[i]);
    return XXH3_64bits(lower, name.n);
}

// The slot of an earlier column with this hash, or the free slot.
static uint16_t *find_slot(const lint *l, size_t slots, uint64_t hash)
{
    size_t i = (size_t)hash & (slots - 1);
    while (l->slots[i] && l->hashes[l->slots[i] - 1] != hash)
        i = (i + 1) & (slots - 1);
    return &l->slots[i];
}

void lint_hashes(lint *l, const ds_dataset *dataset, const char *object)
{
    if (dataset->columns.n >= UINT16_MAX / 2)
        return; // far over the limit, which is a finding of its own
    size_t slots = room_for(l, dataset->columns.n);
    for (size_t i = 0; i < dataset->columns.n; i++) {
        const ds_column *column = &dataset->columns.v[i];
        const ds_str name = str_of(column->name);
        if (name.n > PATTERN_NAME_MAX)
            continue;
        l->hashes[i] = name_hash(name);
        uint16_t *slot = find_slot(l, slots, l->hashes[i]);
        const ds_column *other = *slot ? &dataset->columns.v[*slot - 1] : NULL;
        *slot = (uint16_t)(*slot ? *slot : i + 1);
        if (!other || strcasecmp(other->name, column->name) == 0)
            continue; // names that differ only by case are the loader's finding
        lint_add(l, LINT_COLUMN_HASH, column->pos, object, "the names \"%s\" and \"%s\" have the same hash",
                 other->name, column->name);
        diag_hint(l->diags, "rename one of them; its name at the source goes into source");
    }
}
