// What stands in a row that the simulator makes or changes. Floats are multiples of 1/8, so that their decimal text is
// exact in every database.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "schema/value.h"
#include "sim/simulate_int.h"

enum {
    NULL_ONCE_IN = 12,
    BOUNDARY_ONCE_IN = 150,
    KEY_TRIES = 20,
    CHANGE_TRIES = 5,
    VALUE_MAX = 1 << 20,
    TEXT_LENGTH_MAX = 200, // of unlimited texts
};

// Appends a value as text (binary: its bytes).
typedef void value_maker(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out);

// --- plain values, by class

static bool says(const char *name, const char *word)
{
    char lower[128];
    snprintf(lower, sizeof lower, "%s", name);
    str_lower(lower);
    return strstr(lower, word) != NULL;
}

static void int_range(const ds_type *type, int64_t *low, int64_t *high)
{
    static const struct {
        int64_t low, high;
    } RANGES[TYPE_KIND_COUNT] = {
        [TYPE_TINYINT] = {INT8_MIN, INT8_MAX},   [TYPE_SMALLINT] = {INT16_MIN, INT16_MAX},
        [TYPE_INTEGER] = {INT32_MIN, INT32_MAX}, [TYPE_BIGINT] = {INT64_MIN, INT64_MAX},
        [TYPE_UTINYINT] = {0, UINT8_MAX},        [TYPE_USMALLINT] = {0, UINT16_MAX},
        [TYPE_UINTEGER] = {0, UINT32_MAX},       [TYPE_UBIGINT] = {0, INT64_MAX},
    };
    *low = RANGES[type->kind].low;
    *high = RANGES[type->kind].high;
}

static void make_int(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    static const struct {
        const char *word;
        int64_t low, high;
    } BY_NAME[] = {{"quantity", 1, 60},    {"qty", 1, 60},       {"units", 0, 120}, {"price", 1, 500},
                   {"amount", 1, 5000},    {"year", 1990, 2025}, {"age", 18, 80},   {"days", 0, 90},
                   {"discontinued", 0, 1}, {"is_", 0, 1},        {"level", 0, 30},  {"month", 1, 12},
                   {"", 0, 9999}};
    (void)person;
    size_t k = 0;
    while (!says(column->name, BY_NAME[k].word))
        k++;
    int64_t low, high;
    int_range(column->type, &low, &high);
    int64_t n = rng_range(rng, BY_NAME[k].low, BY_NAME[k].high);
    buf_printf(out, "%" PRId64, n > high ? n % high : n);
}

static void make_bool(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)column, (void)person;
    buf_puts(out, rng_once_in(rng, 2) ? "true" : "false");
}

static void make_float(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)person;
    bool part = says(column->name, "discount") || says(column->name, "rate") || says(column->name, "percent");
    int64_t eighths = part ? rng_range(rng, 0, 4) : rng_range(rng, 8, 8000);
    buf_printf(out, "%" PRId64 ".%03" PRId64, eighths / 8, eighths % 8 * 125);
}

static void make_decimal(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)person;
    int digits = column->type->size > 0 ? column->type->size : 12;
    int whole = digits - column->type->scale;
    int64_t limit = whole >= 4 ? 9999 : whole == 3 ? 999 : whole == 2 ? 99 : whole == 1 ? 9 : 0;
    buf_printf(out, "%" PRId64, rng_range(rng, 0, limit));
    for (int i = 0; i < column->type->scale; i++)
        buf_printf(out, "%s%d", i ? "" : ".", (int)rng_below(rng, 10));
}

static void make_micros(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)person;
    bool birth = says(column->name, "dob") || says(column->name, "birth");
    int year = (int)(birth ? rng_range(rng, 1945, 2004) : rng_range(rng, 2019, 2025));
    buf_printf(out, "%04d-%02d-%02d", year, (int)rng_range(rng, 1, 12), (int)rng_range(rng, 1, 28));
    if (column->type->kind == TYPE_DATE)
        return;
    buf_printf(out, " %02d:%02d:%02d", (int)rng_below(rng, 24), (int)rng_below(rng, 60), (int)rng_below(rng, 60));
    if (rng_once_in(rng, 2))
        buf_printf(out, ".%06d", (int)rng_below(rng, 1000000));
    if (column->type->kind == TYPE_TIMESTAMPTZ)
        buf_puts(out, "+00:00");
}

static void make_time(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)column, (void)person;
    buf_printf(out, "%02d:%02d:%02d", (int)rng_below(rng, 24), (int)rng_below(rng, 60), (int)rng_below(rng, 60));
}

static void make_interval(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)column, (void)person;
    buf_printf(out, "P%dY%dM%dDT%dH", (int)rng_below(rng, 9) + 1, (int)rng_below(rng, 11) + 1,
               (int)rng_below(rng, 27) + 1, (int)rng_below(rng, 23) + 1);
}

static void make_uuid(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)column, (void)person;
    uint64_t a = rng_next(rng), b = rng_next(rng);
    buf_printf(out, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
               (unsigned)a & 0xfff, ((unsigned)(b >> 48) & 0x3fff) | 0x8000, b & UINT64_C(0xffffffffffff));
}

static void make_binary(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)person;
    int32_t size = column->type->size;
    size_t n = (size_t)rng_range(rng, 1, size > 0 && size < 16 ? size : 16);
    for (size_t i = 0; i < n; i++)
        buf_putc(out, (char)rng_below(rng, 256));
}

static void make_text(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    if (column->type->kind == TYPE_JSON)
        buf_printf(out, "{\"n\": %d, \"tag\": \"%s\"}", (int)rng_below(rng, 1000), person->last);
    else
        sim_words(rng, column->name, person, out);
}

static void make_other(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)person;
    int a = (int)rng_below(rng, 90), b = (int)rng_below(rng, 90);
    switch (column->type->kind) {
    case TYPE_TIMETZ:
        buf_printf(out, "%02d:%02d:00+00:00", a % 24, b % 60);
        break;
    case TYPE_GEOGRAPHY:
        buf_printf(out, "POINT(%d %d)", a, b);
        break;
    case TYPE_MAP:
    case TYPE_STRUCT:
    case TYPE_VARIANT:
        buf_printf(out, "{\"a\":%d}", a);
        break;
    case TYPE_VECTOR:
        buf_putc(out, '[');
        for (int i = 0; i < column->type->size; i++)
            buf_printf(out, "%s%d", i ? "," : "", (int)rng_below(rng, 10));
        buf_putc(out, ']');
        break;
    case TYPE_ARRAY:
        buf_printf(out, "[%d,%d]", a, b);
        break;
    default:
        buf_printf(out, "%d", a);
    }
}

static value_maker *const MAKERS[] = {
    [VALUE_INT] = make_int,         [VALUE_BOOL] = make_bool,         [VALUE_FLOAT] = make_float,
    [VALUE_DECIMAL] = make_decimal, [VALUE_TEXT] = make_text,         [VALUE_MICROS] = make_micros,
    [VALUE_TIME] = make_time,       [VALUE_INTERVAL] = make_interval, [VALUE_UUID] = make_uuid,
    [VALUE_BINARY] = make_binary,   [VALUE_OTHER] = make_other,
};

// --- values at the edge of what a type can hold

static void edge_int(ds_rng *rng, const ds_shape_column *column, ds_buf *out)
{
    int64_t low, high;
    int_range(column->type, &low, &high);
    buf_printf(out, "%" PRId64, rng_once_in(rng, 2) ? low : high);
}

static void edge_decimal(ds_rng *rng, const ds_shape_column *column, ds_buf *out)
{
    int digits = column->type->size > 0 ? column->type->size : 12;
    if (rng_once_in(rng, 2))
        buf_putc(out, '-');
    if (digits == column->type->scale)
        buf_putc(out, '0');
    for (int i = 0; i < digits; i++)
        buf_puts(out, i == digits - column->type->scale ? ".9" : "9");
}

static void edge_micros(ds_rng *rng, const ds_shape_column *column, ds_buf *out)
{
    static const char *const DATES[] = {"0001-01-01", "9999-12-31", "2000-02-29", "1969-12-31", "1582-10-10"};
    buf_puts(out, DATES[rng_below(rng, sizeof DATES / sizeof DATES[0])]);
    if (column->type->kind != TYPE_DATE)
        buf_puts(out, rng_once_in(rng, 2) ? " 23:59:59.999999" : " 00:00:00");
    if (column->type->kind == TYPE_TIMESTAMPTZ)
        buf_puts(out, "+00:00");
}

static void edge_text(ds_rng *rng, const ds_shape_column *column, ds_buf *out)
{
    static const char *const TEXTS[] = {"",
                                        "Robert'); DROP TABLE \"students\"; --",
                                        "日本語 🙂",
                                        "tab\tand\nnew line",
                                        "Ça va? Ünïcödé",
                                        "NULL",
                                        "back\\slash",
                                        "\u00e9 e\u0301"};
    if (column->type->kind == TYPE_JSON)
        return buf_puts(out, "{\"b\": 1, \"a\": [null, \"\\u00e9\"], \"b\": 2}");
    if (!rng_once_in(rng, 4))
        return buf_puts(out, TEXTS[rng_below(rng, sizeof TEXTS / sizeof TEXTS[0])]);
    int32_t size =
        column->type->size > 0 && column->type->size < TEXT_LENGTH_MAX ? column->type->size : TEXT_LENGTH_MAX;
    for (int32_t i = 0; i < size; i++)
        buf_puts(out, i % 3 ? "x" : "ß");
}

// False when the class has no edges.
static bool edge_value(ds_rng *rng, const ds_shape_column *column, ds_buf *out)
{
    static const char *const FLOATS[] = {"0", "-1.5", "4503599627370496", "0.0009765625", "-4503599627370496"};
    switch (type_class(column->type)) {
    case VALUE_INT:
        edge_int(rng, column, out);
        return true;
    case VALUE_DECIMAL:
        edge_decimal(rng, column, out);
        return true;
    case VALUE_MICROS:
        edge_micros(rng, column, out);
        return true;
    case VALUE_TEXT:
        edge_text(rng, column, out);
        return true;
    case VALUE_FLOAT:
        buf_puts(out, FLOATS[rng_below(rng, sizeof FLOATS / sizeof FLOATS[0])]);
        return true;
    default:
        return false;
    }
}

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
    sim_table *table;
    const sim_table *parent; // the row belongs to parent_row
    ds_str parent_row;
    sim_person person;
    made_value *values;
} maker;

static bool is_key(const ds_shape *shape, size_t column)
{
    for (size_t k = 0; k < shape->key_count; k++)
        if (shape->key[k] == column)
            return true;
    return false;
}

// Cut to the type's length in code points, and no spaces left hanging at the end.
static void fit_text(const ds_type *type, ds_buf *text)
{
    if (type_class(type) != VALUE_TEXT || type->kind == TYPE_JSON || type->size <= 0)
        return;
    size_t n = 0;
    for (int32_t points = 0; n < text->n; n++) {
        points += ((unsigned char)text->p[n] & 0xC0) != 0x80;
        if (points > type->size)
            break;
    }
    while (n && text->p[n - 1] == ' ')
        n--;
    text->n = n;
    if (text->p)
        text->p[n] = '\0';
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
    if (m->values[i].null || (key && next_key(m->table, column, out)))
        return;
    if (key || !rng_once_in(&s->rng, BOUNDARY_ONCE_IN) || !edge_value(&s->rng, column, out))
        MAKERS[type_class(column->type)](&s->rng, column, &m->person, out);
    fit_text(column->type, out);
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
static ds_rc put_row(maker *m, const ds_cell *old, ds_error *err)
{
    ds_rows *work = &m->s->work;
    const ds_shape *shape = m->table->shape;
    rows_clear(work);
    rows_begin(work);
    for (size_t i = 0; i < shape->n; i++) {
        size_t c = shape->hash_order[i];
        if (m->values[c].keep && old[c].p)
            rows_put(work, shape->columns[c].name_hash, old[c].p, old[c].n);
        else if (!m->values[c].keep)
            TRY(ds_context(put_value(work, &shape->columns[c], &m->values[c], err), err,
                           "the simulator made a bad value for %s.%s", m->table->name, shape->columns[c].name));
    }
    return rows_end(work, shape, 0, err);
}

static maker maker_new(sim *s, sim_table *table)
{
    maker m = {.s = s, .table = table, .person = sim_person_new(&s->rng)};
    m.values = calloc(table->shape->n, sizeof *m.values);
    if (!m.values)
        BUG("out of memory");
    for (size_t i = 0; i < table->shape->n; i++)
        m.values[i] = (made_value){.text = BUF_INIT(VALUE_MAX), .keep = true};
    return m;
}

static void maker_release(maker *m)
{
    for (size_t i = 0; i < m->table->shape->n; i++)
        buf_release(&m->values[i].text);
    free(m->values);
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
        TRY(put_row(&m, NULL, err));
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
    return !is_key(shape, column) && !(strict && (says(name, "dob") || says(name, "birth")));
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
static void know_person(maker *m, const ds_cell *cells)
{
    const ds_shape *shape = m->table->shape;
    for (size_t i = 0; i < shape->n; i++) {
        const char *family = sim_column_family(shape->columns[i].name);
        if (!cells[i].p || type_class(shape->columns[i].type) != VALUE_TEXT)
            continue;
        ds_str text = {(const char *)cells[i].p, cells[i].n};
        if (same_family(family, "first"))
            m->person.first = arena_str(m->s->arena, text);
        else if (same_family(family, "last"))
            m->person.last = arena_str(m->s->arena, text);
    }
}

ds_rc sim_change_row(sim *s, sim_table *table, ds_str row, bool *made, ds_error *err)
{
    CLEANUP(maker_release) maker m = maker_new(s, table);
    ds_cell *old = calloc(table->shape->n, sizeof *old);
    if (!old)
        BUG("out of memory");
    row_cells(table->shape, row, old);
    know_person(&m, old);
    ds_rc rc = DS_DONE;
    *made = false;
    for (int try = 0; try < CHANGE_TRIES && !*made && rc.code == DS_OK; try++) {
        if (!choose_columns(&m))
            break;
        rc = put_row(&m, old, err);
        *made = rc.code == DS_OK && !str_eq(rows_row(&s->work, 0), row);
    }
    free(old);
    return rc;
}
