// PgBouncer in front of a server made by pgserver.h: what many users' servers stand behind. A test connects with host
// = pgbouncer_host, port = PG_PORT, to any database, as any role of pg_database.h with its password. Pools are small
// (PGBOUNCER_POOL connections for each database and role), and start-up parameters that the pooler doesn't know are
// refused, as it does where nobody has told it otherwise: a client must do without. It ends with the process at the
// latest. Helpers abort the test when something fails. Thread rule: the main thread.
#pragma once
#include "support/pgserver.h"

enum { PGBOUNCER_POOL = 3 };
typedef struct pgbouncer pgbouncer;

// server_host: the server's directory. pool_mode: "transaction", "session" or "statement".
pgbouncer *pgbouncer_new(const char *server_host, const char *pool_mode);
void pgbouncer_free(pgbouncer *bouncer); // takes NULL
const char *pgbouncer_host(const pgbouncer *bouncer);
