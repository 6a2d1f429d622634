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

const char *import_legal_name(ds_arena *arena, const char *text, const char *fallback)
{
    ds_str whole = str_of(text);
    if (MODEL_PATTERNS[PATTERN_NAME].matches(whole))
        return arena_strdup(arena, text);
    char *out = arena_alloc(arena, whole.n + strlen(fallback) + 2);
    size_t n = 0;
    for (size_t i = 0; i < whole.n; i++) {
        bool legal = is_legal(text[i]) && (text[i] != '_' || n == 0 || out[n - 1] != '_');
        if (legal)
            out[n++] = text[i];
        else if (n && out[n - 1] != '_')
            out[n++] = '_'; // one for all that stands between two legal characters
    }
    while (n && out[n - 1] == '_')
        n--;
    size_t start = 0;
    while (start < n && out[start] == '_')
        start++;
    if (start == n)
        return arena_strdup(arena, fallback);
    const char *prefix = is_letter(out[start]) ? "" : fallback;
    char *name = arena_printf(arena, "%s%s%.*s", prefix, *prefix ? "_" : "", (int)(n - start), out + start);
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
