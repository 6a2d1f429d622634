// Does a transformer's SELECT give the columns of its output, and read nothing but its inputs?
#include "yellow/job/transform.h"
#include "yellow/plan/plan_int.h"

static bool has_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool is_wanted(const ds_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n; i++)
        if (strcmp(shape->columns[i].source, name) == 0)
            return true;
    return false;
}

static ds_rc compare(const ds_stream_def *def, const ds_dataset_def *dataset, const char *const *names, size_t n,
                     ds_error *err)
{
    for (size_t i = 0; i < dataset->shape->n; i++)
        if (!has_name(names, n, dataset->shape->columns[i].source))
            return ds_hint(ds_fail(err, DS_FINDING,
                                   "transformer of workspace \"%s\", output \"%s\": its SQL gives no column \"%s\"",
                                   def->workspace, dataset->name, dataset->shape->columns[i].source),
                           err, "name it with AS, spelled as the dataset has it");
    for (size_t i = 0; i < n; i++)
        if (!is_wanted(dataset->shape, names[i]))
            return ds_hint(ds_fail(err, DS_FINDING,
                                   "transformer of workspace \"%s\", output \"%s\": its SQL gives a column \"%s\" that "
                                   "the dataset does not have",
                                   def->workspace, dataset->name, names[i]),
                           err, "leave it out, or add it to the dataset");
    return DS_DONE;
}

// Opened as a batch opens it, but nothing is read: what it may not read or call is refused.
static ds_rc check_policy(ds_db *db, const ds_stream_def *def, const ds_dataset_def *dataset, ds_arena *scratch,
                          ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    transform_select(dataset, &q);
    ds_read read = transform_read(def, dataset, &q, scratch);
    read.only_checked = true;
    ds_reader *reader = NULL;
    TRY(ds_context(db->driver->read_open(db, &read, &reader, err), err,
                   "transformer of workspace \"%s\", output \"%s\"", def->workspace, dataset->name));
    db->driver->read_close(reader);
    return DS_DONE;
}

static ds_rc check_dataset(ds_control *control, const ds_stream_def *def, const ds_dataset_def *dataset, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    sql_user_text(&q, dataset->sql);
    const char *const *names;
    size_t n;
    TRY(ds_context(control->db->driver->prepare(control->db, &q, scratch, &names, &n, err), err,
                   "transformer of workspace \"%s\", output \"%s\"", def->workspace, dataset->name));
    TRY(compare(def, dataset, names, n, err));
    return check_policy(control->db, def, dataset, scratch, err);
}

// A command on a server runs under a role of its own, which the job makes.
static ds_rc check_command(ds_control *control, const ds_stream_def *def, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    if (!control->db->dialect->has_roles)
        return DS_DONE;
    SQL(&q, "SELECT (rolcreaterole OR rolsuper)::int, (pg_catalog.has_database_privilege('public', d, 'CONNECT') OR "
            "pg_catalog.has_database_privilege(d, 'CONNECT WITH GRANT OPTION'))::int "
            "FROM pg_catalog.pg_roles, pg_catalog.current_database() AS d WHERE rolname = CURRENT_USER");
    ds_result r;
    TRY(store_query(control->db, &q, scratch, &r, err));
    bool creates = r.rows && result_int(&r, 0, 0), connects = r.rows && result_int(&r, 0, 1);
    if (creates && connects)
        return DS_DONE;
    if (creates)
        return ds_hint(ds_fail(err, DS_FINDING,
                               "transformer of workspace \"%s\": not everybody may connect to the merge database, and "
                               "its credential can't allow it to the role of a command",
                               def->workspace),
                       err, "GRANT CONNECT ON DATABASE ... WITH GRANT OPTION to it, or write the transformer in SQL");
    return ds_hint(ds_fail(err, DS_FINDING,
                           "transformer of workspace \"%s\": its command needs a role of its own, and the merge "
                           "database's credential has no CREATEROLE",
                           def->workspace),
                   err, "ALTER ROLE ... CREATEROLE for it, or write the transformer in SQL");
}

ds_rc plan_check_sql(ds_control *control, const ds_stream_def *def, ds_error *err)
{
    if (def->command)
        return check_command(control, def, err);
    for (size_t i = 0; i < def->dataset_count; i++)
        if (def->datasets[i].sql)
            TRY(check_dataset(control, def, &def->datasets[i], err));
    return DS_DONE;
}
