// A store's watermark in its stream's definition.
#include "schema/value.h"
#include "yellow/job/watermark.h"
#include "yellow/plan/compile_int.h"

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
    out->overlap = compile_amount(given->overlap);
    out->newest = given->newest.s && strcmp(given->newest.s, "wait") == 0 ? given->newest.s : NULL;
    out->sweep_us = compile_amount(given->sweep);
    for (size_t i = 0; i < out->dataset_count; i++)
        TRY(ds_hint(check_dataset(out, &out->datasets[i], err), err, "run datasurface lint"));
    return DS_DONE;
}
