// What the tables of one dataset lack, compared with the real catalogue.
#include <strings.h>

#include "yellow/plan/plan_int.h"
#include "yellow/tables/table_parts.h"

// The comparison of one table.
typedef struct table_check {
    ds_planner *p;
    plan_stream *stream;
    const ds_dataset_def *dataset, *old; // old: NULL when it was never applied
    ds_table_kind kind;
    const ds_catalog_table *found;
    bool committed; // rows of it were shown to consumers
    int64_t live_rows;
    bool moves_views;    // some change needs the dataset's views out of the way
    const char *problem; // why the table can't become what it should be
} table_check;

static const ds_catalog_column *find_column(const ds_catalog_table *table, const char *name, bool exact)
{
    for (size_t i = 0; i < table->n; i++)
        if (exact ? strcmp(table->columns[i].name, name) == 0 : strcasecmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

static const ds_shape_column *column_of(const ds_shape_column *columns, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

static const ds_shape_column *shape_column(const ds_dataset_def *dataset, const char *name)
{
    return dataset ? column_of(dataset->shape->columns, dataset->shape->n, name) : NULL;
}

static ds_relation relation_of(const table_check *t)
{
    return table_relation_of(t->dataset, t->kind);
}

static const char *type_text(ds_planner *p, const ds_type *type)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TYPE_TEXT_MAX * 2);
    type_print(type, &text);
    return arena_str(p->arena, buf_str(&text));
}

static plan_step *table_step(table_check *t, step_kind kind)
{
    plan_step *step = plan_add_step(t->p, t->stream, kind, t->dataset);
    step->table = t->kind;
    return step;
}

// --- one column

static void add_column(table_check *t, const ds_shape_column *column)
{
    plan_step *step = table_step(t, STEP_ADD_COLUMN);
    step->column = column->name;
    step->to = column->type;
    bool lost = shape_column(t->old, column->name) && t->kind != TABLE_STAGING;
    if (lost)
        t->stream->resnapshot = true;
    plan_change(t->p, plan_object(t->p, "table", relation_of(t)), "add-column", "\"%s\" %s%s", column->name,
                type_text(t->p, column->type), lost ? ": it is missing; the next batch reads everything again" : "");
}

static void convert_column(table_check *t, const char *name, const ds_type *from, const ds_type *to)
{
    plan_step *step = table_step(t, STEP_CONVERT_COLUMN);
    step->column = name;
    step->from = from;
    step->to = to;
    t->moves_views = true;
}

// Of the values that the table holds; NULL when it isn't known. A declaration doesn't tell: SQLite's say little.
static const ds_type *type_before(const table_check *t, const char *name)
{
    const ds_shape_column *before = shape_column(t->old, name);
    if (!before && t->old)
        before = column_of(t->old->retired, t->old->retired_count, name);
    return before ? before->type : NULL;
}

static void refuse_type(table_check *t, const ds_shape_column *column, const ds_type *from, const char *why)
{
    t->problem = arena_printf(t->p->arena,
                              "column \"%s\" can't become %s%s%s%s; give the new column another name, or prune the "
                              "dataset first",
                              column->name, type_text(t->p, column->type), from ? " from " : "",
                              from ? type_text(t->p, from) : "", why);
}

static const char *rewrite_text(const table_check *t, const ds_type *from, const ds_type *to)
{
    if (!evolve_rewrites(t->p->deployment->dialect, from, to))
        return "";
    return arena_printf(t->p->arena, ", its values are rewritten (%lld live rows)", (long long)t->live_rows);
}

// Is a text compared otherwise as a part of the key, and does it become that, or cease to be it?
static bool collates_anew(const table_check *t, const ds_shape_column *column)
{
    if (!t->old || !table_collates(t->p->deployment->dialect, column->type))
        return false;
    return table_is_key(t->dataset->shape, column->name) != table_is_key(t->old->shape, column->name);
}

// NULL when the column can become what it should be.
static const char *type_problem(const table_check *t, const ds_shape_column *column, const ds_type *from)
{
    CLEANUP(buf_release) ds_buf why = BUF_INIT(512);
    bool widens = from && (type_equal(from, column->type) || type_widens(from, column->type, &why));
    if (widens && evolve_possible(t->p->deployment->dialect, from, column->type))
        return NULL;
    if (!from)
        return ": its table has it already, and of which type is not known";
    return why.n ? arena_printf(t->p->arena, ": %s", buf_text(&why)) : "";
}

static void check_type(table_check *t, const ds_shape_column *column, const ds_catalog_column *found)
{
    const ds_type *from = type_before(t, column->name);
    const char *why = type_problem(t, column, from);
    if (why) {
        refuse_type(t, column, from, why);
        return;
    }
    bool relax = found->not_null && t->kind == TABLE_MERGE && !table_is_key(t->dataset->shape, column->name);
    if (!type_equal(from, column->type) && t->kind == TABLE_MERGE)
        plan_change(t->p, plan_object(t->p, "table", relation_of(t)), "widen", "\"%s\": %s -> %s%s", column->name,
                    type_text(t->p, from), type_text(t->p, column->type), rewrite_text(t, from, column->type));
    else if (relax)
        plan_change(t->p, plan_object(t->p, "table", relation_of(t)), "widen", "\"%s\" may be null", column->name);
    if (relax || collates_anew(t, column) || evolve_needed(t->p->deployment->dialect, from, column->type))
        convert_column(t, column->name, from, column->type);
}

static void check_column(table_check *t, const ds_shape_column *column)
{
    const ds_catalog_column *found = find_column(t->found, column->name, true);
    if (!found) {
        found = find_column(t->found, column->name, false);
        if (!found) {
            add_column(t, column);
            return;
        }
        plan_step *step = table_step(t, STEP_RENAME_COLUMN);
        step->column = found->name;
        step->name = column->name;
        t->moves_views = true;
        plan_change(t->p, plan_object(t->p, "table", relation_of(t)), "update", "column \"%s\" is spelled \"%s\" now",
                    found->name, column->name);
    }
    check_type(t, column, found);
}

// --- columns that the dataset no longer has

static void check_removed_columns(table_check *t)
{
    for (size_t i = 0; t->old && i < t->old->shape->n; i++) {
        const ds_shape_column *column = &t->old->shape->columns[i];
        if (shape_column(t->dataset, column->name))
            continue;
        const ds_catalog_column *found = find_column(t->found, column->name, false);
        if (t->kind == TABLE_MERGE)
            plan_change(t->p, plan_object(t->p, "table", relation_of(t)), PLAN_KEEP,
                        "column \"%s\" is no longer in the model: it stays, null from the next batch on; rows that "
                        "had a value get a new version",
                        column->name);
        if (found && found->not_null)
            convert_column(t, column->name, column->type, column->type);
    }
}

// --- a table

static const char *join(ds_planner *p, const ds_shape *shape)
{
    return shape->key_count ? table_key_text(p->arena, shape) : "none";
}

static const ds_type BATCH_TYPE = {.kind = TYPE_BIGINT};

static void check_system_columns(table_check *t)
{
    const char *names[TABLE_SYSTEM_MAX];
    size_t n = table_system_names(t->stream->def, t->dataset->shape, t->kind, names);
    for (size_t i = 0; i < n; i++) {
        if (find_column(t->found, names[i], true))
            continue;
        if (t->kind == TABLE_STAGING && t->stream->def->primary) { // since it is a mirror
            plan_step *step = table_step(t, STEP_ADD_COLUMN);
            step->column = names[i];
            step->to = &BATCH_TYPE;
            continue;
        }
        t->problem =
            arena_printf(t->p->arena,
                         "it has no column \"%s\", which %s with key %s needs; declare a new platform or a "
                         "new dataset",
                         names[i], milestoning_name(t->stream->def->milestoning), join(t->p, t->dataset->shape));
        return;
    }
    // The other way round, rows of the kind before would be in the way.
    bool no_out = t->kind == TABLE_MERGE && !def_has_out(t->stream->def) && find_column(t->found, "ds_batch_out", true);
    bool no_copy = t->dataset->shape->key_count > 0 && find_column(t->found, "ds_copy", true);
    if (no_out || no_copy)
        t->problem = arena_printf(t->p->arena,
                                  "it has a column \"%s\", which %s with key %s lacks; declare a new platform or a new "
                                  "dataset",
                                  no_out ? "ds_batch_out" : "ds_copy", milestoning_name(t->stream->def->milestoning),
                                  join(t->p, t->dataset->shape));
}

// Room for what closing live rows bring along: columns that the dataset gave up.
static void add_retired_columns(table_check *t)
{
    const ds_catalog_table *merge = plan_catalog(t->p, t->dataset->merge);
    for (size_t i = 0; merge && i < t->dataset->retired_count; i++) {
        if (!find_column(merge, t->dataset->retired[i].name, true))
            continue;
        plan_step *step = table_step(t, STEP_ADD_COLUMN);
        step->column = t->dataset->retired[i].name;
        step->to = t->dataset->retired[i].type;
    }
}

static const char *missing_text(const table_check *t)
{
    if (t->kind == TABLE_HISTORY)
        return "it is missing, and all its closed versions are gone; it keeps those that close from now on";
    if (def_has_out(t->stream->def))
        return "it is missing, and all its closed versions are gone; the next batch loads the live rows again";
    return "it is missing: the next batch loads it again";
}

static void create_table(table_check *t)
{
    const char *object = plan_object(t->p, "table", relation_of(t));
    (void)table_step(t, STEP_CREATE_TABLE);
    if (!t->committed) {
        plan_change(t->p, object, "create", "%zu columns, key %s", t->dataset->shape->n, join(t->p, t->dataset->shape));
        return;
    }
    plan_change(t->p, object, "create", "%s", missing_text(t));
    if (t->kind == TABLE_HISTORY)
        add_retired_columns(t);
    else
        t->stream->resnapshot = true;
}

// Nothing that consumers have seen is in it: a fresh table is the simplest evolution.
static void recreate_table(table_check *t)
{
    (void)table_step(t, STEP_DROP_TABLE);
    (void)table_step(t, STEP_CREATE_TABLE);
    plan_change(t->p, plan_object(t->p, "table", relation_of(t)), "replace", "nothing was committed to it yet");
    t->moves_views = true;
}

static bool is_ours(table_check *t)
{
    const char *owner = map_get(t->p->table_owner, plan_relation_key(t->p->arena, relation_of(t)));
    const ds_stream_row *from = plan_taken_from(t->stream, t->dataset);
    if (!t->found->is_view && owner && strcmp(owner, from ? from->name : t->stream->name) == 0)
        return true;
    const char *detail = "the name is taken by a table that datasurface did not make; rename or drop that table";
    if (t->found->is_view)
        detail = "the name is taken by a view that datasurface did not make; rename or drop that view";
    else if (owner)
        detail = arena_printf(t->p->arena,
                              "it belongs to stream %s, which is not of this store; take that store out of the model, "
                              "apply --prune, and bring it back",
                              owner);
    plan_refuse(t->p, plan_object(t->p, "table", relation_of(t)), detail);
    return false;
}

static void compare_columns(table_check *t)
{
    check_system_columns(t);
    for (size_t i = 0; !t->problem && i < t->dataset->shape->n; i++)
        check_column(t, &t->dataset->shape->columns[i]);
    if (!t->problem)
        check_removed_columns(t);
}

static void check_table(table_check *t)
{
    t->found = plan_catalog(t->p, relation_of(t));
    if (!t->found && t->kind == TABLE_STAGING)
        return; // the job makes it at its first delta
    if (!t->found) {
        create_table(t);
        return;
    }
    if (!is_ours(t))
        return;
    size_t changes = t->p->changes.n, steps = t->stream->steps.n;
    bool resnapshot = t->stream->resnapshot;
    compare_columns(t);
    bool differs = t->problem || t->stream->steps.n > steps;
    if (differs && !t->committed) { // what was noted of single columns no longer matters
        t->p->changes.n = changes;
        t->stream->steps.n = steps;
        t->stream->resnapshot = resnapshot;
        recreate_table(t);
    } else if (t->problem) {
        plan_refuse(t->p, plan_object(t->p, "table", relation_of(t)), t->problem);
    }
}

static const char *or_none(const char *key)
{
    return key[0] ? key : "none";
}

// Said once, when the definition changes; what happens goes from the key in force, which the last batch left.
static void check_key(ds_planner *p, const ds_dataset_def *dataset, const ds_dataset_state *state,
                      const ds_dataset_def *old)
{
    const char *now = table_key_text(p->arena, dataset->shape);
    const char *before = old ? table_key_text(p->arena, old->shape) : now;
    if (state->batch == 0 || strcmp(now, before) == 0)
        return;
    const char *object = plan_object(p, "table", dataset->merge);
    if (strcmp(now, state->key) == 0)
        plan_change(p, object, "update", "key %s stays in force: no batch ran with key %s", or_none(now),
                    or_none(before));
    else
        plan_change(p, object, "rekey",
                    "key %s -> %s in the next batch; live rows whose new key is null or shared are closed",
                    or_none(state->key), or_none(now));
}

// History can't be made up afterwards, nor is it thrown away in passing.
static bool refuse_milestoning(ds_planner *p, const plan_stream *stream, const ds_dataset_def *dataset, bool committed)
{
    const ds_stream_def *before = plan_def_before(stream, dataset);
    if (!committed || before->milestoning == stream->def->milestoning)
        return false;
    plan_refuse(p, plan_object(p, "table", dataset->merge),
                arena_printf(p->arena,
                             "its rows are kept as %s and can't become %s; declare a new platform and assign the "
                             "groups to it",
                             milestoning_name(before->milestoning), milestoning_name(stream->def->milestoning)));
    return true;
}

void plan_tables(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset, const ds_dataset_def *old,
                 bool *moves_views)
{
    static const ds_table_kind KINDS[] = {TABLE_MERGE, TABLE_HISTORY, TABLE_STAGING};
    *moves_views = false;
    ds_dataset_state state = {.key = "", .checks = ""};
    if (stream->states)
        state = stream->states[dataset - stream->def->datasets];
    if (refuse_milestoning(p, stream, dataset, state.batch > 0))
        return;
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (KINDS[i] == TABLE_HISTORY && stream->def->milestoning != MILESTONING_SCD4)
            continue;
        table_check t = {.p = p, .stream = stream, .dataset = dataset, .old = old, .kind = KINDS[i]};
        t.committed = state.batch > 0;
        t.live_rows = state.fingerprint.rows;
        check_table(&t);
        *moves_views |= t.moves_views;
    }
    check_key(p, dataset, &state, old);
    plan_checks(p, dataset, &state, old);
}

void plan_drop_tables(ds_planner *p, plan_stream *stream, const ds_dataset_def *dataset)
{
    static const ds_table_kind KINDS[] = {TABLE_MERGE, TABLE_HISTORY, TABLE_STAGING, TABLE_REJECTS};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        ds_relation relation = table_relation_of(dataset, KINDS[i]);
        const char *owner = map_get(p->table_owner, plan_relation_key(p->arena, relation));
        const ds_catalog_table *found = plan_catalog(p, relation);
        if (!found || found->is_view || !owner || strcmp(owner, stream->name) != 0)
            continue;
        plan_step *step = plan_add_step(p, stream, STEP_DROP_TABLE, dataset);
        step->table = KINDS[i];
        plan_change(p, plan_object(p, "table", relation), "drop", "no longer in the model");
    }
}
