// A dataset's checks in its definition: as JSON, as a fingerprint, and for people.
#include <xxhash.h>

#include "yellow/def/def_json.h"

enum { CHECK_SHOWN = 60, BOUND_SHOWN = 40 }; // bytes of a list of columns or an SQL text, of a bound

static const char *const KINDS[] = {
    [CHECK_NOT_NULL] = "not_null", [CHECK_UNIQUE] = "unique", [CHECK_RANGE] = "range", [CHECK_SQL] = "sql"};
enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };

// --- JSON

static void put(json_t *object, const char *key, const char *text)
{
    if (text)
        ds_assert(json_object_set_new(object, key, json_string(text)) == 0);
}

static json_t *encode_check(const ds_check_def *check)
{
    json_t *out = json_object(), *columns = json_array();
    for (size_t i = 0; i < check->column_count; i++)
        ds_assert(json_array_append_new(columns, json_string(check->columns[i])) == 0);
    put(out, "kind", KINDS[check->kind]);
    ds_assert(json_object_set_new(out, "columns", columns) == 0);
    put(out, "min", check->min);
    put(out, "max", check->max);
    put(out, "sql", check->sql);
    return out;
}

json_t *def_encode_checks(const ds_check_def *checks, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        ds_assert(json_array_append_new(out, encode_check(&checks[i])) == 0);
    return out;
}

static bool decode_kind(const char *text, ds_check_kind *out)
{
    for (int i = 0; text && i < KIND_COUNT; i++)
        if (strcmp(text, KINDS[i]) == 0) {
            *out = (ds_check_kind)i;
            return true;
        }
    return false;
}

static const char *text_in(ds_arena *arena, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? arena_strdup(arena, text) : NULL;
}

// Columns are those of the shape, for the SQL is made of them.
static bool decode_check(ds_arena *arena, const json_t *json, const ds_shape *shape, ds_check_def *out)
{
    if (!decode_kind(json_string_value(json_object_get(json, "kind")), &out->kind))
        return false;
    const json_t *list = json_object_get(json, "columns");
    out->column_count = json_array_size(list);
    const char **columns = ARENA_ARRAY(arena, const char *, out->column_count);
    for (size_t i = 0; i < out->column_count; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        int at = name ? shape_find(shape, name) : -1;
        if (at < 0)
            return false;
        columns[i] = shape->columns[at].name;
    }
    out->columns = columns;
    out->min = text_in(arena, json, "min");
    out->max = text_in(arena, json, "max");
    out->sql = text_in(arena, json, "sql");
    return out->kind == CHECK_SQL ? out->sql != NULL : out->column_count > 0;
}

bool def_decode_checks(ds_arena *arena, const json_t *list, ds_dataset_def *out)
{
    size_t n = json_array_size(list);
    ds_check_def *checks = ARENA_ARRAY(arena, ds_check_def, n);
    for (size_t i = 0; i < n; i++)
        if (!decode_check(arena, json_array_get(list, i), out->shape, &checks[i]))
            return false;
    out->checks = checks;
    out->check_count = n;
    return true;
}

const char *def_checks_id(ds_arena *arena, const ds_dataset_def *dataset)
{
    if (dataset->check_count == 0)
        return "";
    json_t *json = def_encode_checks(dataset->checks, dataset->check_count);
    const char *text = def_json_text(arena, json);
    json_decref(json);
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(text, strlen(text)));
    CLEANUP(buf_release) ds_buf hex = BUF_INIT(64);
    buf_put_hex(&hex, hash.digest, sizeof hash.digest);
    return arena_str(arena, buf_str(&hex));
}

// --- for people

// In one line, and cut between two characters.
static void print_sql(const char *sql, ds_buf *out)
{
    ds_str text = {sql, strlen(sql)};
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' '))
        text.n--;
    bool cut = text.n > CHECK_SHOWN;
    if (cut)
        for (text.n = CHECK_SHOWN; text.n && str_utf8_length(text) < 0;)
            text.n--;
    for (size_t i = 0; i < text.n; i++)
        buf_putc(out, (unsigned char)text.p[i] < ' ' ? ' ' : text.p[i]);
    buf_puts(out, cut ? "..." : "");
}

static void print_columns(const ds_check_def *check, ds_buf *out)
{
    size_t start = out->n;
    for (size_t i = 0; i < check->column_count; i++) {
        buf_puts(out, i ? ", " : "");
        if (out->n - start > CHECK_SHOWN) {
            buf_puts(out, "...");
            return;
        }
        buf_puts(out, check->columns[i]);
    }
}

static void print_bound(const char *bound, ds_buf *out)
{
    if (bound)
        buf_printf(out, "%.*s%s", BOUND_SHOWN, bound, strlen(bound) > BOUND_SHOWN ? "..." : "");
}

void check_print(const ds_check_def *check, ds_buf *out)
{
    buf_printf(out, "%s(", KINDS[check->kind]);
    print_columns(check, out);
    if (check->kind == CHECK_RANGE) {
        buf_putc(out, ' ');
        print_bound(check->min, out);
        buf_puts(out, "..");
        print_bound(check->max, out);
    }
    if (check->kind == CHECK_SQL)
        print_sql(check->sql, out);
    buf_putc(out, ')');
}
