// What only yellow itself may do with the control tables: make them, and write instants as they hold them.
#pragma once
#include "yellow/control/control.h"

enum { CONTROL_SCHEMA_VERSION = 4, CONTROL_TABLE_COUNT = 12 };

// 0 for NULL, "" and what is no instant.
int64_t control_time_parse(const char *text);
// The instant as a parameter, "2026-01-31 12:34:56.789012+00:00"; 0 gives null.
void control_sql_time(ds_sql *sql, int64_t instant_us);

// The type as the dialect declares a column of it.
static inline void control_sql_type(ds_sql *sql, const ds_type *type)
{
    sql->dialect->column_type(type, &sql->text);
}

// The physical names for a dialect, in arena.
ds_control_names control_names(ds_arena *arena, const ds_dialect *dialect);
// Makes those of the control tables and their columns that are missing, and records the schema's version. Inside a
// write transaction.
ds_rc control_create_tables(ds_control *control, ds_error *err);
// For it: rows of `stream` that an older version wrote get their facts. A definition that can't be read has none.
ds_rc control_fill_facts(ds_control *control, ds_error *err);
// Makes `lease` alone when it is missing, in a transaction of its own: apply owns its name there before all else.
ds_rc control_create_lease(ds_control *control, ds_error *err);
// The connection is there, the tables may be not: what apply and plan work with. CONTROL_READ or CONTROL_CREATE.
ds_rc control_connect(const ds_runtime *runtime, const ds_container_def *merge, ds_control_mode mode, ds_control **out,
                      ds_error *err);
// The tables' version; 0 when they are not there. Fails when a newer datasurface wrote them.
ds_rc control_version(ds_control *control, int64_t *out, ds_error *err);
// The same outside of a transaction, in one question where the tables are there: the catalogue is a slow thing to ask.
ds_rc control_version_at_once(ds_control *control, int64_t *out, ds_error *err);

// The same, for a database that must be there: "nothing has been applied to …" when a file is missing.
ds_rc control_connect_there(const ds_runtime *runtime, const ds_container_def *merge, ds_control_mode mode,
                            ds_control **out, ds_error *err);
// Fails as control_open does.
ds_rc control_check(ds_control *control, ds_error *err);

// What a job wants to know first, on a connection by control_connect; it fails as control_open does.
typedef struct ds_first_look {
    const char *tree_id;      // as control_applied_tree
    const ds_stream_row *row; // NULL: there is no such stream
    const ds_kept_def *kept;  // to be given back to the runtime's cache when row->def is no longer used; may be NULL
} ds_first_look;
ds_rc control_first_look(ds_control *control, const char *name, ds_arena *arena, ds_first_look *out, ds_error *err);

// All applied streams in the order of control_streams, their definitions not decoded yet (def is NULL).
ds_rc control_streams_stored(ds_control *control, ds_arena *arena, ds_stream_row **out, size_t *n, ds_error *err);
// The same of those that are there and not removed, of some streams.
ds_rc control_streams_named(ds_control *control, const char *const *names, size_t n, ds_arena *arena,
                            ds_stream_row **out, size_t *found, ds_error *err);
// Decodes row->config into row->def. *damaged: it can't be read, and not because a newer datasurface wrote it.
ds_rc control_decode_def(ds_arena *arena, ds_stream_row *row, bool *damaged, ds_error *err);
// Datasets that a stream gave up and whose tables are kept: a JSON array of dataset definitions, "[]" when none.
ds_rc control_retired(ds_control *control, const char *stream, ds_arena *arena, const char **out, ds_error *err);
ds_rc control_put_retired(ds_control *control, const char *stream, const char *retired_json, ds_error *err);
// Forgets what is known of one dataset's batches.
ds_rc control_delete_dataset(ds_control *control, const char *stream, const char *dataset, ds_error *err);

// --- control_move.c: datasets go to the other stream of their store. Inside the caller's transaction.
typedef struct ds_moving {
    const char *from, *dataset; // the stream that has it, or had batches before it was there; and its name
    bool is_there;              // it has it
    ds_dataset_state state;     // there
} ds_moving;
// What is known of the datasets becomes the last batch of a stream, which may have had some of them before.
ds_rc control_move_in(ds_control *control, const ds_stream_def *to, const ds_moving *moving, size_t n, ds_error *err);
// They leave the definition of a stream, which is no longer the model's: it is marked as removed. Its batches stay;
// when it has lost all its datasets an open one goes.
ds_rc control_move_out(ds_control *control, const char *stream, const char *const *names, size_t n, ds_error *err);

// Nobody who holds an older fence can write for the stream any more. What the stream's row says then; out may be NULL.
typedef struct ds_fence {
    int64_t fence, version;
    bool removed;
} ds_fence;
ds_rc control_raise_fence(ds_control *control, const char *stream, ds_fence *out, ds_error *err);
