// gate/compat.h: whether those who use it can live with what changes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gate/lint.h"
#include "support/change.h"

#define NEXT "---\n"
#define TABLE(rest)                                                                                                    \
    "kind: Datastore\nteam: USA/customer_data\nname: Store1\n"                                                         \
    "capture: {type: sql_snapshot, container: CustomerDB, trigger: {cron: \"*/5 * * * *\"}}\n"                         \
    "datasets:\n  customers:\n    classification: cpi\n    columns:\n" rest
#define COLUMN(line) "      " line "\n"
#define ID COLUMN("id: integer primary key")

// Findings of the change from one text to the other, "C001 C007", in order of their place.
static void findings(const change_case *what, ds_buf *out, bool *accepted)
{
    change_run run = change_check(what);
    for (size_t i = 0; i < diags_count(run.base_diags); i++)
        diag_print(stderr, run.base_diags, diags_at(run.base_diags, i), false);
    assert_int_equal(diags_severity_count(run.base_diags, DIAG_ERROR), 0);
    for (size_t i = 0; i < diags_count(run.diags); i++)
        buf_printf(out, "%s%s", i ? " " : "", diags_at(run.diags, i)->rule);
    *accepted = run.verdict->accepted;
    bool breaking = false;
    for (size_t i = 0; i < run.verdict->n; i++)
        breaking |= run.verdict->changes[i].breaking;
    assert_int_equal(breaking, !run.verdict->accepted); // nothing else refuses here
    change_free(&run);
}

static bool expect(const char *id, const char *base, const char *head, const char *rules, bool accepted)
{
    CLEANUP(buf_release) ds_buf found = BUF_INIT(4000);
    bool was;
    findings(&(change_case){.base = base, .head = head}, &found, &was);
    if (was == accepted && strcmp(buf_text(&found), rules) == 0)
        return true;
    fprintf(stderr, "%s: %s with \"%s\"\n", id, was ? "accepted" : "refused", buf_text(&found));
    return false;
}

// --- types: the new one over the old one

static const struct {
    const char *id, *old, *new;
    bool widens;
} TYPES[] = {
    {"S01", "string(20)", "string(25)", true},
    {"S01", "string(20)", "string(15)", false},
    {"S01", "string(10)", "string", true},
    {"S01", "string", "string(10)", false},
    {"S02", "real", "double", true},
    {"S02", "ieee16", "ieee128", true},
    {"S02", "double", "real", false},
    {"S02", "ieee16", "real", true},
    {"S03", "smallint", "bigint", true},
    {"S03", "bigint", "smallint", false},
    {"S03", "ieee16", "bigint", false},
    {"S03", "integer", "uinteger", false},
    {"S03", "uinteger", "bigint", false},
    {"S04", "decimal(10,2)", "decimal(12,2)", true},
    {"S04", "decimal(12,2)", "decimal(10,2)", false},
    {"S04", "decimal(10,2)", "decimal(10,4)", false},
    {"S04", "decimal(10,2)", "decimal(12,4)", true},
    {"S04", "decimal(10,4)", "decimal(10,2)", false},
    {"S05", "date", "timestamp", true},
    {"S05", "timestamp", "date", false},
    {"S05", "date", "interval", false},
    {"S05", "timestamp", "timestamptz", false},
    {"S06", "vector(10)", "vector(20)", true},
    {"S06", "vector(20)", "vector(10)", false},
    {"S06", "binary(10)", "binary(20)", true},
    {"S06", "binary(20)", "binary(10)", false},
    {"S06", "binary", "variant", false},
    {"S07", "char(20)", "varchar(20)", true},
    {"S07", "varchar(20)", "char(20)", true},
    {"S07", "nvarchar(20)", "varchar(20)", false},
    {"S07", "varchar(20)", "string(20)", false},
    {"S08", "struct(a integer, b text)", "struct(a integer, b text, c date)", true},
    {"S08", "struct(a integer, b text)", "struct(a bigint, b text)", true},
    {"S08", "struct(a integer, b text)", "struct(a integer)", false},
    {"S08", "struct(a integer, b text)", "struct(b text, a integer)", false},
    {"S09", "geography(point)", "geography", true},
    {"S09", "geography", "geography(point)", false},
    {"S09", "geography(point,4326)", "geography(point,3857)", false},
    {"arrays", "array(integer)", "array(bigint)", true},
    {"arrays", "array(bigint)", "array(integer)", false},
    {"maps", "map(integer, varchar(5))", "map(bigint, text)", true},
    {"maps", "map(text, text)", "map(text, varchar(5))", false},
    {"kinds", "integer", "text", false},
    {"kinds", "boolean", "integer", false},
    {"kinds", "integer", "decimal(20,0)", false},
    {"kinds", "json", "text", false},
    {"kinds", "uuid", "varchar(36)", false},
};

static void types(void **state)
{
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        char base[1000], head[1000];
        snprintf(base, sizeof base, TABLE(ID "      a: \"%s\"\n"), TYPES[i].old);
        snprintf(head, sizeof head, TABLE(ID "      a: \"%s\"\n"), TYPES[i].new);
        good = expect(TYPES[i].id, base, head, TYPES[i].widens ? "C004" : "C003", TYPES[i].widens) && good;
        if (!good)
            fprintf(stderr, "%s -> %s\n", TYPES[i].old, TYPES[i].new);
    }
    // The same type by another name is no change.
    good = expect("alias", TABLE(COLUMN("id: int8 primary key")), TABLE(COLUMN("id: bigint primary key")), "", true) &&
           good;
    assert_true(good);
}

// --- tables

static const struct {
    const char *id, *base, *head, *rules;
    bool accepted;
} TABLES[] = {
    {"S10 nullable", TABLE(ID), TABLE(ID COLUMN("a: text")), "C011", true},
    {"S10 not null", TABLE(ID), TABLE(ID COLUMN("a: text not null")), "C002", false},
    {"S10 key", TABLE(ID), TABLE(ID COLUMN("a: text primary key")), "C002 C007", false},
    {"S10 removed", TABLE(ID COLUMN("a: text")), TABLE(ID), "C001", false},
    {"S11 longer", TABLE(ID COLUMN("a: varchar(20)")), TABLE(ID COLUMN("a: varchar(50)")), "C004", true},
    {"S11 shorter", TABLE(ID COLUMN("a: varchar(50)")), TABLE(ID COLUMN("a: varchar(20)")), "C003", false},
    {"S11 bounded", TABLE(ID COLUMN("a: varchar")), TABLE(ID COLUMN("a: varchar(20)")), "C003", false},
    {"S11 larger", TABLE(ID COLUMN("a: int")), TABLE(ID COLUMN("a: bigint")), "C004", true},
    {"S11 smaller", TABLE(ID COLUMN("a: bigint")), TABLE(ID COLUMN("a: int")), "C003", false},
    {"S12 not null", TABLE(ID COLUMN("a: text")), TABLE(ID COLUMN("a: text not null")), "C005", false},
    {"S12 null", TABLE(ID COLUMN("a: text not null")), TABLE(ID COLUMN("a: text")), "C006", true},
    {"S12 key more", TABLE(ID COLUMN("a: text not null")), TABLE(ID COLUMN("a: text primary key")), "C007", false},
    {"S12 key less", TABLE(ID COLUMN("a: text primary key")), TABLE(ID COLUMN("a: text not null")), "C007", false},
    {"S12 key gone", TABLE(ID COLUMN("a: text primary key")), TABLE(ID), "C001 C007", false},
    {"S12 key order", TABLE(ID COLUMN("a: text primary key")), TABLE(COLUMN("a: text primary key") ID), "C007", false},
    {"S12 key order, listed", TABLE(ID COLUMN("a: text primary key") "    primary_key: [id, a]\n"),
     TABLE(ID COLUMN("a: text primary key") "    primary_key: [a, id]\n"), "C007", false},
    {"S12 key order kept", TABLE(ID COLUMN("a: text primary key")),
     TABLE(COLUMN("a: text primary key") ID "    primary_key: [id, a]\n"), "", true},
    {"S12 key listed", TABLE(ID COLUMN("a: text")), TABLE(ID COLUMN("a: text") "    primary_key: [id]\n"), "", true},
    {"S12 key unmarked", TABLE(ID COLUMN("a: text") "    primary_key: [id]\n"),
     TABLE(COLUMN("id: integer not null") COLUMN("a: text") "    primary_key: [id]\n"), "", true},
    {"S12 no key", TABLE(COLUMN("id: integer") "    key: none\n"), TABLE(ID), "C007", false},
    {"S12 key none", TABLE(ID), TABLE(COLUMN("id: integer not null") "    key: none\n"), "C007", false},
    {"S12 columns moved", TABLE(ID COLUMN("a: text") COLUMN("b: text")), TABLE(ID COLUMN("b: text") COLUMN("a: text")),
     "", true},
    {"S12 partition", TABLE(ID COLUMN("d: date not null")), TABLE(ID COLUMN("d: date partition")), "C008", false},
    {"S12 no partition", TABLE(ID COLUMN("d: date partition")), TABLE(ID COLUMN("d: date not null")), "C008", false},
    {"S12 new partition", TABLE(ID), TABLE(ID COLUMN("d: date partition")), "C002 C008", false},
    {"S14", TABLE(ID), TABLE(ID COLUMN("a: text") COLUMN("b: text")), "C011 C011", true},
    {"S14 narrowed", TABLE(ID COLUMN("a: varchar(9)")), TABLE(ID COLUMN("a: varchar(5)") COLUMN("b: text")),
     "C003 C011", false},
    {"renamed", TABLE(ID COLUMN("a: text")), TABLE(ID COLUMN("A: text")), "C001 C011", false},
    {"words", TABLE(ID COLUMN("a: text")), TABLE(ID COLUMN("a: {type: text, description: new, source: x}")), "", true},
    {"checks", TABLE(ID), TABLE(ID "    checks: [{sql: id > 0}]\n"), "", true},
};

static void tables(void **state)
{
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++)
        good = expect(TABLES[i].id, TABLES[i].base, TABLES[i].head, TABLES[i].rules, TABLES[i].accepted) && good;
    assert_true(good);
}

// --- classifications

#define CLASSED(dataset, a, b)                                                                                         \
    "kind: Datastore\nteam: USA/customer_data\nname: Store1\n"                                                         \
    "capture: {type: sql_snapshot, container: CustomerDB, trigger: {cron: \"*/5 * * * *\"}}\n"                         \
    "datasets:\n  customers:\n" dataset "    columns:\n      a: {type: integer primary key" a "}\n"                    \
    "      b: {type: text" b "}\n"
#define OF(class) "    classification: " class "\n"
#define COLUMN_OF(class) ", classification: " class

static void classifications(void **state)
{
    (void)state;
    static const struct {
        const char *id, *base, *head, *rules;
        bool accepted;
    } CASES[] = {
        {"dataset", CLASSED(OF("cpi"), "", ""), CLASSED(OF("pub"), "", ""), "C009", false},
        {"more", CLASSED(OF("cpi"), "", ""), CLASSED(OF("[cpi, pc1]"), "", ""), "C009", false},
        {"order", CLASSED(OF("[pc1, cpi]"), "", ""), CLASSED(OF("[cpi, pc1]"), "", ""), "", true},
        {"gone", CLASSED(OF("cpi"), "", ""), CLASSED("", "", ""), "C009", false},
        {"first", CLASSED("", "", ""), CLASSED(OF("cpi"), "", ""), "C010", true},
        {"first of a column", CLASSED("", "", ""), CLASSED("", "", COLUMN_OF("cpi")), "C010", true},
        {"column", CLASSED("", COLUMN_OF("pub"), COLUMN_OF("cpi")), CLASSED("", COLUMN_OF("pub"), COLUMN_OF("pub")),
         "C009", false},
        {"by column, the same", CLASSED(OF("cpi"), "", ""), CLASSED("", COLUMN_OF("cpi"), COLUMN_OF("cpi")), "", true},
        {"by column, one less", CLASSED(OF("cpi"), "", ""), CLASSED("", "", COLUMN_OF("cpi")), "C009", false},
        {"as a whole", CLASSED("", COLUMN_OF("pub"), COLUMN_OF("cpi")), CLASSED(OF("cpi"), "", ""), "C009", false},
    };
    bool good = true;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        good = expect(CASES[i].id, CASES[i].base, CASES[i].head, CASES[i].rules, CASES[i].accepted) && good;
    assert_true(good);
}

// --- what is removed, and what is deprecated

#define WHOLE LINT_EXAMPLE_WHOLE
#define ECOSYSTEM(vendors, zones, services)                                                                            \
    "kind: Ecosystem\nname: E\nrepository: a/m@central\nlive: a/m@main\nvendors: [" vendors "]\nzones: [" zones        \
    "]\nplatform_services: [" services "]\n"
#define MYCORP "{name: MyCorp, locations: [NY, LA]}"
#define USA "{name: USA, repository: a/m@usa}"
#define YELLOW "{name: Yellow, repository: a/m@infra}"
#define ECO ECOSYSTEM(MYCORP, USA, YELLOW)
#define ZONE(teams) NEXT "kind: GovernanceZone\nname: USA\nteams: [" teams "]\n"
#define MAKERS "{name: makers, repository: a/m@makers}"
#define USERS "{name: users, repository: a/m@users}"
#define TEAMS ZONE(MAKERS ", " USERS)
#define DB NEXT "kind: DataContainer\nteam: USA/makers\nname: DB\ntype: sqlite\npath: d\nlocations: [\"MyCorp:NY\"]\n"
#define DATASET(name) "  " name ": {classification: pub, columns: {id: integer primary key}}\n"
#define STORE(datasets)                                                                                                \
    NEXT "kind: Datastore\nteam: USA/makers\nname: Shop\n"                                                             \
         "capture: {type: sql_snapshot, container: DB, trigger: {external: true}}\ndatasets:\n" datasets
#define ORDERS DATASET("orders")
#define ITEMS DATASET("items")
#define GROUP(name, sinks) "  " name ": {sinks: [" sinks "]}\n"
#define USER(groups) NEXT "kind: Workspace\nteam: USA/users\nname: Reports\ndataset_groups:\n" groups
#define LIVE GROUP("live", "Shop/orders")
#define MAKER(output, dataset)                                                                                         \
    NEXT "kind: Workspace\nteam: USA/makers\nname: Maker\ndataset_groups:\n  in: {sinks: [Shop/orders]}\n"             \
         "transformer:\n  name: t\n  run: {command: {exec: [./x]}}\n"                                                  \
         "  output: {datastore: " output ", datasets: {" dataset                                                       \
         ": {classification: pub, columns: {id: integer primary key}}}}\n"
#define MAKER_WITHOUT                                                                                                  \
    NEXT "kind: Workspace\nteam: USA/makers\nname: Maker\ndataset_groups:\n  in: {sinks: [Shop/orders]}\n"
#define SERVICE_WITH(containers, platforms, rest)                                                                        \
    NEXT                                                                                                                 \
        "kind: PlatformService\nname: Yellow\nmerge: {container: M}\ncontainers: {M: {type: sqlite, path: m}" containers \
        "}\nplatforms: {" platforms "}\n" rest
#define ON_LIVE "Live: {type: yellow, milestoning: scd1}"
#define ASSIGN(group, platforms) "  - {group: " group ", platforms: [" platforms "]}\n"
#define AT(platform, status) "{platform: " platform ", status: " status "}"
#define ASSIGNED "assignments:\n" ASSIGN("Reports/live", AT("Live", "provisioned"))
#define SERVICE SERVICE_WITH("", ON_LIVE, ASSIGNED)

static const struct {
    const char *id, *base, *head, *rules;
    bool accepted;
    const char *message; // of the first finding; NULL: whatever
} REMOVALS[] = {
    {"S13 added", WHOLE ECO TEAMS DB STORE(ORDERS), WHOLE ECO TEAMS DB STORE(ORDERS ITEMS), "", true, NULL},
    {"S13 removed", WHOLE ECO TEAMS DB STORE(ORDERS ITEMS) USER(LIVE), WHOLE ECO TEAMS DB STORE(ITEMS) USER(LIVE),
     "C012", false, "dataset \"Shop/orders\" is removed, and used by Reports/live (a/m@users)"},
    {"S13 unused", WHOLE ECO TEAMS DB STORE(ORDERS ITEMS) USER(LIVE), WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE), "",
     true, NULL},
    {"store", WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE GROUP("more", "Shop/orders, Shop/items")),
     WHOLE ECO TEAMS DB USER(LIVE GROUP("more", "Shop/orders, Shop/items")), "C012", false,
     "store \"Shop\" is removed, and used by Reports/live (a/m@users), Reports/more (a/m@users) (model.yaml:"},
    {"store, unused", WHOLE ECO TEAMS DB STORE(ORDERS), WHOLE ECO TEAMS DB, "", true, NULL},
    {"store and its users", WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE), WHOLE ECO TEAMS DB, "C015", true,
     "the views of \"Reports\" go away"},
    {"store and its transformer", WHOLE ECO TEAMS DB STORE(ORDERS) MAKER("Made", "d"), WHOLE ECO TEAMS DB, "", true,
     NULL},
    {"owner of a team", WHOLE ECO TEAMS DB, WHOLE ECO ZONE("{name: makers, repository: a/m@others}, " USERS) DB, "A005",
     true, "all of \"makers\" belongs to a/m@others from now on, no longer to a/m@makers"},
    {"owner of a zone", WHOLE ECO TEAMS DB,
     WHOLE ECOSYSTEM(MYCORP, "{name: USA, repository: a/m@others}", YELLOW) TEAMS DB, "A005", true, NULL},
    {"owner of a service", WHOLE ECO, WHOLE ECOSYSTEM(MYCORP, USA, "{name: Yellow, repository: a/m@others}"), "A005",
     true, NULL},
    {"store, hinted",
     WHOLE ECO TEAMS DB STORE(ORDERS) SERVICE_WITH("", ON_LIVE, "hints: {streams: {Shop: {workers: 2}}}\n"),
     WHOLE ECO TEAMS DB SERVICE_WITH("", ON_LIVE, "hints: {streams: {Shop: {workers: 2}}}\n"), "C012", false,
     "store \"Shop\" is removed, and used by Yellow (a/m@infra) (model.yaml:"},
    {"output", WHOLE ECO TEAMS DB STORE(ORDERS) MAKER("Made", "d") USER(GROUP("g", "Made/d")),
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(GROUP("g", "Made/d")), "C012", false,
     "store \"Made\" is removed, and used by Reports/g (a/m@users) (model.yaml:"},
    {"transformer", WHOLE ECO TEAMS DB STORE(ORDERS) MAKER("Made", "d") USER(GROUP("g", "Made/d")),
     WHOLE ECO TEAMS DB STORE(ORDERS) MAKER_WITHOUT USER(GROUP("g", "Made/d")), "C012", false, NULL},
    {"output renamed", WHOLE ECO TEAMS DB STORE(ORDERS) MAKER("Made", "d") USER(GROUP("g", "Made/d")),
     WHOLE ECO TEAMS DB STORE(ORDERS) MAKER("Built", "d") USER(GROUP("g", "Made/d")), "C012", false, NULL},
    {"output's dataset", WHOLE ECO TEAMS DB STORE(ORDERS) MAKER("Made", "d") USER(GROUP("g", "Made/d")),
     WHOLE ECO TEAMS DB STORE(ORDERS) MAKER("Made", "e") USER(GROUP("g", "Made/d")), "C012", false,
     "dataset \"Made/d\" is removed, and used by Reports/g (a/m@users)"},
    {"container", WHOLE ECO TEAMS DB STORE(ORDERS), WHOLE ECO TEAMS STORE(ORDERS), "C012", false,
     "container \"DB\" is removed, and used by Shop (a/m@makers) (model.yaml:"},
    {"container of a service",
     WHOLE ECO SERVICE_WITH(", N: {type: sqlite, path: n}", ON_LIVE, "limits: {N: {writers: 1}}\n"),
     WHOLE ECO SERVICE_WITH("", ON_LIVE, "limits: {N: {writers: 1}}\n"), "C012", false, NULL},
    {"group", WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE GROUP("more", "Shop/orders")) SERVICE,
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(GROUP("more", "Shop/orders")) SERVICE, "C012 C015", false,
     "group \"Reports/live\" is removed, and used by Yellow (a/m@infra)"},
    {"workspace", WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE) SERVICE, WHOLE ECO TEAMS DB STORE(ORDERS) SERVICE,
     "C012 C015", false, NULL},
    {"platform",
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE)
         SERVICE_WITH("", ON_LIVE ", Old: {type: yellow, milestoning: scd2}", ASSIGNED),
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE) SERVICE_WITH("", "Old: {type: yellow, milestoning: scd2}", ASSIGNED),
     "C012 C018", false, NULL},
    {"platform, unused",
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE)
         SERVICE_WITH("", ON_LIVE ", Old: {type: yellow, milestoning: scd2}", ASSIGNED),
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE) SERVICE, "", true, NULL},
    {"service's definition", WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE) SERVICE,
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE), "C018", false, NULL},
    {"service's declaration", WHOLE ECO SERVICE_WITH("", ON_LIVE, ""),
     WHOLE ECOSYSTEM(MYCORP, USA, "") SERVICE_WITH("", ON_LIVE, ""), "C012", false, NULL},
    {"zone's definition", WHOLE ECO TEAMS DB, WHOLE ECO DB, "C012", false,
     "zone \"USA\" is removed, and used by DB (a/m@makers) (model.yaml:"},
    {"zone's declaration", WHOLE ECO ZONE(""), WHOLE ECOSYSTEM(MYCORP, "", YELLOW) ZONE(""), "C012", false,
     "zone \"USA\" is removed, and used by USA (a/m@central)"},
    {"team", WHOLE ECO TEAMS DB, WHOLE ECO ZONE(USERS) DB, "C012", false,
     "team \"USA/makers\" is removed, and used by DB (a/m@makers)"},
    {"team, empty", WHOLE ECO TEAMS DB, WHOLE ECO ZONE(MAKERS) DB, "", true, NULL},
    {"vendor", WHOLE ECO TEAMS DB, WHOLE ECOSYSTEM("", USA, YELLOW) TEAMS DB, "C012", false,
     "vendor \"MyCorp\" is removed, and used by DB (a/m@makers)"},
    {"location", WHOLE ECO TEAMS DB, WHOLE ECOSYSTEM("{name: MyCorp, locations: [LA]}", USA, YELLOW) TEAMS DB, "C012",
     false, "location \"MyCorp:NY\" is removed, and used by DB (a/m@makers)"},
    {"location, unused", WHOLE ECO TEAMS DB, WHOLE ECOSYSTEM("{name: MyCorp, locations: [NY]}", USA, YELLOW) TEAMS DB,
     "", true, NULL},
    {"location, still above another", WHOLE ECOSYSTEM("{name: MyCorp, locations: [NY, NY/1]}", USA, YELLOW) TEAMS DB,
     WHOLE ECOSYSTEM("{name: MyCorp, locations: [NY/1]}", USA, YELLOW) TEAMS DB, "", true, NULL},
    {"service renamed",
     WHOLE ECOSYSTEM(MYCORP, USA, YELLOW ", {name: Red, repository: a/m@infra}") TEAMS DB STORE(ORDERS) USER(LIVE)
         SERVICE,
     WHOLE ECOSYSTEM(MYCORP, USA, YELLOW ", {name: Red, repository: a/m@infra}") TEAMS DB STORE(ORDERS) USER(LIVE) NEXT
     "kind: PlatformService\nname: Red\nmerge: {container: M}\ncontainers: {M: {type: sqlite, path: m}}\n"
     "platforms: {" ON_LIVE "}\n" ASSIGNED,
     "", true, NULL},
    {"sink", WHOLE ECO TEAMS DB STORE(ORDERS ITEMS) USER(GROUP("live", "Shop/orders, Shop/items")),
     WHOLE ECO TEAMS DB STORE(ORDERS ITEMS) USER(LIVE), "C015", true,
     "the views of \"Shop/items\" for \"Reports/live\" go away"},
    {"history", WHOLE ECO TEAMS DB STORE(ORDERS) USER("  live: {requires: {history: full}, sinks: [Shop/orders]}\n"),
     WHOLE ECO TEAMS DB STORE(ORDERS) USER("  live: {sinks: [Shop/orders]}\n"), "C015", true, NULL},
    {"unassigned", WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE) SERVICE,
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE) SERVICE_WITH("", ON_LIVE, ""), "C018", false, NULL},
    {"unassigned, of names that begin alike",
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE GROUP("live2", "Shop/orders"))
         SERVICE_WITH("", ON_LIVE, ASSIGNED ASSIGN("Reports/live2", AT("Live", "provisioned"))),
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE GROUP("live2", "Shop/orders"))
         SERVICE_WITH("", ON_LIVE, "assignments:\n" ASSIGN("Reports/live2", AT("Live", "decommissioned"))),
     "C018 C018", false, NULL},
    {"assigned automatically", WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE) SERVICE,
     WHOLE ECO TEAMS DB STORE(ORDERS) USER(LIVE) SERVICE_WITH("", ON_LIVE, "auto_assign: true\n"), "", true, NULL},
};

static void removals(void **state)
{
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof REMOVALS / sizeof REMOVALS[0]; i++) {
        good =
            expect(REMOVALS[i].id, REMOVALS[i].base, REMOVALS[i].head, REMOVALS[i].rules, REMOVALS[i].accepted) && good;
        if (!REMOVALS[i].message)
            continue;
        change_run run = change_check(&(change_case){.base = REMOVALS[i].base, .head = REMOVALS[i].head});
        const char *message = diags_count(run.diags) ? diags_at(run.diags, 0)->message : "";
        if (!str_starts(str_of(message), str_of(REMOVALS[i].message))) {
            fprintf(stderr, "%s: %s\n", REMOVALS[i].id, message);
            good = false;
        }
        change_free(&run);
    }
    assert_true(good);
}

// --- where data is kept and read

#define SERVICE_OF(name, container, path, milestoning, rest)                                                           \
    NEXT "kind: PlatformService\nname: " name "\nmerge: {container: " container "}\ncontainers: {" container           \
         ": {" path "}}\nplatforms: {Live: {type: yellow, milestoning: " milestoning "}}\n" rest
#define ON_SQLITE(path) "type: sqlite, path: " path
#define ON_POSTGRES(host, rest) "type: postgres, host: " host ", database: d" rest
#define MERGED(container) SERVICE_OF("Yellow", "M", container, "scd1", ASSIGNED)
#define RED_WITH(container, platforms, rest)                                                                           \
    NEXT "kind: PlatformService\nname: Red\nmerge: {container: N}\ncontainers: {N: {type: sqlite, path: " container    \
         "}}\nplatforms: {" platforms "}\n" rest
#define NO_STORE WHOLE ECOSYSTEM(MYCORP, USA, YELLOW ", {name: Red, repository: a/m@infra}") TEAMS
#define BASE NO_STORE DB STORE(ORDERS) USER(LIVE)
#define SHARED(path) NEXT "kind: DataContainer\nteam: USA/makers\nname: Shared\ntype: sqlite\npath: " path "\n"
#define MERGED_SHARED                                                                                                  \
    NEXT "kind: PlatformService\nname: Yellow\nmerge: {container: Shared}\nplatforms: {" ON_LIVE "}\n" ASSIGNED
#define ENVIRONMENT(name, path)                                                                                        \
    NEXT "kind: Environment\nname: e\ncontainers: {" name ": {type: sqlite, path: " path "}}\n"
#define ENVIRONMENT_OF_TWO(path)                                                                                       \
    NEXT "kind: Environment\nname: e\ncontainers: {DB: {type: sqlite, path: a}, M: {type: sqlite, path: " path "}}\n"
#define DB_AT(rest) NO_STORE NEXT "kind: DataContainer\nteam: USA/makers\nname: DB\n" rest STORE(ORDERS)
#define CAPTURED(capture)                                                                                              \
    NO_STORE DB SHARED("s") NEXT "kind: Datastore\nteam: USA/makers\nname: Shop\ncapture: {" capture                   \
                                 ", trigger: {external: true}}\n"                                                      \
                                 "datasets:\n" ORDERS
#define RENAMED(name)                                                                                                  \
    NO_STORE NEXT "kind: DataContainer\nteam: USA/makers\nname: " name "\ntype: sqlite\npath: d\n---\n"                \
                  "kind: Datastore\nteam: USA/makers\nname: Shop\ncapture: {type: sql_snapshot, container: " name      \
                  ", trigger: {external: true}}\ndatasets:\n" ORDERS
#define ON_NEXT "Next: {type: yellow, milestoning: scd1}"
#define ASSIGNED_TO(platforms) "assignments:\n" ASSIGN("Reports/live", platforms)
#define STEP(platforms) BASE SERVICE_WITH("", ON_LIVE ", " ON_NEXT, ASSIGNED_TO(platforms))
#define AUTOMATIC BASE SERVICE_WITH("", ON_LIVE, "auto_assign: true\n")
#define RED_TAKES RED_WITH("n", ON_NEXT, ASSIGNED_TO(AT("Next", "provisioned")))

static const struct {
    const char *id, *base, *head, *rules;
    bool accepted;
} PLACES[] = {
    {"merge path", BASE MERGED(ON_SQLITE("m")), BASE MERGED(ON_SQLITE("n")), "C017", false},
    {"merge host", BASE MERGED(ON_POSTGRES("a", "")), BASE MERGED(ON_POSTGRES("b", "")), "C017", false},
    {"merge port", BASE MERGED(ON_POSTGRES("a", "")), BASE MERGED(ON_POSTGRES("a", ", port: 5433")), "C017", false},
    {"merge port, said", BASE MERGED(ON_POSTGRES("a", "")), BASE MERGED(ON_POSTGRES("a", ", port: 5432")), "", true},
    {"merge type", BASE MERGED(ON_POSTGRES("a", "")), BASE MERGED(ON_SQLITE("m")), "C017", false},
    {"merge, other fields", BASE MERGED(ON_POSTGRES("a", "")),
     BASE MERGED(ON_POSTGRES("a", ", tls: {mode: require}, limits: {connections: 3}")), "", true},
    {"merge renamed", BASE MERGED(ON_SQLITE("m")), BASE SERVICE_OF("Yellow", "N", ON_SQLITE("m"), "scd1", ASSIGNED), "",
     true},
    {"merge, another", BASE MERGED(ON_SQLITE("m")), BASE SERVICE_OF("Yellow", "N", ON_SQLITE("n"), "scd1", ASSIGNED),
     "C017", false},
    {"merge of a team", BASE SHARED("s") MERGED_SHARED, BASE SHARED("t") MERGED_SHARED, "C017", false},
    {"merge becomes a team's", BASE MERGED(ON_SQLITE("s")), BASE SHARED("s") MERGED_SHARED, "", true},
    {"merge becomes a team's, elsewhere", BASE MERGED(ON_SQLITE("m")), BASE SHARED("s") MERGED_SHARED, "C017", false},
    {"merge in an environment", BASE SERVICE ENVIRONMENT("M", "a"), BASE SERVICE ENVIRONMENT("M", "b"), "C017", false},
    {"source in an environment", BASE SERVICE ENVIRONMENT("DB", "a"), BASE SERVICE ENVIRONMENT("DB", "b"), "", true},
    {"an environment gains a merge", BASE SERVICE ENVIRONMENT("DB", "a"), BASE SERVICE ENVIRONMENT_OF_TWO("b"), "C017",
     false},
    {"an environment loses a merge", BASE SERVICE ENVIRONMENT_OF_TWO("b"), BASE SERVICE ENVIRONMENT("DB", "a"), "C017",
     false},
    {"an environment says what is so without it", BASE MERGED(ON_SQLITE("m")) ENVIRONMENT("DB", "a"),
     BASE MERGED(ON_SQLITE("m")) ENVIRONMENT_OF_TWO("m"), "", true},
    {"an environment gains a source", BASE SERVICE ENVIRONMENT("M", "b"), BASE SERVICE ENVIRONMENT_OF_TWO("b"), "",
     true},
    {"new environment", BASE SERVICE, BASE SERVICE ENVIRONMENT("M", "b"), "", true},
    {"service renamed", BASE MERGED(ON_SQLITE("m")), BASE SERVICE_OF("Red", "M", ON_SQLITE("m"), "scd1", ASSIGNED), "",
     true},
    {"service renamed, elsewhere", BASE MERGED(ON_SQLITE("m")),
     BASE SERVICE_OF("Red", "M", ON_SQLITE("n"), "scd1", ASSIGNED), "C017", false},
    {"service renamed, another milestoning", BASE MERGED(ON_SQLITE("m")),
     BASE SERVICE_OF("Red", "M", ON_SQLITE("m"), "scd2", ASSIGNED), "C016", false},
    {"milestoning", BASE MERGED(ON_SQLITE("m")), BASE SERVICE_OF("Yellow", "M", ON_SQLITE("m"), "scd2", ASSIGNED),
     "C016", false},
    {"platform of another service", BASE RED_WITH("m", ON_LIVE, "") SERVICE_WITH("", ON_NEXT, ""),
     BASE RED_WITH("m", "Next: {type: yellow, milestoning: scd2}", "") SERVICE_WITH("", ON_LIVE, ""), "C016", false},
    // Sources.
    {"capture's container", CAPTURED("type: sql_snapshot, container: DB"),
     CAPTURED("type: sql_snapshot, container: Shared"), "C019", true},
    {"capture's type", CAPTURED("type: sql_snapshot, container: DB"),
     CAPTURED("type: sql_watermark, container: DB, watermark: {column: id}"), "C019", true},
    {"container renamed", RENAMED("DB"), RENAMED("DB2"), "", true},
    {"source", DB_AT("type: sqlite\npath: d\n"), DB_AT("type: sqlite\npath: e\n"), "C019", true},
    {"source, two fields", DB_AT("type: postgres\nhost: a\ndatabase: d\n"),
     DB_AT("type: postgres\nhost: b\ndatabase: e\n"), "C019", true},
    {"another table", TABLE(ID), TABLE(ID "    source: {table: x}\n"), "C019", true},
    {"the table, no longer said", TABLE(ID "    source: {schema: s}\n"), TABLE(ID), "C019", true},
    {"source of nobody", BASE SHARED("s"), BASE SHARED("t"), "", true},
    // Groups.
    {"moves at once", STEP(AT("Live", "provisioned")), STEP(AT("Next", "provisioned")), "C020", false},
    {"moves at once, beside", STEP(AT("Live", "provisioned")),
     STEP(AT("Live", "decommissioning") ", " AT("Next", "provisioned")), "C020", false},
    {"first step", STEP(AT("Live", "provisioned")), STEP(AT("Live", "provisioned") ", " AT("Next", "provisioning")), "",
     true},
    {"second step", STEP(AT("Live", "provisioned") ", " AT("Next", "provisioning")),
     STEP(AT("Live", "decommissioning") ", " AT("Next", "provisioned")), "", true},
    {"last step", STEP(AT("Live", "decommissioning") ", " AT("Next", "provisioned")), STEP(AT("Next", "provisioned")),
     "", true},
    {"platform renamed", BASE SERVICE, BASE SERVICE_WITH("", ON_NEXT, ASSIGNED_TO(AT("Next", "provisioned"))), "C020",
     false},
    {"taken by another service", AUTOMATIC, AUTOMATIC RED_TAKES, "C020", false},
    {"a second database beside", BASE SERVICE, BASE SERVICE RED_TAKES, "", true},
};

static void places(void **state)
{
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof PLACES / sizeof PLACES[0]; i++)
        good = expect(PLACES[i].id, PLACES[i].base, PLACES[i].head, PLACES[i].rules, PLACES[i].accepted) && good;
    assert_true(good);
}

// Approval lifts what breaks a schema, and nothing else.
static void approval(void **state)
{
    (void)state;
    const struct {
        const char *base, *head;
        bool accepted;
    } CASES[] = {
        {TABLE(ID COLUMN("a: text")), TABLE(ID), true},
        {TABLE(ID COLUMN("a: text primary key")), TABLE(ID COLUMN("a: text not null")), true},
        {WHOLE ECO TEAMS DB STORE(ORDERS ITEMS) USER(LIVE), WHOLE ECO TEAMS DB STORE(ITEMS) USER(LIVE), false},
        {TABLE(ID), TABLE(ID) "    deprecated: true\n", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        change_run run =
            change_check(&(change_case){.base = CASES[i].base, .head = CASES[i].head, .approve_breaking = true});
        assert_int_equal(run.verdict->accepted, CASES[i].accepted);
        assert_true(run.verdict->changes[0].breaking);
        assert_int_equal(diags_at(run.diags, 0)->severity, CASES[i].accepted ? DIAG_WARNING : DIAG_ERROR);
        change_free(&run);
    }
}

// The consumers that have not agreed are named with their repositories.
static void deprecations(void **state)
{
    (void)state;
#define SINKS(sinks)                                                                                                   \
    "kind: Workspace\nteam: USA/analytics\nname: Consumer1\ndataset_groups:\n  live: {sinks: [" sinks "]}\n"
#define AGREES SINKS("{dataset: Store1/customers, allow_deprecated: true}")
    const struct {
        const char *base, *head, *message;
    } CASES[] = {
        {TABLE(ID), TABLE(ID) "    deprecated: use Store2\n",
         "\"Store1/customers\" can't be deprecated yet: used by Consumer1/live (acme/model@analytics)"},
        {TABLE(ID), TABLE(ID) "deprecated: use Store2\n",
         "\"Store1\" can't be deprecated yet: used by Consumer1/live (acme/model@analytics)"},
        {TABLE(ID) NEXT AGREES, TABLE(ID) "    deprecated: true\n" NEXT AGREES, NULL},
        {TABLE(ID) "    deprecated: soon\n", TABLE(ID) "    deprecated: now\n", NULL}, // lint speaks of it
        {TABLE(ID) "    deprecated: soon\n", TABLE(ID), NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        change_run run = change_check(&(change_case){.base = CASES[i].base, .head = CASES[i].head});
        assert_int_equal(diags_count(run.diags), CASES[i].message != NULL);
        if (CASES[i].message)
            assert_string_equal(diags_at(run.diags, 0)->message, CASES[i].message);
        change_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),        cmocka_unit_test(tables), cmocka_unit_test(classifications),
        cmocka_unit_test(removals),     cmocka_unit_test(places), cmocka_unit_test(approval),
        cmocka_unit_test(deprecations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
