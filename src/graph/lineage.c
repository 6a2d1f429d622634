#include "graph/lineage.h"

#include "graph/lineage_int.h"
#include "graph/placeholder.h"
#include "model/lookup.h"

typedef struct reader {
    const ds_model *model;
    const ds_workspace *workspace;
    ds_arena *arena;
    VEC(ds_lineage_input) inputs;
    ds_buf sql; // with names in the place of inputs
} reader;

// The dataset's place among the inputs, from 0.
static size_t add_input(reader *r, const ds_datastore *store, const ds_dataset *dataset)
{
    for (size_t i = 0; i < r->inputs.n; i++)
        if (r->inputs.v[i].dataset == dataset)
            return i;
    *VEC_PUSH(r->arena, &r->inputs) = (ds_lineage_input){store, dataset};
    return r->inputs.n - 1;
}

// False when the sink names nothing that exists.
static bool add_sink(reader *r, const ds_sink *sink, size_t *out)
{
    const ds_datastore *store = sink && sink->store ? model_datastore(r->model, sink->store) : NULL;
    const ds_dataset *dataset = store && sink->dataset ? datastore_dataset(store, sink->dataset) : NULL;
    if (dataset)
        *out = add_input(r, store, dataset);
    return dataset != NULL;
}

static void add_all_sinks(reader *r)
{
    size_t ignored;
    for (size_t i = 0; i < r->workspace->groups.n; i++)
        for (size_t k = 0; k < r->workspace->groups.v[i].sinks.n; k++)
            (void)add_sink(r, &r->workspace->groups.v[i].sinks.v[k], &ignored);
}

#define INPUT_NAME "ds_input_%zu"

// Fills inputs and sql; a problem or NULL.
static const char *expand(reader *r, const char *text)
{
    ds_piece piece;
    while (placeholder_next(&text, &piece)) {
        size_t input = 0;
        if (piece.kind == PIECE_TEXT)
            buf_put_str(&r->sql, piece.text);
        else if (piece.kind == PIECE_INPUT && add_sink(r, placeholder_sink(r->workspace, &piece), &input))
            buf_printf(&r->sql, INPUT_NAME, input + 1);
        else
            return "it names what is no input";
    }
    return buf_ok(&r->sql) ? NULL : "it is too long to be followed";
}

// --- between inputs and sets

// A relation for each input, each column of which is one bit.
static void name_inputs(const reader *r, lineage_walk *w)
{
    lineage_relation *relations = ARENA_ARRAY(r->arena, lineage_relation, r->inputs.n);
    size_t bits = 0;
    for (size_t i = 0; i < r->inputs.n; i++)
        bits += r->inputs.v[i].dataset->columns.n;
    w->words = (bits + 63) / 64;
    for (size_t i = 0, bit = 0; i < r->inputs.n; i++) {
        relations[i].name = arena_printf(r->arena, INPUT_NAME, i + 1);
        for (size_t k = 0; k < r->inputs.v[i].dataset->columns.n; k++, bit++) {
            lineage_set set = lineage_set_new(w);
            if (set)
                set[bit / 64] |= UINT64_C(1) << bit % 64;
            lineage_column_add(w, &relations[i].columns, r->inputs.v[i].dataset->columns.v[k].name, set);
        }
    }
    w->inputs = relations;
    w->input_count = r->inputs.n;
}

typedef VEC(ds_lineage_edge) edge_list;

// The columns in a set as edges to one column of the output, or to its rows.
static void add_edges(const reader *r, const lineage_walk *w, lineage_set set, const ds_column *to, edge_list *out)
{
    size_t bit = 0;
    for (size_t i = 0; set && i < r->inputs.n; i++)
        for (size_t k = 0; k < r->inputs.v[i].dataset->columns.n; k++, bit++) {
            uint64_t mask = UINT64_C(1) << bit % 64;
            bool value = to && set[bit / 64] & mask;
            if (value || (set[w->words + bit / 64] & mask))
                *VEC_PUSH(r->arena, out) = (ds_lineage_edge){i, &r->inputs.v[i].dataset->columns.v[k], to,
                                                             value ? INFLUENCE_VALUE : INFLUENCE_INDIRECT};
        }
}

static const lineage_column *column_called(const lineage_columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->n; i++)
        if (str_eq_nocase(str_of(columns->v[i].name), str_of(name)))
            return &columns->v[i];
    return NULL;
}

static bool has_column(const ds_dataset *output, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < output->columns.n; i++)
        found |= str_eq_nocase(str_of(output->columns.v[i].name), str_of(name));
    return found;
}

// Has the query a column that is no column of the output, while one of these is missing? Then its name was not
// understood, or the query is wrong.
static void check_names(lineage_walk *w, const ds_dataset *output, const lineage_columns *columns)
{
    const char *missing = NULL;
    for (size_t i = w->problem ? 0 : output->columns.n; i-- > 0;)
        if (!column_called(columns, output->columns.v[i].name))
            missing = output->columns.v[i].name;
    for (size_t i = 0; missing && !columns->open && i < columns->n; i++)
        if (!has_column(output, columns->v[i].name))
            lineage_fail(w, "none of its columns is called", missing);
}

static void add_output(const reader *r, lineage_walk *w, const lineage_columns *columns, const ds_column *to,
                       edge_list *out)
{
    bool found = false;
    for (size_t i = 0; i < columns->n; i++)
        if (str_eq_nocase(str_of(columns->v[i].name), str_of(to->name))) {
            add_edges(r, w, columns->v[i].set, to, out);
            found = true;
        }
    if (!found)
        add_edges(r, w, columns->any, to, out);
}

static const char *follow(reader *r, const ds_dataset *output, edge_list *out)
{
    const char *problem = NULL;
    json_t *select = lineage_parse(buf_text(&r->sql), r->arena, &problem);
    if (!select)
        return problem;
    lineage_walk w = {.arena = r->arena, .budget_bytes = LINEAGE_BUDGET_BYTES, .steps = LINEAGE_STEPS};
    name_inputs(r, &w);
    lineage_set rows = NULL;
    lineage_columns columns = lineage_query(&w, select, NULL, &rows);
    check_names(&w, output, &columns);
    for (size_t i = 0; !w.problem && i < output->columns.n; i++)
        add_output(r, &w, &columns, &output->columns.v[i], out);
    if (!w.problem)
        add_edges(r, &w, rows, NULL, out);
    json_decref(select);
    return w.problem;
}

// --- the text

// The text that PostgreSQL would get, or any other, for that is likely to be read, too.
static const char *text_of(const ds_workspace *workspace, const char *output)
{
    for (size_t i = 0; i < workspace->transformer.sql.n; i++) {
        const ds_sql_text *sql = &workspace->transformer.sql.v[i];
        if (strcmp(sql->dataset, output) == 0)
            return sql->any.s ? sql->any.s : sql->postgres.s ? sql->postgres.s : sql->sqlite.s;
    }
    return NULL;
}

void lineage_of_output(const ds_model *model, const ds_workspace *workspace, const ds_dataset *output, ds_arena *arena,
                       ds_lineage *out)
{
    reader r = {.model = model, .workspace = workspace, .arena = arena, .sql = BUF_INIT(LINEAGE_SQL_MAX)};
    edge_list edges = {0};
    const char *text = text_of(workspace, output->name);
    const char *note = text ? expand(&r, text) : "a command makes it";
    if (note) // nobody knows which
        add_all_sinks(&r);
    else
        note = follow(&r, output, &edges);
    buf_release(&r.sql);
    *out = (ds_lineage){.inputs = r.inputs.v, .input_count = r.inputs.n, .note = note};
    if (note)
        return;
    out->edges = edges.v;
    out->edge_count = edges.n;
}
