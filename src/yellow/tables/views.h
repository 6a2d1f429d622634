// The DDL of consumer views. A view is a stub (right names, no rows) until its dataset's first commit.
#pragma once
#include "yellow/control/control.h"

typedef enum ds_view_form { VIEW_STUB, VIEW_REAL } ds_view_form;
// The view's SELECT: live rows and the dataset's columns only; or, with history, all versions and ds_batch_in,
// ds_batch_out, ds_valid_from, ds_valid_to.
void view_select_sql(const ds_stream_def *def, const ds_dataset_def *dataset, const ds_view_def *view,
                     const ds_control_names *control, ds_view_form form, ds_sql *out);
// Gives all views of a dataset that form; what was granted on them stays. Inside the caller's transaction.
ds_rc views_replace(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, ds_view_form form,
                    ds_error *err);

// Makes the view, or gives it another select: what was granted on it stays.
ds_rc view_put(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, const ds_view_def *view,
               ds_view_form form, ds_error *err);
ds_rc view_drop(ds_control *control, ds_relation relation, ds_error *err);
