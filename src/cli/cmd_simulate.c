#include <stdlib.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "sim/simulate.h"

static const ds_option OPTIONS[] = {
    {"changes", 0, OPTION_INT, "N", .help = "how many rows to change (100, unless --seconds or --rate is given)"},
    {"seconds", 0, OPTION_INT, "N", .help = "how long to go on", .least = 1, .most = 1000000000},
    {"rate", 0, OPTION_INT, "N", .help = "changes a second (default: as fast as it goes)", .least = 1,
     .most = 1000000000},
    {"seed", 0, OPTION_INT, "S", .fallback = "1", .help = "another seed makes other changes"},
    {"rows", 0, OPTION_INT, "N", .fallback = "20", .help = "rows that an empty table gets first"},
    {"ledger", 0, OPTION_TEXT, "FILE", .help = "append what was done, as JSON Lines"},
    {"no-create", 0, OPTION_FLAG, .help = "a missing database or table is an error"},
    {0},
};

static void print_result(ds_cli *cli, const char *store, const ds_simulate_result *r)
{
    cli->result = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "store", store, "tables_created",
                            json_int64(r->tables_created), "seeded", json_int64(r->seeded), "transactions",
                            json_int64(r->transactions), "inserted", json_int64(r->inserted), "updated",
                            json_int64(r->updated), "deleted", json_int64(r->deleted));
    json_object_set_new(cli->result, "made_wal", json_boolean(r->made_wal));
    if (cli->json)
        return;
    if (r->made_wal)
        fprintf(cli->out, "%s: its rollback journal became a WAL, in which readers don't wait for writers\n", store);
    if (r->tables_created || r->seeded)
        fprintf(cli->out, "%s: made %d table%s and %d row%s to begin with\n", store, (int)r->tables_created,
                plural(r->tables_created), (int)r->seeded, plural(r->seeded));
    if (r->transactions || !r->seeded)
        fprintf(cli->out, "%s: %lld inserted, %lld updated, %lld deleted in %lld transaction%s\n", store,
                (long long)r->inserted, (long long)r->updated, (long long)r->deleted, (long long)r->transactions,
                plural(r->transactions));
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    TRY(session_need_valid(&session, err));
    const ds_datastore *store;
    TRY(session_datastore(&session, args_word(&cli->args, 0), &store, err));
    int64_t seconds = args_int(&cli->args, "seconds", 0), rate = args_int(&cli->args, "rate", 0);
    ds_simulate_options options = {
        .changes = args_int(&cli->args, "changes", seconds || rate ? SIMULATE_NO_LIMIT : 100),
        .seconds = (double)seconds,
        .rate = (double)rate,
        .seed = (uint64_t)args_int(&cli->args, "seed", 1),
        .seed_rows = args_int(&cli->args, "rows", 20),
        .create = !args_flag(&cli->args, "no-create"),
        .ledger = args_text(&cli->args, "ledger"),
    };
    ds_simulate_result result;
    TRY(simulate_run(&session.runtime, session.model, store, &options, &result, err));
    print_result(cli, store->name.s, &result);
    // Ctrl-C is how a simulation without an end is meant to end.
    if (result.interrupted && (options.changes >= 0 || seconds))
        return ds_fail(err, DS_CANCELLED, "interrupted; what was done is committed");
    return DS_DONE;
}

const ds_cli_command COMMAND_SIMULATE = {
    .name = "simulate",
    .summary = "make source data, and change it like a business",
    .group = "A start",
    .arguments = {{.name = "STORE", .help = "a datastore of the model"}},
    .options = OPTIONS,
    .help =
        "Inserts, updates and deletes rows of a store's source, in transactions that belong together: a customer with "
        "addresses, a correction, a deletion with what hangs on it. Columns are filled by what their names say, with "
        "nulls, unicode and boundary values now and then. Missing databases and tables are made first; "
        "--changes 0 does no more than that. With --rate alone it goes on until Ctrl-C.\n\n"
        "The same seed on the same data makes the same changes. Unless it runs in real time (--seconds, --rate) the ledger is the same, "
        "too: its clock begins with 2026 and goes on by a second a transaction. The ledger has one line a change, with tx, at, "
        "dataset, op, key and row: enough to recompute every state of the source.",
    .examples = {"datasurface simulate Store1 --changes 100", "datasurface simulate Store1 --seconds 60 --rate 5",
                 "datasurface simulate Store1 --seed 7 --ledger ledger.jsonl"},
    .run = run,
};
