#include "cli/import_place.h"

#include <sys/stat.h>

#include "base/file.h"
#include "cli/init.h"
#include "cli/output.h"

// --- whom it belongs to

static ds_rc choose_team(const ds_session *session, const char **out, ds_error *err)
{
    ds_arena *arena = session->cli->arena;
    CLEANUP(buf_release) ds_buf all = BUF_INIT(DS_ERROR_HINT);
    size_t n = 0;
    for (size_t z = 0; z < session->model->zones.n; z++) {
        const ds_zone *zone = session->model->zones.v[z];
        for (size_t t = 0; t < zone->teams.n; t++, n++) {
            *out = arena_printf(arena, "%s/%s", zone->name.s, zone->teams.v[t].name.s);
            buf_printf(&all, "%s%s", n ? ", " : "", *out);
        }
    }
    if (n == 1)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_USAGE, "import wants --team: the model has %zu teams", n), err, "one of %s",
                   n ? buf_text(&all) : "none: a GovernanceZone declares them");
}

// --- what is there already

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static uint32_t find_replaced(const ds_session *session, const char *output)
{
    for (uint32_t i = 1; i <= files_count(session->model->files); i++) {
        CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
        file_join(&path, session->dir, files_path(session->model->files, i));
        if (same_file(buf_text(&path), output))
            return i;
    }
    return 0;
}

// Documents of other kinds, and other stores and containers, that stand in the file.
static const char *find_lost(const ds_model *model, uint32_t file, const char *datastore)
{
    for (size_t i = 0; i < model->zones.n; i++)
        if (model->zones.v[i]->pos.file == file)
            return model->zones.v[i]->name.s;
    for (size_t i = 0; i < model->workspaces.n; i++)
        if (model->workspaces.v[i]->pos.file == file)
            return model->workspaces.v[i]->name.s;
    for (size_t i = 0; i < model->services.n; i++)
        if (model->services.v[i]->pos.file == file)
            return model->services.v[i]->name.s;
    for (size_t i = 0; i < model->environments.n; i++)
        if (model->environments.v[i]->pos.file == file)
            return model->environments.v[i]->name.s;
    for (size_t i = 0; i < model->datastores.n; i++)
        if (model->datastores.v[i]->pos.file == file && strcmp(model->datastores.v[i]->name.s, datastore) != 0)
            return model->datastores.v[i]->name.s;
    return NULL;
}

// An absent or empty directory is fine: it gets a whole model.
static ds_rc load_what_is_there(ds_session *session, const char *datastore, import_place *out, ds_error *err)
{
    if (!file_is_dir(session->dir))
        return args_given(&session->cli->args, "dir") && file_exists(session->dir)
                   ? ds_fail(err, DS_USAGE, "\"%s\" is a file, not a directory", session->dir)
                   : DS_DONE;
    ds_rc rc = session_load(session, err);
    if (session->compiled.tree && tree_count(session->compiled.tree) == 0) {
        *err = (ds_error){0};
        return DS_DONE;
    }
    TRY(rc);
    const ds_model *model = session->model;
    out->replaced = find_replaced(session, out->output);
    for (size_t i = 0; i < model->ecosystems.n; i++)
        out->has_ecosystem |= model->ecosystems.v[i]->pos.file != out->replaced;
    out->same = model_datastore(model, datastore);
    out->lost = out->replaced ? find_lost(model, out->replaced, datastore) : NULL;
    return DS_DONE;
}

static ds_rc check_team(const ds_session *session, const char *team, ds_error *err)
{
    ds_arena *arena = session->cli->arena;
    for (size_t z = 0; z < session->model->zones.n; z++)
        for (size_t t = 0; t < session->model->zones.v[z]->teams.n; t++)
            if (strcmp(team, arena_printf(arena, "%s/%s", session->model->zones.v[z]->name.s,
                                          session->model->zones.v[z]->teams.v[t].name.s)) == 0)
                return DS_DONE;
    return ds_hint(ds_fail(err, DS_USAGE, "no team \"%s\" in the model", team), err,
                   "write ZONE/TEAM as a GovernanceZone declares it");
}

// Nothing may be lost or said twice.
static ds_rc check_import_place(const ds_session *session, const import_place *there, const char *team, ds_error *err)
{
    if (there->has_ecosystem && team)
        TRY(check_team(session, team, err));
    if (strcmp(there->output, "-") == 0)
        return DS_DONE;
    if (there->same && there->same->pos.file != there->replaced)
        return ds_hint(ds_fail(err, DS_USAGE, "the model has a datastore \"%s\" already, in %s", there->same->name.s,
                               files_path(session->model->files, there->same->pos.file)),
                       err, "--datastore NAME gives it another name");
    if (there->has_ecosystem && there->lost && args_flag(&session->cli->args, "force"))
        return ds_hint(ds_fail(err, DS_USAGE, "%s holds \"%s\" as well, which would be lost", there->output,
                               there->lost),
                       err, "-o FILE writes elsewhere");
    return DS_DONE;
}

// --- all of it

static const char *output_path(const ds_session *session, const char *datastore)
{
    const char *output = args_text(&session->cli->args, "output");
    if (output)
        return output;
    CLEANUP(buf_release) ds_buf joined = BUF_INIT(FILE_PATH_MAX);
    file_join(&joined, session->dir, arena_printf(session->cli->arena, "%s.yaml", datastore));
    return arena_strdup(session->cli->arena, buf_text(&joined));
}

ds_rc import_place_find(ds_session *session, const char *datastore, const char *team, import_place *out, ds_error *err)
{
    *out = (import_place){.output = output_path(session, datastore), .team = team};
    TRY(load_what_is_there(session, datastore, out, err));
    TRY(check_import_place(session, out, team, err));
    if (!team && out->has_ecosystem)
        TRY(choose_team(session, &out->team, err));
    if (!out->team && out->same)
        out->team = out->same->team.s;
    return DS_DONE;
}

ds_rc import_place_write(const ds_session *session, const import_place *place, ds_str yaml, ds_error *err)
{
    TRY(file_make_dirs(session->dir, err));
    TRY(output_file(session->cli, place->output, yaml, err));
    return init_write_schema(session->cli, session->dir, err);
}
