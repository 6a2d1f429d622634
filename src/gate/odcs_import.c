#include <stdlib.h>

#include "base/yaml_out.h"
#include "gate/import.h"
#include "gate/import_name_int.h"
#include "gate/odcs_import_int.h"

// --- taking entries out

json_t *odcs_take(json_t *object, const char *key)
{
    json_t *value = json_incref(json_object_get(object, key));
    if (value)
        json_object_del(object, key);
    return value;
}

const char *odcs_take_text(odcs_reading *r, json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        return NULL;
    text = arena_strdup(r->arena, text);
    json_object_del(object, key);
    return text;
}

bool odcs_take_flag(odcs_reading *r, json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    bool yes = text && strcmp(text, "true") == 0;
    if (yes || (text && strcmp(text, "false") == 0))
        (void)odcs_take_text(r, object, key);
    return yes;
}

int64_t odcs_take_int(odcs_reading *r, json_t *object, const char *key, int64_t otherwise)
{
    int64_t number = otherwise;
    const char *text = json_string_value(json_object_get(object, key));
    if (text && str_int64(str_of(text), &number))
        (void)odcs_take_text(r, object, key);
    return number;
}

json_t *odcs_take_ours(json_t *element)
{
    json_t *list = json_object_get(element, "customProperties"), *ours = NULL;
    for (size_t i = 0; i < json_array_size(list) && !ours; i++) {
        const json_t *entry = json_array_get(list, i);
        const char *property = json_string_value(json_object_get(entry, "property"));
        if (!property || strcmp(property, ODCS_CUSTOM) != 0 || !json_is_object(json_object_get(entry, "value")))
            continue;
        ours = json_incref(json_object_get(entry, "value"));
        json_array_remove(list, i);
    }
    return ours ? ours : json_object();
}

void odcs_move_fields(json_t *ours, json_t *to, const char *const *fields)
{
    for (; *fields; fields++) {
        json_t *value = odcs_take(ours, *fields);
        if (value)
            json_object_set_new(to, *fields, value);
    }
}

// --- leaving the rest

void odcs_leave_out(odcs_reading *r, const char *path, const char *key, const json_t *value, const char *reason)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    bool long_text = text && strlen(text) > ODCS_LEFT_OUT_SHOWN;
    *VEC_PUSH(r->arena, &r->left_out) =
        arena_printf(r->arena, "not imported: %s%s%s: %.*s%s (%s)", path, path[0] ? ": " : "", key, ODCS_LEFT_OUT_SHOWN,
                     text ? text : "", long_text ? "…" : "", reason);
    r->summary.left_out++;
    free(text);
}

// Says what is so without being said.
static bool says_nothing(const json_t *value)
{
    const char *text = json_string_value(value);
    return json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0) ||
           (text && (text[0] == '\0' || strcmp(text, "false") == 0 || strcmp(text, "-1") == 0));
}

void odcs_leave_rest(odcs_reading *r, const char *path, const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!says_nothing(value))
            odcs_leave_out(r, path, key, value, "a model has no place for it");
    }
}

// --- what the command asks beforehand

const char *odcs_name(const json_t *contract, ds_arena *arena)
{
    const char *name = json_string_value(json_object_get(contract, "name"));
    if (!name)
        name = json_string_value(json_object_get(contract, "id"));
    return name ? import_legal_name(arena, name, "contract") : NULL;
}

const char *odcs_team(const json_t *contract, ds_arena *arena)
{
    const char *name = json_string_value(json_object_get(json_object_get(contract, "team"), "name"));
    return name && MODEL_PATTERNS[PATTERN_TEAM].matches(str_of(name)) ? arena_strdup(arena, name) : NULL;
}

// The first server of a type that we have.
static size_t find_server(const json_t *contract)
{
    const json_t *servers = json_object_get(contract, "servers");
    size_t i = 0;
    for (; i < json_array_size(servers); i++) {
        const char *type = json_string_value(json_object_get(json_array_get(servers, i), "type"));
        if (type && odcs_server_from(type))
            break;
    }
    return i;
}

const char *odcs_container(const json_t *contract, ds_arena *arena)
{
    const json_t *server = json_array_get(json_object_get(contract, "servers"), find_server(contract));
    const char *name = json_string_value(json_object_get(server, "server"));
    return server ? import_legal_name(arena, name ? name : "", "container") : NULL;
}

// --- the container

// What only the standard required.
static void drop_assumed(json_t *container, const odcs_server *type, const json_t *assumed)
{
    for (size_t i = 0; i < json_array_size(assumed); i++) {
        const char *field = json_string_value(json_array_get(assumed, i));
        const char *value = field ? json_string_value(json_object_get(container, field)) : NULL;
        for (size_t k = 0; value && k < ODCS_PLACES && type->places[k].ours; k++)
            if (strcmp(type->places[k].ours, field) == 0 && type->places[k].assumed &&
                strcmp(type->places[k].assumed, value) == 0)
                json_object_del(container, field);
    }
}

static json_t *read_container(odcs_reading *r, json_t *server, const char *name)
{
    const char *server_type = odcs_take_text(r, server, "type");
    const odcs_server *type = odcs_server_from(server_type ? server_type : "");
    json_t *ours = odcs_take_ours(server), *assumed = odcs_take(ours, "assumed");
    json_t *container = json_pack("{ss,ss,ss,ss}", "kind", "DataContainer", "team", r->options->team, "name", name,
                                  "type", type->ours ? type->ours : "odbc");
    for (size_t i = 0; i < ODCS_PLACES && type->places[i].ours; i++) {
        json_t *value = odcs_take(server, type->places[i].theirs);
        if (value)
            json_object_set_new(container, type->places[i].ours, value);
    }
    if (!type->ours && !json_object_get(ours, "type"))
        odcs_leave_out(r, "servers", name, server, "taken for odbc, since the standard doesn't say what it is");
    drop_assumed(container, type, assumed);
    odcs_move_fields(ours, container, ODCS_CONTAINER_FIELDS);
    (void)odcs_take_text(r, server, "server");
    const char *path = arena_printf(r->arena, "servers: %s", name);
    odcs_leave_rest(r, path, ours);
    odcs_leave_rest(r, path, server);
    json_decref(assumed);
    json_decref(ours);
    return container;
}

// NULL when the model has it. The servers that are left are left out.
static json_t *take_container(odcs_reading *r, json_t *contract, const char **name)
{
    json_t *servers = json_object_get(contract, "servers"), *container = NULL;
    size_t at = find_server(contract);
    *name = r->options->container ? r->options->container : odcs_container(contract, r->arena);
    if (at < json_array_size(servers) && !r->options->container) {
        container = read_container(r, json_array_get(servers, at), *name);
        json_array_remove(servers, at);
    }
    for (size_t i = 0; i < json_array_size(servers); i++)
        odcs_leave_out(r, "servers", arena_printf(r->arena, "%zu", i), json_array_get(servers, i),
                       r->options->container ? "the model has the container" : "a datastore is on one server");
    json_object_del(contract, "servers");
    return container;
}

// --- the datastore

// The contract's first schedule, or every five minutes.
static const char *take_schedule(odcs_reading *r, json_t *contract)
{
    json_t *list = json_object_get(contract, "slaProperties");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *sla = json_array_get(list, i);
        const char *scheduler = json_string_value(json_object_get(sla, "scheduler"));
        const char *schedule = json_string_value(json_object_get(sla, "schedule"));
        if (!scheduler || strcmp(scheduler, "cron") != 0 || !schedule)
            continue;
        schedule = arena_strdup(r->arena, schedule);
        json_array_remove(list, i);
        return schedule;
    }
    return NULL;
}

static json_t *read_capture(odcs_reading *r, json_t *contract, json_t *ours, const char *container)
{
    json_t *capture = odcs_take(ours, "capture");
    const char *schedule = take_schedule(r, contract);
    if (json_is_object(capture)) {
        const char *cron = json_string_value(json_object_get(json_object_get(capture, "trigger"), "cron"));
        json_t *was = json_string(schedule);
        if (schedule && (!cron || strcmp(cron, schedule) != 0))
            odcs_leave_out(r, "slaProperties", "schedule", was, "customProperties say another trigger");
        json_decref(was);
        json_object_set_new(capture, "container", json_string(container));
        return capture;
    }
    json_decref(capture);
    return json_pack("{ss,ss,s{ss}}", "type", "sql_snapshot", "container", container, "trigger", "cron",
                     schedule ? schedule : "*/5 * * * *");
}

// Roles that are groups of workspaces are consumers.
static void read_roles(json_t *contract, json_t *store)
{
    json_t *roles = json_object_get(contract, "roles"), *consumers = json_array();
    for (size_t i = 0; i < json_array_size(roles);) {
        const json_t *role = json_array_get(roles, i);
        const char *name = json_string_value(json_object_get(role, "role"));
        const char *access = json_string_value(json_object_get(role, "access"));
        if (name && MODEL_PATTERNS[PATTERN_CONSUMER].matches(str_of(name)) && access && strcmp(access, "read") == 0 &&
            json_object_size(role) == 2) {
            json_array_append_new(consumers, json_string(name));
            json_array_remove(roles, i);
        } else {
            i++;
        }
    }
    if (json_array_size(consumers))
        json_object_set(store, "consumers", consumers);
    json_decref(consumers);
}

static void read_status(odcs_reading *r, json_t *contract, json_t *ours, json_t *store)
{
    const char *status = json_string_value(json_object_get(contract, "status"));
    const char *production = json_string_value(json_object_get(ours, "production"));
    bool ours_says = json_object_get(ours, "deprecated") || (production && strcmp(production, "true") == 0);
    if (status && (ours_says || strcmp(status, "draft") == 0 || strcmp(status, "deprecated") == 0)) {
        if (strcmp(status, "deprecated") == 0 && !json_object_get(ours, "deprecated"))
            json_object_set_new(store, "deprecated", json_true());
        json_object_del(contract, "status");
        return;
    }
    json_t *left = odcs_take(contract, "status");
    if (left)
        odcs_leave_out(r, "", "status", left, "say production: true when every dataset is classified");
    json_decref(left);
}

static void read_description(odcs_reading *r, json_t *contract, json_t *store)
{
    json_t *description = odcs_take(contract, "description");
    const char *purpose = odcs_take_text(r, description, "purpose");
    if (purpose)
        json_object_set_new(store, "description", json_string(purpose));
    if (json_is_object(description))
        odcs_leave_rest(r, "description", description);
    else if (description)
        odcs_leave_out(r, "", "description", description, "it is no map");
    json_decref(description);
}

// Team and domain say the same as --team, or are left out.
static void read_team(odcs_reading *r, json_t *contract)
{
    json_t *team = json_object_get(contract, "team");
    ds_str rest = str_of(r->options->team);
    const char *zone = arena_str(r->arena, str_split(&rest, '/'));
    const char *name = json_string_value(json_object_get(team, "name"));
    const char *domain = json_string_value(json_object_get(contract, "domain"));
    if (name && strcmp(name, r->options->team) == 0) {
        json_object_del(team, "name");
        json_object_del(team, "description"); // the zone declares it
    }
    if (domain && strcmp(domain, zone) == 0)
        json_object_del(contract, "domain");
}

static json_t *read_datasets(odcs_reading *r, json_t *contract)
{
    json_t *schema = odcs_take(contract, "schema"), *datasets = json_object();
    ds_map *taken = map_new(r->arena);
    for (size_t i = 0; i < json_array_size(schema); i++) {
        json_t *object = json_array_get(schema, i);
        const char *name = json_string_value(json_object_get(object, "name"));
        const char *legal = import_distinct(r->arena, taken, import_legal_name(r->arena, name ? name : "", "dataset"));
        json_t *dataset = odcs_dataset(r, object, legal);
        if (dataset)
            json_object_set_new(datasets, legal, dataset);
    }
    json_decref(schema);
    r->summary.datasets = json_object_size(datasets);
    return datasets;
}

static json_t *read_store(odcs_reading *r, json_t *contract, const char *container)
{
    json_t *store =
        json_pack("{ss,ss,ss}", "kind", "Datastore", "team", r->options->team, "name", r->options->datastore);
    json_t *ours = odcs_take_ours(contract);
    read_description(r, contract, store);
    read_roles(contract, store);
    read_team(r, contract);
    read_status(r, contract, ours, store);
    json_object_set_new(store, "capture", read_capture(r, contract, ours, container));
    odcs_move_fields(ours, store, ODCS_STORE_FIELDS);
    json_object_set_new(store, "datasets", read_datasets(r, contract));
    odcs_leave_rest(r, ODCS_CUSTOM, ours);
    json_decref(ours);
    return store;
}

// --- the text

static void put_document(const json_t *document, ds_buf *out)
{
    const char *key;
    json_t *value;
    yaml_out y;
    yaml_out_begin(&y, out);
    json_object_foreach((json_t *)(uintptr_t)document, key, value) yaml_tree(&y, key, value);
    if (!yaml_out_end(&y))
        BUG("libyaml reads UTF-8 and doesn't write it");
}

static ds_rc put_documents(const odcs_reading *r, const json_t *container, const json_t *store, const char *origin,
                           ds_buf *out, ds_error *err)
{
    buf_puts(out, "# yaml-language-server: $schema=datasurface.schema.json\n");
    yaml_comment(out, origin);
    if (container) {
        put_document(container, out);
        buf_puts(out, "---\n");
    }
    for (size_t i = 0; i < r->left_out.n; i++)
        yaml_comment(out, r->left_out.v[i]);
    put_document(store, out);
    return buf_ok(out) ? DS_DONE : ds_fail(err, DS_FINDING, "the model of this contract is too large for one file");
}

static const char *take_origin(odcs_reading *r, json_t *contract)
{
    const char *id = odcs_take_text(r, contract, "id"), *version = odcs_take_text(r, contract, "version");
    const char *standard = odcs_take_text(r, contract, "apiVersion");
    json_object_del(contract, "kind");
    json_object_del(contract, "name");
    return arena_printf(r->arena, "Made from data contract %s, version %s (ODCS %s).", id ? id : "without an id",
                        version ? version : "unknown", standard);
}

ds_rc odcs_import(const ds_odcs_options *options, json_t *contract, ds_arena *arena, ds_buf *out,
                  ds_odcs_summary *summary, ds_error *err)
{
    odcs_reading r = {.options = options, .arena = arena};
    if (json_array_size(json_object_get(contract, "schema")) == 0)
        return ds_fail(err, DS_FINDING, "the contract has no schema, so there is nothing to import");
    if (!options->container && !odcs_container(contract, arena))
        return ds_hint(ds_fail(err, DS_FINDING, "the contract names no server that datasurface knows"), err,
                       "--container NAME says which of the model's containers it is");
    const char *origin = take_origin(&r, contract), *name;
    json_t *container = take_container(&r, contract, &name), *store = read_store(&r, contract, name);
    odcs_leave_rest(&r, "", contract);
    odcs_fields_mend(&SHAPE_DATA_CONTAINER, container);
    odcs_fields_mend(&SHAPE_DATASTORE, store);
    ds_rc rc = r.summary.datasets ? put_documents(&r, container, store, origin, out, err)
                                  : ds_fail(err, DS_FINDING,
                                            "no object of the contract has properties, so there is nothing to import");
    json_decref(container);
    json_decref(store);
    *summary = r.summary;
    return rc;
}
