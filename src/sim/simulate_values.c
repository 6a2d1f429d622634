// Single values by type and by what a column is called. Floats are multiples of 1/8, so that their decimal text is
// exact in every database.
#include <inttypes.h>
#include <stdio.h>

#include "schema/value.h"
#include "sim/simulate_int.h"

enum {
    BOUNDARY_ONCE_IN = 150,
    TEXT_LENGTH_MAX = 200, // of unlimited texts
};

// Appends a value as text (binary: its bytes).
typedef void value_maker(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out);

// --- plain values, by class

bool sim_name_says(const char *name, const char *word)
{
    char lower[128];
    snprintf(lower, sizeof lower, "%s", name);
    str_lower(lower);
    return strstr(lower, word) != NULL;
}

static void make_int(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    static const struct {
        const char *word;
        int64_t low, high;
    } BY_NAME[] = {{"quantity", 1, 60},          {"qty", 1, 60},       {"units", 0, 120}, {"price", 1, 500},
                   {"amount", 1, 5000},          {"year", 1990, 2025}, {"age", 18, 80},   {"days", 0, 90},
                   {"discontinued", 0, 1},       {"is_", 0, 1},        {"level", 0, 30},  {"month", 1, 12},
                   {"population", 200, 9000000}, {"numeric", 1, 999},  {"sensor", 1, 4},  {"", 0, 9999}};
    (void)person;
    size_t k = 0;
    while (!sim_name_says(column->name, BY_NAME[k].word))
        k++;
    int64_t low, high;
    type_int64_range(column->type, &low, &high);
    int64_t n = rng_range(rng, BY_NAME[k].low, BY_NAME[k].high);
    buf_printf(out, "%" PRId64, n > high && high > 0 ? n % high : n);
}

static void make_bool(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)column, (void)person;
    buf_puts(out, rng_once_in(rng, 2) ? "true" : "false");
}

static bool is_part(const char *column)
{
    return sim_name_says(column, "discount") || sim_name_says(column, "rate") || sim_name_says(column, "percent");
}

static void make_float(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)person;
    int64_t eighths = is_part(column->name) ? rng_range(rng, 0, 4) : rng_range(rng, 8, 8000);
    buf_printf(out, "%" PRId64 ".%03" PRId64, eighths / 8, eighths % 8 * 125);
}

static void make_decimal(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)person;
    int digits = column->type->size > 0 ? column->type->size : 12;
    int whole = digits - column->type->scale;
    int64_t limit = whole >= 4 ? 9999 : whole == 3 ? 999 : whole == 2 ? 99 : whole == 1 ? 9 : 0;
    int64_t usual = is_part(column->name) ? 30 : sim_name_says(column->name, "temperature") ? 8 : limit;
    limit = usual < limit ? usual : limit;
    buf_printf(out, "%" PRId64, rng_range(rng, 0, limit));
    for (int i = 0; i < column->type->scale; i++)
        buf_printf(out, "%s%d", i ? "" : ".", (int)rng_below(rng, 10));
}

// Each call of the generator stands in a statement of its own, here and below: compilers are free in which order they
// evaluate arguments, and a seed must give the same data everywhere.
static void put_time_of_day(ds_rng *rng, ds_buf *out)
{
    int second = (int)rng_below(rng, 60);
    int minute = (int)rng_below(rng, 60);
    int hour = (int)rng_below(rng, 24);
    buf_printf(out, "%02d:%02d:%02d", hour, minute, second);
}

static void make_micros(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)person;
    bool birth = sim_name_says(column->name, "dob") || sim_name_says(column->name, "birth");
    int year = (int)(birth ? rng_range(rng, 1945, 2004) : rng_range(rng, 2019, 2025));
    int day = (int)rng_range(rng, 1, 28);
    int month = (int)rng_range(rng, 1, 12);
    buf_printf(out, "%04d-%02d-%02d", year, month, day);
    if (column->type->kind == TYPE_DATE)
        return;
    buf_putc(out, ' ');
    put_time_of_day(rng, out);
    if (rng_once_in(rng, 2))
        buf_printf(out, ".%06d", (int)rng_below(rng, 1000000));
    if (column->type->kind == TYPE_TIMESTAMPTZ)
        buf_puts(out, "+00:00");
}

static void make_time(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)column, (void)person;
    put_time_of_day(rng, out);
}

static void make_interval(ds_rng *rng, const ds_shape_column *column, const sim_person *person, ds_buf *out)
{
    (void)column, (void)person;
    static const struct {
        unsigned most;
        const char *unit;
    } PARTS[] = {{9, "Y"}, {11, "M"}, {27, "DT"}, {23, "H"}};
    buf_putc(out, 'P');
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++)
        buf_printf(out, "%d%s", (int)rng_below(rng, PARTS[i].most) + 1, PARTS[i].unit);
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

// Well-known text of the column's kind, with its SRID: corners of a square of one degree, or the first of them.
static void make_geography(ds_rng *rng, const ds_type *type, ds_buf *out)
{
    static const struct {
        const char *kind, *begin;
        size_t corners;
        const char *end;
    } FORMS[] = {{"linestring", "LINESTRING(", 2, ")"},
                 {"polygon", "POLYGON((", 5, "))"},
                 {"multipoint", "MULTIPOINT((", 1, "))"},
                 {"multilinestring", "MULTILINESTRING((", 2, "))"},
                 {"multipolygon", "MULTIPOLYGON(((", 5, ")))"},
                 {"geometrycollection", "GEOMETRYCOLLECTION(POINT(", 1, "))"},
                 {"point", "POINT(", 1, ")"}};
    static const struct {
        int x, y;
    } CORNERS[] = {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}};
    size_t f = 0;
    while (f + 1 < sizeof FORMS / sizeof FORMS[0] && (!type->subtype || strcmp(FORMS[f].kind, type->subtype) != 0))
        f++;
    double x = (double)rng_range(rng, -716, 712) / 4; // quarters are exact
    double y = (double)rng_range(rng, -340, 336) / 4;
    if (type->scale)
        buf_printf(out, "SRID=%d;", type->scale);
    buf_puts(out, FORMS[f].begin);
    for (size_t i = 0; i < FORMS[f].corners; i++)
        buf_printf(out, "%s%g %g", i ? "," : "", x + CORNERS[i].x, y + CORNERS[i].y);
    buf_puts(out, FORMS[f].end);
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
        make_geography(rng, column->type, out);
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
    type_int64_range(column->type, &low, &high);
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

void sim_value(ds_rng *rng, const ds_shape_column *column, const sim_person *person, bool edges, ds_buf *out)
{
    if (!edges || !rng_once_in(rng, BOUNDARY_ONCE_IN) || !edge_value(rng, column, out))
        MAKERS[type_class(column->type)](rng, column, person, out);
    fit_text(column->type, out);
}
