// Writes a model of any size, in a realistic tree of files; the same numbers give the same model.
//
//   generate_model DIR [--stores N] [--datasets N] [--columns N] [--workspaces N] [--seed N]
//
//   central/ecosystem.yaml  zones/ZONE.yaml  services/SERVICE.yaml  environments/laptop.yaml
//   teams/ZONE/TEAM/containers.yaml  teams/ZONE/TEAM/stores/STORE.yaml  teams/ZONE/TEAM/workspaces/WORKSPACE.yaml
//
// It has no errors and no warnings. Every twentieth workspace is a transformer whose output others use. Everything that
// is written comes from the tables below, so plain printing can't go wrong.
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "sim/rng.h"

enum { STORES_PER_TEAM = 25, WORKSPACES_PER_BLOCK = 20, FILE_MAX = 15 << 20, SINKS_MAX = 8 };

static const char *const ZONES[] = {"Shared", "USA", "Europe", "Asia", "Latin"};
static const char *const PLACES[] = {"World/Core_1", "USA/NY_1", "EU/FRA_1", "ASIA/SIN_1", "LATAM/SAO_1"};
static const char *const REGIONS[] = {"World", "USA", "EU", "ASIA", "LATAM"};
static const char *const DOMAINS[] = {"sales",   "risk",  "customers", "orders",  "payments", "claims", "ledger",
                                      "trading", "fleet", "products",  "markets", "people",   "assets"};
static const char *const FIRST[] = {"customer", "order",    "invoice",  "payment",  "account", "contract",
                                    "product",  "supplier", "shipment", "position", "trade",   "employee",
                                    "campaign", "ticket",   "vehicle",  "policy",   "claim",   "branch",
                                    "device",   "session",  "budget",   "project",  "asset",   "fund",
                                    "quote",    "rate",     "tax",      "route",    "store",   "visit"};
static const char *const SECOND[] = {"header", "line",    "status", "history", "address",  "contact", "note",
                                     "event",  "balance", "limit",  "summary", "document", "link",    "tag",
                                     "rule",   "review",  "rating", "price",   "fee",      "detail",  "master",
                                     "type",   "group",   "region", "audit",   "request",  "answer",  "version",
                                     "stage",  "period",  "share",  "alias",   "flag",     "counter", "reference",
                                     "state",  "owner",   "target", "source",  "label"};
static const struct {
    const char *name, *type;
} COLUMNS[] = {
    {"customer_id", "varchar(20) not null"},
    {"firstname", "varchar(100) not null"},
    {"lastname", "varchar(100)"},
    {"email", "varchar(200)"},
    {"phone", "varchar(40)"},
    {"created_at", "timestamp not null"},
    {"updated_at", "timestamp"},
    {"amount", "decimal(12,2)"},
    {"currency", "char(3) not null"},
    {"quantity", "integer"},
    {"unit_price", "decimal(18,4)"},
    {"discount", "decimal(5,2)"},
    {"status", "varchar(20) not null"},
    {"is_active", "boolean not null"},
    {"valid_from", "date not null"},
    {"valid_to", "date"},
    {"country", "char(2)"},
    {"city", "varchar(100)"},
    {"street", "varchar(200)"},
    {"postcode", "varchar(12)"},
    {"latitude", "double"},
    {"longitude", "double"},
    {"description", "text"},
    {"external_id", "uuid"},
    {"parent_id", "bigint"},
    {"version", "smallint"},
    {"weight", "real"},
    {"sort_order", "integer"},
    {"source_system", "varchar(30)"},
    {"batch_number", "bigint"},
    {"approved_by", "varchar(60)"},
    {"approved_at", "timestamp"},
    {"due_date", "date"},
    {"paid", "boolean"},
    {"tax_rate", "decimal(5,4)"},
    {"reference", "varchar(64)"},
    {"channel", "varchar(20)"},
    {"region_code", "char(4)"},
    {"segment", "varchar(30)"},
    {"score", "integer"},
};
static const char *const CLASSES[] = {"pub", "ip", "pc1", "pc2", "pc3", "cpi", "csi"};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PICK(rng, array) ((array)[rng_below((rng), COUNT(array))])

typedef struct plan {
    const char *dir;
    size_t stores, datasets, columns, workspaces, seed;
    size_t teams;
    ds_buf text; // of the file that is being written
} plan;

static void die(const char *what)
{
    fprintf(stderr, "generate_model: %s\n", what);
    exit(1);
}

__attribute__((format(printf, 2, 3))) static void write_file(plan *p, const char *format, ...)
{
    char path[FILE_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/", p->dir);
    va_list args;
    va_start(args, format);
    vsnprintf(path + n, sizeof path - (size_t)n, format, args);
    va_end(args);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    ds_error err;
    if (file_make_dirs(path, &err).code != DS_OK)
        die(err.text);
    *slash = '/';
    FILE *out = fopen(path, "we");
    if (!buf_ok(&p->text) || !out || fwrite(p->text.p, 1, p->text.n, out) != p->text.n || fclose(out) != 0)
        die(path);
    buf_clear(&p->text);
}

// --- who is where

static size_t zone_of_team(size_t team)
{
    return team % COUNT(ZONES);
}

static size_t zone_of_store(size_t store)
{
    return zone_of_team(store / STORES_PER_TEAM);
}

static size_t zone_of_workspace(size_t workspace)
{
    return workspace / WORKSPACES_PER_BLOCK % COUNT(ZONES);
}

// A team of the workspace's zone.
static size_t team_of_workspace(const plan *p, size_t workspace)
{
    size_t zone = zone_of_workspace(workspace), of_zone = p->teams / COUNT(ZONES);
    return zone + workspace % of_zone * COUNT(ZONES);
}

static bool is_transformer(size_t workspace)
{
    return workspace % WORKSPACES_PER_BLOCK == 0;
}

static void team_name(size_t team, char out[64])
{
    snprintf(out, 64, "%s_%zu", DOMAINS[team % COUNT(DOMAINS)], team);
}

static void store_name(size_t store, char out[64])
{
    snprintf(out, 64, "%s_%s_%zu", DOMAINS[store % COUNT(DOMAINS)], SECOND[store / 7 % COUNT(SECOND)], store);
}

static void dataset_name(size_t dataset, char out[64])
{
    size_t words = COUNT(FIRST) * COUNT(SECOND), again = dataset / words;
    int n = snprintf(out, 64, "%s_%s", FIRST[dataset % COUNT(FIRST)], SECOND[dataset / COUNT(FIRST) % COUNT(SECOND)]);
    if (again)
        snprintf(out + n, 64 - (size_t)n, "_%zu", again);
}

// --- the centre

static void write_ecosystem(plan *p)
{
    ds_buf *t = &p->text;
    buf_puts(t, "kind: Ecosystem\nname: Generated\nrepository: acme/model@central\nlive: acme/model@main\n"
                "vendors:\n  - name: MyCorp\n    cloud: private\n    locations: [");
    for (size_t i = 0; i < COUNT(PLACES); i++)
        buf_printf(t, "%s%s", i ? ", " : "", PLACES[i]);
    buf_puts(t, "]\nzones:\n");
    for (size_t i = 0; i < COUNT(ZONES); i++)
        buf_printf(t, "  - {name: %s, repository: acme/zones@%s}\n", ZONES[i], ZONES[i]);
    buf_puts(t, "platform_services:\n");
    for (size_t i = 0; i < COUNT(ZONES); i++)
        buf_printf(t, "  - {name: Yellow_%s, repository: acme/infra@%s}\n", ZONES[i], ZONES[i]);
    write_file(p, "central/ecosystem.yaml");
}

static void write_zone(plan *p, size_t zone)
{
    ds_buf *t = &p->text;
    buf_printf(t, "kind: GovernanceZone\nname: %s\ndescription: Everything under the rules of %s\nteams:\n",
               ZONES[zone], ZONES[zone]);
    for (size_t team = zone; team < p->teams; team += COUNT(ZONES)) {
        char name[64];
        team_name(team, name);
        buf_printf(t, "  - {name: %s, repository: acme/%s@main}\n", name, name);
    }
    if (zone > 0) // the shared zone lends its data to all others
        buf_printf(t,
                   "policies:\n  locations: {allow: [\"MyCorp:%s\"]}\n  vendors: {allow: [MyCorp]}\n"
                   "  hard_vendors: {allow: [private]}\n  classifications: {deny: [mnpi]}\n",
                   REGIONS[zone]);
    write_file(p, "zones/%s.yaml", ZONES[zone]);
}

// --- teams and what they produce

static void write_containers(plan *p, size_t team)
{
    char name[64];
    team_name(team, name);
    size_t zone = zone_of_team(team);
    buf_printf(&p->text,
               "kind: DataContainer\nteam: %s/%s\nname: %s_db\ntype: postgres\nhost: pg-%zu.internal\nport: 5432\n"
               "database: %s\nlocations: [\"MyCorp:%s\"]\nlimits: {connections: 4, rows_per_second: 200000}\n",
               ZONES[zone], name, name, team, name, PLACES[zone]);
    write_file(p, "teams/%s/%s/containers.yaml", ZONES[zone], name);
}

static void put_column(ds_buf *t, size_t at, bool long_form, ds_rng *rng)
{
    size_t i = at % COUNT(COLUMNS), again = at / COUNT(COLUMNS);
    buf_printf(t, "      %s", COLUMNS[i].name);
    if (again)
        buf_printf(t, "_%zu", again);
    if (long_form)
        buf_printf(t, ": {type: \"%s\", classification: %s}\n", COLUMNS[i].type, PICK(rng, CLASSES));
    else
        buf_printf(t, ": %s\n", COLUMNS[i].type);
}

static void put_dataset(const plan *p, ds_buf *t, size_t dataset, ds_rng *rng)
{
    char name[64];
    dataset_name(dataset, name);
    bool by_column = rng_once_in(rng, 5);
    buf_printf(t, "  %s:\n", name);
    if (rng_once_in(rng, 3))
        buf_printf(t, "    description: one row per %s\n", name);
    if (!by_column)
        buf_printf(t, "    classification: %s\n", PICK(rng, CLASSES));
    if (rng_once_in(rng, 10))
        buf_printf(t, "    source: {schema: legacy, table: t_%s}\n", name);
    buf_puts(t, by_column ? "    columns:\n      id: {type: bigint primary key, classification: pub}\n"
                          : "    columns:\n      id: bigint primary key\n");
    size_t start = rng_below(rng, COUNT(COLUMNS));
    for (size_t i = 1; i < p->columns; i++)
        put_column(t, start + i, by_column, rng);
}

static void write_store(plan *p, size_t store, ds_rng *rng)
{
    char name[64], team[64];
    store_name(store, name);
    team_name(store / STORES_PER_TEAM, team);
    const char *zone = ZONES[zone_of_store(store)];
    buf_printf(&p->text,
               "kind: Datastore\nteam: %s/%s\nname: %s\ndescription: The %s data of team %s\n"
               "production: true\ncapture:\n  type: sql_snapshot\n  container: %s_db\n  credential: %s\n"
               "  trigger: {cron: \"*/5 * * * *\", timezone: UTC}\n  consistency: %s\ndatasets:\n",
               zone, team, name, name, team, team, team, rng_once_in(rng, 10) ? "single_dataset" : "multi_dataset");
    for (size_t i = 0; i < p->datasets; i++)
        put_dataset(p, &p->text, i, rng);
    write_file(p, "teams/%s/%s/stores/%s.yaml", zone, team, name);
}

// --- who uses it

typedef struct sink {
    size_t store, dataset;
} sink;

// A dataset that this zone may use: one of its own, or of the shared zone.
static sink pick_sink(const plan *p, size_t zone, ds_rng *rng)
{
    sink s = {0, rng_below(rng, p->datasets)};
    for (size_t tries = 0; tries < 64; tries++) {
        size_t store = rng_below(rng, p->stores), its = zone_of_store(store);
        if (its == zone || its == 0) {
            s.store = store;
            break;
        }
    }
    return s;
}

static void put_sinks(const plan *p, ds_buf *t, size_t zone, size_t n, const char *first, ds_rng *rng)
{
    sink all[SINKS_MAX];
    size_t kept = 0;
    buf_printf(t, "    sinks:\n%s", first);
    for (size_t i = 0; i < n; i++) {
        sink s = pick_sink(p, zone, rng);
        bool again = false;
        for (size_t k = 0; k < kept; k++)
            again |= all[k].store == s.store && all[k].dataset == s.dataset;
        if (again)
            continue;
        char store[64], dataset[64];
        store_name(s.store, store);
        dataset_name(s.dataset, dataset);
        buf_printf(t, "      - %s/%s\n", store, dataset);
        all[kept++] = s;
    }
}

static void put_consumer(const plan *p, ds_buf *t, size_t workspace, ds_rng *rng)
{
    char output[64] = "";
    if (rng_once_in(rng, 3))
        snprintf(output, sizeof output, "      - Curated_%zu/summary\n",
                 workspace / WORKSPACES_PER_BLOCK * WORKSPACES_PER_BLOCK);
    buf_puts(t, "dataset_groups:\n  live:\n    requires: {history: live, latency: minutes}\n");
    put_sinks(p, t, zone_of_workspace(workspace), 2 + rng_below(rng, SINKS_MAX - 2), output, rng);
    if (workspace % 2 == 0)
        return;
    buf_puts(t, "  audit:\n    requires: {history: full, latency: hours, retention: 7y, regulator: SEC}\n");
    put_sinks(p, t, zone_of_workspace(workspace), 1 + rng_below(rng, 3), "", rng);
}

static void put_transformer(const plan *p, ds_buf *t, size_t workspace, ds_rng *rng)
{
    char store[64], dataset[64];
    sink s = pick_sink(p, zone_of_workspace(workspace), rng);
    store_name(s.store, store);
    dataset_name(s.dataset, dataset);
    buf_printf(
        t,
        "dataset_groups:\n  input:\n    sinks: [%s/%s]\ntransformer:\n  name: curate_%zu\n  run:\n    sql:\n"
        "      summary: |\n        SELECT id, count(*) AS many FROM {input.%s.%s} GROUP BY id\n"
        "  output:\n    datastore: Curated_%zu\n    production: true\n    datasets:\n      summary:\n"
        "        classification: ip\n        columns:\n          id: bigint primary key\n          many: bigint\n",
        store, dataset, workspace, store, dataset, workspace);
}

static void write_workspace(plan *p, size_t workspace, ds_rng *rng)
{
    static const char *const PRIORITIES[] = {"critical", "high", "medium", "low"};
    char team[64];
    team_name(team_of_workspace(p, workspace), team);
    const char *zone = ZONES[zone_of_workspace(workspace)];
    buf_printf(&p->text, "kind: Workspace\nteam: %s/%s\nname: Workspace_%zu\ndescription: What %s looks at\n", zone,
               team, workspace, team);
    bool production = is_transformer(workspace) || workspace % 3 == 0; // so are a transformer's outputs
    buf_printf(&p->text, "production: %s\npriority: %s\n", production ? "true" : "false", PICK(rng, PRIORITIES));
    if (is_transformer(workspace))
        put_transformer(p, &p->text, workspace, rng);
    else
        put_consumer(p, &p->text, workspace, rng);
    write_file(p, "teams/%s/%s/workspaces/Workspace_%zu.yaml", zone, team, workspace);
}

// --- who moves it

static void put_assignments(const plan *p, ds_buf *t, size_t zone)
{
    buf_puts(t, "assignments:\n");
    for (size_t w = 0; w < p->workspaces; w++) {
        if (zone_of_workspace(w) != zone || is_transformer(w))
            continue;
        buf_printf(t, "  - {group: Workspace_%zu/live, platforms: [{platform: Live_%s, status: provisioned}]}\n", w,
                   ZONES[zone]);
        if (w % 2)
            buf_printf(t, "  - {group: Workspace_%zu/audit, platforms: [{platform: %s_%s, status: provisioned}]}\n", w,
                       w % 3 ? "Forensic" : "Archive", ZONES[zone]);
    }
}

// A zone without a consumer has a service without assignments.
static bool is_used(const plan *p, size_t zone)
{
    return zone * WORKSPACES_PER_BLOCK + 1 < p->workspaces;
}

static void write_service(plan *p, size_t zone)
{
    ds_buf *t = &p->text;
    const char *name = ZONES[zone];
    buf_printf(t,
               "kind: PlatformService\nname: Yellow_%s\nlocations: [\"MyCorp:%s\"]\n"
               "merge: {container: Merge_%s, credential: merge_%zu}\ncontainers:\n  Merge_%s: {type: postgres, "
               "host: merge-%zu.internal, port: 5432, database: merge, locations: [\"MyCorp:%s\"]}\n"
               "platforms:\n  Live_%s: {type: yellow, milestoning: scd1}\n"
               "  Forensic_%s: {type: yellow, milestoning: scd2, staging_batches: all}\n"
               "  Archive_%s: {type: yellow, milestoning: scd4}\n",
               name, PLACES[zone], name, zone, name, zone, PLACES[zone], name, name, name);
    if (is_used(p, zone))
        put_assignments(p, t, zone);
    write_file(p, "services/Yellow_%s.yaml", name);
}

static void write_environment(plan *p)
{
    buf_puts(&p->text, "kind: Environment\nname: laptop\ncontainers:\n");
    for (size_t i = 0; i < COUNT(ZONES); i++)
        buf_printf(&p->text, "  Merge_%s: {type: sqlite, path: merge-%s.db}\n", ZONES[i], ZONES[i]);
    write_file(p, "environments/laptop.yaml");
}

// --- the whole

// Each file has numbers of its own, so that a larger model begins with the same files.
static ds_rng rng_of(const plan *p, size_t what, size_t i)
{
    ds_rng rng = {p->seed * 1000003 + what * 7919};
    rng.state ^= rng_next(&rng) + i;
    return rng;
}

static void write_model(plan *p)
{
    p->teams = p->stores / STORES_PER_TEAM + 1;
    p->teams = (p->teams + COUNT(ZONES) - 1) / COUNT(ZONES) * COUNT(ZONES); // as many in each zone
    p->text = BUF_INIT(FILE_MAX);
    write_ecosystem(p);
    for (size_t i = 0; i < COUNT(ZONES); i++) {
        write_zone(p, i);
        write_service(p, i);
    }
    write_environment(p);
    for (size_t i = 0; i < p->teams; i++)
        write_containers(p, i);
    for (size_t i = 0; i < p->stores; i++) {
        ds_rng rng = rng_of(p, 1, i);
        write_store(p, i, &rng);
    }
    for (size_t i = 0; i < p->workspaces; i++) {
        ds_rng rng = rng_of(p, 2, i);
        write_workspace(p, i, &rng);
    }
    buf_release(&p->text);
}

int main(int argc, char **argv)
{
    plan p = {.stores = 100, .datasets = 40, .columns = 12, .workspaces = 200, .seed = 1};
    size_t *const numbers[] = {&p.stores, &p.datasets, &p.columns, &p.workspaces, &p.seed};
    static const struct option OPTIONS[] = {{"stores", required_argument, NULL, 0},
                                            {"datasets", required_argument, NULL, 1},
                                            {"columns", required_argument, NULL, 2},
                                            {"workspaces", required_argument, NULL, 3},
                                            {"seed", required_argument, NULL, 4},
                                            {0}};
    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        int64_t value = 0;
        if (c < 0 || c > 4 || !str_int64(str_of(optarg), &value) || value < 0)
            die("bad option");
        *numbers[c] = (size_t)value;
    }
    if (optind != argc - 1 || p.stores == 0 || p.datasets == 0 || p.columns == 0)
        die("usage: generate_model DIR [--stores N] [--datasets N] [--columns N] [--workspaces N] [--seed N]");
    p.dir = argv[optind];
    write_model(&p);
    return 0;
}
