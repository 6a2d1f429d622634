// Opening the control tables, instants, events and the history of apply.
#include "yellow/control/control_tables.h"

#include <stdlib.h>

#include "runtime/runtime.h"

enum { MICROS = 1000000, CONTROL_TIME_TEXT = 40 };

// "2026-01-31 12:34:56.789012+00:00": always with its fraction, so that texts sort as instants do.
static void time_text(int64_t instant_us, char out[CONTROL_TIME_TEXT])
{
    char iso[CLOCK_TEXT];
    clock_format_iso(instant_us, iso); // 2026-01-31T12:34:56.789012Z
    char *t = strchr(iso, 'T'), *z = strchr(iso, 'Z');
    ds_assert(t && z);
    *t = ' ';
    *z = '\0';
    snprintf(out, CONTROL_TIME_TEXT, "%s+00:00", iso);
}

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date
// algorithms").
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

// n digits at *text, then the character `end`; both are consumed.
static bool take_number(const char **text, size_t n, char end, int64_t *out)
{
    if (strnlen(*text, n + 1) < n || !str_int64((ds_str){*text, n}, out) || **text == '-')
        return false;
    *text += n;
    if (**text != end)
        return false;
    *text += 1;
    return true;
}

static int64_t take_fraction(const char **text)
{
    int64_t micros = 0, unit = MICROS;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        unit /= 10;
        micros += (**text - '0') * unit;
    }
    return micros;
}

int64_t control_time_parse(const char *text)
{
    int64_t year, month, day, hour, minute, second;
    if (!text || !take_number(&text, 4, '-', &year) || !take_number(&text, 2, '-', &month) ||
        !take_number(&text, 2, ' ', &day) || !take_number(&text, 2, ':', &hour) || !take_number(&text, 2, ':', &minute))
        return 0;
    if (strnlen(text, 2) < 2 || !str_int64((ds_str){text, 2}, &second))
        return 0;
    text += 2;
    int64_t fraction = 0;
    if (*text == '.') {
        text++;
        fraction = take_fraction(&text);
    }
    int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return seconds * MICROS + fraction;
}

// Typed, for places from which an engine can't tell what the parameter is.
void control_sql_time(ds_sql *sql, int64_t instant_us)
{
    char text[CONTROL_TIME_TEXT];
    time_text(instant_us, text);
    SQL(sql, "CAST(");
    sql_text(sql, instant_us ? text : NULL);
    SQL(sql, " AS ");
    control_sql_type(sql, &(ds_type){.kind = TYPE_TIMESTAMPTZ});
    SQL(sql, ")");
}

// --- opening

static ds_rc nothing_applied(const ds_container_def *merge, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_FINDING, "nothing has been applied to merge database \"%s\"", merge->name);
    return ds_hint(rc, err, "run datasurface apply");
}

static ds_rc check_version(const ds_container_def *merge, int64_t version, ds_error *err)
{
    if (version == 0)
        return nothing_applied(merge, err);
    if (version == CONTROL_SCHEMA_VERSION)
        return DS_DONE;
    ds_rc rc = ds_fail(err, DS_FINDING, "merge database \"%s\" was made by an older datasurface", merge->name);
    return ds_hint(rc, err, "run datasurface apply: it brings the control tables up to date and keeps all data");
}

ds_rc control_check(ds_control *control, ds_error *err)
{
    int64_t version;
    TRY(control_version_at_once(control, &version, err));
    return check_version(control->merge, version, err);
}

ds_rc control_connect(const ds_runtime *runtime, const ds_container_def *merge, ds_control_mode mode, ds_control **out,
                      ds_error *err)
{
    ds_access access = {.read_only = mode == CONTROL_READ, .create = mode == CONTROL_CREATE};
    ds_db *db = NULL;
    TRY(ds_context(runtime_open(runtime, merge, access, &db, err), err, "merge database \"%s\"", merge->name));
    ds_control *control = calloc(1, sizeof *control);
    ds_assert(control);
    control->db = db;
    control->runtime = runtime;
    control->arena = arena_new();
    control->merge = merge;
    control->names = control_names(control->arena, db->dialect);
    *out = control;
    return DS_DONE;
}

ds_rc control_connect_there(const ds_runtime *runtime, const ds_container_def *merge, ds_control_mode mode,
                            ds_control **out, ds_error *err)
{
    if (runtime_absent(runtime, merge))
        return nothing_applied(merge, err);
    return control_connect(runtime, merge, mode, out, err);
}

static ds_rc create_tables(ds_control *control, ds_error *err)
{
    TRY(store_begin(control->db, BEGIN_WRITE, err));
    ds_rc rc = control_create_tables(control, err);
    if (rc.code != DS_OK) {
        store_rollback(control->db);
        return rc;
    }
    return store_commit(control->db, err);
}

ds_rc control_open(const ds_runtime *runtime, const ds_container_def *merge, ds_control_mode mode, ds_control **out,
                   ds_error *err)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    if (mode != CONTROL_CREATE) {
        TRY(control_connect_there(runtime, merge, mode, &control, err));
        TRY(control_check(control, err));
    } else {
        int64_t version;
        TRY(control_connect(runtime, merge, mode, &control, err));
        TRY(control_version_at_once(control, &version, err));
        TRY(create_tables(control, err));
    }
    *out = control;
    control = NULL;
    return DS_DONE;
}

void control_close(ds_control *control)
{
    if (!control)
        return;
    store_close(control->db);
    arena_free(control->arena);
    free(control);
}

void control_closep(ds_control **control)
{
    control_close(*control);
    *control = NULL;
}

static ds_rc look_at_version(const ds_runtime *runtime, const ds_container_def *merge, int64_t *out, ds_error *err)
{
    *out = 0;
    if (runtime_absent(runtime, merge))
        return DS_DONE;
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_connect(runtime, merge, CONTROL_READ, &control, err));
    return control_version_at_once(control, out, err);
}

ds_rc control_exists(const ds_runtime *runtime, const ds_container_def *merge, bool *out, ds_error *err)
{
    int64_t version;
    TRY(look_at_version(runtime, merge, &version, err));
    *out = version > 0;
    return DS_DONE;
}

ds_rc control_wants_apply(const ds_runtime *runtime, const ds_container_def *merge, bool *out, ds_error *err)
{
    int64_t version;
    TRY(look_at_version(runtime, merge, &version, err));
    *out = version < CONTROL_SCHEMA_VERSION;
    return DS_DONE;
}

ds_rc control_open_applied(const ds_runtime *runtime, const ds_container_def *merge, ds_control **out, ds_error *why,
                           ds_error *err)
{
    *out = NULL;
    ds_rc rc = control_open(runtime, merge, CONTROL_READ, out, err);
    bool wants_apply = false;
    ds_error ignored = {0};
    if (rc.code != DS_FINDING || control_wants_apply(runtime, merge, &wants_apply, &ignored).code != DS_OK ||
        !wants_apply)
        return rc;
    *why = *err;
    *err = (ds_error){0};
    return DS_DONE;
}

// --- events and the history of apply

ds_rc control_event(ds_control *control, const char *stream, const char *kind, const char *detail, ds_error *err)
{
    int64_t now = 0;
    TRY(store_now(control->db, &now, err));
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.event);
    SQL(&q, " (at, stream, kind, detail) VALUES (");
    control_sql_time(&q, now);
    SQL(&q, ", ");
    sql_text(&q, stream);
    SQL(&q, ", ");
    sql_text(&q, kind);
    SQL(&q, ", ");
    sql_text(&q, detail);
    SQL(&q, ")");
    return store_exec(control->db, &q, NULL, err);
}

// A model without git around it is of the commit that the last one was of, when it is the same model.
static void sql_commit(ds_sql *q, const ds_control *control, const char *tree_id)
{
    const char *commit = control->runtime->commit;
    if (commit && commit[0]) {
        sql_text(q, commit);
        return;
    }
    SQL(q, "(SELECT commit_id FROM ");
    sql_relation(q, control->names.applied);
    SQL(q, " WHERE tree_id = ");
    sql_text(q, tree_id);
    SQL(q, " AND id = (SELECT max(id) FROM ");
    sql_relation(q, control->names.applied);
    SQL(q, "))");
}

ds_rc control_applied(ds_control *control, const char *plan_id, const char *changes_json, ds_error *err)
{
    int64_t now = 0;
    TRY(store_now(control->db, &now, err));
    const char *tree_id = control->runtime->tree_id ? control->runtime->tree_id : "";
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "INSERT INTO ");
    sql_relation(&q, control->names.applied);
    SQL(&q, " (applied_at, plan_id, tree_id, commit_id, changes) VALUES (");
    control_sql_time(&q, now);
    SQL(&q, ", ");
    sql_text(&q, plan_id);
    SQL(&q, ", ");
    sql_text(&q, tree_id);
    SQL(&q, ", ");
    sql_commit(&q, control, tree_id);
    SQL(&q, ", ");
    sql_text(&q, changes_json);
    SQL(&q, ")");
    return store_exec(control->db, &q, NULL, err);
}

ds_rc control_applied_last(ds_control *control, ds_arena *arena, ds_applied_model *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    SQL(&q, "SELECT tree_id, coalesce(commit_id, '') FROM ");
    sql_relation(&q, control->names.applied);
    SQL(&q, " ORDER BY id DESC LIMIT 1");
    ds_result r;
    TRY(store_query(control->db, &q, arena, &r, err));
    *out = r.rows ? (ds_applied_model){result_text(&r, 0, 0), result_text(&r, 0, 1)} : (ds_applied_model){"", ""};
    return DS_DONE;
}
