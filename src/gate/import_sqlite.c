// SQLite's catalogue. Its views are left out: what their columns are is anybody's guess.
#include "gate/import_from_int.h"

static const char *describe_guess(ds_arena *arena, const ds_catalog_column *from, const char *type)
{
    if (!from->declared[0])
        return "declared without a type, taken as text";
    return arena_printf(arena, "declared as \"%.150s\", which SQLite's affinity makes %s", from->declared, type);
}

static void take_columns(ds_arena *arena, const ds_catalog_table *from, import_from_table *out)
{
    import_from_column *columns = ARENA_ARRAY(arena, import_from_column, from->n);
    for (size_t i = 0; i < from->n; i++) {
        const ds_catalog_column *column = &from->columns[i];
        bool guessed = false;
        const char *type = import_type(arena, column->declared, &guessed);
        columns[i] = (import_from_column){.name = column->name,
                                          .type = type,
                                          .description = guessed ? describe_guess(arena, column, type) : NULL,
                                          .not_null = column->not_null,
                                          .guessed = guessed,
                                          .key = column->key};
    }
    out->columns = columns;
    out->n = from->n;
}

static bool is_wanted(const ds_import_options *options, const ds_catalog_table *table)
{
    return table->n && !str_starts(str_of(table->relation.name), STR("sqlite_")) &&
           import_is_chosen(options, table->relation);
}

ds_rc import_catalog(const ds_import_options *options, const ds_catalog_table *tables, size_t n, ds_arena *arena,
                     ds_buf *out, ds_import_summary *summary, ds_error *err)
{
    import_from from = {.tables = ARENA_ARRAY(arena, import_from_table, n)};
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(options, &tables[i]))
            continue;
        if (tables[i].is_view) {
            from.views++;
            continue;
        }
        import_from_table *table = &from.tables[from.n++];
        table->relation = tables[i].relation;
        take_columns(arena, &tables[i], table);
    }
    return import_write(options, &from, arena, out, summary, err);
}
