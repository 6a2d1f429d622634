#include "gate/lint_int.h"
#include "gate/rules_int.h"

const char LINT_EXAMPLE_MODEL[] = EXAMPLE_MODEL;

// Two transformers, each of which reads what the other makes.
#define CIRCLE(trigger)                                                                                                \
    "kind: Workspace\nteam: USA/customer_data\nname: Masker\ndataset_groups: {input: {sinks: [Counted/customers]}}\n"  \
    "transformer:\n  name: mask\n" trigger "  run: {sql: {customers: \"SELECT id FROM {input.Counted.customers}\"}}\n" \
    "  output:\n    datastore: Masked\n    datasets: {customers: {classification: pub, columns: "                      \
    "{id: integer primary key}}}\n" NEXT                                                                               \
    "kind: Workspace\nteam: USA/customer_data\nname: Counter\ndataset_groups: {input: {sinks: [Masked/customers]}}\n"  \
    "transformer:\n  name: count\n"                                                                                    \
    "  run: {sql: {customers: \"SELECT id FROM {input.Masked.customers}\"}}\n"                                         \
    "  output:\n    datastore: Counted\n    datasets: {customers: {classification: pub, columns: "                     \
    "{id: integer primary key}}}\n"

#define WATERMARKED(column, columns)                                                                                   \
    "kind: Datastore\nteam: USA/customer_data\nname: Store2\ncapture:\n  type: sql_watermark\n"                        \
    "  container: CustomerDB\n  watermark: {column: " column                                                           \
    "}\n  " CRON("*/5 * * * *") "\ndatasets:\n  orders:\n"                                                             \
                                "    classification: ip\n    columns: {" columns "}\n"

// A group with history beside the live one.
#define AUDITED                                                                                                        \
    WORKSPACE(SINKS("Store1/customers") "  audit: {requires: {history: full}, sinks: [Store1/customers]}\n")           \
    NEXT SERVICE(ASSIGNED ASSIGN("Consumer1/audit", ON("YellowForensic")))

#define CHECKED(check)                                                                                                 \
    DATASET("    classification: cpi\n    columns: {id: integer primary key, name: text, age: integer}\n"              \
            "    checks: [" check "]\n")
// Two platforms read one store.
#define PRIMARY(platform)                                                                                              \
    WORKSPACE(SINKS("Store1/customers") "  audit: {requires: {history: full}, sinks: [Store1/customers]}\n")           \
    NEXT SERVICE("primary_ingestion: {Store1: " platform "}\n" ASSIGNED ASSIGN("Consumer1/audit", ON("YellowForensic")))

const ds_rule LINT_RULES[LINT_RULE_COUNT] = {
    // --- the ecosystem
    [LINT_NO_ECOSYSTEM] =
        {"L001", DIAG_ERROR, "no Ecosystem",
         "A model has exactly one Ecosystem. It declares the zones and platform services, and everything "
         "else hangs on those. An empty directory gets this finding, too.",
         LINT_EXAMPLE_WHOLE "kind: GovernanceZone\nname: USA\n",
         LINT_EXAMPLE_WHOLE "kind: Ecosystem\nname: Example\nrepository: acme/model@central\n"
                            "live: acme/model@main\n"},
    [LINT_TWO_ECOSYSTEMS] = {"L002", DIAG_ERROR, "a second Ecosystem",
                             "A model has exactly one Ecosystem. Two of them usually mean two models in one directory.",
                             ECOSYSTEM NEXT "kind: Ecosystem\nname: Other\nrepository: acme/other@central\n"
                                            "live: acme/other@main\n",
                             ECOSYSTEM},
    [LINT_LIVE_IS_OWNER] =
        {"L003", DIAG_ERROR, "live is the repository",
         "`repository` says who may change the Ecosystem, `live` what the platforms follow. Changes reach "
         "the live branch by pull requests only, so they can't be the same.",
         ECOSYSTEM_WITH("acme/model@central", VENDOR, ZONE_USA, ""), ECOSYSTEM},
    [LINT_UNKNOWN_VENDOR] = {"L004", DIAG_ERROR, "unknown vendor",
                             "A location begins with the name of a vendor that the Ecosystem lists.",
                             CONTAINER("type: sqlite\npath: customers.db\nlocations: [\"YourCorp:USA/NY_1\"]\n"),
                             CONTAINER("type: sqlite\npath: customers.db\nlocations: [\"MyCorp:USA/NY_1\"]\n")},
    [LINT_UNKNOWN_LOCATION] =
        {"L005", DIAG_ERROR, "unknown location",
         "A location is one that its vendor declares, or a place above one: USA/NY_1 declares USA.",
         CONTAINER("type: sqlite\npath: customers.db\nlocations: [\"MyCorp:USA/NY_2\"]\n"),
         CONTAINER("type: sqlite\npath: customers.db\nlocations: [\"MyCorp:USA\"]\n")},
    [LINT_NOT_DECLARED] =
        {"L006", DIAG_ERROR, "not declared by the Ecosystem",
         "A zone or platform service exists when the Ecosystem declares its name and the repository that "
         "owns it. Its own repository then defines it.",
         ZONE("") NEXT "kind: GovernanceZone\nname: EU\n",
         ECOSYSTEM_WITH("acme/model@main", VENDOR, ZONE_USA ", {name: EU, repository: acme/model@eu}", "") NEXT
         "kind: GovernanceZone\nname: EU\n"},
    [LINT_UNKNOWN_TEAM] =
        {"L007", DIAG_ERROR, "unknown team",
         "`team` is ZONE/TEAM, and that zone declares the team. Everything of a team is changed from the "
         "team's repository, so it must be known.",
         "kind: DataContainer\nteam: USA/reporting\nname: ReportsDB\ntype: sqlite\npath: reports.db\n",
         "kind: DataContainer\nteam: USA/analytics\nname: ReportsDB\ntype: sqlite\npath: reports.db\n"},
    [LINT_EMPTY_DECLARATION] =
        {"L008", DIAG_INFO, "declared, and nothing there yet",
         "A zone, team or platform service is declared, and the model has no document of it. That is "
         "how it begins: its own repository writes them.",
         ECOSYSTEM_WITH("acme/model@main", VENDOR, ZONE_USA ", {name: EU, repository: acme/model@eu}", ""), ECOSYSTEM},
    // --- places and names
    [LINT_UNKNOWN_CONTAINER] = {"L009", DIAG_ERROR, "unknown container",
                                "A container is a DataContainer, or an entry of a PlatformService's `containers`.",
                                STORE_HEAD "capture: {type: sql_snapshot, container: CustomersDB, " CRON(
                                    "*/5 * * * *") "}\n" CUSTOMERS,
                                STORE(CUSTOMERS)},
    [LINT_WRONG_CONTAINER] =
        {"L010", DIAG_ERROR, "a capture that can't read its container",
         "SQL captures read databases, `kafka` reads brokers, `http_json` reads web servers, `files_csv` object storage "
         "or web servers.",
         CONTAINER("type: kafka\nhost: broker.internal\nport: 9092\n"),
         CONTAINER("type: sqlite\npath: customers.db\n")},
    [LINT_BAD_HOST] =
        {"L011", DIAG_ERROR, "not a host",
         "A host is a name with dots, an IPv4 or an IPv6 address; for PostgreSQL also the directory of a socket. "
         "The port has a field of its own.",
         CONTAINER("type: postgres\nhost: pg.internal:5432\ndatabase: customers\n"),
         CONTAINER("type: postgres\nhost: pg.internal\nport: 5432\ndatabase: customers\n")},
    [LINT_CRON] =
        {"L012", DIAG_ERROR, "a trigger that is not one",
         "A cron line has five fields: minute, hour, day of month, month, day of week. A field is *, a number, a "
         "range or a list, with a step after a slash; months and weekdays also by name.",
         STORE_HEAD CAPTURE_BY(CRON("60 * * * *")) CUSTOMERS,
         STORE_HEAD CAPTURE_BY(CRON("0 9-17 * * mon-fri")) CUSTOMERS
         "---\n" WORKSPACE("dataset_groups:\n  live: {requires: {latency: days}, sinks: [Store1/customers]}\n")},
    [LINT_TIMEZONE] = {"L013", DIAG_ERROR, "unknown time zone",
                       "A time zone is a name of the system's time zone database; UTC is the default.",
                       STORE_HEAD CAPTURE_BY("trigger: {cron: \"*/5 * * * *\", timezone: Europe/Atlantis}") CUSTOMERS,
                       STORE_HEAD CAPTURE_BY("trigger: {cron: \"*/5 * * * *\", timezone: Europe/Berlin}") CUSTOMERS},
    [LINT_CREDENTIAL_NAMES] =
        {"L014", DIAG_ERROR, "credentials that share a place",
         "Credentials are looked up in the environment under their name in upper case, with _ for other "
         "characters. Two names that become one would hand one's secrets to the other.",
         STORE_HEAD "capture: {type: sql_snapshot, container: CustomerDB, credential: merge-rw, " CRON(
             "*/5 * * * *") "}\n" CUSTOMERS NEXT "kind: PlatformService\nname: Yellow_NY\n"
                            "merge: {container: MergeDB, credential: merge_rw}\n"
                            "containers: {MergeDB: " MERGE_SQLITE "}\n"
                            "platforms: {YellowLive: {type: yellow, milestoning: scd1}}\n" ASSIGNED,
         STORE_HEAD "capture: {type: sql_snapshot, container: CustomerDB, credential: customer_ro, " CRON(
             "*/5 * * * *") "}\n" CUSTOMERS},
    // --- policies
    [LINT_POLICY_OVERLAP] = {"L015", DIAG_ERROR, "allowed and denied",
                             "An entry of a policy covers itself and, for locations, all below it. What is allowed and "
                             "denied at once says nothing; list what is allowed more exactly.",
                             ZONE("policies:\n  classifications: {allow: [pub, cpi], deny: [pub]}\n"),
                             ZONE("policies:\n  classifications: {allow: [cpi]}\n")},
    [LINT_POLICY_UNKNOWN] =
        {"L016", DIAG_WARNING, "a policy about nothing",
         "The policy names a vendor or platform that the model does not have. It may come later; if it is "
         "a typing error, the policy does not do what it seems to.",
         ZONE("policies:\n  platforms: {deny: [YellowLife]}\n"),
         ZONE("policies:\n  platforms: {deny: [YellowForensic]}\n")},
    [LINT_POLICY_BROKEN] =
        {"L017", DIAG_ERROR, "data where its zone does not allow it",
         "The policies of the producer's zone hold for every container that holds its rows, or anything "
         "made of them: the source, merge databases, replicas, outputs of transformers. They look at "
         "location, vendor, the vendor's cloud, platform and how long consumers keep the rows.",
         ZONE("policies:\n  locations: {allow: [\"MyCorp:USA/NY_1\"]}\n"),
         ZONE("policies:\n  locations: {allow: [\"MyCorp:USA/NY_1\", \"MyCorp:USA/NJ_1\"]}\n")},
    [LINT_NEEDS_LOCATION] = {"L018", DIAG_ERROR, "a container without a location",
                             "A zone with a policy on locations, vendors or clouds must know where its data is.",
                             ZONE("policies:\n  vendors: {allow: [MyCorp]}\n")
                                 NEXT CONTAINER("type: sqlite\npath: customers.db\n"),
                             ZONE("policies:\n  vendors: {allow: [MyCorp]}\n") NEXT CONTAINER(
                                 "type: sqlite\npath: customers.db\nlocations: [\"MyCorp:USA/NY_1\"]\n")},
    [LINT_CLASS_FORBIDDEN] =
        {"L019", DIAG_ERROR, "data that this zone's workspaces may not use",
         "The classification policy of the consumer's zone says what its workspaces may use. A dataset "
         "without a classification does not pass where only some are allowed.",
         ZONE("policies:\n  classifications: {deny: [cpi]}\n"), ZONE("policies:\n  classifications: {deny: [mnpi]}\n")},
    // --- datastores
    [LINT_CLASS_NEEDED] =
        {"L020", DIAG_ERROR, "a production dataset without a classification",
         "In a production datastore every dataset says how its data must be protected, as a whole or by "
         "column.",
         STORE_HEAD "production: true\n" CAPTURE "datasets:\n  customers:\n" COLUMNS,
         STORE_HEAD "production: true\n" CAPTURE CUSTOMERS},
    [LINT_CLASS_MISSING] = {"L021", DIAG_WARNING, "a dataset without a classification",
                            "Say how the data must be protected, as a whole or by column. Nobody else can know it.",
                            DATASET(COLUMNS), STORE(CUSTOMERS)},
    [LINT_CLASS_TWICE] = {"L022", DIAG_ERROR, "classified as a whole and by column",
                          "Classify the dataset, or its columns: with both nobody knows which one holds.",
                          DATASET("    classification: cpi\n    columns:\n      id: integer primary key\n"
                                  "      name: {type: text, classification: pub}\n"),
                          DATASET("    columns:\n      id: {type: integer primary key, classification: pub}\n"
                                  "      name: {type: text, classification: cpi}\n")},
    [LINT_NO_KEY] =
        {"L023", DIAG_ERROR, "no primary key",
         "Rows are recognised by their key. Where a table has none, say so with `key: none`: its rows are then a "
         "multiset, and only live rows can be kept.",
         DATASET("    classification: cpi\n    columns: {id: integer, name: text}\n"),
         DATASET("    classification: cpi\n    key: none\n    columns: {id: integer, name: text}\n")},
    [LINT_KEY_UNKNOWN] =
        {"L024", DIAG_ERROR, "primary_key names no column",
         "`primary_key` lists columns of the dataset, in the order of the key.",
         DATASET("    classification: cpi\n    primary_key: [ident]\n    columns: {id: integer, name: text}\n"),
         DATASET("    classification: cpi\n    primary_key: [id]\n    columns: {id: integer, name: text}\n")},
    [LINT_KEY_CONTRADICTION] =
        {"L025", DIAG_ERROR, "a key that contradicts itself",
         "The key is given by columns marked `primary key`, or by `primary_key`, or is `none`. Where "
         "marks and list are both there they name the same columns, each once, and none of them may be "
         "null.",
         DATASET("    classification: cpi\n    key: none\n" COLUMNS),
         DATASET("    classification: cpi\n    primary_key: [name, id]\n"
                 "    columns: {id: integer primary key, name: text primary key}\n")},
    [LINT_COLUMN_HASH] =
        {"L026", DIAG_ERROR, "column names with the same hash",
         "Rows are encoded under 64-bit hashes of their columns' names. Two names with the same hash do not "
         "occur by chance; rename one of them, and write its name at the source into `source`.",
         DATASET("    classification: cpi\n    columns: {cahri0wty2iihf: integer primary key, cmlmzgjycmobxj: text}\n"),
         STORE(CUSTOMERS)},
    [LINT_WATERMARK] =
        {"L027", DIAG_ERROR, "a watermark that can't be one",
         "The watermark column is in every dataset of the store, has one type everywhere (an integer, a date "
         "or a timestamp), and every dataset has a key. The overlap is in its units: a number, days, or a span of time.",
         WATERMARKED("changed, sweep: 1d", "id: integer primary key"),
         WATERMARKED("changed, sweep: 1d", "id: integer primary key, changed: timestamp not null")},
    [LINT_TOO_MANY_COLUMNS] = {"L028", DIAG_ERROR, "too many columns", "A dataset has at most 4096 columns.", "", ""},
    // --- use
    [LINT_UNKNOWN_STORE] = {"L029", DIAG_ERROR, "unknown datastore",
                            "A sink is STORE/DATASET: a Datastore, or the output of a transformer.",
                            WORKSPACE(SINKS("Store1/customers, Store2/orders")), WORKSPACE(SINKS("Store1/customers"))},
    [LINT_UNKNOWN_DATASET] = {"L030", DIAG_ERROR, "unknown dataset", "The datastore has no dataset of that name.",
                              WORKSPACE(SINKS("Store1/customers, Store1/customer")),
                              WORKSPACE(SINKS("Store1/customers"))},
    [LINT_SINK_TWICE] = {"L031", DIAG_WARNING, "a sink twice", "The group uses the dataset already.",
                         WORKSPACE(SINKS("Store1/customers, Store1/customers")), WORKSPACE(SINKS("Store1/customers"))},
    [LINT_DEPRECATED] =
        {"L032", DIAG_ERROR, "deprecated data without consent",
         "A producer can deprecate what is used only when each consumer's sink says `allow_deprecated`. Until "
         "then the deprecation is refused.",
         DATASET("    classification: cpi\n    deprecated: use Store2/customers\n" COLUMNS), STORE(CUSTOMERS)},
    [LINT_DEPRECATED_ALLOWED] = {"L033", DIAG_WARNING, "deprecated data in use",
                                 "The consumer allows it, and should move away before it is gone.",
                                 DATASET("    classification: cpi\n    deprecated: use Store2/customers\n" COLUMNS)
                                     NEXT WORKSPACE(SINKS("{dataset: Store1/customers, allow_deprecated: true}")),
                                 STORE(CUSTOMERS)
                                     NEXT WORKSPACE(SINKS("{dataset: Store1/customers, allow_deprecated: true}"))},
    [LINT_NOT_APPROVED] = {"L034", DIAG_ERROR, "not a consumer of a closed datastore",
                           "A datastore with `consumers` is closed to all others. Its team adds WORKSPACE/GROUP, or "
                           "WORKSPACE/GROUP/DATASET.",
                           STORE_HEAD "consumers: []\n" CAPTURE CUSTOMERS,
                           STORE_HEAD "consumers: [Consumer1/live]\n" CAPTURE CUSTOMERS},
    [LINT_UNKNOWN_CONSUMER] =
        {"L035", DIAG_WARNING, "an approval for nobody",
         "The approval may come before the workspace does; if it is a typing error it approves nobody.",
         STORE_HEAD "consumers: [Consumer1/live, Consumer2/live]\n" CAPTURE CUSTOMERS,
         STORE_HEAD "consumers: [Consumer1/live]\n" CAPTURE CUSTOMERS},
    [LINT_NOT_PRODUCTION] = {"L036", DIAG_WARNING, "production uses what is not",
                             "A production workspace should use production datastores, which promise more.",
                             WORKSPACE("production: true\n" SINKS("Store1/customers")),
                             WORKSPACE("production: true\n" SINKS("Store1/customers")) NEXT STORE_HEAD
                             "production: true\n" CAPTURE CUSTOMERS},
    [LINT_HISTORY_WITHOUT_KEY] = {"L037", DIAG_ERROR, "history of rows without a key",
                                  "Without a key nobody can tell a changed row from a new one, so there is no history.",
                                  DATASET("    classification: cpi\n    key: none\n    columns: {id: integer}\n")
                                      NEXT AUDITED,
                                  STORE(CUSTOMERS) NEXT AUDITED},
    [LINT_LATENCY] =
        {"L038", DIAG_WARNING, "a trigger slower than what is required",
         "`seconds`, `minutes` and `hours` promise data at most 59 seconds, 59 minutes and 23 hours old. The "
         "longest time between two runs of the stream is held against that; a transformer without a trigger is as "
         "slow as its slowest input.",
         STORE_HEAD CAPTURE_BY(CRON("0 6 * * *")) CUSTOMERS, STORE(CUSTOMERS)},
    // --- transformers
    [LINT_TRANSFORMER_REQUIRES] =
        {"L039", DIAG_ERROR, "requirements of a transformer's input",
         "A transformer runs on each platform where its output is needed, so its groups ask for "
         "nothing themselves.",
         TRANSFORMER_IN("requires: {latency: hours}, ", "", SQL_CUSTOMERS(SELECT)), TRANSFORMER(SQL_CUSTOMERS(SELECT))},
    [LINT_TRANSFORMER_ASSIGNED] =
        {"L040", DIAG_ERROR, "an assigned transformer",
         "A transformer runs on each platform where its output is needed; it can't be assigned.",
         TRANSFORMER(SQL_CUSTOMERS(SELECT)) NEXT SERVICE(ASSIGNED ASSIGN("Masker/input", ON("YellowLive"))),
         TRANSFORMER(SQL_CUSTOMERS(SELECT))},
    [LINT_TRANSFORMER_SQL] = {"L041", DIAG_ERROR, "outputs and sql don't match",
                              "`sql` has one SELECT for each dataset of the output, and no other.",
                              TRANSFORMER("sql: {customer: \"" SELECT "\"}\n"), TRANSFORMER(SQL_CUSTOMERS(SELECT))},
    [LINT_PLACEHOLDER] = {"L042", DIAG_ERROR, "a placeholder of no input",
                          "{GROUP.STORE.DATASET} is a sink of this workspace; {{ and }} are braces.",
                          TRANSFORMER(SQL_CUSTOMERS("SELECT id FROM {input.Store1.orders}")),
                          TRANSFORMER(SQL_CUSTOMERS(SELECT))},
    [LINT_CYCLE] =
        {"L043", DIAG_ERROR, "transformers that wait for each other",
         "Without a trigger a transformer runs after its inputs. A circle of those would run for ever, or never: "
         "give one of them a cron line. Reading one's own output is no circle; it is read as of the batch before.",
         CIRCLE(""), CIRCLE("  trigger: {cron: \"0 * * * *\"}\n")},
    // --- assignments
    [LINT_UNKNOWN_GROUP] = {"L044", DIAG_ERROR, "an assignment of nothing",
                            "An assignment names WORKSPACE/GROUP of the model.",
                            SERVICE(ASSIGNED ASSIGN("Consumer1/life", ON("YellowLive"))), SERVICE(ASSIGNED)},
    [LINT_UNKNOWN_PLATFORM] =
        {"L045", DIAG_ERROR, "an assignment to no platform", "A service assigns groups to its own platforms.",
         SERVICE("assignments:\n" ASSIGN("Consumer1/live", ON("YellowLive") ", " ON("YelowLive"))), SERVICE(ASSIGNED)},
    [LINT_TWO_PROVISIONED] =
        {"L046", DIAG_ERROR, "two owners of one group's views",
         "Of a group's platforms in one merge database exactly one is `provisioned`: it owns the views. To "
         "move a group, add the new platform as `provisioning` and switch both in one change.",
         SERVICE("assignments:\n" ASSIGN("Consumer1/live", ON("YellowLive") ", " ON("YellowForensic"))),
         SERVICE("assignments:\n" ASSIGN("Consumer1/live",
                                         ON("YellowLive") ", {platform: YellowForensic, status: provisioning}"))},
    [LINT_PLATFORM_UNFIT] =
        {"L047", DIAG_ERROR, "a platform that can't serve",
         "The platform can't give what the group requires: full history needs scd2 or scd4.",
         WORKSPACE("dataset_groups:\n  live: {requires: {history: full}, sinks: [Store1/customers]}\n"),
         WORKSPACE("dataset_groups:\n  live: {requires: {history: full}, sinks: [Store1/customers]}\n")
             NEXT SERVICE("assignments:\n" ASSIGN("Consumer1/live", ON("YellowForensic")))},
    [LINT_UNASSIGNED] =
        {"L048", DIAG_WARNING, "a group that nobody serves",
         "No platform serves the group, or only one that is being decommissioned. The infrastructure team "
         "assigns it, or sets `auto_assign`.",
         SERVICE(""), SERVICE("auto_assign: true\n")},
    [LINT_ASSIGNED_TWICE] = {"L049", DIAG_ERROR, "assigned twice", "A group is assigned to a platform once.",
                             SERVICE(
                                 ASSIGNED ASSIGN("Consumer1/live", "{platform: YellowLive, status: decommissioned}")),
                             SERVICE(ASSIGNED)},
    [LINT_HINT] = {"L050", DIAG_ERROR, "a hint for no stream",
                   "A hint is for STORE, or for STORE/DATASET where the store has one stream per dataset.",
                   SERVICE("hints: {streams: {Store1/customers: {chunk_rows: 1000}}}\n" ASSIGNED),
                   SERVICE("hints: {streams: {Store1: {chunk_rows: 1000}}}\n" ASSIGNED)},
    [LINT_PRIMARY] = {"L051", DIAG_ERROR, "primary ingestion of nothing",
                      "`primary_ingestion` names a datastore and a platform, of this service or of another one.",
                      SERVICE("primary_ingestion: {Store1: YellowFrensic}\n" ASSIGNED),
                      SERVICE("primary_ingestion: {Store1: YellowLive}\n" ASSIGNED)},
    // --- checks of a dataset
    [LINT_CHECK_COLUMN] = {"L052", DIAG_ERROR, "a check on no column", "A check names columns of its dataset.",
                           CHECKED("{not_null: [nmae]}"), CHECKED("{not_null: [name]}")},
    [LINT_CHECK_EMPTY] = {"L053", DIAG_ERROR, "a check of nothing",
                          "A check that any row passes is most likely not what was meant: a list without columns, a "
                          "range without ends, no condition.",
                          CHECKED("{range: {column: age}}"), CHECKED("{range: {column: age, min: 0}}")},
    [LINT_CHECK_BOUND] = {"L054", DIAG_ERROR, "a range that holds no value",
                          "The ends of a range are values of the column's type, finite ones, and the lesser one is "
                          "`min`. Both belong to the range. Leave an end out to leave it open.",
                          CHECKED("{range: {column: age, min: 150, max: 0}}"),
                          CHECKED("{range: {column: age, min: 0, max: 150}}")},
    [LINT_CHECK_TYPE] = {"L055", DIAG_ERROR, "values that can't be compared",
                         "A range is for numbers, dates and times. Texts have another order in each collation; `sql` "
                         "can say which one is meant. JSON can't be unique: the same value has many texts.",
                         CHECKED("{range: {column: name, min: a}}"), CHECKED("{range: {column: age, min: 1}}")},
    [LINT_CHECK_SQL] = {"L056", DIAG_ERROR, "a check that is not one condition",
                        "`sql` is one condition on the columns of a row: no statement, no comment, no SELECT, and "
                        "every parenthesis and quote has its partner. `plan` has the merge database look at it, too.",
                        CHECKED("{sql: \"age > 0; DROP TABLE customers\"}"), CHECKED("{sql: age > 0 OR name IS NULL}")},
    [LINT_CHECK_NEEDLESS] =
        {"L057", DIAG_INFO, "a check that always holds",
         "Rows with the same key can't be, and a column that is `not null` has values: the column says so already.",
         CHECKED("{unique: [id]}"), CHECKED("{unique: [name]}")},
    // --- load, and what else does not go together
    [LINT_LIMIT] = {"L058", DIAG_WARNING, "a limit without an effect",
                    "Of several limits the smallest holds: writers are connections, too, and a service can't allow "
                    "itself more than the container does.",
                    SERVICE("limits: {CustomerDB: {connections: 2, writers: 4}}\n" ASSIGNED),
                    SERVICE("limits: {CustomerDB: {connections: 4, writers: 2}}\n" ASSIGNED)},
    [LINT_HINT_LOAD] =
        {"L059", DIAG_WARNING, "more workers than connections",
         "Each worker of a stream reads through a connection of its own, and the container's limits allow fewer.",
         SERVICE("hints: {streams: {Store1: {workers: 4}}}\nlimits: {CustomerDB: {connections: 2}}\n" ASSIGNED),
         SERVICE("hints: {streams: {Store1: {workers: 2}}}\nlimits: {CustomerDB: {connections: 2}}\n" ASSIGNED)},
    [LINT_PRIMARY_UNFIT] =
        {"L060", DIAG_WARNING, "a primary that can't feed the others",
         "The service's other platforms read what the primary has merged. So a group on the primary must use the "
         "datastore, and where another platform keeps history, the primary keeps it, too.",
         PRIMARY("YellowLive"), SERVICE("primary_ingestion: {Store1: YellowLive}\n" ASSIGNED)},
    [LINT_OUTPUT_PRODUCTION] =
        {"L061", DIAG_WARNING, "a transformer and its output differ about production",
         "Production data should be made by a production workspace, and what that makes should promise as much.",
         TRANSFORMER(SQL_CUSTOMERS(SELECT)) "    production: true\n", TRANSFORMER(SQL_CUSTOMERS(SELECT))},
    [LINT_RETENTION] =
        {"L062", DIAG_WARNING, "retention without history",
         "`retention` says how long history is needed. A group that requires live rows only has none.",
         WORKSPACE("dataset_groups:\n  live: {requires: {retention: 7y}, sinks: [Store1/customers]}\n"),
         WORKSPACE("dataset_groups:\n  live: {requires: {history: full, retention: 7y}, sinks: [Store1/customers]}\n")
             NEXT SERVICE("assignments:\n" ASSIGN("Consumer1/live", ON("YellowForensic")))},
    [LINT_WATERMARK_BLIND] =
        {"L063", DIAG_INFO, "what a watermark doesn't tell",
         "A watermark tells of rows that are there and have one. Deleted rows, and rows that changed without it, are "
         "found by a sweep, which reads whole tables. Rows whose watermark is null are read in every batch.",
         WATERMARKED("changed", "id: integer primary key, changed: timestamp not null"),
         WATERMARKED("changed, sweep: 1d", "id: integer primary key, changed: timestamp not null")},
};
