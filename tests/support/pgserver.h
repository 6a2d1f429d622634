// PostgreSQL servers for tests: the one that a test run shares, and servers of a test's own that may be killed.
// tools/postgres.sh makes them; none outlives the process that asked for it. A test connects with host = the server's
// directory, port = PG_PORT; user "postgres" needs no password there. Helpers abort the test when something fails.
// Thread rule: the main thread.
#pragma once

enum { PG_PORT = 5432, PG_HOST_MAX = 108 };

// The directory of the run's shared server, from DATASURFACE_TEST_POSTGRES; without that, of one that is started now
// and removed when the process exits. Many tests use it at the same time: leave its settings alone.
const char *pgserver_shared(void);

// A server of the test's own, which syncs every commit.
typedef struct pgserver pgserver;
pgserver *pgserver_private_new(void);
void pgserver_free(pgserver *server); // takes NULL; the server stops and its directory is deleted
const char *pgserver_host(const pgserver *server);
void pgserver_crash(pgserver *server); // as if the power went: sessions end, nothing more is written
void pgserver_stop(pgserver *server);  // in good order
void pgserver_start(pgserver *server); // after a crash or a stop; waits until it takes connections
