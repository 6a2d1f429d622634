#include "gate/check.h"

#include "gate/authorise.h"
#include "gate/compat.h"
#include "gate/impact.h"

gate_verdict *gate_check(const ds_model *base, const ds_model *head, const gate_options *options, ds_diags *diags,
                         ds_arena *arena)
{
    const ds_documents *some[] = {options->base_documents, options->head_documents};
    gate g = {.base = base,
              .head = head,
              .base_documents = some[0] ? *some[0] : model_documents(base, arena),
              .head_documents = some[1] ? *some[1] : model_documents(head, arena),
              .types = options->types,
              .approve_breaking = options->approve_breaking,
              .diags = diags,
              .arena = arena};
    gate_collect(&g);
    if (options->repository)
        gate_authorise(&g, options->repository, options->branch ? options->branch : "");
    gate_judge(&g);
    gate_trace(&g);
    diags_sort(diags);
    gate_verdict *verdict = ARENA_NEW(arena, gate_verdict);
    *verdict = (gate_verdict){diags_severity_count(diags, DIAG_ERROR) == 0, g.changes, g.n};
    for (size_t i = 0; i < g.n; i++) {
        g.changes[i].allowed |= !options->repository;
        verdict->accepted &= g.changes[i].allowed;
    }
    return verdict;
}

static json_t *affected_json(const gate_affected *a)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "kind", gate_thing_name(a->kind), "name", a->name, "owner", a->owner,
                     "effect", gate_effect_name(a->effect), "about", gate_effect_about(a->effect));
}

static json_t *change_json(const gate_change *change)
{
    const ds_change *c = change->what;
    json_t *affects = json_array();
    for (size_t i = 0; i < change->affects_n; i++)
        json_array_append_new(affects, affected_json(&change->affects[i]));
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:b, s:b, s:o}", "object", c->object, "action",
                     diff_action_name(c->action), "field", c->field, "old", c->old_text, "new", c->new_text, "owner",
                     change->owner, "allowed", change->allowed, "breaking", change->breaking, "affects", affects);
}

json_t *verdict_json(const gate_verdict *verdict)
{
    json_t *changes = json_array();
    for (size_t i = 0; i < verdict->n; i++)
        json_array_append_new(changes, change_json(&verdict->changes[i]));
    return json_pack("{s:s, s:o}", "verdict", verdict->accepted ? "accepted" : "refused", "changes", changes);
}
