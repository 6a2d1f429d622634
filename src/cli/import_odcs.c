// import odcs FILE: a data contract as a datastore of the model.
#include "base/file.h"
#include "cli/import_place.h"
#include "cli/output.h"
#include "gate/import.h"
#include "gate/odcs.h"
#include "model/pattern.h"

static ds_rc check_options(const ds_cli *cli, ds_error *err)
{
    static const char *const OF_DATABASES[] = {"tables", "schema", "views", "credential"};
    for (size_t i = 0; i < sizeof OF_DATABASES / sizeof OF_DATABASES[0]; i++)
        if (args_given(&cli->args, OF_DATABASES[i]))
            return ds_fail(err, DS_USAGE, "--%s is for databases", OF_DATABASES[i]);
    const char *datastore = args_text(&cli->args, "datastore");
    if (datastore && !MODEL_PATTERNS[PATTERN_NAME].matches(str_of(datastore)))
        return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" is not a legal name", datastore), err, "%s",
                       MODEL_PATTERNS[PATTERN_NAME].form);
    return DS_DONE;
}

// The model's container that the contract's data is in: by --container, or by its name there; NULL: none yet.
static ds_rc find_container(const ds_session *session, const import_place *there, const json_t *contract,
                            const char **out, ds_error *err)
{
    const char *given = args_text(&session->cli->args, "container");
    const char *name = given ? given : odcs_container(contract, session->cli->arena);
    const ds_container *found = name && session->model ? model_container(session->model, name) : NULL;
    *out = found && found->pos.file != there->replaced ? found->name.s : NULL;
    if (!given || *out)
        return DS_DONE;
    const char *nearest = session->model ? map_nearest(session->model->container_by_name, given) : NULL;
    ds_rc rc = ds_fail(err, DS_USAGE, "no container \"%s\" in the model", given);
    return nearest ? ds_hint(rc, err, "did you mean \"%s\"?", nearest) : rc;
}

static void print_summary(ds_cli *cli, const import_place *there, const ds_odcs_options *options,
                          const ds_odcs_summary *s)
{
    cli->result = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "datastore", options->datastore, "file", there->output,
                            "datasets", (json_int_t)s->datasets, "renamed", (json_int_t)s->renamed, "guessed",
                            (json_int_t)s->guessed, "left_out", (json_int_t)s->left_out);
    if (cli->json)
        return;
    fprintf(cli->out, "wrote %s: %s with %zu dataset%s\n", there->output, options->datastore, s->datasets,
            plural((int64_t)s->datasets));
    if (s->renamed)
        fprintf(cli->out, "  %zu name%s made legal; the contract's stand beside them\n", s->renamed,
                plural((int64_t)s->renamed));
    if (s->guessed)
        fprintf(cli->out, "  %zu column%s of an unknown type: look at the comments\n", s->guessed,
                plural((int64_t)s->guessed));
    if (s->left_out)
        fprintf(cli->out, "  %zu %s left out: comments in the file say which and why\n", s->left_out,
                s->left_out == 1 ? "entry is" : "entries are");
    fprintf(cli->out, "\nnext: datasurface lint\n");
}

static ds_rc import_contract(ds_session *session, const char *path, json_t *contract, ds_error *err)
{
    ds_cli *cli = session->cli;
    const char *datastore = args_text(&cli->args, "datastore"), *team = args_text(&cli->args, "team");
    ds_odcs_options options = {.datastore = datastore ? datastore : odcs_name(contract, cli->arena)};
    if (!options.datastore)
        return ds_hint(ds_fail(err, DS_USAGE, "%s has no name", path), err, "--datastore NAME gives it one");
    import_place there;
    TRY(import_place_find(session, options.datastore, team ? team : odcs_team(contract, cli->arena), &there, err));
    options.team = there.team;
    if (!options.team)
        return ds_hint(ds_fail(err, DS_USAGE, "import wants --team: there is no Ecosystem yet"), err,
                       "write ZONE/TEAM");
    if (!MODEL_PATTERNS[PATTERN_TEAM].matches(str_of(options.team)))
        return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" is not a team", options.team), err, "%s",
                       MODEL_PATTERNS[PATTERN_TEAM].form);
    TRY(find_container(session, &there, contract, &options.container, err));
    CLEANUP(buf_release) ds_buf yaml = BUF_INIT(ODCS_TEXT_MAX);
    ds_odcs_summary summary;
    TRY(ds_context(odcs_import(&options, contract, cli->arena, &yaml, &summary, err), err, "%s", path));
    if (strcmp(there.output, "-") == 0) {
        fwrite(yaml.p, 1, yaml.n, cli->out);
        cli->json = false;
        return DS_DONE;
    }
    TRY(import_place_write(session, &there, buf_str(&yaml), err));
    print_summary(cli, &there, &options, &summary);
    return DS_DONE;
}

ds_rc import_odcs_run(ds_cli *cli, const char *path, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    TRY(check_options(cli, err));
    CLEANUP(buf_release) ds_buf text = BUF_INIT(ODCS_TEXT_MAX);
    TRY(file_read(path, &text, err));
    json_t *contract;
    TRY(odcs_read(buf_str(&text), path, &contract, err));
    ds_rc rc = import_contract(&session, path, contract, err);
    json_decref(contract);
    return rc;
}
