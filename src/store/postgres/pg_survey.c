// What import wants of the catalogue: tables with rights and keys, and the types of their columns down to what they are
// made of.
#include "store/postgres/pg_catalog_int.h"
#include "store/postgres/pg_int.h"

static void put_user_tables(ds_sql *q)
{
    SQL(q, "pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace");
}

// --- tables

enum {
    AT_OID,
    AT_SCHEMA,
    AT_NAME,
    AT_KIND,
    AT_COMMENT,
    AT_MAY_USE,
    AT_MAY_SELECT,
    AT_HIDES,
    AT_HEIRS,
    AT_UNIQUE,
    AT_KEY,
};

// The primary key; else, of the unique indexes over columns that are never null, the table's identity for replication,
// else the shortest. What a partial index or one over expressions tells of is not all rows, or no columns.
static void put_best_key(ds_sql *q)
{
    SQL(q, "(SELECT CASE WHEN i.indisprimary THEN NULL ELSE x.relname END AS index, "
           "(i.indkey::int2[])[0:i.indnkeyatts - 1] AS columns "
           "FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid "
           "WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL "
           "AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND NOT a.attnotnull "
           "AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) "
           "ORDER BY NOT i.indisprimary, NOT i.indisreplident, i.indnkeyatts, x.relname COLLATE \"C\" LIMIT 1)");
}

static ds_rc read_tables(ds_db *db, ds_arena *arena, ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT c.oid, n.nspname, c.relname, c.relkind::text, pg_catalog.obj_description(c.oid, 'pg_class'), "
            "pg_catalog.has_schema_privilege(n.oid, 'USAGE')::int, "
            "pg_catalog.has_table_privilege(c.oid, 'SELECT')::int, pg_catalog.row_security_active(c.oid)::int, "
            "(c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = c.oid))::int, "
            "k.index, pg_catalog.array_to_string(k.columns, ' ') FROM ");
    put_user_tables(&q);
    SQL(&q, " LEFT JOIN LATERAL ");
    put_best_key(&q);
    SQL(&q, " AS k ON true WHERE ");
    pg_put_users_own(&q);
    SQL(&q, " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"");
    return store_query(db, &q, arena, out, err);
}

// --- columns

enum { AT_TABLE, AT_NUMBER, AT_COLUMN, AT_TYPE, AT_DECLARED, AT_NOT_NULL, AT_COLUMN_COMMENT };

// In the tables' order.
static ds_rc read_columns(ds_db *db, ds_arena *arena, ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT c.oid, a.attnum, a.attname, a.atttypid, pg_catalog.format_type(a.atttypid, a.atttypmod), "
            "a.attnotnull::int, pg_catalog.col_description(c.oid, a.attnum::int) FROM ");
    put_user_tables(&q);
    SQL(&q, " JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE ");
    pg_put_users_own(&q);
    SQL(&q, " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\", a.attnum");
    return store_query(db, &q, arena, out, err);
}

// The column's place among the numbers "3 1", 0 when it isn't there.
static int place_in_key(const char *numbers, int64_t number)
{
    ds_str rest = str_of(numbers);
    int64_t each;
    for (int place = 1; rest.n; place++)
        if (str_int64(str_split(&rest, ' '), &each) && each == number)
            return place;
    return 0;
}

static postgres_column take_column(const ds_result *r, size_t row, const char *key)
{
    return (postgres_column){.name = result_text(r, row, AT_COLUMN),
                             .declared = result_text(r, row, AT_DECLARED),
                             .comment = result_text(r, row, AT_COLUMN_COMMENT),
                             .type = (uint32_t)result_int(r, row, AT_TYPE),
                             .not_null = result_int(r, row, AT_NOT_NULL) != 0,
                             .key = place_in_key(key, result_int(r, row, AT_NUMBER))};
}

static postgres_table take_table(const ds_result *r, size_t row)
{
    return (postgres_table){.relation = {result_text(r, row, AT_SCHEMA), result_text(r, row, AT_NAME)},
                            .kind = (postgres_table_kind)result_text(r, row, AT_KIND)[0],
                            .comment = result_text(r, row, AT_COMMENT),
                            .may_use = result_int(r, row, AT_MAY_USE) != 0,
                            .may_select = result_int(r, row, AT_MAY_SELECT) != 0,
                            .hides_rows = result_int(r, row, AT_HIDES) != 0,
                            .has_heirs = result_int(r, row, AT_HEIRS) != 0,
                            .unique_index = result_text(r, row, AT_UNIQUE)};
}

static void take_tables(ds_arena *arena, const ds_result *tables, const ds_result *columns, postgres_survey *out)
{
    postgres_table *all = ARENA_ARRAY(arena, postgres_table, tables->rows);
    postgres_column *taken = ARENA_ARRAY(arena, postgres_column, columns->rows);
    size_t at = 0;
    for (size_t i = 0; i < tables->rows; i++) {
        int64_t oid = result_int(tables, i, AT_OID);
        all[i] = take_table(tables, i);
        all[i].columns = taken + at;
        for (; at < columns->rows && result_int(columns, at, AT_TABLE) == oid; at++, all[i].n++)
            taken[at] = take_column(columns, at, result_text(tables, i, AT_KEY));
    }
    out->tables = all;
    out->n = tables->rows;
}

// --- types

enum {
    AT_TYPE_OID,
    AT_TYPE_KIND,
    AT_TYPE_NAME,
    AT_SHOWN,
    AT_BUILTIN,
    AT_EXTENSION,
    AT_OF,
    AT_OF_DECLARED,
    AT_ABOUT,
};

// A type is an array when it is its elements' array type: int2vector has elements and is none.
static ds_rc read_types(ds_db *db, ds_arena *arena, ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "WITH RECURSIVE needed (oid) AS (SELECT a.atttypid FROM ");
    put_user_tables(&q);
    SQL(&q, " JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE ");
    pg_put_users_own(&q);
    SQL(&q, " UNION SELECT p.oid FROM needed JOIN pg_catalog.pg_type AS t ON t.oid = needed.oid "
            "CROSS JOIN LATERAL (VALUES (t.typbasetype), (t.typelem)) AS p (oid) WHERE p.oid <> 0) "
            "SELECT t.oid, CASE WHEN e.oid IS NOT NULL THEN 'a' ELSE t.typtype END::text, t.typname, "
            "pg_catalog.format_type(t.oid, NULL), (t.typnamespace = 'pg_catalog'::regnamespace)::int, x.extname, "
            "CASE WHEN e.oid IS NOT NULL THEN e.oid ELSE t.typbasetype END, "
            "pg_catalog.format_type(NULLIF(t.typbasetype, 0), t.typtypmod), "
            "CASE t.typtype WHEN 'e' THEN (SELECT pg_catalog.string_agg(l.enumlabel, ', ' ORDER BY l.enumsortorder) "
            "FROM pg_catalog.pg_enum AS l WHERE l.enumtypid = t.oid) "
            "WHEN 'd' THEN (SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(o.oid), ', ' "
            "ORDER BY o.conname) FROM pg_catalog.pg_constraint AS o WHERE o.contypid = t.oid) END "
            "FROM needed JOIN pg_catalog.pg_type AS t ON t.oid = needed.oid "
            "LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND e.typarray = t.oid "
            "LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = t.oid "
            "AND d.deptype = 'e' LEFT JOIN pg_catalog.pg_extension AS x ON x.oid = d.refobjid ORDER BY t.oid");
    return store_query(db, &q, arena, out, err);
}

static postgres_type_kind kind_of(char typtype)
{
    switch (typtype) {
    case 'a':
        return POSTGRES_ARRAY;
    case 'd':
        return POSTGRES_DOMAIN;
    case 'e':
        return POSTGRES_ENUM;
    default:
        return POSTGRES_PLAIN;
    }
}

static postgres_type take_type(const ds_result *r, size_t row)
{
    return (postgres_type){.oid = (uint32_t)result_int(r, row, AT_TYPE_OID),
                           .kind = kind_of(result_text(r, row, AT_TYPE_KIND)[0]),
                           .name = result_text(r, row, AT_TYPE_NAME),
                           .shown = result_text(r, row, AT_SHOWN),
                           .builtin = result_int(r, row, AT_BUILTIN) != 0,
                           .extension = result_text(r, row, AT_EXTENSION),
                           .of = (uint32_t)result_int(r, row, AT_OF),
                           .declared = result_text(r, row, AT_OF_DECLARED),
                           .about = result_text(r, row, AT_ABOUT)};
}

static void take_types(ds_arena *arena, const ds_result *r, postgres_survey *out)
{
    postgres_type *types = ARENA_ARRAY(arena, postgres_type, r->rows);
    for (size_t i = 0; i < r->rows; i++)
        types[i] = take_type(r, i);
    out->types = types;
    out->type_count = r->rows;
}

// --- all of it

static ds_rc read_role(ds_db *db, ds_arena *arena, const char **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    ds_result r;
    SQL(&q, "SELECT current_user");
    TRY(store_query(db, &q, arena, &r, err));
    *out = result_text(&r, 0, 0);
    return DS_DONE;
}

static ds_rc read_all(ds_db *db, ds_arena *arena, postgres_survey *out, ds_error *err)
{
    postgres_survey survey = {0};
    ds_result tables, columns, types;
    TRY(read_role(db, arena, &survey.role, err));
    TRY(read_tables(db, arena, &tables, err));
    TRY(read_columns(db, arena, &columns, err));
    TRY(read_types(db, arena, &types, err));
    take_tables(arena, &tables, &columns, &survey);
    take_types(arena, &types, &survey);
    *out = survey;
    return DS_DONE;
}

ds_rc postgres_survey_read(ds_db *db, ds_arena *arena, postgres_survey *out, ds_error *err)
{
    TRY(store_begin(db, BEGIN_READ, err));
    ds_rc rc = read_all(db, arena, out, err);
    store_rollback(db);
    return ds_context(rc, err, "reading the catalogue");
}
