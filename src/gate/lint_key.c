// What identifies a row: columns marked `primary key`, or named by primary_key, or nothing (key: none).
#include "gate/lint_int.h"

static size_t marked(const ds_dataset *dataset, const ds_column **first)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->columns.n; i++)
        if (dataset->columns.v[i].primary_key && n++ == 0)
            *first = &dataset->columns.v[i];
    return n;
}

static void check_keyless(lint *l, const ds_dataset *dataset, const char *object)
{
    const ds_column *first = NULL;
    ds_pos pos = marked(dataset, &first) ? first->pos : dataset->rest->primary_key.pos;
    if (!first && !dataset->rest->primary_key.n)
        return;
    lint_add(l, LINT_KEY_CONTRADICTION, pos, object, "dataset \"%s\" has a primary key and key: none", dataset->name);
    lint_hint_at(l, "key: none stands", dataset->rest->key.pos);
}

static void unknown_column(lint *l, const ds_dataset *dataset, const char *object, ds_text name)
{
    lint_add(l, LINT_KEY_UNKNOWN, name.pos, object, "dataset \"%s\" has no column \"%s\"", dataset->name, name.s);
    const char **names = ARENA_ARRAY(l->arena, const char *, dataset->columns.n);
    for (size_t i = 0; i < dataset->columns.n; i++)
        names[i] = dataset->columns.v[i].name;
    const char *nearest = str_nearest(name.s, names, dataset->columns.n);
    if (nearest)
        diag_hint(l->diags, "did you mean \"%s\"?", nearest);
}

// The list and the marks, where both are there, say the same.
static void check_list(lint *l, const ds_dataset *dataset, const char *object)
{
    const ds_column *first = NULL;
    bool marks = marked(dataset, &first) > 0;
    ds_map *listed = map_new(l->arena);
    for (size_t i = 0; i < dataset->rest->primary_key.n; i++) {
        const ds_text name = dataset->rest->primary_key.v[i];
        ds_column *column = name.s ? (ds_column *)(uintptr_t)dataset_column(dataset, name.s) : NULL;
        if (!name.s)
            continue;
        if (!column)
            unknown_column(l, dataset, object, name);
        else if (map_add(listed, name.s, column))
            lint_add(l, LINT_KEY_CONTRADICTION, name.pos, object, "primary_key names \"%s\" twice", name.s);
        else if (marks && !column->primary_key)
            lint_add(l, LINT_KEY_CONTRADICTION, name.pos, object,
                     "primary_key names \"%s\", and other columns are marked primary key", name.s);
    }
    for (size_t i = 0; i < dataset->columns.n; i++) {
        const ds_column *column = &dataset->columns.v[i];
        if (column->primary_key && !map_get(listed, column->name))
            lint_add(l, LINT_KEY_CONTRADICTION, column->pos, object,
                     "column \"%s\" is marked primary key, and primary_key does not name it", column->name);
    }
}

static void check_nulls(lint *l, const ds_dataset *dataset, const char *object)
{
    for (size_t i = 0; i < dataset->rest->primary_key.n; i++) {
        const char *name = dataset->rest->primary_key.v[i].s;
        const ds_column *column = name ? dataset_column(dataset, name) : NULL;
        if (column && column->null_given && !column->not_null)
            lint_add(l, LINT_KEY_CONTRADICTION, column->pos, object, "column \"%s\" is part of the key and may be null",
                     column->name);
    }
}

void lint_keys(lint *l, const ds_dataset *dataset, const char *object)
{
    const ds_column *first = NULL;
    if (dataset_is_keyless(dataset)) {
        check_keyless(l, dataset, object);
        return;
    }
    if (dataset->rest->primary_key.n) {
        check_list(l, dataset, object);
        check_nulls(l, dataset, object);
        return;
    }
    // A column whose text could not be read may have been the key.
    for (size_t i = 0; i < dataset->columns.n; i++)
        if (!dataset->columns.v[i].type)
            return;
    if (marked(dataset, &first) || dataset->columns.n == 0)
        return;
    lint_add(l, LINT_NO_KEY, dataset->pos, object, "dataset \"%s\" has no primary key", dataset->name);
    diag_hint(l->diags, "mark its key's columns `primary key`, or write key: none when rows have no key");
}
