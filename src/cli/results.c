#include "cli/results.h"

#include "cli/output.h"
#include "cli/units.h"

enum {
    DATASETS_SHOWN = 20, // of a stream of which all are shown
    NAME_COLUMNS = 120,
    CELL_BYTES = 1024,
};

// What a row tells.
typedef struct tally {
    ds_counts counts;
    double seconds;
} tally;

static void add(tally *to, const ds_counts *counts, double seconds)
{
    to->counts.read += counts->read;
    to->counts.inserted += counts->inserted;
    to->counts.updated += counts->updated;
    to->counts.deleted += counts->deleted;
    to->counts.unchanged += counts->unchanged;
    to->counts.bytes += counts->bytes;
    to->seconds += seconds;
}

static void name_cell(ds_table *table, const char *indent, const char *name)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(CELL_BYTES);
    put_printable(&text, name, NAME_COLUMNS);
    table_cell(table, 0, "%s%s", indent, buf_text(&text));
}

// The figures, from a column on: read, inserted, updated, deleted, unchanged, bytes, seconds, rows/s.
static void figure_cells(ds_table *table, size_t column, const tally *t)
{
    const int64_t counts[] = {t->counts.read, t->counts.inserted, t->counts.updated, t->counts.deleted,
                              t->counts.unchanged};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        table_int(table, column++, counts[i]);
    CLEANUP(buf_release) ds_buf bytes = BUF_INIT(64);
    put_bytes(&bytes, t->counts.bytes);
    table_cell(table, column++, "%s", buf_text(&bytes));
    table_cell(table, column++, "%.2f", t->seconds);
    CLEANUP(buf_release) ds_buf rate = BUF_INIT(64);
    put_rate(&rate, t->counts.read, t->seconds);
    table_cell(table, column, "%s", buf_text(&rate));
}

static bool changed(const ds_dataset_result *d)
{
    return d->first_load || d->counts.inserted || d->counts.updated || d->counts.deleted;
}

// figures: the column where they begin.
static void dataset_rows(ds_table *table, const char *indent, size_t figures, const ds_job_result *result)
{
    tally rest = {0};
    size_t unchanged = 0;
    for (size_t i = 0; i < result->n; i++) {
        const ds_dataset_result *d = &result->datasets[i];
        if (result->n > DATASETS_SHOWN && !changed(d)) {
            add(&rest, &d->counts, d->seconds);
            unchanged++;
            continue;
        }
        table_row(table);
        name_cell(table, indent, d->dataset);
        figure_cells(table, figures, &(tally){d->counts, d->seconds});
    }
    if (unchanged == 0)
        return;
    table_row(table);
    table_cell(table, 0, "%s%zu unchanged table%s", indent, unchanged, plural((int64_t)unchanged));
    figure_cells(table, figures, &rest);
}

// Why a stream has no figures, or NULL.
static const char *instead(const work_item *item)
{
    if (item->error.code != DS_OK || item->skipped)
        return work_item_status(item);
    if (item->result.batch)
        return NULL;
    return item->result.note && item->result.note[0] ? item->result.note : "nothing to do";
}

enum { STREAM_BATCH = 1, STREAM_FIGURES = 2, STREAM_INSTEAD = 10 };

static void stream_rows(ds_table *table, const work_item *item)
{
    const ds_job_result *r = &item->result;
    table_row(table);
    name_cell(table, "", item->stream->info.name);
    if (instead(item)) {
        table_cell(table, STREAM_INSTEAD, "%s", instead(item));
        return;
    }
    table_int(table, STREAM_BATCH, r->batch);
    figure_cells(table, STREAM_FIGURES, &(tally){r->counts, r->seconds});
    table_cell(table, STREAM_INSTEAD, "%s", r->note);
    if (r->n > 1)
        dataset_rows(table, "  ", STREAM_FIGURES, r);
}

void results_print_streams(const ds_cli *cli, const work_list *list)
{
    static const char *const HEADINGS[] = {"stream",     ">batch", ">read",    ">inserted", ">updated", ">deleted",
                                           ">unchanged", ">bytes", ">seconds", ">rows/s",   "",         NULL};
    ds_table table = table_new(cli->arena, HEADINGS);
    tally total = {0};
    size_t committed = 0;
    for (size_t i = 0; i < list->n; i++) {
        stream_rows(&table, &list->v[i]);
        if (instead(&list->v[i]))
            continue;
        add(&total, &list->v[i].result.counts, list->v[i].result.seconds);
        committed++;
    }
    if (committed > 1) {
        table_row(&table);
        table_cell(&table, 0, "total");
        figure_cells(&table, STREAM_FIGURES, &total);
    }
    table_print(cli, &table, "");
}

void results_print_datasets(const ds_cli *cli, const ds_job_result *result)
{
    static const char *const HEADINGS[] = {"dataset",    ">read",  ">inserted", ">updated", ">deleted",
                                           ">unchanged", ">bytes", ">seconds",  ">rows/s",  NULL};
    ds_table table = table_new(cli->arena, HEADINGS);
    dataset_rows(&table, "", 1, result);
    table_row(&table);
    table_cell(&table, 0, "total");
    figure_cells(&table, 1, &(tally){result->counts, result->seconds});
    table_print(cli, &table, "");
}
