#include "cli/args.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"

static const ds_option *find_name(const ds_option *table, ds_str name)
{
    for (const ds_option *o = table; o && o->name; o++)
        if (str_eq(str_of(o->name), name))
            return o;
    return NULL;
}

static const ds_option *find_letter(const ds_option *table, char letter)
{
    for (const ds_option *o = table; o && o->name; o++)
        if (o->letter == letter)
            return o;
    return NULL;
}

// The command's own options hide global ones of the same name.
static const ds_option *find_option(const ds_args *args, ds_str name)
{
    const ds_option *own = find_name(args->own, name);
    return own ? own : find_name(args->global, name);
}

// "5s" -> 5000; false when it is no duration.
static bool parse_duration(const char *text, int64_t *out_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } UNITS[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"", 1000}};
    size_t digits = strspn(text, "0123456789");
    int64_t n;
    if (!str_int64((ds_str){text, digits}, &n) || n > INT64_C(1) << 40)
        return false;
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++)
        if (strcmp(text + digits, UNITS[i].unit) == 0) {
            *out_ms = n * UNITS[i].ms;
            return true;
        }
    return false;
}

static bool is_choice(const char *choices, const char *text)
{
    ds_str rest = str_of(choices);
    while (rest.n)
        if (str_eq(str_split(&rest, '|'), str_of(text)))
            return true;
    return false;
}

static ds_rc check_int(const ds_option *option, const char *text, ds_error *err)
{
    int64_t n, most = option->most ? option->most : INT64_MAX;
    size_t sign = text[0] == '-';
    bool digits = text[sign] && text[sign + strspn(text + sign, "0123456789")] == '\0';
    if (!digits)
        return ds_fail(err, DS_USAGE, "--%s wants a whole number, not \"%s\"", option->name, text);
    if (!str_int64(str_of(text), &n) ? sign == 0 : n > most)
        return ds_fail(err, DS_USAGE, "--%s can be %lld at most, not %s", option->name, (long long)most, text);
    if (sign || n < option->least)
        return ds_fail(err, DS_USAGE, "--%s must be at least %lld, not %s", option->name, (long long)option->least,
                       text);
    return DS_DONE;
}

static ds_rc check_value(const ds_option *option, const char *text, ds_error *err)
{
    int64_t n;
    switch (option->type) {
    case OPTION_INT:
        return check_int(option, text, err);
    case OPTION_DURATION:
        if (!parse_duration(text, &n))
            return ds_hint(ds_fail(err, DS_USAGE, "--%s wants a duration, not \"%s\"", option->name, text), err,
                           "write 10s, 500ms or 2m");
        return DS_DONE;
    case OPTION_CHOICE:
        if (!is_choice(option->choices, text))
            return ds_hint(ds_fail(err, DS_USAGE, "--%s can't be \"%s\"", option->name, text), err, "it is one of %s",
                           option->choices);
        return DS_DONE;
    case OPTION_TEXT:
        if (!text[0])
            return ds_fail(err, DS_USAGE, "--%s wants a value, not an empty text", option->name);
        return DS_DONE;
    case OPTION_FLAG:
        return DS_DONE;
    }
    BUG("unknown option type %d", (int)option->type);
}

static ds_rc unknown_option(const ds_args *args, const char *command, ds_str name, ds_error *err)
{
    const char *names[64];
    size_t n = 0;
    for (const ds_option *o = args->own; o && o->name && n < 32; o++)
        names[n++] = o->name;
    for (const ds_option *o = args->global; o->name && n < 60; o++)
        names[n++] = o->name;
    names[n++] = "help";
    names[n++] = "version";
    char text[80];
    snprintf(text, sizeof text, "%.*s", STR_ARGS(name));
    const char *nearest = str_nearest(text, names, n);
    ds_rc rc = ds_fail(err, DS_USAGE, "unknown option \"--%s\"", text);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"--%s\"?", nearest);
    return ds_hint(rc, err, "see datasurface help%s%s", command ? " " : "", command ? command : "");
}

static ds_rc add_value(ds_args *args, const ds_option *option, const char *text, ds_error *err)
{
    TRY(check_value(option, text, err));
    if (args->value_count == sizeof args->values / sizeof args->values[0])
        return ds_fail(err, DS_USAGE, "too many options");
    args->values[args->value_count++] = (ds_arg_value){option, text};
    return DS_DONE;
}

// --name, --name=value, --name value. Moves *i over a value.
static ds_rc parse_long(ds_args *args, int argc, char **argv, int command, int *i, ds_error *err)
{
    ds_str rest = str_of(argv[*i] + 2);
    const char *equals = memchr(rest.p, '=', rest.n);
    ds_str name = {rest.p, equals ? (size_t)(equals - rest.p) : rest.n};
    if (str_eq(name, STR("help")))
        args->help = true;
    else if (str_eq(name, STR("version")))
        args->version = true;
    if (str_eq(name, STR("help")) || str_eq(name, STR("version")))
        return DS_DONE;
    const ds_option *option = find_option(args, name);
    if (!option)
        return unknown_option(args, command ? argv[command] : NULL, name, err);
    if (option->type == OPTION_FLAG && equals)
        return ds_fail(err, DS_USAGE, "--%s takes no value", option->name);
    if (option->type == OPTION_FLAG)
        return add_value(args, option, "", err);
    if (equals)
        return add_value(args, option, equals + 1, err);
    if (*i + 1 >= argc)
        return ds_fail(err, DS_USAGE, "--%s wants a value (%s)", option->name,
                       option->choices ? option->choices : option->value);
    return add_value(args, option, argv[++*i], err);
}

// -C DIR, -CDIR, -o -.
static ds_rc parse_short(ds_args *args, int argc, char **argv, int *i, ds_error *err)
{
    const char *text = argv[*i];
    if (text[1] == 'h' && !text[2]) {
        args->help = true;
        return DS_DONE;
    }
    const ds_option *option = find_letter(args->own, text[1]);
    if (!option)
        option = find_letter(args->global, text[1]);
    if (!option)
        return ds_hint(ds_fail(err, DS_USAGE, "unknown option \"%s\"", text), err, "see datasurface help");
    if (option->type == OPTION_FLAG)
        return text[2] ? ds_fail(err, DS_USAGE, "unknown option \"%s\"", text) : add_value(args, option, "", err);
    if (text[2])
        return add_value(args, option, text + 2, err);
    if (*i + 1 >= argc)
        return ds_fail(err, DS_USAGE, "-%c wants a value (%s)", text[1], option->value);
    return add_value(args, option, argv[++*i], err);
}

ds_rc args_parse(ds_arena *arena, int argc, char **argv, int command, ds_args *args, ds_error *err)
{
    args->words = ARENA_ARRAY(arena, const char *, (size_t)argc + 1);
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (i == command)
            continue;
        if (!only_words && strcmp(text, "--") == 0)
            only_words = true;
        else if (!only_words && text[0] == '-' && text[1] == '-')
            TRY(parse_long(args, argc, argv, command, &i, err));
        else if (!only_words && text[0] == '-' && text[1])
            TRY(parse_short(args, argc, argv, &i, err));
        else if (args->word_count == ARGS_MAX)
            return ds_fail(err, DS_USAGE, "more than %d arguments", (int)ARGS_MAX);
        else
            args->words[args->word_count++] = text;
    }
    return DS_DONE;
}

int args_command_index(int argc, char **argv, const ds_option *global)
{
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (strcmp(text, "--") == 0)
            return i + 1 < argc ? i + 1 : 0;
        if (text[0] != '-' || !text[1])
            return i;
        const ds_option *option = text[1] == '-' ? find_name(global, str_of(text + 2))
                                  : text[2]      ? NULL
                                                 : find_letter(global, text[1]);
        if (option && option->type != OPTION_FLAG)
            i++;
    }
    return 0;
}

static const ds_arg_value *given(const ds_args *args, const ds_option *option)
{
    for (size_t i = args->value_count; i-- > 0;)
        if (strcmp(args->values[i].option->name, option->name) == 0)
            return &args->values[i];
    return NULL;
}

static const ds_option *must_find(const ds_args *args, const char *name)
{
    const ds_option *option = find_option(args, str_of(name));
    if (!option)
        BUG("no option --%s in the tables", name);
    return option;
}

const char *args_text(const ds_args *args, const char *name)
{
    const ds_option *option = must_find(args, name);
    const ds_arg_value *value = given(args, option);
    if (value)
        return value->text;
    const char *env = option->env ? getenv(option->env) : NULL;
    return env && env[0] ? env : option->fallback;
}

bool args_given(const ds_args *args, const char *name)
{
    return given(args, must_find(args, name)) != NULL;
}

bool args_flag(const ds_args *args, const char *name)
{
    return args_given(args, name);
}

int64_t args_int(const ds_args *args, const char *name, int64_t otherwise)
{
    const char *text = args_text(args, name);
    int64_t n;
    return text && str_int64(str_of(text), &n) ? n : otherwise;
}

int64_t args_duration_ms(const ds_args *args, const char *name, int64_t otherwise)
{
    const char *text = args_text(args, name);
    int64_t ms;
    return text && parse_duration(text, &ms) ? ms : otherwise;
}

const char *args_word(const ds_args *args, size_t i)
{
    return i < args->word_count ? args->words[i] : NULL;
}
