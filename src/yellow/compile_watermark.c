// A store's watermark in its stream's definition.
#include "schema/value.h"
#include "yellow/compile_int.h"
#include "yellow/watermark.h"

// "10m" in microseconds, "1000" as it is; 0 when not given. Lint refuses other forms.
static int64_t amount(ds_text text)
{
    static const struct {
        char unit;
        int64_t us;
    } UNITS[] = {{'s', 1000000}, {'m', 60000000}, {'h', INT64_C(3600000000)}, {'d', INT64_C(86400000000)}};
    if (!text.s)
        return 0;
    size_t digits = strspn(text.s, "0123456789");
    int64_t n = 0;
    if (!str_int64((ds_str){text.s, digits}, &n))
        return 0;
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
        if (text.s[digits] == UNITS[i].unit)
            return n <= INT64_MAX / UNITS[i].us ? n * UNITS[i].us : INT64_MAX;
    return n;
}

static ds_rc check_dataset(const ds_stream_def *def, const ds_dataset_def *dataset, ds_error *err)
{
    const ds_shape_column *column = watermark_column(def, dataset);
    if (!column)
        return ds_fail(err, DS_FINDING, "%s/%s has no watermark column \"%s\"", def->store, dataset->name,
                       def->watermark);
    ds_value_class class = type_class(column->type);
    if ((class != VALUE_INT && class != VALUE_MICROS) || column->type->kind == TYPE_UBIGINT)
        return ds_fail(err, DS_FINDING, "%s/%s: \"%s\" can't be a watermark", def->store, dataset->name,
                       def->watermark);
    if (dataset->shape->key_count == 0)
        return ds_fail(err, DS_FINDING, "%s/%s has no key: it can't be read by watermark", def->store, dataset->name);
    return DS_DONE;
}

ds_rc compile_watermark(const ds_capture *capture, ds_stream_def *out, ds_error *err)
{
    if (capture->type != CAPTURE_SQL_WATERMARK)
        return DS_DONE;
    const ds_watermark *given = &capture->watermark;
    out->watermark = given->column.s ? given->column.s : "";
    out->overlap = amount(given->overlap);
    out->newest = given->newest.s && strcmp(given->newest.s, "wait") == 0 ? given->newest.s : NULL;
    out->sweep_us = amount(given->sweep);
    for (size_t i = 0; i < out->dataset_count; i++)
        TRY(ds_hint(check_dataset(out, &out->datasets[i], err), err, "run datasurface lint"));
    return DS_DONE;
}
