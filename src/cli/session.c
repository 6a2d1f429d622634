#include "cli/session.h"

#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/vec.h"
#include "cli/output.h"
#include "platform/assign.h"
#include "store/postgres/postgres.h"

void session_init(ds_session *session, ds_cli *cli)
{
    *session = (ds_session){.cli = cli, .dir = args_text(&cli->args, "dir")};
    session->runtime = (ds_runtime){
        .store = &cli->program->store,
        .clock = clock_system(),
        .secrets_dir = args_text(&cli->args, "secrets"),
        .base_dir = session->dir,
        .cancelled = cli->program->cancelled,
        .checkpoint = cli->program->checkpoint,
        .tree_id = "",
    };
}

void session_release(ds_session *session)
{
    if (session->compiled.cli)
        compiled_release(&session->compiled);
    secret_release(&session->merge_login);
}

void session_let_model_go(ds_session *session)
{
    ds_arena *arena = session->cli->arena;
    if (!session->compiled.cli)
        return;
    for (size_t i = 0; i < session->merge_count; i++)
        session->merges[i] = def_container_dup(arena, &session->merges[i]);
    session->runtime.tree_id = arena_strdup(arena, session->runtime.tree_id);
    compiled_release(&session->compiled);
    session->compiled = (ds_compiled){0};
    session->model = NULL;
    session->roots = (ds_roots){0};
    session->graph = NULL;
    session->services = NULL;
    session->service_count = 0;
    memory_give_back();
}

static ds_rc check_dir(const char *dir, const char *option, ds_error *err)
{
    if (!dir || file_is_dir(dir))
        return DS_DONE;
    ds_rc rc = file_exists(dir) ? ds_fail(err, DS_ENV, "\"%s\" is not a directory", dir)
                                : ds_fail(err, DS_ENV, "no such directory: \"%s\"", dir);
    return ds_hint(rc, err, "%s names it", option);
}

ds_rc session_check_dirs(const ds_session *session, ds_error *err)
{
    TRY(check_dir(session->runtime.secrets_dir, "--secrets", err));
    return args_given(&session->cli->args, "dir") ? check_dir(session->dir, "-C", err) : DS_DONE;
}

ds_rc session_load(ds_session *session, ds_error *err)
{
    if (session->model)
        return DS_DONE;
    TRY(session_check_dirs(session, err));
    ds_assert(!session->compiled.cli);
    compiled_init(&session->compiled, session->cli, session->dir);
    if (session->ref)
        TRY(session_take_ref(session, err));
    TRY(compiled_model(&session->compiled, err));
    session->model = session->compiled.model;
    session->runtime.tree_id = session->model->tree_id;
    return DS_DONE;
}

ds_rc session_whole(const ds_session *session, ds_error *err)
{
    return compiled_whole(&session->compiled, err);
}

void session_print_errors(const ds_session *session)
{
    const ds_diags *diags = session->compiled.diags;
    for (size_t i = 0; i < diags_count(diags); i++) {
        const ds_diag *diag = diags_at(diags, i);
        if (diag->severity == DIAG_ERROR)
            diag_print(stderr, diags, diag, session->cli->colour_messages);
    }
}

ds_rc session_need_valid(ds_session *session, ds_error *err)
{
    TRY(session_load(session, err));
    size_t errors = session->compiled.counts.of[DIAG_ERROR];
    if (errors == 0)
        return DS_DONE;
    session_print_errors(session);
    json_t *list = diags_json(session->compiled.diags);
    json_array_extend(session->cli->diagnostics, list);
    json_decref(list);
    return ds_hint(ds_fail(err, DS_FINDING, "the model has %zu error%s", errors, plural((int64_t)errors)), err,
                   "datasurface lint shows them all; datasurface explain RULE tells more");
}

ds_rc session_need_graph(ds_session *session, ds_error *err)
{
    TRY(session_need_valid(session, err));
    session->roots = assign_roots(session->model, session->cli->program->platforms, session->cli->arena);
    session->graph = graph_build(session->model, session->roots, session->cli->arena);
    return session_whole(session, err);
}

static ds_rc unknown_service(const ds_model *model, const char *name, ds_error *err)
{
    const char *nearest = map_nearest(model->service_by_name, name);
    ds_rc rc = ds_fail(err, DS_USAGE, "no PlatformService \"%s\" in the model", name);
    return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest) : rc;
}

// The services that --service chooses; at least one.
static ds_rc chosen_services(const ds_session *session, const ds_platform_service ***out, size_t *n, ds_error *err)
{
    const ds_model *model = session->model;
    const char *only = args_text(&session->cli->args, "service");
    if (only && !model_service(model, only))
        return unknown_service(model, only, err);
    if (model->services.n == 0)
        return ds_hint(ds_fail(err, DS_FINDING, "the model in \"%s\" has no PlatformService", session->dir), err,
                       "a PlatformService names the merge database and the platforms");
    const ds_platform_service **list = ARENA_ARRAY(session->cli->arena, const ds_platform_service *, model->services.n);
    size_t count = 0;
    for (size_t i = 0; i < model->services.n; i++)
        if (!only || strcmp(only, model->services.v[i]->name.s) == 0)
            list[count++] = model->services.v[i];
    *out = list;
    *n = count;
    return DS_DONE;
}

ds_rc session_deploy(ds_session *session, ds_error *err)
{
    TRY(session_need_graph(session, err));
    return chosen_services(session, &session->services, &session->service_count, err);
}

ds_rc session_datastore(const ds_session *session, const char *name, const ds_datastore **out, ds_error *err)
{
    *out = model_datastore(session->model, name);
    if (!*out) {
        const char *nearest = map_nearest(session->model->datastore_by_name, name);
        ds_rc rc = ds_fail(err, DS_USAGE, "no datastore \"%s\" in the model", name);
        return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest) : rc;
    }
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    (void)datastore_datasets(*out, scratch);
    return session_whole(session, err);
}

static const char *absolute(ds_arena *arena, const char *path)
{
    char here[FILE_PATH_MAX];
    if (path[0] == '/' || !getcwd(here, sizeof here))
        return path;
    return arena_printf(arena, "%s/%s", here, path);
}

// Relative paths of sources start where the model lies: without a model, in the directory of the merge file, never in
// whatever directory we were called from.
static void base_on_merge(ds_session *session, const char *path)
{
    if (args_given(&session->cli->args, "dir"))
        return;
    const char *slash = strrchr(path, '/');
    size_t n = slash && slash > path ? (size_t)(slash - path) : 1;
    session->dir = session->runtime.base_dir = slash ? arena_str(session->cli->arena, (ds_str){path, n}) : ".";
}

static ds_container_def merge_file(ds_session *session, ds_str path)
{
    ds_arena *arena = session->cli->arena;
    ds_container_def merge = {.name = arena_printf(arena, "sqlite:%.*s", STR_ARGS(path)),
                              .type = "sqlite",
                              .path = absolute(arena, arena_str(arena, path)),
                              .host = "",
                              .database = "",
                              .schema = "",
                              .credential = ""};
    base_on_merge(session, merge.path);
    return merge;
}

// User and password that the URL doesn't say are those of the credential "merge".
static ds_rc add_merge_login(ds_session *session, ds_error *err)
{
    CLEANUP(secret_release) ds_secret found = {0};
    TRY(secret_find(session->runtime.secrets_dir, "merge", &found, err));
    for (size_t i = 0; i < SECRET_PARTS; i++) {
        if (session->merge_login.parts[i])
            continue;
        session->merge_login.parts[i] = found.parts[i];
        found.parts[i] = NULL;
    }
    return DS_DONE;
}

static ds_rc merge_server(ds_session *session, const char *url, ds_container_def *out, ds_error *err)
{
    ds_arena *arena = session->cli->arena;
    ds_target target = {0};
    ds_rc rc = postgres_url_parse(arena, url, &target, &session->merge_login, err);
    postgres_url_hide((char *)(uintptr_t)url); // of our own argv, which others can see
    TRY(rc);
    TRY(add_merge_login(session, err));
    const char *database = target.database ? target.database : "";
    *out = (ds_container_def){.name = arena_printf(arena, "postgres:%s", database),
                              .type = target.type,
                              .path = "",
                              .host = target.host ? target.host : "",
                              .port = target.port,
                              .database = database,
                              .schema = target.schema ? target.schema : "",
                              .credential = "",
                              .tls_mode = target.tls_mode,
                              .tls_ca = target.tls_ca,
                              .tls_cert = target.tls_cert,
                              .tls_key = target.tls_key,
                              .login = &session->merge_login};
    return DS_DONE;
}

static ds_rc merge_by_url(ds_session *session, const char *url, ds_error *err)
{
    ds_str rest = str_of(url);
    ds_str scheme = str_split(&rest, ':');
    session->merges = ARENA_NEW(session->cli->arena, ds_container_def);
    if (str_eq(scheme, STR("sqlite")) && rest.n)
        session->merges[0] = merge_file(session, rest);
    else if ((str_eq(scheme, STR("postgres")) || str_eq(scheme, STR("postgresql"))) && rest.n)
        TRY(merge_server(session, url, &session->merges[0], err));
    else
        return ds_hint(ds_fail(err, DS_USAGE, "--merge can't be \"%.*s%s\"", STR_ARGS(scheme), rest.n ? ":…" : ""), err,
                       "write sqlite:PATH or postgres://HOST/DATABASE");
    session->merge_count = session->replicas_from = 1;
    TRY(session_check_dirs(session, err));
    // The model, when there is one, is only compared with what was applied.
    ds_error ignored = {0};
    ds_ignore(session_load(session, &ignored));
    return DS_DONE;
}

static bool known_merge(const ds_session *session, const char *container)
{
    for (size_t i = 0; i < session->merge_count; i++)
        if (strcmp(session->merges[i].name, container) == 0)
            return true;
    return false;
}

static bool has_replicas(const ds_model *model)
{
    for (size_t i = 0; i < model->workspaces.n; i++)
        if (model->workspaces.v[i]->container.s)
            return true;
    return false;
}

static bool is_chosen(const ds_platform_service *service, const ds_platform_service *const *services, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (services[i] == service)
            return true;
    return false;
}

// The databases in which workspaces get replicas of what the services have.
static void add_replicas(ds_session *session, const ds_platform_service *const *services, size_t n)
{
    session->replicas_from = session->merge_count;
    if (!has_replicas(session->model))
        return;
    ds_roots roots = assign_roots(session->model, session->cli->program->platforms, session->cli->arena);
    for (size_t i = 0; i < roots.n; i++) {
        const ds_root *root = &roots.v[i];
        if (root->replica && is_chosen(root->service, services, n) && !known_merge(session, root->replica->name.s))
            session->merges[session->merge_count++] =
                compile_container(root->replica, compile_replica_credential(roots, root->replica));
    }
}

ds_rc session_merges(ds_session *session, ds_error *err)
{
    const char *url = args_text(&session->cli->args, "merge");
    if (session->merge_count)
        return DS_DONE;
    if (url)
        return merge_by_url(session, url, err);
    TRY(session_load(session, err));
    const ds_platform_service **services;
    size_t n;
    TRY(chosen_services(session, &services, &n, err));
    session->merges = ARENA_ARRAY(session->cli->arena, ds_container_def, n + session->model->workspaces.n);
    for (size_t i = 0; i < n; i++) {
        const char *name = services[i]->merge_container.s;
        const ds_container *container = name ? model_container(session->model, name) : NULL;
        if (!container)
            return ds_hint(ds_fail(err, DS_FINDING, "PlatformService %s has no merge container", services[i]->name.s),
                           err, "datasurface lint tells more; --merge URL replaces it");
        if (!known_merge(session, container->name.s))
            session->merges[session->merge_count++] = compile_container(container, services[i]->merge_credential.s);
    }
    add_replicas(session, services, n);
    return DS_DONE;
}

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
            if (info->removed && of_service(session, info) && !in_model(session, info->name))
                *VEC_PUSH(session->cli->arena, &session->kept) = info;
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

static ds_rc nothing_applied(const merge_streams *found, ds_error *err)
{
    *err = found->of[0].why;
    return (ds_rc){err->code};
}

// Where that is enough, others than the one to which nothing has been applied go on; one there must be.
static ds_rc pass_over(ds_session *session, const merge_streams *found, size_t *passed, ds_error *err)
{
    ds_rc rc = nothing_applied(found, err);
    if (!session->some || ++*passed == session->replicas_from)
        return rc;
    warn(session->cli, "%s; the streams of the others are run", err->text);
    session->missing = *err;
    *err = (ds_error){0};
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
                *VEC_PUSH(session->cli->arena, list) =
                    (ds_applied_stream){merge, types.v[i], *info,
                                        info->own ? *info->own : (ds_stream_row){.name = info->name}};
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
    session->kept.n = 0;
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
    session->kept.n = 0;
    for (size_t i = 0; i < session->merge_count; i++) {
        merge_streams found;
        TRY(read_database(session, i, NULL, &found, err));
        if (found.nothing && i < session->replicas_from)
            TRY(pass_over(session, &found, &passed, err));
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
    **out = (ds_applied_stream){&session->merges[0], types.v[0], {.name = name}, {.name = name}};
    return DS_DONE;
}

ds_rc session_stream(ds_session *session, const char *name, ds_applied_stream **out, ds_error *err)
{
    bool warned = false;
    TRY(session_merges(session, err));
    for (size_t i = 0; i < session->merge_count; i++) {
        merge_streams found;
        applied_list list = {0};
        TRY(read_database(session, i, name, &found, err));
        add_wanted(session, &session->merges[i], &found, NULL, &list);
        if (list.n == 0)
            continue;
        *out = list.v;
        warn_of_types(session, &found, &warned);
        return DS_DONE;
    }
    ds_applied_stream *list; // all of them, for a helpful message
    size_t n;
    TRY(session_streams(session, NULL, &list, &n, err));
    if (session->missing.code != DS_OK) { // it may be there
        *err = session->missing;
        return (ds_rc){err->code};
    }
    return unknown_stream(session, name, list, n, err);
}
