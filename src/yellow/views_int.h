// Single views, for apply. Inside the caller's transaction.
#pragma once
#include "yellow/views.h"

// Makes the view, or gives it another select: what was granted on it stays.
ds_rc view_put(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, const ds_view_def *view,
               ds_view_form form, ds_error *err);
ds_rc view_drop(ds_control *control, ds_relation relation, ds_error *err);
