// Statements that a user wrote, as a transformer's SELECT, are compiled and run under an authorizer: they may read the
// relations given, and call functions; all else is refused.
//
// A view reads its tables with its own rights: SQLite names the innermost view for each access. But it gives the name
// of a common table expression just the same, so that WITH allowed AS (SELECT * FROM secret) would borrow the rights
// of the view "allowed". Therefore a text may not define such a name, nor one that stands behind such a view.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/vec.h"
#include "store/sqlite/sqlite_int.h"
#include "store/store.h"

static bool has_name(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; name && i < n; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

// --- the authorizer

// Table-valued functions that read nothing but their arguments.
static const char *const PURE_TABLES[] = {"json_each", "json_tree"};
// Functions that reach beyond the database.
static const char *const FORBIDDEN_FUNCTIONS[] = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// Keeps the first refusal, which is the one that SQLite reports.
__attribute__((format(printf, 2, 3))) static int refuse(sqlite_policy *policy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!policy->refused[0])
        vsnprintf(policy->refused, sizeof policy->refused, format, args);
    va_end(args);
    return SQLITE_DENY;
}

// via: the view or common table expression that stands between, or NULL.
static int refuse_read(sqlite_policy *policy, const char *name, const char *via)
{
    if (via)
        return refuse(policy, "the query reads \"%s\" through \"%s\", which is not one of its inputs", name, via);
    return refuse(policy, "the query reads \"%s\", which is not one of its inputs", name);
}

// SQLite asks about a source of which no column is used by its bare name, be it a table or a common table expression.
// The answer is yes until check_bare has looked at the catalogue, which can't be done in here.
static int read_bare(sqlite_policy *policy, const char *name)
{
    if (has_name(policy->bare.v, policy->bare.n, name))
        return SQLITE_OK;
    if (policy->sealed)
        return refuse_read(policy, name, NULL);
    *VEC_PUSH(policy->arena, &policy->bare) = arena_strdup(policy->arena, name);
    return SQLITE_OK;
}

static bool is_inner(const sqlite_policy *policy, const char *name)
{
    return has_name(policy->inner.v, policy->inner.n, name);
}

static int learn(sqlite_policy *policy, const char *name)
{
    if (name && !is_inner(policy, name))
        *VEC_PUSH(policy->arena, &policy->inner) = arena_strdup(policy->arena, name);
    return SQLITE_OK;
}

static int read_column(sqlite_policy *policy, const char *table, const char *column, const char *schema,
                       const char *view)
{
    if (policy->any_relation || has_name(policy->allowed, policy->n, view) || is_inner(policy, view))
        return SQLITE_OK;
    bool in_main = !schema || strcasecmp(schema, "main") == 0;
    if (in_main && (has_name(policy->allowed, policy->n, table) || has_name(PURE_TABLES, COUNT(PURE_TABLES), table)))
        return SQLITE_OK;
    bool is_bare = !schema && table && column && !column[0];
    if (is_bare && is_inner(policy, table) && !policy->names_inner) // count(*) of a view looks like one of its table
        return SQLITE_OK;
    return is_bare ? read_bare(policy, table) : refuse_read(policy, table, view);
}

static int authorize(void *context, int action, const char *first, const char *second, const char *schema,
                     const char *view)
{
    sqlite_policy *policy = ((ds_sqlite *)context)->policy;
    if (!policy)
        return SQLITE_OK;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ:
        if (policy->learning) {
            learn(policy, first);
            return learn(policy, view);
        }
        return read_column(policy, first, second, schema, view);
    case SQLITE_FUNCTION:
        return has_name(FORBIDDEN_FUNCTIONS, COUNT(FORBIDDEN_FUNCTIONS), second)
                   ? refuse(policy, "the query calls the forbidden function \"%s\"", second)
                   : SQLITE_OK;
    default:
        return refuse(policy, "only a query may run here: one SELECT");
    }
}

void sqlite_policy_install(ds_sqlite *db)
{
    // Table-valued functions are declared at their first use, which the authorizer would take for a CREATE TABLE.
    sqlite3_exec(db->handle, "SELECT 1 FROM json_each('[]'), json_tree('[]')", NULL, NULL, NULL);
    sqlite3_set_authorizer(db->handle, authorize, db);
}

// What compiling a SELECT * of each reads. A relation that is missing is found out by the query itself.
static void learn_inner(ds_sqlite *db, sqlite_policy *policy)
{
    policy->learning = true;
    db->policy = policy;
    for (size_t i = 0; i < policy->n; i++) {
        CLEANUP(sql_release) ds_sql q = sql_new(&SQLITE_DIALECT);
        SQL(&q, "SELECT * FROM ");
        sql_ident(&q, policy->allowed[i]);
        sqlite3_stmt *stmt = NULL;
        sqlite3_prepare_v2(db->handle, buf_text(&q.text), -1, &stmt, NULL);
        sqlite3_finalize(stmt);
    }
    db->policy = NULL;
    policy->learning = false;
}

sqlite_policy *sqlite_policy_new(ds_sqlite *db, ds_arena *arena, const ds_relation *allowed, size_t n)
{
    sqlite_policy *policy = ARENA_NEW(arena, sqlite_policy);
    const char **names = ARENA_ARRAY(arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        names[i] = arena_strdup(arena, allowed[i].name);
    *policy = (sqlite_policy){.arena = arena, .allowed = names, .n = n};
    sqlite_policy_install(db);
    learn_inner(db, policy);
    return policy;
}

ds_rc sqlite_policy_seal(ds_sqlite *db, sqlite_policy *policy, ds_error *err)
{
    for (size_t i = 0; i < policy->bare.n; i++) {
        CLEANUP(sql_release) ds_sql q = sql_new(&SQLITE_DIALECT);
        SQL(&q, "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ");
        sql_text(&q, policy->bare.v[i]);
        SQL(&q, " COLLATE NOCASE UNION ALL SELECT 1 WHERE ");
        sql_text(&q, policy->bare.v[i]);
        SQL(&q, " LIKE 'sqlite\\_%' ESCAPE '\\'");
        ds_result found;
        TRY(sqlite_query(&db->db, &q, policy->arena, &found, err));
        if (found.rows) {
            refuse_read(policy, policy->bare.v[i], NULL);
            return ds_fail(err, DS_FINDING, "%s: %s", db->label, policy->refused);
        }
    }
    policy->sealed = true;
    return DS_DONE;
}

// --- the text

typedef enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_OTHER } token_kind;
typedef struct token {
    token_kind kind;
    ds_str text; // a quoted one without its quotes
    char quote;
} token;

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

static const char *skip_blank(const char *p)
{
    for (;;) {
        p += strspn(p, " \t\r\n\f\v");
        if (strncmp(p, "\xEF\xBB\xBF", 3) == 0) { // to SQLite a byte order mark that begins a token is a blank
            p += 3;
        } else if (p[0] == '-' && p[1] == '-') {
            p += strcspn(p, "\n");
        } else if (p[0] == '/' && p[1] == '*') {
            const char *end = strstr(p + 2, "*/");
            p = end ? end + 2 : p + strlen(p);
        } else {
            return p;
        }
    }
}

// Where the quoted text ends: at a closing quote that is not doubled ([...] knows no doubling), or at the end.
static const char *quoted_end(const char *p, char close)
{
    for (;; p++) {
        if (*p == '\0')
            return p;
        if (*p != close)
            continue;
        if (close == ']' || p[1] != close)
            return p;
        p++;
    }
}

// SQLite's lexical rules, as far as names go.
static token next_token(const char **at)
{
    const char *p = skip_blank(*at);
    const char *start = p;
    token_kind kind = TOKEN_OTHER;
    if (*p == '\0') {
        *at = p;
        return (token){TOKEN_END, {p, 0}, 0};
    }
    if (*p == '\'' || *p == '"' || *p == '`' || *p == '[') {
        const char *end = quoted_end(p + 1, *p == '[' ? ']' : *p);
        *at = *end ? end + 1 : end;
        return (token){TOKEN_QUOTED, {p + 1, (size_t)(end - p - 1)}, *p};
    }
    if (is_word_char(*p)) {
        kind = TOKEN_WORD;
        while (is_word_char(*p))
            p++;
    } else {
        p++;
    }
    *at = p;
    return (token){kind, {start, (size_t)(p - start)}, 0};
}

static bool token_is(token t, const char *name)
{
    size_t n = 0, length = strlen(name);
    for (size_t i = 0; i < t.text.n; i++, n++) {
        if (n == length || str_lower_char(t.text.p[i]) != str_lower_char(name[n]))
            return false;
        if (t.quote && t.quote != '[' && t.text.p[i] == t.quote)
            i++; // doubled
    }
    return n == length;
}

static const char *find_name(const char *const *names, size_t n, token t)
{
    for (size_t i = 0; t.kind != TOKEN_OTHER && i < n; i++)
        if (token_is(t, names[i]))
            return names[i];
    return NULL;
}

// Is it one of the names that must keep their meaning?
static const char *name_of(sqlite_policy *policy, token t)
{
    const char *name = find_name(policy->allowed, policy->n, t);
    if (name)
        return name;
    name = find_name(policy->inner.v, policy->inner.n, t);
    policy->names_inner |= name != NULL;
    return name;
}

// A definition is NAME [AS [NOT] [MATERIALIZED]] "(": nowhere else does a parenthesis follow a table's name.
ds_rc sqlite_policy_check_text(sqlite_policy *policy, const char *text, ds_error *err)
{
    const char *name = NULL; // seen, and what followed may still lead to "("
    for (token t = next_token(&text); t.kind != TOKEN_END; t = next_token(&text)) {
        if (name && t.kind == TOKEN_OTHER && t.text.p[0] == '(')
            return ds_fail(err, DS_FINDING,
                           "the query gives the name \"%s\", which belongs to its inputs, another meaning", name);
        bool leads_on =
            name && t.kind == TOKEN_WORD && (token_is(t, "as") || token_is(t, "not") || token_is(t, "materialized"));
        if (!leads_on)
            name = name_of(policy, t);
    }
    return DS_DONE;
}
