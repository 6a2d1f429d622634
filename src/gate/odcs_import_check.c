// Rules of a contract's `quality` -> checks. Those that we wrote say which check they are part of.
#include <stdlib.h>

#include "gate/odcs_import_int.h"

typedef struct found {
    int64_t place;  // of the check among those of the dataset; INT64_MAX: a rule of somebody else
    int64_t column; // of a not_null, its place in the list
    size_t order;
    json_t *check; // {"not_null": [...]} …
} found;

typedef struct collector {
    odcs_reading *r;
    const ds_map *columns; // the model's names by the contract's
    VEC(found) list;
} collector;

static const char *text_of(const json_t *rule, const char *key)
{
    const char *text = json_string_value(json_object_get(rule, key));
    return text ? text : "";
}

// The metric must be zero, of rows or of a share of them.
static bool is_none_of(const json_t *rule, const char *name)
{
    return strcmp(text_of(rule, "metric"), name) == 0 && strcmp(text_of(rule, "mustBe"), "0") == 0;
}

// Columns by the names that the contract gives them; NULL when one is unknown.
static json_t *columns_named(const collector *c, const json_t *names)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const char *column = name ? map_get(c->columns, name) : NULL;
        if (column)
            json_array_append_new(list, json_string(column));
    }
    if (json_array_size(list) && json_array_size(list) == json_array_size(names))
        return list;
    json_decref(list);
    return NULL;
}

// NULL: a model has no such check. column NULL: a rule of the whole object.
static json_t *check_of(const collector *c, const json_t *rule, const char *column)
{
    if (column && is_none_of(rule, "nullValues"))
        return json_pack("{s[s]}", "not_null", column);
    if (column && is_none_of(rule, "duplicateValues"))
        return json_pack("{s[s]}", "unique", column);
    if (!column && is_none_of(rule, "duplicateValues")) {
        json_t *list = columns_named(c, json_object_get(json_object_get(rule, "arguments"), "properties"));
        return list ? json_pack("{so}", "unique", list) : NULL;
    }
    json_t *ours = json_object_get(rule, "implementation");
    return strcmp(text_of(rule, "engine"), ODCS_CUSTOM) == 0 && json_object_size(ours) ? json_incref(ours) : NULL;
}

// Parts of a rule that are only for people, or what we put there.
static void leave_details(collector *c, json_t *rule, const char *path)
{
    static const char *const KNOWN[] = {"type", "metric", "mustBe", "dimension", "engine", "implementation"};
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        json_object_del(rule, KNOWN[i]);
    json_object_del(json_object_get(rule, "arguments"), "properties");
    odcs_leave_rest(c->r, arena_printf(c->r->arena, "%s: quality", path), rule);
}

static void read_rules(collector *c, json_t *element, const char *path, const char *column)
{
    json_t *quality = odcs_take(element, "quality");
    for (size_t i = 0; i < json_array_size(quality); i++) {
        json_t *rule = json_array_get(quality, i), *check = check_of(c, rule, column);
        if (!check) {
            odcs_leave_out(c->r, path, "quality", rule, "a model has no such check");
            continue;
        }
        json_t *ours = odcs_take_ours(rule);
        *VEC_PUSH(c->r->arena, &c->list) = (found){odcs_take_int(c->r, ours, "check", INT64_MAX),
                                                   odcs_take_int(c->r, ours, "column", 0), c->list.n, check};
        leave_details(c, rule, path);
        json_decref(ours);
    }
    json_decref(quality);
}

static int by_place(const void *a, const void *b)
{
    const found *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

// Columns of one not_null are one list.
static void put_check(json_t *checks, const found *f, const found *before)
{
    const json_t *column = json_object_get(f->check, "not_null");
    json_t *list = before && before->place == f->place && f->place != INT64_MAX
                       ? json_object_get(json_array_get(checks, json_array_size(checks) - 1), "not_null")
                       : NULL;
    if (column && list)
        json_array_extend(list, (json_t *)(uintptr_t)column);
    else
        json_array_append(checks, f->check);
    json_decref(f->check);
}

json_t *odcs_checks(odcs_reading *r, json_t *object, const char *path, const ds_map *columns)
{
    collector c = {.r = r, .columns = columns};
    json_t *checks = json_array();
    read_rules(&c, object, path, NULL);
    const json_t *properties = json_object_get(object, "properties");
    for (size_t i = 0; i < json_array_size(properties); i++) {
        json_t *property = json_array_get(properties, i);
        const char *name = json_string_value(json_object_get(property, "name"));
        const char *column = name ? map_get(columns, name) : NULL;
        if (!column)
            continue;
        const char *where = arena_printf(r->arena, "%s.%s", path, column);
        read_rules(&c, property, where, column);
        if (odcs_take_flag(r, property, "unique"))
            *VEC_PUSH(r->arena, &c.list) = (found){INT64_MAX, 0, c.list.n, json_pack("{s[s]}", "unique", column)};
    }
    if (c.list.n > 1)
        qsort(c.list.v, c.list.n, sizeof c.list.v[0], by_place);
    for (size_t i = 0; i < c.list.n; i++)
        put_check(checks, &c.list.v[i], i ? &c.list.v[i - 1] : NULL);
    return checks;
}
