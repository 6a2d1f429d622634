// Transformers: one SELECT per output, inputs that exist, and no circle without a clock.
#include "base/vec.h"
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

// --- cycles

typedef VEC(const ds_workspace *) workspace_list;

static void add_producers(lint *l, const ds_workspace *reader, ds_map *seen, workspace_list *open)
{
    for (size_t i = 0; i < reader->groups.n; i++)
        for (size_t k = 0; k < reader->groups.v[i].sinks.n; k++) {
            const char *name = reader->groups.v[i].sinks.v[k].store;
            const ds_datastore *store = name ? model_datastore(l->model, name) : NULL;
            const ds_workspace *producer = store ? store->producer : NULL;
            // A transformer may read its own output, and one with a clock of its own breaks the circle.
            if (!producer || producer == reader || producer->transformer.trigger.pos.file || !producer->name.s)
                continue;
            if (!map_add(seen, producer->name.s, seen))
                *VEC_PUSH(l->arena, open) = producer;
        }
}

static bool waits_for_itself(lint *l, const ds_workspace *start)
{
    ds_map *seen = map_new(l->arena);
    workspace_list open = {0};
    add_producers(l, start, seen, &open);
    while (open.n) {
        const ds_workspace *next = open.v[--open.n];
        if (next == start)
            return true;
        add_producers(l, next, seen, &open);
    }
    return false;
}

static void check_cycle(lint *l, const ds_workspace *workspace)
{
    const ds_transformer *t = &workspace->transformer;
    if (t->trigger.pos.file || !workspace->name.s || !waits_for_itself(l, workspace))
        return;
    lint_add(l, LINT_CYCLE, t->pos, workspace->name.s,
             "the transformer of \"%s\" waits for its own output, by way of others", workspace->name.s);
    diag_hint(l->diags, "give one transformer of the circle a trigger with a cron line");
}

void lint_transformers(lint *l)
{
    for (size_t i = 0; i < l->model->workspaces.n; i++) {
        const ds_workspace *workspace = l->model->workspaces.v[i];
        if (!workspace->transformer.pos.file)
            continue;
        if (workspace->transformer.trigger.pos.file)
            lint_trigger(l, &workspace->transformer.trigger, lint_text(workspace->name.s));
        check_groups(l, workspace);
        check_sql(l, workspace);
        check_cycle(l, workspace);
    }
}
