#include "gate/changes_int.h"
#include "gate/lint_int.h"
#include "gate/rules_int.h"

#define HEAD LINT_EXAMPLE_HEAD
#define FROM(repository) LINT_EXAMPLE_FROM repository "\n"

// One document before and after.
#define BOTH(before, after) before HEAD after
#define TABLE(columns) DATASET("    classification: cpi\n    columns: {" columns "}\n")
#define TABLES(before, after) BOTH(TABLE(before), TABLE(after))
#define STORE_2                                                                                                        \
    "kind: Datastore\nteam: USA/customer_data\nname: Store2\n" CAPTURE                                                 \
    "datasets:\n  orders:\n    classification: ip\n    columns: {id: integer primary key}\n"
#define DEPRECATED DATASET("    classification: cpi\n    deprecated: use Store2\n" COLUMNS)
#define CONSISTENT(word)                                                                                               \
    STORE_HEAD "capture: {type: sql_snapshot, container: CustomerDB, consistency: " word                               \
               ", " CRON("*/5 * * * *") "}\n" CUSTOMERS
#define LIVE_ON(milestoning)                                                                                           \
    "kind: PlatformService\nname: Yellow_NY\nmerge: {container: MergeDB}\ncontainers: {MergeDB: " MERGE_SQLITE         \
    "}\nplatforms:\n  YellowLive: {type: yellow, milestoning: " milestoning "}\n" ASSIGNED
#define MERGED_IN(container)                                                                                           \
    "kind: PlatformService\nname: Yellow_NY\nmerge: {container: " container "}\ncontainers:\n  MergeDB: " MERGE_SQLITE \
    "\n  OtherDB: {type: sqlite, path: other.db, locations: [\"MyCorp:USA/NJ_1\"]}\n"                                  \
    "platforms:\n  YellowLive: {type: yellow, milestoning: scd1}\n" ASSIGNED
#define CUSTOMER_DB(path) "type: sqlite\nlocations: [\"MyCorp:USA/NY_1\"]\npath: " path "\n"
#define CUSTOMER_DB_OF(team, rest)                                                                                     \
    "kind: DataContainer\nteam: USA/" team "\nname: CustomerDB\n" CUSTOMER_DB("customers.db") rest
#define AT(platform, status) "{platform: " platform ", status: " status "}"
#define FORENSIC(status) "assignments:\n" ASSIGN("Consumer1/live", AT("YellowForensic", status))
#define BESIDE(live, forensic)                                                                                         \
    "assignments:\n" ASSIGN("Consumer1/live", AT("YellowLive", live) ", " AT("YellowForensic", forensic))
#define STATUS(status) SERVICE("assignments:\n" ASSIGN("Consumer1/live", "{platform: YellowLive, status: " status "}"))

const ds_rule CHANGE_RULES[CHANGE_RULE_COUNT] = {
    // --- whose it is
    [CHANGE_UNKNOWN_REPOSITORY] =
        {"A001", DIAG_ERROR, "a repository that owns nothing",
         "Changes come from the repository of the Ecosystem, a zone, a team or a platform service of the base, as the "
         "model writes it: path and branch, upper and lower case.",
         FROM("acme/model@USA") BOTH(ZONE(""), ZONE("description: all\n")),
         FROM("acme/model@usa") BOTH(ZONE(""), ZONE("description: all\n"))},
    [CHANGE_NOT_OWNED] =
        {"A002", DIAG_ERROR, "a change of what is another's",
         "Each object belongs to one repository: the Ecosystem and Environments to the Ecosystem's, a zone and a "
         "platform service to the one that the Ecosystem declares, all of a team to the one that its zone declares. "
         "A pull request changes what belongs to one repository, and comes from there.",
         FROM("acme/model@customer_data")
             BOTH(WORKSPACE(SINKS("Store1/customers")), WORKSPACE("priority: high\n" SINKS("Store1/customers"))),
         FROM("acme/model@analytics")
             BOTH(WORKSPACE(SINKS("Store1/customers")), WORKSPACE("priority: high\n" SINKS("Store1/customers")))},
    [CHANGE_FIRST_MODEL] =
        {"A003", DIAG_ERROR, "a first model from elsewhere",
         "While there is no Ecosystem nobody owns anything: the first model, whole, comes from the repository of the "
         "Ecosystem that it brings.",
         FROM("acme/model@usa") LINT_EXAMPLE_WHOLE HEAD ECOSYSTEM,
         FROM("acme/model@central") LINT_EXAMPLE_WHOLE HEAD ECOSYSTEM},
    [CHANGE_NOT_OFFERED] =
        {"A004", DIAG_ERROR, "given without consent",
         "An object changes hands in two steps: its team says `offered_to`, and the repository of the team that it is "
         "offered to changes `team`. So nobody can leave an object with a team that does not want it. Teams of one "
         "repository need no offer.",
         FROM("acme/model@customer_data") BOTH(CUSTOMER_DB_OF("customer_data", ""), CUSTOMER_DB_OF("analytics", "")),
         FROM("acme/model@analytics")
             BOTH(CUSTOMER_DB_OF("customer_data", "offered_to: USA/analytics\n"), CUSTOMER_DB_OF("analytics", ""))},
    [CHANGE_OTHER_OWNER] =
        {"A005", DIAG_WARNING, "everything gets another owner",
         "A parent names another repository for what it declares: all of it belongs to that one from then on, and its "
         "former owner can't change it any more. Nobody else is asked.",
         BOTH(ZONE(""), "kind: GovernanceZone\nname: USA\nteams:\n  - " TEAM_PRODUCER
                        "\n  - {name: analytics, repository: acme/analytics@main}\n"),
         BOTH(ZONE(""), ZONE("description: all\n"))},
    // --- columns
    [CHANGE_COLUMN_REMOVED] = {"C001", DIAG_ERROR, "a column is gone",
                               "Whoever selects it fails. Its values stay in the merge tables, and new rows have none.",
                               TABLES("id: integer primary key, name: text", "id: integer primary key"),
                               TABLES("id: integer primary key, name: text",
                                      "id: integer primary key, name: text, full_name: text")},
    [CHANGE_COLUMN_NOT_NULL] = {"C002", DIAG_ERROR, "a new column that must have a value",
                                "The rows that are there, and all history, have none. A new column may be null.",
                                TABLES("id: integer primary key", "id: integer primary key, name: text not null"),
                                TABLES("id: integer primary key", "id: integer primary key, name: text")},
    [CHANGE_TYPE_NARROWED] =
        {"C003", DIAG_ERROR, "a type that can't hold all values",
         "A column's type may only become one that holds every value of the old one: a longer text, a larger integer of "
         "the same sign, more digits before and after the point.",
         TABLES("id: integer primary key, name: varchar(50)", "id: integer primary key, name: varchar(20)"),
         TABLES("id: integer primary key, name: varchar(20)", "id: integer primary key, name: varchar(50)")},
    [CHANGE_TYPE_WIDENED] =
        {"C004", DIAG_INFO, "a wider type",
         "The new type holds every value of the old one. Programs that read it may have a fixed length of their own.",
         TABLES("id: integer primary key, name: varchar(20)", "id: integer primary key, name: varchar(50)"),
         TABLES("id: integer primary key", "id: {type: integer primary key, source: number}")},
    [CHANGE_NULL_FORBIDDEN] =
        {"C005", DIAG_ERROR, "null is no longer allowed", "Rows that are there, and versions of them, may have null.",
         TABLES("id: integer primary key, name: text", "id: integer primary key, name: text not null"),
         TABLES("id: integer primary key, name: text not null", "id: integer primary key, name: text")},
    [CHANGE_NULL_ALLOWED] = {"C006", DIAG_WARNING, "null is allowed now",
                             "The tables can hold it; whoever relied on a value gets none.",
                             TABLES("id: integer primary key, name: text not null",
                                    "id: integer primary key, name: text"),
                             TABLES("id: integer primary key", "id: {type: integer primary key, source: number}")},
    [CHANGE_KEY] =
        {"C007", DIAG_ERROR, "another key",
         "Rows are recognised by their key, in its order; history would be of other rows. Columns that come, go or "
         "change places in it are breaking, and so are `key: none` and back.",
         TABLES("id: integer primary key, no: integer not null", "id: integer primary key, no: integer primary key"),
         TABLES("id: integer primary key, name: text", "name: text, id: integer primary key")},
    [CHANGE_PARTITION] =
        {"C008", DIAG_ERROR, "another ingestion partition", "Readers split their work by it, and count on it.",
         TABLES("id: integer primary key, day: date not null", "id: integer primary key, day: date partition"),
         TABLES("id: integer primary key, day: date partition", "id: integer primary key, day: timestamp partition")},
    [CHANGE_CLASSIFICATION] =
        {"C009", DIAG_ERROR, "another classification",
         "Consumers and policies decided by the old one. It does not matter whether it stands at the dataset or at its "
         "columns.",
         BOTH(DATASET("    classification: cpi\n" COLUMNS), DATASET("    classification: pub\n" COLUMNS)),
         BOTH(DATASET("    classification: cpi\n    columns: {id: integer primary key}\n"),
              DATASET("    columns: {id: {type: integer primary key, classification: cpi}}\n"))},
    [CHANGE_CLASSIFIED] = {"C010", DIAG_INFO, "classified for the first time",
                           "Nobody could decide by it before; policies hold from now on.",
                           BOTH(DATASET(COLUMNS), DATASET("    classification: cpi\n" COLUMNS)),
                           BOTH(DATASET("    classification: [cpi, pc1]\n    columns: {id: integer primary key}\n"),
                                DATASET("    classification: [pc1, cpi]\n    columns: {id: bigint primary key}\n"))},
    [CHANGE_COLUMN_ADDED] = {"C011", DIAG_INFO, "a new column",
                             "It is null in the rows that are there, and comes into all views.",
                             TABLES("id: integer primary key", "id: integer primary key, name: text"),
                             TABLES("id: integer primary key",
                                    "id: {type: integer primary key, description: a number}")},
    // --- use
    [CHANGE_IN_USE] =
        {"C012", DIAG_ERROR, "removed while in use",
         "What is used can't be removed, and no approval lifts that. The message lists who uses it and their "
         "repositories: they give it up first.",
         BOTH(STORE_2 NEXT WORKSPACE(SINKS("Store1/customers, Store2/orders")),
              WORKSPACE(SINKS("Store1/customers, Store2/orders"))),
         BOTH(STORE_2, STORE(CUSTOMERS))},
    [CHANGE_DEPRECATED] =
        {"C013", DIAG_ERROR, "deprecated before its consumers agree",
         "A producer can deprecate what is used only when the sink of each consumer says `allow_deprecated`. The "
         "message lists those that do not, and their repositories.",
         BOTH(STORE(CUSTOMERS), DEPRECATED),
         BOTH(STORE(CUSTOMERS) NEXT WORKSPACE(SINKS("{dataset: Store1/customers, allow_deprecated: true}")),
              DEPRECATED NEXT WORKSPACE(SINKS("{dataset: Store1/customers, allow_deprecated: true}")))},
    [CHANGE_CONSISTENCY] =
        {"C014", DIAG_ERROR, "streams cut another way",
         "Datasets that move together become streams of their own, or the other way round: what consumers read "
         "together is of one snapshot no longer, or only from then on. Tables, views and history stay.",
         BOTH(CONSISTENT("multi_dataset"), CONSISTENT("single_dataset")),
         BOTH(STORE(CUSTOMERS), STORE_HEAD "description: all\n" CAPTURE CUSTOMERS)},
    [CHANGE_VIEW_GONE] =
        {"C015", DIAG_WARNING, "views go away",
         "A workspace goes, or gives up a group or dataset, or its history: programs that read those views fail.",
         BOTH(WORKSPACE("dataset_groups:\n  live: {sinks: [Store1/customers]}\n  more: {sinks: [Store1/customers]}\n"),
              WORKSPACE("dataset_groups:\n  live: {sinks: [Store1/customers]}\n")),
         BOTH(WORKSPACE("dataset_groups:\n  live: {sinks: [Store1/customers]}\n"),
              WORKSPACE(
                  "dataset_groups:\n  live: {sinks: [Store1/customers]}\n  more: {sinks: [Store1/customers]}\n"))},
    // --- platforms
    [CHANGE_MILESTONING] =
        {"C016", DIAG_ERROR, "another milestoning",
         "Tables that hold history have another form. `apply` refuses it for what has been loaded: declare a new "
         "platform and move the groups.",
         BOTH(LIVE_ON("scd1"), LIVE_ON("scd2")), BOTH(LIVE_ON("scd1"), SERVICE(ASSIGNED))},
    [CHANGE_MERGE_DATABASE] = {"C017", DIAG_ERROR, "another merge database",
                               "Every stream begins anew there; its history and the views that consumers know stay "
                               "behind. A container that is another place is the same. What is the same database by "
                               "another name has to be approved.",
                               BOTH(MERGED_IN("MergeDB"), MERGED_IN("OtherDB")),
                               BOTH(MERGED_IN("MergeDB, credential: old"), MERGED_IN("MergeDB, credential: new"))},
    [CHANGE_UNSERVED] = {"C018", DIAG_ERROR, "a group loses its platform",
                         "No platform owns the group's views any more. To move it, assign another platform first.",
                         BOTH(STATUS("provisioned"), STATUS("decommissioned")),
                         BOTH(STATUS("provisioned"), STATUS("decommissioning"))},
    [CHANGE_SOURCE] = {"C019", DIAG_WARNING, "another source",
                       "Rows come from another container or table, by another capture, or their container is another "
                       "place. The next batch compares what is there with what has been loaded: rows that are the same "
                       "stay, others change, and what the new source lacks is deleted, up to `max_delete_ratio`.",
                       BOTH(CONTAINER(CUSTOMER_DB("customers.db")), CONTAINER(CUSTOMER_DB("new.db"))),
                       BOTH(CONTAINER(CUSTOMER_DB("customers.db")),
                            CONTAINER("limits: {connections: 2}\n" CUSTOMER_DB("customers.db")))},
    [CHANGE_MOVED_AT_ONCE] = {"C020", DIAG_ERROR, "a group moves at once",
                              "The views of a group go to a platform that did not serve it before: nothing has been "
                              "loaded there, `apply` refuses to move them, and history stays behind. Assign the new "
                              "platform with `status: provisioning` beside the old one, and switch when it has loaded.",
                              BOTH(SERVICE(ASSIGNED), SERVICE(FORENSIC("provisioned"))),
                              BOTH(SERVICE(BESIDE("provisioned", "provisioning")),
                                   SERVICE(BESIDE("decommissioning", "provisioned")))},
};
