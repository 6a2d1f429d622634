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

static void put_store(ds_buf *out, const estate_model *m)
{
    buf_printf(out,
               "kind: DataContainer\nteam: Z/T\nname: Source\ntype: sqlite\npath: source.db\n---\n"
               "kind: Datastore\nteam: Z/T\nname: Store1\ncapture:\n  type: sql_snapshot\n  container: Source\n"
               "  trigger: {cron: \"*/5 * * * *\"}\n  consistency: %s\n  max_delete_ratio: 1\ndatasets:\n",
               or (m->consistency, "multi_dataset"));
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
        buf_printf(out, "  full:\n    requires: {history: full}\n    sinks: [%s]\n", m->full);
}

static void put_transformer(ds_buf *out, const estate_model *m)
{
    if (!m->sql)
        return;
    buf_printf(out,
               "---\nkind: Workspace\nteam: Z/T\nname: Masker\ndataset_groups:\n  input: {sinks: [Store1/people]}\n"
               "transformer:\n  name: mask\n  run:\n    sql:\n      people: |\n        %s\n  output:\n"
               "    datastore: Masked\n    datasets:\n      people: {columns: {%s}}\n",
               m->sql, m->masked);
}

static void put_service(ds_buf *out, const estate_model *m)
{
    buf_printf(out,
               "---\nkind: PlatformService\nname: %s\nmerge: {container: Merge}\ncontainers:\n"
               "  Merge: {type: sqlite, path: merge.db}\nplatforms:\n  P: {type: yellow, milestoning: %s}\n"
               "  Q: {type: yellow, milestoning: scd2}\nassignments:\n",
               or (m->service, "Svc"), or (m->milestoning, "scd1"));
    if (!m->live && !m->full)
        buf_puts(out, "  []\n");
    if (m->live)
        buf_printf(out, "  - {group: Consumer/live, platforms: [{platform: %s, status: %s}%s%s%s]}\n",
                   or (m->live_on, "P"), or (m->live_status, "provisioned"), m->live_next ? ", {platform: " : "",
                   or (m->live_next, ""), m->live_next ? ", status: provisioning}" : "");
    if (m->full)
        buf_puts(out, "  - {group: Consumer/full, platforms: [{platform: P, status: provisioned}]}\n");
}

const char *estate_yaml(estate *e, const estate_model *m)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    put_store(&out, m);
    put_workspace(&out, m);
    put_transformer(&out, m);
    put_service(&out, m);
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
