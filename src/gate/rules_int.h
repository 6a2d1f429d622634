// The documents of which examples are made. Each takes the place of the document of its name in LINT_EXAMPLE_MODEL.
#pragma once

#define NEXT "---\n"
#define ECOSYSTEM_WITH(live, vendors, zones, rest)                                                                     \
    "kind: Ecosystem\nname: Example\nrepository: acme/model@central\nlive: " live "\nvendors: [" vendors               \
    "]\nzones: [" zones "]\nplatform_services: [{name: Yellow_NY, repository: acme/model@infra}" rest "]\n"
#define VENDOR "{name: MyCorp, locations: [USA/NY_1, USA/NJ_1]}"
#define ZONE_USA "{name: USA, repository: acme/model@usa}"
#define ECOSYSTEM ECOSYSTEM_WITH("acme/model@main", VENDOR, ZONE_USA, "")

#define TEAM_PRODUCER "{name: customer_data, repository: acme/model@customer_data}"
#define TEAM_CONSUMER "{name: analytics, repository: acme/model@analytics}"
#define ZONE(rest) "kind: GovernanceZone\nname: USA\nteams:\n  - " TEAM_PRODUCER "\n  - " TEAM_CONSUMER "\n" rest

#define CONTAINER(rest) "kind: DataContainer\nteam: USA/customer_data\nname: CustomerDB\n" rest

#define STORE_HEAD "kind: Datastore\nteam: USA/customer_data\nname: Store1\n"
#define CRON(line) "trigger: {cron: \"" line "\"}"
#define CAPTURE_BY(trigger) "capture: {type: sql_snapshot, container: CustomerDB, " trigger "}\n"
#define CAPTURE CAPTURE_BY(CRON("*/5 * * * *"))
#define STORE(rest) STORE_HEAD CAPTURE rest
#define COLUMNS "    columns: {id: integer primary key, name: text}\n"
#define CUSTOMERS "datasets:\n  customers:\n    classification: cpi\n" COLUMNS
#define DATASET(rest) STORE("datasets:\n  customers:\n" rest)

#define WORKSPACE(rest) "kind: Workspace\nteam: USA/analytics\nname: Consumer1\n" rest
#define SINKS(list) "dataset_groups:\n  live: {sinks: [" list "]}\n"

#define MERGE_SQLITE "{type: sqlite, path: merge.db, locations: [\"MyCorp:USA/NJ_1\"]}"
#define SERVICE_IN(merge, rest)                                                                                        \
    "kind: PlatformService\nname: Yellow_NY\nmerge: {container: MergeDB}\ncontainers: {MergeDB: " merge                \
    "}\nplatforms:\n  YellowLive: {type: yellow, milestoning: scd1}\n"                                                 \
    "  YellowForensic: {type: yellow, milestoning: scd2}\n" rest
#define SERVICE(rest) SERVICE_IN(MERGE_SQLITE, rest)
#define ASSIGN(group, platforms) "  - {group: " group ", platforms: [" platforms "]}\n"
#define ON(platform) "{platform: " platform ", status: provisioned}"
#define ASSIGNED "assignments:\n" ASSIGN("Consumer1/live", ON("YellowLive"))

#define TRANSFORMER_IN(groups, trigger, sql)                                                                           \
    "kind: Workspace\nteam: USA/customer_data\nname: Masker\ndataset_groups:\n  input: {" groups                       \
    "sinks: [Store1/customers]}\ntransformer:\n  name: mask\n" trigger "  run:\n    " sql                              \
    "  output:\n    datastore: Masked\n    datasets:\n      customers:\n        classification: pub\n"                 \
    "        columns: {id: integer primary key}\n"
#define SELECT "SELECT id FROM {input.Store1.customers}"
#define SQL_CUSTOMERS(text) "sql: {customers: \"" text "\"}\n"
#define TRANSFORMER(sql) TRANSFORMER_IN("", "", sql)
#define MASKED_USED WORKSPACE(SINKS("Store1/customers, Masked/customers"))

#define EXAMPLE_MODEL                                                                                                  \
    ECOSYSTEM NEXT ZONE("") NEXT CONTAINER("type: sqlite\npath: customers.db\nlocations: [\"MyCorp:USA/NY_1\"]\n")     \
        NEXT                                                                                                           \
        STORE(CUSTOMERS)                                                                                               \
    NEXT WORKSPACE(SINKS("Store1/customers")) NEXT SERVICE(ASSIGNED)
