// Containers, environments, datastores and what a transformer writes.
#include "model/fields_int.h"

// Rows of tables are written by hand.
// clang-format off

// --- containers

static const model_word CONTAINER_TYPES[] = {
    {"postgres", CONTAINER_POSTGRES, NULL},   {"sqlite", CONTAINER_SQLITE, NULL},
    {"mariadb", CONTAINER_MARIADB, NULL},     {"sqlserver", CONTAINER_SQLSERVER, NULL},
    {"oracle", CONTAINER_ORACLE, NULL},       {"db2", CONTAINER_DB2, NULL},
    {"snowflake", CONTAINER_SNOWFLAKE, NULL}, {"odbc", CONTAINER_ODBC, "any database with an ODBC driver"},
    {"s3", CONTAINER_S3, "object storage"},   {"http", CONTAINER_HTTP, NULL},
    {"kafka", CONTAINER_KAFKA, NULL},
};
static const model_words WORDS_CONTAINER = WORDS(CONTAINER_TYPES);

const char *container_type_name(ds_container_type type)
{
    for (size_t i = 0; i < COUNT(CONTAINER_TYPES); i++)
        if (CONTAINER_TYPES[i].value == (int)type)
            return CONTAINER_TYPES[i].word;
    return "";
}

static const model_field CAPS_FIELDS[] = {CAPS_ROWS(ds_caps, )};
static const model_shape SHAPE_CAPS = {
    .name = "limits", .about = "how much load a container may get", FIELDS(CAPS_FIELDS), FILLS(ds_caps),
};

static const model_word TLS_MODES[] = {
    {"disable", 0, "never"},
    {"prefer", 1, "when the server offers it"},
    {"require", 2, "always, without looking at the certificate"},
    {"verify-ca", 3, "always, with a certificate by `ca`"},
    {"verify-full", 4, "the same, and the certificate names the host"},
};
static const model_words WORDS_TLS = WORDS(TLS_MODES);
static const model_field TLS_FIELDS[] = {
    {.key = "mode", .kind = FIELD_TEXT, .offset = AT(ds_tls, mode), .words = &WORDS_TLS,
     .about = "when to encrypt, and what to check", .example = "verify-full"},
    {.key = "ca", .kind = FIELD_TEXT, .offset = AT(ds_tls, ca), .about = "file with the certificates to trust",
     .example = "ca.pem"},
    {.key = "cert", .kind = FIELD_TEXT, .offset = AT(ds_tls, cert), .about = "file with our own certificate",
     .example = "client.pem"},
    {.key = "key", .kind = FIELD_TEXT, .offset = AT(ds_tls, key), .about = "file with the key of our certificate",
     .example = "client.key"},
};
static const model_shape SHAPE_TLS = {
    .name = "tls", .about = "encryption of the connection", FIELDS(TLS_FIELDS), FILLS(ds_tls),
};

#define BIT(value) (1u << (value))
#define SERVERS                                                                                                        \
    (BIT(CONTAINER_POSTGRES) | BIT(CONTAINER_MARIADB) | BIT(CONTAINER_SQLSERVER) | BIT(CONTAINER_ORACLE) |             \
     BIT(CONTAINER_DB2) | BIT(CONTAINER_SNOWFLAKE))
#define ON_NETWORK (SERVERS | BIT(CONTAINER_ODBC) | BIT(CONTAINER_S3) | BIT(CONTAINER_HTTP) | BIT(CONTAINER_KAFKA))

static const model_field CONTAINER_FIELDS[] = {
    {.key = "type", .kind = FIELD_TEXT, .offset = AT(ds_container, type_text), .value_offset = AT(ds_container, type),
     .required = true, .tag = true, .words = &WORDS_CONTAINER, .about = "what kind of system it is",
     .example = "postgres"},
    {.key = "locations", .kind = FIELD_TEXTS, .offset = AT(ds_container, locations), .pattern = PATTERN_LOCATION,
     .given_counts = true, .about = "where its data is", .example = "\"MyCorp:USA/NY_1\""},
    {.key = "limits", .kind = FIELD_STRUCT, .offset = AT(ds_container, limits), .shape = &SHAPE_CAPS,
     .given_counts = true, .about = "how much load it may get", .example = "{connections: 2}"},
    {.key = "path", .kind = FIELD_TEXT, .offset = AT(ds_container, path),
     .only_for = BIT(CONTAINER_SQLITE) | BIT(CONTAINER_ODBC) | BIT(CONTAINER_S3) | BIT(CONTAINER_HTTP),
     .required_for = BIT(CONTAINER_SQLITE), .about = "file, relative to the model's directory; bucket and prefix",
     .example = "customers.db"},
    {.key = "host", .kind = FIELD_TEXT, .offset = AT(ds_container, host), .only_for = ON_NETWORK,
     .required_for = SERVERS | BIT(CONTAINER_HTTP) | BIT(CONTAINER_KAFKA), .about = "name or address of the server",
     .example = "pg.customers.internal"},
    {.key = "port", .kind = FIELD_INT, .offset = AT(ds_container, port), .only_for = ON_NETWORK, .min = 1,
     .max = 65535, .about = "absent: the system's usual one", .example = "5432"},
    {.key = "database", .kind = FIELD_TEXT, .offset = AT(ds_container, database), .only_for = ON_NETWORK,
     .required_for = SERVERS | BIT(CONTAINER_ODBC), .about = "name of the database, or data source of ODBC",
     .example = "customers"},
    {.key = "schema", .kind = FIELD_TEXT, .offset = AT(ds_container, schema),
     .only_for = SERVERS | BIT(CONTAINER_ODBC), .about = "where tables are when a dataset does not say",
     .example = "public"},
    {.key = "tls", .kind = FIELD_STRUCT, .offset = AT(ds_container, tls), .only_for = ON_NETWORK, .shape = &SHAPE_TLS,
     .about = "encryption of the connection", .example = "{mode: verify-full, ca: ca.pem}"},
};
const model_shape SHAPE_CONTAINER = {
    .name = "container", .about = "a place that holds data", FIELDS(CONTAINER_FIELDS), FILLS(ds_container),
    .named = true, .name_offset = AT(ds_container, name), .name_pattern = PATTERN_NAME, .part = true,
};

static const model_field DATA_CONTAINER_FIELDS[] = {
    {.key = "team", .kind = FIELD_TEXT, .offset = AT(ds_container, team), .required = true, .pattern = PATTERN_TEAM,
     .about = "the team that owns it", .example = "USA/customer_data"},
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_container, name), .required = true, .pattern = PATTERN_NAME,
     .about = "unique in the ecosystem", .example = "CustomerDB"},
    {.key = "offered_to", .kind = FIELD_TEXT, .offset = AT(ds_container, offered_to), .pattern = PATTERN_TEAM,
     .about = "a team that may take it over, by changing `team`", .example = "USA/analytics"},
};
const model_shape SHAPE_DATA_CONTAINER = {
    .name = "DataContainer", .about = "a database, bucket or server that holds data of a team",
    FIELDS(DATA_CONTAINER_FIELDS), .also = &SHAPE_CONTAINER, FILLS(ds_container),
};

static const model_field ENVIRONMENT_FIELDS[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_environment, name), .required = true, .pattern = PATTERN_LABEL,
     .about = "what --env takes", .example = "laptop"},
    {.key = "containers", .kind = FIELD_MAP, .offset = AT(ds_environment, containers), .required = true,
     .shape = &SHAPE_CONTAINER, .about = "containers that are elsewhere there; locations and limits stay unless given",
     .example = "{CustomerDB: {type: sqlite, path: customers.db}}"},
};
const model_shape SHAPE_ENVIRONMENT = {
    .name = "Environment", .about = "the same model on another machine", FIELDS(ENVIRONMENT_FIELDS),
    FILLS(ds_environment),
};

// --- columns

static const model_word CLASSIFICATIONS[] = {
    {"pub", 0, "public"},
    {"ip", 1, "intellectual property"},
    {"pc1", 2, "personal, level 1"},
    {"pc2", 3, "personal, level 2"},
    {"pc3", 4, "personal, level 3"},
    {"cpi", 5, "customers' personal information"},
    {"mnpi", 6, "material non-public information"},
    {"csi", 7, "confidential supervisory information"},
};
const model_words WORDS_CLASSIFICATION = WORDS(CLASSIFICATIONS);

static const ds_column_rest COLUMN_HAS_NONE;
static const model_rest COLUMN_REST = {AT(ds_column, rest), sizeof(ds_column_rest), &COLUMN_HAS_NONE};

#define COLUMN_TYPE_EXAMPLE "varchar(20) primary key"
static const model_field COLUMN_FIELDS[] = {
    {.key = "type", .kind = FIELD_COLUMN_TYPE, .required = true,
     .about = "TYPE [primary key] [not null|null] [partition]", .example = COLUMN_TYPE_EXAMPLE},
    {.key = "description", .kind = FIELD_STRING, .rest = &COLUMN_REST, .offset = AT(ds_column_rest, description),
     .about = "for people", .example = "E.164"},
    {.key = "classification", .kind = FIELD_CLASSES, .rest = &COLUMN_REST, .offset = AT(ds_column_rest, classification),
     .value_offset = AT(ds_column_rest, classification_count), .words = &WORDS_CLASSIFICATION,
     .about = "how the values must be protected; on the dataset or on columns, not both", .example = "cpi"},
    {.key = "source", .kind = FIELD_STRING, .rest = &COLUMN_REST, .offset = AT(ds_column_rest, source),
     .about = "its name at the source", .example = "Town Name"},
};
static const model_field COLUMN_SHORT = {
    .kind = FIELD_COLUMN_TYPE, .about = "TYPE [primary key] [not null|null] [partition]",
    .example = COLUMN_TYPE_EXAMPLE,
};
const model_shape SHAPE_COLUMN = {
    .name = "column", .about = "TYPE [primary key] [not null|null] [partition], or a map", FIELDS(COLUMN_FIELDS),
    .short_form = &COLUMN_SHORT, FILLS(ds_column), .named = true, .name_is_string = true,
    .name_offset = AT(ds_column, name), .name_pattern = PATTERN_COLUMN, .part = true,
};

// --- datasets

static const model_field RANGE_FIELDS[] = {
    {.key = "column", .kind = FIELD_TEXT, .offset = AT(ds_check, range_column), .required = true,
     .pattern = PATTERN_NAME, .about = "the column to look at", .example = "price"},
    {.key = "min", .kind = FIELD_TEXT, .offset = AT(ds_check, min), .about = "the least value allowed, as the column's type writes it",
     .example = "0"},
    {.key = "max", .kind = FIELD_TEXT, .offset = AT(ds_check, max), .about = "the largest value allowed",
     .example = "100000"},
};
static const model_shape SHAPE_RANGE = {
    .name = "range", .about = "values between two ends", FIELDS(RANGE_FIELDS), .size = sizeof(ds_check),
    .pos_offset = AT(ds_check, pos),
};
static const model_field CHECK_FIELDS[] = {
    {.key = "not_null", .kind = FIELD_TEXTS, .offset = AT(ds_check, not_null), .choice = true, .pattern = PATTERN_NAME,
     .about = "columns that must have a value", .example = "email"},
    {.key = "unique", .kind = FIELD_TEXTS, .offset = AT(ds_check, unique), .choice = true, .pattern = PATTERN_NAME,
     .about = "columns whose values together are unique among live rows; a null is equal to nothing", .example = "email"},
    {.key = "range", .kind = FIELD_STRUCT, .choice = true, .shape = &SHAPE_RANGE, .about = "values between two ends, which belong to it; null passes",
     .example = "{column: price, min: 0}"},
    {.key = "sql", .kind = FIELD_TEXT, .offset = AT(ds_check, sql), .choice = true,
     .about = "a condition on one row's columns in the merge database's SQL; false fails, null passes", .example = "price >= cost"},
};
static const model_shape SHAPE_CHECK = {
    .name = "check", .about = "what must hold of every live row before a batch becomes visible", FIELDS(CHECK_FIELDS),
    FILLS(ds_check),
};

static const model_field SOURCE_FIELDS[] = {
    {.key = "schema", .kind = FIELD_TEXT, .offset = AT(ds_source_table, schema), .about = "schema at the source",
     .example = "public"},
    {.key = "table", .kind = FIELD_TEXT, .offset = AT(ds_source_table, table), .about = "table at the source",
     .example = "customer_address"},
};
static const model_shape SHAPE_SOURCE = {
    .name = "source", .about = "where the table is at the source", FIELDS(SOURCE_FIELDS), FILLS(ds_source_table),
};

static const model_word KEYS[] = {
    {"primary", 0, "the columns marked `primary key`, or those of primary_key"},
    {"none", 1, "rows are a multiset, live only"},
};
static const model_words WORDS_KEY = WORDS(KEYS);
static const ds_dataset_rest DATASET_HAS_NONE = {.key = {.s = "primary"}};
static const model_rest DATASET_REST = {AT(ds_dataset, rest), sizeof(ds_dataset_rest), &DATASET_HAS_NONE};

static const model_field DATASET_FIELDS[] = {
    {.key = "description", .kind = FIELD_TEXT, .offset = AT(ds_dataset, description), .about = "for people",
     .example = "one row per customer"},
    {.key = "classification", .kind = FIELD_ONE_OR_MANY, .offset = AT(ds_dataset, classification),
     .words = &WORDS_CLASSIFICATION, .about = "how the rows must be protected; on the dataset or on columns, not both",
     .example = "cpi"},
    {.key = "deprecated", .kind = FIELD_DEPRECATED, .rest = &DATASET_REST, .offset = AT(ds_dataset_rest, deprecated),
     .fallback = "false", .about = "false, true, or the reason", .example = "use Store2/customers"},
    {.key = "source", .kind = FIELD_STRUCT, .rest = &DATASET_REST, .offset = AT(ds_dataset_rest, source),
     .shape = &SHAPE_SOURCE, .about = "where its name differs at the source", .example = "{schema: public, table: customer_address}"},
    {.key = "key", .kind = FIELD_TEXT, .rest = &DATASET_REST, .offset = AT(ds_dataset_rest, key),
     .words = &WORDS_KEY, .fallback = "primary", .about = "whether rows have a key", .example = "none"},
    {.key = "primary_key", .kind = FIELD_TEXTS, .rest = &DATASET_REST, .offset = AT(ds_dataset_rest, primary_key),
     .pattern = PATTERN_NAME, .ordered = true, .about = "the key's columns where their order is not that of the columns", .example = "id"},
    {.key = "checks", .kind = FIELD_LIST, .rest = &DATASET_REST, .offset = AT(ds_dataset_rest, checks),
     .shape = &SHAPE_CHECK, .about = "what must hold of every live row before a batch becomes visible", .example = "{not_null: [email]}"},
    {.key = "columns", .kind = FIELD_MAP, .offset = AT(ds_dataset, columns), .required = true, .shape = &SHAPE_COLUMN,
     .ordered = true, .about = "NAME: TYPE, in order", .example = "{id: varchar(20) primary key, name: varchar(100)}"},
};
const model_shape SHAPE_DATASET = {
    .name = "dataset", .about = "a table of a datastore", FIELDS(DATASET_FIELDS), FILLS(ds_dataset), .named = true,
    .name_is_string = true, .name_offset = AT(ds_dataset, name), .name_pattern = PATTERN_NAME, .part = true,
};

// --- capture

static const model_field TRIGGER_FIELDS[] = {
    {.key = "cron", .kind = FIELD_TEXT, .offset = AT(ds_trigger, cron), .choice = true,
     .about = "minute, hour, day, month, weekday", .example = "\"*/5 * * * *\""},
    {.key = "external", .kind = FIELD_FLAG, .offset = AT(ds_trigger, external), .choice = true,
     .about = "true: something outside starts each batch", .example = "true"},
    {.key = "timezone", .kind = FIELD_TEXT, .offset = AT(ds_trigger, timezone), .about = "of the cron line",
     .example = "Europe/Berlin"},
};
const model_shape SHAPE_TRIGGER = {
    .name = "trigger", .about = "when a batch is due", FIELDS(TRIGGER_FIELDS), FILLS(ds_trigger),
};

static const model_word NEWEST[] = {
    {"deliver", 0, "rows of the newest watermark are taken at once"},
    {"wait", 1, "they are left for the next batch"},
};
static const model_words WORDS_NEWEST = WORDS(NEWEST);
static const model_field WATERMARK_FIELDS[] = {
    {.key = "column", .kind = FIELD_TEXT, .offset = AT(ds_watermark, column), .required = true,
     .pattern = PATTERN_NAME, .about = "grows whenever a row changes; in every dataset",
     .example = "last_update_time"},
    {.key = "overlap", .kind = FIELD_TEXT, .offset = AT(ds_watermark, overlap), .pattern = PATTERN_OVERLAP,
     .about = "how far back each batch reads again: a span of time, or a number where the watermark is an integer", .example = "10m"},
    {.key = "newest", .kind = FIELD_TEXT, .offset = AT(ds_watermark, newest), .words = &WORDS_NEWEST,
     .fallback = "deliver", .about = "what happens to rows of the newest watermark", .example = "wait"},
    {.key = "sweep", .kind = FIELD_TEXT, .offset = AT(ds_watermark, sweep), .pattern = PATTERN_SPAN,
     .about = "so often a batch reads whole tables, which finds deletions; absent: never", .example = "1d"},
};
static const model_shape SHAPE_WATERMARK = {
    .name = "watermark", .about = "how changed rows are found", FIELDS(WATERMARK_FIELDS), FILLS(ds_watermark),
};

static const model_field BAD_ROWS_FIELDS[] = {
    {.key = "reject", .kind = FIELD_INT, .offset = AT(ds_bad_rows, reject), .required = true, .min = 0,
     .max = INT32_MAX, .about = "so many rows of a batch may go to the reject table", .example = "100"},
};
static const model_shape SHAPE_BAD_ROWS = {
    .name = "bad rows", .about = "what happens to rows that their types can't hold", FIELDS(BAD_ROWS_FIELDS),
    FILLS(ds_bad_rows),
};

static const model_word CAPTURE_TYPES[] = {
    {"sql_snapshot", CAPTURE_SQL_SNAPSHOT, "reads whole tables and finds the differences"},
    {"sql_watermark", CAPTURE_SQL_WATERMARK, "reads rows whose watermark has grown"},
    {"sql_cdc", CAPTURE_SQL_CDC, "reads the database's change log"},
    {"files_csv", CAPTURE_FILES_CSV, "reads files"},
    {"http_json", CAPTURE_HTTP_JSON, "reads pages of JSON"},
    {"kafka", CAPTURE_KAFKA, "reads topics"},
    {"debezium_table", CAPTURE_DEBEZIUM_TABLE, "reads tables of changes that a connector wrote"},
};
static const model_words WORDS_CAPTURE = WORDS(CAPTURE_TYPES);
static const model_word CONSISTENCIES[] = {
    {"multi_dataset", CONSISTENCY_MULTI_DATASET, "one stream, one snapshot, one commit"},
    {"single_dataset", CONSISTENCY_SINGLE_DATASET, "one stream per table"},
};
static const model_words WORDS_CONSISTENCY = WORDS(CONSISTENCIES);
static const model_word STAGINGS[] = {
    {"deltas", 0, "keeps what changed"},
    {"full", 1, "keeps whole inputs"},
};
static const model_words WORDS_STAGING = WORDS(STAGINGS);

#define DELETE_RATIO_ABOUT "a snapshot that would delete more than this share of a table stops and asks; 1 never asks"
static const model_field CAPTURE_FIELDS[] = {
    {.key = "type", .kind = FIELD_TEXT, .offset = AT(ds_capture, type_text), .value_offset = AT(ds_capture, type),
     .required = true, .tag = true, .words = &WORDS_CAPTURE, .about = "how rows are read", .example = "sql_snapshot"},
    {.key = "container", .kind = FIELD_TEXT, .offset = AT(ds_capture, container), .required = true,
     .pattern = PATTERN_NAME, .about = "where from", .example = "CustomerDB"},
    {.key = "credential", .kind = FIELD_TEXT, .offset = AT(ds_capture, credential), .pattern = PATTERN_LABEL,
     .about = "name of the secret to connect with", .example = "customer_db"},
    {.key = "trigger", .kind = FIELD_STRUCT, .offset = AT(ds_capture, trigger), .required = true,
     .shape = &SHAPE_TRIGGER, .about = "when a batch is due", .example = "{cron: \"*/5 * * * *\"}"},
    {.key = "consistency", .kind = FIELD_TEXT, .offset = AT(ds_capture, consistency_text),
     .value_offset = AT(ds_capture, consistency), .words = &WORDS_CONSISTENCY, .fallback = "multi_dataset",
     .about = "whether the datasets move together", .example = "single_dataset"},
    {.key = "max_delete_ratio", .kind = FIELD_RATIO, .offset = AT(ds_capture, max_delete_ratio), .fallback = "0.5",
     .about = DELETE_RATIO_ABOUT, .example = "0.5"},
    {.key = "staging", .kind = FIELD_TEXT, .offset = AT(ds_capture, staging), .words = &WORDS_STAGING,
     .fallback = "deltas", .about = "what is kept of each batch", .example = "full"},
    {.key = "bad_rows", .kind = FIELD_STRUCT, .offset = AT(ds_capture, bad_rows), .shape = &SHAPE_BAD_ROWS,
     .about = "absent: a bad row stops the batch", .example = "{reject: 100}"},
    {.key = "watermark", .kind = FIELD_STRUCT, .offset = AT(ds_capture, watermark),
     .only_for = BIT(CAPTURE_SQL_WATERMARK), .required_for = BIT(CAPTURE_SQL_WATERMARK), .shape = &SHAPE_WATERMARK,
     .about = "how changed rows are found", .example = "{column: last_update_time}"},
};
const model_shape SHAPE_CAPTURE = {
    .name = "capture", .about = "how rows come from the source", FIELDS(CAPTURE_FIELDS), FILLS(ds_capture),
};

// --- Datastore, and the output of a transformer

static const model_field STORE_FIELDS[] = {
    {.key = "description", .kind = FIELD_TEXT, .offset = AT(ds_datastore, description), .about = "for people",
     .example = "customers and their addresses"},
    {.key = "production", .kind = FIELD_FLAG, .offset = AT(ds_datastore, production), .fallback = "false",
     .about = "true: every dataset needs a classification", .example = "true"},
    {.key = "deprecated", .kind = FIELD_DEPRECATED, .offset = AT(ds_datastore, deprecated), .fallback = "false",
     .about = "false, true, or the reason", .example = "use Store2"},
    {.key = "consumers", .kind = FIELD_TEXTS, .offset = AT(ds_datastore, consumers), .pattern = PATTERN_CONSUMER,
     .given_counts = true, .about = "who may use it; absent: everybody, []: nobody", .example = "Consumer1/live"},
    {.key = "datasets", .kind = FIELD_MAP, .offset = AT(ds_datastore, datasets), .required = true,
     .apart = true, .shape = &SHAPE_DATASET, .about = "its tables by name",
     .example = "{customers: {columns: {id: varchar(20) primary key}}}"},
};
static const model_shape SHAPE_STORE = {
    .name = "store", .about = "what every datastore has", FIELDS(STORE_FIELDS), FILLS(ds_datastore),
};

static const model_field DATASTORE_FIELDS[] = {
    {.key = "team", .kind = FIELD_TEXT, .offset = AT(ds_datastore, team), .required = true, .pattern = PATTERN_TEAM,
     .about = "the team that owns it", .example = "USA/customer_data"},
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_datastore, name), .required = true, .pattern = PATTERN_NAME,
     .about = "unique in the ecosystem", .example = "Store1"},
    {.key = "offered_to", .kind = FIELD_TEXT, .offset = AT(ds_datastore, offered_to), .pattern = PATTERN_TEAM,
     .about = "a team that may take it over, by changing `team`", .example = "USA/analytics"},
    {.key = "capture", .kind = FIELD_STRUCT, .offset = AT(ds_datastore, capture), .required = true,
     .shape = &SHAPE_CAPTURE, .about = "how rows come from the source",
     .example = "{type: sql_snapshot, container: CustomerDB, trigger: {cron: \"*/5 * * * *\"}}"},
};
const model_shape SHAPE_DATASTORE = {
    .name = "Datastore", .about = "tables that a team produces", FIELDS(DATASTORE_FIELDS), .also = &SHAPE_STORE,
    FILLS(ds_datastore),
};

static const model_field OUTPUT_FIELDS[] = {
    {.key = "datastore", .kind = FIELD_TEXT, .offset = AT(ds_datastore, name), .required = true,
     .pattern = PATTERN_NAME, .about = "name of the datastore that is written; unique in the ecosystem",
     .example = "MaskedCustomers"},
    {.key = "max_delete_ratio", .kind = FIELD_RATIO, .offset = AT(ds_datastore, capture.max_delete_ratio),
     .fallback = "0.5", .about = DELETE_RATIO_ABOUT, .example = "1"},
};
const model_shape SHAPE_OUTPUT = {
    .name = "output", .about = "the datastore that a transformer writes", FIELDS(OUTPUT_FIELDS), .also = &SHAPE_STORE,
    FILLS(ds_datastore),
};
