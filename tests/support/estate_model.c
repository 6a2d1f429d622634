#include "support/estate_model.h"

#include <stdio.h>
#include <stdlib.h>

static const char * or (const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static void put_dataset(ds_buf *out, const char *name, const char *columns, const char *more)
{
    if (!columns)
        return;
    buf_printf(out, "  %s:\n", name);
    if (more)
        buf_printf(out, "    %s\n", more);
    buf_printf(out, "    columns: {%s}\n", columns);
}

// The fields of a container, one on each line.
static void put_container(estate *e, int side, ds_buf *out)
{
    for (ds_str rest = str_of(pair_container_yaml(&e->pair, side, e->arena)); rest.n;) {
        ds_str line = str_trim(str_split(&rest, ','));
        buf_printf(out, "%.*s\n", STR_ARGS(line));
    }
}

static void put_store(estate *e, ds_buf *out, const estate_model *m)
{
    buf_puts(out, "kind: DataContainer\nteam: Z/T\nname: Source\n");
    put_container(e, PAIR_SOURCE, out);
    const char *credential = estate_credential(e, PAIR_SOURCE, "  ");
    buf_printf(out,
               "---\nkind: Datastore\nteam: Z/T\nname: Store1\ncapture:\n  type: sql_snapshot\n  container: Source\n"
               "%s  trigger: {cron: \"*/5 * * * *\"}\n  consistency: %s\n  max_delete_ratio: 1\ndatasets:\n",
               credential[0] ? arena_printf(e->arena, "%s\n", credential) : "", or (m->consistency, "multi_dataset"));
    put_dataset(out, "people", m->people, m->people_more);
    put_dataset(out, "orders", m->orders, NULL);
}

static void put_workspace(ds_buf *out, const estate_model *m)
{
    if (!m->live && !m->full)
        return;
    buf_puts(out, "---\nkind: Workspace\nteam: Z/T\nname: Consumer\ndataset_groups:\n");
    if (m->live)
        buf_printf(out, "  live:\n    sinks: [%s]\n", m->live);
    if (m->full)
        buf_printf(out, "  full:\n    requires: {history: full%s%s}\n    sinks: [%s]\n",
                   m->retention ? ", retention: " : "", m->retention ? m->retention : "", m->full);
}

static void put_transformer(ds_buf *out, const estate_model *m)
{
    if (!m->sql && !m->command)
        return;
    buf_puts(out, "---\nkind: Workspace\nteam: Z/T\nname: Masker\ndataset_groups:\n  input: {sinks: [Store1/people]}\n"
                  "transformer:\n  name: mask\n");
    if (m->command)
        buf_printf(out, "  run: {command: %s}\n", m->command);
    else
        buf_printf(out, "  run:\n%s%s%s    sql:\n      people: |\n        %s\n", m->timeout ? "    timeout: " : "",
                   m->timeout ? m->timeout : "", m->timeout ? "\n" : "", m->sql);
    buf_printf(
        out,
        "  output:\n    datastore: Masked\n    max_delete_ratio: 1\n    datasets:\n      people: {columns: {%s}}\n",
        m->masked);
}

static void put_service(estate *e, ds_buf *out, const estate_model *m)
{
    buf_printf(out,
               "---\nkind: PlatformService\nname: %s\nmerge: {container: Merge%s}\ncontainers:\n"
               "  Merge: {%s}\nplatforms:\n  P: {type: yellow, milestoning: %s}\n"
               "  Q: {type: yellow, milestoning: scd2}\nassignments:\n",
               or (m->service, "Svc"), estate_credential(e, PAIR_MERGE, ", "),
               pair_container_yaml(&e->pair, PAIR_MERGE, e->arena), or (m->milestoning, "scd1"));
    if (!m->live && !m->full)
        buf_puts(out, "  []\n");
    if (m->live)
        buf_printf(out, "  - {group: Consumer/live, platforms: [{platform: %s, status: %s}%s%s%s]}\n",
                   or (m->live_on, "P"), or (m->live_status, "provisioned"), m->live_next ? ", {platform: " : "",
                   or (m->live_next, ""), m->live_next ? ", status: provisioning}" : "");
    if (m->full)
        buf_puts(out, "  - {group: Consumer/full, platforms: [{platform: P, status: provisioned}]}\n");
    if (m->primary)
        buf_printf(out, "primary_ingestion: {Store1: %s}\n", m->primary);
}

const char *estate_yaml(estate *e, const estate_model *m)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    put_store(e, &out, m);
    put_workspace(&out, m);
    put_transformer(&out, m);
    put_service(e, &out, m);
    return arena_strdup(e->arena, buf_text(&out));
}

void estate_use(estate *e, const estate_model *m)
{
    ds_error err;
    if (estate_compile(e, estate_yaml(e, m), &err).code == DS_OK)
        return;
    fprintf(stderr, "compile: %s\n", err.text);
    abort();
}
