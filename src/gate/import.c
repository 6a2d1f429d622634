// What a catalogue's tables and columns are called in a model, and what identifies their rows.
#include "gate/import_plan_int.h"
#include "model/pattern.h"

bool import_is_chosen(const ds_import_options *options, ds_relation relation)
{
    return (!options->tables || str_glob(options->tables, relation.name)) &&
           (!options->schemas || str_glob(options->schemas, relation.schema));
}

// --- columns

static const char *column_name(importer *m, ds_map *taken, const char *name)
{
    const char *legal = import_legal_name(m->arena, name, "column");
    if (strlen(legal) > 3 && str_eq_nocase((ds_str){legal, 3}, STR("ds_"))) // our own columns
        legal = import_legal_name(m->arena, arena_printf(m->arena, "source_%s", legal), "column");
    legal = import_distinct(m->arena, taken, legal);
    m->summary.renamed += strcmp(legal, name) != 0;
    return legal;
}

static void name_columns(importer *m, import_table *table)
{
    ds_map *taken = map_new(m->arena);
    int last = 0;
    bool key_lost = false;
    table->columns = ARENA_ARRAY(m->arena, import_column, table->from->n);
    table->key_in_order = true;
    for (size_t i = 0; i < table->from->n; i++) {
        const import_from_column *from = &table->from->columns[i];
        if (!from->name[0]) {
            table->skipped++;
            key_lost |= from->key > 0;
            continue;
        }
        import_column *column = &table->columns[table->n++];
        column->from = from;
        column->name = column_name(m, taken, from->name);
        m->summary.guessed += from->guessed;
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

// --- tables

static const char *schema_of(const import_from_table *table)
{
    return table->relation.schema ? table->relation.schema : "";
}

static const char *table_key(importer *m, const import_from_table *table)
{
    char *lower = arena_strdup(m->arena, import_legal_name(m->arena, table->relation.name, "table"));
    str_lower(lower);
    return lower;
}

// Names that tables of more than one schema have; in lower case.
static ds_map *find_shared_names(importer *m)
{
    ds_map *first = map_new(m->arena), *shared = map_new(m->arena);
    for (size_t i = 0; i < m->from->n; i++) {
        const import_from_table *table = &m->from->tables[i];
        const char *key = table_key(m, table);
        const import_from_table *other = map_add(first, key, &m->from->tables[i]);
        if (other && strcmp(schema_of(other), schema_of(table)) != 0)
            map_set(shared, key, &m->from->tables[i]);
    }
    return shared;
}

static const char *table_name(importer *m, const ds_map *shared, const import_from_table *table)
{
    if (!map_get(shared, table_key(m, table)))
        return import_legal_name(m->arena, table->relation.name, "table");
    const char *both = arena_printf(m->arena, "%s_%s", schema_of(table), table->relation.name);
    return import_legal_name(m->arena, both, "table");
}

static void name_tables(importer *m)
{
    ds_map *taken = map_new(m->arena);
    const ds_map *shared = find_shared_names(m);
    m->tables = ARENA_ARRAY(m->arena, import_table, m->from->n);
    for (size_t i = 0; i < m->from->n; i++) {
        import_table *table = &m->tables[m->n];
        *table = (import_table){.from = &m->from->tables[i]};
        table->name = import_distinct(m->arena, taken, table_name(m, shared, table->from));
        m->summary.renamed += strcmp(table->name, table->from->relation.name) != 0;
        name_columns(m, table);
        if (table->n == 0)
            continue;
        m->summary.keyless += table->key_count == 0;
        m->n++;
    }
    m->summary.tables = m->n;
}

// --- the container's schema

// That of all tables, when they are in one.
static const char *common_schema(const importer *m)
{
    const char *first = m->n ? schema_of(m->tables[0].from) : "";
    for (size_t i = 1; i < m->n; i++)
        if (strcmp(schema_of(m->tables[i].from), first) != 0)
            return NULL;
    return first[0] ? first : NULL;
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

ds_rc import_write(const ds_import_options *options, const import_from *from, ds_arena *arena, ds_buf *out,
                   ds_import_summary *summary, ds_error *err)
{
    importer m = {.options = options, .from = from, .arena = arena};
    TRY(check_options(&m, err));
    m.summary.views = from->views;
    m.summary.left_out = from->not_imported;
    name_tables(&m);
    if (m.n == 0 && options->tables)
        return ds_fail(err, DS_USAGE, "no table matches \"%s\"", options->tables);
    if (m.n == 0 && options->schemas)
        return ds_fail(err, DS_USAGE, "no schema with tables matches \"%s\"", options->schemas);
    if (m.n == 0)
        return ds_fail(err, DS_USAGE, "the database has no tables");
    const char *schema = options->target->schema;
    m.schema = schema && schema[0] ? schema : common_schema(&m);
    TRY(import_put_documents(&m, out, err));
    *summary = m.summary;
    return DS_DONE;
}
