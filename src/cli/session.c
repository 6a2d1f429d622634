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
        session->merges[i] = container_dup(arena, &session->merges[i]);
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
                database_of(root->replica, database_replica_credential(roots, root->replica));
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
            session->merges[session->merge_count++] = database_of(container, services[i]->merge_credential.s);
    }
    add_replicas(session, services, n);
    return DS_DONE;
}
