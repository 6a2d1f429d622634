// Objects and properties of a contract -> datasets and columns.
#include <stdlib.h>

#include "gate/import_from_int.h"
#include "gate/import_name_int.h"
#include "gate/odcs_import_int.h"

typedef struct new_column {
    const char *name;
    int64_t key_place; // 0: no part of the key
    size_t order;      // among the properties
} new_column;

// --- types

// The physical type as the model says it; NULL when it is unknown.
static const char *known_type(odcs_reading *r, const char *physical)
{
    bool guessed = false;
    const char *type = import_model_type(r->arena, physical);
    if (!type)
        type = import_type(r->arena, physical, &guessed);
    return guessed ? NULL : type;
}

// Takes what belongs to the logical type; NULL when there is none.
static const char *take_logical_type(odcs_reading *r, json_t *property)
{
    const char *logical = odcs_take_text(r, property, "logicalType");
    json_t *options = json_object_get(property, "logicalTypeOptions");
    int64_t size = odcs_take_int(r, options, "maxLength", TYPE_UNLIMITED);
    bool zone = odcs_take_flag(r, options, "timezone");
    const char *type = logical ? odcs_type_from(r->arena, logical, size) : NULL;
    if (type && zone && (strcmp(type, "timestamp") == 0 || strcmp(type, "time") == 0))
        return arena_printf(r->arena, "%stz", type);
    return type;
}

static const char *take_type(odcs_reading *r, json_t *property, const char *path)
{
    const char *logical = take_logical_type(r, property);
    const char *physical = odcs_take_text(r, property, "physicalType");
    const char *known = physical ? known_type(r, physical) : NULL;
    if (known || (!physical && logical))
        return known ? known : logical;
    const char *type = logical ? logical : "text";
    json_t *was = json_string(physical ? physical : "none");
    odcs_leave_out(r, path, "physicalType", was, arena_printf(r->arena, "unknown; taken for %s", type));
    json_decref(was);
    r->summary.guessed++;
    return type;
}

// --- classifications

static bool is_classification(ds_str word)
{
    for (size_t i = 0; i < WORDS_CLASSIFICATION.n; i++)
        if (str_eq(str_of(WORDS_CLASSIFICATION.v[i].word), word))
            return true;
    return false;
}

// "pub, cpi" as a list; NULL when a word of it is none of ours.
static json_t *classification_list(const char *text)
{
    json_t *list = json_array();
    for (ds_str rest = str_of(text); rest.n;) {
        ds_str word = str_trim(str_split(&rest, ','));
        if (!is_classification(word)) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, json_stringn(word.p, word.n));
    }
    return list;
}

// dataset_has: what the dataset as a whole is classified as, or NULL.
static void read_classification(odcs_reading *r, json_t *property, const char *path, const json_t *dataset_has,
                                json_t *column)
{
    const char *text = odcs_take_text(r, property, "classification");
    if (!text || !text[0])
        return;
    json_t *list = classification_list(text), *was = json_string(text);
    if (!list)
        odcs_leave_out(r, path, "classification", was, "none of pub, ip, pc1, pc2, pc3, cpi, mnpi, csi");
    else if (dataset_has && !json_equal(dataset_has, list))
        odcs_leave_out(r, path, "classification", was, "the dataset as a whole is classified otherwise");
    else if (!dataset_has)
        json_object_set(column, "classification", json_array_size(list) == 1 ? json_array_get(list, 0) : list);
    json_decref(list);
    json_decref(was);
}

// --- columns

static void read_source(odcs_reading *r, json_t *property, const char *name, const char *original, json_t *column)
{
    const char *physical = odcs_take_text(r, property, "physicalName");
    const char *source = physical ? physical : original;
    if (strcmp(source, name) != 0)
        json_object_set_new(column, "source", json_string(source));
    r->summary.renamed += strcmp(original, name) != 0;
}

static json_t *read_column(odcs_reading *r, json_t *property, const char *path, const json_t *dataset_has,
                           new_column *c)
{
    json_t *out = json_object();
    const char *original = odcs_take_text(r, property, "name"), *type = take_type(r, property, path);
    bool required = odcs_take_flag(r, property, "required"), key = odcs_take_flag(r, property, "primaryKey");
    bool partition = odcs_take_flag(r, property, "partitioned");
    c->key_place = odcs_take_int(r, property, "primaryKeyPosition", -1);
    c->key_place = !key ? 0 : c->key_place > 0 ? c->key_place : INT64_MAX;
    if (partition)
        (void)odcs_take_int(r, property, "partitionKeyPosition", 0); // the order of columns
    json_object_set_new(out, "type",
                        json_string(arena_printf(r->arena, "%s%s%s", type,
                                                 key        ? " primary key"
                                                 : required ? " not null"
                                                            : "",
                                                 partition ? " partition" : "")));
    const char *description = odcs_take_text(r, property, "description");
    if (description && description[0])
        json_object_set_new(out, "description", json_string(description));
    read_source(r, property, c->name, original ? original : c->name, out);
    read_classification(r, property, path, dataset_has, out);
    odcs_leave_rest(r, path, property);
    if (json_object_size(out) > 1)
        return out;
    json_t *plain = json_incref(json_object_get(out, "type")); // the short form
    json_decref(out);
    return plain;
}

static const char *column_name(odcs_reading *r, ds_map *taken, const char *name)
{
    const char *legal = import_legal_name(r->arena, name, "column");
    if (strlen(legal) > 3 && str_eq_nocase((ds_str){legal, 3}, STR("ds_"))) // our own columns
        legal = import_legal_name(r->arena, arena_printf(r->arena, "source_%s", legal), "column");
    return import_distinct(r->arena, taken, legal);
}

// --- the key

static int by_place(const void *a, const void *b)
{
    const new_column *x = a, *y = b;
    if (x->key_place != y->key_place)
        return x->key_place < y->key_place ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

// key: none without key columns; primary_key where their order is another one.
static void read_key(new_column *columns, size_t n, json_t *dataset)
{
    json_t *key = json_array();
    size_t last = 0;
    bool in_order = true;
    if (n > 1)
        qsort(columns, n, sizeof *columns, by_place);
    for (size_t i = 0; i < n; i++) {
        if (!columns[i].key_place)
            continue;
        in_order &= columns[i].order >= last;
        last = columns[i].order;
        json_array_append_new(key, json_string(columns[i].name));
    }
    if (json_array_size(key) == 0)
        json_object_set_new(dataset, "key", json_string("none"));
    else if (!in_order)
        json_object_set(dataset, "primary_key", key);
    json_decref(key);
}

// --- datasets

// physicalName is TABLE or SCHEMA.TABLE.
static void read_table(odcs_reading *r, json_t *object, const char *name, const char *original, json_t *dataset)
{
    const char *physical = odcs_take_text(r, object, "physicalName");
    ds_str table = str_of(physical ? physical : original), schema = {0};
    if (physical && memchr(table.p, '.', table.n))
        schema = str_split(&table, '.');
    r->summary.renamed += strcmp(original, name) != 0;
    if (json_object_get(dataset, "source") || (!schema.n && !physical && str_eq(table, str_of(name))))
        return;
    json_t *source = json_object();
    if (schema.n)
        json_object_set_new(source, "schema", json_stringn(schema.p, schema.n));
    json_object_set_new(source, "table", json_stringn(table.p, table.n));
    json_object_set_new(dataset, "source", source);
}

// What every table is.
static void drop_kind(json_t *object)
{
    static const struct {
        const char *key, *value;
    } USUAL[] = {{"physicalType", "table"}, {"logicalType", "object"}};
    for (size_t i = 0; i < sizeof USUAL / sizeof USUAL[0]; i++) {
        const char *value = json_string_value(json_object_get(object, USUAL[i].key));
        if (value && str_eq_nocase(str_of(value), str_of(USUAL[i].value)))
            json_object_del(object, USUAL[i].key);
    }
}

// Legal names of the properties, by what they are called.
static ds_map *name_columns(odcs_reading *r, const json_t *properties, new_column *columns)
{
    ds_map *names = map_new(r->arena), *taken = map_new(r->arena);
    for (size_t i = 0; i < json_array_size(properties); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(properties, i), "name"));
        columns[i] = (new_column){.name = column_name(r, taken, name ? name : ""), .order = i};
        if (name)
            (void)map_add(names, arena_strdup(r->arena, name), (void *)(uintptr_t)columns[i].name);
    }
    return names;
}

static void read_columns(odcs_reading *r, json_t *properties, const char *path, new_column *columns, json_t *dataset)
{
    json_t *out = json_object(), *dataset_has = json_incref(json_object_get(dataset, "classification"));
    size_t n = json_array_size(properties);
    for (size_t i = 0; i < n; i++)
        json_object_set_new(out, columns[i].name,
                            read_column(r, json_array_get(properties, i),
                                        arena_printf(r->arena, "%s.%s", path, columns[i].name), dataset_has,
                                        &columns[i]));
    json_decref(dataset_has);
    read_key(columns, n, dataset);
    json_object_set_new(dataset, "columns", out);
}

json_t *odcs_dataset(odcs_reading *r, json_t *object, const char *name)
{
    const char *original = odcs_take_text(r, object, "name");
    size_t n = json_array_size(json_object_get(object, "properties"));
    if (n == 0) {
        odcs_leave_out(r, "schema", name, object, "it has no properties");
        return NULL;
    }
    json_t *dataset = json_object(), *ours = odcs_take_ours(object);
    new_column *columns = ARENA_ARRAY(r->arena, new_column, n);
    const char *description = odcs_take_text(r, object, "description");
    if (description && description[0])
        json_object_set_new(dataset, "description", json_string(description));
    odcs_move_fields(ours, dataset, ODCS_DATASET_FIELDS);
    drop_kind(object);
    read_table(r, object, name, original ? original : name, dataset);
    const ds_map *names = name_columns(r, json_object_get(object, "properties"), columns);
    json_t *checks = odcs_checks(r, object, name, names), *properties = odcs_take(object, "properties");
    if (json_array_size(checks))
        json_object_set(dataset, "checks", checks);
    json_decref(checks);
    read_columns(r, properties, name, columns, dataset);
    odcs_leave_rest(r, name, object);
    odcs_leave_rest(r, arena_printf(r->arena, "%s: " ODCS_CUSTOM, name), ours);
    json_decref(properties);
    json_decref(ours);
    return dataset;
}
