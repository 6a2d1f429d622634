#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "gate/odcs.h"

static const ds_option OPTIONS[] = {
    {"output", 'o', OPTION_TEXT, "FILE", .help = "where to (default: print it)"},
    {"force", 0, OPTION_FLAG, .help = "overwrite the file"},
    {0},
};

static ds_rc find_store(const ds_session *session, const ds_datastore **out, ds_error *err)
{
    const char *format = args_word(&session->cli->args, 0), *name = args_word(&session->cli->args, 1);
    if (strcmp(format, "odcs") != 0)
        return ds_hint(ds_fail(err, DS_USAGE, "can't export \"%s\"", format), err, "write export odcs STORE");
    return session_datastore(session, name, out, err);
}

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

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    TRY(session_need_valid(&session, err));
    const ds_datastore *store;
    TRY(find_store(&session, &store, err));
    json_t *contract = odcs_contract(session.model, store);
    ds_rc rc = deliver(cli, store, contract, err);
    json_decref(contract);
    return rc;
}

const ds_cli_command COMMAND_EXPORT = {
    .name = "export",
    .summary = "a datastore as a data contract",
    .group = "The model",
    .arguments = {{.name = "FORMAT", .help = "odcs: Open Data Contract Standard, version 3.1.0"},
                  {.name = "STORE", .help = "a datastore, or what a transformer writes"}},
    .options = OPTIONS,
    .help =
        "Prints a datastore as a data contract in YAML: its datasets, columns, keys, classifications and checks, where "
        "they are, whose they are, who may use them and how often they are brought. What the standard has no place for "
        "stands in customProperties as the property datasurface, so that `datasurface import odcs` gives the same "
        "datastore back. The version is a hash: it changes exactly when the contract does.",
    .examples = {"datasurface export odcs Store1", "datasurface export odcs Store1 -o store1.odcs.yaml"},
    .run = run,
};
