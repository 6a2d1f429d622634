// What the rule files share. Each lint_x.c walks one kind of object and reports; none depends on another's findings.
// Nothing here trusts the model: texts may be NULL, types missing, references dangling.
#pragma once
#include "base/map.h"
#include "base/vec.h"
#include "gate/lint.h"
#include "model/lookup.h"

// Adding a rule: a member here (at the end: ids never change), a row in rules.c, the check. The test of
// the examples fails until all three are there.
typedef enum lint_rule_id {
    LINT_NO_ECOSYSTEM,
    LINT_TWO_ECOSYSTEMS,
    LINT_LIVE_IS_OWNER,
    LINT_UNKNOWN_VENDOR,
    LINT_UNKNOWN_LOCATION,
    LINT_NOT_DECLARED,
    LINT_UNKNOWN_TEAM,
    LINT_EMPTY_DECLARATION,
    LINT_UNKNOWN_CONTAINER,
    LINT_WRONG_CONTAINER,
    LINT_BAD_HOST,
    LINT_CRON,
    LINT_TIMEZONE,
    LINT_CREDENTIAL_NAMES,
    LINT_POLICY_OVERLAP,
    LINT_POLICY_UNKNOWN,
    LINT_POLICY_BROKEN,
    LINT_NEEDS_LOCATION,
    LINT_CLASS_FORBIDDEN,
    LINT_CLASS_NEEDED,
    LINT_CLASS_MISSING,
    LINT_CLASS_TWICE,
    LINT_NO_KEY,
    LINT_KEY_UNKNOWN,
    LINT_KEY_CONTRADICTION,
    LINT_COLUMN_HASH,
    LINT_WATERMARK,
    LINT_TOO_MANY_COLUMNS,
    LINT_UNKNOWN_STORE,
    LINT_UNKNOWN_DATASET,
    LINT_SINK_TWICE,
    LINT_DEPRECATED,
    LINT_DEPRECATED_ALLOWED,
    LINT_NOT_APPROVED,
    LINT_UNKNOWN_CONSUMER,
    LINT_NOT_PRODUCTION,
    LINT_HISTORY_WITHOUT_KEY,
    LINT_LATENCY,
    LINT_TRANSFORMER_REQUIRES,
    LINT_TRANSFORMER_ASSIGNED,
    LINT_TRANSFORMER_SQL,
    LINT_PLACEHOLDER,
    LINT_CYCLE,
    LINT_UNKNOWN_GROUP,
    LINT_UNKNOWN_PLATFORM,
    LINT_TWO_PROVISIONED,
    LINT_PLATFORM_UNFIT,
    LINT_UNASSIGNED,
    LINT_ASSIGNED_TWICE,
    LINT_HINT,
    LINT_PRIMARY,
    LINT_CHECK_COLUMN,
    LINT_CHECK_EMPTY,
    LINT_CHECK_BOUND,
    LINT_CHECK_TYPE,
    LINT_CHECK_SQL,
    LINT_CHECK_NEEDLESS,
    LINT_LIMIT,
    LINT_HINT_LOAD,
    LINT_PRIMARY_UNFIT,
    LINT_OUTPUT_PRODUCTION,
    LINT_RETENTION,
    LINT_WATERMARK_BLIND,
    LINT_RULE_COUNT,
} lint_rule_id;

const ds_rule *lint_row(lint_rule_id rule);
extern const ds_rule LINT_RULES[LINT_RULE_COUNT];
// What platform types report under: platform/platform.h has the ids.
extern const ds_rule PLATFORM_RULES[];
extern const size_t PLATFORM_RULE_COUNT;

// The datastores that a lookup finds, by name, and for each the outputs that transformers make from it.
typedef struct lint_flow {
    const ds_datastore **stores;
    size_t n;
    ds_map *numbers; // the place in stores, by name
    size_t *first;   // outputs of stores[i]: to[first[i]] to to[first[i + 1] - 1]
    uint32_t *to, *open;
} lint_flow;

// The part of a model that is judged: what an object outside of it gets is known from before. Names by themselves;
// stores with the streams that fill them.
typedef struct lint_focus {
    ds_map *stores, *workspaces;
} lint_focus;

typedef struct lint {
    const ds_model *model; // its lists of datastores and workspaces have those in the focus, all else is the whole's
    const ds_model *whole;
    const lint_focus *focus; // NULL: everything
    ds_platform_types types;
    ds_diags *diags;
    ds_arena *arena;
    ds_map *vendors;   // lint_vendor by name
    ds_map *zones;     // declared by the Ecosystem: ds_declaration by name
    ds_map *services;  // the same
    ds_map *teams;     // declared by zones: ds_declaration by ZONE/TEAM
    ds_map *datasets;  // sorted ds_dataset pointers by store, of large stores that were looked into
    ds_map *approvals; // closed datastores: consumers by "STORE WORKSPACE/GROUP[/DATASET]"
    ds_map *verdicts;  // of policies, by zone and container (lint_hop.c)
    const ds_platform_service **services_by_name;
    const ds_graph *graph;
    lint_flow flow;
    const struct lint_origins *origins; // whose rows a datastore has, by number (lint_hop.c)
    // lint_hash.c: reused from dataset to dataset
    uint64_t *hashes;
    uint16_t *slots;
    size_t hash_cap, slot_cap;
} lint;

typedef struct lint_vendor {
    const ds_vendor *vendor;
    ds_map *places; // every declared place and those above it
} lint_vendor;

// Judges all that lint_objects does, or what is in the focus with what concerns the model as a whole. NULL: everything.
// Returns a fingerprint of names that may be taken outside of the focus, too.
uint64_t lint_run(const ds_model *model, const lint_focus *focus, ds_platform_types types, ds_diags *diags);
// Is the store, with its streams, in the focus?
bool lint_looks_at(const lint *l, const ds_datastore *store);
bool lint_looks_at_workspace(const lint *l, const ds_workspace *workspace);

// Reports with the severity of the rule's row.
__attribute__((format(printf, 5, 6))) void lint_add(lint *l, lint_rule_id rule, ds_pos pos, const char *object,
                                                    const char *format, ...);
// hint: did you mean "…"? — when something in the map is near.
void lint_did_you_mean(lint *l, const ds_map *names, const char *written);
// hint: TEXT at FILE:LINE:COLUMN
void lint_hint_at(lint *l, const char *text, ds_pos pos);
// "" for NULL.
const char *lint_text(const char *text);
// "ZONE" of "ZONE/TEAM", in the arena; "" when there is none.
const char *lint_zone_of(lint *l, ds_text team);
const ds_dataset *lint_dataset(lint *l, const char *store, const char *dataset);
// The path "STORE/DATASET", in the arena.
const char *lint_path(lint *l, const char *parent, const char *child);

// lint_flow.c
void lint_flow_init(lint *l);
uint32_t lint_store_number(const lint *l, const ds_datastore *store);
// A transformer's output without a clock of its own.
bool lint_store_waits(const ds_datastore *store);
// Enters all outputs that are made from a store, through chains; true goes on from there. It must be true once only.
typedef bool lint_enter(lint *l, uint32_t store, void *context);
void lint_flow_spread(lint *l, uint32_t from, lint_enter *enter, void *context);
// By number: outputs that wait for themselves by way of others.
const bool *lint_flow_circles(lint *l);
// lint_ecosystem.c
void lint_ecosystem(lint *l);
void lint_teams(lint *l);
// lint_place.c
void lint_containers(lint *l);
void lint_locations(lint *l, const ds_texts *locations, const char *object);
// Unknown containers, with "did you mean". NULL when it is unknown or not given.
const ds_container *lint_container(lint *l, ds_text name, const char *object);
// lint_load.c
void lint_caps(lint *l, const ds_caps *caps, const char *object);
void lint_limit(lint *l, const ds_limit *limit, const char *object);
void lint_hint_load(lint *l, const ds_platform_service *service, const ds_stream_hint *hint, const ds_datastore *store);
// lint_trigger.c
void lint_trigger(lint *l, const ds_trigger *trigger, const char *object);
void lint_latencies(lint *l);
// lint_store.c, lint_key.c
void lint_stores(lint *l);
void lint_store_datasets(lint *l, const ds_datastore *store);
void lint_keys(lint *l, const ds_dataset *dataset, const char *object);
// lint_check.c
void lint_checks(lint *l, const ds_dataset *dataset, const char *object);
// lint_hash.c
void lint_hashes(lint *l, const ds_dataset *dataset, const char *object);
// lint_use.c
void lint_workspaces(lint *l);
// lint_transformer.c
void lint_transformers(lint *l);
// lint_service.c
void lint_services(lint *l);
void lint_groups(lint *l);
// lint_policy.c
void lint_policies(lint *l);
// lint_hop.c
void lint_hops(lint *l);
// lint_credential.c
void lint_credentials(lint *l);
