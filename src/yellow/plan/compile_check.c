// Checks: columns as the shape spells them, bounds as canonical texts, in an order of our own, so that definitions
// differ only when the checks do.
#include <stdlib.h>

#include "base/vec.h"
#include "schema/value.h"
#include "yellow/def/def_json.h"
#include "yellow/plan/compile_int.h"

typedef struct checked {
    const ds_compiler *c;
    const char *store, *dataset;
    const ds_shape *shape;
    VEC(ds_check_def) out;
} checked;

static ds_rc fail_check(const checked *x, ds_error *err, const char *what, const char *name)
{
    return ds_hint(ds_fail(err, DS_FINDING, "%s/%s: a check has %s \"%s\"", x->store, x->dataset, what, name), err,
                   "run datasurface lint");
}

static ds_rc put_columns(checked *x, ds_check_kind kind, const ds_text *names, size_t n, ds_error *err)
{
    ds_check_def check = {.kind = kind, .column_count = n};
    const char **columns = ARENA_ARRAY(x->c->arena, const char *, n);
    for (size_t i = 0; i < n; i++) {
        int at = names[i].s ? shape_find(x->shape, names[i].s) : -1;
        if (at < 0)
            return fail_check(x, err, "an unknown column", names[i].s ? names[i].s : "");
        columns[i] = x->shape->columns[at].name;
    }
    check.columns = columns;
    *VEC_PUSH(x->c->arena, &x->out) = check;
    return DS_DONE;
}

static ds_rc bound(const checked *x, const ds_type *type, ds_text text, const char **out, ds_error *err)
{
    *out = NULL;
    if (!text.s)
        return DS_DONE;
    ds_rc rc = value_bound(x->c->arena, type, str_of(text.s), out, err);
    return rc.code == DS_OK ? rc : fail_check(x, err, "a wrong bound", text.s);
}

static ds_rc put_range(checked *x, const ds_check *check, ds_error *err)
{
    TRY(put_columns(x, CHECK_RANGE, &check->range_column, 1, err));
    ds_check_def *range = &x->out.v[x->out.n - 1];
    const ds_type *type = x->shape->columns[shape_find(x->shape, range->columns[0])].type;
    if (!type_has_order(type))
        return fail_check(x, err, "a range on", range->columns[0]);
    TRY(bound(x, type, check->min, &range->min, err));
    return bound(x, type, check->max, &range->max, err);
}

static ds_rc put_check(checked *x, const ds_check *check, ds_error *err)
{
    if (check->not_null.n)
        TRY(put_columns(x, CHECK_NOT_NULL, check->not_null.v, check->not_null.n, err));
    if (check->unique.n)
        TRY(put_columns(x, CHECK_UNIQUE, check->unique.v, check->unique.n, err));
    if (check->range_column.s && (check->min.s || check->max.s))
        TRY(put_range(x, check, err));
    if (check->sql.s)
        *VEC_PUSH(x->c->arena, &x->out) = (ds_check_def){.kind = CHECK_SQL, .sql = check->sql.s};
    return DS_DONE;
}

// The order in which a user lists them says nothing.
static int by_kind_and_text(const void *a, const void *b)
{
    ds_check_kind left = ((const ds_check_def *)a)->kind, right = ((const ds_check_def *)b)->kind;
    if (left != right)
        return left < right ? -1 : 1;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    json_t *x = def_encode_checks(a, 1), *y = def_encode_checks(b, 1);
    int order = strcmp(def_json_text(arena, x), def_json_text(arena, y));
    json_decref(x);
    json_decref(y);
    return order;
}

ds_rc compile_checks(const ds_compiler *c, const ds_datastore *store, const ds_dataset *dataset, ds_dataset_def *out,
                     ds_error *err)
{
    checked x = {.c = c, .store = store->name.s, .dataset = dataset->name, .shape = out->shape};
    for (size_t i = 0; i < dataset->rest->checks.n; i++)
        TRY(put_check(&x, &dataset->rest->checks.v[i], err));
    if (x.out.n)
        qsort(x.out.v, x.out.n, sizeof *x.out.v, by_kind_and_text);
    out->checks = x.out.v;
    out->check_count = x.out.n;
    return DS_DONE;
}
