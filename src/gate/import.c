#include "gate/import.h"

#include "gate/import_int.h"
#include "gate/import_name_int.h"
#include "model/pattern.h"

// A column and a table under the names that they get.
typedef struct import_column {
    const ds_catalog_column *from;
    const char *name, *type;
    bool guessed;
} import_column;
typedef struct import_table {
    const ds_catalog_table *from;
    const char *name;
    import_column *columns;
    size_t n;       // columns written
    size_t skipped; // columns without a name, which a model can't have
    size_t key_count;
    bool key_in_order; // of the columns
} import_table;

typedef struct importer {
    const ds_import_options *options;
    ds_arena *arena;
    import_table *tables;
    size_t n;
    const char *zone, *team, *container;
    ds_import_summary summary;
} importer;

// --- from the catalogue

static const char *column_name(importer *m, ds_map *taken, const char *name)
{
    const char *legal = import_legal_name(m->arena, name, "column");
    if (strlen(legal) > 3 && str_eq_nocase((ds_str){legal, 3}, STR("ds_"))) // our own columns
        legal = import_legal_name(m->arena, arena_printf(m->arena, "source_%s", legal), "column");
    legal = import_distinct(m->arena, taken, legal);
    m->summary.renamed += strcmp(legal, name) != 0;
    return legal;
}

static void read_columns(importer *m, import_table *table)
{
    ds_map *taken = map_new(m->arena);
    int last = 0;
    bool key_lost = false;
    table->columns = ARENA_ARRAY(m->arena, import_column, table->from->n);
    table->key_in_order = true;
    for (size_t i = 0; i < table->from->n; i++) {
        const ds_catalog_column *from = &table->from->columns[i];
        if (!from->name[0]) {
            table->skipped++;
            key_lost |= from->key > 0;
            continue;
        }
        import_column *column = &table->columns[table->n++];
        column->from = from;
        column->name = column_name(m, taken, from->name);
        column->type = import_type(m->arena, from->declared, &column->guessed);
        m->summary.guessed += column->guessed;
        if (!from->key)
            continue;
        table->key_count++;
        table->key_in_order &= from->key == ++last;
    }
    m->summary.skipped += table->skipped;
    if (key_lost) { // what is left of the key is none
        table->key_count = 0;
        table->key_in_order = true;
    }
}

static bool is_wanted(const importer *m, const ds_catalog_table *table)
{
    const char *pattern = m->options->tables;
    return table->n && !str_starts(str_of(table->relation.name), STR("sqlite_")) &&
           (!pattern || str_glob(pattern, table->relation.name));
}

static void read_tables(importer *m, const ds_catalog_table *tables, size_t n)
{
    ds_map *taken = map_new(m->arena);
    m->tables = ARENA_ARRAY(m->arena, import_table, n);
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(m, &tables[i]))
            continue;
        if (tables[i].is_view) {
            m->summary.views++;
            continue;
        }
        import_table *table = &m->tables[m->n];
        *table = (import_table){.from = &tables[i]};
        const char *legal = import_legal_name(m->arena, tables[i].relation.name, "table");
        table->name = import_distinct(m->arena, taken, legal);
        m->summary.renamed += strcmp(table->name, tables[i].relation.name) != 0;
        read_columns(m, table);
        m->n += table->n > 0;
        if (table->n == 0)
            continue;
        m->summary.keyless += table->key_count == 0;
    }
    m->summary.tables = m->n;
}

// --- to YAML

static void put_column(const import_table *table, const import_column *column, yaml_out *y)
{
    const ds_catalog_column *from = column->from;
    bool renamed = strcmp(column->name, from->name) != 0;
    char spec[TYPE_TEXT_MAX + 32];
    snprintf(spec, sizeof spec, "%s%s", column->type,
             from->key && table->key_count ? " primary key"
             : from->not_null              ? " not null"
                                           : "");
    if (!renamed && !column->guessed) {
        yaml_word(y, column->name, spec);
        return;
    }
    char about[256];
    snprintf(about, sizeof about, "declared as \"%.150s\", which SQLite's affinity makes %s", from->declared,
             column->type);
    yaml_map_begin(y, column->name);
    yaml_word(y, "type", spec);
    if (renamed)
        yaml_quoted(y, "source", from->name);
    if (column->guessed)
        yaml_quoted(y, "description", from->declared[0] ? about : "declared without a type, taken as text");
    yaml_map_end(y);
}

static void put_source(const import_table *table, yaml_out *y)
{
    ds_relation at = table->from->relation;
    bool renamed = strcmp(table->name, at.name) != 0, in_schema = at.schema && at.schema[0];
    if (!renamed && !in_schema)
        return;
    yaml_map_begin(y, "source");
    if (in_schema)
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

static void put_table(const import_table *table, yaml_out *y)
{
    yaml_map_begin(y, table->name);
    put_source(table, y);
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

static void put_container(importer *m, yaml_out *y)
{
    const ds_target *target = m->options->target;
    const struct {
        const char *key, *value;
    } FIELDS[] = {{"path", target->path},
                  {"host", target->host},
                  {"database", target->database},
                  {"schema", target->schema}};
    yaml_word(y, "kind", "DataContainer");
    put_team(m, y);
    yaml_word(y, "name", m->container);
    yaml_word(y, "type", target->type);
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++)
        if (FIELDS[i].value && FIELDS[i].value[0])
            yaml_quoted(y, FIELDS[i].key, FIELDS[i].value);
    if (target->port)
        yaml_word(y, "port", arena_printf(m->arena, "%d", target->port));
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
        put_table(&m->tables[i], y);
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

// What is left out, where people look for it: above the store. Only legal names stand here, which end no comment.
static void put_comments(const importer *m, ds_buf *out)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->tables[i].skipped)
            buf_printf(out, "# %s: %zu column%s left out, because a column without a name can't be in a model\n",
                       m->tables[i].name, m->tables[i].skipped, m->tables[i].skipped == 1 ? " is" : "s are");
}

static ds_rc write_documents(importer *m, ds_buf *out, ds_error *err)
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
        TRY(yaml_out_end(&y, err));
    }
    return buf_ok(out) ? DS_DONE : ds_fail(err, DS_FINDING, "the model of this database is too large for one file");
}

static ds_rc check_options(importer *m, ds_error *err)
{
    const ds_import_options *o = m->options;
    const char *team = o->team ? o->team : o->whole_model ? "Main/data" : "";
    if (!MODEL_PATTERNS[PATTERN_TEAM].matches(str_of(team)))
        return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" is not a team", team), err, "%s",
                       MODEL_PATTERNS[PATTERN_TEAM].form);
    m->container = o->container ? o->container
                                : import_legal_name(m->arena, arena_printf(m->arena, "%.126sDB", o->datastore), "DB");
    const char *const names[] = {o->datastore, m->container};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!MODEL_PATTERNS[PATTERN_NAME].matches(str_of(names[i])))
            return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" is not a legal name", names[i]), err, "%s",
                           MODEL_PATTERNS[PATTERN_NAME].form);
    ds_str rest = str_of(team);
    m->zone = arena_str(m->arena, str_split(&rest, '/'));
    m->team = arena_str(m->arena, rest);
    return DS_DONE;
}

ds_rc import_catalog(const ds_import_options *options, const ds_catalog_table *tables, size_t n, ds_arena *arena,
                     ds_buf *out, ds_import_summary *summary, ds_error *err)
{
    importer m = {.options = options, .arena = arena};
    TRY(check_options(&m, err));
    read_tables(&m, tables, n);
    if (m.n == 0 && options->tables)
        return ds_fail(err, DS_USAGE, "no table matches \"%s\"", options->tables);
    if (m.n == 0)
        return ds_fail(err, DS_USAGE, "the database has no tables");
    TRY(write_documents(&m, out, err));
    *summary = m.summary;
    return DS_DONE;
}
