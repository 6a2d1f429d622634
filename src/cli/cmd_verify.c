#include "cli/commands.h"
#include "cli/output.h"
#include "cli/work.h"

static bool differs(const ds_dataset_result *d)
{
    return !fingerprint_eq(d->source, d->merge) || d->key_count;
}

// Which side is not what the batch recorded; "" when both are.
static const char *wrong_side(const ds_dataset_result *d)
{
    bool source = !fingerprint_eq(d->source, d->fingerprint);
    bool merge = !fingerprint_eq(d->merge, d->fingerprint);
    return source && merge ? "both" : source ? "source" : merge ? "merge" : "";
}

static json_t *fingerprint_json(ds_fingerprint fp)
{
    char sum[FINGERPRINT_TEXT];
    fingerprint_print(fp, sum);
    return json_pack("{s:o, s:s}", "rows", json_int64(fp.rows), "sum", sum);
}

static json_t *dataset_json(const work_item *item, const ds_dataset_result *d)
{
    json_t *keys = json_array();
    for (size_t k = 0; k < d->key_count; k++)
        json_array_append_new(keys, json_pack("{s:o, s:s}", "key", json_text(d->keys[k].key), "what", d->keys[k].what));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b, s:s, s:o}", "stream", item->stream->info.name, "container",
                     item->stream->merge->name, "dataset", d->dataset, "source", fingerprint_json(d->source), "merge",
                     fingerprint_json(d->merge), "equal", !differs(d), "unlike_recorded", wrong_side(d), "keys", keys);
}

// Where some of the services' databases are replicas, a column says which one a row is of.
static const char *const HEADINGS[] = {"stream", "dataset", ">source rows", ">merge rows", "fingerprint",
                                       "result", NULL};
static const char *const HEADINGS_OF_SEVERAL[] = {"stream",      "database",    "dataset", ">source rows",
                                                  ">merge rows", "fingerprint", "result",  NULL};

static void add_row(const ds_cli *cli, ds_table *table, const work_item *item, const ds_dataset_result *d)
{
    char sum[FINGERPRINT_TEXT];
    bool equal = !differs(d);
    size_t shift = table->headings == HEADINGS_OF_SEVERAL;
    table_row(table);
    table_cell(table, 0, "%s", item->stream->info.name);
    if (shift)
        table_cell(table, 1, "%s", item->stream->merge->name);
    table_cell(table, shift + 1, "%s", d->dataset);
    table_int(table, shift + 2, d->source.rows);
    table_int(table, shift + 3, d->merge.rows);
    fingerprint_print(d->source, sum);
    table_cell(table, shift + 4, "%s", sum);
    table_cell(table, shift + 5, "%s%s%s", style(cli, equal ? STYLE_GREEN : STYLE_RED), equal ? "equal" : "DIFFERS",
               style_end(cli));
    if (equal)
        return;
    table_row(table);
    fingerprint_print(d->merge, sum);
    table_cell(table, shift + 4, "%s", sum);
    table_cell(table, shift + 5, "in merge");
}

static void print_side(const ds_cli *cli, const work_item *item, const ds_dataset_result *d)
{
    const char *side = wrong_side(d);
    if (side[0])
        fprintf(cli->out, "%s %s: not as batch %lld recorded it: %s\n", item->stream->info.name, d->dataset,
                (long long)item->result.batch,
                strcmp(side, "both") == 0    ? "source and merge table"
                : strcmp(side, "merge") == 0 ? "the merge table"
                                             : "the source");
}

static void print_keys(const ds_cli *cli, const work_item *item)
{
    for (size_t i = 0; i < item->result.n; i++) {
        const ds_dataset_result *d = &item->result.datasets[i];
        if (differs(d))
            print_side(cli, item, d);
        for (size_t k = 0; k < d->key_count; k++)
            fprintf(cli->out, "%s %s: %s %s\n", item->stream->info.name, d->dataset, d->keys[k].key, d->keys[k].what);
    }
}

typedef struct verdict {
    size_t streams, failed; // failed: not run, or run without success
    size_t compared, unequal;
    bool part; // replicas that can't be reached were left out
} verdict;

// The last line; "exact" only when nothing was left out.
static void print_verdict(const ds_cli *cli, const verdict *v)
{
    FILE *out = cli->out;
    if (v->unequal)
        fprintf(out, "\n%zu of %zu datasets differ; datasurface resnapshot STREAM repairs\n", v->unequal, v->compared);
    if (v->failed)
        fprintf(out, "%s%s%zu of %zu stream%s could be compared%s%s\n", v->unequal || !v->compared ? "" : "\n",
                style(cli, STYLE_RED), v->streams - v->failed, v->streams, plural((int64_t)v->streams),
                v->compared && !v->unequal ? "; what could be is equal" : "", style_end(cli));
    else if (v->part && v->compared && !v->unequal)
        fprintf(out, "\n%swhat could be compared is equal; some replicas could not be reached%s\n",
                style(cli, STYLE_RED), style_end(cli));
    else if (v->compared && !v->unequal)
        fprintf(out, "\n%sexact%s: %zu dataset%s of the merge database %s the source, row by row\n",
                style(cli, STYLE_GREEN), style_end(cli), v->compared, plural((int64_t)v->compared),
                v->compared == 1 ? "equals" : "equal");
}

static void print_list(ds_session *session, const work_list *list, size_t streams, bool part)
{
    ds_cli *cli = session->cli;
    bool several = session->merge_count > session->replicas_from;
    ds_table table = table_new(cli->arena, several ? HEADINGS_OF_SEVERAL : HEADINGS);
    json_t *datasets = json_array();
    verdict v = {.streams = streams, .failed = streams - list->n, .part = part};
    for (size_t i = 0; i < list->n; i++) {
        const work_item *item = &list->v[i];
        v.failed += item->error.code != DS_OK;
        for (size_t k = 0; item->error.code == DS_OK && k < item->result.n; k++, v.compared++) {
            const ds_dataset_result *d = &item->result.datasets[k];
            add_row(cli, &table, item, d);
            json_array_append_new(datasets, dataset_json(item, d));
            v.unequal += differs(d);
        }
    }
    cli->result = json_pack("{s:o, s:i, s:i}", "datasets", datasets, "streams", (int)v.streams, "compared",
                            (int)(v.streams - v.failed));
    if (v.unequal)
        cli->exit = 1;
    if (cli->json)
        return;
    if (v.compared)
        table_print(cli, &table, "");
    for (size_t i = 0; i < list->n; i++) {
        print_keys(cli, &list->v[i]);
        if (list->v[i].result.note && list->v[i].result.note[0])
            note(cli, "%s: not compared: %s", list->v[i].stream->info.name, list->v[i].result.note);
    }
    print_verdict(cli, &v);
}

static ds_rc choose(ds_session *session, work_list *out, ds_error *err)
{
    ds_cli *cli = session->cli;
    ds_applied_stream *streams;
    size_t n = 0;
    if (cli->args.word_count == 0)
        TRY(session_streams(session, NULL, &streams, &n, err));
    else
        streams = ARENA_ARRAY(cli->arena, ds_applied_stream, cli->args.word_count);
    for (size_t i = 0; i < cli->args.word_count; i++) {
        ds_applied_stream *one;
        TRY(session_stream(session, cli->args.words[i], &one, err));
        streams[n++] = *one;
    }
    *out = work_order(cli->arena, streams, n);
    return DS_DONE;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    work_list list;
    TRY(choose(&session, &list, err));
    ds_job_options options = {
        .lease_wait_ms = (int)args_duration_ms(&cli->args, "lease-wait", 10000),
        .verify = true,
    };
    size_t streams = list.n;
    work_run(&session, &list, &options);
    bool part = cli->args.word_count == 0 && session.missing.code != DS_OK; // streams that were named have been found
    print_list(&session, &list, streams, part);
    int mismatch = cli->exit;
    TRY(work_finish(cli, &list, err));
    cli->exit = cli->exit ? cli->exit : mismatch;
    if (!part || cli->exit)
        return DS_DONE;
    *err = session.missing;
    return (ds_rc){err->code};
}

const ds_cli_command COMMAND_VERIFY = {
    .name = "verify",
    .summary = "proof that merge tables equal their source",
    .group = "The results",
    .arguments = {{.name = "STREAM", .help = "only these streams", .optional = true, .many = true}},
    .help =
        "Runs one batch of each stream and compares, within the snapshot of that batch, every row of the source with the "
        "merge table: the fingerprint is the number of rows and the sum of their 128-bit hashes, recomputed from what is "
        "stored. So a lag never looks like damage. Where they differ, the first keys are named.",
    .exits =
        {{1, "a dataset differs, or a batch failed"},
         {3, "worth a retry: a source, the merge database or that of a replica can't be reached, or a stream is busy"}},
    .examples = {"datasurface verify", "datasurface verify YellowLive/Store1"},
    .run = run,
};
