#include "gate/lint_int.h"
#include "gate/rules_int.h"

#define MERGE_POSTGRES "{type: postgres, host: merge.internal, database: merge}"
#define LONG_A "settlement_reports_for_customer_054543_of_all_regional_branches"
#define LONG_B "settlement_reports_for_customer_136340_of_all_regional_branches"
#define LONG_NAME "settlement_reports_for_customers_of_all_regional_branches_and_agencies"
#define LONG(name) "  " name ":\n    classification: ip\n" COLUMNS
#define LONG_MODEL(a, b)                                                                                               \
    STORE("datasets:\n" LONG(a) LONG(b))                                                                               \
    NEXT WORKSPACE(SINKS("Store1/" a ", Store1/" b)) NEXT SERVICE_IN(MERGE_POSTGRES, ASSIGNED)
#define KEYLESS_ON(platform)                                                                                           \
    DATASET("    classification: cpi\n    key: none\n    columns: {id: integer}\n")                                    \
    NEXT SERVICE("assignments:\n" ASSIGN("Consumer1/live", ON(platform)))
#define COLUMN_ON(merge, column)                                                                                       \
    DATASET("    classification: cpi\n    columns: {id: integer primary key, " column "}\n")                           \
    NEXT SERVICE_IN(merge, ASSIGNED)
#define SERVICE_OF(type, rest)                                                                                         \
    "kind: PlatformService\nname: Yellow_NY\nmerge: {container: MergeDB}\ncontainers: {MergeDB: " MERGE_SQLITE         \
    "}\nplatforms:\n  YellowLive: {type: yellow, milestoning: scd1}\n  YellowForensic: {type: " type                   \
    ", milestoning: scd2}\n" rest

#define CONSUMER(name, credential)                                                                                     \
    "kind: Workspace\nteam: USA/analytics\nname: " name "\ncontainer: ReportsDB\ncredential: " credential              \
    "\n" SINKS("Store1/customers")
#define REPLICAS(credential)                                                                                           \
    "kind: DataContainer\nteam: USA/analytics\nname: ReportsDB\ntype: sqlite\npath: reports.db\n"                      \
    "locations: [\"MyCorp:USA/NJ_1\"]\n" NEXT CONSUMER("Consumer1", "reports_rw")                                      \
        NEXT CONSUMER("Consumer2", credential)                                                                         \
    NEXT SERVICE("assignments:\n" ASSIGN("Consumer1/live", ON("YellowLive")) ASSIGN("Consumer2/live", ON("YellowLive")))

const ds_rule PLATFORM_RULES[] = {
    {PLATFORM_RULE_MERGE, DIAG_ERROR, "a merge database that can't be one",
     "The platform's type says which databases can hold its tables.",
     SERVICE_IN("{type: mariadb, host: merge.internal, database: merge}", ASSIGNED), SERVICE(ASSIGNED)},
    {PLATFORM_RULE_TEXT_FORM, DIAG_INFO, "a type that is kept as text",
     "The merge database has no form of its own for the type: nothing is lost, but its functions for numbers, places and "
     "lists don't work on the column. Geography is WKT with its SRID, vectors, lists, maps and structs are JSON.",
     DATASET("    classification: cpi\n    columns: {id: integer primary key, home: geography(point)}\n"),
     STORE(CUSTOMERS)},
    {PLATFORM_RULE_CANT_RUN, DIAG_ERROR, "designed, and not built yet",
     "The model may say it, and the platform can't run it yet. It is a warning as long as nothing provisioned needs it.",
     CONTAINER("type: postgres\nhost: pg.internal\ndatabase: customers\n") NEXT STORE_HEAD
     "capture: {type: sql_cdc, container: CustomerDB, " CRON("*/5 * * * *") "}\n" CUSTOMERS,
     CONTAINER("type: postgres\nhost: pg.internal\ndatabase: customers\n") NEXT STORE(CUSTOMERS)},
    {PLATFORM_RULE_IGNORED, DIAG_WARNING, "a field without an effect yet",
     "The model may say it, and the platform ignores it for now; the finding says what happens instead.",
     STORE_HEAD "capture: {type: sql_snapshot, container: CustomerDB, bad_rows: {reject: 100}, " CRON(
         "*/5 * * * *") "}\n" CUSTOMERS,
     STORE(CUSTOMERS)},
    {PLATFORM_RULE_NAMES, DIAG_ERROR, "two physical names are equal",
     "A name that is too long for the database has its middle replaced by a hash. Here two of them came out equal: a "
     "shorter name for either one is enough.",
     LONG_MODEL(LONG_A, LONG_B), LONG_MODEL(LONG_A, "settlement_reports")},
    {PLATFORM_RULE_DIALECT, DIAG_ERROR, "no SQL for this merge database",
     "A transformer with a text per dialect needs one for each merge database in which it runs.",
     TRANSFORMER("sql: {customers: {postgres: \"" SELECT "\"}}\n") NEXT MASKED_USED,
     TRANSFORMER("sql: {customers: {postgres: \"" SELECT "\", sqlite: \"" SELECT "\"}}\n") NEXT MASKED_USED},
    {PLATFORM_RULE_NEEDS_KEY, DIAG_ERROR, "history of rows without a key",
     "A platform that keeps history recognises rows by their key. A dataset without one can be served by scd1 platforms "
     "only.",
     KEYLESS_ON("YellowForensic"), KEYLESS_ON("YellowLive")},
    {PLATFORM_RULE_COLUMN, DIAG_ERROR, "a column that every table of the merge database has",
     "PostgreSQL keeps a few columns of its own in every table, and no other column can have such a name. At the source "
     "it may: `source` says so.",
     COLUMN_ON(MERGE_POSTGRES, "xmin: integer"), COLUMN_ON(MERGE_POSTGRES, "x_min: {type: integer, source: xmin}")},
    {PLATFORM_RULE_TYPE, DIAG_ERROR, "a type of platform that there is not",
     "The type says which program moves the data. What this one has is in the hint.", SERVICE_OF("yelow", ASSIGNED),
     SERVICE_OF("yellow", ASSIGNED)},
    {PLATFORM_RULE_REPLICA, DIAG_ERROR, "workspaces that say different things about a database that they share",
     "Workspaces with one `container` share the copies there: one credential writes them, and the database goes by one "
     "container.",
     REPLICAS("other_rw"), REPLICAS("reports_rw")},
    {PLATFORM_RULE_LENGTH, DIAG_ERROR, "a column's name that is too long for the merge database",
     "PostgreSQL takes 63 bytes of a name, and cuts what is longer without a word. At the source it may be longer: "
     "`source` says so.",
     COLUMN_ON(MERGE_POSTGRES, LONG_NAME ": integer"),
     COLUMN_ON(MERGE_POSTGRES, "shorter: {type: integer, source: " LONG_NAME "}")},
};
const size_t PLATFORM_RULE_COUNT = sizeof PLATFORM_RULES / sizeof PLATFORM_RULES[0];
