// Read transactions over tables that are known beforehand. LOCK TABLE comes before the first query, which fixes the
// snapshot: a TRUNCATE or a rewrite that commits after the snapshot would otherwise read as an empty table.
//
// A materialized view can't be held like that, only by a query, and then the snapshot is fixed already. REFRESH gives
// it other contents, which every snapshot sees, also an older one. So it is looked at when the snapshot is there, which
// holds it from then on; and what is there now must be what the snapshot's catalogue has, else we begin once more.
#include <string.h>

#include "store/postgres/pg_catalog_int.h"
#include "store/postgres/pg_int.h"

enum { ATTEMPTS = 5 };
#define LOCK_TIMEOUT "55P03"
#define WRONG_OBJECT "42809"

// ('shop', 'people'), …
static void put_names(const ds_pg *db, const ds_relation *relations, size_t n, ds_sql *q)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            SQL(q, ", ");
        SQL(q, "(");
        sql_literal_text(q, pg_schema_of(db, relations[i]));
        SQL(q, ", ");
        sql_literal_text(q, relations[i].name);
        SQL(q, ")");
    }
}

// --- who is in the way

// A table that is altered, or that is going to be: those who come later wait behind the one who waits.
static void select_holder(const ds_pg *db, const ds_snapshot *snapshot, ds_sql *q)
{
    SQL(q, "SELECT c.relname, l.pid, a.usename, a.application_name FROM pg_catalog.pg_class AS c "
           "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
           "JOIN pg_catalog.pg_locks AS l ON l.relation = c.oid OR l.relation IN "
           "(SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid) "
           "JOIN pg_catalog.pg_database AS d ON d.oid = l.database AND d.datname = pg_catalog.current_database() "
           "LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid "
           "WHERE l.mode = 'AccessExclusiveLock' AND (n.nspname, c.relname) IN (");
    put_names(db, snapshot->tables, snapshot->n, q);
    SQL(q, ") ORDER BY l.granted DESC, l.pid LIMIT 1");
}

static ds_rc find_holder(ds_pg *db, const ds_snapshot *snapshot, ds_arena *arena, ds_result *out, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->db.dialect);
    select_holder(db, snapshot, &q);
    return pg_query(&db->db, &q, arena, out, err);
}

static const char *shown(const ds_result *r, size_t column)
{
    const char *text = result_text(r, 0, column);
    return text && text[0] ? text : "-";
}

// The server says that a lock was not to be had, and not which.
static ds_rc name_holder(ds_pg *db, const ds_snapshot *snapshot, ds_rc rc, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_result r;
    ds_error ignored;
    if (strcmp(err->state, LOCK_TIMEOUT) != 0 || snapshot->n == 0)
        return rc;
    if (find_holder(db, snapshot, arena, &r, &ignored).code != DS_OK || r.rows == 0)
        return ds_context(rc, err, "holding \"%s\"%s", snapshot->tables[0].name,
                          snapshot->n > 1 ? " and the stream's other tables" : "");
    ds_rc named = ds_fail(err, rc.code, "%s: table \"%s\" is locked by another session (process %s, user %s, %s)",
                          db->label, shown(&r, 0), shown(&r, 1), shown(&r, 2), shown(&r, 3));
    return ds_hint(named, err, "run it again when that session is done with the table");
}

// --- what LOCK TABLE doesn't take

static bool has(const ds_pg *db, const ds_snapshot *list, ds_relation relation)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->tables[i].name, relation.name) == 0 &&
            strcmp(pg_schema_of(db, list->tables[i]), pg_schema_of(db, relation)) == 0)
            return true;
    return false;
}

// Materialized views in `views`, each once: they are counted. Foreign tables are in neither: their snapshot is
// elsewhere.
static ds_rc sort_out(ds_pg *db, const ds_snapshot *all, ds_arena *arena, ds_snapshot *tables, ds_snapshot *views,
                      ds_error *err)
{
    const ds_catalog_table **found = ARENA_ARRAY(arena, const ds_catalog_table *, all->n);
    ds_relation *lists[] = {ARENA_ARRAY(arena, ds_relation, all->n), ARENA_ARRAY(arena, ds_relation, all->n)};
    TRY(pg_describe(&db->db, arena, all->tables, all->n, found, err));
    *tables = (ds_snapshot){.tables = lists[0], .shared = all->shared};
    *views = (ds_snapshot){.tables = lists[1]};
    for (size_t i = 0; i < all->n; i++) {
        if (found[i] && found[i]->can_lock)
            lists[0][tables->n++] = all->tables[i];
        else if (found[i] && found[i]->is_view && !has(db, views, all->tables[i]))
            lists[1][views->n++] = all->tables[i];
    }
    return DS_DONE;
}

// pg_class as the snapshot sees it; to_regclass and pg_relation_filenode tell what is there now.
static ds_rc look(ds_pg *db, const ds_snapshot *views, bool *same, ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->db.dialect);
    for (size_t i = 0; i < views->n; i++) {
        SQL(&q, "SELECT FROM ");
        sql_relation(&q, views->tables[i]);
        SQL(&q, " LIMIT 0; ");
    }
    SQL(&q, "SELECT count(*) FROM pg_catalog.pg_class AS c "
            "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE c.relfilenode = pg_catalog.pg_relation_filenode(c.oid) AND c.oid = pg_catalog.to_regclass("
            "pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)) "
            "AND (n.nspname, c.relname) IN (");
    put_names(db, views->tables, views->n, &q);
    SQL(&q, ")");
    if (!sql_ok(&q))
        return ds_fail(err, DS_FINDING, "%s: too many materialized views", db->label);
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_run_text(db, buf_text(&q.text), &result, err));
    int64_t count = 0;
    str_int64(str_of(PQgetvalue(result, 0, 0)), &count);
    *same = count == (int64_t)views->n;
    return DS_DONE;
}

static ds_rc begin_with_views(ds_pg *db, const ds_snapshot *tables, const ds_snapshot *views, ds_error *err)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        bool same = false;
        ds_rc rc = pg_begin_on(db, BEGIN_READ, tables, err);
        if (rc.code != DS_OK)
            return name_holder(db, tables, rc, err);
        rc = look(db, views, &same, err);
        if (rc.code == DS_OK && same)
            return DS_DONE;
        pg_rollback(&db->db);
        if (rc.code != DS_OK)
            return name_holder(db, views, rc, err);
    }
    return ds_hint(ds_fail(err, DS_BUSY, "%s: materialized view \"%s\" (or another one) is refreshed all the time",
                           db->label, views->tables[0].name),
                   err, "run it again when the refreshing is over");
}

// --- the driver's

ds_rc pg_begin_snapshot(ds_db *base, const ds_snapshot *snapshot, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    ds_rc rc = pg_begin_on(db, BEGIN_READ, snapshot, err);
    if (rc.code == DS_OK)
        return rc;
    if (strcmp(err->state, WRONG_OBJECT) != 0)
        return name_holder(db, snapshot, rc, err);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_snapshot tables, views;
    TRY(sort_out(db, snapshot, arena, &tables, &views, err));
    return begin_with_views(db, &tables, &views, err);
}

// The catalogue's tables as the snapshot has them, beside what the names and partitions are now. A schema may be
// renamed and another take its place; a partition that was filled before may be attached. Neither touches a table that
// we hold.
#define MEANS_ANOTHER                                                                                                  \
    "c.oid IS DISTINCT FROM pg_catalog.to_regclass("                                                                   \
    "pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname))"

static void select_moved(const ds_pg *db, const ds_relation *tables, size_t n, ds_sql *q)
{
    SQL(q, "SELECT c.relname, c.relkind::text FROM ");
    pg_put_wanted(db->schema, tables, n, q);
    SQL(q, " WHERE c.relkind = 'p' OR " MEANS_ANOTHER " ORDER BY c.relkind = 'p' LIMIT 1");
}

static void select_parts(const ds_pg *db, const ds_relation *tables, size_t n, ds_sql *q)
{
    SQL(q, "SELECT c.relname FROM ");
    pg_put_wanted(db->schema, tables, n, q);
    SQL(q,
        " WHERE " MEANS_ANOTHER " OR EXISTS (SELECT t.relid::oid FROM pg_catalog.pg_partition_tree(c.oid) AS t EXCEPT "
        "(WITH RECURSIVE parts (oid) AS (SELECT c.oid UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i "
        "JOIN parts AS p ON p.oid = i.inhparent) SELECT oid FROM parts)) LIMIT 1");
}

// *name is NULL when all are as they were.
static ds_rc find_moved(ds_pg *db, const ds_relation *tables, size_t n, ds_arena *arena, const char **name,
                        ds_error *err)
{
    CLEANUP(sql_release) ds_sql q = sql_new(db->db.dialect), parts = sql_new(db->db.dialect);
    ds_result r;
    select_moved(db, tables, n, &q);
    TRY(pg_query(&db->db, &q, arena, &r, err));
    if (r.rows && strcmp(result_text(&r, 0, 1), "p") == 0) { // nothing else has moved
        select_parts(db, tables, n, &parts);
        TRY(pg_query(&db->db, &parts, arena, &r, err));
    }
    *name = r.rows ? result_text(&r, 0, 0) : NULL;
    return DS_DONE;
}

ds_rc pg_snapshot_check(ds_db *base, const ds_snapshot *snapshot, ds_error *err)
{
    enum { CHECK_MAX = 2000 }; // tables of one question
    ds_pg *db = (ds_pg *)base;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    for (size_t i = 0; i < snapshot->n; i += CHECK_MAX) {
        size_t n = snapshot->n - i < CHECK_MAX ? snapshot->n - i : CHECK_MAX;
        const char *name;
        TRY(find_moved(db, snapshot->tables + i, n, arena, &name, err));
        if (name)
            return ds_hint(ds_fail(err, DS_BUSY, "%s: table \"%s\" was replaced, or got a partition, while it was read",
                                   db->label, name),
                           err, "nothing was changed; run it again");
    }
    return DS_DONE;
}

ds_rc pg_snapshot_share(ds_db *base, ds_arena *arena, const char **out, ds_error *err)
{
    ds_pg *db = (ds_pg *)base;
    TRY(pg_call_begin(db, err));
    CLEANUP(pg_result_clearp) PGresult *result = NULL;
    TRY(pg_run_text(db, "SELECT pg_catalog.pg_export_snapshot()", &result, err));
    *out = arena_strdup(arena, PQgetvalue(result, 0, 0));
    return DS_DONE;
}
