// Those who use data and those who move it: workspaces, transformers, platform services.
#include "model/fields_int.h"

// Rows of tables are written by hand.
// clang-format off

// --- dataset groups

static const model_word HISTORIES[] = {
    {"live", HISTORY_LIVE, "the rows as they are now"},
    {"full", HISTORY_FULL, "every version of every row"},
};
static const model_words WORDS_HISTORY = WORDS(HISTORIES);
static const model_word LATENCIES[] = {
    {"seconds", 0, NULL},
    {"minutes", 1, NULL},
    {"hours", 2, NULL},
    {"days", 3, NULL},
};
static const model_words WORDS_LATENCY = WORDS(LATENCIES);
static const model_field REQUIRES_FIELDS[] = {
    {.key = "history", .kind = FIELD_TEXT, .offset = AT(ds_requires, history_text),
     .value_offset = AT(ds_requires, history), .words = &WORDS_HISTORY, .fallback = "live",
     .about = "rows as they are, or every version", .example = "full"},
    {.key = "latency", .kind = FIELD_TEXT, .offset = AT(ds_requires, latency), .words = &WORDS_LATENCY,
     .fallback = "minutes", .about = "how old the data may be", .example = "hours"},
    {.key = "retention", .kind = FIELD_TEXT, .offset = AT(ds_requires, retention), .pattern = PATTERN_RETENTION,
     .about = "how long history must be kept", .example = "7y"},
    {.key = "regulator", .kind = FIELD_TEXT, .offset = AT(ds_requires, regulator), .about = "who asks for it",
     .example = "SEC"},
};
static const model_shape SHAPE_REQUIRES = {
    .name = "requires", .about = "what a group needs from its platform", FIELDS(REQUIRES_FIELDS), FILLS(ds_requires),
};

static const model_field SINK_FIELDS[] = {
    {.key = "dataset", .kind = FIELD_SINK, .required = true, .pattern = PATTERN_PAIR, .about = "STORE/DATASET",
     .example = "Store1/customers"},
    {.key = "allow_deprecated", .kind = FIELD_FLAG, .offset = AT(ds_sink, allow_deprecated), .fallback = "false",
     .about = "true: the producer may deprecate it", .example = "true"},
};
static const model_field SINK_SHORT = {
    .kind = FIELD_SINK, .pattern = PATTERN_PAIR, .about = "STORE/DATASET", .example = "Store1/customers",
};
const model_shape SHAPE_SINK = {
    .name = "sink", .about = "a dataset that is wanted: STORE/DATASET, or a map", FIELDS(SINK_FIELDS),
    .short_form = &SINK_SHORT, FILLS(ds_sink), .known_by_name = true, .name_offset = AT(ds_sink, text),
};

static const model_field GROUP_FIELDS[] = {
    {.key = "requires", .kind = FIELD_STRUCT, .offset = AT(ds_group, requires_), .shape = &SHAPE_REQUIRES,
     .about = "what it needs", .example = "{history: live, latency: minutes}"},
    {.key = "sinks", .kind = FIELD_LIST, .offset = AT(ds_group, sinks), .required = true, .shape = &SHAPE_SINK,
     .about = "the datasets that are wanted", .example = "Store1/customers"},
};
const model_shape SHAPE_GROUP = {
    .name = "dataset group", .about = "datasets that are used together", FIELDS(GROUP_FIELDS), FILLS(ds_group),
    .named = true, .name_is_string = true, .name_offset = AT(ds_group, name), .name_pattern = PATTERN_NAME,
    .part = true,
};

// --- transformers

static const model_field SQL_FIELDS[] = {
    {.key = "postgres", .kind = FIELD_TEXT, .offset = AT(ds_sql_text, postgres),
     .about = "for a PostgreSQL merge database", .example = "SELECT id FROM {input.Store1.customers}"},
    {.key = "sqlite", .kind = FIELD_TEXT, .offset = AT(ds_sql_text, sqlite), .about = "for a SQLite merge database",
     .example = "SELECT id FROM {input.Store1.customers}"},
};
static const model_field SQL_SHORT = {
    .kind = FIELD_TEXT, .offset = AT(ds_sql_text, any),
    .about = "one SELECT; {GROUP.STORE.DATASET} is an input's view",
    .example = "SELECT id FROM {input.Store1.customers}",
};
static const model_shape SHAPE_SQL = {
    .name = "sql", .about = "one SELECT for an output dataset, or one per dialect", FIELDS(SQL_FIELDS),
    .short_form = &SQL_SHORT, FILLS(ds_sql_text), .named = true, .name_is_string = true,
    .name_offset = AT(ds_sql_text, dataset), .name_pattern = PATTERN_NAME, .part = true,
    .name_of = "dataset",
};

static const model_field COMMAND_FIELDS[] = {
    {.key = "image", .kind = FIELD_TEXT, .offset = AT(ds_command, image), .choice = true, .about = "container image",
     .example = "acme/mask:1.4"},
    {.key = "exec", .kind = FIELD_TEXTS, .offset = AT(ds_command, exec), .choice = true, .ordered = true,
     .about = "program and arguments", .example = "./mask"},
    {.key = "args", .kind = FIELD_TEXTS, .offset = AT(ds_command, args), .ordered = true, .about = "arguments of the image",
     .example = "--all"},
    {.key = "timeout", .kind = FIELD_TEXT, .offset = AT(ds_command, timeout), .pattern = PATTERN_SPAN, .fallback = "1h",
     .about = "how long it may run before it is ended", .example = "10m"},
};
static const model_shape SHAPE_COMMAND = {
    .name = "command", .about = "a program that gets a JSON context file", FIELDS(COMMAND_FIELDS), FILLS(ds_command),
};

static const model_field RUN_FIELDS[] = {
    {.key = "sql", .kind = FIELD_MAP, .offset = AT(ds_transformer, sql), .choice = true, .shape = &SHAPE_SQL,
     .about = "one SELECT per output dataset", .example = "{customers: \"SELECT id FROM {input.Store1.customers}\"}"},
    {.key = "command", .kind = FIELD_STRUCT, .offset = AT(ds_transformer, command), .choice = true,
     .shape = &SHAPE_COMMAND, .about = "a program", .example = "{exec: [./mask]}"},
    {.key = "timeout", .kind = FIELD_TEXT, .offset = AT(ds_transformer, timeout), .pattern = PATTERN_SPAN,
     .about = "how long a SELECT may take before it is ended, or a command that says nothing else; absent: no limit for "
              "a SELECT", .example = "10m"},
};
static const model_shape SHAPE_RUN = {
    .name = "run", .about = "what the transformer does", FIELDS(RUN_FIELDS), .size = sizeof(ds_transformer),
    .pos_offset = AT(ds_transformer, run_pos),
};

static const model_field TRANSFORMER_FIELDS[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_transformer, name), .required = true, .pattern = PATTERN_NAME,
     .about = "for people and logs", .example = "mask"},
    {.key = "trigger", .kind = FIELD_STRUCT, .offset = AT(ds_transformer, trigger), .shape = &SHAPE_TRIGGER,
     .about = "absent: after its inputs", .example = "{cron: \"0 * * * *\"}"},
    {.key = "run", .kind = FIELD_STRUCT, .required = true, .shape = &SHAPE_RUN, .about = "what it does",
     .example = "{sql: {customers: \"SELECT id FROM {input.Store1.customers}\"}}"},
    {.key = "output", .kind = FIELD_POINTER, .offset = AT(ds_transformer, output), .required = true,
     .shape = &SHAPE_OUTPUT, .about = "the datastore that it writes",
     .example = "{datastore: MaskedCustomers, datasets: {customers: {columns: {id: varchar(20) primary key}}}}"},
};
static const model_shape SHAPE_TRANSFORMER = {
    .name = "transformer", .about = "makes datasets from the workspace's inputs", FIELDS(TRANSFORMER_FIELDS),
    FILLS(ds_transformer),
};

// --- Workspace

static const model_word PRIORITIES[] = {
    {"critical", PRIORITY_CRITICAL, NULL},
    {"high", PRIORITY_HIGH, NULL},
    {"medium", PRIORITY_MEDIUM, NULL},
    {"low", PRIORITY_LOW, NULL},
};
static const model_words WORDS_PRIORITY = WORDS(PRIORITIES);

const char *priority_name(ds_priority priority)
{
    for (size_t i = 0; i < COUNT(PRIORITIES); i++)
        if (PRIORITIES[i].value == (int)priority)
            return PRIORITIES[i].word;
    BUG("priority %d has no name", (int)priority);
}

static const model_field WORKSPACE_FIELDS[] = {
    {.key = "team", .kind = FIELD_TEXT, .offset = AT(ds_workspace, team), .required = true, .pattern = PATTERN_TEAM,
     .about = "the team that owns it", .example = "USA/analytics"},
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_workspace, name), .required = true, .pattern = PATTERN_NAME,
     .about = "unique in the ecosystem", .example = "Consumer1"},
    {.key = "offered_to", .kind = FIELD_TEXT, .offset = AT(ds_workspace, offered_to), .pattern = PATTERN_TEAM,
     .about = "a team that may take it over, by changing `team`", .example = "USA/customer_data"},
    {.key = "description", .kind = FIELD_TEXT, .offset = AT(ds_workspace, description), .about = "for people",
     .example = "weekly sales reports"},
    {.key = "production", .kind = FIELD_FLAG, .offset = AT(ds_workspace, production), .fallback = "false",
     .about = "true: it should use production datastores only", .example = "true"},
    {.key = "deprecated", .kind = FIELD_DEPRECATED, .offset = AT(ds_workspace, deprecated), .fallback = "false",
     .about = "false, true, or the reason", .example = "use Consumer2"},
    {.key = "priority", .kind = FIELD_TEXT, .offset = AT(ds_workspace, priority_text),
     .value_offset = AT(ds_workspace, priority), .words = &WORDS_PRIORITY, .fallback = "medium",
     .about = "flows to every stream that feeds it", .example = "high"},
    {.key = "container", .kind = FIELD_TEXT, .offset = AT(ds_workspace, container), .pattern = PATTERN_NAME,
     .about = "a replica of its own", .example = "ReportsDB"},
    {.key = "credential", .kind = FIELD_TEXT, .offset = AT(ds_workspace, credential), .pattern = PATTERN_LABEL,
     .about = "name of the secret for that container", .example = "reports_rw"},
    {.key = "dataset_groups", .kind = FIELD_MAP, .offset = AT(ds_workspace, groups), .required = true,
     .shape = &SHAPE_GROUP, .about = "what it uses, by name", .example = "{live: {sinks: [Store1/customers]}}"},
    {.key = "transformer", .kind = FIELD_STRUCT, .offset = AT(ds_workspace, transformer), .shape = &SHAPE_TRANSFORMER,
     .about = "what it makes from that", .example = "{name: mask, run: {command: {exec: [./mask]}}, output: {datastore: MaskedCustomers, datasets: "
                "{customers: {columns: {id: varchar(20) primary key}}}}}"},
};
const model_shape SHAPE_WORKSPACE = {
    .name = "Workspace", .about = "datasets that a team uses, and what it makes of them", FIELDS(WORKSPACE_FIELDS),
    FILLS(ds_workspace),
};

// --- PlatformService

static const model_field MERGE_FIELDS[] = {
    {.key = "container", .kind = FIELD_TEXT, .offset = AT(ds_platform_service, merge_container), .required = true,
     .pattern = PATTERN_NAME, .about = "the merge database", .example = "MergeDB"},
    {.key = "credential", .kind = FIELD_TEXT, .offset = AT(ds_platform_service, merge_credential),
     .pattern = PATTERN_LABEL, .about = "name of the secret to connect with", .example = "merge_rw"},
};
static const model_shape SHAPE_MERGE = {
    .name = "merge", .about = "where staging, merge tables and views are", FIELDS(MERGE_FIELDS),
    .size = sizeof(ds_platform_service), .pos_offset = AT(ds_platform_service, merge_pos),
};

static const model_word MILESTONINGS[] = {
    {"scd1", MILESTONING_SCD1, "live rows only"},
    {"scd2", MILESTONING_SCD2, "every version in one table"},
    {"scd4", MILESTONING_SCD4, "live rows, and a history table beside them"},
};
static const model_words WORDS_MILESTONING = WORDS(MILESTONINGS);

const char *milestoning_name(ds_milestoning milestoning)
{
    for (size_t i = 0; i < COUNT(MILESTONINGS); i++)
        if (MILESTONINGS[i].value == (int)milestoning)
            return MILESTONINGS[i].word;
    BUG("milestoning %d has no name", (int)milestoning);
}

static const model_field PLATFORM_FIELDS[] = {
    {.key = "type", .kind = FIELD_TEXT, .offset = AT(ds_platform, type), .required = true, .pattern = PATTERN_LABEL,
     .about = "how data is moved: yellow, with SQL staging, merge tables and views in a merge database",
     .example = "yellow"},
    {.key = "milestoning", .kind = FIELD_TEXT, .offset = AT(ds_platform, milestoning_text),
     .value_offset = AT(ds_platform, milestoning), .required = true, .words = &WORDS_MILESTONING,
     .about = "how history is kept", .example = "scd2"},
    {.key = "staging_batches", .kind = FIELD_BATCHES, .offset = AT(ds_platform, staging_batches_text),
     .value_offset = AT(ds_platform, staging_batches), .fallback = "50", .min = 0, .max = INT32_MAX,
     .about = "how many batches stay in staging as evidence, or all", .example = "all"},
};
const model_shape SHAPE_PLATFORM = {
    .name = "platform", .about = "one way to keep tables", FIELDS(PLATFORM_FIELDS), FILLS(ds_platform), .named = true,
    .name_is_string = true, .name_offset = AT(ds_platform, name), .name_pattern = PATTERN_NAME, .part = true,
};

static const model_word ASSEMBLY_TYPES[] = {
    {"kubernetes", 0, "jobs are pods of a cluster, scheduled by Airflow"},
};
static const model_words WORDS_ASSEMBLY = WORDS(ASSEMBLY_TYPES);
static const model_word ASSEMBLY_DATABASES[] = {
    {"shared", 0, "Airflow's tables are in the merge database's server"},
    {"own", 1, "Airflow has a database server of its own"},
};
static const model_words WORDS_DATABASE = WORDS(ASSEMBLY_DATABASES);
static const model_word AIRFLOWS[] = {
    {"2", 0, NULL},
    {"3", 1, NULL},
};
static const model_words WORDS_AIRFLOW = WORDS(AIRFLOWS);
static const model_field ASSEMBLY_FIELDS[] = {
    {.key = "type", .kind = FIELD_TEXT, .offset = AT(ds_assembly, type), .required = true, .words = &WORDS_ASSEMBLY,
     .about = "what the service runs on", .example = "kubernetes"},
    {.key = "database", .kind = FIELD_TEXT, .offset = AT(ds_assembly, database), .words = &WORDS_DATABASE,
     .about = "where Airflow keeps its tables", .example = "shared"},
    {.key = "airflow", .kind = FIELD_TEXT, .offset = AT(ds_assembly, airflow), .words = &WORDS_AIRFLOW,
     .about = "major version of Airflow", .example = "\"3\""},
    {.key = "namespace", .kind = FIELD_TEXT, .offset = AT(ds_assembly, namespace_), .pattern = PATTERN_DNS_LABEL,
     .about = "namespace in the cluster", .example = "yellow-ny"},
};
static const model_shape SHAPE_ASSEMBLY = {
    .name = "assembly", .about = "what the service runs on", FIELDS(ASSEMBLY_FIELDS), FILLS(ds_assembly),
};

static const model_field STREAM_FIELDS[] = {
    {.key = "chunk_rows", .kind = FIELD_INT, .offset = AT(ds_stream_hint, chunk_rows), .min = 1, .max = 10000000,
     .about = "rows read at a time", .example = "50000"},
    {.key = "workers", .kind = FIELD_INT, .offset = AT(ds_stream_hint, workers), .min = 1, .max = 1000,
     .about = "readers at a time", .example = "2"},
    {.key = "memory", .kind = FIELD_TEXT, .offset = AT(ds_stream_hint, memory), .pattern = PATTERN_MEMORY,
     .about = "for buffers", .example = "64Mi"},
};
static const model_shape SHAPE_STREAM = {
    .name = "stream hint", .about = "how to run a stream", FIELDS(STREAM_FIELDS), FILLS(ds_stream_hint), .named = true,
    .name_is_string = true, .name_offset = AT(ds_stream_hint, name), .name_pattern = PATTERN_STREAM,
};
static const model_field HINTS_FIELDS[] = {
    {.key = "streams", .kind = FIELD_MAP, .offset = AT(ds_platform_service, stream_hints), .shape = &SHAPE_STREAM,
     .about = "by STORE or STORE/DATASET", .example = "{Store1: {chunk_rows: 50000}}"},
};
static const model_shape SHAPE_HINTS = {
    .name = "hints", .about = "how to run streams", FIELDS(HINTS_FIELDS), .size = sizeof(ds_platform_service),
    .pos_offset = AT(ds_platform_service, hints_pos),
};

static const model_field LIMIT_FIELDS[] = {CAPS_ROWS(ds_limit, caps.)};
static const model_shape SHAPE_LIMIT = {
    .name = "limit", .about = "how much load this service may put on a container", FIELDS(LIMIT_FIELDS),
    FILLS(ds_limit), .body_pos_offset = AT(ds_limit, caps.pos), .named = true, .name_is_string = true,
    .name_offset = AT(ds_limit, container), .name_pattern = PATTERN_NAME,
    .name_of = "container",
};

static const model_word STATUSES[] = {
    {"provisioning", ASSIGNMENT_PROVISIONING, "loads and verifies, without views"},
    {"provisioned", ASSIGNMENT_PROVISIONED, "owns the consumers' views"},
    {"decommissioning", ASSIGNMENT_DECOMMISSIONING, "keeps running until another one has taken over"},
    {"decommissioned", ASSIGNMENT_DECOMMISSIONED, "stopped"},
};
static const model_words WORDS_STATUS = WORDS(STATUSES);
static const model_field ASSIGNED_FIELDS[] = {
    {.key = "platform", .kind = FIELD_TEXT, .offset = AT(ds_assigned_platform, platform), .required = true,
     .pattern = PATTERN_NAME, .about = "one of this service's platforms", .example = "YellowLive"},
    {.key = "status", .kind = FIELD_TEXT, .offset = AT(ds_assigned_platform, status_text),
     .value_offset = AT(ds_assigned_platform, status), .required = true, .words = &WORDS_STATUS,
     .about = "where it is between provisioning and decommissioned", .example = "provisioned"},
};
static const model_shape SHAPE_ASSIGNED = {
    .name = "assigned platform", .about = "a platform that serves the group", FIELDS(ASSIGNED_FIELDS),
    FILLS(ds_assigned_platform), .known_by_name = true, .name_offset = AT(ds_assigned_platform, platform),
};
static const model_field ASSIGNMENT_FIELDS[] = {
    {.key = "group", .kind = FIELD_TEXT, .offset = AT(ds_assignment, group), .required = true,
     .pattern = PATTERN_GROUP, .about = "WORKSPACE/GROUP", .example = "Consumer1/live"},
    {.key = "platforms", .kind = FIELD_LIST, .offset = AT(ds_assignment, platforms), .required = true,
     .shape = &SHAPE_ASSIGNED, .about = "who serves it", .example = "{platform: YellowLive, status: provisioned}"},
};
static const model_shape SHAPE_ASSIGNMENT = {
    .name = "assignment", .about = "which platforms serve a dataset group", FIELDS(ASSIGNMENT_FIELDS),
    FILLS(ds_assignment), .known_by_name = true, .name_offset = AT(ds_assignment, group),
};

static const model_field PRIMARY_SHORT = {
    .kind = FIELD_TEXT, .offset = AT(ds_primary, platform), .pattern = PATTERN_NAME,
    .about = "the only platform that reads the source", .example = "YellowForensic",
};
static const model_shape SHAPE_PRIMARY = {
    .name = "primary ingestion", .about = "the platform that reads the source; others read its merge tables",
    .short_form = &PRIMARY_SHORT, FILLS(ds_primary), .named = true, .name_is_string = true,
    .name_offset = AT(ds_primary, store), .name_pattern = PATTERN_NAME,
    .name_of = "datastore",
};

static const model_field SERVICE_FIELDS[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_platform_service, name), .required = true,
     .pattern = PATTERN_LABEL, .about = "as the Ecosystem declares it", .example = "Yellow_NY"},
    {.key = "description", .kind = FIELD_TEXT, .offset = AT(ds_platform_service, description), .about = "for people",
     .example = "everything in New York"},
    {.key = "locations", .kind = FIELD_TEXTS, .offset = AT(ds_platform_service, locations),
     .pattern = PATTERN_LOCATION, .about = "where it runs", .example = "\"MyCorp:USA/NY_1\""},
    {.key = "merge", .kind = FIELD_STRUCT, .required = true, .shape = &SHAPE_MERGE, .about = "the merge database",
     .example = "{container: MergeDB, credential: merge_rw}"},
    {.key = "containers", .kind = FIELD_MAP, .offset = AT(ds_platform_service, containers), .shape = &SHAPE_CONTAINER,
     .about = "containers of its own, by name", .example = "{MergeDB: {type: sqlite, path: merge.db}}"},
    {.key = "platforms", .kind = FIELD_MAP, .offset = AT(ds_platform_service, platforms), .required = true,
     .ordered = true, .shape = &SHAPE_PLATFORM, .about = "by name; unique in the ecosystem",
     .example = "{YellowLive: {type: yellow, milestoning: scd1}}"},
    {.key = "auto_assign", .kind = FIELD_FLAG, .offset = AT(ds_platform_service, auto_assign), .fallback = "false",
     .about = "true: groups without an assignment get the first platform that fits", .example = "true"},
    {.key = "assembly", .kind = FIELD_STRUCT, .offset = AT(ds_platform_service, assembly), .shape = &SHAPE_ASSEMBLY,
     .about = "what it runs on", .example = "{type: kubernetes, namespace: yellow-ny}"},
    {.key = "hints", .kind = FIELD_STRUCT, .shape = &SHAPE_HINTS, .about = "how to run streams",
     .example = "{streams: {Store1: {workers: 2}}}"},
    {.key = "limits", .kind = FIELD_MAP, .offset = AT(ds_platform_service, limits), .shape = &SHAPE_LIMIT,
     .about = "how much load it may put on containers", .example = "{CustomerDB: {connections: 2}}"},
    {.key = "assignments", .kind = FIELD_LIST, .offset = AT(ds_platform_service, assignments),
     .shape = &SHAPE_ASSIGNMENT, .about = "which platforms serve which groups",
     .example = "{group: Consumer1/live, platforms: [{platform: YellowLive, status: provisioned}]}"},
    {.key = "primary_ingestion", .kind = FIELD_MAP, .offset = AT(ds_platform_service, primary_ingestion),
     .shape = &SHAPE_PRIMARY, .about = "by store: the only platform that reads the source",
     .example = "{Store1: YellowForensic}"},
};
const model_shape SHAPE_PLATFORM_SERVICE = {
    .name = "PlatformService", .about = "a merge database and the platforms that run in it", FIELDS(SERVICE_FIELDS),
    FILLS(ds_platform_service),
};
