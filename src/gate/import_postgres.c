// PostgreSQL's catalogue. Types that the model has become those; what else there is reads as text, and says so.
#include <stdlib.h>

#include "base/vec.h"
#include "gate/import_from_int.h"

typedef struct surveyor {
    const ds_import_options *options;
    const postgres_survey *survey;
    ds_arena *arena;
    VEC(const char *) left_out;
    import_from from;
} surveyor;

// --- types

// What happens to "(…)" behind the declared type.
typedef enum type_args { ARGS_DROP, ARGS_KEEP, ARGS_NUMERIC } type_args;

// Built-in types that the model has, by pg_type.typname. Adding one: a row here, and one in
// tests/unit/test_import_postgres.c, which reads it from a server.
static const struct {
    const char *name, *type;
    type_args args;
} BUILTIN[] = {
    {"bool", "boolean", ARGS_DROP},        {"int2", "smallint", ARGS_DROP},
    {"int4", "integer", ARGS_DROP},        {"int8", "bigint", ARGS_DROP},
    {"float4", "real", ARGS_DROP},         {"float8", "double", ARGS_DROP},
    {"numeric", "decimal", ARGS_NUMERIC},  {"bpchar", "char", ARGS_KEEP},
    {"varchar", "varchar", ARGS_KEEP},     {"text", "text", ARGS_DROP},
    {"name", "text", ARGS_DROP},           {"date", "date", ARGS_DROP},
    {"time", "time", ARGS_DROP},           {"timetz", "timetz", ARGS_DROP},
    {"timestamp", "timestamp", ARGS_DROP}, {"timestamptz", "timestamptz", ARGS_DROP},
    {"interval", "interval", ARGS_DROP},   {"uuid", "uuid", ARGS_DROP},
    {"json", "json", ARGS_DROP},           {"jsonb", "json", ARGS_DROP},
    {"bytea", "binary", ARGS_DROP},
};

// A numeric without limits: digits enough for what people and divisions make of it.
static const char WIDE[] = "decimal(76,38)";

// "(…)" of the declared type with its parentheses, "" without.
static const char *args_of(ds_arena *arena, const char *declared)
{
    const char *open = strchr(declared, '('), *close = open ? strchr(open, ')') : NULL;
    return close ? arena_str(arena, (ds_str){open, (size_t)(close - open) + 1}) : "";
}

// numeric(3,-2) has two zeros behind its digits, numeric(2,5) three behind its point.
static const char *numeric_type(ds_arena *arena, const char *declared, const char **note)
{
    const char *args = args_of(arena, declared);
    int64_t digits, scale = 0;
    if (args[0]) {
        ds_str rest = {args + 1, strlen(args) - 2};
        if (!str_int64(str_split(&rest, ','), &digits) || (rest.n && !str_int64(rest, &scale)))
            BUG("numeric declared as \"%s\"", declared);
        digits = scale < 0 ? digits - scale : scale > digits ? scale : digits;
        scale = scale < 0 ? 0 : scale;
        const char *type = import_model_type(arena, arena_printf(arena, "decimal(%d,%d)", (int)digits, (int)scale));
        if (type)
            return type;
    }
    *note = arena_printf(arena, "%s at the source, of any number of digits; one that does not fit stops the batch",
                         declared);
    return WIDE;
}

// NULL when the model has none.
static const char *builtin_type(ds_arena *arena, const char *name, const char *declared, const char **note)
{
    for (size_t i = 0; i < sizeof BUILTIN / sizeof BUILTIN[0]; i++) {
        if (strcmp(BUILTIN[i].name, name) != 0)
            continue;
        if (BUILTIN[i].args == ARGS_NUMERIC)
            return numeric_type(arena, declared, note);
        if (BUILTIN[i].args == ARGS_DROP)
            return BUILTIN[i].type;
        const char *args = args_of(arena, declared);
        const char *type = import_model_type(arena, arena_printf(arena, "%s%s", BUILTIN[i].type, args));
        return args[0] && type ? type : "text";
    }
    return NULL;
}

// Of extensions that the model has a word for; NULL for all others.
static const char *extension_type(ds_arena *arena, const postgres_type *type, const char *declared, const char **note)
{
    bool shape = strcmp(type->name, "geometry") == 0 || strcmp(type->name, "geography") == 0;
    if (shape && strcmp(type->extension, "postgis") == 0) {
        *note = arena_printf(arena, "%s at the source, read as PostGIS prints it (well-known text)", declared);
        const char *exact = import_model_type(arena, arena_printf(arena, "geography%s", args_of(arena, declared)));
        return exact ? exact : "geography";
    }
    if (strcmp(type->extension, "vector") == 0 && strcmp(type->name, "vector") == 0)
        return import_model_type(arena, arena_printf(arena, "vector%s", args_of(arena, declared)));
    return NULL;
}

static int by_oid(const void *a, const void *b)
{
    uint32_t x = ((const postgres_type *)a)->oid, y = ((const postgres_type *)b)->oid;
    return x < y ? -1 : x > y;
}

static const postgres_type *find_type(const postgres_survey *survey, uint32_t oid)
{
    postgres_type key = {.oid = oid};
    return survey->type_count ? bsearch(&key, survey->types, survey->type_count, sizeof key, by_oid) : NULL;
}

enum { ABOUT_MAX = 400, COMMENT_MAX = 64 << 10, TYPE_NESTING_MAX = 32 };

// The beginning of a long text, cut between two code points.
static const char *shortened(ds_arena *arena, const char *text, size_t max)
{
    size_t n = strlen(text);
    if (n <= max)
        return text;
    for (n = max; n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80;)
        n--;
    return arena_printf(arena, "%.*s…", (int)n, text);
}

static const char *plain_type(ds_arena *arena, const postgres_type *type, const char *declared, const char **note)
{
    const char *found = NULL;
    if (type && type->builtin)
        found = builtin_type(arena, type->name, declared, note);
    else if (type && type->extension)
        found = extension_type(arena, type, declared, note);
    if (found)
        return found;
    *note = arena_printf(arena, "%s at the source", declared);
    if (type && type->kind == POSTGRES_ENUM && type->about)
        *note = arena_printf(arena, "enum %s at the source: %s", declared, shortened(arena, type->about, ABOUT_MAX));
    return "text";
}

static const char *model_type(const surveyor *s, uint32_t oid, const char *declared, const char **note, int depth);

// Its elements as declared are all but the "[]" behind them.
static const char *array_type(const surveyor *s, const postgres_type *type, const char *declared, const char **note,
                              int depth)
{
    size_t n = strlen(declared);
    const char *element = n > 2 ? arena_str(s->arena, (ds_str){declared, n - 2}) : declared, *inner = NULL;
    const char *of = model_type(s, type->of, element, &inner, depth + 1);
    const char *found = import_model_type(s->arena, arena_printf(s->arena, "array(%s)", of));
    if (inner || !found)
        *note = arena_printf(s->arena, "%s at the source", declared);
    return found ? found : "text";
}

static const char *domain_type(const surveyor *s, const postgres_type *type, const char **note, int depth)
{
    const char *inner = NULL;
    const char *found = model_type(s, type->of, type->declared, &inner, depth + 1);
    *note = arena_printf(s->arena, "domain %s at the source%s%s%s%s", type->shown, type->about ? ": " : "",
                         type->about ? shortened(s->arena, type->about, ABOUT_MAX) : "", inner ? "; " : "",
                         inner ? inner : "");
    return found;
}

// The model's type; *note, when it says anything, is what that type doesn't tell.
static const char *model_type(const surveyor *s, uint32_t oid, const char *declared, const char **note, int depth)
{
    const postgres_type *type = depth < TYPE_NESTING_MAX ? find_type(s->survey, oid) : NULL;
    if (type && type->kind == POSTGRES_DOMAIN)
        return domain_type(s, type, note, depth);
    if (type && type->kind == POSTGRES_ARRAY)
        return array_type(s, type, declared, note, depth);
    return plain_type(s->arena, type, declared, note);
}

// --- texts

// What the source says, then what we say; NULL when neither does.
static const char *description(ds_arena *arena, const char *comment, const char *note)
{
    if (!comment || !comment[strspn(comment, " \t\r\n")])
        return note;
    const char *said = shortened(arena, comment, COMMENT_MAX);
    return note ? arena_printf(arena, "%s (%s)", said, note) : said;
}

static void leave_out(surveyor *s, ds_relation relation, const char *reason)
{
    *VEC_PUSH(s->arena, &s->left_out) = arena_printf(s->arena, "%s.%s: %s", relation.schema, relation.name, reason);
}

// --- tables

static import_from_column take_column(const surveyor *s, const postgres_column *from, bool keyed)
{
    const char *note = NULL;
    const char *type = model_type(s, from->type, from->declared, &note, 0);
    return (import_from_column){.name = from->name,
                                .type = type,
                                .description = description(s->arena, from->comment, note),
                                .not_null = from->not_null,
                                .key = keyed ? from->key : 0};
}

static const import_from_column *take_columns(const surveyor *s, const postgres_table *from, bool keyed)
{
    import_from_column *columns = ARENA_ARRAY(s->arena, import_from_column, from->n);
    for (size_t i = 0; i < from->n; i++)
        columns[i] = take_column(s, &from->columns[i], keyed);
    return columns;
}

static const char *kind_name(postgres_table_kind kind)
{
    switch (kind) {
    case POSTGRES_VIEW:
        return "a view";
    case POSTGRES_MATERIALIZED_VIEW:
        return "a materialized view";
    case POSTGRES_FOREIGN_TABLE:
        return "a foreign table";
    case POSTGRES_TABLE:
    case POSTGRES_PARTITIONED:
        break;
    }
    return NULL;
}

// A key that tells rows apart.
static bool has_key(const postgres_table *from)
{
    bool any = false;
    for (size_t i = 0; i < from->n; i++)
        any |= from->columns[i].key > 0;
    return any && !from->has_heirs && !kind_name(from->kind);
}

// What people should know of the rows and their key.
static const char *table_note(const surveyor *s, const postgres_table *from, bool keyed)
{
    if (kind_name(from->kind))
        return arena_printf(s->arena, "%s at the source", kind_name(from->kind));
    if (from->has_heirs)
        return "shows the rows of tables that inherit from it as well, which its key says nothing of";
    if (keyed && from->unique_index)
        return arena_printf(s->arena, "its key is that of the unique index \"%s\"", from->unique_index);
    return NULL;
}

static void take_table(surveyor *s, const postgres_table *from)
{
    bool keyed = has_key(from);
    s->from.tables[s->from.n++] =
        (import_from_table){.relation = from->relation,
                            .description = description(s->arena, from->comment, table_note(s, from, keyed)),
                            .columns = take_columns(s, from, keyed),
                            .n = from->n};
}

// --- what can't be imported

// NULL: nothing stands against it.
static const char *reason_against(const surveyor *s, const postgres_table *table)
{
    const char *role = s->survey->role;
    if (!table->may_use)
        return arena_printf(s->arena, "no USAGE right on its schema for role %s", role);
    if (!table->may_select)
        return arena_printf(s->arena, "no SELECT right for role %s", role);
    if (table->hides_rows)
        return arena_printf(s->arena, "a policy hides rows from role %s", role);
    if (table->n == 0)
        return "it has no columns";
    return NULL;
}

static void survey_table(surveyor *s, const postgres_table *table)
{
    const char *kind = kind_name(table->kind), *reason = reason_against(s, table);
    if (kind && !s->options->views) {
        leave_out(s, table->relation, arena_printf(s->arena, "%s, which --views imports", kind));
        s->from.views++;
    } else if (reason) {
        leave_out(s, table->relation, reason);
        s->from.not_imported++;
    } else {
        take_table(s, table);
    }
}

static ds_rc refuse_nothing(const surveyor *s, ds_error *err)
{
    CLEANUP(buf_release) ds_buf first = BUF_INIT(DS_ERROR_HINT);
    buf_puts(&first, s->left_out.v[0]);
    for (size_t i = 0; i < first.n; i++)
        if ((unsigned char)first.p[i] < ' ')
            first.p[i] = ' ';
    return ds_hint(ds_fail(err, DS_FINDING, "nothing to import: %zu left out", s->left_out.n), err, "%s",
                   buf_text(&first));
}

ds_rc import_postgres(const ds_import_options *options, const postgres_survey *survey, ds_arena *arena, ds_buf *out,
                      ds_import_summary *summary, ds_error *err)
{
    surveyor s = {.options = options, .survey = survey, .arena = arena};
    s.from.tables = ARENA_ARRAY(arena, import_from_table, survey->n);
    for (size_t i = 0; i < survey->n; i++)
        if (import_is_chosen(options, survey->tables[i].relation))
            survey_table(&s, &survey->tables[i]);
    if (s.from.n == 0 && s.left_out.n)
        return refuse_nothing(&s, err);
    s.from.left_out = s.left_out.v;
    s.from.left_out_count = s.left_out.n;
    return import_write(options, &s.from, arena, out, summary, err);
}
