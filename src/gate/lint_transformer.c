// Transformers: one SELECT per output, inputs that exist, and no circle without a clock.
#include "gate/lint_int.h"
#include "graph/placeholder.h"

static void check_groups(lint *l, const ds_workspace *workspace)
{
    for (size_t i = 0; i < workspace->groups.n; i++) {
        const ds_group *group = &workspace->groups.v[i];
        if (!group->requires_.pos.file)
            continue;
        lint_add(l, LINT_TRANSFORMER_REQUIRES, group->requires_.pos, lint_path(l, workspace->name.s, group->name),
                 "group \"%s\" feeds a transformer and has \"requires\"", group->name);
        diag_hint(l->diags, "leave it out: the transformer runs wherever its output is needed");
    }
}

static const ds_sql_text *find_sql(const ds_transformer *transformer, const char *dataset)
{
    for (size_t i = 0; i < transformer->sql.n; i++)
        if (transformer->sql.v[i].dataset && strcmp(transformer->sql.v[i].dataset, dataset) == 0)
            return &transformer->sql.v[i];
    return NULL;
}

static void check_outputs(lint *l, const ds_workspace *workspace)
{
    const ds_transformer *t = &workspace->transformer;
    for (size_t i = 0; i < t->output->datasets.n; i++) {
        const ds_dataset *dataset = &t->output->datasets.v[i];
        if (find_sql(t, dataset->name))
            continue;
        lint_add(l, LINT_TRANSFORMER_SQL, dataset->pos, lint_path(l, t->output->name.s, dataset->name),
                 "no sql makes output dataset \"%s\"", dataset->name);
        lint_hint_at(l, "sql stands", t->run_pos);
    }
    for (size_t i = 0; i < t->sql.n; i++) {
        const char *name = t->sql.v[i].dataset;
        if (!name || datastore_dataset(t->output, name))
            continue;
        lint_add(l, LINT_TRANSFORMER_SQL, t->sql.v[i].pos, lint_text(workspace->name.s),
                 "sql makes \"%s\", which is no dataset of the output", name);
    }
}

static void check_text(lint *l, const ds_workspace *workspace, const ds_sql_text *sql, ds_text text)
{
    const char *object = lint_path(l, workspace->name.s, sql->dataset), *at = text.s;
    ds_piece piece;
    while (at && placeholder_next(&at, &piece)) {
        if (piece.kind == PIECE_BAD) {
            lint_add(l, LINT_PLACEHOLDER, text.pos, object, "a brace without its partner at \"%.*s\"",
                     STR_ARGS(piece.text));
            diag_hint(l->diags, "write {GROUP.STORE.DATASET} for an input; {{ and }} are braces");
        } else if (piece.kind == PIECE_INPUT && !placeholder_sink(workspace, &piece)) {
            lint_add(l, LINT_PLACEHOLDER, text.pos, object, "\"{%.*s}\" is no input of workspace \"%s\"",
                     STR_ARGS(piece.text), lint_text(workspace->name.s));
            diag_hint(l->diags, "write {GROUP.STORE.DATASET} of one of its sinks");
        }
    }
}

static void check_sql(lint *l, const ds_workspace *workspace)
{
    const ds_transformer *t = &workspace->transformer;
    if (t->output && t->sql.n)
        check_outputs(l, workspace);
    for (size_t i = 0; i < t->sql.n; i++) {
        check_text(l, workspace, &t->sql.v[i], t->sql.v[i].any);
        check_text(l, workspace, &t->sql.v[i], t->sql.v[i].postgres);
        check_text(l, workspace, &t->sql.v[i], t->sql.v[i].sqlite);
    }
}

// Those who use the output ask it, not the workspace behind it.
static void check_production(lint *l, const ds_workspace *workspace)
{
    const ds_datastore *output = workspace->transformer.output;
    if (!output || !output->name.s || workspace->production.v == output->production.v)
        return;
    lint_add(l, LINT_OUTPUT_PRODUCTION, output->production.set ? output->production.pos : output->name.pos,
             output->name.s,
             output->production.v ? "output \"%s\" is production, and workspace \"%s\", which makes it, is not"
                                  : "output \"%s\" is not production, and workspace \"%s\", which makes it, is",
             output->name.s, lint_text(workspace->name.s));
}

static void check_circle(lint *l, const ds_workspace *workspace, const bool *circles)
{
    const ds_datastore *output = workspace->transformer.output;
    const ds_datastore *found = output && output->name.s ? model_datastore(l->model, output->name.s) : NULL;
    if (!workspace->name.s || !found || found != output || !circles[lint_store_number(l, output)])
        return;
    lint_add(l, LINT_CYCLE, workspace->transformer.pos, workspace->name.s,
             "the transformer of \"%s\" waits for its own output, by way of others", workspace->name.s);
    diag_hint(l->diags, "give one transformer of the circle a trigger with a cron line");
}

void lint_transformers(lint *l)
{
    const bool *circles = lint_flow_circles(l);
    for (size_t i = 0; i < l->model->workspaces.n; i++) {
        const ds_workspace *workspace = l->model->workspaces.v[i];
        if (!workspace->transformer.pos.file)
            continue;
        if (workspace->transformer.trigger.pos.file)
            lint_trigger(l, &workspace->transformer.trigger, lint_text(workspace->name.s));
        check_groups(l, workspace);
        check_sql(l, workspace);
        check_production(l, workspace);
        check_circle(l, workspace, circles);
    }
}
