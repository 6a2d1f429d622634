#include "support/change.h"

#include <stdio.h>
#include <stdlib.h>

#include "gate/lint.h"
#include "support/example.h"
#include "yellow/platform.h"

enum { TEXT_MAX = 8 << 20 };

static ds_model *load(const char *text, ds_diags **diags)
{
    CLEANUP(buf_release) ds_buf composed = BUF_INIT(TEXT_MAX);
    const char *path = "model.yaml";
    ds_model *model;
    ds_error err;
    example_compose(text, &composed);
    ds_str whole = buf_str(&composed);
    if (model_load_texts(&path, &whole, 1, NULL, &model, diags, &err).code != DS_OK)
        BUG("%s", err.text);
    return model;
}

change_run change_check(const change_case *what)
{
    const ds_platform_type *const types[] = {yellow_platform_type()};
    change_run run = {.arena = arena_new()};
    run.base = load(what->base, &run.base_diags);
    run.head = load(what->head, &run.diags);
    gate_options options = {.types = {types, 1}, .approve_breaking = what->approve_breaking};
    if (what->repository) {
        ds_str rest = str_of(what->repository);
        options.repository = arena_str(run.arena, str_split(&rest, '@'));
        options.branch = arena_str(run.arena, rest);
    }
    if (what->lint)
        lint_model(run.head, options.types, run.diags);
    run.verdict = gate_check(run.base, run.head, &options, run.diags, run.arena);
    return run;
}

void change_free(change_run *run)
{
    diags_free(run->base_diags);
    diags_free(run->diags);
    model_free(run->base);
    model_free(run->head);
    arena_free(run->arena);
}

size_t change_count(const change_run *run, const char *rule)
{
    size_t n = 0;
    for (size_t i = 0; i < diags_count(run->diags); i++)
        n += strcmp(diags_at(run->diags, i)->rule, rule) == 0;
    return n;
}

void change_print(const change_run *run)
{
    for (size_t i = 0; i < diags_count(run->diags); i++)
        diag_print(stderr, run->diags, diags_at(run->diags, i), false);
}
