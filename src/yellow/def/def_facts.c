#include "yellow/def/def_json.h"

static void put(json_t *object, const char *key, json_t *value)
{
    ds_assert(value && json_object_set_new(object, key, value) == 0);
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text && text[0])
        put(object, key, json_string(text));
}

json_t *def_facts(const ds_stream_def *def)
{
    json_t *out = json_object(), *datasets = json_array(), *inputs = json_array();
    for (size_t i = 0; i < def->dataset_count; i++)
        ds_assert(json_array_append_new(datasets, json_string(def->datasets[i].name)) == 0);
    for (size_t i = 0; i < def->input_count; i++)
        ds_assert(json_array_append_new(inputs, json_string(def->inputs[i].stream)) == 0);
    put(out, "datasets", datasets);
    if (def->external)
        put(out, "external", json_true());
    put(out, "inputs", inputs);
    put_text(out, "primary", def->primary);
    put_text(out, "timezone", def->timezone);
    put_text(out, "watermark", def->watermark);
    return out;
}
