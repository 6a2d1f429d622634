// A connection that lies idle between two users. Nothing outlives a transaction, so there is little to clean: what is
// not certain to be as it was at first is given up.
#include <poll.h>

#include "store/postgres/pg_int.h"

// The server's process keeps what it has learned of each table, some 16 kB, until it ends.
enum { TOUCHED_MAX = 5000 };

bool pg_rest(ds_db *base)
{
    ds_pg *db = (ds_pg *)base;
    if (db->connecting) // and nobody waits for it any more
        return false;
    pg_rollback(base);
    bool clean = !db->broken && !db->spoilt && !db->undrained && !pg_expects(db) && db->touched < TOUCHED_MAX &&
                 PQpipelineStatus(db->conn) == PQ_PIPELINE_OFF && PQtransactionStatus(db->conn) == PQTRANS_IDLE;
    db->stop = NULL; // the last user's
    return clean;
}

// A server says nothing to a connection that is idle, but that it ends it.
bool pg_wake(ds_db *base, const ds_open_options *options)
{
    ds_pg *db = (ds_pg *)base;
    struct pollfd fd = {.fd = PQsocket(db->conn), .events = POLLIN};
    if (poll(&fd, 1, 0) != 0)
        return false;
    pg_set_options(db, options);
    return true;
}
