#include "model/fields_int.h"

void *field_own_home(const model_field *f, void *base, ds_arena *arena)
{
    if (!f->rest)
        return base;
    void **at = (void **)(void *)((char *)base + f->rest->offset);
    if (*at == f->rest->none) {
        *at = arena_alloc(arena, f->rest->size);
        memcpy(*at, f->rest->none, f->rest->size);
    }
    return *at;
}

const model_field *shape_tag(const model_shape *shape)
{
    for (size_t i = 0; i < shape_field_count(shape); i++)
        if (shape_field(shape, i)->tag)
            return shape_field(shape, i);
    return NULL;
}

// Rows of tables are written by hand.
// clang-format off

// --- Ecosystem

static const model_word CLOUDS[] = {
    {"private", 0, "the enterprise's own data centres"},
    {"aws", 1, NULL},
    {"azure", 2, NULL},
    {"gcp", 3, NULL},
    {"ibm", 4, NULL},
    {"oracle", 5, NULL},
    {"alibaba", 6, NULL},
    {"aws_china", 7, NULL},
    {"azure_china", 8, NULL},
    {"tencent", 9, NULL},
    {"huawei", 10, NULL},
};
static const model_words WORDS_CLOUD = WORDS(CLOUDS);

static const model_field VENDOR_FIELDS[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_vendor, name), .required = true, .pattern = PATTERN_LABEL,
     .about = "stands before the colon of a location", .example = "MyCorp"},
    {.key = "cloud", .kind = FIELD_TEXT, .offset = AT(ds_vendor, cloud), .words = &WORDS_CLOUD, .fallback = "private",
     .about = "whose machines these are; policies on hard_vendors look at it", .example = "aws"},
    {.key = "locations", .kind = FIELD_TEXTS, .offset = AT(ds_vendor, locations), .pattern = PATTERN_PLACE,
     .about = "places of this vendor; each declares the places above it, too", .example = "USA/NY_1"},
    {.key = "description", .kind = FIELD_TEXT, .offset = AT(ds_vendor, description), .about = "for people",
     .example = "our own data centres"},
};
const model_shape SHAPE_VENDOR = {
    .name = "vendor", .about = "whoever runs machines", FIELDS(VENDOR_FIELDS), FILLS(ds_vendor), .named = true,
    .name_offset = AT(ds_vendor, name), .name_pattern = PATTERN_LABEL,
};

static const model_field DECLARATION_FIELDS[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_declaration, name), .required = true, .pattern = PATTERN_LABEL,
     .about = "the name by which others refer to it", .example = "USA"},
    {.key = "repository", .kind = FIELD_TEXT, .offset = AT(ds_declaration, repository), .required = true,
     .pattern = PATTERN_REPOSITORY, .about = "PATH@BRANCH from which it may be defined and changed",
     .example = "acme/model@usa"},
    {.key = "description", .kind = FIELD_TEXT, .offset = AT(ds_declaration, description), .about = "for people",
     .example = "everything about customers"},
};
#define DECLARATION(what, text)                                                                                        \
    {                                                                                                                  \
        .name = what, .about = text, FIELDS(DECLARATION_FIELDS), FILLS(ds_declaration), .named = true,                 \
        .name_offset = AT(ds_declaration, name), .name_pattern = PATTERN_LABEL                                         \
    }
const model_shape SHAPE_ZONE_DECLARATION = DECLARATION("zone", "a governance zone, declared");
const model_shape SHAPE_SERVICE_DECLARATION = DECLARATION("platform service", "a platform service, declared");
const model_shape SHAPE_TEAM = DECLARATION("team", "a team, declared by its zone");

static const model_field ECOSYSTEM_FIELDS[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_ecosystem, name), .required = true, .pattern = PATTERN_LABEL,
     .about = "the name of the whole", .example = "Starter"},
    {.key = "repository", .kind = FIELD_TEXT, .offset = AT(ds_ecosystem, repository), .required = true,
     .pattern = PATTERN_REPOSITORY, .about = "PATH@BRANCH from which this object may be changed",
     .example = "acme/model@central"},
    {.key = "live", .kind = FIELD_TEXT, .offset = AT(ds_ecosystem, live), .required = true,
     .pattern = PATTERN_REPOSITORY, .about = "PATH@BRANCH that the platforms follow; differs from repository",
     .example = "acme/model@main"},
    {.key = "description", .kind = FIELD_TEXT, .offset = AT(ds_ecosystem, description), .about = "for people",
     .example = "all data of the enterprise"},
    {.key = "vendors", .kind = FIELD_LIST, .offset = AT(ds_ecosystem, vendors), .shape = &SHAPE_VENDOR,
     .about = "who runs machines, and where", .example = "{name: MyCorp, locations: [USA/NY_1]}"},
    {.key = "zones", .kind = FIELD_LIST, .offset = AT(ds_ecosystem, zones), .shape = &SHAPE_ZONE_DECLARATION,
     .about = "the governance zones", .example = "{name: USA, repository: acme/model@usa}"},
    {.key = "platform_services", .kind = FIELD_LIST, .offset = AT(ds_ecosystem, platform_services),
     .shape = &SHAPE_SERVICE_DECLARATION, .about = "the platform services",
     .example = "{name: Yellow_NY, repository: acme/model@infra}"},
};
const model_shape SHAPE_ECOSYSTEM = {
    .name = "Ecosystem", .about = "the enterprise: its vendors, zones and platform services; one per model",
    FIELDS(ECOSYSTEM_FIELDS), FILLS(ds_ecosystem),
};

// --- GovernanceZone

#define POLICY(words_, pattern_, example_)                                                                             \
    {                                                                                                                  \
        {.key = "allow",                                                                                               \
         .kind = FIELD_TEXTS,                                                                                          \
         .offset = AT(ds_policy, allow),                                                                               \
         .words = words_,                                                                                              \
         .pattern = pattern_,                                                                                          \
         .about = "only these; absent or empty allows all",                                                            \
         .example = example_},                                                                                         \
            {.key = "deny",                                                                                            \
             .kind = FIELD_TEXTS,                                                                                      \
             .offset = AT(ds_policy, deny),                                                                            \
             .words = words_,                                                                                          \
             .pattern = pattern_,                                                                                      \
             .about = "none of these",                                                                                 \
             .example = example_},                                                                                     \
    }
static const model_field LOCATION_POLICY[] = POLICY(NULL, PATTERN_LOCATION, "MyCorp:USA");
static const model_field VENDOR_POLICY[] = POLICY(NULL, PATTERN_LABEL, "MyCorp");
static const model_field CLOUD_POLICY[] = POLICY(&WORDS_CLOUD, PATTERN_NONE, "private");
static const model_field PLATFORM_POLICY[] = POLICY(NULL, PATTERN_NAME, "YellowLive");
static const model_field CLASS_POLICY[] = POLICY(&WORDS_CLASSIFICATION, PATTERN_NONE, "pub");
static const model_field RETENTION_POLICY[] = POLICY(NULL, PATTERN_RETENTION, "7y");
#define POLICY_SHAPE(name_, about_, fields_)                                                                           \
    {                                                                                                                  \
        .name = name_, .about = about_, FIELDS(fields_), FILLS(ds_policy)                                              \
    }
static const model_shape SHAPE_LOCATIONS =
    POLICY_SHAPE("location policy", "where data may be; an entry covers itself and all below", LOCATION_POLICY);
static const model_shape SHAPE_VENDORS = POLICY_SHAPE("vendor policy", "whose machines may hold data", VENDOR_POLICY);
static const model_shape SHAPE_CLOUDS = POLICY_SHAPE("cloud policy", "whose clouds may hold data", CLOUD_POLICY);
static const model_shape SHAPE_PLATFORMS =
    POLICY_SHAPE("platform policy", "which platforms may move data", PLATFORM_POLICY);
static const model_shape SHAPE_CLASSES =
    POLICY_SHAPE("classification policy", "what workspaces of this zone may consume", CLASS_POLICY);
static const model_shape SHAPE_RETENTION =
    POLICY_SHAPE("retention policy", "how long data may be kept", RETENTION_POLICY);

static const model_field POLICIES_FIELDS[] = {
    {.key = "locations", .kind = FIELD_STRUCT, .offset = AT(ds_policies, locations), .shape = &SHAPE_LOCATIONS,
     .about = "where containers that hold this zone's data may be", .example = "{allow: [\"MyCorp:USA\"]}"},
    {.key = "vendors", .kind = FIELD_STRUCT, .offset = AT(ds_policies, vendors), .shape = &SHAPE_VENDORS,
     .about = "whose machines may hold this zone's data", .example = "{deny: [OtherCorp]}"},
    {.key = "hard_vendors", .kind = FIELD_STRUCT, .offset = AT(ds_policies, hard_vendors), .shape = &SHAPE_CLOUDS,
     .about = "whose clouds may hold this zone's data", .example = "{allow: [private]}"},
    {.key = "platforms", .kind = FIELD_STRUCT, .offset = AT(ds_policies, platforms), .shape = &SHAPE_PLATFORMS,
     .about = "which platforms may move this zone's data", .example = "{allow: [YellowLive]}"},
    {.key = "classifications", .kind = FIELD_STRUCT, .offset = AT(ds_policies, classifications),
     .shape = &SHAPE_CLASSES, .about = "what workspaces of this zone may consume", .example = "{deny: [mnpi]}"},
    {.key = "retention", .kind = FIELD_STRUCT, .offset = AT(ds_policies, retention), .shape = &SHAPE_RETENTION,
     .about = "how long this zone's data may be kept", .example = "{allow: [1y, 7y]}"},
};
static const model_shape SHAPE_POLICIES = {
    .name = "policies", .about = "what may be done with data of this zone; absent allows all", FIELDS(POLICIES_FIELDS),
    FILLS(ds_policies),
};

static const model_field ZONE_FIELDS[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = AT(ds_zone, name), .required = true, .pattern = PATTERN_LABEL,
     .about = "as the Ecosystem declares it", .example = "USA"},
    {.key = "description", .kind = FIELD_TEXT, .offset = AT(ds_zone, description), .about = "for people",
     .example = "everything under US rules"},
    {.key = "teams", .kind = FIELD_LIST, .offset = AT(ds_zone, teams), .shape = &SHAPE_TEAM,
     .about = "the teams of this zone", .example = "{name: customer_data, repository: acme/model@customer_data}"},
    {.key = "policies", .kind = FIELD_STRUCT, .offset = AT(ds_zone, policies), .shape = &SHAPE_POLICIES,
     .about = "rules for the data that this zone's teams produce and use",
     .example = "{locations: {allow: [\"MyCorp:USA\"]}}"},
};
const model_shape SHAPE_ZONE = {
    .name = "GovernanceZone", .about = "teams under one set of rules", FIELDS(ZONE_FIELDS), FILLS(ds_zone),
};

#define KIND(name_, shape_, list_)                                                                                     \
    {                                                                                                                  \
        .name = name_, .shape = shape_, .list_offset = AT(ds_model, list_)                                             \
    }
const model_kind MODEL_KINDS[] = {
    {.name = "Ecosystem", .shape = &SHAPE_ECOSYSTEM, .list_offset = AT(ds_model, ecosystems), .single = true},
    KIND("GovernanceZone", &SHAPE_ZONE, zones),
    KIND("DataContainer", &SHAPE_DATA_CONTAINER, containers),
    KIND("Datastore", &SHAPE_DATASTORE, datastores),
    KIND("Workspace", &SHAPE_WORKSPACE, workspaces),
    KIND("PlatformService", &SHAPE_PLATFORM_SERVICE, services),
    KIND("Environment", &SHAPE_ENVIRONMENT, environments),
};
const size_t MODEL_KIND_COUNT = COUNT(MODEL_KINDS);
