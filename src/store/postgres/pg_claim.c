// Claims: a shared advisory lock of the transaction. It excludes nobody; it tells on the server who works on a name,
// behind a pooler, too.
#include <xxhash.h>

#include "store/postgres/pg_int.h"

enum { END_WAIT_MS = 10000 };

// Names share the database's 64-bit space of advisory locks with other programs; a collision ends a stranger's
// transaction only if it, too, takes that very lock.
static int64_t key_of(const char *name)
{
    XXH64_hash_t seed = XXH3_64bits("datasurface", 11);
    return (int64_t)XXH3_64bits_withSeed(name, strlen(name), seed);
}

ds_rc pg_claim(ds_db *db, const char *name, ds_error *err)
{
    if (pg_begin_claims((ds_pg *)db, key_of(name)))
        return DS_DONE;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT pg_catalog.pg_advisory_xact_lock_shared(");
    sql_int(&q, key_of(name));
    SQL(&q, ")");
    ds_result ignored;
    return pg_query(db, &q, arena, &ignored, err);
}

ds_rc pg_claim_break(ds_db *db, const char *name, ds_error *err)
{
    uint64_t key = (uint64_t)key_of(name);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(sql_release) ds_sql q = sql_new(db->dialect);
    SQL(&q, "SELECT count(*) FILTER (WHERE NOT pg_catalog.pg_terminate_backend(l.pid, ");
    sql_literal_int(&q, END_WAIT_MS);
    SQL(&q, ")) FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_database AS d ON d.oid = l.database "
            "WHERE l.locktype = 'advisory' AND d.datname = pg_catalog.current_database() AND l.objsubid = 1 "
            "AND l.pid <> pg_catalog.pg_backend_pid() AND l.classid::bigint = ");
    sql_int(&q, (int64_t)(key >> 32));
    SQL(&q, " AND l.objid::bigint = ");
    sql_int(&q, (int64_t)(key & UINT32_MAX));
    ds_result r;
    TRY(pg_query(db, &q, arena, &r, err));
    if (result_int(&r, 0, 0) == 0)
        return DS_DONE;
    return ds_fail(err, DS_BUSY, "%s: a transaction of the last owner of %s would not end", ((ds_pg *)db)->label, name);
}
