// graph/lineage.h and graph/lineage_trace.h: what a transformer's columns are made of, and who is reached.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "graph/lineage.h"
#include "graph/lineage_trace.h"
#include "model/load.h"
#include "model/lookup.h"
#include "platform/assign.h"
#include "yellow/platform.h"

#define STORE                                                                                                          \
    "---\nkind: Datastore\nteam: Z/t\nname: S\ncapture: {type: sql_snapshot, container: C, trigger: {cron: "           \
    "\"* * * * *\"}}\ndatasets:\n"                                                                                     \
    "  t: {columns: {id: integer primary key, a: integer, b: integer, c: integer, d: integer}}\n"                      \
    "  u: {source: {schema: s, table: U}, columns: {id: integer primary key, x: integer, y: {type: integer, source: "  \
    "Y}}}\n"
#define WORKSPACE                                                                                                      \
    "---\nkind: Workspace\nteam: Z/t\nname: W\ndataset_groups: {i: {sinks: [S/t, S/u]}}\ntransformer:\n  name: w\n"    \
    "  output: {datastore: O, datasets: {o: {columns: {p: integer primary key, q: integer, r: integer}}}}\n"           \
    "  run:\n"

typedef struct world {
    ds_model *model;
    ds_diags *diags;
    ds_arena *arena;
} world;

static world world_new(const char *text)
{
    world w = {.arena = arena_new()};
    ds_error err;
    const char *path = "m.yaml";
    ds_str whole = str_of(text);
    assert_int_equal(model_load_texts(&path, &whole, 1, NULL, &w.model, &w.diags, &err).code, DS_OK);
    for (size_t i = 0; i < diags_count(w.diags); i++)
        fail_msg("%s", diags_at(w.diags, i)->message);
    return w;
}

static void world_free(world *w)
{
    diags_free(w->diags);
    model_free(w->model);
    arena_free(w->arena);
}

static const ds_workspace *transformer(const world *w, const ds_dataset **output)
{
    const ds_workspace *workspace = model_workspace(w->model, "W");
    *output = datastore_dataset(workspace->transformer.output, "o");
    return workspace;
}

// "p: t.a ~t.b" for each column, "rows: ~t.c", or "note: …".
static void print_lineage(const ds_lineage *l, ds_buf *out)
{
    const ds_column *last = NULL;
    for (size_t i = 0; i < l->edge_count; i++) {
        const ds_lineage_edge *edge = &l->edges[i];
        if (i == 0 || edge->to != last)
            buf_printf(out, "%s%s:", i ? "; " : "", edge->to ? edge->to->name : "rows");
        buf_printf(out, " %s%s.%s", edge->influence == INFLUENCE_INDIRECT ? "~" : "",
                   l->inputs[edge->input].dataset->name, edge->from->name);
        last = edge->to;
    }
    if (l->note)
        buf_printf(out, "note: %s", l->note);
}

// The world whose output o is made by this SQL; as a JSON text, so that any SQL fits.
static world world_of_sql(const char *sql)
{
    json_t *text = json_string(sql);
    char *quoted = json_dumps(text, JSON_ENCODE_ANY);
    CLEANUP(buf_release) ds_buf yaml = BUF_INIT(8 << 20);
    buf_printf(&yaml, STORE WORKSPACE "    sql: {o: %s}\n", quoted);
    world w = world_new(buf_text(&yaml));
    free(quoted);
    json_decref(text);
    return w;
}

static bool is_lineage(const char *sql, const char *expected)
{
    world w = world_of_sql(sql);
    const ds_dataset *output;
    const ds_workspace *workspace = transformer(&w, &output);
    ds_lineage lineage;
    lineage_of_output(w.model, workspace, output, w.arena, &lineage);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    print_lineage(&lineage, &text);
    bool good = strcmp(buf_text(&text), expected) == 0;
    if (!good)
        fprintf(stderr, "%.300s\n  is        \"%s\"\n  should be \"%s\"\n", sql, buf_text(&text), expected);
    world_free(&w);
    return good;
}

static void assert_lineage(const char *sql, const char *expected)
{
    assert_true(is_lineage(sql, expected));
}

typedef struct lineage_case {
    const char *sql, *expected;
} lineage_case;

static void assert_lineages(const lineage_case *cases, size_t n)
{
    bool good = true;
    for (size_t i = 0; i < n; i++)
        good = is_lineage(cases[i].sql, cases[i].expected) && good;
    assert_true(good);
}

#define T "{i.S.t}"
#define U "{i.S.u}"

static void columns_are_followed_through_sql(void **state)
{
    (void)state;
    static const lineage_case CASES[] = {
        // names
        {"SELECT a AS p, b q FROM " T, "p: t.a; q: t.b"},
        {"SELECT t.a AS p, T.B AS Q FROM " T " t", "p: t.a; q: t.b"},
        {"SELECT \"a\" AS \"p\" FROM " T, "p: t.a"},
        {"SELECT a p, 1 q, 'x' r FROM " T, "p: t.a"},
        {"SELECT p, q FROM " T " x(p, q)", "p: t.id; q: t.a"},
        {"SELECT b FROM " T, "note: none of its columns is called \"p\""},
        // expressions
        {"SELECT a + b * 2 AS p, coalesce(c, d) q, lower(a::text) || b r FROM " T,
         "p: t.a t.b; q: t.c t.d; r: t.a t.b"},
        {"SELECT CASE WHEN a > 1 THEN b ELSE c END p, CASE a WHEN 1 THEN 2 END q FROM " T, "p: ~t.a t.b t.c; q: ~t.a"},
        {"SELECT a IS NULL p, a IN (b, 1) q, a BETWEEN b AND c r FROM " T, "p: t.a; q: t.a t.b; r: t.a t.b t.c"},
        {"SELECT count(*) p, sum(a) FILTER (WHERE b > 1) q, string_agg(a::text, ',' ORDER BY c) r FROM " T,
         "q: t.a ~t.b; r: t.a ~t.c"},
        {"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) p FROM " T, "p: t.a"},
        {"SELECT row_number() OVER (PARTITION BY a ORDER BY b) p, sum(c) OVER w q FROM " T
         " WINDOW v AS (ORDER BY b), w AS (PARTITION BY d)",
         "p: ~t.a ~t.b; q: t.c ~t.d"},
        {"SELECT ARRAY[a, b] p, ROW(c) q, (t).d r FROM " T " t", "p: t.a t.b; q: t.c; r: t.d"},
        // what decides the rows
        {"SELECT a p FROM " T " WHERE b > 1 AND c = 2", "p: t.a; rows: ~t.b ~t.c"},
        {"SELECT a p, count(*) q FROM " T " GROUP BY a HAVING max(b) > 1", "p: t.a; rows: ~t.a ~t.b"},
        {"SELECT a + 1 AS p, b q FROM " T " GROUP BY 1, q", "p: t.a; q: t.b; rows: ~t.a ~t.b"},
        {"SELECT a p FROM " T " ORDER BY b", "p: t.a"},
        {"SELECT a p FROM " T " ORDER BY b LIMIT 3", "p: t.a; rows: ~t.b"},
        {"SELECT DISTINCT ON (a) b p FROM " T " ORDER BY a, c", "p: t.b; rows: ~t.a ~t.c"},
        {"SELECT a p FROM " T " WHERE EXISTS (SELECT 1 FROM " U " u WHERE u.x = t.b)", "note: no input has the column "
                                                                                       "\"b\""},
        {"SELECT a p FROM " T " t WHERE EXISTS (SELECT 1 FROM " U " u WHERE u.x = t.b)", "p: t.a; rows: ~t.b ~u.x"},
        {"SELECT a p FROM " T " WHERE b IN (SELECT x FROM " U ")", "p: t.a; rows: ~t.b ~u.x"},
        // several inputs
        {"SELECT a p, x q FROM " T " t JOIN " U " u ON t.id = u.id", "p: t.a; q: u.x; rows: ~t.id ~u.id"},
        {"SELECT id p, x q FROM " T " t JOIN " U " u USING (id)", "p: t.id u.id; q: u.x; rows: ~t.id ~u.id"},
        {"SELECT id p, x q FROM " T " NATURAL LEFT JOIN " U, "p: t.id u.id; q: u.x; rows: ~t.id ~u.id"},
        {"SELECT t.id p, u.id q FROM " T " t, " U " u WHERE t.a = u.x", "p: t.id; q: u.id; rows: ~t.a ~u.x"},
        {"SELECT a p, x q FROM (" T " t JOIN " U " u USING (id)) j", "p: t.a; q: u.x; rows: ~t.id ~u.id"},
        {"SELECT j.k p FROM (" T " t JOIN " U " u USING (id)) AS j(k)", "p: t.id u.id; rows: ~t.id ~u.id"},
        {"SELECT (SELECT max(x) FROM " U " u WHERE u.id = t.id) p FROM " T " t", "p: ~u.id u.x ~t.id"},
        {"SELECT v.m p FROM " T " t, LATERAL (SELECT max(x) AS m FROM " U " u WHERE u.y = t.c) v",
         "p: u.x; rows: ~t.c ~u.y"},
        {"SELECT a.a p, b.b q FROM " T " a JOIN " T " b ON a.id = b.c", "p: t.a; q: t.b; rows: ~t.id ~t.c"},
        {"SELECT a p FROM " T " TABLESAMPLE SYSTEM (10)", "p: t.a"},
        // stars
        {"SELECT * FROM (SELECT a AS p, b AS q, c AS r FROM " T ") s", "p: t.a; q: t.b; r: t.c"},
        {"SELECT s.*, x AS r FROM (SELECT a AS p, b AS q FROM " T ") s, " U, "p: t.a; q: t.b; r: u.x"},
        {"SELECT p, q FROM (SELECT * FROM " T " t JOIN " U " u USING (id)) s(p, q)",
         "p: t.id u.id; q: t.a; rows: ~t.id "
         "~u.id"},
        // queries in queries
        {"WITH s AS (SELECT a AS p FROM " T " WHERE b = 1) SELECT p FROM s", "p: t.a; rows: ~t.b"},
        {"WITH s(p) AS (SELECT a FROM " T "), v AS (SELECT p + 1 AS q FROM s) SELECT s.p, v.q FROM s, v",
         "p: t.a; q: t.a"},
        {"WITH RECURSIVE s(p, q) AS (SELECT a, b FROM " T " UNION ALL SELECT s.q, u.x FROM s JOIN " U
         " u ON u.y = s.p) SELECT * FROM s",
         "p: t.a t.b u.x; q: t.b u.x; rows: ~t.a ~t.b ~u.x ~u.y"},
        {"SELECT a AS p FROM " T " UNION SELECT x FROM " U, "p: t.a u.x; rows: ~t.a ~u.x"},
        {"SELECT a AS p FROM " T " UNION ALL SELECT x FROM " U, "p: t.a u.x"},
        {"SELECT a AS p FROM " T " INTERSECT SELECT x FROM " U, "p: t.a u.x; rows: ~t.a ~u.x"},
        {"SELECT a AS p FROM " T " EXCEPT SELECT x FROM " U, "p: t.a; rows: ~t.a ~u.x"},
        {"(SELECT a AS p, b AS q FROM " T " UNION ALL SELECT x, y FROM " U ") ORDER BY q LIMIT 1",
         "p: t.a u.x; q: t.b u.y; rows: ~t.b ~u.y"},
        {"SELECT p, q FROM (VALUES (1, 2), (3, (SELECT max(a) FROM " T "))) v(p, q)", "q: t.a"},
        {"SELECT g AS p, a AS q FROM " T ", generate_series(1, b) g", "p: t.b; q: t.a; rows: ~t.b"},
        {"SELECT e.value p FROM " T ", jsonb_each(to_jsonb(c)) AS e", "p: t.c; rows: ~t.c"},
        {"SELECT k p FROM " T ", json_to_record(c::json) AS r(k int)", "p: t.c; rows: ~t.c"},
        {"SELECT w.m p FROM " T ", unnest(ARRAY[a], ARRAY[b]) w(m, n)", "p: t.a t.b; rows: ~t.a ~t.b"},
        // what can't be followed
        {"SELEC a FROM " T, "note: PostgreSQL can't parse it: syntax error at or near \"SELEC\""},
        {"SELECT a p FROM " T "; SELECT 1", "note: it is no single SELECT"},
        {"DELETE FROM " T, "note: it is no single SELECT"},
        {"-- nothing", "note: it is no single SELECT"},
        {"SELECT a p FROM other", "note: it reads what is no input: \"other\""},
        {"SELECT a p FROM x." T, "note: it reads what is no input: \"ds_input_1\""},
        {"SELECT a p FROM {i.S.nothing}", "note: it names what is no input"},
        {"SELECT a p FROM {i.S.t", "note: it names what is no input"},
        {"SELECT z p FROM " T, "note: no input has the column \"z\""},
        {"SELECT t.z p FROM " T " t", "note: no input has the column \"z\""},
        {"SELECT z.* FROM " T " t", "note: no input is called \"z\""},
        {"SELECT id p FROM " T " t JOIN " U " u USING (zz)", "note: no input has the column \"zz\""},
        {"SELECT a p FROM " T " GROUP BY zz", "note: no input has the column \"zz\""},
        {"WITH s AS (DELETE FROM x RETURNING *) SELECT a p FROM " T, "note: it holds something else than a SELECT"},
    };
    assert_lineages(CASES, sizeof CASES / sizeof CASES[0]);
}

// What stands in FROM: each is resolved, or there is a note.
static void every_kind_of_from(void **state)
{
    (void)state;
    static const lineage_case CASES[] = {
        // XMLTABLE
        {"SELECT x.p FROM " T ", XMLTABLE('/a' PASSING a COLUMNS p int) x", "p: t.a; rows: ~t.a"},
        {"SELECT x.p, x.q FROM " T
         " t, LATERAL XMLTABLE((t.a::text) PASSING (b::xml) COLUMNS p int PATH 'p' DEFAULT t.c, "
         "q FOR ORDINALITY) x",
         "p: t.a t.b t.c; q: t.a t.b; rows: ~t.a ~t.b"},
        {"SELECT x.* FROM " T ", XMLTABLE('/a' PASSING a COLUMNS z int, q int) x(p)", "p: t.a; q: t.a; rows: ~t.a"},
        {"SELECT p, xmltable.q FROM " T ", XMLTABLE(XMLNAMESPACES('x' AS y), '/a' PASSING a COLUMNS p int, q int)",
         "p: t.a; q: t.a; rows: ~t.a"},
        {"SELECT x.r FROM " T ", XMLTABLE('/a' PASSING a COLUMNS p int) x", "note: no input has the column \"r\""},
        {"SELECT j.p FROM " T ", JSON_TABLE(a, '$' COLUMNS (p int PATH '$')) j",
         "note: PostgreSQL can't parse it: syntax error at or near \"COLUMNS\""},
        // functions
        {"SELECT e.* FROM " T ", jsonb_each(to_jsonb(c)) AS e", "p: t.c; q: t.c; r: t.c; rows: ~t.c"},
        {"SELECT * FROM (SELECT a AS p, e.* FROM " T ", jsonb_each(to_jsonb(c)) AS e) s",
         "p: t.a; q: t.c; r: t.c; rows: ~t.c"},
        {"SELECT s.p, s.other AS q FROM (SELECT a AS p, e.* FROM " T ", jsonb_each(to_jsonb(c)) AS e) s",
         "p: t.a; q: t.c; rows: ~t.c"},
        {"SELECT * FROM " T " t, generate_series(1, b) AS p", "p: t.b; q: t.b; r: t.b; rows: ~t.b"},
        {"SELECT x.p, x.q FROM " T
         ", ROWS FROM (generate_series(1, a), unnest(ARRAY[b])) WITH ORDINALITY AS x(p, q, n)",
         "p: t.a t.b; q: t.a t.b; rows: ~t.a ~t.b"},
        {"SELECT x.k AS p FROM " T ", ROWS FROM (json_to_record(c::json) AS (k int)) x", "p: t.c; rows: ~t.c"},
        {"SELECT p, q FROM (SELECT e.*, a FROM " T ", jsonb_each(to_jsonb(c)) e) s(p, q)",
         "note: a function's columns are taken by their places: name them, as in AS f(a, b)"},
        {"WITH s(p) AS (SELECT * FROM " T ", jsonb_each(to_jsonb(c)) e) SELECT p FROM s",
         "note: a function's columns are taken by their places: name them, as in AS f(a, b)"},
        {"SELECT a AS p FROM " T " UNION ALL SELECT e.* FROM " T ", jsonb_each(to_jsonb(c)) e",
         "note: a function's columns are taken by their places: name them, as in AS f(a, b)"},
        {"SELECT a AS p FROM " T " NATURAL JOIN jsonb_each('[]') e",
         "note: a NATURAL JOIN with a function isn't followed"},
        // Columns of a function that nobody names, beside what is outside.
        {"SELECT (SELECT max(e.key) FROM jsonb_each(to_jsonb(t.c)) e WHERE b = 1) AS p FROM " T " t", "p: ~t.b t.c"},
        {"SELECT a AS p FROM " T ", jsonb_each(to_jsonb(c)) e GROUP BY p", "p: t.a; rows: ~t.a ~t.c"},
        // LATERAL, and what is not
        {"SELECT v.p FROM " T " t LEFT JOIN LATERAL (SELECT u.x + t.b AS p FROM " U " u) v ON true", "p: t.b u.x"},
        {"SELECT v.p FROM " T " t, LATERAL (SELECT u.x + b AS p FROM " U " u) v", "p: t.b u.x"},
        {"SELECT v.p FROM " T " t, (SELECT u.x + t.b AS p FROM " U " u) v", "note: no input has the column \"b\""},
        {"SELECT (SELECT v.k FROM " U " t, (SELECT t.a AS k) v) AS p FROM " T " t", "p: t.a"},
        {"SELECT (SELECT v.k FROM " U " t JOIN (SELECT t.a AS k) v ON true) AS p FROM " T " t", "p: t.a"},
        {"WITH w AS (SELECT a AS p FROM " T ") SELECT v.p FROM " U " u, (SELECT p FROM w) v", "p: t.a"},
        {"WITH w AS (SELECT a AS p FROM " T ") SELECT v.p FROM " U " u JOIN (SELECT p FROM w) v ON true", "p: t.a"},
        // VALUES
        {"SELECT v.column1 AS p FROM " T " t, LATERAL (VALUES (t.a, 1), (t.b, 2)) v", "p: t.a t.b"},
        {"SELECT v.* FROM " T " t, LATERAL (VALUES (t.a, t.b)) v(p, q)", "p: t.a; q: t.b"},
        {"VALUES (1, 2)", "note: none of its columns is called \"p\""},
        // recursive queries
        {"WITH RECURSIVE s AS (SELECT a AS p, b AS q FROM " T " UNION SELECT q, p FROM s) SELECT p FROM s",
         "p: t.a t.b; rows: ~t.a ~t.b"},
        {"WITH RECURSIVE s(p) AS (SELECT a FROM " T " UNION ALL SELECT p + 1 FROM s WHERE p < (SELECT max(x) FROM " U
         ")) SELECT p FROM s",
         "p: t.a; rows: ~t.a ~u.x"},
        {"WITH RECURSIVE s(p) AS (SELECT a FROM " T " UNION ALL SELECT p FROM s) SEARCH DEPTH FIRST BY p SET q "
         "SELECT * FROM s",
         "note: SEARCH and CYCLE aren't followed"},
        {"WITH RECURSIVE s(p) AS (SELECT a FROM " T " UNION ALL SELECT p FROM s) CYCLE p SET q USING r SELECT * FROM s",
         "note: SEARCH and CYCLE aren't followed"},
        {"WITH v AS (SELECT p FROM w), w AS (SELECT a AS p FROM " T ") SELECT p FROM v",
         "note: it reads what is no input: \"w\""},
        // UNION and its like within
        {"SELECT s.p FROM (SELECT a AS p FROM " T " UNION ALL SELECT x FROM " U ") s WHERE s.p > 1",
         "p: t.a u.x; rows: ~t.a ~u.x"},
        {"SELECT count(*) AS p FROM (SELECT a FROM " T " UNION SELECT x FROM " U ") s", "rows: ~t.a ~u.x"},
        {"SELECT count(*) AS p FROM (SELECT a FROM " T " UNION ALL SELECT x FROM " U ") s", ""},
        {"SELECT count(*) AS p FROM (SELECT DISTINCT a FROM " T ") s", "rows: ~t.a"},
        {"SELECT count(*) AS p FROM (SELECT a FROM " T " INTERSECT ALL SELECT x FROM " U ") s", "rows: ~t.a ~u.x"},
        // USING
        {"SELECT * FROM (SELECT id AS p, a AS q FROM " T ") x JOIN (SELECT id AS p, x AS r FROM " U ") y USING (p)",
         "p: t.id u.id; q: t.a; r: u.x; rows: ~t.id ~u.id"},
        {"SELECT x.*, y.r FROM (SELECT id AS p, a AS q FROM " T ") x JOIN (SELECT id AS p, x AS r FROM " U
         ") y USING (p)",
         "p: t.id; q: t.a; r: u.x; rows: ~t.id ~u.id"},
        {"SELECT m.id AS p, t.a AS q FROM " T " t JOIN " U " u USING (id) AS m",
         "p: t.id u.id; q: t.a; rows: ~t.id ~u.id"},
        {"SELECT id AS p FROM " T " JOIN " U " USING (id) JOIN (SELECT d AS id FROM " T ") v USING (id)",
         "p: t.id t.d u.id; rows: ~t.id ~t.d ~u.id"},
        // whole rows
        {"SELECT t AS p FROM " T " t", "p: t.id t.a t.b t.c t.d"},
        {"SELECT to_jsonb(t) - 'x' AS p FROM " T " t", "p: t.id t.a t.b t.c t.d"},
        {"SELECT (t).a AS p, (u).x AS q FROM " T " t, " U " u", "p: t.a; q: u.x"},
        {"SELECT (s).* FROM (SELECT a AS p, b AS q FROM " T ") s", "p: t.a; q: t.b"},
        {"SELECT count(s.*) AS p FROM (SELECT a, b FROM " T ") s", "p: t.a t.b"},
        {"SELECT (jsonb_each(to_jsonb(c))).* FROM " T, "note: it makes columns of a value: (...).*"},
        {"SELECT (a).x.* FROM " T, "note: it makes columns of a value: (...).*"},
        // * after names that were given
        {"SELECT * FROM " T " AS s(p, q, r)", "p: t.id; q: t.a; r: t.b"},
        {"SELECT * FROM (" T " t JOIN " U " u USING (id)) AS j(p, q, r)",
         "p: t.id u.id; q: t.a; r: t.b; rows: ~t.id ~u.id"},
        {"SELECT j.* FROM (SELECT * FROM " U " u(p, q, r)) j", "p: u.id; q: u.x; r: u.y"},
        {"TABLE " T, "note: none of its columns is called \"p\""},
    };
    assert_lineages(CASES, sizeof CASES / sizeof CASES[0]);
}

// The names of columns without AS are PostgreSQL's; and whose names ORDER BY and GROUP BY go by.
static void names_are_those_of_postgresql(void **state)
{
    (void)state;
    static const lineage_case CASES[] = {
        {"SELECT x.p FROM (SELECT (SELECT max(x) AS p FROM " U ") FROM " T ") x", "p: u.x"},
        {"SELECT (SELECT max(x) AS p FROM " U ")", "p: u.x"},
        {"SELECT (SELECT x AS p FROM " U " UNION SELECT a FROM " T ")", "p: u.x t.a"},
        {"SELECT CASE WHEN a > 1 THEN b ELSE p END FROM (SELECT a, b, c AS p FROM " T ") s", "p: ~t.a t.b t.c"},
        {"SELECT s.\"case\" AS p FROM (SELECT CASE WHEN a > 1 THEN b END FROM " T ") s", "p: ~t.a t.b"},
        {"SELECT s.greatest AS p, s.nullif q, s.\"array\" r FROM (SELECT greatest(a, b), nullif(c, d), ARRAY[a] FROM " T
         ") s",
         "p: t.a t.b; q: t.c t.d; r: t.a"},
        {"SELECT s.\"exists\" AS p, s.int4 q, s.\"row\" r FROM (SELECT EXISTS (SELECT x FROM " U
         "), (a + 1)::int, ROW(b) FROM " T ") s",
         "p: ~u.x; q: t.a; r: t.b"},
        {"SELECT s.timezone AS p, s.p q FROM (SELECT a AT TIME ZONE 'UTC', p COLLATE \"C\" FROM (SELECT a, b AS p FROM " T
         ") v) s",
         "p: t.a; q: t.b"},
        {"SELECT a + 1 FROM " T, "note: none of its columns is called \"p\""},
        {"SELECT (SELECT * FROM (SELECT x AS p FROM " U ") v)", "note: none of its columns is called \"p\""},
        {"SELECT a AS b, c AS p FROM " T " GROUP BY b, 2", "note: none of its columns is called \"q\""},
        {"SELECT p FROM (SELECT a AS b, c AS p FROM " T " ORDER BY b LIMIT 1) s", "p: t.c; rows: ~t.a"},
        {"SELECT p FROM (SELECT a AS b, c AS p FROM " T " GROUP BY b, 2) s", "p: t.c; rows: ~t.b ~t.c"},
        {"SELECT p FROM (SELECT DISTINCT ON (b) a AS b, c AS p FROM " T ") s", "p: t.c; rows: ~t.a"},
        {"SELECT p FROM (SELECT DISTINCT ON (1) a AS b, c AS p FROM " T ") s", "p: t.c; rows: ~t.a"},
        {"SELECT a AS p, count(*) AS q FROM " T " GROUP BY ROLLUP (1, (c, d))", "p: t.a; rows: ~t.a ~t.c ~t.d"},
        {"SELECT a + b AS p FROM " T " GROUP BY GROUPING SETS ((p), ())", "p: t.a t.b; rows: ~t.a ~t.b"},
        {"SELECT sum(a) OVER w AS p, sum(b) OVER (v ORDER BY id) AS q FROM " T
         " WINDOW v AS (PARTITION BY c), w AS (v ORDER BY d)",
         "p: t.a ~t.c ~t.d; q: ~t.id t.b ~t.c"},
    };
    assert_lineages(CASES, sizeof CASES / sizeof CASES[0]);
}

// before, middle n times, after.
static void assert_repeated(const char *before, const char *middle, size_t n, const char *after, const char *expected)
{
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 20);
    buf_puts(&sql, before);
    for (size_t i = 0; i < n; i++)
        buf_puts(&sql, middle);
    buf_puts(&sql, after);
    assert_lineage(buf_text(&sql), expected);
}

static void hostile_sql_gets_a_note(void **state)
{
    (void)state;
    static const char DEEP[] = "note: it is nested too deeply";
    static const char TIRED[] = "note: PostgreSQL can't parse it: memory exhausted at or near \"(\"";
    assert_repeated("SELECT ", "(", 10000, "a", TIRED);
    assert_repeated("SELECT ", "(", 3000, "", "note: PostgreSQL can't parse it: syntax error at end of input");
    assert_repeated("SELECT a", "+a", 600, " AS p FROM " T, "p: t.a");
    assert_repeated("SELECT a", "+a", 30000, " AS p FROM " T, DEEP);
    assert_repeated("SELECT a", "::int", 12000, " AS p FROM " T, DEEP);
    assert_repeated("SELECT ", "NOT ", 9000, "a AS p FROM " T, DEEP);
    assert_repeated("SELECT ", "-+", 4000, "a AS p FROM " T, DEEP);
    assert_repeated("SELECT a AS p FROM " T, " CROSS JOIN (SELECT 1) x", 2500, "", DEEP);
    assert_repeated("SELECT 1 AS p", " UNION SELECT 1", 4000, "", DEEP);
    assert_repeated("SELECT a AS p FROM " T " WHERE a = 1", " AND b = 1", 5000, "", "p: t.a; rows: ~t.a ~t.b");
    assert_repeated("SELECT a AS p FROM " T " WHERE a IN (1", ",1", 30000, ")", "p: t.a; rows: ~t.a");
    assert_repeated("SELECT a AS p FROM " T " -- ", "x", LINEAGE_SQL_MAX, "", "note: it is too long to be followed");
}

// Each query doubles the columns of the one before, or the work.
static void what_grows_without_end_gets_a_note(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(1 << 20);
    buf_puts(&sql, "WITH c0 AS (SELECT * FROM " T ")");
    for (int i = 1; i < 40; i++)
        buf_printf(&sql, ", c%d AS (SELECT x.*, y.* FROM c%d x, c%d y)", i, i - 1, i - 1);
    buf_puts(&sql, " SELECT 1 AS p FROM c39");
    assert_lineage(buf_text(&sql), "note: it is too large to be followed");

    buf_clear(&sql);
    for (int i = 0; i < 40; i++)
        buf_printf(&sql, "WITH RECURSIVE c%d(p, q) AS (SELECT a, b FROM " T " UNION SELECT q, p FROM (", i);
    buf_puts(&sql, "SELECT a AS p, b AS q FROM " T);
    for (int i = 40; i-- > 0;)
        buf_printf(&sql, ") x, c%d) SELECT * FROM c%d", i, i);
    world w = world_of_sql(buf_text(&sql));
    const ds_dataset *output;
    const ds_workspace *workspace = transformer(&w, &output);
    ds_lineage lineage;
    lineage_of_output(w.model, workspace, output, w.arena, &lineage); // comes back, whatever it says
    world_free(&w);
}

static void dialects_and_commands(void **state)
{
    (void)state;
    static const struct {
        const char *run, *expected;
        size_t inputs;
    } CASES[] = {
        {"    sql: {o: {sqlite: \"SELECT a AS p FROM {i.S.t}\"}}\n", "p: t.a", 1},
        {"    sql: {o: {sqlite: \"SELECT 1\", postgres: \"SELECT b AS p FROM {i.S.t}\"}}\n", "p: t.b", 1},
        {"    sql: {o: {sqlite: \"SELECT a GLOB 'x' AS p FROM {i.S.t}\"}}\n",
         "note: PostgreSQL can't parse it: syntax error at or near \"'x'\"", 1},
        {"    command: {exec: [./mask]}\n", "note: a command makes it", 2},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf yaml = BUF_INIT(1 << 16), text = BUF_INIT(1 << 16);
        buf_puts(&yaml, STORE WORKSPACE);
        buf_puts(&yaml, CASES[i].run);
        world w = world_new(buf_text(&yaml));
        const ds_dataset *output;
        const ds_workspace *workspace = transformer(&w, &output);
        ds_lineage lineage;
        lineage_of_output(w.model, workspace, output, w.arena, &lineage);
        print_lineage(&lineage, &text);
        assert_string_equal(buf_text(&text), CASES[i].expected);
        assert_int_equal(lineage.input_count, CASES[i].inputs);
        world_free(&w);
    }
}

// --- the trace

#define CONSUMERS                                                                                                      \
    "---\nkind: Workspace\nteam: Z/t\nname: R\ndataset_groups: {live: {sinks: [O/o, S/u]}}\n"                          \
    "---\nkind: Workspace\nteam: Z/t\nname: V\ndataset_groups: {i: {sinks: [O/o, V/v]}}\ntransformer:\n  name: v\n"    \
    "  output: {datastore: V, datasets: {v: {columns: {m: integer primary key, n: integer}}}}\n"                       \
    "  run: {sql: {v: \"SELECT p AS m, 1 AS n FROM {i.O.o} WHERE q = 1 AND p NOT IN (SELECT m FROM {i.V.v})\"}}\n"
#define SERVICE                                                                                                        \
    "---\nkind: PlatformService\nname: Y\nmerge: {container: M}\ncontainers: {M: {type: sqlite, path: m.db}}\n"        \
    "platforms: {Live: {type: yellow, milestoning: scd1}}\n"                                                           \
    "assignments:\n  - {group: R/live, platforms: [{platform: Live, status: provisioned}]}\n"
#define WHOLE(run) STORE WORKSPACE run CONSUMERS SERVICE
#define RUN_SQL "    sql: {o: \"SELECT a AS p, b AS q, 1 AS r FROM {i.S.t} t JOIN {i.S.u} u ON t.c = u.y\"}\n"

static ds_rc trace_of(world *w, const char *path, ds_trace *out, ds_error *err)
{
    const ds_platform_type *const types[] = {yellow_platform_type()};
    ds_roots roots = assign_roots(w->model, (ds_platform_types){types, 1}, w->arena);
    return graph_trace(w->model, graph_build(w->model, roots, w->arena), path, w->arena, out, err);
}

static void assert_trace(const char *yaml, const char *path, const char *expected)
{
    world w = world_new(yaml);
    ds_trace trace;
    ds_error err;
    assert_int_equal(trace_of(&w, path, &trace, &err).code, DS_OK);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    trace_render_text(&trace, &text);
    assert_string_equal(buf_text(&text), expected);
    world_free(&w);
}

static void datasets_are_traced(void **state)
{
    (void)state;
    assert_trace(WHOLE(RUN_SQL), "S/u",
                 "comes from\n"
                 "  Source/C/s.U -> Ingest/Live/S\n"
                 "  Ingest/Live/S -> Dataset/S/u\n"
                 "goes to\n"
                 "  Dataset/S/u -> Transformer/W\n"
                 "  Transformer/W -> Ingest/Live/O\n"
                 "  Ingest/Live/O -> Dataset/O/o\n"
                 "  Dataset/S/u -> Group/R/live\n"
                 "  Dataset/O/o -> Group/R/live\n"
                 "  Dataset/O/o -> Transformer/V\n"
                 "  Transformer/V -> Dataset/V/v\n"
                 "  Dataset/V/v -> Transformer/V\n");
    // An input that the SQL doesn't name isn't read.
    assert_trace(WHOLE("    sql: {o: \"SELECT a AS p FROM {i.S.t}\"}\n"), "S/u",
                 "comes from\n"
                 "  Source/C/s.U -> Ingest/Live/S\n"
                 "  Ingest/Live/S -> Dataset/S/u\n"
                 "goes to\n"
                 "  Dataset/S/u -> Group/R/live\n");
}

static void columns_are_traced(void **state)
{
    (void)state;
    assert_trace(WHOLE(RUN_SQL), "S/t/b",
                 "comes from\n"
                 "  Source/C/t/b -> Column/S/t/b\n"
                 "goes to\n"
                 "  Column/S/t/b -> Column/O/o/q (value, by W)\n"
                 "  Column/O/o/q -> Group/R/live\n"
                 "  Column/O/o/q -> Dataset/V/v (indirect, by V)\n"
                 "  Dataset/V/v -> Dataset/V/v (indirect, by V)\n");
    assert_trace(WHOLE(RUN_SQL), "O/o/p",
                 "comes from\n"
                 "  Column/S/t/a -> Column/O/o/p (value, by W)\n"
                 "  Dataset/O/o -> Column/O/o/p (indirect)\n"
                 "  Source/C/t/a -> Column/S/t/a\n"
                 "  Column/S/t/c -> Dataset/O/o (indirect, by W)\n"
                 "  Column/S/u/y -> Dataset/O/o (indirect, by W)\n"
                 "  Source/C/t/c -> Column/S/t/c\n"
                 "  Source/C/s.U/Y -> Column/S/u/y\n"
                 "goes to\n"
                 "  Column/O/o/p -> Group/R/live\n"
                 "  Column/O/o/p -> Column/V/v/m (value, by V)\n"
                 "  Column/O/o/p -> Dataset/V/v (indirect, by V)\n"
                 "  Column/V/v/m -> Dataset/V/v (indirect, by V)\n"
                 "  Dataset/V/v -> Dataset/V/v (indirect, by V)\n");
    assert_trace(WHOLE("    command: {exec: [x]}\n"), "S/u/x",
                 "comes from\n"
                 "  Source/C/s.U/x -> Column/S/u/x\n"
                 "goes to\n"
                 "  Column/S/u/x -> Dataset/O/o (unknown, by W)\n"
                 "  Column/S/u/x -> Group/R/live\n"
                 "  Dataset/O/o -> Group/R/live\n"
                 "  Dataset/O/o -> Dataset/V/v (indirect, by V)\n"
                 "  Dataset/V/v -> Dataset/V/v (indirect, by V)\n"
                 "note: O/o: columns are unknown (workspace W): a command makes it\n");
    assert_trace(WHOLE("    command: {exec: [x]}\n"), "O/o/r",
                 "comes from\n"
                 "  Dataset/S/t -> Column/O/o/r (unknown, by W)\n"
                 "  Dataset/S/u -> Column/O/o/r (unknown, by W)\n"
                 "  Source/C/t -> Dataset/S/t\n"
                 "  Source/C/s.U -> Dataset/S/u\n"
                 "goes to\n"
                 "  Column/O/o/r -> Group/R/live\n"
                 "note: O/o: columns are unknown (workspace W): a command makes it\n");
}

static void unknown_names(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *hint;
    } CASES[] = {
        {"X", "no datastore \"X\" in the model", NULL},
        {"S/tt", "no dataset \"S/tt\" in the model", "did you mean \"S/t\"?"},
        {"S/completely_else", "no dataset \"S/completely_else\" in the model",
         "write STORE, STORE/DATASET or STORE/DATASET/COLUMN"},
        {"S/t/idd", "no column \"S/t/idd\" in the model", "did you mean \"S/t/id\"?"},
        {"S/t/id/x", "no column \"S/t/id/x\" in the model", NULL},
        {"", "no datastore \"\" in the model", NULL},
        {"S//a", "no dataset \"S/\" in the model", NULL},
    };
    world w = world_new(WHOLE(RUN_SQL));
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ds_trace trace;
        ds_error err = {0};
        assert_int_equal(trace_of(&w, CASES[i].path, &trace, &err).code, DS_USAGE);
        assert_string_equal(err.text, CASES[i].text);
        if (CASES[i].hint)
            assert_string_equal(err.hint, CASES[i].hint);
    }
    world_free(&w);
}

static void traces_are_rendered(void **state)
{
    (void)state;
    world w = world_new(WHOLE(RUN_SQL));
    ds_trace trace;
    ds_error err;
    assert_int_equal(trace_of(&w, "O/o/q", &trace, &err).code, DS_OK);
    static const struct {
        void (*render)(const ds_trace *trace, ds_buf *out);
        const char *lines[4];
    } CASES[] = {
        {trace_render_mermaid, {"flowchart LR\n", "    n0[\"Column/O/o/q\"]\n", "    n1 --> n0\n", "    n2 -.-> n0\n"}},
        {trace_render_dot,
         {"digraph lineage {\n", "    \"Source/C/t/b\" [shape=folder];\n",
          "    \"Column/S/t/b\" -> \"Column/O/o/q\";\n", "    \"Dataset/O/o\" -> \"Column/O/o/q\" [style=dashed];\n"}},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
        CASES[i].render(&trace, &text);
        for (size_t k = 0; k < 4; k++)
            if (!strstr(buf_text(&text), CASES[i].lines[k]))
                fail_msg("no %s in\n%s", CASES[i].lines[k], buf_text(&text));
    }
    json_t *json = trace_render_json(&trace);
    const json_t *edge = json_array_get(json_object_get(json, "edges"), 0);
    assert_string_equal(json_string_value(json_object_get(edge, "from")), "Column/S/t/b");
    assert_string_equal(json_string_value(json_object_get(edge, "how")), "value");
    assert_string_equal(json_string_value(json_object_get(edge, "through")), "W");
    assert_int_equal(json_array_size(json_object_get(json, "nodes")), trace.node_count);
    json_decref(json);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_followed_through_sql),
        cmocka_unit_test(every_kind_of_from),
        cmocka_unit_test(names_are_those_of_postgresql),
        cmocka_unit_test(hostile_sql_gets_a_note),
        cmocka_unit_test(what_grows_without_end_gets_a_note),
        cmocka_unit_test(dialects_and_commands),
        cmocka_unit_test(datasets_are_traced),
        cmocka_unit_test(columns_are_traced),
        cmocka_unit_test(unknown_names),
        cmocka_unit_test(traces_are_rendered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
