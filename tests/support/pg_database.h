// A database of the test's own on a PostgreSQL server, with an ordinary role that owns it.
//
//     pg_database db;
//     pg_database_new(pgserver_shared(), &db);
//     pg_exec_text(&db, "CREATE TABLE people (id integer); INSERT INTO people VALUES (1), (null)");
//     pg_query_text(&db, "SELECT id FROM people ORDER BY 1", arena);      // "1\n~\n"
//     ... connect with db.host, db.port, db.name, db.role, PG_PASSWORD
//     pg_database_drop(&db);
//
// Helpers abort the test when something fails, or when it takes longer than a minute. Any thread.
#pragma once
#include "base/arena.h"
#include "support/pgserver.h"

enum { PG_NAME_MAX = 64 };
#define PG_PASSWORD "open, sesame" // of every role made here
typedef struct pg_database {
    char host[PG_HOST_MAX]; // the socket's directory
    int port;
    char name[PG_NAME_MAX];
    char role[PG_NAME_MAX]; // owns the database; may log in and nothing else
} pg_database;

// Empty. Takes some 30 ms.
void pg_database_new(const char *host, pg_database *out);
// Throws out who is still connected. Does nothing when it is dropped already, or was never made (zeroed).
void pg_database_drop(pg_database *db);

// Statements separated by ';', in one transaction unless they say otherwise, in a session of their own: as the
// database's role, and as superuser.
void pg_exec_text(const pg_database *db, const char *statements);
void pg_exec_super(const pg_database *db, const char *statements);
// A query's result as superuser sees it, in UTC and ISO formats: columns by '|', every row ends with '\n', null as "~".
const char *pg_query_text(const pg_database *db, const char *select, ds_arena *arena);
