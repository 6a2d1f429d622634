// Checks that change, and those that a user wrote in SQL: is it one condition on a row's columns?
#include "yellow/control/control_tables.h"
#include "yellow/plan/plan_int.h"

static const char *list_checks(ds_planner *p, const ds_dataset_def *dataset)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(700);
    for (size_t i = 0; i < dataset->check_count; i++) {
        CLEANUP(buf_release) ds_buf one = BUF_INIT(CHECK_TEXT_MAX);
        check_print(&dataset->checks[i], &one);
        if (i && text.n + one.n + 20 > text.max) {
            buf_puts(&text, ", ...");
            break;
        }
        buf_puts(&text, i ? ", " : "");
        buf_put_str(&text, buf_str(&one));
    }
    return arena_str(p->arena, buf_str(&text));
}

void plan_checks(ds_planner *p, const ds_dataset_def *dataset, const ds_dataset_state *state, const ds_dataset_def *old)
{
    const char *now = def_checks_id(p->arena, dataset);
    if (state->batch == 0 || !old || strcmp(now, def_checks_id(p->arena, old)) == 0)
        return;
    const char *object = plan_object(p, "table", dataset->merge);
    if (!now[0])
        plan_change(p, object, "update", "no batch is held against checks any more");
    else if (strcmp(now, state->checks) == 0)
        plan_change(p, object, "update", "checks: %s; its rows have passed them", list_checks(p, dataset));
    else
        plan_change(p, object, "update", "checks: %s; the next batch holds all rows against them",
                    list_checks(p, dataset));
}

// --- SQL

// FROM (SELECT CAST(NULL AS type) AS "column", …) AS r: a row of the dataset's columns, and no table to read.
static void from_nothing(const ds_shape *shape, ds_sql *q)
{
    SQL(q, " FROM (SELECT ");
    for (size_t i = 0; i < shape->n; i++) {
        if (i)
            SQL(q, ", ");
        SQL(q, "CAST(NULL AS ");
        control_sql_type(q, shape->columns[i].type);
        SQL(q, ") AS ");
        sql_ident(q, shape->columns[i].name);
    }
    SQL(q, ") AS r WHERE ");
}

// As it stands: a parenthesis without its partner is an error here, while the check's own would be one for it.
static ds_rc stands_alone(ds_db *db, const ds_shape *shape, const char *text, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    const char *const *names;
    size_t n;
    SQL(&q, "SELECT 1 AS one");
    from_nothing(shape, &q);
    sql_user_text(&q, text);
    return db->driver->prepare(db, &q, scratch, &names, &n, err);
}

// As a batch runs it: a list, a SELECT or a second statement is an error here, and so is all that may not be read.
static ds_rc stands_in_check(ds_db *db, const ds_shape *shape, const char *text, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT ");
    sql_columns_to_read(&q, shape, false);
    from_nothing(shape, &q);
    SQL(&q, "NOT (");
    sql_user_text(&q, text);
    SQL(&q, "\n)");
    ds_read read = {.select = &q, .shape = shape, .untrusted = true};
    ds_reader *reader = NULL;
    TRY(db->driver->read_open(db, &read, &reader, err));
    db->driver->read_close(reader);
    return DS_DONE;
}

static ds_rc vet(ds_db *db, const ds_dataset_def *dataset, const ds_check_def *check, ds_error *err)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(CHECK_TEXT_MAX);
    check_print(check, &name);
    ds_rc rc = stands_alone(db, dataset->shape, check->sql, err);
    if (rc.code == DS_OK)
        rc = stands_in_check(db, dataset->shape, check->sql, err);
    return ds_context(rc, err, "check %s of %s", buf_text(&name), dataset->name);
}

bool plan_has_check_sql(const ds_stream_def *def)
{
    for (size_t i = 0; i < def->dataset_count; i++)
        for (size_t k = 0; k < def->datasets[i].check_count; k++)
            if (def->datasets[i].checks[k].kind == CHECK_SQL)
                return true;
    return false;
}

ds_rc plan_vet_checks(ds_control *control, const ds_stream_def *def, ds_error *err)
{
    for (size_t i = 0; i < def->dataset_count; i++)
        for (size_t k = 0; k < def->datasets[i].check_count; k++)
            if (def->datasets[i].checks[k].kind == CHECK_SQL)
                TRY(vet(control->db, &def->datasets[i], &def->datasets[i].checks[k], err));
    return DS_DONE;
}
