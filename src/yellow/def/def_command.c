// A transformer's program in its definition, as JSON.
#include "yellow/def/def_json.h"

static void put(json_t *object, const char *key, json_t *value)
{
    ds_assert(value && json_object_set_new(object, key, value) == 0);
}

static json_t *encode_input(const ds_command_input *input)
{
    json_t *out = json_object();
    put(out, "group", json_string(input->group));
    put(out, "store", json_string(input->store));
    put(out, "stream", json_string(input->stream));
    put(out, "dataset", def_encode_dataset(input->dataset));
    return out;
}

json_t *def_encode_command(const ds_command_def *command)
{
    json_t *out = json_object(), *argv = json_array(), *inputs = json_array();
    for (size_t i = 0; i < command->argc; i++)
        ds_assert(json_array_append_new(argv, json_string(command->argv[i])) == 0);
    for (size_t i = 0; i < command->input_count; i++)
        ds_assert(json_array_append_new(inputs, encode_input(&command->inputs[i])) == 0);
    put(out, "exec", argv);
    put(out, "timeout_s", json_integer(command->timeout_s));
    put(out, "inputs", inputs);
    return out;
}

static bool decode_text(ds_arena *arena, const json_t *json, const char **out)
{
    const char *text = json_string_value(json);
    if (text)
        *out = arena_strdup(arena, text);
    return text != NULL;
}

static bool decode_input(ds_arena *arena, const json_t *json, ds_command_input *out)
{
    ds_dataset_def *dataset = ARENA_NEW(arena, ds_dataset_def);
    ds_error ignored;
    out->dataset = dataset;
    return decode_text(arena, json_object_get(json, "group"), &out->group) &&
           decode_text(arena, json_object_get(json, "store"), &out->store) &&
           decode_text(arena, json_object_get(json, "stream"), &out->stream) &&
           def_decode_dataset(arena, json_object_get(json, "dataset"), dataset, &ignored).code == DS_OK;
}

static bool decode_argv(ds_arena *arena, const json_t *list, ds_command_def *out)
{
    out->argc = json_array_size(list);
    const char **argv = ARENA_ARRAY(arena, const char *, out->argc + 1);
    for (size_t i = 0; i < out->argc; i++)
        if (!decode_text(arena, json_array_get(list, i), &argv[i]))
            return false;
    out->argv = argv;
    return out->argc > 0;
}

bool def_decode_command(ds_arena *arena, const json_t *json, const ds_command_def **out)
{
    const json_t *list = json_object_get(json, "inputs");
    ds_command_def *command = ARENA_NEW(arena, ds_command_def);
    command->timeout_s = json_integer_value(json_object_get(json, "timeout_s"));
    command->input_count = json_array_size(list);
    ds_command_input *inputs = ARENA_ARRAY(arena, ds_command_input, command->input_count);
    for (size_t i = 0; i < command->input_count; i++)
        if (!decode_input(arena, json_array_get(list, i), &inputs[i]))
            return false;
    command->inputs = inputs;
    *out = command;
    return decode_argv(arena, json_object_get(json, "exec"), command) && command->timeout_s > 0;
}
