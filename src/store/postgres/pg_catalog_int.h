// Shared by pg_catalog.c and pg_survey.c. Nothing else includes it.
#pragma once
#include "store/sql.h"

// A condition on pg_class as c and its pg_namespace as n: tables and views that users made. Left out are system
// schemas, temporary tables, partitions (their table stands for them) and what belongs to an extension.
void pg_put_users_own(ds_sql *q);
