// Rows that the simulator makes and changes: keys, references, and values that belong together.
#include <inttypes.h>

#include "schema/value.h"
#include "sim/simulate_int.h"

enum {
    NULL_ONCE_IN = 12,
    KEY_TRIES = 20,
    CHANGE_TRIES = 5,
    VALUE_MAX = 1 << 20,
};

// --- keys and references

// C000001, cut to the column's length; the counter alone where there is no room for a letter.
static void next_text_key(sim_table *table, const ds_shape_column *column, ds_buf *out)
{
    int room = column->type->size > 0 && column->type->size < 7 ? column->type->size : 7;
    char prefix = (char)(str_lower_char(table->name[0]) - 'a' + 'A');
    if (room >= 3)
        buf_putc(out, prefix);
    buf_printf(out, "%0*" PRId64, room >= 3 ? room - 1 : room, table->next_key++);
}

// A value for a key column that no table refers the simulator to. False: random values will have to do.
static bool next_key(sim_table *table, const ds_shape_column *column, ds_buf *out)
{
    ds_value_class class = type_class(column->type);
    if (table->shape->key_count != 1 || column->type->kind == TYPE_JSON)
        return false;
    if (class == VALUE_INT)
        buf_printf(out, "%" PRId64, table->next_key++);
    else if (class == VALUE_TEXT)
        next_text_key(table, column, out);
    return class == VALUE_INT || class == VALUE_TEXT;
}

// The key of a row of the parent, as text. False when it has no rows.
static bool reference(sim *s, const sim_table *parent, ds_str row, ds_buf *out)
{
    if (!row.p && parent->n == 0)
        return false;
    row_cells(parent->shape, row.p ? row : sim_table_row(parent, rng_below(&s->rng, parent->n)), parent->cells);
    uint16_t key = parent->shape->key[0];
    value_print(parent->shape->columns[key].type, parent->cells[key], out);
    return true;
}

// --- rows

typedef struct made_value {
    ds_buf text;
    bool null;
    bool keep; // take the cell of the old row
} made_value;

typedef struct maker {
    sim *s;
    ds_arena *arena;
    sim_table *table;
    const sim_table *parent; // the row belongs to parent_row
    ds_str parent_row;
    sim_person person;
    made_value *values;
    ds_cell *old; // the row before
} maker;

static bool is_key(const ds_shape *shape, size_t column)
{
    for (size_t k = 0; k < shape->key_count; k++)
        if (shape->key[k] == column)
            return true;
    return false;
}

static void make_value(maker *m, size_t i)
{
    sim *s = m->s;
    const ds_shape_column *column = &m->table->shape->columns[i];
    const sim_table *parent = m->table->parents[i];
    bool key = is_key(m->table->shape, i);
    ds_buf *out = &m->values[i].text;
    buf_clear(out);
    m->values[i].keep = false;
    m->values[i].null = !column->not_null && rng_once_in(&s->rng, NULL_ONCE_IN);
    if (m->values[i].null)
        return;
    if (parent && reference(s, parent, parent == m->parent ? m->parent_row : (ds_str){0}, out))
        return;
    m->values[i].null = parent && !column->not_null;
    if (!m->values[i].null && !(key && next_key(m->table, column, out)))
        sim_value(&s->rng, column, &m->person, !key, out);
}

static ds_rc put_value(ds_rows *rows, const ds_shape_column *column, const made_value *value, ds_error *err)
{
    if (value->null)
        return DS_DONE;
    if (type_class(column->type) == VALUE_BINARY)
        return value_put_blob(rows, column, buf_text(&value->text), value->text.n, err);
    return value_put_text(rows, column, (ds_str){buf_text(&value->text), value->text.n}, err);
}

// Writes the values into s->work; old cells where values say keep.
static ds_rc put_row(maker *m, ds_error *err)
{
    ds_rows *work = &m->s->work;
    const ds_shape *shape = m->table->shape;
    rows_clear(work);
    rows_begin(work);
    for (size_t i = 0; i < shape->n; i++) {
        size_t c = shape->hash_order[i];
        const ds_cell *old = &m->old[c];
        if (m->values[c].keep && old->p)
            rows_put(work, shape->columns[c].name_hash, old->p, old->n);
        else if (!m->values[c].keep)
            TRY(ds_context(put_value(work, &shape->columns[c], &m->values[c], err), err,
                           "the simulator made a bad value for %s.%s", m->table->name, shape->columns[c].name));
    }
    return rows_end(work, shape, 0, err);
}

static maker maker_new(sim *s, sim_table *table)
{
    maker m = {.s = s, .table = table, .arena = arena_new(), .person = sim_person_new(&s->rng)};
    m.values = ARENA_ARRAY(m.arena, made_value, table->shape->n);
    m.old = ARENA_ARRAY(m.arena, ds_cell, table->shape->n);
    for (size_t i = 0; i < table->shape->n; i++)
        m.values[i] = (made_value){.text = BUF_INIT(VALUE_MAX), .keep = true};
    return m;
}

static void maker_release(maker *m)
{
    for (size_t i = 0; i < m->table->shape->n; i++)
        buf_release(&m->values[i].text);
    arena_free(m->arena);
}

ds_rc sim_make_row(sim *s, sim_table *table, const sim_table *parent, ds_str parent_row, bool *made, ds_error *err)
{
    CLEANUP(maker_release) maker m = maker_new(s, table);
    m.parent = parent;
    m.parent_row = parent_row;
    *made = false;
    for (int try = 0; try < KEY_TRIES && !*made; try++) {
        for (size_t i = 0; i < table->shape->n; i++)
            make_value(&m, i);
        TRY(put_row(&m, err));
        *made = !sim_table_has_key(s, table, rows_row(&s->work, 0));
    }
    return DS_DONE;
}

static bool same_family(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

// May the column change? Keys never, birthdays only where nothing else can.
static bool is_free(const ds_shape *shape, size_t column, bool strict)
{
    const char *name = shape->columns[column].name;
    return !is_key(shape, column) && !(strict && (sim_name_says(name, "dob") || sim_name_says(name, "birth")));
}

static bool choose_column(maker *m, bool strict, size_t *out)
{
    const ds_shape *shape = m->table->shape;
    size_t free_columns = 0;
    for (size_t i = 0; i < shape->n; i++)
        free_columns += is_free(shape, i, strict);
    if (!free_columns)
        return false;
    size_t pick = rng_below(&m->s->rng, free_columns);
    for (size_t i = 0; i < shape->n; i++)
        if (is_free(shape, i, strict) && pick-- == 0)
            *out = i;
    return true;
}

// One column, and with it those that change together with it.
static bool choose_columns(maker *m)
{
    const ds_shape *shape = m->table->shape;
    size_t chosen = 0;
    if (!choose_column(m, true, &chosen) && !choose_column(m, false, &chosen))
        return false;
    const char *family = sim_column_family(shape->columns[chosen].name);
    for (size_t i = 0; i < shape->n; i++) {
        m->values[i].keep =
            i != chosen && (is_key(shape, i) || !same_family(family, sim_column_family(shape->columns[i].name)));
        if (!m->values[i].keep)
            make_value(m, i);
    }
    return true;
}

// The person that the row is about, for a mail address that fits.
static void know_person(maker *m)
{
    const ds_shape *shape = m->table->shape;
    for (size_t i = 0; i < shape->n; i++) {
        const char *family = sim_column_family(shape->columns[i].name);
        if (!m->old[i].p || type_class(shape->columns[i].type) != VALUE_TEXT)
            continue;
        ds_str text = {(const char *)m->old[i].p, m->old[i].n};
        if (same_family(family, "first"))
            m->person.first = arena_str(m->arena, text);
        else if (same_family(family, "last"))
            m->person.last = arena_str(m->arena, text);
    }
}

ds_rc sim_change_row(sim *s, sim_table *table, ds_str row, bool *made, ds_error *err)
{
    CLEANUP(maker_release) maker m = maker_new(s, table);
    row_cells(table->shape, row, m.old);
    know_person(&m);
    *made = false;
    for (int try = 0; try < CHANGE_TRIES && !*made && choose_columns(&m); try++) {
        TRY(put_row(&m, err));
        *made = !str_eq(rows_row(&s->work, 0), row);
    }
    return DS_DONE;
}
