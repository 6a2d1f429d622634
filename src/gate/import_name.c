// Names of a database -> legal names of the model, distinct whatever their case.
#include "gate/import_name_int.h"
#include "model/pattern.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_legal(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

// What is legal of the text, with one _ for whatever stands between.
static ds_str legal_part(ds_arena *arena, const char *text)
{
    char *out = arena_alloc(arena, strlen(text) + 1);
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        char c = is_legal(*p) ? *p : '_';
        if (c != '_' || (n && out[n - 1] != '_'))
            out[n++] = c;
    }
    n -= n && out[n - 1] == '_';
    return (ds_str){out, n};
}

const char *import_legal_name(ds_arena *arena, const char *text, const char *fallback)
{
    if (MODEL_PATTERNS[PATTERN_NAME].matches(str_of(text)))
        return arena_strdup(arena, text);
    ds_str part = legal_part(arena, text);
    if (part.n == 0)
        return arena_strdup(arena, fallback);
    bool begins = is_letter(part.p[0]);
    char *name = arena_printf(arena, "%s%s%.*s", begins ? "" : fallback, begins ? "" : "_", STR_ARGS(part));
    name[strnlen(name, PATTERN_NAME_MAX)] = '\0';
    return name;
}

const char *import_distinct(ds_arena *arena, ds_map *taken, const char *name)
{
    const char *candidate = name;
    for (int i = 2;; i++) {
        char *lower = arena_strdup(arena, candidate);
        str_lower(lower);
        if (!map_add(taken, lower, lower))
            return candidate;
        char suffix[16];
        int n = snprintf(suffix, sizeof suffix, "_%d", i);
        size_t room = (size_t)(PATTERN_NAME_MAX - n);
        candidate = arena_printf(arena, "%.*s%s", (int)strnlen(name, room), name, suffix);
    }
}
