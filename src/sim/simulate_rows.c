// The simulator's picture of the source: which tables there are, how they refer to each other, which rows they hold.
#include <stdlib.h>

#include "base/vec.h"
#include "model/lookup.h"
#include "schema/value.h"
#include "sim/simulate_int.h"

// --- shape

static ds_rc make_shape(ds_arena *arena, const ds_dataset *dataset, const ds_shape **out, ds_error *err)
{
    size_t n = dataset->columns.n;
    ds_shape_column *columns = ARENA_ARRAY(arena, ds_shape_column, n);
    const ds_column **key_columns = ARENA_ARRAY(arena, const ds_column *, n);
    uint16_t *key = ARENA_ARRAY(arena, uint16_t, n);
    size_t key_count = dataset_key(dataset, key_columns);
    for (size_t i = 0; i < n; i++) {
        const ds_column *column = &dataset->columns.v[i];
        columns[i] = (ds_shape_column){.name = column->name,
                                       .source = column->rest->source ? column->rest->source : column->name,
                                       .type = column->type,
                                       .not_null = column->not_null};
        for (size_t k = 0; k < key_count; k++)
            if (key_columns[k] == column) {
                key[k] = (uint16_t)i;
                columns[i].not_null = true;
            }
    }
    return shape_new(arena, columns, n, key, key_count, out, err);
}

// --- references, by name: customer_id or customerId refers to the key of customers

static void fold(const char *name, char *out, size_t size)
{
    size_t n = 0;
    for (; *name && n + 1 < size; name++)
        if (*name != '_')
            out[n++] = str_lower_char(*name);
    out[n] = '\0';
}

static bool is_plural(const char *plural, const char *base)
{
    size_t n = strlen(base);
    if (strncmp(plural, base, n) == 0)
        return !plural[n] || strcmp(plural + n, "s") == 0 || strcmp(plural + n, "es") == 0;
    return n && base[n - 1] == 'y' && strncmp(plural, base, n - 1) == 0 && strcmp(plural + n - 1, "ies") == 0;
}

// What columns end with that refer to a table by another word than its name.
static const struct {
    const char *ending, *table;
} NICKNAMES[] = {{"personid", "people"},
                 {"lasteditedby", "people"},
                 {"unitpackageid", "packagetypes"},
                 {"outerpackageid", "packagetypes"},
                 {"reportsto", "employees"},
                 {"shipvia", "shippers"}};

static bool is_nickname(const char *column, const char *table)
{
    for (size_t i = 0; i < sizeof NICKNAMES / sizeof NICKNAMES[0]; i++) {
        size_t n = strlen(column), end = strlen(NICKNAMES[i].ending);
        if (n >= end && strcmp(column + n - end, NICKNAMES[i].ending) == 0 && strcmp(table, NICKNAMES[i].table) == 0)
            return true;
    }
    return false;
}

// Does the column's name end with the table's, before "id"? primaryAddressId -> addresses.
static bool names_table(const char *column, const char *table)
{
    char name[128], base[128];
    fold(column, base, sizeof base);
    fold(table, name, sizeof name);
    if (is_nickname(base, name))
        return true;
    size_t n = strlen(base);
    if (n < 4 || strcmp(base + n - 2, "id") != 0)
        return false;
    base[n - 2] = '\0';
    for (const char *tail = base; strlen(tail) >= 3; tail++)
        if (is_plural(name, tail))
            return true;
    return false;
}

static bool single_key_fits(const sim_table *parent, const ds_type *type)
{
    return parent->shape->key_count == 1 &&
           type_class(parent->shape->columns[parent->shape->key[0]].type) == type_class(type);
}

static sim_table *find_parent(const sim *s, const sim_table *table, size_t column)
{
    const ds_shape_column *c = &table->shape->columns[column];
    sim_table *best = NULL;
    bool own_key = table->shape->key_count == 1 && table->shape->key[0] == column;
    if (own_key && names_table(c->name, table->name)) // purchase_order_id of purchase_orders says nothing of orders
        return NULL;
    for (size_t i = 0; i < s->n; i++) {
        sim_table *parent = &s->tables[i];
        if ((own_key && parent == table) || !single_key_fits(parent, c->type) || !names_table(c->name, parent->name))
            continue;
        if (!best || strlen(parent->name) > strlen(best->name)) // the more exact one
            best = parent;
    }
    return best;
}

static void find_parents(sim *s)
{
    for (size_t i = 0; i < s->n; i++) {
        sim_table *table = &s->tables[i];
        for (size_t c = 0; c < table->shape->n; c++) {
            table->parents[c] = find_parent(s, table, c);
            if (table->parents[c] && table->parents[c] != table)
                table->parents[c]->is_parent = true;
        }
    }
}

ds_rc sim_tables_new(sim *s, const ds_datastore *store, ds_error *err)
{
    ds_datasets datasets = datastore_datasets(store, s->arena);
    s->n = datasets.n;
    s->tables = ARENA_ARRAY(s->arena, sim_table, s->n);
    for (size_t i = 0; i < s->n; i++) {
        const ds_dataset *dataset = &datasets.v[i];
        sim_table *table = &s->tables[i];
        table->dataset = dataset;
        table->name = dataset->name;
        table->relation = (ds_relation){dataset->rest->source.schema.s ? dataset->rest->source.schema.s : "",
                                        dataset->rest->source.table.s ? dataset->rest->source.table.s : dataset->name};
        TRY(ds_context(make_shape(s->arena, dataset, &table->shape, err), err, "dataset %s/%s", store->name.s,
                       dataset->name));
        table->parents = ARENA_ARRAY(s->arena, sim_table *, table->shape->n);
        table->cells = ARENA_ARRAY(s->arena, ds_cell, table->shape->n);
        table->keys = map_new(s->arena);
        table->next_key = 1;
    }
    find_parents(s);
    return DS_DONE;
}

void sim_tables_release(sim *s)
{
    for (size_t i = 0; i < s->n; i++) {
        for (size_t r = 0; r < s->tables[i].n; r++)
            free(s->tables[i].rows[r].bytes);
        free(s->tables[i].rows);
    }
}

// --- rows

enum { KEY_TEXT_MAX = 16 << 10 };

static char *key_text(const sim *s, const sim_table *table, ds_str row)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(KEY_TEXT_MAX);
    row_print_key(table->shape, row, &text);
    return arena_strdup(s->arena, buf_text(&text));
}

// Generated keys go on after the largest number at the end of a key.
static void learn_key(sim_table *table, ds_str row)
{
    if (table->shape->key_count != 1)
        return;
    size_t at = table->shape->key[0];
    row_cells(table->shape, row, table->cells);
    ds_cell cell = table->cells[at];
    int64_t number = 0;
    if (type_class(table->shape->columns[at].type) == VALUE_INT)
        number = cell_i64(cell);
    else if (type_class(table->shape->columns[at].type) == VALUE_TEXT) {
        size_t digits = 0;
        while (digits < cell.n && digits < 15 && cell.p[cell.n - digits - 1] >= '0' &&
               cell.p[cell.n - digits - 1] <= '9')
            digits++;
        if (!str_int64((ds_str){(const char *)cell.p + cell.n - digits, digits}, &number))
            number = 0;
    }
    if (number >= table->next_key && number < INT64_MAX)
        table->next_key = number + 1;
}

static sim_row row_dup(ds_str row)
{
    sim_row copy = {malloc(row.n ? row.n : 1), (uint32_t)row.n};
    if (!copy.bytes)
        BUG("out of memory");
    memcpy(copy.bytes, row.p, row.n);
    return copy;
}

void sim_table_add(sim *s, sim_table *table, ds_str row)
{
    if (table->n == table->cap) {
        table->cap = table->cap ? table->cap * 2 : 64;
        table->rows = realloc(table->rows, table->cap * sizeof *table->rows);
        if (!table->rows)
            BUG("out of memory");
    }
    table->rows[table->n++] = row_dup(row);
    if (table->shape->key_count)
        map_set(table->keys, key_text(s, table, row), table);
    learn_key(table, row);
}

void sim_table_replace(sim_table *table, size_t i, ds_str row)
{
    sim_row copy = row_dup(row);
    free(table->rows[i].bytes);
    table->rows[i] = copy;
}

void sim_table_remove(sim *s, sim_table *table, size_t i)
{
    if (table->shape->key_count)
        map_set(table->keys, key_text(s, table, sim_table_row(table, i)), NULL);
    free(table->rows[i].bytes);
    table->rows[i] = table->rows[--table->n];
}

void sim_table_clear(sim *s, sim_table *table)
{
    for (size_t r = 0; r < table->n; r++)
        free(table->rows[r].bytes);
    table->n = 0;
    table->keys = map_new(s->arena);
}

bool sim_table_has_key(sim *s, const sim_table *table, ds_str row)
{
    return table->shape->key_count && map_get(table->keys, key_text(s, table, row));
}

ds_str sim_table_row(const sim_table *table, size_t i)
{
    return (ds_str){table->rows[i].bytes, table->rows[i].n};
}

static bool cell_eq(ds_cell a, ds_cell b)
{
    return a.p && b.p && a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

size_t sim_children(const sim_table *child, const sim_table *parent, ds_str row, size_t *out, size_t max)
{
    row_cells(parent->shape, row, parent->cells);
    ds_cell key = parent->cells[parent->shape->key[0]];
    size_t n = 0;
    for (size_t c = 0; c < child->shape->n; c++) {
        if (child->parents[c] != parent || child == parent)
            continue;
        for (size_t i = 0; i < child->n && n < max; i++) {
            row_cells(child->shape, sim_table_row(child, i), child->cells);
            bool known = false;
            for (size_t k = 0; k < n; k++)
                known |= out[k] == i;
            if (!known && cell_eq(child->cells[c], key))
                out[n++] = i;
        }
    }
    return n;
}
