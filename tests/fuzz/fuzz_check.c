// Whatever two trees hold, the gate has a verdict on them, twice the same; nothing has changed between equal ones.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "gate/check.h"
#include "gate/review.h"
#include "model/load.h"
#include "yellow/platform.h"

// The input: files of the base, then those of the head, parted by these lines.
static const char HEAD[] = LINT_EXAMPLE_HEAD, NEXT_FILE[] = "# --- file ---\n";
enum { FILES_MAX = 4 };

static ds_str split(ds_str *rest, const char *at)
{
    size_t n = strlen(at);
    const char *found = rest->n ? memmem(rest->p, rest->n, at, n) : NULL;
    ds_str part = {rest->p, found ? (size_t)(found - rest->p) : rest->n};
    *rest = found ? (ds_str){found + n, rest->n - part.n - n} : (ds_str){0};
    return part;
}

typedef struct side {
    ds_tree *tree;
    ds_model *model;
    ds_diags *diags;
} side;

static void side_release(side *s)
{
    diags_free(s->diags);
    model_free(s->model);
    tree_close(s->tree);
}

static ds_tree *open_tree(ds_str text)
{
    static const char *const PATHS[FILES_MAX] = {"a.yaml", "b/c.yml", "d.yaml", "e.yaml"};
    ds_str texts[FILES_MAX];
    size_t n = 0;
    for (; n < FILES_MAX && (n == 0 || text.n); n++)
        texts[n] = split(&text, NEXT_FILE);
    return tree_open_texts(PATHS, texts, n);
}

static side load(ds_str text, ds_platform_types types)
{
    side s = {.tree = open_tree(text)};
    ds_error err;
    if (model_load_tree(s.tree, &(ds_load_options){.dir = "."}, &s.model, &s.diags, &err).code != DS_OK)
        BUG("not loaded: %s", err.text);
    lint_model(s.model, types, s.diags);
    return s;
}

static void check_verdict(const gate_verdict *verdict, const ds_diags *diags)
{
    json_t *json = verdict_json(verdict);
    const json_t *changes = json_object_get(json, "changes");
    if (json_array_size(changes) != verdict->n) // also when a text is not UTF-8
        BUG("changes are missing");
    if (verdict->accepted && diags_severity_count(diags, DIAG_ERROR))
        BUG("accepted with errors");
    for (size_t i = 0; i < verdict->n; i++) {
        const ds_change *c = verdict->changes[i].what;
        if (!c->object[0] || (verdict->accepted && !verdict->changes[i].allowed))
            BUG("change %zu", i);
        if (json_array_size(json_object_get(json_array_get(changes, i), "affects")) != verdict->changes[i].affects_n)
            BUG("change %zu lacks whom it reaches", i);
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ds_platform_type *const types[] = {yellow_platform_type()};
    gate_options options = {.repository = "acme/model", .branch = "customer_data", .types = {types, 1}};
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_str rest = {(const char *)data, size}, base_text = split(&rest, HEAD);
    CLEANUP(side_release) side base = load(base_text, options.types);
    CLEANUP(side_release) side head = load(rest, options.types);
    gate_note_repaired(base.diags, head.diags);
    ds_documents all = model_documents(head.model, arena);
    gate_lint_environments(head.model, options.types, size % 3 ? &all : NULL, head.diags);
    options.approve_breaking = size % 2;
    const gate_verdict *verdict = gate_check(base.model, head.model, &options, head.diags, arena);
    check_verdict(verdict, head.diags);
    size_t changes = verdict->n;
    verdict = gate_check(base.model, head.model, &options, head.diags, arena);
    if (verdict->n != changes)
        BUG("%zu changes, then %zu", changes, verdict->n);
    verdict = gate_check(base.model, base.model, &options, base.diags, arena);
    if (verdict->n && diags_severity_count(base.diags, DIAG_ERROR) == 0)
        BUG("%zu changes between equal models", verdict->n);
    return 0;
}
