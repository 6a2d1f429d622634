#include "cli/view_list.h"

#include "base/vec.h"
#include "cli/output.h"

typedef VEC(view_entry) entries;

// *nothing: no type has been there; then *why says so to people.
static ds_rc read_merge(ds_session *session, const ds_container_def *merge, const char *workspace, entries *list,
                        bool *nothing, ds_error *why, ds_error *err)
{
    const ds_platform_types types = session->cli->program->platforms;
    ds_arena *arena = session->cli->arena;
    *nothing = true;
    for (size_t i = 0; i < types.n; i++) {
        ds_artifacts found;
        TRY(types.v[i]->artifacts(&session->runtime, merge, arena, &found, err));
        if (found.nothing && *nothing)
            *why = found.why;
        *nothing &= found.nothing;
        for (size_t k = 0; k < found.n; k++)
            if (!workspace || strcmp(found.v[k].workspace, workspace) == 0)
                *VEC_PUSH(arena, list) = (view_entry){merge, types.v[i], found.v[k]};
    }
    return DS_DONE;
}

static ds_rc read_all(ds_session *session, const char *workspace, bool only_applied, view_list *out, ds_error *err)
{
    TRY(session_merges(session, err));
    entries list = {0};
    size_t passed = 0;
    for (size_t i = 0; i < session->merge_count; i++) {
        bool nothing = false;
        ds_error why = {0};
        ds_rc rc = read_merge(session, &session->merges[i], workspace, &list, &nothing, &why, err);
        if (rc.code != DS_OK && !session_leaves_out(session, i, err))
            return rc;
        if (nothing && !only_applied)
            TRY(session_passes_over(session, i, &why, &passed, err));
    }
    *out = (view_list){list.v, list.n, session->merge_count > session->replicas_from};
    return DS_DONE;
}

ds_rc view_list_read(ds_session *session, const char *workspace, view_list *out, ds_error *err)
{
    return read_all(session, workspace, false, out, err);
}

ds_rc view_list_read_applied(ds_session *session, view_list *out, ds_error *err)
{
    return read_all(session, NULL, true, out, err);
}

void view_list_print(const ds_cli *cli, const view_list *views)
{
    const char *workspace = "", *group = "";
    const ds_container_def *database = NULL;
    for (size_t i = 0; i < views->n; i++) {
        const ds_artifact *is = &views->v[i].is;
        if (views->several && views->v[i].merge != database) {
            fprintf(cli->out, "in %s%s%s\n", style(cli, STYLE_BOLD), views->v[i].merge->name, style_end(cli));
            workspace = group = "";
        }
        database = views->v[i].merge;
        if (strcmp(workspace, is->workspace) != 0 || strcmp(group, is->group) != 0)
            fprintf(cli->out, "  %s%s/%s%s\n", style(cli, STYLE_CYAN), is->workspace, is->group, style_end(cli));
        workspace = is->workspace;
        group = is->group;
        fprintf(cli->out, "    %s\n", is->use);
    }
}

json_t *view_list_json(const view_list *views)
{
    json_t *list = json_array();
    for (size_t i = 0; i < views->n; i++) {
        const ds_artifact *is = &views->v[i].is;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "container",
                                              views->v[i].merge->name, "workspace", is->workspace, "group", is->group,
                                              "store", is->store, "dataset", is->dataset, "kind", is->kind, "name",
                                              is->name, "select", is->use));
    }
    return list;
}
