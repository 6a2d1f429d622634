#include "yellow/platform.h"

#include <stdio.h>
#include <xxhash.h>

#include "base/vec.h"
#include "model/lookup.h"
#include "naming/naming.h"
#include "platform/assign.h"
#include "schema/value.h"
#include "yellow/artifacts.h"
#include "yellow/job/job.h"
#include "yellow/plan/plan.h"
#include "yellow/plan/plan_service.h"
#include "yellow/record.h"
#include "yellow/schedule.h"
#include "yellow/streams.h"

// What lint knows of the engines that a merge database can be. The drivers' dialects say the same to the runtime; lint
// must judge models whose driver this program was built without.
typedef struct merge_engine {
    ds_container_type type;
    ds_name_rules names;
    const char *(*text_form)(const ds_type *type); // NULL: the type has a native form
    const char *const *own_columns;                // of every table; ends with NULL
} merge_engine;

enum { PLATFORM_OBJECT_MAX = 512 }; // of a path of names
enum { SQLITE_DIGITS_MAX = 15 };    // of a decimal that SQLite holds as a number

static const char *postgres_text_form(const ds_type *type)
{
    return type_class(type) == VALUE_OTHER ? "canonical text" : NULL;
}

static const char *sqlite_text_form(const ds_type *type)
{
    ds_value_class class = type_class(type);
    if (class == VALUE_OTHER || class == VALUE_INTERVAL)
        return "canonical text";
    bool long_decimal = class == VALUE_DECIMAL && (type->size <= 0 || type->size > SQLITE_DIGITS_MAX);
    return type->kind == TYPE_UBIGINT || long_decimal ? "the text of its digits" : NULL;
}

static const char *const NO_COLUMNS[] = {NULL};
static const char *const POSTGRES_COLUMNS[] = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", NULL};

static const merge_engine ENGINES[] = {
    {CONTAINER_SQLITE, {.limit = 200, .has_schemas = false}, sqlite_text_form, NO_COLUMNS},
    {CONTAINER_POSTGRES, {.limit = 63, .has_schemas = true}, postgres_text_form, POSTGRES_COLUMNS},
};

static const merge_engine *engine_of(ds_container_type type)
{
    for (size_t i = 0; i < sizeof ENGINES / sizeof ENGINES[0]; i++)
        if (ENGINES[i].type == type)
            return &ENGINES[i];
    return NULL;
}

static bool serves(const ds_platform *platform, const ds_requires *requires_, ds_buf *why)
{
    bool fits = requires_->history == HISTORY_LIVE || platform->milestoning != MILESTONING_SCD1;
    if (!fits && why)
        buf_printf(why, "it keeps live rows only (%s), and the group requires full history",
                   milestoning_name(platform->milestoning));
    return fits;
}

// Does something that is provisioned wait for this node's data?
static bool feeds_provisioned(const ds_node *node)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_map *seen = map_new(arena);
    VEC(const ds_node *) open = {0};
    *VEC_PUSH(arena, &open) = node;
    while (open.n) {
        const ds_node *next = open.v[--open.n];
        if (next->root && next->root->status != ASSIGNMENT_PROVISIONING)
            return true;
        for (size_t i = 0; i < next->right.n; i++)
            if (!map_add(seen, next->right.v[i]->name, next->right.v[i]))
                *VEC_PUSH(arena, &open) = next->right.v[i];
    }
    return false;
}

static void cant_run(const ds_node *ingest, ds_pos pos, const char *what, ds_diags *diags)
{
    bool provisioned = feeds_provisioned(ingest);
    diag_add(diags, provisioned ? DIAG_ERROR : DIAG_WARNING, PLATFORM_RULE_CANT_RUN, pos, ingest->store->name.s,
             "platform \"%s\" can't run %s yet", ingest->platform->name, what);
    if (provisioned)
        diag_hint(diags, "assign the groups that need \"%s\" as provisioning until it can", ingest->store->name.s);
}

static void check_capture(const ds_node *ingest, ds_diags *diags)
{
    const ds_capture *capture = &ingest->store->capture;
    char what[128];
    if (capture->type == CAPTURE_TRANSFORMER || capture->type == CAPTURE_NONE)
        return;
    if (capture->type != CAPTURE_SQL_SNAPSHOT && capture->type != CAPTURE_SQL_WATERMARK) {
        snprintf(what, sizeof what, "capture \"%s\"", str_of(capture->type_text.s).p);
        cant_run(ingest, capture->type_text.pos, what, diags);
    }
    if (capture->bad_rows.pos.file) {
        diag_add(diags, DIAG_WARNING, PLATFORM_RULE_IGNORED, capture->bad_rows.pos, ingest->store->name.s,
                 "\"bad_rows\" has no effect yet: a bad row stops the batch");
        diag_hint(diags, "leave it out until reject tables are built");
    }
}

static void check_transformer(const ds_model *model, const ds_node *ingest, ds_diags *diags)
{
    const ds_transformer *transformer = &ingest->store->producer->transformer;
    if (transformer->command.image.s)
        cant_run(ingest, transformer->command.image.pos, "a transformer's \"image\"", diags);
    const ds_container *merge = service_container(model, ingest->service);
    ds_container_type type = merge ? merge->type : CONTAINER_NONE;
    for (size_t i = 0; i < transformer->sql.n; i++) {
        const ds_sql_text *sql = &transformer->sql.v[i];
        bool given = sql->any.s || (type == CONTAINER_POSTGRES && sql->postgres.s) ||
                     (type == CONTAINER_SQLITE && sql->sqlite.s);
        if (given || !engine_of(type))
            continue;
        diag_add(diags, DIAG_ERROR, PLATFORM_RULE_DIALECT, sql->pos, ingest->store->name.s,
                 "\"%s\" has no text for %s, which merge database \"%s\" is", sql->dataset, container_type_name(type),
                 merge->name.s);
        diag_hint(diags, "add \"%s:\", or write one text for all", container_type_name(type));
    }
}

static bool is_own_column(const merge_engine *engine, const char *name)
{
    for (const char *const *own = engine->own_columns; *own; own++)
        if (strcmp(*own, name) == 0)
            return true;
    return false;
}

typedef struct column_place {
    const ds_node *ingest;
    const ds_dataset *dataset;
    const merge_engine *engine;
    const ds_container *merge;
} column_place;

static void tell_column(const column_place *place, const ds_column *column, const char *form, ds_diags *diags)
{
    const char *what = place->ingest->kind == NODE_REPLICA ? "replica" : "merge database",
               *merge = place->merge->name.s;
    char object[PLATFORM_OBJECT_MAX];
    snprintf(object, sizeof object, "%s/%s/%s", place->ingest->store->name.s, place->dataset->name, column->name);
    if (form)
        diag_add(diags, DIAG_INFO, PLATFORM_RULE_TEXT_FORM, column->pos, object, "%s is kept as %s in %s \"%s\"",
                 type_kind_name(column->type->kind), form, what, merge);
    if (is_own_column(place->engine, column->name)) {
        diag_add(diags, DIAG_ERROR, PLATFORM_RULE_COLUMN, column->pos, object,
                 "every table of %s \"%s\" has a column \"%s\" of its own", what, merge, column->name);
        diag_hint(diags, "give the column another name, with \"source: %s\"", column->name);
    }
    if (strlen(column->name) > place->engine->names.limit) {
        diag_add(diags, DIAG_ERROR, PLATFORM_RULE_LENGTH, column->pos, object,
                 "the name of column \"%s\" is too long for %s \"%s\", which takes %zu bytes", column->name, what,
                 merge, place->engine->names.limit);
        diag_hint(diags, "give the column a shorter name, with its own as \"source\"");
    }
}

static void check_columns(const ds_node *ingest, const ds_dataset *dataset, const merge_engine *engine,
                          const ds_container *merge, ds_diags *diags)
{
    const column_place place = {ingest, dataset, engine, merge};
    for (size_t i = 0; i < dataset->columns.n; i++) {
        const ds_column *column = &dataset->columns.v[i];
        const char *form = column->type ? engine->text_form(column->type) : NULL;
        if (form || is_own_column(engine, column->name) || strlen(column->name) > engine->names.limit)
            tell_column(&place, column, form, diags);
    }
}

// Groups that ask for the history of rows without a key have a finding of their own.
static bool feeds_live(const ds_node *ingest, const ds_dataset *dataset)
{
    for (size_t i = 0; i < ingest->right.n; i++)
        if (ingest->right.v[i]->kind == NODE_EXPORT && ingest->right.v[i]->dataset == dataset &&
            ingest->right.v[i]->group->requires_.history == HISTORY_LIVE)
            return true;
    return false;
}

static void check_dataset(const ds_node *ingest, const ds_dataset *dataset, ds_diags *diags)
{
    char object[PLATFORM_OBJECT_MAX];
    snprintf(object, sizeof object, "%s/%s", ingest->store->name.s, dataset->name);
    if (dataset_is_keyless(dataset) && ingest->platform->milestoning != MILESTONING_SCD1 &&
        feeds_live(ingest, dataset)) {
        diag_add(diags, DIAG_ERROR, PLATFORM_RULE_NEEDS_KEY, dataset->pos, object,
                 "dataset \"%s\" has no key, and platform \"%s\" keeps history (%s)", object, ingest->platform->name,
                 milestoning_name(ingest->platform->milestoning));
        diag_hint(diags, "assign the groups that use it to an scd1 platform");
    }
}

// The container that a node's tables or views are in. Neighbours mostly have the same one.
typedef struct node_place {
    const ds_model *model;
    const ds_platform_service *service;
    const ds_container *replica;   // NULL: it is in the merge database
    const ds_container *container; // NULL: unknown
} node_place;

// Is it another one than before?
static bool place_moves(node_place *place, const ds_node *node)
{
    const ds_container *replica = node->container ? node->container : node->root ? node->root->replica : NULL;
    if (node->service == place->service && replica == place->replica)
        return false;
    place->service = node->service;
    place->replica = replica;
    place->container = replica ? replica : service_container(place->model, node->service);
    return true;
}

// A replica's rows have been checked where they are merged; only the other engine is new.
static void check_replica(const ds_node *replica, ds_diags *diags)
{
    const merge_engine *engine = engine_of(replica->container->type);
    for (size_t i = 0; engine && i < replica->dataset_count; i++)
        check_columns(replica, replica->datasets[i], engine, replica->container, diags);
}

static void check_stream(const ds_model *model, const ds_node *ingest, ds_diags *diags)
{
    if (ingest->kind == NODE_REPLICA) {
        check_replica(ingest, diags);
        return;
    }
    check_capture(ingest, diags);
    if (ingest->store->producer)
        check_transformer(model, ingest, diags);
    const ds_container *merge = service_container(model, ingest->service);
    const merge_engine *engine = merge ? engine_of(merge->type) : NULL;
    for (size_t i = 0; i < ingest->dataset_count; i++) {
        check_dataset(ingest, ingest->datasets[i], diags);
        if (engine)
            check_columns(ingest, ingest->datasets[i], engine, merge, diags);
    }
}

// Physical names of one merge database.
typedef struct name_check {
    const merge_engine *engine;
    ds_arena *arena;
    ds_map *taken; // physical name -> what it stands for
    ds_diags *diags;
    uint64_t *sum; // not NULL: names are summed up, and nothing else
} name_check;

static void claim(name_check *c, ds_relation relation, ds_pos pos, const char *owner)
{
    const char *key =
        relation.schema[0] ? arena_printf(c->arena, "%s.%s", relation.schema, relation.name) : relation.name;
    if (c->sum) {
        *c->sum += XXH3_64bits(key, strlen(key));
        return;
    }
    const char *other = map_add(c->taken, key, (void *)(uintptr_t)owner);
    if (!other || strcmp(other, owner) == 0)
        return;
    diag_add(c->diags, DIAG_ERROR, PLATFORM_RULE_NAMES, pos, owner,
             "the physical names of \"%s\" and \"%s\" are both \"%s\"", other, owner, key);
    diag_hint(c->diags, "give one of them a shorter name");
}

// A name that says its whole path is nobody else's: only one that carries a hash can meet another. Cheap, and never
// false for a name that does.
static bool may_meet(const name_check *c, const char *const *parts, size_t n)
{
    enum { AROUND = sizeof "ds___history" }; // the longest prefix and suffix
    size_t bytes = AROUND;
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(parts[i]);
        if (length == 0 || parts[i][0] == '_' || parts[i][length - 1] == '_' || strstr(parts[i], "__"))
            return true;
        bytes += length + 2;
    }
    return bytes > c->engine->names.limit;
}

static void claim_tables(name_check *c, const ds_node *ingest, const ds_dataset *dataset)
{
    static const ds_table_kind KINDS[] = {TABLE_MERGE, TABLE_STAGING, TABLE_HISTORY};
    const char *platform = ingest->platform->name, *store = ingest->store->name.s;
    if (!may_meet(c, (const char *[]){platform, store, dataset->name}, 3))
        return;
    const char *owner = arena_path(c->arena, platform, store, dataset->name, NULL);
    size_t n = ingest->platform->milestoning == MILESTONING_SCD4 ? 3 : 2;
    for (size_t i = 0; i < n; i++)
        claim(c, naming_table(c->arena, c->engine->names, platform, store, dataset->name, KINDS[i]), dataset->pos,
              owner);
}

static void claim_views(name_check *c, const ds_node *export)
{
    const char *workspace = export->workspace->name.s, *store = export->store->name.s;
    if (!may_meet(c, (const char *[]){workspace, export->group->name, store, export->dataset->name}, 4))
        return;
    const char *owner = arena_path(c->arena, workspace, export->group->name, store, export->dataset->name, NULL);
    bool full = export->group->requires_.history == HISTORY_FULL;
    for (int history = 0; history <= full; history++)
        claim(c,
              naming_view(c->arena, c->engine->names, workspace, export->group->name, store, export->dataset->name,
                          history),
              export->group->pos, owner);
}

static void claim_node(name_check *c, const ds_node *node)
{
    if (!node->platform || !compile_is_ours(node->platform))
        return;
    if (node->kind == NODE_EXPORT && node->root && node->root->owns_views)
        claim_views(c, node);
    for (size_t i = 0; node_is_stream(node) && i < node->dataset_count; i++)
        claim_tables(c, node, node->datasets[i]);
}

// Over all services that share the database; what each of them finds is the same.
static void check_names(const ds_model *model, const ds_graph *graph, const ds_container *container, ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    name_check c = {engine_of(container->type), arena, map_new(arena), diags, NULL};
    const char *database = assign_database(container, arena);
    node_place place = {.model = model};
    bool shares = false;
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        if (place_moves(&place, node))
            shares = place.container && strcmp(assign_database(place.container, arena), database) == 0;
        if (shares)
            claim_node(&c, node);
    }
}

static uint64_t names_at_stake(const ds_model *model, const ds_graph *graph)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    uint64_t sum = 0;
    name_check c = {.arena = arena, .sum = &sum};
    node_place place = {.model = model};
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        if (place_moves(&place, node))
            c.engine = place.container ? engine_of(place.container->type) : NULL;
        if (c.engine)
            claim_node(&c, node);
    }
    return sum;
}

static void ignored(const ds_workspace *workspace, ds_diags *diags)
{
    diag_add(diags, DIAG_WARNING, PLATFORM_RULE_IGNORED, workspace->container.pos, workspace->name.s,
             "\"container\" has no effect: the transformer of \"%s\" runs where its inputs are merged",
             workspace->name.s);
    diag_hint(diags, "leave it out; the workspaces that read its output may have containers");
}

static void check_transformers_containers(const ds_graph *graph, const ds_platform_service *service, ds_diags *diags)
{
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        if (node->kind == NODE_TRANSFORMER && node->service == service && node->workspace->container.s)
            ignored(node->workspace, diags);
    }
}

static void wrong_type(const ds_container *container, ds_pos pos, const char *what, const char *object, ds_diags *diags)
{
    diag_add(diags, DIAG_ERROR, PLATFORM_RULE_MERGE, pos, object,
             "%s \"%s\" is of type %s, which yellow can't merge in", what, container->name.s,
             container_type_name(container->type));
    diag_hint(diags, "sqlite and postgres can be merge databases");
}

// One database has one name, and one credential writes there.
static void check_shared(const ds_root *root, const ds_root *first, ds_diags *diags)
{
    const ds_workspace *workspace = root->workspace, *other = first->workspace;
    const char *credential = str_of(workspace->credential.s).p, *known = str_of(other->credential.s).p;
    const char *name = root->replica->name.s, *called = first->replica->name.s;
    if (strcmp(name, called) != 0) {
        diag_add(diags, DIAG_ERROR, PLATFORM_RULE_REPLICA, workspace->container.pos, workspace->name.s,
                 "containers \"%s\" and \"%s\" are the same database", name, called);
        diag_hint(diags, "workspaces that share a database share its copies: write \"container: %s\", as \"%s\" does",
                  called, other->name.s);
    } else if (strcmp(credential, known) != 0) {
        diag_add(diags, DIAG_ERROR, PLATFORM_RULE_REPLICA, workspace->container.pos, workspace->name.s,
                 "\"%s\" and \"%s\" share container \"%s\", and say \"%s\" and \"%s\" about its credential",
                 workspace->name.s, other->name.s, name, credential, known);
        diag_hint(diags, "one credential writes the copies that they share");
    }
}

static void check_replicas(const ds_model *model, const ds_graph *graph, const ds_platform_service *service,
                           ds_diags *diags)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_map *firsts = map_new(arena), *seen = map_new(arena);
    for (size_t i = 0; i < graph->roots.n; i++) {
        const ds_root *root = &graph->roots.v[i];
        if (!root->replica || !compile_is_ours(root->platform))
            continue;
        const char *database = assign_database(root->replica, arena);
        const ds_root *first = map_add(firsts, database, (void *)(uintptr_t)root);
        if (root->service != service || map_add(seen, root->workspace->name.s, firsts))
            continue;
        if (first)
            check_shared(root, first, diags);
        else if (engine_of(root->replica->type))
            check_names(model, graph, root->replica, diags);
        if (!engine_of(root->replica->type) && root->replica->type != CONTAINER_NONE)
            wrong_type(root->replica, root->workspace->container.pos, "container", root->workspace->name.s, diags);
    }
}

static void check_service(const ds_model *model, const ds_graph *graph, const ds_platform_service *service,
                          ds_diags *diags)
{
    check_transformers_containers(graph, service, diags);
    check_replicas(model, graph, service, diags);
    const ds_container *merge = service_container(model, service);
    if (!merge || merge->type == CONTAINER_NONE)
        return;
    if (engine_of(merge->type))
        check_names(model, graph, merge, diags);
    else
        wrong_type(merge, service->merge_container.pos, "merge container", service->name.s, diags);
}

static const ds_platform_type YELLOW = {
    .name = COMPILE_PLATFORM_TYPE,
    .serves = serves,
    .check_stream = check_stream,
    .check_service = check_service,
    .names_at_stake = names_at_stake,
    .plan = plan_service,
    .apply = plan_service_apply,
    .finish = plan_service_finish,
    .streams = streams_applied,
    .status = record_status,
    .batches = record_batches,
    .artifacts = artifacts_read,
    .history = artifacts_history,
    .run = job_run,
    .schedule = schedule_streams,
    .tell = streams_tell,
    .reset = job_reset,
    .applied = record_applied,
    .follows = record_follows,
    .note_follow = record_note_follow,
};

const ds_platform_type *yellow_platform_type(void)
{
    return &YELLOW;
}
