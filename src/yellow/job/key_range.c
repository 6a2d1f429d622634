#include "yellow/job/key_range.h"

static const char *key_source(const ds_key_range *range, size_t i)
{
    const ds_shape *shape = range->dataset->shape;
    return shape->columns[shape->key[i]].source;
}

// "s"."k1", "s"."k2": with the alias they can't be taken for columns of the result.
static void key_columns(const ds_key_range *range, bool as_points, ds_sql *out)
{
    for (size_t i = 0; i < range->dataset->shape->key_count; i++) {
        if (i)
            SQL(out, ", ");
        if (as_points)
            sql_point_column(out, "s", key_source(range, i));
        else
            sql_column(out, "s", key_source(range, i));
    }
}

// (k1, k2) compared with (v1, v2), as rows are: by the first column that differs.
static void compare(const ds_key_range *range, const char *op, const char *const *values, ds_sql *out)
{
    SQL(out, " AND (");
    key_columns(range, false, out);
    SQL(out, ")");
    sql_add_fixed(out, op, strlen(op));
    SQL(out, "(");
    for (size_t i = 0; i < range->dataset->shape->key_count; i++) {
        if (i)
            SQL(out, ", ");
        sql_point_value(out, values[i]);
    }
    SQL(out, ")");
}

void key_range_where(const ds_key_range *range, ds_sql *out)
{
    SQL(out, " AS s WHERE 1 = 1");
    if (range->after)
        compare(range, " > ", range->after, out);
    if (range->upto)
        compare(range, " <= ", range->upto, out);
}

// What an engine doesn't print exactly would end a range where it began, for ever.
static ds_rc check_progress(const ds_key_range *range, ds_error *err)
{
    size_t same = 0, n = range->dataset->shape->key_count;
    for (size_t i = 0; range->after && i < n; i++)
        same += strcmp(range->after[i], range->upto[i]) == 0;
    if (same < n)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_FINDING, "two rows of the source have the same key, as it prints it: %s",
                           range->upto[0]),
                   err, "correct the source, or the dataset's primary key in the model");
}

ds_rc key_range_find_end(ds_db *db, ds_key_range *range, int64_t rows, ds_arena *arena, ds_error *err)
{
    ds_key_range rest = *range;
    rest.upto = NULL;
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT ");
    key_columns(range, true, &q);
    SQL(&q, " FROM ");
    sql_relation(&q, (ds_relation){range->dataset->source_schema, range->dataset->source_table});
    key_range_where(&rest, &q);
    SQL(&q, " ORDER BY ");
    key_columns(range, false, &q);
    SQL(&q, " LIMIT 1 OFFSET ");
    sql_int(&q, rows - 1);
    ds_result r;
    TRY(store_query(db, &q, arena, &r, err));
    const char **upto = r.rows ? ARENA_ARRAY(arena, const char *, r.columns) : NULL;
    for (size_t i = 0; upto && i < r.columns; i++) {
        upto[i] = result_text(&r, 0, i);
        if (!upto[i])
            return ds_fail(err, DS_FINDING, "null in key column \"%s\"", key_source(range, i));
    }
    range->upto = upto;
    return upto ? check_progress(range, err) : DS_DONE;
}
