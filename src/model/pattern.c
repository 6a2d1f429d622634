#include "model/pattern.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_alpha(c) || is_digit(c);
}

static bool is_name(ds_str text)
{
    if (text.n == 0 || text.n > PATTERN_NAME_MAX || !is_alpha(text.p[0]))
        return false;
    for (size_t i = 1; i < text.n; i++)
        if (!is_alnum(text.p[i]) && text.p[i] != '_')
            return false;
    return true;
}

// Letters, digits and "_.-".
static bool is_part_rest(ds_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!is_alnum(text.p[i]) && (text.p[i] == '\0' || !strchr("_.-", text.p[i])))
            return false;
    return true;
}

static bool is_label(ds_str text)
{
    return text.n > 0 && text.n <= PATTERN_NAME_MAX && is_alnum(text.p[0]) && is_part_rest(text);
}

// least to most pieces between slashes, each of which matches.
static bool is_path(ds_str text, bool (*matches)(ds_str), size_t least, size_t most)
{
    size_t pieces = 1;
    for (size_t i = 0; i < text.n; i++)
        pieces += text.p[i] == '/';
    if (pieces < least || pieces > most)
        return false;
    for (size_t i = 0; i < pieces; i++)
        if (!matches(str_split(&text, '/')))
            return false;
    return true;
}

static bool is_repository_part(ds_str text)
{
    return text.n > 0 && is_part_rest(text);
}

// One part of a branch between slashes (git check-ref-format).
static bool is_branch_part(ds_str part)
{
    const ds_str lock = STR(".lock");
    if (part.n == 0 || part.p[0] == '.' || part.p[part.n - 1] == '.')
        return false;
    if (part.n >= lock.n && str_eq((ds_str){part.p + part.n - lock.n, lock.n}, lock))
        return false;
    for (size_t i = 0; i < part.n; i++) {
        unsigned char c = (unsigned char)part.p[i];
        if (c <= ' ' || c == 0x7F || strchr("~^:?*[\\", c))
            return false;
        if (i + 1 < part.n && ((c == '.' && part.p[i + 1] == '.') || (c == '@' && part.p[i + 1] == '{')))
            return false;
    }
    return true;
}

static bool is_branch(ds_str text)
{
    return text.n > 0 && text.p[0] != '-' && !str_eq(text, STR("@")) && is_path(text, is_branch_part, 1, SIZE_MAX);
}

static bool is_repository(ds_str text)
{
    if (text.n == 0 || !memchr(text.p, '@', text.n))
        return false;
    ds_str path = str_split(&text, '@');
    return is_path(path, is_repository_part, 2, SIZE_MAX) && is_branch(text);
}

static bool is_team(ds_str text)
{
    return is_path(text, is_label, 2, 2);
}

static bool is_place(ds_str text)
{
    return is_path(text, is_label, 1, SIZE_MAX);
}

static bool is_location(ds_str text)
{
    if (text.n == 0 || !memchr(text.p, ':', text.n))
        return false;
    return is_label(str_split(&text, ':')) && is_place(text);
}

static bool is_pair(ds_str text)
{
    return is_path(text, is_name, 2, 2);
}

static bool is_consumer(ds_str text)
{
    return is_path(text, is_name, 2, 3);
}

static bool is_stream(ds_str text)
{
    return is_path(text, is_name, 1, 2);
}

// A positive number of at most 9 digits, no leading zero, then one of the units.
static bool is_quantity(ds_str text, const char *const *units, size_t n)
{
    size_t digits = 0;
    while (digits < text.n && is_digit(text.p[digits]))
        digits++;
    if (digits == 0 || digits > 9 || text.p[0] == '0')
        return false;
    ds_str unit = {text.p + digits, text.n - digits};
    for (size_t i = 0; i < n; i++)
        if (str_eq(unit, str_of(units[i])))
            return true;
    return false;
}

static bool is_retention(ds_str text)
{
    static const char *const UNITS[] = {"d", "w", "mo", "y"};
    return is_quantity(text, UNITS, sizeof UNITS / sizeof UNITS[0]);
}

static bool is_span(ds_str text)
{
    static const char *const UNITS[] = {"s", "m", "h", "d"};
    return is_quantity(text, UNITS, sizeof UNITS / sizeof UNITS[0]);
}

static bool is_overlap(ds_str text)
{
    static const char *const NONE[] = {""};
    return is_span(text) || is_quantity(text, NONE, 1);
}

static bool is_memory(ds_str text)
{
    static const char *const UNITS[] = {"Ki", "Mi", "Gi"};
    return is_quantity(text, UNITS, sizeof UNITS / sizeof UNITS[0]);
}

static bool is_dns_label(ds_str text)
{
    enum { DNS_LABEL_MAX = 63 };
    if (text.n == 0 || text.n > DNS_LABEL_MAX || text.p[0] == '-' || text.p[text.n - 1] == '-')
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!(text.p[i] >= 'a' && text.p[i] <= 'z') && !is_digit(text.p[i]) && text.p[i] != '-')
            return false;
    return true;
}

#define NAME "[A-Za-z][A-Za-z0-9_]{0,127}"
#define LABEL "[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"
#define NAME_FORM "a letter, then letters, digits and _, at most 128"
#define BRANCH_PART "(?!\\.)(?![^/]*(\\.\\.|@\\{|\\.lock(/|$)|\\.(/|$)))[^\\u0000-\\u0020\\u007f~^:?*\\[\\\\/]+"

// Adding a pattern: its enum member, a row here, and rows in tests/unit/test_model_fields.c.
const model_pattern_info MODEL_PATTERNS[PATTERN_COUNT] = {
    [PATTERN_NAME] = {"a legal name", NAME_FORM, "^" NAME "$", is_name},
    [PATTERN_COLUMN] = {"a legal name", NAME_FORM, "^" NAME "$", is_name},
    [PATTERN_LABEL] = {"a legal name", "a letter or digit, then letters, digits, _, . and -, at most 128",
                       "^" LABEL "$", is_label},
    [PATTERN_REPOSITORY] = {"a repository", "write PATH@BRANCH, for example acme/model@main",
                            "^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+@(?!-)(?!@$)" BRANCH_PART "(/" BRANCH_PART ")*$",
                            is_repository},
    [PATTERN_TEAM] = {"a team", "write ZONE/TEAM, for example USA/customer_data", "^" LABEL "/" LABEL "$", is_team},
    [PATTERN_LOCATION] = {"a location", "write VENDOR:PART/PART, for example MyCorp:USA/NY_1",
                          "^" LABEL ":" LABEL "(/" LABEL ")*$", is_location},
    [PATTERN_PLACE] = {"a location of a vendor", "write PART/PART, for example USA/NY_1", "^" LABEL "(/" LABEL ")*$",
                       is_place},
    [PATTERN_PAIR] = {"a dataset", "write STORE/DATASET, for example Store1/customers", "^" NAME "/" NAME "$", is_pair},
    [PATTERN_GROUP] = {"a dataset group", "write WORKSPACE/GROUP, for example Consumer1/live", "^" NAME "/" NAME "$",
                       is_pair},
    [PATTERN_CONSUMER] = {"a consumer", "write WORKSPACE/GROUP or WORKSPACE/GROUP/DATASET, for example Consumer1/live",
                          "^" NAME "/" NAME "(/" NAME ")?$", is_consumer},
    [PATTERN_STREAM] = {"a stream", "write STORE or STORE/DATASET, for example Store1", "^" NAME "(/" NAME ")?$",
                        is_stream},
    [PATTERN_RETENTION] = {"a time to keep data", "write a number and d, w, mo or y, for example 7y",
                           "^[1-9][0-9]{0,8}(d|w|mo|y)$", is_retention},
    [PATTERN_SPAN] = {"a span of time", "write a number and s, m, h or d, for example 10m", "^[1-9][0-9]{0,8}[smhd]$",
                      is_span},
    [PATTERN_OVERLAP] = {"an overlap", "write a number and s, m, h or d, or a number alone, for example 10m",
                         "^[1-9][0-9]{0,8}[smhd]?$", is_overlap},
    [PATTERN_MEMORY] = {"an amount of memory", "write a number and Ki, Mi or Gi, for example 64Mi",
                        "^[1-9][0-9]{0,8}[KMG]i$", is_memory},
    [PATTERN_DNS_LABEL] = {"a namespace", "small letters, digits and - inside, at most 63, for example yellow-ny",
                           "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", is_dns_label},
};
