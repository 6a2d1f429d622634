// SQL -> PostgreSQL's own tree, by libpg_query (https://github.com/pganalyze/libpg_query, its JSON is that of
// pg_query_parse). The library is opened when it is first asked for: linked, it would cost the start of every process
// a few milliseconds, and its exported names (strnlen, XXH64) would stand before those of others.
#include <dlfcn.h>
#include <pg_query.h>
#include <pthread.h>

#include "graph/lineage_int.h"

#define LIBRARY "libpg_query.so.1504.0"
_Static_assert(PG_VERSION_NUM / 10000 == 15, "lineage follows the trees of PostgreSQL 15");

// Its parser and its printer recurse once for each level of an expression, without a limit. The worst that was found
// (-+-+-+a, a level for each byte of text) takes 160 bytes of stack for a byte.
enum { STACK_FOR_BYTE = 1024, STACK_LEAST = 1 << 20 };

static struct {
    pthread_once_t once;
    PgQueryParseResult (*parse)(const char *input);
    void (*release)(PgQueryParseResult result);
} library = {.once = PTHREAD_ONCE_INIT};

static void open_library(void)
{
    void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return;
    *(void **)&library.release = dlsym(handle, "pg_query_free_parse_result");
    *(void **)&library.parse = library.release ? dlsym(handle, "pg_query_parse") : NULL;
}

typedef struct parsing {
    const char *sql;
    ds_arena *arena;
    json_t *tree;
    const char *problem;
} parsing;

// What the parser says is quoted from the user's text, which may hold anything.
static const char *printable(ds_arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            *p = ' ';
    return copy;
}

static void *parse_on_thread(void *context)
{
    parsing *p = context;
    PgQueryParseResult result = library.parse(p->sql);
    if (result.error)
        p->problem =
            arena_printf(p->arena, "PostgreSQL can't parse it: %s", printable(p->arena, result.error->message));
    else if (!(p->tree = json_loads(result.parse_tree, 0, NULL)))
        p->problem = "it is nested too deeply";
    library.release(result);
    return NULL;
}

static bool run_on_thread(parsing *p)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    bool ran = pthread_attr_setstacksize(&attributes, STACK_LEAST + STACK_FOR_BYTE * strlen(p->sql)) == 0 &&
               pthread_create(&thread, &attributes, parse_on_thread, p) == 0;
    pthread_attr_destroy(&attributes);
    return ran && pthread_join(thread, NULL) == 0;
}

// The tree of the only statement.
static json_t *only_select(json_t *tree, const char **problem)
{
    json_t *statements = json_object_get(tree, "stmts");
    json_t *select = json_object_get(json_object_get(json_array_get(statements, 0), "stmt"), "SelectStmt");
    if (json_array_size(statements) != 1 || !select) {
        *problem = "it is no single SELECT";
        return NULL;
    }
    return json_incref(select);
}

json_t *lineage_parse(const char *sql, ds_arena *arena, const char **problem)
{
    ds_assert(strlen(sql) <= LINEAGE_SQL_MAX);
    (void)pthread_once(&library.once, open_library);
    if (!library.parse) {
        *problem = "there is no " LIBRARY " here";
        return NULL;
    }
    parsing p = {.sql = sql, .arena = arena};
    if (!run_on_thread(&p))
        p.problem = "there is no memory to parse it";
    *problem = p.problem;
    json_t *select = p.tree ? only_select(p.tree, problem) : NULL;
    json_decref(p.tree);
    return select;
}
