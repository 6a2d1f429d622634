// The grammar of types, by recursive descent over TYPE_NAMES. The depth is limited, so a text can't exhaust the stack.
#include "base/vec.h"
#include "schema/type_int.h"

typedef struct parser {
    ds_arena *arena;
    ds_str text;
    size_t at;
    int depth;
    size_t error_at;
    ds_error *err;
} parser;

static ds_rc parse_type(parser *p, const ds_type **out);

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(parser *p)
{
    while (p->at < p->text.n && is_space(p->text.p[p->at]))
        p->at++;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// What stands here, for messages: a word, a number, or one character (with the bytes that belong to it).
static ds_str next_token(const parser *p)
{
    size_t end = p->at;
    while (end < p->text.n && (is_letter(p->text.p[end]) || is_digit(p->text.p[end]) || p->text.p[end] == '_'))
        end++;
    if (end == p->at && end < p->text.n)
        for (end++; end < p->text.n && ((unsigned char)p->text.p[end] & 0xC0) == 0x80;)
            end++;
    return (ds_str){p->text.p + p->at, end - p->at};
}

#define FAIL_AT(p, offset, ...) ((p)->error_at = (offset), ds_fail((p)->err, DS_FINDING, __VA_ARGS__))

// "expected WHAT after BEFORE, found TOKEN", or "... before the end".
static ds_rc fail_expected(parser *p, const char *what)
{
    ds_str token = next_token(p);
    if (token.n == 0)
        return FAIL_AT(p, p->at, "expected %s, but the type ends here", what);
    return FAIL_AT(p, p->at, "expected %s, found \"%.*s\"", what, STR_ARGS(token));
}

static bool take(parser *p, char c)
{
    skip_space(p);
    if (p->at >= p->text.n || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

static ds_rc expect(parser *p, char c)
{
    if (take(p, c))
        return DS_DONE;
    return fail_expected(p, c == ')' ? "\")\"" : c == '(' ? "\"(\"" : "\",\"");
}

// A letter, then letters, digits and '_'. Empty when there is none here.
static ds_str take_word(parser *p)
{
    skip_space(p);
    if (p->at >= p->text.n || !is_letter(p->text.p[p->at]))
        return (ds_str){p->text.p + p->at, 0};
    ds_str word = next_token(p);
    p->at += word.n;
    return word;
}

// An integer; what: "the length".
static ds_rc take_number(parser *p, const char *what, int32_t *out)
{
    skip_space(p);
    size_t start = p->at;
    if (p->at < p->text.n && p->text.p[p->at] == '-')
        p->at++;
    while (p->at < p->text.n && is_digit(p->text.p[p->at]))
        p->at++;
    ds_str digits = {p->text.p + start, p->at - start};
    int64_t value = 0;
    if (digits.n == 0 || str_eq(digits, STR("-"))) {
        p->at = start;
        return fail_expected(p, arena_printf(p->arena, "%s as a number", what));
    }
    if (!str_int64(digits, &value) || value > INT32_MAX || value < INT32_MIN)
        return FAIL_AT(p, start, "%s %.*s is larger than %d", what, STR_ARGS(digits), INT32_MAX);
    *out = (int32_t)value;
    return DS_DONE;
}

// --- between the parentheses

static ds_rc params_none(parser *p, const type_name *name, ds_type *type)
{
    (void)type;
    skip_space(p);
    if (p->at < p->text.n && p->text.p[p->at] == '(')
        return ds_hint(FAIL_AT(p, p->at, "%s takes nothing in parentheses", name->name), p->err, "write %s",
                       name->form);
    return DS_DONE;
}

static ds_rc params_length(parser *p, const type_name *name, ds_type *type)
{
    if (!take(p, '('))
        return ds_hint(FAIL_AT(p, p->at, "%s needs %s in parentheses", name->name,
                               name->kind == TYPE_VECTOR ? "its number of dimensions" : "a length"),
                       p->err, "for example %s", name->form);
    const char *what = name->kind == TYPE_VECTOR ? "the number of dimensions" : "the length";
    skip_space(p);
    size_t start = p->at;
    TRY(take_number(p, what, &type->size));
    if (type->size < 1)
        return FAIL_AT(p, start, "%s(%d): %s must be at least 1", name->name, type->size, what);
    return expect(p, ')');
}

static ds_rc params_length_optional(parser *p, const type_name *name, ds_type *type)
{
    skip_space(p);
    if (p->at >= p->text.n || p->text.p[p->at] != '(')
        return DS_DONE;
    return params_length(p, name, type);
}

static ds_rc check_decimal(parser *p, const type_name *name, const ds_type *type, size_t start)
{
    if (type->size < 1)
        return FAIL_AT(p, start, "%s(%d,%d): the number of digits must be at least 1", name->name, type->size,
                       type->scale);
    if (type->size > TYPE_DECIMAL_DIGITS_MAX)
        return FAIL_AT(p, start, "%s(%d,%d): more than %d digits", name->name, type->size, type->scale,
                       TYPE_DECIMAL_DIGITS_MAX);
    if (type->scale < 0)
        return FAIL_AT(p, start, "%s(%d,%d): the number of digits after the point must not be negative", name->name,
                       type->size, type->scale);
    if (type->scale > type->size)
        return FAIL_AT(p, start, "%s(%d,%d): %d digits after the point are more than its %d digits in all", name->name,
                       type->size, type->scale, type->scale, type->size);
    return DS_DONE;
}

static ds_rc params_decimal(parser *p, const type_name *name, ds_type *type)
{
    if (!take(p, '('))
        return ds_hint(FAIL_AT(p, p->at, "%s needs its number of digits in parentheses", name->name), p->err,
                       "for example %s: 12 digits, 2 of them after the point", name->form);
    skip_space(p);
    size_t start = p->at;
    TRY(take_number(p, "the number of digits", &type->size));
    if (take(p, ','))
        TRY(take_number(p, "the number of digits after the point", &type->scale));
    TRY(check_decimal(p, name, type, start));
    return expect(p, ')');
}

static ds_rc params_geography(parser *p, const type_name *name, ds_type *type)
{
    (void)name;
    if (!take(p, '('))
        return DS_DONE;
    skip_space(p);
    size_t start = p->at;
    ds_str kind = take_word(p);
    if (kind.n == 0)
        return fail_expected(p, "a kind of geometry (point, linestring, polygon, ..., or geometry for any)");
    size_t i = 0;
    while (i < TYPE_GEOGRAPHY_KIND_COUNT && !str_eq_nocase(kind, str_of(TYPE_GEOGRAPHY_KINDS[i])))
        i++;
    if (i == TYPE_GEOGRAPHY_KIND_COUNT) {
        const char *written = arena_str(p->arena, kind);
        const char *nearest = str_nearest(written, TYPE_GEOGRAPHY_KINDS, TYPE_GEOGRAPHY_KIND_COUNT);
        ds_rc rc = FAIL_AT(p, start, "unknown kind of geometry \"%s\"", written);
        return nearest ? ds_hint(rc, p->err, "did you mean \"%s\"?", nearest)
                       : ds_hint(rc, p->err,
                                 "point, linestring, polygon, multipoint, multilinestring, multipolygon, "
                                 "geometrycollection, or geometry for any");
    }
    type->subtype = i == TYPE_GEOGRAPHY_KIND_COUNT - 1 ? NULL : TYPE_GEOGRAPHY_KINDS[i];
    if (take(p, ',')) {
        skip_space(p);
        start = p->at;
        TRY(take_number(p, "the SRID", &type->scale));
        if (type->scale < 1 || type->scale > TYPE_SRID_MAX)
            return FAIL_AT(p, start, "the SRID %d is not between 1 and %d", type->scale, TYPE_SRID_MAX);
    }
    return expect(p, ')');
}

static ds_rc params_array(parser *p, const type_name *name, ds_type *type)
{
    if (!take(p, '('))
        return ds_hint(fail_expected(p, "the type of its items in parentheses"), p->err, "for example %s", name->form);
    TRY(parse_type(p, &type->element));
    return expect(p, ')');
}

static bool may_be_map_key(const ds_type *type)
{
    switch (type->kind) {
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_STRUCT:
    case TYPE_VECTOR:
        return false;
    default:
        return true;
    }
}

static ds_rc params_map(parser *p, const type_name *name, ds_type *type)
{
    if (!take(p, '('))
        return ds_hint(fail_expected(p, "the types of its keys and values in parentheses"), p->err, "for example %s",
                       name->form);
    skip_space(p);
    size_t start = p->at;
    TRY(parse_type(p, &type->key));
    if (!may_be_map_key(type->key))
        return FAIL_AT(p, start, "the key of a map can't be of type %s", type_kind_name(type->key->kind));
    TRY(expect(p, ','));
    TRY(parse_type(p, &type->element));
    return expect(p, ')');
}

enum { FIELD_NAME_MAX = 128 };

static ds_rc take_field(parser *p, const ds_type_field *before, size_t n, ds_type_field *out)
{
    skip_space(p);
    size_t start = p->at;
    ds_str name = take_word(p);
    if (name.n == 0)
        return fail_expected(p, "the name of a field");
    if (name.n > FIELD_NAME_MAX)
        return FAIL_AT(p, start, "the name of a field is longer than %d characters", FIELD_NAME_MAX);
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, str_of(before[i].name)))
            return FAIL_AT(p, start, "struct has the field \"%.*s\" twice", STR_ARGS(name));
    if (n == TYPE_FIELDS_MAX)
        return FAIL_AT(p, start, "struct has more than %d fields", TYPE_FIELDS_MAX);
    TRY(parse_type(p, &out->type));
    out->name = arena_str(p->arena, name);
    return DS_DONE;
}

static ds_rc params_struct(parser *p, const type_name *name, ds_type *type)
{
    if (!take(p, '('))
        return ds_hint(fail_expected(p, "its fields in parentheses"), p->err, "for example %s", name->form);
    VEC(ds_type_field) fields = {0};
    do {
        ds_type_field field = {0};
        TRY(take_field(p, fields.v, fields.n, &field));
        *VEC_PUSH(p->arena, &fields) = field;
    } while (take(p, ','));
    type->fields = fields.v;
    type->field_count = fields.n;
    return expect(p, ')');
}

typedef ds_rc parse_params(parser *p, const type_name *name, ds_type *type);
static parse_params *const PARAMS[TYPE_PARAMS_COUNT] = {
    [PARAMS_NONE] = params_none,
    [PARAMS_LENGTH_OPTIONAL] = params_length_optional,
    [PARAMS_LENGTH] = params_length,
    [PARAMS_DECIMAL] = params_decimal,
    [PARAMS_GEOGRAPHY] = params_geography,
    [PARAMS_ARRAY] = params_array,
    [PARAMS_MAP] = params_map,
    [PARAMS_STRUCT] = params_struct,
};

// --- names

// The row of the name that stands here; "double precision" is one name.
static ds_rc take_type_name(parser *p, const type_name **out)
{
    skip_space(p);
    size_t start = p->at;
    ds_str word = take_word(p);
    if (word.n == 0)
        return fail_expected(p, "a type");
    if (str_eq_nocase(word, STR("double"))) {
        size_t after = p->at;
        if (!str_eq_nocase(take_word(p), STR("precision")))
            p->at = after;
    }
    for (size_t i = 0; i < TYPE_NAME_COUNT; i++) {
        if (str_eq_nocase(word, str_of(TYPE_NAMES[i].name))) {
            *out = &TYPE_NAMES[i];
            return DS_DONE;
        }
    }
    p->error_at = start;
    return type_fail_unknown(word, p->err);
}

static ds_rc parse_type(parser *p, const ds_type **out)
{
    if (p->depth >= TYPE_DEPTH_MAX)
        return FAIL_AT(p, p->at, "types are nested more than %d deep", TYPE_DEPTH_MAX);
    const type_name *name = NULL;
    TRY(take_type_name(p, &name));
    ds_type *type = ARENA_NEW(p->arena, ds_type);
    *type = (ds_type){.kind = name->kind, .size = TYPE_UNLIMITED, .subtype = name->subtype};
    p->depth++;
    TRY(PARAMS[name->params](p, name, type));
    p->depth--;
    *out = type;
    return DS_DONE;
}

static ds_rc start(parser *p, size_t most, size_t *error_at)
{
    *error_at = 0;
    if (p->text.n > most)
        return FAIL_AT(p, 0, "the type is longer than %zu characters", most);
    return DS_DONE;
}

static ds_rc parse_whole_type(parser *p, const ds_type **out)
{
    TRY(parse_type(p, out));
    skip_space(p);
    if (p->at == p->text.n)
        return DS_DONE;
    return fail_expected(p, "the end of the type");
}

ds_rc type_parse(ds_arena *arena, ds_str text, const ds_type **out, size_t *error_at, ds_error *err)
{
    parser p = {.arena = arena, .text = text, .err = err};
    TRY(start(&p, TYPE_PRINT_MAX, error_at));
    const ds_type *type = NULL;
    ds_rc rc = parse_whole_type(&p, &type);
    *error_at = p.error_at;
    if (rc.code == DS_OK)
        *out = type;
    return rc;
}

// --- columns

typedef struct modifiers {
    bool primary_key, not_null, null_, partition;
} modifiers;

// One modifier; *flag is the one that it sets.
static ds_rc take_modifier(parser *p, modifiers *m, bool **flag)
{
    size_t start_at = p->at;
    ds_str word = take_word(p);
    if (str_eq_nocase(word, STR("partition"))) {
        *flag = &m->partition;
    } else if (str_eq_nocase(word, STR("null"))) {
        *flag = &m->null_;
    } else if (str_eq_nocase(word, STR("primary")) && str_eq_nocase(take_word(p), STR("key"))) {
        *flag = &m->primary_key;
    } else if (str_eq_nocase(word, STR("not")) && str_eq_nocase(take_word(p), STR("null"))) {
        *flag = &m->not_null;
    } else {
        p->at = p->error_at = start_at;
        return type_fail_modifier(next_token(p), p->err);
    }
    return DS_DONE;
}

static ds_rc parse_modifiers(parser *p, modifiers *m)
{
    for (skip_space(p); p->at < p->text.n; skip_space(p)) {
        size_t at = p->at;
        bool *flag = NULL;
        TRY(take_modifier(p, m, &flag));
        if (*flag)
            return FAIL_AT(p, at, "\"%.*s\" is written twice", (int)(p->at - at), p->text.p + at);
        *flag = true;
        if (m->null_ && (m->not_null || m->primary_key || m->partition))
            return FAIL_AT(p, at, "a column can't be both \"null\" and \"%s\"",
                           m->not_null      ? "not null"
                           : m->primary_key ? "primary key"
                                            : "partition");
    }
    return DS_DONE;
}

ds_rc column_spec_parse(ds_arena *arena, ds_str text, ds_column_spec *out, size_t *error_at, ds_error *err)
{
    parser p = {.arena = arena, .text = text, .err = err};
    TRY(start(&p, TYPE_TEXT_MAX, error_at));
    ds_column_spec spec = {0};
    modifiers m = {0};
    ds_rc rc = parse_type(&p, &spec.type);
    if (rc.code == DS_OK)
        rc = parse_modifiers(&p, &m);
    *error_at = p.error_at;
    TRY(rc);
    spec.primary_key = m.primary_key;
    spec.partition = m.partition;
    spec.not_null = m.not_null || m.primary_key || m.partition;
    spec.null_given = m.null_;
    *out = spec;
    return DS_DONE;
}
