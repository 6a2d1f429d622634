// The ecosystem as loaded. Every struct mirrors a kind or a nested map of the YAML language, one member per field, and
// each has a row in the tables of fields.h. Nothing here is resolved: references are the texts that the user wrote;
// lookup.h resolves them. All memory belongs to ds_model.arena; immutable after model_load().
#pragma once
#include "base/diag.h"
#include "base/map.h"
#include "schema/type.h"

// A scalar and where it stands. pos.file is 0 when the field was not given; s is then NULL, or the default's text where
// the field has a default.
typedef struct ds_text {
    const char *s;
    ds_pos pos;
} ds_text;
typedef struct ds_int {
    int64_t v; // the default when not set
    ds_pos pos;
    bool set;
} ds_int;
typedef struct ds_flag {
    bool v; // the default when not set
    bool set;
    ds_pos pos;
} ds_flag;
typedef struct ds_ratio {
    double v; // the default when not set
    bool set;
    ds_pos pos;
} ds_ratio;
typedef struct ds_texts {
    ds_text *v;
    size_t n;
    ds_pos pos; // of the list; file 0 when the field was not given
} ds_texts;

// Every list of structs is {v, n, pos}; pos.file is 0 when the field was not given.
#define LIST_OF(T)                                                                                                     \
    struct {                                                                                                           \
        T *v;                                                                                                          \
        size_t n;                                                                                                      \
        ds_pos pos;                                                                                                    \
    }

// name + repository, as a parent declares a child.
typedef struct ds_declaration {
    ds_pos pos;
    ds_text name;
    ds_text repository;
    ds_text description;
} ds_declaration;

typedef struct ds_vendor {
    ds_pos pos;
    ds_text name;
    ds_text cloud; // "private" by default
    ds_texts locations;
    ds_text description;
} ds_vendor;

typedef struct ds_ecosystem {
    ds_pos pos; // of the document
    ds_text name, repository, live, description;
    LIST_OF(ds_vendor) vendors;
    LIST_OF(ds_declaration) zones;
    LIST_OF(ds_declaration) platform_services;
} ds_ecosystem;

typedef struct ds_policy {
    ds_pos pos; // file 0: no such policy
    ds_texts allow, deny;
} ds_policy;
typedef struct ds_policies {
    ds_pos pos;
    ds_policy locations, vendors, hard_vendors, platforms, classifications, retention;
} ds_policies;

typedef struct ds_zone {
    ds_pos pos;
    ds_text name, description;
    LIST_OF(ds_declaration) teams;
    ds_policies policies;
} ds_zone;

typedef enum ds_container_type {
    CONTAINER_NONE, // absent or unknown (diagnosed)
    CONTAINER_POSTGRES,
    CONTAINER_SQLITE,
    CONTAINER_MARIADB,
    CONTAINER_SQLSERVER,
    CONTAINER_ORACLE,
    CONTAINER_DB2,
    CONTAINER_SNOWFLAKE,
    CONTAINER_ODBC,
    CONTAINER_S3,
    CONTAINER_HTTP,
    CONTAINER_KAFKA,
} ds_container_type;
const char *container_type_name(ds_container_type type);

typedef struct ds_tls {
    ds_pos pos;
    ds_text mode, ca, cert, key;
} ds_tls;
typedef struct ds_caps {
    ds_pos pos;
    ds_int connections, writers, rows_per_second;
} ds_caps;

// A DataContainer document, an entry of a PlatformService's `containers`, or an Environment's replacement.
typedef struct ds_container {
    ds_pos pos;
    ds_text team, offered_to; // documents only
    ds_text name;
    ds_container_type type;
    ds_text type_text;
    ds_texts locations;
    ds_caps limits;
    ds_text path; // sqlite, odbc, files: relative to the model's directory
    ds_text host;
    ds_int port;
    ds_text database, schema;
    ds_tls tls;
} ds_container;

// There are many columns and datasets: what most of them don't have is in a struct of its own, which is never NULL;
// those that have nothing of it share one with the defaults (see model_rest in fields.h).
typedef struct ds_column_rest {
    const char *description;
    const char *source; // NULL: the same name at the source
    const ds_text *classification;
    uint16_t classification_count;
} ds_column_rest;
typedef struct ds_column {
    ds_pos pos;
    const char *name;
    const ds_type *type; // NULL: could not be parsed (diagnosed)
    const ds_column_rest *rest;
    bool primary_key, not_null, partition, null_given;
} ds_column;

typedef struct ds_check {
    ds_pos pos;
    ds_texts not_null, unique;
    ds_text range_column, min, max;
    ds_text sql;
} ds_check;

// deprecated: false | true | REASON
typedef struct ds_deprecation {
    ds_pos pos;
    bool v;
    const char *reason; // NULL: none given
} ds_deprecation;

typedef struct ds_source_table {
    ds_pos pos;
    ds_text schema, table;
} ds_source_table;

typedef struct ds_dataset_rest {
    ds_deprecation deprecated;
    ds_source_table source;
    ds_text key; // "primary" by default, or "none"
    ds_texts primary_key;
    LIST_OF(ds_check) checks;
} ds_dataset_rest;
typedef struct ds_dataset {
    ds_pos pos; // of the name
    const char *name;
    ds_text description;
    ds_texts classification;
    const ds_dataset_rest *rest;
    LIST_OF(ds_column) columns;
} ds_dataset;

typedef struct ds_trigger {
    ds_pos pos; // file 0: none
    ds_text cron, timezone;
    ds_flag external;
} ds_trigger;

typedef enum ds_capture_type {
    CAPTURE_NONE,
    CAPTURE_SQL_SNAPSHOT,
    CAPTURE_SQL_WATERMARK,
    CAPTURE_SQL_CDC,
    CAPTURE_FILES_CSV,
    CAPTURE_HTTP_JSON,
    CAPTURE_KAFKA,
    CAPTURE_DEBEZIUM_TABLE,
    CAPTURE_TRANSFORMER, // the output store of a transformer: never written in YAML
} ds_capture_type;
typedef enum ds_consistency { CONSISTENCY_MULTI_DATASET, CONSISTENCY_SINGLE_DATASET } ds_consistency;

typedef struct ds_watermark {
    ds_pos pos;
    ds_text column, overlap, newest, sweep;
} ds_watermark;
typedef struct ds_bad_rows {
    ds_pos pos;
    ds_int reject;
} ds_bad_rows;

typedef struct ds_capture {
    ds_pos pos;
    ds_capture_type type;
    ds_text type_text, container, credential;
    ds_trigger trigger;
    ds_consistency consistency;
    ds_text consistency_text;
    ds_ratio max_delete_ratio; // 0.5 by default
    ds_text staging;           // "deltas" by default, or "full"
    ds_bad_rows bad_rows;
    ds_watermark watermark;
} ds_capture;

typedef struct ds_datastore {
    ds_pos pos;
    ds_text team, offered_to, name, description;
    ds_flag production;
    ds_deprecation deprecated;
    ds_texts consumers; // pos.file 0: open to all
    ds_capture capture; // type CAPTURE_TRANSFORMER for a transformer's output
    LIST_OF(ds_dataset) datasets;
    const struct ds_workspace *producer; // the workspace whose transformer writes it, or NULL
    struct ds_unread *unread;            // of a model from an image: its datasets, which are read when asked for
} ds_datastore;

typedef struct ds_sink {
    ds_pos pos;
    ds_text text;      // as written: "Store1/customers"
    const char *store; // NULL when the text could not be split (diagnosed)
    const char *dataset;
    ds_flag allow_deprecated;
} ds_sink;

typedef enum ds_history { HISTORY_LIVE, HISTORY_FULL } ds_history;
typedef struct ds_requires {
    ds_pos pos;
    ds_history history;
    ds_text history_text;
    ds_text latency; // "seconds" "minutes" (default) "hours" "days"
    ds_text retention, regulator;
} ds_requires;

typedef struct ds_group {
    ds_pos pos;
    const char *name;
    ds_requires requires_;
    LIST_OF(ds_sink) sinks;
} ds_group;

// One SELECT per output dataset, with a text per dialect where they differ.
typedef struct ds_sql_text {
    ds_pos pos;
    const char *dataset;
    ds_text any; // when given as plain text
    ds_text postgres, sqlite;
} ds_sql_text;
typedef struct ds_command {
    ds_pos pos;
    ds_text image, timeout;
    ds_texts args, exec;
} ds_command;
typedef struct ds_transformer {
    ds_pos pos; // file 0: the workspace has none
    ds_text name;
    ds_trigger trigger;
    ds_pos run_pos;
    LIST_OF(ds_sql_text) sql;
    ds_text timeout; // of each SELECT, and of a command that has none of its own
    ds_command command;
    ds_datastore *output; // team of the workspace, capture CAPTURE_TRANSFORMER; NULL when not given (diagnosed)
} ds_transformer;

typedef enum ds_priority { PRIORITY_LOW, PRIORITY_MEDIUM, PRIORITY_HIGH, PRIORITY_CRITICAL } ds_priority;
const char *priority_name(ds_priority priority);

typedef struct ds_workspace {
    ds_pos pos;
    ds_text team, offered_to, name, description;
    ds_flag production;
    ds_deprecation deprecated;
    ds_priority priority;
    ds_text priority_text, container, credential;
    LIST_OF(ds_group) groups;
    ds_transformer transformer;
} ds_workspace;

typedef enum ds_milestoning { MILESTONING_SCD1, MILESTONING_SCD2, MILESTONING_SCD4 } ds_milestoning;
const char *milestoning_name(ds_milestoning milestoning);

enum { STAGING_BATCHES_ALL = -1 };
typedef struct ds_platform {
    ds_pos pos;
    const char *name;
    ds_text type; // "yellow"
    ds_milestoning milestoning;
    ds_text milestoning_text;
    int64_t staging_batches; // 50 by default, STAGING_BATCHES_ALL
    ds_text staging_batches_text;
} ds_platform;

typedef enum ds_assignment_status {
    ASSIGNMENT_PROVISIONING,
    ASSIGNMENT_PROVISIONED,
    ASSIGNMENT_DECOMMISSIONING,
    ASSIGNMENT_DECOMMISSIONED,
} ds_assignment_status;
typedef struct ds_assigned_platform {
    ds_pos pos;
    ds_text platform, status_text;
    ds_assignment_status status;
} ds_assigned_platform;
typedef struct ds_assignment {
    ds_pos pos;
    ds_text group; // "WORKSPACE/GROUP"
    LIST_OF(ds_assigned_platform) platforms;
} ds_assignment;

typedef struct ds_stream_hint {
    ds_pos pos;
    const char *name; // STORE or STORE/DATASET
    ds_int chunk_rows, workers;
    ds_text memory; // "64Mi"
} ds_stream_hint;
typedef struct ds_limit {
    ds_pos pos;
    const char *container;
    ds_caps caps;
} ds_limit;
typedef struct ds_primary {
    ds_pos pos;
    const char *store;
    ds_text platform;
} ds_primary;
typedef struct ds_assembly {
    ds_pos pos;
    ds_text type, database, airflow, namespace_;
} ds_assembly;

typedef struct ds_platform_service {
    ds_pos pos;
    ds_text name, description;
    ds_texts locations;
    ds_pos merge_pos;
    ds_text merge_container, merge_credential;
    LIST_OF(ds_container) containers;
    LIST_OF(ds_platform) platforms;
    ds_flag auto_assign;
    ds_assembly assembly;
    ds_pos hints_pos;
    LIST_OF(ds_stream_hint) stream_hints;
    LIST_OF(ds_limit) limits;
    LIST_OF(ds_assignment) assignments;
    LIST_OF(ds_primary) primary_ingestion;
} ds_platform_service;

typedef struct ds_environment {
    ds_pos pos;
    ds_text name;
    LIST_OF(ds_container) containers;
} ds_environment;

// All documents in order of (path, place in file). Pointers stay valid for the life of the model.
typedef struct ds_model {
    ds_arena *arena;
    ds_files *files;
    const char *dir;
    LIST_OF(ds_ecosystem *) ecosystems; // lint wants exactly one
    LIST_OF(ds_zone *) zones;
    LIST_OF(ds_container *) containers; // DataContainer documents; Environment replacements applied
    LIST_OF(ds_datastore *) datastores; // documents, then the outputs of transformers
    LIST_OF(ds_workspace *) workspaces;
    LIST_OF(ds_platform_service *) services;
    LIST_OF(ds_environment *) environments;
    // First object of each name; duplicates are a finding of the loader.
    ds_map *container_by_name; // ds_container: documents and those of platform services
    ds_map *datastore_by_name, *workspace_by_name, *zone_by_name, *service_by_name;
    ds_map *platform_by_name; // ds_platform
    char tree_id[65];         // tree_id() of its files, lower-case hex
    struct ds_tree *own_tree; // its files, when nobody else owns them
} ds_model;
