// What somebody may have meant whose type or modifier is unknown.
#include "schema/type_int.h"

// Names of other systems and what to write here.
static const struct {
    const char *name;
    const char *instead;
} FOREIGN[] = {
    {"bigserial", "bigint"},
    {"bit", "boolean"},
    {"bpchar", "char(n)"},
    {"byte", "tinyint"},
    {"character", "char(n) or varchar(n)"},
    {"clob", "text"},
    {"datetime", "timestamp"},
    {"datetime2", "timestamp"},
    {"datetimeoffset", "timestamptz"},
    {"enum", "varchar(n)"},
    {"float", "real (4 bytes) or double (8 bytes)"},
    {"geometry", "geography"},
    {"image", "binary"},
    {"int1", "tinyint"},
    {"jsonb", "json"},
    {"list", "array(T)"},
    {"long", "bigint"},
    {"longtext", "text"},
    {"mediumint", "integer"},
    {"money", "decimal(19,4)"},
    {"nclob", "string"},
    {"ntext", "string"},
    {"number", "decimal(p,s)"},
    {"object", "struct(name T, ...)"},
    {"serial", "integer"},
    {"short", "smallint"},
    {"smalldatetime", "timestamp"},
    {"tinytext", "text"},
    {"uniqueidentifier", "uuid"},
    {"varbinary", "binary(n)"},
    {"varchar2", "varchar(n)"},
    {"xml", "text"},
    {"year", "smallint"},
};

// The words of modifiers and the phrase that each belongs to.
static const struct {
    const char *word;
    const char *phrase;
} MODIFIERS[] = {
    {"primary", "primary key"}, {"key", "primary key"},     {"not", "not null"},
    {"null", "null"},           {"partition", "partition"},
};

// Is the candidate nearer to the word than what was found before, if anything was? *best is the distance so far.
static bool nearer(ds_str word, const char *candidate, size_t *best, bool found)
{
    size_t distance = str_distance(word, str_of(candidate), *best);
    if (distance > *best || (found && distance == *best))
        return false;
    *best = distance;
    return true;
}

// The modifier that somebody who wrote this word wanted, or NULL.
static const char *modifier_like(ds_str word)
{
    size_t best = word.n / 3 + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < sizeof MODIFIERS / sizeof MODIFIERS[0]; i++)
        if (nearer(word, MODIFIERS[i].word, &best, nearest != NULL))
            nearest = MODIFIERS[i].phrase;
    return nearest;
}

static bool is_modifier_word(ds_str word)
{
    for (size_t i = 0; i < sizeof MODIFIERS / sizeof MODIFIERS[0]; i++)
        if (str_eq_nocase(word, str_of(MODIFIERS[i].word)))
            return true;
    return false;
}

ds_rc type_fail_unknown(ds_str word, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_FINDING, "unknown type \"%.*s\"", STR_ARGS(word));
    for (size_t i = 0; i < sizeof FOREIGN / sizeof FOREIGN[0]; i++)
        if (str_eq_nocase(word, str_of(FOREIGN[i].name)))
            return ds_hint(rc, err, "write %s", FOREIGN[i].instead);
    if (is_modifier_word(word))
        return ds_hint(rc, err, "the type comes first, for example varchar(20) primary key");
    const char *nearest = NULL;
    size_t best = word.n / 3 + 1;
    for (size_t i = 0; i < TYPE_NAME_COUNT; i++)
        if (nearer(word, TYPE_NAMES[i].name, &best, nearest != NULL))
            nearest = TYPE_NAMES[i].name;
    return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest)
                   : ds_hint(rc, err, "for example integer, varchar(100), decimal(12,2), date, timestamp");
}

ds_rc type_fail_modifier(ds_str word, ds_error *err)
{
    ds_rc rc = ds_fail(err, DS_FINDING, "unknown modifier \"%.*s\"", STR_ARGS(word));
    if (str_eq_nocase(word, STR("with")) || str_eq_nocase(word, STR("without")))
        return ds_hint(rc, err, "timestamp and time are without a time zone, timestamptz and timetz with one");
    const char *meant = modifier_like(word);
    return meant ? ds_hint(rc, err, "did you mean \"%s\"?", meant)
                 : ds_hint(rc, err, "after the type: primary key, not null, null, partition");
}
