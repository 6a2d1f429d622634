// gate/impact.h: whom a change reaches, and what apply does to them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gate/impact.h"
#include "gate/lint.h"
#include "support/change.h"

// Shop/orders -> Reports/live, and -> Maker -> Made/d -> Reports/made; Shop/items is read by nobody else than
// Audit/full.
#define HEAD_PART                                                                                                      \
    LINT_EXAMPLE_WHOLE                                                                                                 \
    "kind: Ecosystem\nname: E\nrepository: a/m@central\nlive: a/m@main\nzones: [{name: USA, repository: a/m@usa}]\n"   \
    "platform_services: [{name: Yellow, repository: a/m@infra}]\n---\n"                                                \
    "kind: GovernanceZone\nname: USA\nteams:\n  - {name: makers, repository: a/m@makers}\n"                            \
    "  - {name: users, repository: a/m@users}\n---\n"
#define DB(path) "kind: DataContainer\nteam: USA/makers\nname: DB\ntype: sqlite\npath: " path "\n---\n"
#define STORE(capture, orders, rest)                                                                                   \
    "kind: Datastore\nteam: USA/makers\nname: Shop\n"                                                                  \
    "capture: {type: sql_snapshot, container: DB, trigger: {external: true}" capture "}\ndatasets:\n"                  \
    "  orders:\n    classification: pub\n    columns: {id: integer primary key" orders "}\n"                           \
    "  items: {classification: pub, columns: {id: integer primary key}}\n" rest "---\n"
#define MAKER(sql)                                                                                                     \
    "kind: Workspace\nteam: USA/makers\nname: Maker\ndataset_groups:\n  in: {sinks: [Shop/orders]}\n"                  \
    "transformer:\n  name: t\n  run: {sql: {d: \"" sql " FROM {in.Shop.orders}\"}}\n"                                  \
    "  output: {datastore: Made, datasets: {d: {classification: pub, columns: {id: integer primary key}}}}\n---\n"
#define REPORTS(rest, live)                                                                                            \
    "kind: Workspace\nteam: USA/users\nname: Reports\n" rest "dataset_groups:\n  live: {sinks: [" live "]}\n"          \
    "  made: {sinks: [Made/d]}\n---\n"
#define AUDIT                                                                                                          \
    "kind: Workspace\nteam: USA/users\nname: Audit\ndataset_groups:\n"                                                 \
    "  full: {requires: {history: full}, sinks: [Shop/items]}\n---\n"
#define ON(group, platform) "  - {group: " group ", platforms: [{platform: " platform ", status: provisioned}]}\n"
#define SERVICE(live, rest) SERVICE_AT("m", live, rest)
#define SERVICE_AT(path, live, rest)                                                                                   \
    "kind: PlatformService\nname: Yellow\nmerge: {container: M}\ncontainers: {M: {type: sqlite, path: " path "}}\n"    \
    "platforms:\n  Live: {type: yellow, milestoning: scd1}\n  Old: {type: yellow, milestoning: scd2}\n" rest           \
    "assignments:\n" live ON("Reports/made", "Live") ON("Audit/full", "Old")
#define TAIL MAKER("SELECT id") REPORTS("", "Shop/orders") AUDIT SERVICE(ON("Reports/live", "Live"), "")
#define MODEL HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") TAIL

#define LINEAGE "group Reports/made nothing, transformer Maker nothing"
#define ORDERS(stream, view)                                                                                           \
    "platform Live nothing, stream Live/Made nothing, stream Live/Shop " stream ", group Reports/live " view           \
    ", " LINEAGE
#define BOTH_STREAMS(effect)                                                                                           \
    "platform Live nothing, platform Old nothing, stream Live/Made nothing, stream Live/Shop " effect                  \
    ", stream Old/Shop " effect ", group Audit/full nothing, group Reports/live nothing, " LINEAGE

static const struct {
    const char *id, *head, *affects; // of the first change
} ROWS[] = {
    {"column added", HEAD_PART DB("d") STORE("", ", a: varchar(5), b: text", "") TAIL,
     ORDERS("column_added", "view_replaced")},
    {"column removed", HEAD_PART DB("d") STORE("", "", "") TAIL, ORDERS("column_kept", "view_replaced")},
    {"dataset removed, in use",
     HEAD_PART DB("d") "kind: Datastore\nteam: USA/makers\nname: Shop\ncapture: {type: sql_snapshot, container: DB, "
                       "trigger: {external: true}}\ndatasets:\n"
                       "  items: {classification: pub, columns: {id: integer primary key}}\n---\n" TAIL,
     "platform Live nothing, stream Live/Made nothing, stream Live/Shop ended, group Reports/live view_replaced, " LINEAGE},
    {"team",
     HEAD_PART
     "kind: DataContainer\nteam: USA/users\nname: DB\ntype: sqlite\npath: d\n---\n" STORE("", ", a: varchar(5)", "")
         TAIL,
     "platform Live nothing, platform Old nothing, stream Live/Shop nothing, stream Old/Shop nothing"},
    {"type widened", HEAD_PART DB("d") STORE("", ", a: varchar(9)", "") TAIL, ORDERS("widened", "view_replaced")},
    {"type narrowed", HEAD_PART DB("d") STORE("", ", a: varchar(3)", "") TAIL, ORDERS("refused", "nothing")},
    {"not null", HEAD_PART DB("d") STORE("", ", a: varchar(5) not null", "") TAIL, ORDERS("settings", "nothing")},
    {"key", HEAD_PART DB("d") STORE("", ", a: varchar(5) primary key", "") TAIL, ORDERS("rekeyed", "nothing")},
    {"order",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "  more: {classification: pub, columns: {id: integer}}\n") TAIL,
     ""},
    {"described", HEAD_PART DB("d") STORE("", ", a: varchar(5)", "description: all\n") TAIL, BOTH_STREAMS("nothing")},
    {"capture", HEAD_PART DB("d") STORE(", max_delete_ratio: 1", ", a: varchar(5)", "") TAIL, BOTH_STREAMS("settings")},
    {"consistency", HEAD_PART DB("d") STORE(", consistency: single_dataset", ", a: varchar(5)", "") TAIL,
     "platform Live nothing, platform Old nothing, stream Live/Made nothing, stream Live/Shop recut, "
     "stream Live/Shop/orders recut, stream Old/Shop recut, stream Old/Shop/items recut, "
     "group Audit/full nothing, group Reports/live nothing, " LINEAGE},
    {"container", HEAD_PART DB("e") STORE("", ", a: varchar(5)", "") TAIL, BOTH_STREAMS("settings")},
    {"merge database",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") MAKER("SELECT id") REPORTS("", "Shop/orders")
         AUDIT SERVICE_AT("n", ON("Reports/live", "Live"), ""),
     "platform Live nothing, platform Old nothing, stream Live/Made moved, stream Live/Shop moved, "
     "stream Old/Shop moved, group Audit/full nothing, group Reports/live nothing, " LINEAGE},
    {"sink added",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") MAKER("SELECT id") REPORTS("", "Shop/orders, Shop/items")
         AUDIT SERVICE(ON("Reports/live", "Live"), ""),
     "platform Live nothing, stream Live/Shop dataset_added, group Reports/live view_replaced"},
    {"sink removed, still read",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") MAKER("SELECT id") REPORTS("", "Made/d")
         AUDIT SERVICE(ON("Reports/live", "Live"), ""),
     "platform Live nothing, group Reports/live view_replaced"},
    {"priority",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") MAKER("SELECT id")
         REPORTS("priority: critical\n", "Shop/orders") AUDIT SERVICE(ON("Reports/live", "Live"), ""),
     "platform Live nothing, stream Live/Made priority, stream Live/Shop priority, group Reports/live priority, "
     "group Reports/made priority, transformer Maker priority"},
    {"sql",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") MAKER("SELECT id + 0 AS id") REPORTS("", "Shop/orders")
         AUDIT SERVICE(ON("Reports/live", "Live"), ""),
     "platform Live nothing, stream Live/Made nothing, group Reports/made nothing, transformer Maker settings"},
    {"moved",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") MAKER("SELECT id") REPORTS("", "Shop/orders")
         AUDIT SERVICE(ON("Reports/live", "Old"), ""),
     "platform Live nothing, platform Old nothing, stream Old/Shop dataset_added, group Reports/live view_replaced"},
    {"hint",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") MAKER("SELECT id") REPORTS("", "Shop/orders")
         AUDIT SERVICE(ON("Reports/live", "Live"), "hints: {streams: {Made: {workers: 2}}}\n"),
     "platform Live nothing, stream Live/Made settings, group Reports/made nothing"},
    {"unassigned",
     HEAD_PART DB("d") STORE("", ", a: varchar(5)", "") MAKER("SELECT id") REPORTS("", "Shop/orders")
         AUDIT SERVICE("", ""),
     "platform Live nothing, group Reports/live ended"},
    {"ecosystem",
     "# the whole model\nkind: Ecosystem\nname: F\n"
     "repository: a/m@central\nlive: a/m@main\nzones: [{name: USA, repository: a/m@usa}]\n"
     "platform_services: [{name: Yellow, repository: a/m@infra}]\n---\n"
     "kind: GovernanceZone\nname: USA\nteams:\n  - {name: makers, repository: a/m@makers}\n"
     "  - {name: users, repository: a/m@users}\n---\n" DB("d") STORE("", ", a: varchar(5)", "") TAIL,
     ""},
};

static void print_affects(const gate_change *change, ds_buf *out)
{
    for (size_t i = 0; i < change->affects_n; i++) {
        const gate_affected *a = &change->affects[i];
        buf_printf(out, "%s%s %s %s", i ? ", " : "", gate_thing_name(a->kind), a->name, gate_effect_name(a->effect));
    }
}

static void rows(void **state)
{
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        CLEANUP(buf_release) ds_buf affects = BUF_INIT(10000);
        change_run run = change_check(&(change_case){.base = MODEL, .head = ROWS[i].head});
        assert_int_equal(diags_severity_count(run.base_diags, DIAG_ERROR), 0);
        assert_true(run.verdict->n > 0);
        print_affects(&run.verdict->changes[0], &affects);
        if (strcmp(buf_text(&affects), ROWS[i].affects) != 0) {
            fprintf(stderr, "%s: %s \"%s\": %s\n", ROWS[i].id, run.verdict->changes[0].what->object,
                    run.verdict->changes[0].what->field, buf_text(&affects));
            good = false;
        }
        change_free(&run);
    }
    assert_true(good);
}

static const gate_change *find(const change_run *run, const char *object, const char *field)
{
    for (size_t i = 0; i < run->verdict->n; i++) {
        const ds_change *c = run->verdict->changes[i].what;
        if (strcmp(c->object, object) == 0 && strcmp(c->field, field) == 0)
            return &run->verdict->changes[i];
    }
    fail_msg("no change of \"%s\" of %s", field, object);
    return NULL;
}

// Only the part of the pipelines that changes can reach is looked at. A change of a container's can reach all of them:
// beside it the others are told the same.
static void partial_pipelines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        const char *other = "kind: DataContainer\nteam: USA/users\nname: OtherDB\ntype: sqlite\npath: o\n";
        const char *head = arena_printf(arena, "%s---\n%s", ROWS[i].head, other);
        change_run run = change_check(&(change_case){.base = MODEL, .head = ROWS[i].head});
        change_run whole = change_check(&(change_case){.base = MODEL, .head = head});
        assert_int_equal(whole.verdict->n, run.verdict->n + 1);
        for (size_t k = 0; k < run.verdict->n; k++) {
            CLEANUP(buf_release) ds_buf affects = BUF_INIT(10000);
            CLEANUP(buf_release) ds_buf expected = BUF_INIT(10000);
            const gate_change *change = &run.verdict->changes[k];
            print_affects(change, &affects);
            print_affects(find(&whole, change->what->object, change->what->field), &expected);
            assert_string_equal(buf_text(&affects), buf_text(&expected));
        }
        change_free(&whole);
        change_free(&run);
    }
}

// Each thing has the repository of those who have to know.
static void owners(void **state)
{
    (void)state;
    change_run run = change_check(&(change_case){.base = MODEL, .head = ROWS[0].head});
    static const char *const OWNERS[] = {[THING_PLATFORM] = "a/m@infra",
                                         [THING_STREAM] = "a/m@infra",
                                         [THING_GROUP] = "a/m@users",
                                         [THING_TRANSFORMER] = "a/m@makers"};
    const gate_change *change = &run.verdict->changes[0];
    assert_true(change->affects_n > 4);
    for (size_t i = 0; i < change->affects_n; i++)
        assert_string_equal(change->affects[i].owner, OWNERS[change->affects[i].kind]);
    change_free(&run);
}

// A transformer that reads what it writes, and two that wait for each other, end all the same.
static void circles(void **state)
{
    (void)state;
#define CIRCLE(sinks, rest)                                                                                                         \
    HEAD_PART DB("d") STORE(                                                                                                        \
        "", ", a: varchar(5)" rest,                                                                                                 \
        "") "kind: Workspace\nteam: USA/makers\nname: Maker\ndataset_groups:\n  in: {sinks: [Shop/orders, Made/d]}\n"               \
            "transformer:\n  name: t\n  run: {command: {exec: [./x]}}\n"                                                            \
            "  output: {datastore: Made, datasets: {d: {classification: pub, columns: {id: integer primary key}}}}\n---\n" REPORTS( \
                "", "Shop/orders") AUDIT                                                                                            \
            SERVICE(ON("Reports/live", "Live"), "")
    change_run run = change_check(&(change_case){.base = CIRCLE("", ""), .head = CIRCLE("", ", b: text")});
    CLEANUP(buf_release) ds_buf affects = BUF_INIT(10000);
    print_affects(&run.verdict->changes[0], &affects);
    assert_string_equal(buf_text(&affects), ORDERS("column_added", "view_replaced"));
    change_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(partial_pipelines),
                                       cmocka_unit_test(owners), cmocka_unit_test(circles)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
