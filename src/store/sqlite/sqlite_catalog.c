#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "store/sqlite/sqlite_int.h"
#include "store/store.h"

// Generated columns are columns; those that a virtual table hides are not.
static ds_rc load_columns(ds_db *db, ds_arena *arena, ds_catalog_table *table, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(");
    sql_text(&q, table->relation.name);
    SQL(&q, ", 'main') WHERE hidden <> 1 ORDER BY cid");
    ds_result found;
    TRY(sqlite_query(db, &q, arena, &found, err));
    ds_catalog_column *columns = ARENA_ARRAY(arena, ds_catalog_column, found.rows);
    int keys = 0, last_key = 0;
    for (size_t i = 0; i < found.rows; i++) {
        const char *declared = result_text(&found, i, 1);
        columns[i] = (ds_catalog_column){.name = result_text(&found, i, 0),
                                         .declared = declared ? declared : "",
                                         .not_null = result_int(&found, i, 2) != 0,
                                         .key = (int)result_int(&found, i, 3)};
        if (columns[i].key) {
            keys++;
            last_key = (int)i;
        }
    }
    // INTEGER PRIMARY KEY is the rowid itself and never null, whatever the catalogue says.
    if (keys == 1 && strcasecmp(columns[last_key].declared, "INTEGER") == 0)
        columns[last_key].not_null = true;
    table->columns = columns;
    table->n = found.rows;
    return DS_DONE;
}

static const char *folded(ds_arena *arena, const char *name)
{
    char *text = arena_strdup(arena, name);
    str_lower(text);
    return text;
}

// Each look goes through the whole catalogue: so one for many names. known is folded name -> ds_catalog_table.
enum { NAMES_AT_A_TIME = 500 };
static ds_rc find_tables(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n, ds_map *known,
                         ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name COLLATE NOCASE IN (");
    for (size_t i = 0; i < n; i++) {
        if (i)
            SQL(&q, ", ");
        sql_text(&q, relations[i].name);
    }
    SQL(&q, ")");
    ds_result found;
    TRY(sqlite_query(db, &q, arena, &found, err));
    ds_catalog_table *tables = ARENA_ARRAY(arena, ds_catalog_table, found.rows);
    for (size_t i = 0; i < found.rows; i++) {
        tables[i].relation = (ds_relation){"", result_text(&found, i, 0)};
        tables[i].is_view = strcmp(result_text(&found, i, 1), "view") == 0;
        TRY(load_columns(db, arena, &tables[i], err));
        map_set(known, folded(arena, tables[i].relation.name), &tables[i]);
    }
    return DS_DONE;
}

ds_rc sqlite_describe(ds_db *db, ds_arena *arena, const ds_relation *relations, size_t n, const ds_catalog_table **out,
                      ds_error *err)
{
    ds_map *known = map_new(arena);
    for (size_t i = 0; i < n; i += NAMES_AT_A_TIME)
        TRY(find_tables(db, arena, &relations[i], n - i < NAMES_AT_A_TIME ? n - i : NAMES_AT_A_TIME, known, err));
    for (size_t i = 0; i < n; i++)
        out[i] = map_get(known, folded(arena, relations[i].name));
    return DS_DONE;
}

ds_rc sqlite_view_put(ds_db *db, ds_relation view, const ds_sql *select, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "DROP VIEW IF EXISTS ");
    sql_relation(&q, view);
    TRY(sqlite_exec(db, &q, NULL, err));
    sql_clear(&q);
    SQL(&q, "CREATE VIEW ");
    sql_relation(&q, view);
    SQL(&q, " AS ");
    sql_append(&q, select);
    return sqlite_exec(db, &q, NULL, err);
}

// pragma_table_list knows what belongs to a virtual table, and takes time with the square of the number of views.
static ds_rc list_names(ds_db *db, ds_arena *arena, ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL %' LIMIT 1");
    TRY(sqlite_query(db, &q, arena, out, err));
    bool has_virtual = out->rows > 0;
    sql_clear(&q);
    if (has_virtual)
        SQL(&q,
            "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual')");
    else
        SQL(&q, "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view')");
    SQL(&q, " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
    return sqlite_query(db, &q, arena, out, err);
}

ds_rc sqlite_list(ds_db *db, ds_arena *arena, const ds_catalog_table **out, size_t *n, ds_error *err)
{
    ds_result found;
    TRY(list_names(db, arena, &found, err));
    ds_catalog_table *tables = ARENA_ARRAY(arena, ds_catalog_table, found.rows);
    for (size_t i = 0; i < found.rows; i++) {
        tables[i].relation = (ds_relation){"", result_text(&found, i, 0)};
        tables[i].is_view = strcmp(result_text(&found, i, 1), "view") == 0;
        ds_rc rc = load_columns(db, arena, &tables[i], err);
        // A view whose tables are gone is listed without columns: it must not hide the others.
        if (rc.code != DS_OK && !(rc.code == DS_FINDING && tables[i].is_view))
            return rc;
    }
    *out = tables;
    *n = found.rows;
    return DS_DONE;
}

// Rows are at most as many as there are rowids between the smallest and the largest, and a row takes 8 bytes of the
// file and more: two looks at a B-tree's edges and one at the file's header.
ds_rc sqlite_rows_estimate(ds_db *db, ds_relation table, int64_t *out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT wr, (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) / 8 "
            "FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name = ");
    sql_text(&q, table.name);
    SQL(&q, " COLLATE NOCASE");
    ds_result r;
    TRY(sqlite_query(db, &q, arena, &r, err));
    *out = r.rows ? result_int(&r, 0, 1) : 0;
    if (r.rows == 0 || result_int(&r, 0, 0)) // no table, or one without rowids
        return DS_DONE;
    sql_clear(&q);
    SQL(&q, "SELECT CAST(min(");
    sql_int(&q, *out);
    SQL(&q, ", COALESCE((SELECT max(_rowid_) FROM ");
    sql_relation(&q, table);
    SQL(&q, ") - (SELECT min(_rowid_) FROM ");
    sql_relation(&q, table);
    SQL(&q, ") + 1, 0)) AS INTEGER)");
    TRY(sqlite_query(db, &q, arena, &r, err));
    *out = result_int(&r, 0, 0);
    return DS_DONE;
}
