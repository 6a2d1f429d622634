// How a stored column becomes one of a wider type. Most widenings change the definition only; where the engine holds
// the new type in another form it is asked to alter the column, or, if it can't, the values are rewritten into a new
// column, which then takes the old one's place.
#include "schema/value.h"
#include "yellow/plan/plan_int.h"
#include "yellow/tables/table_parts.h"

// Appends the new value as an expression over the old column.
typedef void convert_sql(const char *column, const ds_type *from, ds_sql *out);

static void convert_copy(const char *column, const ds_type *from, ds_sql *out)
{
    (void)from;
    sql_ident(out, column);
}

// SQLite holds both as text: midnight is added.
static void convert_date(const char *column, const ds_type *from, ds_sql *out)
{
    (void)from;
    SQL(out, "CASE WHEN ");
    sql_ident(out, column);
    SQL(out, " LIKE '%infinity' THEN ");
    sql_ident(out, column);
    SQL(out, " ELSE ");
    sql_ident(out, column);
    SQL(out, " || ' 00:00:00' END");
}

static void convert_integer(const char *column, const ds_type *from, ds_sql *out)
{
    (void)from;
    SQL(out, "CAST(");
    sql_ident(out, column);
    SQL(out, " AS TEXT)");
}

// SQLite: numbers of up to 15 digits become the text of their digits, without trailing zeros. One without a fraction
// is an integer there.
static void convert_decimal(const char *column, const ds_type *from, ds_sql *out)
{
    SQL(out, "CASE typeof(");
    sql_ident(out, column);
    SQL(out, ") WHEN 'integer' THEN CAST(");
    sql_ident(out, column);
    SQL(out, " AS TEXT) WHEN 'real' THEN rtrim(rtrim(printf('%.*f', ");
    sql_literal_int(out, from->scale);
    SQL(out, ", ");
    sql_ident(out, column);
    SQL(out, "), '0'), '.') ELSE ");
    sql_ident(out, column);
    SQL(out, " END");
}

static const struct {
    const char *dialect;
    ds_type_kind from, to;
    convert_sql *convert;
} CONVERSIONS[] = {
    {"sqlite", TYPE_DATE, TYPE_TIMESTAMP, convert_date},      {"sqlite", TYPE_DECIMAL, TYPE_DECIMAL, convert_decimal},
    {"sqlite", TYPE_UTINYINT, TYPE_UBIGINT, convert_integer}, {"sqlite", TYPE_USMALLINT, TYPE_UBIGINT, convert_integer},
    {"sqlite", TYPE_UINTEGER, TYPE_UBIGINT, convert_integer},
};

static bool same_declaration(const ds_dialect *dialect, const ds_type *from, const ds_type *to)
{
    CLEANUP(buf_release) ds_buf a = BUF_INIT(TYPE_TEXT_MAX);
    CLEANUP(buf_release) ds_buf b = BUF_INIT(TYPE_TEXT_MAX);
    dialect->column_type(from, &a);
    dialect->column_type(to, &b);
    return str_eq(buf_str(&a), buf_str(&b));
}

bool evolve_needed(const ds_dialect *dialect, const ds_type *from, const ds_type *to)
{
    return !same_declaration(dialect, from, to) || (from->kind == TYPE_DATE && to->kind == TYPE_TIMESTAMP);
}

static convert_sql *conversion(const ds_dialect *dialect, const ds_type *from, const ds_type *to)
{
    if (!evolve_needed(dialect, from, to))
        return convert_copy;
    for (size_t i = 0; i < sizeof CONVERSIONS / sizeof CONVERSIONS[0]; i++)
        if (strcmp(CONVERSIONS[i].dialect, dialect->name) == 0 && CONVERSIONS[i].from == from->kind &&
            CONVERSIONS[i].to == to->kind)
            return CONVERSIONS[i].convert;
    return NULL;
}

bool evolve_possible(const ds_dialect *dialect, const ds_type *from, const ds_type *to)
{
    return dialect->has_alter_type || conversion(dialect, from, to) != NULL;
}

// A column that is altered keeps its values when only a length or the digits before the point grow.
bool evolve_rewrites(const ds_dialect *dialect, const ds_type *from, const ds_type *to)
{
    if (!evolve_needed(dialect, from, to))
        return false;
    bool longer = type_class(from) == VALUE_TEXT && type_class(to) == VALUE_TEXT;
    bool more_digits = from->kind == TYPE_DECIMAL && to->kind == TYPE_DECIMAL && from->scale == to->scale;
    return !dialect->has_alter_type || !(longer || more_digits);
}

static const char TEMPORARY[] = "ds_new"; // columns of a model may not begin with ds_

static void alter(ds_sql *q, ds_relation table)
{
    sql_clear(q);
    SQL(q, "ALTER TABLE ");
    sql_relation(q, table);
}

// ALTER COLUMN c TYPE t USING c::t, ALTER COLUMN c DROP NOT NULL
static ds_rc alter_type(ds_control *control, ds_relation table, const plan_step *step, ds_error *err)
{
    bool in_key = table_is_key(step->dataset->shape, step->column);
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    alter(&q, table);
    SQL(&q, " ALTER COLUMN ");
    sql_ident(&q, step->column);
    SQL(&q, " TYPE ");
    table_type_sql(step->to, in_key, &q);
    SQL(&q, " USING CAST(");
    sql_ident(&q, step->column);
    SQL(&q, " AS ");
    control_sql_type(&q, step->to);
    SQL(&q, ")");
    if (!in_key) {
        SQL(&q, ", ALTER COLUMN ");
        sql_ident(&q, step->column);
        SQL(&q, " DROP NOT NULL");
    }
    return store_exec(control->db, &q, NULL, err);
}

static ds_rc replace_column(ds_control *control, ds_relation table, const plan_step *step, ds_error *err)
{
    const char *column = step->column;
    convert_sql *convert = conversion(control->db->dialect, step->from, step->to);
    ds_assert(convert);
    CLEANUP(sql_release) ds_sql q = sql_new(control->db->dialect);
    alter(&q, table);
    SQL(&q, " ADD COLUMN ");
    sql_ident(&q, TEMPORARY);
    SQL(&q, " ");
    control_sql_type(&q, step->to);
    TRY(store_exec(control->db, &q, NULL, err));

    sql_clear(&q);
    SQL(&q, "UPDATE ");
    sql_relation(&q, table);
    SQL(&q, " SET ");
    sql_ident(&q, TEMPORARY);
    SQL(&q, " = ");
    convert(column, step->from, &q);
    SQL(&q, " WHERE ");
    sql_ident(&q, column);
    SQL(&q, " IS NOT NULL");
    TRY(store_exec(control->db, &q, NULL, err));

    alter(&q, table);
    SQL(&q, " DROP COLUMN ");
    sql_ident(&q, column);
    TRY(store_exec(control->db, &q, NULL, err));

    alter(&q, table);
    SQL(&q, " RENAME COLUMN ");
    sql_ident(&q, TEMPORARY);
    SQL(&q, " TO ");
    sql_ident(&q, column);
    return store_exec(control->db, &q, NULL, err);
}

ds_rc evolve_column(ds_control *control, ds_relation table, const plan_step *step, ds_error *err)
{
    if (control->db->dialect->has_alter_type)
        return alter_type(control, table, step, err);
    return replace_column(control, table, step, err);
}
