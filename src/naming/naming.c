#include "naming/naming.h"

#include <xxhash.h>

#include "base/buf.h"
#include "base/error.h"

// A logical path: the schema's part first, then the name's. A path whose parts are all plain is joined by "__" and
// can be split again, so that two paths never give one name. Any other gets a hash behind "___", which no plain path
// contains.
enum { PATH_PARTS = 4, LIMIT_LEAST = 40 };
typedef struct ds_path {
    const char *parts[PATH_PARTS];
    size_t n;
    const char *suffix; // of the kind: "__s"; "" for none
} ds_path;

#define SEPARATOR "__"
#define HASH_MARK "___"
enum { HASH_DIGITS = 8, HASH_BYTES = sizeof HASH_MARK - 1 + HASH_DIGITS, NAME_MAX_BYTES = 64 * 1024 };

static bool is_plain(const char *part)
{
    size_t n = strlen(part);
    return n > 0 && part[0] != '_' && part[n - 1] != '_' && !strstr(part, SEPARATOR);
}

// The parts end with NUL, which no name contains: paths that differ hash different bytes.
static uint32_t path_hash(const ds_path *path)
{
    CLEANUP(buf_release) ds_buf bytes = BUF_INIT(NAME_MAX_BYTES);
    for (size_t i = 0; i < path->n; i++)
        buf_put(&bytes, path->parts[i], strlen(path->parts[i]) + 1);
    buf_puts(&bytes, path->suffix);
    ds_assert(buf_ok(&bytes));
    for (size_t i = 0; i < bytes.n; i++)
        bytes.p[i] = str_lower_char(bytes.p[i]);
    return (uint32_t)XXH3_64bits(bytes.p, bytes.n);
}

static ds_str trim_end(ds_str text)
{
    while (text.n > 0 && text.p[text.n - 1] == '_')
        text.n--;
    return text;
}

static ds_str trim_start(ds_str text)
{
    while (text.n > 0 && text.p[0] == '_')
        text = (ds_str){text.p + 1, text.n - 1};
    return text;
}

// text and suffix with the hash between them; of a text that is too long the middle goes:
// store1__a_very_long___1a2b3c4d_name_indeed__s
static const char *hashed(ds_arena *arena, size_t limit, ds_str text, const ds_path *path)
{
    size_t budget = limit - HASH_BYTES - strlen(path->suffix);
    ds_str head = text, tail = {text.p, 0};
    if (text.n > budget) {
        tail.n = (budget - 1) / 2; // and one "_" before it
        tail.p = text.p + text.n - tail.n;
        head.n = budget - 1 - tail.n;
        tail = trim_start(tail);
    }
    head = trim_end(head);
    return arena_printf(arena, "%.*s" HASH_MARK "%08x%s%.*s%s", STR_ARGS(head), path_hash(path), tail.n ? "_" : "",
                        STR_ARGS(tail), path->suffix);
}

// The name of the path's parts from `first` on.
static const char *physical(ds_arena *arena, size_t limit, const ds_path *path, size_t first)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(NAME_MAX_BYTES);
    bool plain = true;
    for (size_t i = first; i < path->n; i++) {
        buf_puts(&text, i > first ? SEPARATOR : "");
        buf_puts(&text, path->parts[i]);
        plain = plain && is_plain(path->parts[i]);
    }
    ds_assert(buf_ok(&text) && limit >= LIMIT_LEAST);
    str_lower(text.p);
    if (plain && text.n + strlen(path->suffix) <= limit)
        return arena_printf(arena, "%s%s", text.p, path->suffix);
    return hashed(arena, limit, buf_str(&text), path);
}

static ds_relation relation_of(ds_arena *arena, ds_name_rules rules, const ds_path *path)
{
    if (!rules.has_schemas)
        return (ds_relation){"", physical(arena, rules.limit, path, 0)};
    const ds_path schema = {{path->parts[0]}, 1, ""};
    return (ds_relation){physical(arena, rules.limit, &schema, 0), physical(arena, rules.limit, path, 1)};
}

ds_relation naming_table(ds_arena *arena, ds_name_rules rules, const char *platform, const char *store,
                         const char *dataset, ds_table_kind kind)
{
    static const char *const SUFFIXES[] = {
        [TABLE_MERGE] = "", [TABLE_STAGING] = "__s", [TABLE_HISTORY] = "__h", [TABLE_REJECTS] = "__r"};
    const ds_path path = {{arena_printf(arena, "ds_%s", platform), store, dataset}, 3, SUFFIXES[kind]};
    return relation_of(arena, rules, &path);
}

ds_relation naming_view(ds_arena *arena, ds_name_rules rules, const char *workspace, const char *group,
                        const char *store, const char *dataset, bool history)
{
    const ds_path path = {{arena_printf(arena, "ws_%s", workspace), group, store, dataset},
                          4,
                          history ? "__history" : ""};
    return relation_of(arena, rules, &path);
}

ds_relation naming_exchange(ds_arena *arena, ds_name_rules rules, const char *platform, const char *workspace,
                            const char *kind, const char *store, const char *dataset)
{
    const ds_path schema = {{arena_printf(arena, "dt_%s", platform), workspace}, 2, ""};
    const ds_path name = {{kind, store, dataset}, 3, ""};
    return (ds_relation){physical(arena, rules.limit, &schema, 0), physical(arena, rules.limit, &name, 0)};
}

const char *naming_role(ds_arena *arena, ds_name_rules rules, const char *const *parts, size_t n)
{
    ds_path path = {.n = n, .suffix = ""};
    ds_assert(n <= ROLE_PARTS_MAX);
    for (size_t i = 0; i < n; i++)
        path.parts[i] = parts[i];
    return physical(arena, rules.limit, &path, 0);
}

ds_relation naming_control(ds_arena *arena, ds_name_rules rules, const char *table)
{
    const ds_path path = {{"datasurface", table}, 2, ""};
    return relation_of(arena, rules, &path);
}

const char *naming_index(ds_arena *arena, ds_name_rules rules, ds_relation table, const char *suffix)
{
    const ds_path path = {{table.schema, table.name}, 2, arena_printf(arena, SEPARATOR "%s", suffix)};
    if (strlen(table.name) + strlen(path.suffix) <= rules.limit)
        return arena_printf(arena, "%s%s", table.name, path.suffix);
    return hashed(arena, rules.limit, str_of(table.name), &path);
}
