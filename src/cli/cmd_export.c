#include "cli/commands.h"
#include "cli/export_model.h"
#include "cli/output.h"
#include "cli/session.h"
#include "gate/odcs.h"

static const ds_option OPTIONS[] = {
    {"output", 'o', OPTION_TEXT, "FILE", .help = "where to (default: print it)"},
    {"force", 0, OPTION_FLAG, .help = "overwrite the file"},
    {"team", 0, OPTION_TEXT, "ZONE/TEAM", .help = "of model: whose the datasets are"},
    {"datastore", 0, OPTION_TEXT, "NAME", .help = "of model: what they are called together; Model"},
    {"classification", 0, OPTION_TEXT, "WORD",
     .help = "of model: how the datasets must be protected; nothing is guessed"},
    {"fill", 0, OPTION_FLAG, .help = "of model: run by the transformer, fill its outputs"},
    SESSION_REF_OPTIONS,
    {0},
};

static ds_rc deliver(ds_cli *cli, const ds_datastore *store, const json_t *contract, ds_error *err)
{
    const char *output = args_text(&cli->args, "output");
    CLEANUP(buf_release) ds_buf text = BUF_INIT(ODCS_TEXT_MAX);
    TRY(odcs_put_yaml(contract, &text, err));
    if (output)
        TRY(output_file(cli, output, buf_str(&text), err));
    cli->result =
        json_pack("{s:s, s:o, s:O}", "datastore", store->name.s, "file", json_text(output), "contract", contract);
    const size_t n = datastore_dataset_count(store);
    if (output && !cli->json)
        fprintf(cli->out, "wrote %s: %s with %zu dataset%s\n", output, store->name.s, n, plural((int64_t)n));
    else if (!cli->json)
        fwrite(text.p, 1, text.n, cli->out);
    return DS_DONE;
}

static ds_rc export_odcs(ds_cli *cli, ds_error *err)
{
    const char *name = args_word(&cli->args, 1);
    if (!name)
        return ds_hint(ds_fail(err, DS_USAGE, "export odcs wants a datastore"), err, "write export odcs STORE");
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    session_use_ref_option(&session);
    TRY(session_need_valid(&session, err));
    const ds_datastore *store;
    TRY(session_datastore(&session, name, &store, err));
    json_t *contract = odcs_contract(session.model, store);
    ds_rc rc = deliver(cli, store, contract, err);
    json_decref(contract);
    return rc;
}

static ds_rc export_model(ds_cli *cli, ds_error *err)
{
    if (args_word(&cli->args, 1))
        return ds_fail(err, DS_USAGE, "export model exports the whole model: \"%s\" has no place there",
                       args_word(&cli->args, 1));
    return args_flag(&cli->args, "fill") ? export_model_fill(cli, err) : export_model_documents(cli, err);
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    static const struct {
        const char *name;
        ds_rc (*run)(ds_cli *cli, ds_error *err);
    } FORMATS[] = {{"odcs", export_odcs}, {"model", export_model}};
    const char *format = args_word(&cli->args, 0);
    for (size_t i = 0; i < sizeof FORMATS / sizeof FORMATS[0]; i++)
        if (strcmp(format, FORMATS[i].name) == 0)
            return FORMATS[i].run(cli, err);
    return ds_hint(ds_fail(err, DS_USAGE, "can't export \"%s\"", format), err,
                   "write export odcs STORE, or export model");
}

const ds_cli_command COMMAND_EXPORT = {
    .name = "export",
    .summary = "a datastore as a data contract, or the model as datasets",
    .group = "The model",
    .arguments = {{.name = "FORMAT", .help = "odcs: Open Data Contract Standard, version 3.1.0; model"},
                  {.name = "STORE", .help = "of odcs: a datastore, or what a transformer writes", .optional = true}},
    .options = OPTIONS,
    .help =
        "odcs prints a datastore as a data contract in YAML: its datasets, columns, keys, classifications and checks, "
        "where they are, whose they are, who may use them and how often they are brought. What the standard has no "
        "place for stands in customProperties as the property datasurface, so that `datasurface import odcs` gives the "
        "same datastore back. The version is a hash: it changes exactly when the contract does.\n\n"
        "model prints a workspace whose transformer keeps the model itself as datasets: its zones, teams, stores, "
        "columns, consumers, assignments, streams and so on, for everybody to query, with history where a platform "
        "keeps it. Leave out what nobody wants. The transformer runs `datasurface export model --fill` in the model's "
        "directory, or with -C and --ref in any repository.",
    .examples = {"datasurface export odcs Store1", "datasurface export odcs Store1 -o store1.odcs.yaml",
                 "datasurface export model --team USA/governance -o catalog.yaml"},
    .run = run,
};
