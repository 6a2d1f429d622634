// Fields of the model as JSON, by the tables of model/fields.h, so that none is forgotten.
#include <stdlib.h>

#include "gate/odcs_int.h"

static json_t *texts_json(const ds_text *v, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(v[i].s));
    return list;
}

typedef LIST_OF(char) any_list;

static json_t *list_json(const model_shape *shape, const any_list *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(out, odcs_fields(shape, list->v + i * shape->size, NULL));
    return out;
}

static json_t *deprecated_json(const ds_deprecation *d)
{
    return d->reason ? json_string(d->reason) : json_boolean(d->v);
}

// An empty map was not given.
static json_t *struct_json(const model_shape *shape, const void *object)
{
    json_t *out = odcs_fields(shape, object, NULL);
    if (json_object_size(out))
        return out;
    json_decref(out);
    return NULL;
}

// NULL: not given.
static json_t *field_json(const model_field *field, const void *object)
{
    const void *at = (const char *)field_home(field, object) + field->offset;
    switch (field->kind) {
    case FIELD_TEXT:
        return ((const ds_text *)at)->pos.file ? json_string(((const ds_text *)at)->s) : NULL;
    case FIELD_INT:
        return ((const ds_int *)at)->set ? json_integer(((const ds_int *)at)->v) : NULL;
    case FIELD_FLAG:
        return ((const ds_flag *)at)->set ? json_boolean(((const ds_flag *)at)->v) : NULL;
    case FIELD_RATIO:
        return ((const ds_ratio *)at)->set ? json_real(((const ds_ratio *)at)->v) : NULL;
    case FIELD_TEXTS:
    case FIELD_ONE_OR_MANY:
        return ((const ds_texts *)at)->pos.file ? texts_json(((const ds_texts *)at)->v, ((const ds_texts *)at)->n)
                                                : NULL;
    case FIELD_STRUCT:
        return struct_json(field->shape, at);
    case FIELD_LIST:
        return ((const any_list *)at)->pos.file ? list_json(field->shape, at) : NULL;
    case FIELD_DEPRECATED:
        return ((const ds_deprecation *)at)->pos.file ? deprecated_json(at) : NULL;
    case FIELD_STRING:
    case FIELD_CLASSES:
    case FIELD_POINTER:
    case FIELD_MAP:
    case FIELD_COLUMN_TYPE:
    case FIELD_SINK:
    case FIELD_BATCHES:
        break;
    }
    BUG("a contract has a place of its own for \"%s\"", field->key);
}

static bool is_chosen(const char *key, const char *const *keys)
{
    if (!keys)
        return true;
    while (*keys && strcmp(*keys, key) != 0)
        keys++;
    return *keys != NULL;
}

json_t *odcs_fields(const model_shape *shape, const void *object, const char *const *keys)
{
    json_t *out = json_object();
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *field = shape_field(shape, i);
        if (!field->key || !is_chosen(field->key, keys))
            continue;
        json_t *value = field_json(field, object);
        if (value)
            json_object_set_new(out, field->key, value);
    }
    return out;
}

// --- back

// NULL: it stays the text that it is.
static json_t *mended(field_kind kind, const char *text)
{
    int64_t number;
    char *end;
    bool yes = strcmp(text, "true") == 0;
    if (kind == FIELD_INT && str_int64(str_of(text), &number))
        return json_integer(number);
    if ((kind == FIELD_FLAG || kind == FIELD_DEPRECATED) && (yes || strcmp(text, "false") == 0))
        return json_boolean(yes);
    double ratio = kind == FIELD_RATIO ? strtod(text, &end) : 0;
    return kind == FIELD_RATIO && *end == '\0' && ratio >= 0 && ratio <= 1 ? json_real(ratio) : NULL;
}

static void mend_field(const model_field *field, json_t *object)
{
    json_t *value = json_object_get(object, field->key), *entry;
    const char *key;
    if (json_is_string(value)) {
        json_t *number = mended(field->kind, json_string_value(value));
        if (number)
            json_object_set_new(object, field->key, number);
        return;
    }
    if (field->kind == FIELD_STRUCT)
        odcs_fields_mend(field->shape, value);
    for (size_t i = 0; field->kind == FIELD_LIST && i < json_array_size(value); i++)
        odcs_fields_mend(field->shape, json_array_get(value, i));
    if (field->kind != FIELD_MAP)
        return;
    json_object_foreach(value, key, entry) odcs_fields_mend(field->shape, entry);
}

void odcs_fields_mend(const model_shape *shape, json_t *object)
{
    for (size_t i = 0; i < shape_field_count(shape); i++)
        if (shape_field(shape, i)->key)
            mend_field(shape_field(shape, i), object);
}
