// The documents of an imported model, through libyaml's emitter.
#include "gate/import_plan_int.h"

static void put_column(const import_table *table, const import_column *column, yaml_out *y)
{
    const import_from_column *from = column->from;
    bool renamed = strcmp(column->name, from->name) != 0;
    char spec[TYPE_TEXT_MAX + 32];
    snprintf(spec, sizeof spec, "%s%s", from->type,
             from->key && table->key_count ? " primary key"
             : from->not_null              ? " not null"
                                           : "");
    if (!renamed && !from->description) {
        yaml_word(y, column->name, spec);
        return;
    }
    yaml_map_begin(y, column->name);
    yaml_word(y, "type", spec);
    if (renamed)
        yaml_quoted(y, "source", from->name);
    if (from->description)
        yaml_quoted(y, "description", from->description);
    yaml_map_end(y);
}

static void put_source(const importer *m, const import_table *table, yaml_out *y)
{
    ds_relation at = table->from->relation;
    bool renamed = strcmp(table->name, at.name) != 0;
    bool elsewhere = at.schema && at.schema[0] && (!m->schema || strcmp(m->schema, at.schema) != 0);
    if (!renamed && !elsewhere)
        return;
    yaml_map_begin(y, "source");
    if (elsewhere)
        yaml_quoted(y, "schema", at.schema);
    if (renamed)
        yaml_quoted(y, "table", at.name);
    yaml_map_end(y);
}

static void put_key(const import_table *table, yaml_out *y)
{
    if (table->key_count == 0)
        yaml_word(y, "key", "none");
    if (table->key_in_order)
        return;
    yaml_list_begin(y, "primary_key");
    for (int place = 1; place <= (int)table->key_count; place++)
        for (size_t i = 0; i < table->n; i++)
            if (table->columns[i].from->key == place)
                yaml_word(y, NULL, table->columns[i].name);
    yaml_list_end(y);
}

static void put_table(const importer *m, const import_table *table, yaml_out *y)
{
    yaml_map_begin(y, table->name);
    if (table->from->description)
        yaml_quoted(y, "description", table->from->description);
    put_source(m, table, y);
    put_key(table, y);
    yaml_map_begin(y, "columns");
    for (size_t i = 0; i < table->n; i++)
        put_column(table, &table->columns[i], y);
    yaml_map_end(y);
    yaml_map_end(y);
}

static void put_team(const importer *m, yaml_out *y)
{
    yaml_word(y, "team", arena_printf(m->arena, "%s/%s", m->zone, m->team));
}

typedef struct put_field {
    const char *key, *value;
} put_field;

static void put_fields(const put_field *fields, size_t n, yaml_out *y)
{
    for (size_t i = 0; i < n; i++)
        if (fields[i].value && fields[i].value[0])
            yaml_quoted(y, fields[i].key, fields[i].value);
}

static void put_tls(const ds_target *target, yaml_out *y)
{
    const put_field fields[] = {{"mode", target->tls_mode},
                                {"ca", target->tls_ca},
                                {"cert", target->tls_cert},
                                {"key", target->tls_key}};
    bool any = false;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        any |= fields[i].value && fields[i].value[0];
    if (!any)
        return;
    yaml_map_begin(y, "tls");
    put_fields(fields, sizeof fields / sizeof fields[0], y);
    yaml_map_end(y);
}

static void put_container(importer *m, yaml_out *y)
{
    const ds_target *target = m->options->target;
    const put_field fields[] = {{"path", target->path},
                                {"host", target->host},
                                {"database", target->database},
                                {"schema", m->schema}};
    yaml_word(y, "kind", "DataContainer");
    put_team(m, y);
    yaml_word(y, "name", m->container);
    yaml_word(y, "type", target->type);
    put_fields(fields, sizeof fields / sizeof fields[0], y);
    if (target->port)
        yaml_word(y, "port", arena_printf(m->arena, "%d", target->port));
    put_tls(target, y);
}

static void put_store(importer *m, yaml_out *y)
{
    const ds_import_options *o = m->options;
    yaml_word(y, "kind", "Datastore");
    put_team(m, y);
    yaml_word(y, "name", o->datastore);
    yaml_map_begin(y, "capture");
    yaml_word(y, "type", "sql_snapshot");
    yaml_word(y, "container", m->container);
    if (o->credential)
        yaml_word(y, "credential", o->credential);
    yaml_map_begin(y, "trigger");
    yaml_quoted(y, "cron", o->cron ? o->cron : "*/5 * * * *");
    yaml_map_end(y);
    yaml_map_end(y);
    yaml_map_begin(y, "datasets");
    for (size_t i = 0; i < m->n; i++)
        put_table(m, &m->tables[i], y);
    yaml_map_end(y);
}

// --- the model around it

static void put_declared(importer *m, yaml_out *y, const char *list, const char *name)
{
    yaml_list_begin(y, list);
    yaml_map_begin(y, NULL);
    yaml_word(y, "name", name);
    yaml_word(y, "repository", arena_printf(m->arena, "local/model@%s", name));
    yaml_map_end(y);
    yaml_list_end(y);
}

static void put_ecosystem(importer *m, yaml_out *y)
{
    yaml_word(y, "kind", "Ecosystem");
    yaml_word(y, "name", m->options->datastore);
    yaml_word(y, "repository", "local/model@central");
    yaml_word(y, "live", "local/model@main");
    put_declared(m, y, "zones", m->zone);
    put_declared(m, y, "platform_services", "Local");
}

static void put_zone(importer *m, yaml_out *y)
{
    yaml_word(y, "kind", "GovernanceZone");
    yaml_word(y, "name", m->zone);
    put_declared(m, y, "teams", m->team);
}

static void put_group(importer *m, yaml_out *y, const char *name, const char *history, bool keyless)
{
    yaml_map_begin(y, name);
    yaml_map_begin(y, "requires");
    yaml_word(y, "history", history);
    yaml_word(y, "latency", "minutes");
    yaml_map_end(y);
    yaml_list_begin(y, "sinks");
    for (size_t i = 0; i < m->n; i++)
        if (keyless || m->tables[i].key_count)
            yaml_word(y, NULL, arena_printf(m->arena, "%s/%s", m->options->datastore, m->tables[i].name));
    yaml_list_end(y);
    yaml_map_end(y);
}

static bool has_history(const importer *m)
{
    return m->summary.keyless < m->n;
}

static void put_workspace(importer *m, yaml_out *y)
{
    yaml_word(y, "kind", "Workspace");
    put_team(m, y);
    yaml_word(y, "name", "Explore");
    yaml_map_begin(y, "dataset_groups");
    put_group(m, y, "live", "live", true);
    if (has_history(m))
        put_group(m, y, "history", "full", false);
    yaml_map_end(y);
}

static void put_platform(yaml_out *y, const char *name, const char *milestoning)
{
    yaml_map_begin(y, name);
    yaml_word(y, "type", "yellow");
    yaml_word(y, "milestoning", milestoning);
    yaml_map_end(y);
}

static void put_assignment(yaml_out *y, const char *group, const char *platform)
{
    yaml_map_begin(y, NULL);
    yaml_word(y, "group", group);
    yaml_list_begin(y, "platforms");
    yaml_map_begin(y, NULL);
    yaml_word(y, "platform", platform);
    yaml_word(y, "status", "provisioned");
    yaml_map_end(y);
    yaml_list_end(y);
    yaml_map_end(y);
}

static void put_service(importer *m, yaml_out *y)
{
    ds_map *taken = map_new(m->arena);
    (void)import_distinct(m->arena, taken, m->container);
    const char *merge = import_distinct(m->arena, taken, "MergeDB");
    yaml_word(y, "kind", "PlatformService");
    yaml_word(y, "name", "Local");
    yaml_map_begin(y, "merge");
    yaml_word(y, "container", merge);
    yaml_map_end(y);
    yaml_map_begin(y, "containers");
    yaml_map_begin(y, merge);
    yaml_word(y, "type", "sqlite");
    yaml_quoted(y, "path", m->options->merge_path ? m->options->merge_path : "merge.db");
    yaml_map_end(y);
    yaml_map_end(y);
    yaml_map_begin(y, "platforms");
    put_platform(y, "Live", "scd1");
    put_platform(y, "History", "scd2");
    yaml_map_end(y);
    yaml_list_begin(y, "assignments");
    put_assignment(y, "Explore/live", "Live");
    if (has_history(m))
        put_assignment(y, "Explore/history", "History");
    yaml_list_end(y);
}

// --- all of it

typedef void put_document(importer *m, yaml_out *y);

// What is left out, where people look for it: above the store.
static void put_comments(const importer *m, ds_buf *out)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->tables[i].skipped)
            yaml_comment(out, arena_printf(m->arena,
                                           "%s: %zu column%s left out, because a column without a name can't be in a "
                                           "model",
                                           m->tables[i].name, m->tables[i].skipped,
                                           m->tables[i].skipped == 1 ? " is" : "s are"));
    for (size_t i = 0; i < m->from->left_out_count; i++)
        yaml_comment(out, arena_printf(m->arena, "not imported: %s", m->from->left_out[i]));
}

ds_rc import_put_documents(importer *m, ds_buf *out, ds_error *err)
{
    static put_document *const WHOLE[] = {put_ecosystem, put_zone,      put_container,
                                          put_store,     put_workspace, put_service};
    static put_document *const PART[] = {put_container, put_store};
    put_document *const *documents = m->options->whole_model ? WHOLE : PART;
    size_t n = m->options->whole_model ? sizeof WHOLE / sizeof WHOLE[0] : sizeof PART / sizeof PART[0];
    buf_puts(out, "# yaml-language-server: $schema=datasurface.schema.json\n");
    for (size_t i = 0; i < n; i++) {
        yaml_out y;
        buf_puts(out, i ? "---\n" : "");
        if (documents[i] == put_store)
            put_comments(m, out);
        yaml_out_begin(&y, out);
        documents[i](m, &y);
        if (!yaml_out_end(&y))
            return ds_fail(err, DS_FINDING, "a name in the catalogue is not UTF-8, as a model must be");
    }
    return buf_ok(out) ? DS_DONE : ds_fail(err, DS_FINDING, "the model of this database is too large for one file");
}
