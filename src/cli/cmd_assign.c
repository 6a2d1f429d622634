#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "platform/assign.h"
#include "platform/propose.h"

static const ds_option OPTIONS[] = {
    {"propose", 0, OPTION_FLAG, .help = "print assignments for groups that have none; the only thing it can do"},
    {"output", 'o', OPTION_TEXT, "FILE", .help = "where to (default: print it)"},
    {"force", 0, OPTION_FLAG, .help = "overwrite the file"},
    {0},
};

enum { ASSIGN_TEXT_MAX = 64 << 20 };

static ds_rc find_service(const ds_session *session, const ds_platform_service **out, ds_error *err)
{
    const char *name = args_text(&session->cli->args, "service");
    *out = name ? model_service(session->model, name) : NULL;
    if (!name || *out)
        return DS_DONE;
    const char *nearest = map_nearest(session->model->service_by_name, name);
    ds_rc rc = ds_fail(err, DS_USAGE, "no PlatformService \"%s\" in the model", name);
    return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest) : rc;
}

static const char *place(const ds_session *session, ds_pos pos)
{
    return arena_printf(session->cli->arena, "%s:%u", files_path(session->model->files, pos.file), (unsigned)pos.line);
}

// Where a service's new assignments belong.
static ds_pos place_of_new(const ds_platform_service *service)
{
    return service->assignments.n ? service->assignments.v[service->assignments.n - 1].pos : service->pos;
}

// --- text: YAML, and comments that say the rest

static void put_services(const ds_session *session, ds_proposals proposals, ds_buf *out)
{
    const ds_platform_service **services = assign_services(session->model, session->cli->arena);
    for (size_t i = 0; i < session->model->services.n; i++) {
        size_t before = out->n;
        CLEANUP(buf_release) ds_buf yaml = BUF_INIT(ASSIGN_TEXT_MAX);
        propose_put_yaml(proposals, services[i], &yaml);
        if (yaml.n == 0)
            continue;
        buf_printf(out, "%s# %s: %s PlatformService %s%s\n", before ? "\n" : "",
                   place(session, place_of_new(services[i])),
                   services[i]->assignments.n ? "behind the last assignment of" : "into", services[i]->name.s,
                   services[i]->assignments.n ? "" : ", which has none yet");
        buf_put_str(out, buf_str(&yaml));
    }
}

// Of one group, what its entry doesn't say.
static void put_note(const ds_session *session, const ds_proposal *p, ds_buf *out)
{
    buf_printf(out, "# %s/%s: ", p->workspace->name.s, p->group->name);
    if (p->automatic)
        buf_printf(out, "auto_assign of %s gives it %s", p->automatic->service->name.s, p->automatic->platform->name);
    else if (p->mentioned)
        buf_printf(out, "is assigned, but to nothing that stays; add a platform to the assignment at %s",
                   place(session, p->mentioned->pos));
    else if (!p->chosen)
        buf_puts(out, "no platform fits");
    else
        buf_printf(out, "the first that fits is %s", p->chosen->platform->name);
    const char *heading = "; fit, too: ";
    for (size_t i = 0; i < p->n; i++) {
        if (p->candidates[i].why_not || (propose_is_new(p) && &p->candidates[i] == p->chosen) ||
            (p->automatic && p->automatic->platform == p->candidates[i].platform))
            continue;
        buf_printf(out, "%s%s", heading, p->candidates[i].platform->name);
        heading = ", ";
    }
    buf_putc(out, '\n');
    for (size_t i = 0; i < p->n; i++)
        if (p->candidates[i].why_not)
            buf_printf(out, "#   not %s: %s\n", p->candidates[i].platform->name, p->candidates[i].why_not);
}

static void put_text(const ds_session *session, ds_proposals proposals, ds_buf *out)
{
    if (proposals.n == 0)
        buf_puts(out, "# every group has an assignment\n");
    put_services(session, proposals, out);
    for (size_t i = 0; i < proposals.n; i++) {
        buf_puts(out, i == 0 && out->n ? "\n" : "");
        put_note(session, &proposals.v[i], out);
    }
}

// --- JSON

static json_t *candidate_json(const ds_candidate *c)
{
    return json_pack("{ss,ss,ss*}", "service", c->service->name.s, "platform", c->platform->name, "why_not",
                     c->why_not);
}

static json_t *proposal_json(const ds_session *session, const ds_proposal *p)
{
    json_t *candidates = json_array();
    for (size_t i = 0; i < p->n; i++)
        json_array_append_new(candidates, candidate_json(&p->candidates[i]));
    const bool new = propose_is_new(p);
    const ds_pos at = p->mentioned ? p->mentioned->pos : new ? place_of_new(p->chosen->service) : NO_POS;
    return json_pack("{ss,so,so,so,so,sI,so}", "group",
                     arena_path(session->cli->arena, p->workspace->name.s, p->group->name, NULL), "service",
                     json_text(new ? p->chosen->service->name.s : NULL), "platform",
                     json_text(new ? p->chosen->platform->name : NULL), "automatic",
                     json_text(p->automatic ? p->automatic->platform->name : NULL), "file",
                     json_text(at.file ? files_path(session->model->files, at.file) : NULL), "line",
                     (json_int_t)at.line, "candidates", candidates);
}

static json_t *proposals_json(const ds_session *session, ds_proposals proposals)
{
    json_t *list = json_array();
    for (size_t i = 0; i < proposals.n; i++)
        json_array_append_new(list, proposal_json(session, &proposals.v[i]));
    return list;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    if (!args_flag(&cli->args, "propose"))
        return ds_hint(ds_fail(err, DS_USAGE, "assign wants --propose"), err,
                       "assignments themselves are text: the PlatformService's team writes them");
    TRY(session_need_graph(&session, err));
    const ds_platform_service *service;
    TRY(find_service(&session, &service, err));
    ds_proposals proposals = assign_propose(session.model, cli->program->platforms, session.roots, service, cli->arena);
    TRY(session_whole(&session, err));
    CLEANUP(buf_release) ds_buf text = BUF_INIT(ASSIGN_TEXT_MAX);
    put_text(&session, proposals, &text);
    const char *output = args_text(&cli->args, "output");
    if (output)
        TRY(output_file(cli, output, buf_str(&text), err));
    cli->result = json_pack("{s:o, s:o}", "proposals", proposals_json(&session, proposals), "file", json_text(output));
    if (output && !cli->json)
        fprintf(cli->out, "wrote %s\n", output);
    else if (!cli->json)
        fwrite(text.p, 1, text.n, cli->out);
    return DS_DONE;
}

const ds_cli_command COMMAND_ASSIGN = {
    .name = "assign",
    .summary = "proposes platforms for groups that have none",
    .group = "The model",
    .options = OPTIONS,
    .help =
        "With --propose it prints an assignment for each consumer group that has none: the first platform in written "
        "order that fits what the group requires, ready to be pasted behind the assignments of its PlatformService, "
        "whose file and line stand above. Comments name the other platforms that fit, and why the rest doesn't. Nothing "
        "is changed: assignments belong to the repository of the PlatformService.\n\n"
        "A service with auto_assign gives its groups the first fitting platform without being told; a comment says "
        "which. Groups that feed a transformer have no assignments: it runs where its output is needed.",
    .examples = {"datasurface assign --propose", "datasurface assign --propose --service Yellow_NY -o proposed.yaml"},
    .run = run,
};
