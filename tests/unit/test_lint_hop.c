// gate/lint.h, policies: each kind of policy holds on every hop that rows take, for the zone of whoever produced them,
// through a chain of transformers in other zones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/linted.h"

enum { TEXT_MAX = 1 << 20, HOPS_MAX = 8 };

#define DATASETS "{t: {classification: pub, columns: {id: integer primary key}}}"
#define TRANSFORMER(zone, name, input, output)                                                                         \
    "---\nkind: Workspace\nteam: " zone "/team\nname: " name "\ndataset_groups: {in: {sinks: [" input                  \
    "/t]}}\ntransformer:\n  name: make\n  run: {sql: {t: \"SELECT id FROM {in." input ".t}\"}}\n"                      \
    "  output: {datastore: " output ", datasets: " DATASETS "}\n"
#define SERVICE(name, merge, vendor, platform, status)                                                                 \
    "---\nkind: PlatformService\nname: " name "\nmerge: {container: " merge "}\ncontainers:\n  " merge                 \
    ": {type: sqlite, path: " merge ".db, locations: [\"" vendor ":Home/1\"]}\nplatforms: {" platform                  \
    ": {type: yellow, milestoning: scd2}}\nassignments: [{group: Reader/all, platforms: [{platform: " platform         \
    ", status: " status "}]}]\n"

// USA makes Raw, UK makes Clean of it, EU makes Final of that and reads it, on two platforms and in a replica. Every
// container is at a vendor of its own.
static const char ESTATE[] =
    "kind: Ecosystem\nname: Example\nrepository: acme/model@central\nlive: acme/model@main\nvendors:\n"
    "  - {name: SourceCorp, locations: [Home/1]}\n  - {name: MergeCorp, locations: [Home/1]}\n"
    "  - {name: OtherCorp, cloud: aws, locations: [Home/1]}\n  - {name: ReplicaCorp, cloud: gcp, locations: [Home/1]}\n"
    "zones:\n  - {name: USA, repository: acme/model@usa}\n  - {name: UK, repository: acme/model@uk}\n"
    "  - {name: EU, repository: acme/model@eu}\nplatform_services:\n"
    "  - {name: First, repository: acme/model@infra}\n  - {name: Second, repository: acme/model@infra}\n"
    "---\nkind: DataContainer\nteam: USA/team\nname: SourceDB\ntype: sqlite\npath: s.db\n"
    "locations: [\"SourceCorp:Home/1\"]\n"
    "---\nkind: DataContainer\nteam: EU/team\nname: ReplicaDB\ntype: sqlite\npath: r.db\n"
    "locations: [\"ReplicaCorp:Home/1\"]\n"
    "---\nkind: Datastore\nteam: USA/team\nname: Raw\n"
    "capture: {type: sql_snapshot, container: SourceDB, trigger: {cron: \"*/5 * * * *\"}}\ndatasets: " DATASETS
    "\n" TRANSFORMER("UK", "Cleaner", "Raw", "Clean") TRANSFORMER(
        "EU", "Finisher", "Clean",
        "Final") "---\nkind: Workspace\nteam: EU/team\nname: Reader\ncontainer: ReplicaDB\ndataset_groups:\n"
                 "  all: {requires: {history: full, retention: 7y}, sinks: [Final/t]}\n" SERVICE("First", "FirstDB",
                                                                                                 "MergeCorp", "One",
                                                                                                 "provisioned")
                     SERVICE("Second", "SecondDB", "OtherCorp", "Two", "decommissioning");

#define FINAL "transformer output \"Final\""
#define CLEAN "transformer output \"Clean\""
#define OF_RAW ", made from \"Raw\""
#define OF_CLEAN ", made from \"Clean\""

typedef struct hop_case {
    const char *zone, *policies;
    const char *rule;
    const char *hops[HOPS_MAX]; // what the findings say before ": zone"
} hop_case;

static const hop_case CASES[] = {
    // Whose policy: the producer's, wherever the rows go.
    {"USA", "vendors: {deny: [SourceCorp]}", "L017", {"source \"SourceDB\" of \"Raw\""}},
    {"USA",
     "vendors: {deny: [MergeCorp]}",
     "L017",
     {"merge database \"FirstDB\" of \"Raw\"", "merge database \"FirstDB\" of " CLEAN OF_RAW,
      "merge database \"FirstDB\" of " FINAL OF_RAW}},
    {"USA", "vendors: {deny: [ReplicaCorp]}", "L017", {"replica \"ReplicaDB\" of " FINAL OF_RAW}},
    {"UK", "vendors: {deny: [SourceCorp]}", NULL, {NULL}}, // it has no rows there
    {"UK",
     "vendors: {deny: [MergeCorp]}",
     "L017",
     {"merge database \"FirstDB\" of " CLEAN, "merge database \"FirstDB\" of " FINAL OF_CLEAN}},
    {"UK", "vendors: {deny: [ReplicaCorp]}", "L017", {"replica \"ReplicaDB\" of " FINAL OF_CLEAN}},
    {"EU", "vendors: {deny: [SourceCorp]}", NULL, {NULL}},
    {"EU", "vendors: {deny: [MergeCorp]}", "L017", {"merge database \"FirstDB\" of " FINAL}},
    {"EU", "vendors: {deny: [ReplicaCorp]}", "L017", {"replica \"ReplicaDB\" of " FINAL}},
    // What it looks at.
    {"USA", "locations: {deny: [\"SourceCorp:Home\"]}", "L017", {"source \"SourceDB\" of \"Raw\""}},
    {"USA", "locations: {deny: [\"ReplicaCorp:Home/1\"]}", "L017", {"replica \"ReplicaDB\" of " FINAL OF_RAW}},
    {"EU",
     "locations: {allow: [\"OtherCorp:Home\"]}",
     "L017",
     {"merge database \"FirstDB\" of " FINAL, "replica \"ReplicaDB\" of " FINAL}},
    {"USA",
     "hard_vendors: {deny: [aws]}",
     "L017",
     {"merge database \"SecondDB\" of \"Raw\"", "merge database \"SecondDB\" of " CLEAN OF_RAW,
      "merge database \"SecondDB\" of " FINAL OF_RAW}},
    {"EU", "hard_vendors: {allow: [private, aws]}", "L017", {"replica \"ReplicaDB\" of " FINAL}},
    {"USA",
     "platforms: {deny: [Two]}",
     "L017",
     {"stream of \"Raw\"", "stream of " CLEAN OF_RAW, "stream of " FINAL OF_RAW}},
    {"UK", "platforms: {allow: [Two]}", "L017", {"stream of " CLEAN, "stream of " FINAL OF_CLEAN}},
    {"USA", "retention: {allow: [1y]}", "L017", {"group \"Reader/all\" keeps " FINAL OF_RAW}},
    {"UK", "retention: {deny: [7y]}", "L017", {"group \"Reader/all\" keeps " FINAL OF_CLEAN}},
    {"EU", "retention: {deny: [7y]}", "L017", {"group \"Reader/all\" keeps " FINAL}},
    // The consumer's zone says what its own workspaces use, a transformer's as well.
    {"USA", "classifications: {deny: [pub]}", NULL, {NULL}},
    {"UK", "classifications: {deny: [pub]}", "L019", {"\"Raw/t\" is pub, which workspaces of"}},
    {"EU",
     "classifications: {deny: [pub]}",
     "L019",
     {"\"Clean/t\" is pub, which workspaces of", "\"Final/t\" is pub, which workspaces of"}},
    // All that is wrong with a place at once.
    {"EU",
     "vendors: {allow: [SourceCorp]}\n  hard_vendors: {allow: [private]}",
     "L017",
     {"merge database \"FirstDB\" of " FINAL, "merge database \"SecondDB\" of " FINAL,
      "merge database \"SecondDB\" of " FINAL, "replica \"ReplicaDB\" of " FINAL, "replica \"ReplicaDB\" of " FINAL}},
    {"USA", "vendors: {allow: [SourceCorp, MergeCorp, OtherCorp, ReplicaCorp]}", NULL, {NULL}},
};

static void add_zones(const hop_case *c, ds_buf *out)
{
    static const char *const ZONES[] = {"USA", "UK", "EU"};
    for (size_t i = 0; i < sizeof ZONES / sizeof ZONES[0]; i++) {
        buf_printf(out, "---\nkind: GovernanceZone\nname: %s\nteams: [{name: team, repository: acme/model@%s}]\n",
                   ZONES[i], ZONES[i]);
        if (strcmp(c->zone, ZONES[i]) == 0)
            buf_printf(out, "policies:\n  %s\n", c->policies);
    }
}

// Each finding is one of those expected, and each of those is found once.
static size_t differences(const hop_case *c, const ds_diags *diags)
{
    bool seen[HOPS_MAX] = {0};
    size_t wrong = 0, n = 0;
    while (n < HOPS_MAX && c->hops[n])
        n++;
    for (size_t i = 0; i < diags_count(diags); i++) {
        const ds_diag *d = diags_at(diags, i);
        if (d->severity != DIAG_ERROR)
            continue;
        size_t k = 0;
        while (k < n && (seen[k] || strncmp(d->message, c->hops[k], strlen(c->hops[k])) != 0 ||
                         !(d->message[strlen(c->hops[k])] == ':' || strcmp(d->rule, "L019") == 0)))
            k++;
        char named[64];
        snprintf(named, sizeof named, "zone \"%s\"", c->zone);
        bool good = k < n && strcmp(d->rule, c->rule) == 0 && strstr(d->message, named) && strstr(d->hint, "policy is");
        wrong += !good;
        if (good)
            seen[k] = true;
    }
    for (size_t k = 0; k < n; k++)
        wrong += !seen[k];
    return wrong;
}

static void every_hop(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
        buf_puts(&text, ESTATE);
        add_zones(&CASES[i], &text);
        linted r = linted_text(buf_str(&text));
        size_t wrong = differences(&CASES[i], r.diags);
        for (size_t k = 0; wrong && k < diags_count(r.diags); k++)
            diag_print(stderr, r.diags, diags_at(r.diags, k), false);
        if (wrong)
            fail_msg("%s: %s: %zu differences", CASES[i].zone, CASES[i].policies, wrong);
        linted_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_hop)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
