// The catalogue: pg_class, pg_attribute, pg_index.
#include <string.h>

#include "store/postgres/pg_catalog_int.h"
#include "store/postgres/pg_int.h"

// The result's columns, one row per column of a relation; a relation without columns has one row without a name. The
// place is that among relations that were asked for, of which some may be the same.
enum {
    AT_SCHEMA,
    AT_TABLE,
    AT_KIND,
    AT_COLUMN,
    AT_TYPE,
    AT_NOT_NULL,
    AT_KEY,
    AT_TYPE_ID,
    AT_PLAIN,
    AT_PLACE,
};

// An int2vector counts from 0, a slice of it from 1; behind the key it has what INCLUDE adds. A domain's values have
// the type that it stands for, which is asked for when it is read. COPY of a table has the rows of that table only,
// without its heirs', and no generated columns.
static void select_columns(bool wanted, ds_sql *q)
{
    SQL(q, "SELECT n.nspname, c.relname, c.relkind::text, a.attname, "
           "pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull::int, "
           "COALESCE(pg_catalog.array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum), 0), "
           "CASE t.typtype WHEN 'd' THEN 0 ELSE t.oid END, "
           "(c.relkind = 'r' AND NOT c.relhassubclass AND NOT c.relrowsecurity AND a.attgenerated = '')::int, ");
    if (wanted)
        SQL(q, "w.place FROM ");
    else
        SQL(q, "0 FROM ");
}

static void join_columns(ds_sql *q)
{
    SQL(q, " LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
           "LEFT JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid "
           "LEFT JOIN pg_catalog.pg_index AS i ON i.indrelid = c.oid AND i.indisprimary "
           "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')");
}

static void take_column(const ds_result *r, size_t row, ds_catalog_column *out)
{
    *out = (ds_catalog_column){.name = result_text(r, row, AT_COLUMN),
                               .declared = result_text(r, row, AT_TYPE),
                               .not_null = result_int(r, row, AT_NOT_NULL) != 0,
                               .key = (int)result_int(r, row, AT_KEY),
                               .type_id = (uint32_t)result_int(r, row, AT_TYPE_ID)};
}

static bool same_table(const ds_result *r, size_t a, size_t b)
{
    return result_int(r, a, AT_PLACE) == result_int(r, b, AT_PLACE) &&
           strcmp(result_text(r, a, AT_SCHEMA), result_text(r, b, AT_SCHEMA)) == 0 &&
           strcmp(result_text(r, a, AT_TABLE), result_text(r, b, AT_TABLE)) == 0;
}

// The table whose rows begin at `first`; returns where the next one's do.
static size_t take_table(ds_arena *arena, const ds_result *r, size_t first, ds_catalog_table *out)
{
    size_t end = first;
    while (end < r->rows && same_table(r, first, end))
        end++;
    char kind = result_text(r, first, AT_KIND)[0];
    ds_catalog_column *columns = ARENA_ARRAY(arena, ds_catalog_column, end - first);
    *out = (ds_catalog_table){.relation = {result_text(r, first, AT_SCHEMA), result_text(r, first, AT_TABLE)},
                              .is_view = kind == 'v' || kind == 'm',
                              .is_split = kind != 'r',
                              .can_lock = kind == 'r' || kind == 'p' || kind == 'v',
                              .is_plain = true,
                              .columns = columns};
    for (size_t row = first; row < end; row++) {
        out->is_plain &= result_int(r, row, AT_PLAIN) != 0;
        if (result_text(r, row, AT_COLUMN))
            take_column(r, row, &columns[out->n++]);
    }
    return end;
}

static ds_catalog_table *take_tables(ds_arena *arena, const ds_result *r, size_t *n)
{
    ds_catalog_table *tables = ARENA_ARRAY(arena, ds_catalog_table, r->rows);
    *n = 0;
    for (size_t row = 0; row < r->rows;)
        row = take_table(arena, r, row, &tables[(*n)++]);
    return tables;
}

void pg_put_users_own(ds_sql *q)
{
    SQL(q, "c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't' "
           "AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' "
           "AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d "
           "WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')");
}

ds_rc pg_list(ds_db *db, ds_arena *arena, const ds_catalog_table **out, size_t *n, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    select_columns(false, &q);
    SQL(&q, "pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace");
    join_columns(&q);
    SQL(&q, " AND ");
    pg_put_users_own(&q);
    SQL(&q, " ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\", a.attnum");
    ds_result found;
    TRY(pg_query(db, &q, arena, &found, err));
    *out = take_tables(arena, &found, n);
    return DS_DONE;
}

// --- some relations

// LIMIT, so that each is looked up in the index: to an engine that takes all names for different ones it may look
// better to read a catalogue of a hundred thousand tables, or to join by the table's name, which a thousand schemas
// have.
void pg_put_wanted(const char *schema, const ds_relation *relations, size_t n, ds_sql *q)
{
    SQL(q, "(VALUES ");
    for (size_t i = 0; i < n; i++) {
        if (i)
            SQL(q, ", ");
        SQL(q, "(");
        sql_literal_int(q, (int64_t)i);
        SQL(q, ", ");
        sql_literal_text(q, relations[i].schema && relations[i].schema[0] ? relations[i].schema : schema);
        SQL(q, ", ");
        sql_literal_text(q, relations[i].name);
        SQL(q, ")");
    }
    SQL(q, ") AS w (place, s, t) CROSS JOIN LATERAL (SELECT x.*, m.nspname FROM pg_catalog.pg_namespace AS m "
           "JOIN pg_catalog.pg_class AS x ON x.relnamespace = m.oid AND x.relname = w.t::name "
           "WHERE m.nspname = w.s::name LIMIT 1) AS c CROSS JOIN LATERAL (SELECT c.nspname) AS n");
}

// Found in the order in which they were asked for, those that are missing left out.
static void match(const ds_pg *db, const ds_relation *relations, size_t n, const ds_catalog_table *found,
                  size_t found_n, const ds_catalog_table **out)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = NULL;
        if (at < found_n && strcmp(found[at].relation.name, relations[i].name) == 0 &&
            strcmp(found[at].relation.schema, pg_schema_of(db, relations[i])) == 0)
            out[i] = &found[at++];
    }
}

enum { DESCRIBE_MAX = 2000 }; // relations of one query: their names must fit into a statement

static ds_rc describe_some(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n,
                           const ds_catalog_table **out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    select_columns(true, &q);
    pg_put_wanted(((ds_pg *)db)->schema, relations, n, &q);
    join_columns(&q);
    SQL(&q, " ORDER BY w.place, a.attnum");
    ds_result r;
    TRY(pg_query(db, &q, arena, &r, err));
    size_t found_n;
    const ds_catalog_table *found = take_tables(arena, &r, &found_n);
    match((ds_pg *)db, relations, n, found, found_n, out);
    return DS_DONE;
}

ds_rc pg_describe(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n, const ds_catalog_table **out,
                  ds_error *err)
{
    for (size_t i = 0; i < n; i += DESCRIBE_MAX)
        TRY(describe_some(db, arena, relations + i, n - i < DESCRIBE_MAX ? n - i : DESCRIBE_MAX, out + i, err));
    return DS_DONE;
}

ds_rc pg_pages(ds_db *base, ds_relation table, int64_t *out, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(base->dialect);
    SQL(&q, "SELECT pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint "
            "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE c.relkind = 'r' AND n.nspname = ");
    sql_text(&q, pg_schema_of(db, table));
    SQL(&q, " AND c.relname = ");
    sql_text(&q, table.name);
    ds_result r;
    TRY(pg_query(base, &q, arena, &r, err));
    *out = r.rows ? result_int(&r, 0, 0) : 0;
    return DS_DONE;
}

// What the last ANALYZE or VACUUM left; by size, for rows of 100 bytes, where there was none. A partitioned table has
// no rows of its own.
ds_rc pg_rows_estimate(ds_db *base, ds_relation table, int64_t *out, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(base->dialect);
    SQL(&q, "SELECT sum(CASE WHEN p.reltuples >= 0 THEN p.reltuples::bigint "
            "ELSE pg_catalog.pg_relation_size(p.oid) / 100 END)::bigint "
            "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
            "LEFT JOIN LATERAL pg_catalog.pg_partition_tree(c.oid) AS t ON c.relkind = 'p' "
            "JOIN pg_catalog.pg_class AS p ON p.oid = COALESCE(t.relid, c.oid) AND p.relkind = 'r' "
            "WHERE c.relkind IN ('r', 'p') AND n.nspname = ");
    sql_text(&q, pg_schema_of(db, table));
    SQL(&q, " AND c.relname = ");
    sql_text(&q, table.name);
    ds_result r;
    TRY(pg_query(base, &q, arena, &r, err));
    *out = result_int(&r, 0, 0);
    return DS_DONE;
}
