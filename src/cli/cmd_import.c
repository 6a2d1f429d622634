#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/init.h"
#include "cli/output.h"
#include "cli/session.h"
#include "gate/import.h"

static const ds_option OPTIONS[] = {
    {"datastore", 0, OPTION_TEXT, "NAME", .help = "the datastore's name (default: made from the file's name)"},
    {"team", 0, OPTION_TEXT, "ZONE/TEAM", .help = "who owns it (default: the only team of the model)"},
    {"tables", 0, OPTION_TEXT, "GLOB", .help = "only tables whose names match"},
    {"output", 'o', OPTION_TEXT, "FILE", .help = "where to (default: NAME.yaml in the model's directory; -: print it)"},
    {"force", 0, OPTION_FLAG, .help = "overwrite the file"},
    {0},
};

// --- where the source is

// The text before "://" or ":" when it is a scheme and no file name.
static ds_str scheme_of(const char *url)
{
    ds_str rest = str_of(url);
    ds_str scheme = str_split(&rest, ':');
    bool is_scheme = scheme.n > 1 && scheme.n < strlen(url) && !memchr(scheme.p, '/', scheme.n);
    return is_scheme ? scheme : (ds_str){url, 0};
}

static ds_rc source_path(const char *url, const char **out, ds_error *err)
{
    ds_str scheme = scheme_of(url);
    *out = url;
    if (str_eq(scheme, STR("sqlite")))
        *out = url + scheme.n + 1;
    else if (str_eq(scheme, STR("postgres")) || str_eq(scheme, STR("postgresql")))
        return ds_hint(ds_fail(err, DS_USAGE, "import from PostgreSQL is not in this version yet"), err,
                       "sqlite:PATH and files are");
    else if (scheme.n)
        return ds_hint(ds_fail(err, DS_USAGE, "can't import \"%s\"", url), err, "write sqlite:PATH, or a file's name");
    return (*out)[0] ? DS_DONE : ds_fail(err, DS_USAGE, "\"%s\" names no file", url);
}

// As the model says it: relative to the model's directory where the file lies below it.
static const char *model_path(ds_arena *arena, const char *dir, const char *path)
{
    if (strcmp(dir, ".") == 0)
        return path;
    char *real_dir = realpath(dir, NULL), *real_path = realpath(path, NULL);
    const char *out = path;
    size_t n = real_dir ? strlen(real_dir) : 0;
    if (real_path)
        out = arena_strdup(arena, n && strncmp(real_path, real_dir, n) == 0 && real_path[n] == '/' ? real_path + n + 1
                                                                                                   : real_path);
    free(real_dir);
    free(real_path);
    return out;
}

// "data/chinook.sqlite" -> "chinook"
static const char *name_from_path(ds_arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    ds_str stem = {base, dot && dot > base ? (size_t)(dot - base) : strlen(base)};
    return import_legal_name(arena, arena_str(arena, stem), "imported");
}

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

typedef struct surroundings {
    const char *output;       // where the text goes; "-": standard output
    uint32_t replaced;        // that file's number in the model; 0: not in it
    bool has_ecosystem;       // besides what is replaced
    const char *lost;         // a document that replacing the file would lose; NULL: none
    const ds_datastore *same; // the datastore of that name
} surroundings;

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
static ds_rc load_what_is_there(ds_session *session, const char *datastore, surroundings *out, ds_error *err)
{
    if (!file_is_dir(session->dir))
        return args_given(&session->cli->args, "dir") && file_exists(session->dir)
                   ? ds_fail(err, DS_USAGE, "\"%s\" is a file, not a directory", session->dir)
                   : DS_DONE;
    ds_rc rc = session_load(session, err);
    if (!session->model || files_count(session->model->files) > 0)
        TRY(rc);
    *err = (ds_error){0};
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
static ds_rc check_surroundings(const ds_session *session, const surroundings *there, const char *team, ds_error *err)
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

// --- reading and writing

static ds_rc read_catalog(const ds_session *session, const char *path, ds_arena *arena, const ds_catalog_table **tables,
                          size_t *n, ds_error *err)
{
    ds_target target = {.type = "sqlite", .path = path};
    ds_open_options options = {.read_only = true, .busy_timeout_ms = 5000, .clock = session->runtime.clock};
    ds_db *db;
    TRY(store_open(session->runtime.store, &target, &options, &db, err));
    ds_rc rc = db->driver->list(db, arena, tables, n, err);
    store_close(db);
    return rc;
}

static ds_rc write_file(ds_cli *cli, const char *dir, const char *path, ds_str yaml, ds_error *err)
{
    TRY(file_make_dirs(dir, err));
    ds_rc rc = file_write_atomic(path, yaml, !args_flag(&cli->args, "force"), err);
    if (rc.code == DS_USAGE)
        return ds_hint(rc, err, "--force overwrites it; -o FILE writes elsewhere");
    TRY(rc);
    return init_write_schema(cli, dir, err);
}

static void print_summary(ds_cli *cli, const char *path, const ds_import_options *options, const ds_import_summary *s)
{
    cli->result = json_pack("{s:s, s:o, s:b, s:I, s:I, s:I, s:I, s:I}", "datastore", options->datastore, "file",
                            json_text(path), "whole_model", options->whole_model, "tables", (json_int_t)s->tables,
                            "views", (json_int_t)s->views, "keyless", (json_int_t)s->keyless, "renamed",
                            (json_int_t)s->renamed, "guessed", (json_int_t)s->guessed);
    if (cli->json)
        return;
    FILE *out = cli->out;
    fprintf(out, "wrote %s: %s with %zu dataset%s%s\n", path, options->datastore, s->tables, plural((int64_t)s->tables),
            options->whole_model ? ", and a model around it" : "");
    if (s->views)
        fprintf(out, "  %zu view%s left out\n", s->views, plural((int64_t)s->views));
    if (s->keyless)
        fprintf(out, "  %zu without a primary key: live rows only, no history\n", s->keyless);
    if (s->renamed)
        fprintf(out, "  %zu name%s made legal; the source's stand beside them\n", s->renamed,
                plural((int64_t)s->renamed));
    if (s->skipped)
        fprintf(out, "  %zu column%s without a name left out\n", s->skipped, plural((int64_t)s->skipped));
    if (s->guessed)
        fprintf(out, "  %zu column%s of an unknown type: look at the descriptions\n", s->guessed,
                plural((int64_t)s->guessed));
    fprintf(out, "\nnext: classify the data, then datasurface lint%s\n",
            options->whole_model ? ", apply and run --once" : "");
}

static const char *output_path(const ds_session *session, const char *datastore)
{
    const char *output = args_text(&session->cli->args, "output");
    if (output)
        return output;
    CLEANUP(buf_release) ds_buf joined = BUF_INIT(FILE_PATH_MAX);
    file_join(&joined, session->dir, arena_printf(session->cli->arena, "%s.yaml", datastore));
    return arena_strdup(session->cli->arena, buf_text(&joined));
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    const char *path = "";
    TRY(source_path(args_word(&cli->args, 0), &path, err));
    const ds_catalog_table *tables;
    size_t n;
    TRY(read_catalog(&session, path, cli->arena, &tables, &n, err));
    const char *datastore = args_text(&cli->args, "datastore"), *team = args_text(&cli->args, "team");
    if (!datastore)
        datastore = name_from_path(cli->arena, path);
    surroundings there = {.output = output_path(&session, datastore)};
    TRY(load_what_is_there(&session, datastore, &there, err));
    TRY(check_surroundings(&session, &there, team, err));
    if (!team && there.has_ecosystem)
        TRY(choose_team(&session, &team, err));
    ds_target target = {.type = "sqlite", .path = model_path(cli->arena, session.dir, path)};
    ds_import_options options = {
        .datastore = datastore,
        .team = !team && there.same ? there.same->team.s : team,
        .target = &target,
        .tables = args_text(&cli->args, "tables"),
        .whole_model = !there.has_ecosystem,
    };
    CLEANUP(buf_release) ds_buf yaml = BUF_INIT(IMPORT_TEXT_MAX);
    ds_import_summary summary;
    TRY(import_catalog(&options, tables, n, cli->arena, &yaml, &summary, err));
    if (strcmp(there.output, "-") == 0) {
        fwrite(yaml.p, 1, yaml.n, cli->out);
        cli->json = false;
        return DS_DONE;
    }
    TRY(write_file(cli, session.dir, there.output, buf_str(&yaml), err));
    print_summary(cli, there.output, &options, &summary);
    return DS_DONE;
}

const ds_cli_command COMMAND_IMPORT = {
    .name = "import",
    .summary = "a datastore from a database's catalogue",
    .group = "A start",
    .arguments = {{.name = "URL", .help = "sqlite:PATH, or a file's name"}},
    .options = OPTIONS,
    .help =
        "Reads tables, columns and keys from a database and writes its DataContainer and Datastore as a file of the "
        "model. Where there is no Ecosystem yet it writes a complete model of one team around them, with a live and a "
        "history group; --force over such a file writes all of it again. Names that the model can't have get legal ones, with the source's beside them. Classification is "
        "never guessed: lint warns until you say it.",
    .examples = {"datasurface import chinook.sqlite",
                 "datasurface import sqlite:/data/crm.db --datastore CRM --team EU/sales",
                 "datasurface import crm.db --tables 'cust*' -o -"},
    .run = run,
};
