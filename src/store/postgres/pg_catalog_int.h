// Shared by pg_catalog.c, pg_snapshot.c and pg_survey.c. Nothing else includes it.
#pragma once
#include "store/sql.h"

// A condition on pg_class as c and its pg_namespace as n: tables and views that users made. Left out are system
// schemas, temporary tables, partitions (their table stands for them) and what belongs to an extension.
void pg_put_users_own(ds_sql *q);
// Relations by name, in a FROM: "(VALUES (0, 'schema', 'table'), …) AS w (place, s, t) CROSS JOIN …", then c is the
// pg_class row of each that is there, and n has its nspname. schema: of those that don't say.
void pg_put_wanted(const char *schema, const ds_relation *relations, size_t n, ds_sql *q);
