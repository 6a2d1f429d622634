#include <xxhash.h>
#include <stdlib.h>

#include "base/cron.h"
#include "base/yaml_out.h"
#include "gate/odcs_int.h"
#include "model/lookup.h"

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value && value[0])
        json_object_set_new(object, key, json_string(value));
}

// Sets what is not empty; takes the value.
static void set_some(json_t *object, const char *key, json_t *value)
{
    if (json_object_size(value) || json_array_size(value))
        json_object_set(object, key, value);
    json_decref(value);
}

// What the standard has no place for; takes it.
static void set_custom(json_t *element, json_t *ours)
{
    json_t *list = json_array();
    if (json_object_size(ours))
        json_array_append_new(list, json_pack("{ss,sO}", "property", ODCS_CUSTOM, "value", ours));
    json_decref(ours);
    set_some(element, "customProperties", list);
}

// --- checks: the standard's metrics where it has them

static json_t *metric(const char *name, const char *dimension)
{
    return json_pack("{ss,ss,si,ss}", "type", "library", "metric", name, "mustBe", 0, "dimension", dimension);
}

// nullValues is a metric of properties: each column of the check has one, and our numbers bring them together.
static void add_not_null(json_t *quality, const ds_dataset *dataset, const char *column)
{
    for (size_t i = 0; i < dataset->rest->checks.n; i++)
        for (size_t k = 0; k < dataset->rest->checks.v[i].not_null.n; k++)
            if (strcmp(dataset->rest->checks.v[i].not_null.v[k].s, column) == 0) {
                json_t *rule = metric("nullValues", "completeness");
                set_custom(rule, json_pack("{sI,sI}", "check", (json_int_t)i + 1, "column", (json_int_t)k + 1));
                json_array_append_new(quality, rule);
            }
}

static json_t *check_json(const model_shape *shape, const ds_check *check, size_t place)
{
    json_t *ours = odcs_fields(shape, check, NULL), *out;
    json_t *unique = json_object_get(ours, "unique");
    if (unique) {
        out = metric("duplicateValues", "uniqueness");
        json_object_set_new(out, "arguments", json_pack("{sO}", "properties", unique));
    } else {
        out = json_pack("{ss,ss,sO}", "type", "custom", "engine", ODCS_CUSTOM, "implementation", ours);
    }
    set_custom(out, json_pack("{sI}", "check", (json_int_t)place + 1));
    json_decref(ours);
    return out;
}

static const model_field *field_of(const model_shape *shape, const char *key)
{
    for (size_t i = 0; i < shape_field_count(shape); i++)
        if (shape_field(shape, i)->key && strcmp(shape_field(shape, i)->key, key) == 0)
            return shape_field(shape, i);
    BUG("no field \"%s\"", key);
}

static json_t *checks_json(const ds_dataset *dataset)
{
    const model_shape *shape = field_of(&SHAPE_DATASET, "checks")->shape;
    json_t *quality = json_array();
    for (size_t i = 0; i < dataset->rest->checks.n; i++)
        if (!dataset->rest->checks.v[i].not_null.pos.file)
            json_array_append_new(quality, check_json(shape, &dataset->rest->checks.v[i], i));
    return quality;
}

// --- properties

static void set_classification(json_t *property, const ds_text *v, size_t n)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 16);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%s%s", i ? ", " : "", v[i].s);
    set_text(property, "classification", buf_text(&text));
}

static void set_type(json_t *property, const ds_type *type)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TYPE_TEXT_MAX);
    type_print(type, &text);
    set_text(property, "logicalType", odcs_logical_type(type->kind));
    set_text(property, "physicalType", buf_text(&text));
    if (type_is_text(type) && type->size > 0)
        json_object_set_new(property, "logicalTypeOptions", json_pack("{si}", "maxLength", (int)type->size));
    if (type->kind == TYPE_TIMESTAMPTZ || type->kind == TYPE_TIMETZ)
        json_object_set_new(property, "logicalTypeOptions", json_pack("{sb}", "timezone", 1));
}

static void set_flag_and_place(json_t *property, const char *flag, const char *position, size_t place)
{
    json_object_set_new(property, flag, json_true());
    json_object_set_new(property, position, json_integer((json_int_t)place));
}

typedef struct key_columns {
    const ds_column **v;
    size_t n;
} key_columns;

static size_t place_in(const key_columns *key, const ds_column *column)
{
    for (size_t i = 0; i < key->n; i++)
        if (key->v[i] == column)
            return i + 1;
    return 0;
}

static json_t *property_json(const ds_dataset *dataset, const ds_column *column, const key_columns *key,
                             size_t partition)
{
    json_t *property = json_object(), *quality = json_array();
    set_text(property, "name", column->name);
    set_text(property, "physicalName", column->rest->source);
    if (column->type)
        set_type(property, column->type);
    set_text(property, "description", column->rest->description);
    size_t place = place_in(key, column);
    if (column->not_null || place)
        json_object_set_new(property, "required", json_true());
    if (place)
        set_flag_and_place(property, "primaryKey", "primaryKeyPosition", place);
    if (column->partition)
        set_flag_and_place(property, "partitioned", "partitionKeyPosition", partition);
    if (dataset->classification.n)
        set_classification(property, dataset->classification.v, dataset->classification.n);
    else
        set_classification(property, column->rest->classification, column->rest->classification_count);
    add_not_null(quality, dataset, column->name);
    set_some(property, "quality", quality);
    return property;
}

static json_t *properties_json(const ds_dataset *dataset, ds_arena *arena)
{
    json_t *properties = json_array();
    key_columns key = {.v = ARENA_ARRAY(arena, const ds_column *, dataset->columns.n)};
    key.n = dataset_key(dataset, key.v);
    size_t partitions = 0;
    for (size_t i = 0; i < dataset->columns.n; i++) {
        partitions += dataset->columns.v[i].partition;
        json_array_append_new(properties, property_json(dataset, &dataset->columns.v[i], &key, partitions));
    }
    return properties;
}

// --- objects

// physicalName is TABLE or SCHEMA.TABLE; what can't be said so stands in customProperties.
static void set_physical_name(json_t *object, json_t *ours, const ds_source_table *source, ds_arena *arena)
{
    const char *table = source->table.s, *schema = source->schema.s;
    if (!table || strchr(table, '.') || (schema && strchr(schema, '.')))
        return;
    set_text(object, "physicalName", schema ? arena_printf(arena, "%s.%s", schema, table) : table);
    json_object_del(ours, "source");
}

static json_t *object_json(const ds_dataset *dataset, ds_arena *arena)
{
    json_t *object = json_object(), *ours = odcs_fields(&SHAPE_DATASET, dataset, ODCS_DATASET_FIELDS);
    set_text(object, "name", dataset->name);
    set_physical_name(object, ours, &dataset->rest->source, arena);
    set_text(object, "physicalType", "table");
    set_text(object, "logicalType", "object");
    set_text(object, "description", dataset->description.s);
    set_some(object, "properties", properties_json(dataset, arena));
    set_some(object, "quality", checks_json(dataset));
    set_custom(object, ours);
    return object;
}

static json_t *schema_json(const ds_datastore *store, ds_arena *arena)
{
    json_t *schema = json_array();
    ds_datasets datasets = datastore_datasets(store, arena);
    for (size_t i = 0; i < datasets.n; i++)
        json_array_append_new(schema, object_json(&datasets.v[i], arena));
    return schema;
}

// --- servers

// Moves a container's field to where the standard has it, or says what is assumed.
static void move_place(json_t *server, json_t *ours, const odcs_place *place, json_t *assumed)
{
    json_t *value = json_object_get(ours, place->ours);
    int64_t number;
    if (value) {
        json_object_set(server, place->theirs, value);
        json_object_del(ours, place->ours);
        return;
    }
    if (!place->assumed)
        return;
    json_object_set_new(server, place->theirs,
                        str_int64(str_of(place->assumed), &number) ? json_integer(number)
                                                                   : json_string(place->assumed));
    json_array_append_new(assumed, json_string(place->ours));
}

static json_t *server_json(const ds_datastore *store, const ds_container *container)
{
    const odcs_server *type = odcs_server_of(container_type_name(container->type));
    json_t *server = json_pack("{ss,ss}", "server", container->name.s, "type", type->theirs), *assumed = json_array();
    json_t *ours = odcs_fields(&SHAPE_DATA_CONTAINER, container, ODCS_CONTAINER_FIELDS);
    if (type->ours)
        json_object_del(ours, "type");
    if (container->team.s && store->team.s && strcmp(container->team.s, store->team.s) == 0)
        json_object_del(ours, "team");
    for (size_t i = 0; i < ODCS_PLACES && type->places[i].ours; i++)
        move_place(server, ours, &type->places[i], assumed);
    set_some(ours, "assumed", assumed);
    set_custom(server, ours);
    return server;
}

static json_t *servers_json(const ds_model *model, const ds_datastore *store)
{
    json_t *servers = json_array();
    const char *name = store->capture.container.s;
    const ds_container *container = name ? model_container(model, name) : NULL;
    if (container)
        json_array_append_new(servers, server_json(store, container));
    return servers;
}

// --- the contract

static const ds_declaration *find_team(const ds_model *model, ds_str zone_name, ds_str team)
{
    for (size_t i = 0; i < model->zones.n; i++) {
        const ds_zone *zone = model->zones.v[i];
        for (size_t k = 0; str_eq(str_of(zone->name.s), zone_name) && k < zone->teams.n; k++)
            if (str_eq(str_of(zone->teams.v[k].name.s), team))
                return &zone->teams.v[k];
    }
    return NULL;
}

static void set_team(json_t *contract, const ds_model *model, const ds_datastore *store)
{
    ds_str rest = str_of(store->team.s);
    ds_str zone = str_split(&rest, '/');
    if (!store->team.s)
        return;
    json_t *team = json_object();
    set_text(team, "name", store->team.s);
    const ds_declaration *declared = find_team(model, zone, rest);
    set_text(team, "description", declared ? declared->description.s : NULL);
    json_object_set_new(contract, "domain", json_stringn(zone.p, zone.n));
    json_object_set_new(contract, "team", team);
}

static json_t *roles_json(const ds_datastore *store)
{
    json_t *roles = json_array();
    for (size_t i = 0; i < store->consumers.n; i++)
        json_array_append_new(roles, json_pack("{ss,ss}", "role", store->consumers.v[i].s, "access", "read"));
    return roles;
}

// How often a batch is due: the longest time between two of them.
static json_t *sla_json(const ds_datastore *store)
{
    static const struct {
        int64_t minutes;
        const char *unit;
    } UNITS[] = {{1440, "days"}, {60, "hours"}, {1, "minutes"}};
    json_t *list = json_array();
    ds_cron cron;
    ds_error ignored;
    if (!store->capture.trigger.cron.s || cron_parse(str_of(store->capture.trigger.cron.s), &cron, &ignored).code)
        return list;
    int64_t minutes = cron_longest_gap_minutes(&cron);
    size_t unit = 0;
    while (minutes % UNITS[unit].minutes)
        unit++;
    json_array_append_new(list, json_pack("{ss,sI,ss,ss,ss}", "property", "frequency", "value",
                                          (json_int_t)(minutes / UNITS[unit].minutes), "unit", UNITS[unit].unit,
                                          "scheduler", "cron", "schedule", store->capture.trigger.cron.s));
    return list;
}

static json_t *own_fields(const ds_datastore *store)
{
    json_t *ours = odcs_fields(&SHAPE_DATASTORE, store, ODCS_STORE_FIELDS);
    if (store->capture.type == CAPTURE_TRANSFORMER)
        json_object_del(ours, "capture");
    if (store->consumers.n) // the roles say it
        json_object_del(ours, "consumers");
    return ours;
}

static const char *status_of(const ds_datastore *store)
{
    return store->deprecated.v ? "deprecated" : store->production.v ? "active" : "draft";
}

// A contract's version changes exactly when it does.
static void set_version(json_t *contract)
{
    char version[17];
    char *text = json_dumps(contract, JSON_COMPACT);
    if (!text)
        BUG("a model's text is not UTF-8");
    snprintf(version, sizeof version, "%016llx", (unsigned long long)XXH3_64bits(text, strlen(text)));
    free(text);
    json_object_set_new(contract, "version", json_string(version));
}

json_t *odcs_contract(const ds_model *model, const ds_datastore *store)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *ecosystem = model->ecosystems.n ? model->ecosystems.v[0]->name.s : NULL;
    json_t *contract = json_pack("{ss,ss,ss,ss,ss,ss}", "apiVersion", ODCS_VERSION, "kind", "DataContract", "id",
                                 ecosystem ? arena_path(arena, ecosystem, store->name.s, NULL) : store->name.s, "name",
                                 store->name.s, "version", "", "status", status_of(store));
    set_team(contract, model, store);
    json_t *description = json_object();
    set_text(description, "purpose", store->description.s);
    set_some(contract, "description", description);
    set_some(contract, "servers", servers_json(model, store));
    set_some(contract, "schema", schema_json(store, arena));
    set_some(contract, "roles", roles_json(store));
    set_some(contract, "slaProperties", sla_json(store));
    set_custom(contract, own_fields(store));
    set_version(contract);
    return contract;
}

ds_rc odcs_put_yaml(const json_t *contract, ds_buf *out, ds_error *err)
{
    const char *key;
    json_t *value;
    yaml_out y;
    yaml_out_begin(&y, out);
    json_object_foreach((json_t *)(uintptr_t)contract, key, value) yaml_tree(&y, key, value);
    if (!yaml_out_end(&y))
        BUG("a model's text is not UTF-8");
    return buf_ok(out) ? DS_DONE : ds_fail(err, DS_FINDING, "the contract is too large for one file");
}
