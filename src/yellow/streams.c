#include "yellow/streams.h"

#include "yellow/control/control.h"

// --- which there are

ds_stream_info streams_info(ds_arena *arena, const ds_stream_def *def)
{
    const char **inputs = ARENA_ARRAY(arena, const char *, def->input_count);
    const char **datasets = ARENA_ARRAY(arena, const char *, def->dataset_count);
    for (size_t i = 0; i < def->input_count; i++)
        inputs[i] = def->inputs[i].stream;
    for (size_t i = 0; i < def->dataset_count; i++)
        datasets[i] = def->datasets[i].name;
    return (ds_stream_info){.name = def->name,
                            .service = def->service,
                            .platform = def->platform,
                            .store = def->store,
                            .priority = def->priority,
                            .cron = def->cron ? def->cron : "",
                            .timezone = def->timezone ? def->timezone : "",
                            .external = def->external,
                            .inputs = inputs,
                            .input_count = def->input_count,
                            .datasets = datasets,
                            .dataset_count = def->dataset_count,
                            .primary = def->primary,
                            .watermark = def->watermark};
}

static bool find_priority(const char *name, ds_priority *out)
{
    for (int p = PRIORITY_LOW; name && p <= PRIORITY_CRITICAL; p++)
        if (strcmp(name, priority_name((ds_priority)p)) == 0) {
            *out = (ds_priority)p;
            return true;
        }
    return false;
}

static const char *text_of(ds_arena *arena, const json_t *facts, const char *key)
{
    const char *text = json_string_value(json_object_get(facts, key));
    return text ? arena_strdup(arena, text) : NULL;
}

static const char *const *texts_of(ds_arena *arena, const json_t *facts, const char *key, size_t *n)
{
    const json_t *list = json_object_get(facts, key);
    *n = json_array_size(list);
    const char **texts = ARENA_ARRAY(arena, const char *, *n);
    for (size_t i = 0; i < *n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        texts[i] = text ? arena_strdup(arena, text) : "";
    }
    return texts;
}

static bool read_facts(ds_arena *arena, const char *text, ds_stream_info *info)
{
    json_t *facts = text ? json_loads(text, 0, NULL) : NULL;
    if (!facts)
        return false;
    const char *timezone = text_of(arena, facts, "timezone");
    info->timezone = timezone ? timezone : "";
    info->external = json_is_true(json_object_get(facts, "external"));
    info->inputs = texts_of(arena, facts, "inputs", &info->input_count);
    info->datasets = texts_of(arena, facts, "datasets", &info->dataset_count);
    info->primary = text_of(arena, facts, "primary");
    info->watermark = text_of(arena, facts, "watermark");
    json_decref(facts);
    return true;
}

// Rows of an older version have no facts: these are in the definition.
static ds_rc card_info(ds_control *control, const ds_stream_card *card, ds_arena *arena, ds_stream_info *out,
                       ds_error *err)
{
    *out = (ds_stream_info){.name = card->name,
                            .service = card->service,
                            .platform = card->platform,
                            .store = card->store,
                            .cron = card->cron};
    if (!find_priority(card->priority, &out->priority) || !read_facts(arena, card->facts, out)) {
        ds_stream_row *row;
        TRY(control_stream(control, card->name, arena, &row, err));
        if (row)
            *out = streams_info(arena, row->def);
    }
    out->failure = card->failure;
    out->paused = card->paused;
    out->removed = card->removed;
    return DS_DONE;
}

static ds_rc read_streams(ds_control *control, const char *only, ds_arena *arena, ds_streams *out, ds_error *err)
{
    ds_stream_card *cards;
    ds_applied_model last;
    TRY(control_cards(control, only, arena, &cards, &out->n, err));
    TRY(control_applied_last(control, arena, &last, err));
    out->tree_id = last.tree_id;
    out->v = ARENA_ARRAY(arena, ds_stream_info, out->n);
    for (size_t i = 0; i < out->n; i++)
        TRY(card_info(control, &cards[i], arena, &out->v[i], err));
    return DS_DONE;
}

ds_rc streams_applied(const ds_runtime *runtime, const ds_container_def *merge, const char *only, ds_arena *arena,
                      ds_streams *out, ds_error *err)
{
    *out = (ds_streams){.tree_id = ""};
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open_applied(runtime, merge, &control, &out->why, err));
    out->nothing = !control;
    if (out->nothing)
        return DS_DONE;
    return read_streams(control, only, arena, out, err);
}

// --- what they are told

// What has failed is tried again at once.
static ds_rc resume(ds_control *control, const char *stream, ds_error *err)
{
    TRY(control_set_paused(control, stream, false, err));
    return control_retry_now(control, stream, err);
}

static ds_rc tell(ds_control *control, const char *stream, ds_stream_order order, ds_error *err)
{
    switch (order) {
    case STREAM_PAUSE:
        return control_set_paused(control, stream, true, err);
    case STREAM_RESUME:
        return resume(control, stream, err);
    case STREAM_TRIGGER:
        return control_trigger(control, stream, err);
    case STREAM_RESNAPSHOT:
        return control_set_resnapshot(control, stream, true, err);
    }
    BUG("order %d", (int)order);
}

ds_rc streams_tell(const ds_runtime *runtime, const ds_container_def *merge, const char *stream, ds_stream_order order,
                   ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(runtime, merge, CONTROL_WRITE, &control, err));
    TRY(store_begin(control->db, BEGIN_WRITE, err));
    ds_rc rc = tell(control, stream, order, err);
    if (rc.code == DS_OK)
        return store_commit(control->db, err);
    store_rollback(control->db);
    return rc;
}
