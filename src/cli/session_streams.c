// The streams that were applied to the merge databases of a session.
#include "cli/output.h"
#include "cli/session.h"

typedef VEC(ds_applied_stream) applied_list;

void session_warn_when_moved(const ds_session *session, const char *applied_tree)
{
    if (session->model && applied_tree[0] && strcmp(applied_tree, session->model->tree_id) != 0)
        warn(session->cli, "the model in \"%s\" differs from what was applied; datasurface plan shows how",
             session->dir);
}

static void warn_once(const ds_session *session, const char *applied_tree, bool *warned)
{
    if (!*warned)
        session_warn_when_moved(session, applied_tree);
    *warned |= session->model && strcmp(applied_tree, session->model->tree_id) != 0;
}

static bool of_service(const ds_session *session, const ds_stream_info *info)
{
    const char *service = args_text(&session->cli->args, "service");
    return !service || strcmp(service, info->service) == 0;
}

static bool wanted(const ds_session *session, const ds_stream_info *info, const char *glob)
{
    return !info->removed && of_service(session, info) && (!glob || str_glob(glob, info->name));
}

static bool in_model(const ds_session *session, const char *stream)
{
    for (size_t i = 0; session->graph && i < session->graph->nodes.n; i++) {
        const ds_node *node = session->graph->nodes.v[i];
        if (node_is_stream(node) && strcmp(node_stream_name(node), stream) == 0)
            return true;
    }
    return false;
}

// Of one merge database: all types are asked. *nothing when none of them has been there.
typedef struct merge_streams {
    ds_streams *of; // by type
    bool nothing;
} merge_streams;

static ds_rc read_merge(ds_session *session, const ds_container_def *merge, const char *only, merge_streams *out,
                        ds_error *err)
{
    const ds_platform_types types = session->cli->program->platforms;
    *out = (merge_streams){ARENA_ARRAY(session->cli->arena, ds_streams, types.n), true};
    for (size_t i = 0; i < types.n; i++) {
        TRY(types.v[i]->streams(&session->runtime, merge, only, session->cli->arena, &out->of[i], err));
        out->nothing &= out->of[i].nothing;
    }
    for (size_t i = 0; i < types.n; i++)
        for (size_t k = 0; k < out->of[i].n; k++) {
            const ds_stream_info *info = &out->of[i].v[k];
            if (info->removed && info->dataset_count && of_service(session, info) && !in_model(session, info->name))
                *VEC_PUSH(session->cli->arena, &session->kept) = info;
            if (!info->removed && of_service(session, info) && session->model &&
                !model_service(session->model, info->service))
                *VEC_PUSH(session->cli->arena, &session->strays) = info;
        }
    return DS_DONE;
}

bool session_leaves_out(ds_session *session, size_t i, ds_error *err)
{
    if (i < session->replicas_from || (err->code != DS_ENV && err->code != DS_BUSY))
        return false;
    if (!session->quiet && strcmp(session->missing.text, err->text) != 0)
        warn(session->cli, "the replicas in %s are left out: %s", session->merges[i].name, err->text);
    session->missing = *err;
    *err = (ds_error){0};
    return true;
}

// Who works on the merge database need not wait for that of a consumer.
static ds_rc read_database(ds_session *session, size_t i, const char *only, merge_streams *out, ds_error *err)
{
    ds_rc rc = read_merge(session, &session->merges[i], only, out, err);
    if (rc.code == DS_OK || !session_leaves_out(session, i, err))
        return rc;
    for (size_t k = 0; k < session->cli->program->platforms.n; k++)
        out->of[k] = (ds_streams){.tree_id = "", .nothing = true};
    out->nothing = true;
    return DS_DONE;
}

// One there must be.
ds_rc session_passes_over(ds_session *session, size_t i, const ds_error *why, size_t *passed, ds_error *err)
{
    if (i >= session->replicas_from)
        return DS_DONE;
    if (!session->some || ++*passed == session->replicas_from) {
        *err = *why;
        return (ds_rc){err->code};
    }
    if (!session->quiet && strcmp(session->missing.text, why->text) != 0)
        warn(session->cli, "%s; it is left out", why->text);
    session->missing = *why;
    return DS_DONE;
}

static void add_wanted(ds_session *session, const ds_container_def *merge, const merge_streams *found, const char *glob,
                       applied_list *list)
{
    const ds_platform_types types = session->cli->program->platforms;
    for (size_t i = 0; i < types.n; i++)
        for (size_t k = 0; k < found->of[i].n; k++) {
            const ds_stream_info *info = &found->of[i].v[k];
            if (wanted(session, info, glob))
                *VEC_PUSH(session->cli->arena, list) = (ds_applied_stream){merge, types.v[i], *info};
        }
}

static void warn_of_types(const ds_session *session, const merge_streams *found, bool *warned)
{
    for (size_t i = 0; i < session->cli->program->platforms.n; i++)
        if (!found->of[i].nothing)
            warn_once(session, found->of[i].tree_id, warned);
}

ds_rc session_read_kept(ds_session *session, ds_error *err)
{
    TRY(session_merges(session, err));
    session->kept.n = session->strays.n = 0;
    merge_streams found;
    for (size_t i = 0; i < session->merge_count; i++)
        TRY(read_database(session, i, NULL, &found, err));
    return DS_DONE;
}

ds_rc session_streams(ds_session *session, const char *glob, ds_applied_stream **out, size_t *n, ds_error *err)
{
    TRY(session_merges(session, err));
    applied_list list = {0};
    bool warned = false;
    size_t passed = 0;
    session->kept.n = session->strays.n = 0;
    for (size_t i = 0; i < session->merge_count; i++) {
        merge_streams found;
        TRY(read_database(session, i, NULL, &found, err));
        if (found.nothing)
            TRY(session_passes_over(session, i, &found.of[0].why, &passed, err));
        add_wanted(session, &session->merges[i], &found, glob, &list);
        warn_of_types(session, &found, &warned);
    }
    *out = list.v;
    *n = list.n;
    return DS_DONE;
}

void session_note_kept(const ds_session *session)
{
    size_t n = session->kept.n;
    if (n == 0 || session->cli->json)
        return;
    FILE *out = session->cli->out;
    fprintf(out, "\n%zu stream%s kept that the model no longer mentions:", n, plural((int64_t)n));
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s %s", i ? "," : "", session->kept.v[i]->name);
    fprintf(out, "; apply --prune drops %s\n", n == 1 ? "it" : "them");
}

void session_note_strays(const ds_session *session)
{
    size_t n = session->strays.n;
    if (n == 0 || session->cli->json)
        return;
    FILE *out = session->cli->out;
    fprintf(out, "\n%zu stream%s of services that the model does not have go%s on:", n, plural((int64_t)n),
            n == 1 ? "es" : "");
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s %s of %s", i ? "," : "", session->strays.v[i]->name, session->strays.v[i]->service);
    fprintf(out, "; declare the service again, without assignments, and apply to retire %s\n", n == 1 ? "it" : "them");
}

json_t *session_kept_json(const ds_session *session)
{
    json_t *list = json_array();
    for (size_t i = 0; i < session->kept.n; i++)
        json_array_append_new(list, json_text(session->kept.v[i]->name));
    return list;
}

static ds_rc unknown_stream(const ds_session *session, const char *name, const ds_applied_stream *list, size_t n,
                            ds_error *err)
{
    ds_arena *arena = session->cli->arena;
    for (size_t i = 0; i < session->kept.n; i++)
        if (strcmp(session->kept.v[i]->name, name) == 0)
            return ds_hint(ds_fail(err, DS_USAGE, "stream \"%s\" was removed from the model; its tables are kept",
                                   name),
                           err, "put it back and apply, or drop its tables with apply --prune");
    const char **names = ARENA_ARRAY(arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        names[i] = list[i].info.name;
    const char *nearest = str_nearest(name, names, n);
    ds_rc rc = ds_fail(err, DS_USAGE, "no stream \"%s\" was applied", name);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "a stream is PLATFORM/STORE; datasurface status lists them");
}

ds_rc session_stream_unseen(ds_session *session, const char *name, ds_applied_stream **out, ds_error *err)
{
    *out = NULL;
    TRY(session_merges(session, err));
    const ds_platform_types types = session->cli->program->platforms;
    if (session->merge_count != 1 || types.n != 1 || args_text(&session->cli->args, "service"))
        return DS_DONE;
    *out = ARENA_NEW(session->cli->arena, ds_applied_stream);
    **out = (ds_applied_stream){&session->merges[0], types.v[0], {.name = name}};
    return DS_DONE;
}

// That of the name, in whichever database it is; *out is NULL where none has it.
static ds_rc find_stream(ds_session *session, const char *name, ds_applied_stream **out, ds_error *err)
{
    *out = NULL;
    TRY(session_merges(session, err));
    for (size_t i = 0; i < session->merge_count && !*out; i++) {
        merge_streams found;
        bool warned = false;
        TRY(read_database(session, i, name, &found, err));
        for (size_t k = 0; k < session->cli->program->platforms.n && !*out; k++) {
            if (found.of[k].n == 0 || !of_service(session, &found.of[k].v[0]))
                continue;
            *out = ARENA_NEW(session->cli->arena, ds_applied_stream);
            **out = (ds_applied_stream){&session->merges[i], session->cli->program->platforms.v[k], found.of[k].v[0]};
            warn_of_types(session, &found, &warned);
        }
    }
    return DS_DONE;
}

static ds_rc refuse_stream(ds_session *session, const char *name, ds_error *err)
{
    ds_applied_stream *list; // all of them, for a helpful message
    size_t n;
    TRY(session_streams(session, NULL, &list, &n, err));
    if (session->missing.code != DS_OK) { // it may be there
        *err = session->missing;
        return (ds_rc){err->code};
    }
    return unknown_stream(session, name, list, n, err);
}

ds_rc session_stream_ever(ds_session *session, const char *name, ds_applied_stream **out, ds_error *err)
{
    TRY(find_stream(session, name, out, err));
    return *out ? DS_DONE : refuse_stream(session, name, err);
}

ds_rc session_stream(ds_session *session, const char *name, ds_applied_stream **out, ds_error *err)
{
    TRY(find_stream(session, name, out, err));
    return *out && !(*out)->info.removed ? DS_DONE : refuse_stream(session, name, err);
}
