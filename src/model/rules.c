#include "model/rules.h"

#define STORE_HEAD                                                                                                     \
    "kind: Datastore\n"                                                                                                \
    "team: USA/customer_data\n"                                                                                        \
    "name: Store1\n"                                                                                                   \
    "capture: {type: sql_snapshot, container: CustomerDB, trigger: {cron: \"*/5 * * * *\"}}\n"                         \
    "datasets:\n"                                                                                                      \
    "  customers:\n"
#define COLUMNS(text) STORE_HEAD "    columns:\n" text
#define WORKSPACE(rest)                                                                                                \
    "kind: Workspace\n"                                                                                                \
    "team: USA/analytics\n"                                                                                            \
    "name: Consumer1\n" rest
#define CONTAINER(rest)                                                                                                \
    "kind: DataContainer\n"                                                                                            \
    "team: USA/customer_data\n" rest

// Adding a rule: its member in rules.h (at the end: ids never change), a row here, and a case in tests/golden/model.
// A test loads every example: the failing one must break its rule, the passing one none.
const ds_rule MODEL_RULES[MODEL_RULE_COUNT] = {
    [RULE_SYNTAX] = {"M001", DIAG_ERROR, "not YAML",
                     "The text can't be read as YAML. Other documents of the file are still read.",
                     "kind: [Workspace\n", WORKSPACE("dataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_UNKNOWN_KEY] = {"M002", DIAG_ERROR, "unknown key", "No field of that name exists here. Look at its spelling.",
                          COLUMNS("      id: varchar(20) primary key\n    colour: red\n"),
                          COLUMNS("      id: varchar(20) primary key\n")},
    [RULE_KIND] = {"M003", DIAG_ERROR, "no such kind of document",
                   "Every document is a map that says its kind: Ecosystem, GovernanceZone, DataContainer, Datastore, "
                   "Workspace, PlatformService or Environment.",
                   "kind: Workplace\nname: Consumer1\n",
                   WORKSPACE("dataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_DUPLICATE_KEY] = {"M004", DIAG_ERROR, "a key twice", "A map has the same key twice; the first one counts.",
                            COLUMNS("      id: varchar(20) primary key\n      id: integer\n"),
                            COLUMNS("      id: varchar(20) primary key\n      number: integer\n")},
    [RULE_MISSING] = {"M005", DIAG_ERROR, "a field is missing", "A field that must be given is not there.",
                      CONTAINER("type: sqlite\npath: customers.db\n"),
                      CONTAINER("name: CustomerDB\ntype: sqlite\npath: customers.db\n")},
    [RULE_SHAPE] = {"M006", DIAG_ERROR, "a text, list or map in place of another",
                    "The field is of another form than what was written.",
                    WORKSPACE("dataset_groups: {live: {sinks: Store1/customers}}\n"),
                    WORKSPACE("dataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_EMPTY] = {"M007", DIAG_ERROR, "no value",
                    "A key without a value (or with null) says nothing. Leave the key out, or give it a value.",
                    WORKSPACE("description:\ndataset_groups: {live: {sinks: [Store1/customers]}}\n"),
                    WORKSPACE("dataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_VALUE] = {"M008", DIAG_ERROR, "not a value of this field",
                    "The field takes some words, true or false, or a number between two ends.",
                    WORKSPACE("priority: urgent\ndataset_groups: {live: {sinks: [Store1/customers]}}\n"),
                    WORKSPACE("priority: high\ndataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_NAME] = {"M009", DIAG_ERROR, "not a legal name",
                   "Names are a letter, then letters, digits and _, at most 128. A column may have any name at the "
                   "source: write it into source.",
                   COLUMNS("      order no: integer primary key\n"),
                   COLUMNS("      order_no: {type: integer primary key, source: order no}\n")},
    [RULE_CASE] = {"M010", DIAG_ERROR, "names that differ only by case",
                   "Some databases can't keep such names apart. Rename one of them.",
                   COLUMNS("      id: integer primary key\n      ID: integer\n"),
                   COLUMNS("      id: integer primary key\n      id2: integer\n")},
    [RULE_RESERVED] = {"M011", DIAG_ERROR, "a reserved column name",
                       "Columns that begin with ds_ are added by the platform. Rename it; its name at the source goes "
                       "into source.",
                       COLUMNS("      ds_id: integer primary key\n"),
                       COLUMNS("      id: {type: integer primary key, source: ds_id}\n")},
    [RULE_DUPLICATE] =
        {"M012", DIAG_ERROR, "declared twice",
         "Two objects have the same name where it must be unique, and the first one counts; or a list whose "
         "order says nothing has an entry twice.",
         CONTAINER("name: CustomerDB\ntype: sqlite\npath: a.db\n") "---\n" CONTAINER(
             "name: CustomerDB\ntype: sqlite\npath: b.db\n"),
         CONTAINER("name: CustomerDB\ntype: sqlite\npath: a.db\n") "---\n" CONTAINER(
             "name: OrderDB\ntype: sqlite\npath: b.db\n")},
    [RULE_TYPE] = {"M013", DIAG_ERROR, "not a column type",
                   "A column is a type, and perhaps primary key, not null, null, partition.",
                   COLUMNS("      id: varchr(20) primary key\n"), COLUMNS("      id: varchar(20) primary key\n")},
    [RULE_CUT_OFF] = {"M014", DIAG_ERROR, "a value cut off at a comma",
                      "Between braces a comma ends a value, also inside of parentheses. Put quotes around the value.",
                      STORE_HEAD "    columns: {id: integer primary key, balance: decimal(12,2)}\n",
                      STORE_HEAD "    columns: {id: integer primary key, balance: \"decimal(12,2)\"}\n"},
    [RULE_YAML_FEATURE] = {"M015", DIAG_ERROR, "a part of YAML that models don't use",
                           "Tags, directives and merge keys are refused: what stands in the file is what is meant.",
                           WORKSPACE("dataset_groups: {live: {sinks: [!str Store1/customers]}}\n"),
                           WORKSPACE("dataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_LIMIT] = {"M016", DIAG_ERROR, "over a limit",
                    "The file is too large, nested too deep, has a text that is too long, or its aliases expand to too "
                    "much.",
                    "kind: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[deep]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
                    WORKSPACE("dataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_ENCODING] = {"M017", DIAG_ERROR, "not plain UTF-8",
                       "Files are UTF-8 without control characters, with LF or CRLF line ends.",
                       WORKSPACE("description: two\xE2\x80\xA8lines\n"
                                 "dataset_groups: {live: {sinks: [Store1/customers]}}\n"),
                       WORKSPACE("description: two lines\n"
                                 "dataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_ALIAS] = {"M018", DIAG_ERROR, "an alias of nothing",
                    "An alias (*name) repeats what stands at an anchor (&name) above it in the same document.",
                    WORKSPACE("dataset_groups: {live: {sinks: *all}}\n"),
                    WORKSPACE("dataset_groups:\n  live: {sinks: &all [Store1/customers]}\n  more: {sinks: *all}\n")},
    [RULE_NOT_FOR_TYPE] = {"M019", DIAG_ERROR, "a field of another type",
                           "The field exists, but means nothing for this type.",
                           CONTAINER("name: CustomerDB\ntype: sqlite\npath: customers.db\nport: 5432\n"),
                           CONTAINER("name: CustomerDB\ntype: sqlite\npath: customers.db\n")},
    [RULE_REFERENCE] = {"M020", DIAG_ERROR, "not of the form that is needed",
                        "References, locations, repositories, times and amounts have forms of their own.",
                        WORKSPACE("dataset_groups: {live: {sinks: [customers]}}\n"),
                        WORKSPACE("dataset_groups: {live: {sinks: [Store1/customers]}}\n")},
    [RULE_ENVIRONMENT] =
        {"M021", DIAG_ERROR, "an environment replaces what is not there",
         "The containers of an Environment have the names of containers that the model declares.",
         CONTAINER(
             "name: CustomerDB\ntype: sqlite\npath: a.db\n") "---\n"
                                                             "kind: Environment\nname: laptop\ncontainers: {CustomerDb2: {type: sqlite, path: b.db}}\n",
         CONTAINER(
             "name: CustomerDB\ntype: sqlite\npath: a.db\n") "---\n"
                                                             "kind: Environment\nname: laptop\ncontainers: {CustomerDB: {type: sqlite, path: b.db}}\n"},
    [RULE_CHOICE] = {"M022", DIAG_ERROR, "one of several", "Exactly one of some fields must be given.",
                     "kind: Datastore\nteam: USA/customer_data\nname: Store1\n"
                     "capture: {type: sql_snapshot, container: CustomerDB, trigger: {timezone: UTC}}\n"
                     "datasets: {customers: {columns: {id: integer primary key}}}\n",
                     "kind: Datastore\nteam: USA/customer_data\nname: Store1\n"
                     "capture: {type: sql_snapshot, container: CustomerDB, trigger: {external: true}}\n"
                     "datasets: {customers: {columns: {id: integer primary key}}}\n"},
    // These two take more than a text: see test_tree.c.
    [RULE_LINK] =
        {"M023", DIAG_ERROR, "a symbolic link",
         "A link whose name is that of a model's file. Links are not followed in git, and on disk only to files "
         "of the model's own directory: what they lead to is not part of what is reviewed.",
         "", ""},
    [RULE_INNER] = {"M024", DIAG_WARNING, "a repository within the model",
                    "A submodule, or another repository's clone. What it contains is not part of this repository's "
                    "commits, so it is not part of the model either.",
                    "", ""},
};
