#include "cli/plans.h"

#include <stdio.h>

#include "base/vec.h"
#include "cli/output.h"
#include "schema/rows.h"

static void make_id(ds_plans *plans)
{
    if (plans->n == 1) {
        memcpy(plans->id, plans->v[0]->id, sizeof plans->id);
        return;
    }
    CLEANUP(buf_release) ds_buf all = BUF_INIT(1 << 20);
    for (size_t i = 0; i < plans->n; i++)
        buf_printf(&all, "%s\n", plans->v[i]->id);
    ds_hash hash = row_hash(buf_str(&all));
    snprintf(plans->id, sizeof plans->id, "%016llx%016llx", (unsigned long long)hash.high,
             (unsigned long long)hash.low);
}

static void count(ds_plans *plans)
{
    plans->changes = plans->destructive = plans->missing = 0;
    plans->refused = false;
    for (size_t i = 0; i < plans->n; i++) {
        const ds_plan *plan = plans->v[i];
        plans->refused |= plan->refused;
        plans->missing += plan->missing != NULL;
        for (size_t c = 0; c < plan->n; c++) {
            plans->changes += plan_changes_something(&plan->changes[c]);
            plans->destructive += plan->changes[c].destructive;
        }
    }
}

// What can't be done in a consumer's database now is left out, and nothing else.
static ds_rc leave_out(ds_arena *arena, ds_rc rc, const ds_plan *shown, const ds_plan **done, ds_error *err)
{
    if (!shown->is_replica || (rc.code != DS_ENV && rc.code != DS_BUSY))
        return rc;
    ds_plan *plan = ARENA_NEW(arena, ds_plan);
    ds_error *why = ARENA_NEW(arena, ds_error);
    *why = *err;
    *plan = *shown;
    plan->n = 0;
    plan->missing = why;
    *done = plan;
    *err = (ds_error){0};
    return DS_DONE;
}

ds_rc plans_carry_out(ds_session *session, ds_plans *plans, bool as_shown, ds_error *err)
{
    ds_arena *arena = session->cli->arena;
    const ds_plan **shown = ARENA_ARRAY(arena, const ds_plan *, plans->n);
    for (size_t i = 0; i < plans->n; i++) {
        shown[i] = plans->v[i];
        if (shown[i]->missing)
            continue;
        ds_rc rc = plans->types.v[i]->apply(&session->runtime, shown[i], as_shown ? shown[i]->id : NULL, arena,
                                            &plans->v[i], err);
        TRY(leave_out(arena, rc, shown[i], &plans->v[i], err));
    }
    for (size_t i = 0; i < plans->n; i++) {
        if (plans->v[i]->missing || !plans->types.v[i]->finish)
            continue;
        ds_rc rc = plans->types.v[i]->finish(&session->runtime, shown[i], arena, &plans->v[i], err);
        TRY(leave_out(arena, rc, shown[i], &plans->v[i], err));
    }
    count(plans);
    return DS_DONE;
}

// Each type looks after its own platforms of the service.
static ds_rc plan_service(ds_session *session, const ds_platform_service *service, bool prune, ds_plans *out,
                          ds_error *err)
{
    const ds_platform_types types = session->cli->program->platforms;
    const ds_plan_request request = {&session->runtime, session->model, session->graph, service, prune};
    for (size_t i = 0; i < types.n; i++) {
        ds_plan_list plans = {0};
        ds_rc rc = types.v[i]->plan(&request, session->cli->arena, &plans, err);
        TRY(session_whole(session, err)); // or it says what a damaged image is to blame for
        TRY(rc);
        for (size_t k = 0; k < plans.n; k++) {
            *VEC_PUSH(session->cli->arena, &out->types) = types.v[i];
            *VEC_PUSH(session->cli->arena, out) = plans.v[k];
        }
    }
    return DS_DONE;
}

ds_rc plans_make(ds_session *session, bool prune, ds_plans *out, ds_error *err)
{
    *out = (ds_plans){0};
    for (size_t i = 0; i < session->service_count; i++)
        TRY(plan_service(session, session->services[i], prune, out, err));
    count(out);
    make_id(out);
    return DS_DONE;
}

static ds_style action_style(const ds_plan_change *change)
{
    static const struct {
        const char *action;
        ds_style style;
    } STYLES[] = {{"create", STYLE_GREEN},
                  {"add-column", STYLE_GREEN},
                  {"drop", STYLE_RED},
                  {"refuse", STYLE_RED},
                  {"keep", STYLE_DIM}};
    if (change->destructive)
        return STYLE_RED;
    for (size_t i = 0; i < sizeof STYLES / sizeof STYLES[0]; i++)
        if (strcmp(STYLES[i].action, change->action) == 0)
            return STYLES[i].style;
    return STYLE_YELLOW;
}

static void print_change(const ds_cli *cli, const ds_plan_change *change, int width)
{
    fprintf(cli->out, "  %s%-10s%s  %-*s  %s%s%s%s\n", style(cli, action_style(change)), change->action, style_end(cli),
            change->detail[0] || change->destructive ? width : 0, change->object, change->detail,
            change->destructive ? style(cli, STYLE_RED) : "", change->destructive ? "  (destructive)" : "",
            change->destructive ? style_end(cli) : "");
}

static void print_heading(const ds_cli *cli, const ds_plan *plan)
{
    bool file = plan->path && plan->path[0];
    fprintf(cli->out, "%s%s%s in %s%s%s%s\n", style(cli, STYLE_BOLD), plan->service, style_end(cli), plan->container,
            file ? " (" : "", file ? plan->path : "", file ? ")" : "");
}

static void print_nothing(const ds_cli *cli, const ds_plan *plan)
{
    if (plan->missing)
        fprintf(cli->out, "  %snot reached%s\n", style(cli, STYLE_RED), style_end(cli));
    else if (plan->n == 0)
        fprintf(cli->out, "  nothing to change\n");
}

static void print_plan(const ds_cli *cli, const ds_plan *plan)
{
    print_heading(cli, plan);
    enum { WIDTH_MAX = 60 };
    int width = 0;
    for (size_t i = 0; i < plan->n; i++) {
        int n = (int)strlen(plan->changes[i].object);
        width = n > width && n <= WIDTH_MAX ? n : width;
    }
    for (size_t i = 0; i < plan->n; i++)
        print_change(cli, &plan->changes[i], width);
    print_nothing(cli, plan);
}

void plans_print(const ds_cli *cli, const ds_plans *plans)
{
    if (cli->json)
        return;
    for (size_t i = 0; i < plans->n; i++)
        print_plan(cli, plans->v[i]);
    if (!plans->changes)
        return;
    fprintf(cli->out, "\nplan %s: %zu change%s", plans->id, plans->changes, plural((int64_t)plans->changes));
    if (plans->destructive)
        fprintf(cli->out, ", %s%zu destructive%s", style(cli, STYLE_RED), plans->destructive, style_end(cli));
    fputc('\n', cli->out);
}

// "stream", "table", "view": the first word of an object.
static ds_str kind_of(const ds_plan_change *change)
{
    ds_str rest = str_of(change->object);
    return str_split(&rest, ' ');
}

static bool same_kind(const ds_plan_change *a, const ds_plan_change *b)
{
    return strcmp(a->action, b->action) == 0 && str_eq(kind_of(a), kind_of(b));
}

static bool loud(const ds_plan_change *change)
{
    return change->destructive || strcmp(change->action, "keep") == 0 || strcmp(change->action, "refuse") == 0;
}

// Changes that are told by their number: all with the same action and kind.
typedef struct change_group {
    const ds_plan_change *first;
    size_t n;
} change_group;
typedef VEC(change_group) change_groups; // a few

static change_group *find_group(const change_groups *groups, const ds_plan_change *change)
{
    for (size_t i = 0; i < groups->n; i++)
        if (same_kind(groups->v[i].first, change))
            return &groups->v[i];
    return NULL;
}

static change_groups group_changes(ds_arena *arena, const ds_plan *plan)
{
    change_groups groups = {0};
    for (size_t i = 0; i < plan->n; i++) {
        if (loud(&plan->changes[i]))
            continue;
        change_group *group = find_group(&groups, &plan->changes[i]);
        if (!group) {
            group = VEC_PUSH(arena, &groups);
            group->first = &plan->changes[i];
        }
        group->n++;
    }
    return groups;
}

static void print_counts(const ds_cli *cli, const ds_plan *plan)
{
    change_groups groups = group_changes(cli->arena, plan);
    for (size_t i = 0; i < plan->n; i++) {
        const ds_plan_change *change = &plan->changes[i];
        const change_group *group = loud(change) ? NULL : find_group(&groups, change);
        if (!group || group->n == 1)
            print_change(cli, change, 0);
        else if (group->first == change)
            fprintf(cli->out, "  %s%-10s%s  %zu %.*ss\n", style(cli, action_style(change)), change->action,
                    style_end(cli), group->n, STR_ARGS(kind_of(change)));
    }
}

void plans_print_short(const ds_cli *cli, const ds_plans *plans)
{
    if (cli->json)
        return;
    for (size_t i = 0; i < plans->n; i++) {
        print_heading(cli, plans->v[i]);
        print_counts(cli, plans->v[i]);
        print_nothing(cli, plans->v[i]);
    }
}

static json_t *missing_json(const ds_plans *plans)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plans->n; i++)
        if (plans->v[i]->missing)
            json_array_append_new(list, json_pack("{s:o, s:o}", "container", json_text(plans->v[i]->container), "why",
                                                  json_text(plans->v[i]->missing->text)));
    return list;
}

json_t *plans_json(const ds_plans *plans)
{
    json_t *changes = json_array();
    for (size_t i = 0; i < plans->n; i++)
        for (size_t c = 0; c < plans->v[i]->n; c++) {
            const ds_plan_change *change = &plans->v[i]->changes[c];
            json_array_append_new(changes,
                                  json_pack("{s:o, s:o, s:o, s:o, s:b}", "container", json_text(change->container),
                                            "object", json_text(change->object), "action", json_text(change->action),
                                            "detail", json_text(change->detail), "destructive", change->destructive));
        }
    return json_pack("{s:s, s:o, s:o}", "id", plans->id, "changes", changes, "missing", missing_json(plans));
}

size_t plans_refusals(const ds_plans *plans, const ds_plan_change **first)
{
    size_t n = 0;
    for (size_t i = plans->n; i-- > 0;)
        for (size_t c = plans->v[i]->n; c-- > 0;)
            if (strcmp(plans->v[i]->changes[c].action, "refuse") == 0) {
                *first = &plans->v[i]->changes[c];
                n++;
            }
    return n;
}

static void report_refusal(ds_cli *cli, const ds_plan_change *change)
{
    if (strcmp(change->action, "refuse") != 0)
        return;
    ds_error one = {0};
    ds_ignore(ds_fail(&one, DS_FINDING, "refused: %s: %s", change->object, change->detail));
    diagnostic_add(cli, change->object, &one);
    note(cli, "%s", one.text);
}

ds_rc plans_refused(ds_cli *cli, const ds_plans *plans, ds_error *err)
{
    const ds_plan_change *first = NULL;
    size_t n = plans_refusals(plans, &first);
    if (n == 0)
        return ds_fail(err, DS_FINDING, "the plan is refused; nothing was changed");
    cli->object = first->object;
    if (n == 1)
        return ds_fail(err, DS_FINDING, "refused: %s: %s; nothing was changed", first->object, first->detail);
    for (size_t i = 0; i < plans->n; i++)
        for (size_t c = 0; c < plans->v[i]->n; c++)
            report_refusal(cli, &plans->v[i]->changes[c]);
    cli->object = NULL;
    return ds_fail(err, DS_FINDING, "refused: %zu changes can't be made; nothing was changed", n);
}

static ds_rc fail_missing(const ds_plan *plan, bool carried_out, ds_error *err)
{
    *err = *plan->missing;
    return carried_out ? ds_context((ds_rc){err->code}, err, "%s is left out", plan->container)
                       : ds_context((ds_rc){err->code}, err, "the plan for %s is missing", plan->container);
}

ds_rc plans_missing(ds_cli *cli, const ds_plans *plans, bool carried_out, ds_error *err)
{
    ds_rc rc = DS_DONE;
    for (size_t i = 0; i < plans->n; i++) {
        ds_error one = {0};
        if (!plans->v[i]->missing)
            continue;
        rc = fail_missing(plans->v[i], carried_out, &one);
        if (plans->missing == 1)
            *err = one;
        else {
            diagnostic_add(cli, plans->v[i]->container, &one);
            note(cli, "%s", one.text);
        }
    }
    if (plans->missing > 1)
        rc = ds_fail(err, rc.code,
                     carried_out ? "%zu databases are left out" : "the plans for %zu databases are missing",
                     plans->missing);
    return ds_hint(rc, err, "%s",
                   carried_out ? "all else is done; the next datasurface apply does the rest"
                               : "datasurface apply would leave it out, and do the others");
}
