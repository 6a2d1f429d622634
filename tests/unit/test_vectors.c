// docs/encoding.md: every line of its tables is computed and compared, so that the page can't lie.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "schema/fingerprint.h"
#include "schema/value.h"

enum { CELLS_MAX = 8, COLUMNS_MAX = 16 };

typedef struct ds_line {
    ds_arena *arena;
    size_t number;
    ds_str text;
    char *cells[CELLS_MAX]; // without spaces and backquotes; "(empty)" is ""
    size_t n;
} ds_line;

static void line_fail(const ds_line *line, const char *why, const char *got)
{
    fail_msg("docs/encoding.md:%zu: %s: %s\n  %.*s", line->number, why, got, STR_ARGS(line->text));
}

static const char *hex(ds_arena *arena, const void *bytes, size_t n)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    buf_put_hex(&out, bytes, n);
    return arena_strdup(arena, buf_text(&out));
}

static const char *hash_hex(ds_arena *arena, ds_hash hash)
{
    unsigned char bytes[16];
    hash_store(hash, bytes);
    return hex(arena, bytes, sizeof bytes);
}

static void expect(const ds_line *line, size_t cell, const char *got)
{
    if (strcmp(line->cells[cell], got) != 0)
        line_fail(line, "computed", got);
}

static json_t *json_of(const ds_line *line, size_t cell)
{
    json_error_t why;
    json_t *value = json_loads(line->cells[cell], JSON_DECODE_ANY, &why);
    if (!value)
        line_fail(line, "not JSON", why.text);
    return value;
}

// --- rows as the page writes them: {"name type": "value"}

// The columns, in the order of their writing; *values gets a new reference.
static const ds_shape *shape_of(const ds_line *line, size_t cell, const char *const *key, size_t key_count,
                                json_t **values)
{
    ds_shape_column columns[COLUMNS_MAX];
    uint16_t key_at[COLUMNS_MAX];
    size_t n = 0, at;
    ds_error err = {0};
    const char *head;
    json_t *value;
    *values = json_of(line, cell);
    json_object_foreach(*values, head, value)
    {
        ds_str type = str_of(head), name = str_split(&type, ' ');
        columns[n] = (ds_shape_column){.name = arena_str(line->arena, name)};
        if (type_parse(line->arena, type, &columns[n].type, &at, &err).code != DS_OK)
            line_fail(line, "type", err.text);
        for (size_t k = 0; k < key_count; k++)
            if (strcmp(key[k], columns[n].name) == 0)
                key_at[k] = (uint16_t)n;
        n++;
    }
    const ds_shape *shape = NULL;
    if (shape_new(line->arena, columns, n, key_at, key_count, &shape, &err).code != DS_OK)
        line_fail(line, "shape", err.text);
    return shape;
}

static void put_row(const ds_line *line, ds_rows *rows, const ds_shape *shape, const json_t *values, uint64_t seed)
{
    ds_error err = {0};
    rows_begin(rows);
    for (size_t i = 0; i < shape->n; i++) {
        const ds_shape_column *column = &shape->columns[shape->hash_order[i]];
        const char *head;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)values, head, value)
        {
            ds_str type = str_of(head), name = str_split(&type, ' ');
            if (!str_eq(name, str_of(column->name)) || !json_is_string(value))
                continue;
            if (value_put_text(rows, column, str_of(json_string_value(value)), &err).code != DS_OK)
                line_fail(line, "value", err.text);
        }
    }
    if (rows_end(rows, shape, seed, &err).code != DS_OK)
        line_fail(line, "row", err.text);
}

// --- one function for each table

// The cell of a type and a value, as hexadecimal.
static const char *cell_hex(const ds_line *line, size_t type, size_t value)
{
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    json_t *text = json_of(line, value), *row = json_object(), *values;
    json_object_set_new(row, arena_printf(line->arena, "v %s", line->cells[type]), text);
    char *dump = json_dumps(row, JSON_COMPACT);
    ds_line one = {.arena = line->arena, .number = line->number, .text = line->text, .cells = {dump}, .n = 1};
    const ds_shape *shape = shape_of(&one, 0, NULL, 0, &values);
    put_row(&one, &rows, shape, values, 0);
    ds_str encoded = rows_row(&rows, 0);
    const char *out = hex(line->arena, encoded.p + 12, encoded.n - 12);
    json_decref(values);
    json_decref(row);
    free(dump);
    return out;
}

static void check_value(const ds_line *line)
{
    expect(line, 2, cell_hex(line, 0, 1));
}

static void check_pair(const ds_line *line)
{
    expect(line, 4, strcmp(cell_hex(line, 0, 1), cell_hex(line, 2, 3)) == 0 ? "yes" : "no");
}

static void check_row(const ds_line *line)
{
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    json_t *values;
    const ds_shape *shape = shape_of(line, 0, NULL, 0, &values);
    put_row(line, &rows, shape, values, 0);
    expect(line, 1, hex(line->arena, rows_row(&rows, 0).p, rows_row(&rows, 0).n));
    expect(line, 2, hash_hex(line->arena, rows.row_hash[0]));
    expect(line, 2, hash_hex(line->arena, row_hash(rows_row(&rows, 0))));
    json_decref(values);
}

static void check_key(const ds_line *line)
{
    CLEANUP(rows_release) ds_rows rows;
    rows_init(&rows);
    json_t *values, *names = json_of(line, 1);
    const char *key[COLUMNS_MAX];
    for (size_t i = 0; i < json_array_size(names); i++)
        key[i] = json_string_value(json_array_get(names, i));
    const ds_shape *shape = shape_of(line, 0, key, json_array_size(names), &values);
    uint64_t seed = strtoull(line->cells[2], NULL, 10);
    put_row(line, &rows, shape, values, seed);
    expect(line, 3, hash_hex(line->arena, rows.key_hash[0]));
    expect(line, 3, hash_hex(line->arena, row_key_hash(shape, rows_row(&rows, 0), seed)));
    json_decref(values);
    json_decref(names);
}

static void check_fingerprint(const ds_line *line)
{
    json_t *hashes = json_of(line, 0);
    ds_fingerprint sum = {0}, one;
    for (size_t i = 0; i < json_array_size(hashes); i++) {
        assert_true(fingerprint_parse(1, json_string_value(json_array_get(hashes, i)), &one));
        fingerprint_add(&sum, one.sum);
    }
    char text[FINGERPRINT_TEXT];
    fingerprint_print(sum, text);
    expect(line, 1, arena_printf(line->arena, "%lld", (long long)sum.rows));
    expect(line, 2, text);
    json_decref(hashes);
}

static const struct {
    const char *head; // of the table that it checks
    void (*check)(const ds_line *line);
    size_t columns, least; // lines that the page has at least
} TABLES[] = {
    {"| type | value | cell |", check_value, 3, 40},
    {"| type | value | other type | other value | same cell |", check_pair, 5, 12},
    {"| row | bytes | hash |", check_row, 3, 8},
    {"| row | key | seed | key hash |", check_key, 4, 6},
    {"| row hashes | rows | sum |", check_fingerprint, 3, 4},
};
enum { TABLE_COUNT = sizeof TABLES / sizeof TABLES[0] };

static void split_line(ds_line *line)
{
    ds_str rest = {line->text.p + 1, line->text.n - 1};
    while (rest.n > 0 && line->n < CELLS_MAX) {
        ds_str cell = str_trim(str_split(&rest, '|'));
        if (cell.n > 1 && cell.p[0] == '`' && cell.p[cell.n - 1] == '`')
            cell = (ds_str){cell.p + 1, cell.n - 2};
        line->cells[line->n++] = arena_str(line->arena, str_eq(cell, STR("(empty)")) ? STR("") : cell);
    }
}

static void page_agrees(void **state)
{
    (void)state;
    const char *root = getenv("DATASURFACE_ROOT");
    assert_non_null(root);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(buf_release) ds_buf page = BUF_INIT(1 << 20);
    ds_error err;
    assert_int_equal(file_read(arena_printf(arena, "%s/docs/encoding.md", root), &page, &err).code, DS_OK);
    ds_str rest = buf_str(&page);
    size_t checked[TABLE_COUNT] = {0}, table = TABLE_COUNT, below = 0;
    for (size_t number = 1; rest.n > 0; number++) {
        ds_line line = {.arena = arena, .number = number, .text = str_split(&rest, '\n')};
        if (!str_starts(line.text, STR("|"))) {
            table = TABLE_COUNT;
            below = 0;
            continue;
        }
        for (size_t t = 0; below == 0 && t < TABLE_COUNT; t++)
            if (str_eq(line.text, str_of(TABLES[t].head)))
                table = t;
        if (below++ < 2 || table == TABLE_COUNT)
            continue;
        split_line(&line);
        assert_int_equal(line.n, TABLES[table].columns);
        TABLES[table].check(&line);
        checked[table]++;
    }
    for (size_t t = 0; t < TABLE_COUNT; t++)
        assert_in_range(checked[t], TABLES[t].least, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(page_agrees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
