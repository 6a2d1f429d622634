// Types that SQLite declares -> the model's. SQLite keeps any value under any declared type, so whole numbers become
// bigint where the declaration promises no less than 32 bits; lengths and digits are taken at their word.
#include "gate/import_from_int.h"
#include "schema/type.h"

// What happens to "(…)" behind the name.
typedef enum type_args {
    ARGS_DROP,    // int(11)
    ARGS_KEEP,    // varchar(20)
    ARGS_DECIMAL, // numeric(10,2); without them nobody knows the scale: double
} type_args;

typedef struct type_row {
    const char *declared; // lower case, words separated by one space, without what stands in parentheses
    const char *type;
    type_args args;
} type_row;

// Adding a type: a row here and one in tests/unit/test_import.c.
static const type_row TYPES[] = {
    {"int", "bigint", ARGS_DROP},
    {"integer", "bigint", ARGS_DROP},
    {"bigint", "bigint", ARGS_DROP},
    {"int8", "bigint", ARGS_DROP},
    {"long", "bigint", ARGS_DROP},
    {"unsigned big int", "bigint", ARGS_DROP},
    {"int unsigned", "bigint", ARGS_DROP},
    {"integer unsigned", "bigint", ARGS_DROP},
    {"bigint unsigned", "bigint", ARGS_DROP},
    {"serial", "bigint", ARGS_DROP},
    {"bigserial", "bigint", ARGS_DROP},
    {"counter", "bigint", ARGS_DROP},
    {"mediumint", "integer", ARGS_DROP},
    {"int4", "integer", ARGS_DROP},
    {"smallint", "smallint", ARGS_DROP},
    {"int2", "smallint", ARGS_DROP},
    {"tinyint", "smallint", ARGS_DROP}, // 0 to 255 in some databases, -128 to 127 in others
    {"year", "smallint", ARGS_DROP},
    {"bool", "boolean", ARGS_DROP},
    {"boolean", "boolean", ARGS_DROP},
    {"bit", "boolean", ARGS_DROP},
    {"real", "double", ARGS_DROP},
    {"double", "double", ARGS_DROP},
    {"double precision", "double", ARGS_DROP},
    {"float", "double", ARGS_DROP},
    {"numeric", "decimal", ARGS_DECIMAL},
    {"decimal", "decimal", ARGS_DECIMAL},
    {"dec", "decimal", ARGS_DECIMAL},
    {"number", "decimal", ARGS_DECIMAL},
    {"money", "decimal(19,4)", ARGS_DROP},
    {"smallmoney", "decimal(10,4)", ARGS_DROP},
    {"currency", "decimal(19,4)", ARGS_DROP},
    {"char", "char", ARGS_KEEP},
    {"character", "char", ARGS_KEEP},
    {"nchar", "nchar", ARGS_KEEP},
    {"native character", "nchar", ARGS_KEEP},
    {"varchar", "varchar", ARGS_KEEP},
    {"varchar2", "varchar", ARGS_KEEP},
    {"character varying", "varchar", ARGS_KEEP},
    {"varying character", "varchar", ARGS_KEEP},
    {"nvarchar", "nvarchar", ARGS_KEEP},
    {"nvarchar2", "nvarchar", ARGS_KEEP},
    {"text", "text", ARGS_DROP},
    {"tinytext", "text", ARGS_DROP},
    {"mediumtext", "text", ARGS_DROP},
    {"longtext", "text", ARGS_DROP},
    {"ntext", "text", ARGS_DROP},
    {"clob", "text", ARGS_DROP},
    {"string", "text", ARGS_DROP},
    {"enum", "text", ARGS_DROP},
    {"xml", "text", ARGS_DROP},
    {"date", "date", ARGS_DROP},
    {"datetime", "timestamp", ARGS_DROP},
    {"datetime2", "timestamp", ARGS_DROP},
    {"smalldatetime", "timestamp", ARGS_DROP},
    {"timestamp", "timestamp", ARGS_DROP},
    {"timestamp without time zone", "timestamp", ARGS_DROP},
    {"timestamp with time zone", "timestamptz", ARGS_DROP},
    {"timestamptz", "timestamptz", ARGS_DROP},
    {"datetimeoffset", "timestamptz", ARGS_DROP},
    {"time", "time", ARGS_DROP},
    {"time without time zone", "time", ARGS_DROP},
    {"interval", "interval", ARGS_DROP},
    {"uuid", "uuid", ARGS_DROP},
    {"guid", "uuid", ARGS_DROP},
    {"uniqueidentifier", "uuid", ARGS_DROP},
    {"json", "json", ARGS_DROP},
    {"jsonb", "json", ARGS_DROP},
    {"blob", "binary", ARGS_DROP},
    {"tinyblob", "binary", ARGS_DROP},
    {"mediumblob", "binary", ARGS_DROP},
    {"longblob", "binary", ARGS_DROP},
    {"bytea", "binary", ARGS_DROP},
    {"binary", "binary", ARGS_DROP},
    {"varbinary", "binary", ARGS_DROP},
    {"image", "binary", ARGS_DROP},
};

// Lower case, one space between words, none at the ends.
static void put_words(ds_buf *out, ds_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool blank = strchr(" \t\r\n", text.p[i]) != NULL;
        if (!blank)
            buf_putc(out, str_lower_char(text.p[i]));
        else if (out->n && out->p[out->n - 1] != ' ')
            buf_putc(out, ' ');
    }
    if (out->n && out->p[out->n - 1] == ' ')
        out->p[--out->n] = '\0';
}

// "  INT ( 11 ) unsigned" -> "int unsigned" and "11".
static void split_declared(const char *declared, ds_buf *name, ds_buf *args)
{
    ds_str behind = str_of(declared), before = str_split(&behind, '(');
    ds_str inside = str_split(&behind, ')');
    put_words(name, before);
    put_words(args, inside);
    if (behind.n) {
        buf_putc(name, ' ');
        put_words(name, behind);
    }
}

const char *import_model_type(ds_arena *arena, const char *text)
{
    const ds_type *type;
    size_t error_at;
    ds_error err;
    if (type_parse(arena, str_of(text), &type, &error_at, &err).code != DS_OK)
        return NULL;
    CLEANUP(buf_release) ds_buf out = BUF_INIT(TYPE_TEXT_MAX);
    type_print(type, &out);
    return arena_str(arena, buf_str(&out));
}

static const char *from_row(ds_arena *arena, const type_row *row, const ds_buf *args)
{
    if (row->args == ARGS_DROP)
        return row->type;
    if (args->n == 0)
        return row->args == ARGS_DECIMAL ? "double" : strcmp(row->type, "char") == 0 ? "varchar" : NULL;
    return import_model_type(arena, arena_printf(arena, "%s(%s)", row->type, buf_text(args)));
}

// https://www.sqlite.org/datatype3.html, 3.1: the first rule that matches decides.
static const char *affinity_type(const char *name)
{
    static const struct {
        const char *part, *type;
    } RULES[] = {
        {"int", "bigint"},  {"char", "text"},   {"clob", "text"},   {"text", "text"},
        {"blob", "binary"}, {"real", "double"}, {"floa", "double"}, {"doub", "double"},
    };
    for (size_t i = 0; i < sizeof RULES / sizeof RULES[0]; i++)
        if (strstr(name, RULES[i].part))
            return RULES[i].type;
    if (strcmp(name, "any") == 0) // of a STRICT table: no affinity either
        return "text";
    return *name ? "double" : "text"; // no type at all has no affinity: text is what is found there most often
}

const char *import_type(ds_arena *arena, const char *declared, bool *guessed)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(TYPE_TEXT_MAX), args = BUF_INIT(TYPE_TEXT_MAX);
    split_declared(declared, &name, &args);
    *guessed = false;
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (strcmp(TYPES[i].declared, buf_text(&name)) != 0)
            continue;
        const char *type = from_row(arena, &TYPES[i], &args);
        return type                            ? type
               : TYPES[i].args == ARGS_DECIMAL ? "double"
                                               : "text"; // varchar without a length, or an absurd one
    }
    const char *own = import_model_type(arena, declared);
    if (own)
        return own;
    *guessed = true;
    return affinity_type(buf_text(&name));
}
