// gate/changes.h, gate/authorise.h: whose a change is, and who may make it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gate/lint.h"
#include "support/change.h"

#define WHOLE LINT_EXAMPLE_WHOLE
#define NEXT "---\n"
#define ECOSYSTEM(name, zones)                                                                                         \
    "kind: Ecosystem\nname: " name "\nrepository: acme/model@central\nlive: acme/model@live\n"                         \
    "vendors: [{name: MyCorp, locations: [NY]}]\nzones: [" zones "]\n"                                                 \
    "platform_services: [{name: Yellow, repository: acme/model@infra}]\n"
#define DECLARED(name) "{name: " name ", repository: acme/model@" name "main}"
#define EU_USA ECOSYSTEM("Big", DECLARED("EU") ", " DECLARED("USA"))
#define ZONE(name, teams) NEXT "kind: GovernanceZone\nname: " name "\n" teams
#define TEAMS(list) "teams: [" list "]\n"
#define PARIS ZONE("EU", TEAMS("{name: Paris, repository: acme/model@ParisMain}"))
#define NEW_YORK ZONE("USA", TEAMS("{name: NY, repository: acme/model@NYMain}"))
#define CONTAINER(team, name, path)                                                                                    \
    NEXT "kind: DataContainer\nteam: " team "\nname: " name "\ntype: sqlite\npath: " path "\n"
#define STORE(team, name, rest)                                                                                        \
    NEXT "kind: Datastore\nteam: " team "\nname: " name                                                                \
         "\ncapture: {type: sql_snapshot, container: ParisDB, trigger: {external: true}}\n"                            \
         "datasets:\n  d:\n    classification: pub\n    columns: {id: integer primary key}\n" rest
#define USER(rest)                                                                                                     \
    NEXT "kind: Workspace\nteam: USA/NY\nname: Reports\n" rest "dataset_groups: {live: {sinks: [Sales/d]}}\n"
#define SERVICE(rest)                                                                                                  \
    NEXT "kind: PlatformService\nname: Yellow\nmerge: {container: M}\ncontainers: {M: {type: sqlite, path: m.db}}\n"   \
         "platforms: {Live: {type: yellow, milestoning: scd1}, History: {type: yellow, milestoning: scd2}}\n" rest
#define STATUS(status) "assignments: [{group: Reports/live, platforms: [{platform: Live, status: " status "}]}]\n"
#define FULL                                                                                                           \
    WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db") STORE("EU/Paris", "Sales", "") USER("")       \
        SERVICE(STATUS("provisioned"))

// ParisDB in the hands of a team; Twin is of the same repository as NY.
#define HANDED(team, rest)                                                                                             \
    WHOLE EU_USA PARIS ZONE("USA", TEAMS("{name: NY, repository: acme/model@NYMain}, "                                 \
                                         "{name: Twin, repository: acme/model@NYMain}"))                               \
        CONTAINER(team, "ParisDB", "p.db") rest STORE("EU/Paris", "Sales", "") USER("") SERVICE(STATUS("provisioned"))
#define OFFERED(team) "offered_to: " team "\n"

#define CENTRAL "acme/model@central"
#define EU "acme/model@EUmain"
#define USA "acme/model@USAmain"
#define PARIS_TEAM "acme/model@ParisMain"
#define NY_TEAM "acme/model@NYMain"
#define INFRA "acme/model@infra"

typedef struct row {
    const char *id, *base, *head, *repository;
    const char *rule; // NULL: accepted
} row;

static const row ROWS[] = {
    // Five steps from nothing to teams, each by its own repository.
    {"A01 first", WHOLE, WHOLE EU_USA, CENTRAL, NULL},
    {"A01 first, bad branch", WHOLE, WHOLE EU_USA, "acme/model@BAD_BRANCH", "A003"},
    {"A01 EU", WHOLE EU_USA, WHOLE EU_USA PARIS, EU, NULL},
    {"A01 EU, bad branch", WHOLE EU_USA, WHOLE EU_USA PARIS, "acme/model@BAD_BRANCH", "A001"},
    {"A01 USA", WHOLE EU_USA PARIS, WHOLE EU_USA PARIS NEW_YORK, USA, NULL},
    {"A01 USA, by EU", WHOLE EU_USA PARIS, WHOLE EU_USA PARIS NEW_YORK, EU, "A002"},
    {"A01 Paris", WHOLE EU_USA PARIS NEW_YORK,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db") STORE("EU/Paris", "Sales", ""), PARIS_TEAM,
     NULL},
    {"A01 Paris, by its zone", WHOLE EU_USA PARIS NEW_YORK,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db"), EU, "A002"},
    {"A01 New York", WHOLE EU_USA PARIS NEW_YORK, WHOLE EU_USA PARIS NEW_YORK CONTAINER("USA/NY", "NYDB", "n.db"),
     NY_TEAM, NULL},
    {"A01 New York, bad branch", WHOLE EU_USA PARIS NEW_YORK,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("USA/NY", "NYDB", "n.db"), "acme/model@BAD_BRANCH", "A001"},
    // The name of the whole.
    {"A02", WHOLE EU_USA, WHOLE ECOSYSTEM("Bigger", DECLARED("EU") ", " DECLARED("USA")), CENTRAL, NULL},
    {"A02 by another", WHOLE EU_USA, WHOLE ECOSYSTEM("Bigger", DECLARED("EU") ", " DECLARED("USA")), EU, "A002"},
    // Teams are declared by their zone.
    {"A03", WHOLE EU_USA ZONE("EU", ""), WHOLE EU_USA PARIS, EU, NULL},
    {"A03 by the Ecosystem", WHOLE EU_USA ZONE("EU", ""), WHOLE EU_USA PARIS, CENTRAL, "A002"},
    // What is a team's is changed by the team.
    {"A04", FULL, FULL STORE("EU/Paris", "Costs", ""), PARIS_TEAM, NULL},
    {"A04 by its zone", FULL, FULL STORE("EU/Paris", "Costs", ""), EU, "A002"},
    {"A04 by the Ecosystem", FULL, FULL STORE("EU/Paris", "Costs", ""), CENTRAL, "A002"},
    {"A04 by the other team", FULL, FULL STORE("EU/Paris", "Costs", ""), NY_TEAM, "A002"},
    // The definition goes first, by its owner, then the declaration, by the parent.
    {"A05 definition", WHOLE EU_USA ZONE("EU", ""), WHOLE EU_USA, EU, NULL},
    {"A05 definition, by the Ecosystem", WHOLE EU_USA ZONE("EU", ""), WHOLE EU_USA, CENTRAL, "A002"},
    {"A05 declaration", WHOLE EU_USA, WHOLE ECOSYSTEM("Big", DECLARED("USA")), CENTRAL, NULL},
    {"A05 declaration, by the zone", WHOLE EU_USA, WHOLE ECOSYSTEM("Big", DECLARED("USA")), EU, "A002"},
    {"A05 declaration, too early", WHOLE EU_USA ZONE("EU", ""), WHOLE ECOSYSTEM("Big", DECLARED("USA")) ZONE("EU", ""),
     CENTRAL, "C012"},
    {"A06 declare", WHOLE EU_USA, WHOLE ECOSYSTEM("Big", DECLARED("EU") "," DECLARED("USA") "," DECLARED("China")),
     CENTRAL, NULL},
    {"A06 declare, by itself", WHOLE EU_USA,
     WHOLE ECOSYSTEM("Big", DECLARED("EU") "," DECLARED("USA") "," DECLARED("China")), "acme/model@Chinamain", "A001"},
    {"A06 define", WHOLE ECOSYSTEM("Big", DECLARED("China")),
     WHOLE ECOSYSTEM("Big", DECLARED("China")) ZONE("China", ""), "acme/model@Chinamain", NULL},
    {"A06 define, by the Ecosystem", WHOLE ECOSYSTEM("Big", DECLARED("China")),
     WHOLE ECOSYSTEM("Big", DECLARED("China")) ZONE("China", ""), CENTRAL, "A002"},
    {"A06 both at once", WHOLE EU_USA,
     WHOLE ECOSYSTEM("Big", DECLARED("EU") "," DECLARED("USA") "," DECLARED("China")) ZONE("China", ""), CENTRAL,
     "A002"},
    {"A07", FULL, FULL CONTAINER("EU/Paris", "More", "m.db"), "acme/other@main", "A001"},
    {"A07 without a change", FULL, FULL, "acme/other@main", "A001"},
    {"A08 branch", FULL, FULL CONTAINER("EU/Paris", "More", "m.db"), "acme/model@parismain", "A001"},
    {"A08 path", FULL, FULL CONTAINER("EU/Paris", "More", "m.db"), "Acme/model@ParisMain", "A001"},
    {"A09", FULL,
     WHOLE ECOSYSTEM("Bigger", DECLARED("EU") "," DECLARED("USA"))
         PARIS ZONE("USA", TEAMS("{name: NY, repository: acme/model@NYMain}, {name: LA, repository: acme/model@LA}"))
             CONTAINER("EU/Paris", "ParisDB", "p.db") STORE("EU/Paris", "Sales", "") USER("")
                 SERVICE(STATUS("provisioned")),
     CENTRAL, "A002"},
    {"A10 the Ecosystem's", FULL, FULL, CENTRAL, NULL},
    {"A10 a zone's", FULL, FULL, EU, NULL},
    {"A10 a team's", FULL, FULL, NY_TEAM, NULL},
    {"A10 a service's", FULL, FULL, INFRA, NULL},
    {"A10 the live branch", FULL, FULL, "acme/model@live", "A001"},
    {"A11", FULL,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db") STORE("EU/Paris", "Sales", "")
         USER("priority: critical\n") SERVICE(STATUS("provisioned")),
     PARIS_TEAM, "A002"},
    {"A11 by its owner", FULL,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db") STORE("EU/Paris", "Sales", "")
         USER("priority: critical\n") SERVICE(STATUS("provisioned")),
     NY_TEAM, NULL},
    {"A14 by a team", FULL,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db") STORE("EU/Paris", "Sales", "") USER("")
         SERVICE(STATUS("decommissioning")),
     NY_TEAM, "A002"},
    {"A14 by the service", FULL,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db") STORE("EU/Paris", "Sales", "") USER("")
         SERVICE(STATUS("decommissioning")),
     INFRA, NULL},
    {"A14 by the Ecosystem", FULL,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db") STORE("EU/Paris", "Sales", "") USER("")
         SERVICE(STATUS("decommissioning")),
     CENTRAL, "A002"},
    // A consumer can't approve itself.
    {"approval", FULL,
     WHOLE EU_USA PARIS NEW_YORK CONTAINER("EU/Paris", "ParisDB", "p.db")
         STORE("EU/Paris", "Sales", "consumers: [Reports/live]\n") USER("") SERVICE(STATUS("provisioned")),
     NY_TEAM, "A002"},
    // An object changes hands in two steps: its owner offers it, and the other takes it.
    {"taken", HANDED("EU/Paris", ""), HANDED("USA/NY", ""), NY_TEAM, "A002"},
    {"given", HANDED("EU/Paris", ""), HANDED("USA/NY", ""), PARIS_TEAM, "A004"},
    {"given at once, with an offer", HANDED("EU/Paris", ""), HANDED("USA/NY", OFFERED("USA/NY")), PARIS_TEAM, "A004"},
    {"offered", HANDED("EU/Paris", ""), HANDED("EU/Paris", OFFERED("USA/NY")), PARIS_TEAM, NULL},
    {"offered by the other", HANDED("EU/Paris", ""), HANDED("EU/Paris", OFFERED("USA/NY")), NY_TEAM, "A002"},
    {"offered to nobody", HANDED("EU/Paris", ""), HANDED("EU/Paris", OFFERED("USA/LA")), PARIS_TEAM, "L007"},
    {"offer withdrawn", HANDED("EU/Paris", OFFERED("USA/NY")), HANDED("EU/Paris", ""), PARIS_TEAM, NULL},
    {"offer declined by the other", HANDED("EU/Paris", OFFERED("USA/NY")), HANDED("EU/Paris", ""), NY_TEAM, "A002"},
    {"offer taken", HANDED("EU/Paris", OFFERED("USA/NY")), HANDED("USA/NY", ""), NY_TEAM, NULL},
    {"offer taken, not cleared", HANDED("EU/Paris", OFFERED("USA/NY")), HANDED("USA/NY", OFFERED("USA/NY")), NY_TEAM,
     NULL},
    {"offer taken by its owner", HANDED("EU/Paris", OFFERED("USA/NY")), HANDED("USA/NY", ""), PARIS_TEAM, "A002"},
    {"offer taken by a zone", HANDED("EU/Paris", OFFERED("USA/NY")), HANDED("USA/NY", ""), USA, "A002"},
    {"offer taken for another team", HANDED("EU/Paris", OFFERED("USA/NY")), HANDED("USA/Twin", ""), NY_TEAM, "A002"},
    {"taken, and changed", HANDED("EU/Paris", OFFERED("USA/NY")), HANDED("USA/NY", "limits: {connections: 1}\n"),
     NY_TEAM, "A002"},
    {"within one repository", HANDED("USA/NY", ""), HANDED("USA/Twin", ""), NY_TEAM, NULL},
    {"second Ecosystem", FULL,
     FULL NEXT "kind: Ecosystem\nname: Mine\nrepository: acme/model@NYMain\nlive: acme/model@live\n", NY_TEAM, "A002"},
    {"environment by a team", FULL,
     FULL NEXT "kind: Environment\nname: e\ncontainers: {ParisDB: {type: sqlite, path: e}}\n", PARIS_TEAM, "A002"},
    {"environment", FULL, FULL NEXT "kind: Environment\nname: e\ncontainers: {ParisDB: {type: sqlite, path: e}}\n",
     CENTRAL, NULL},
    // Nobody declared the team: its zone repairs that, or whoever is above.
    {"orphan by its zone", WHOLE EU_USA ZONE("EU", "") CONTAINER("EU/Paris", "ParisDB", "p.db"),
     WHOLE EU_USA ZONE("EU", ""), EU, NULL},
    {"orphan without a zone", WHOLE EU_USA CONTAINER("Asia/Tokyo", "TokyoDB", "t.db"), WHOLE EU_USA, CENTRAL, NULL},
    {"broken base", "# the whole model\nkind: Workplace\n---\n" EU_USA, WHOLE EU_USA PARIS, EU, NULL},
    {"broken head", WHOLE EU_USA, WHOLE EU_USA NEXT "kind: Workplace\n", EU, "M003"},
    {"base without an owner", "# the whole model\nkind: Ecosystem\nname: Big\nlive: acme/model@live\n", WHOLE EU_USA,
     CENTRAL, NULL},
    {"base without an owner, by another", "# the whole model\nkind: Ecosystem\nname: Big\nlive: acme/model@live\n",
     WHOLE EU_USA, EU, "A003"},
    {"nothing at all", WHOLE, WHOLE, CENTRAL, "L001"},
};

static bool check_row(const row *r)
{
    change_run run =
        change_check(&(change_case){.base = r->base, .head = r->head, .repository = r->repository, .lint = true});
    bool good = run.verdict->accepted == !r->rule && (!r->rule || change_count(&run, r->rule) > 0);
    size_t errors = diags_severity_count(run.diags, DIAG_ERROR);
    good = good && (errors > 0) == !run.verdict->accepted;
    if (!good) {
        fprintf(stderr, "%s: %s, %zu errors\n", r->id, run.verdict->accepted ? "accepted" : "refused", errors);
        change_print(&run);
    }
    change_free(&run);
    return good;
}

static void rows(void **state)
{
    (void)state;
    bool good = true;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        good = check_row(&ROWS[i]) && good;
    assert_true(good);
}

// A mixed pull request is told which change belongs to whom.
static void mixed(void **state)
{
    (void)state;
    const row *a09 = NULL;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++)
        a09 = strcmp(ROWS[i].id, "A09") == 0 ? &ROWS[i] : a09;
    assert_non_null(a09);
    change_run run = change_check(&(change_case){.base = a09->base, .head = a09->head, .repository = a09->repository});
    assert_int_equal(run.verdict->n, 2);
    assert_string_equal(run.verdict->changes[0].what->object, "Ecosystem Bigger");
    assert_string_equal(run.verdict->changes[0].owner, CENTRAL);
    assert_true(run.verdict->changes[0].allowed);
    assert_string_equal(run.verdict->changes[1].what->field, "teams.LA");
    assert_string_equal(run.verdict->changes[1].owner, USA);
    assert_false(run.verdict->changes[1].allowed);
    assert_int_equal(diags_count(run.diags), 1);
    const ds_diag *d = diags_at(run.diags, 0);
    assert_string_equal(d->message, "\"teams.LA\" of GovernanceZone USA is added: that belongs to \"" USA
                                    "\", not to \"" CENTRAL "\"");
    assert_string_equal(d->hint,
                        "one pull request for each repository: this one also changes what is \"" CENTRAL "\"'s");
    assert_true(d->pos.line > 0);
    change_free(&run);
}

// A document that is gone has no place in the head.
static void gone(void **state)
{
    (void)state;
    change_run run =
        change_check(&(change_case){.base = WHOLE EU_USA ZONE("EU", ""), .head = WHOLE EU_USA, .repository = CENTRAL});
    assert_int_equal(diags_count(run.diags), 1);
    const ds_diag *d = diags_at(run.diags, 0);
    assert_int_equal(d->pos.file, 0);
    assert_non_null(strstr(d->message, "(model.yaml:10:1 in the base)"));
    change_free(&run);
}

// What can't be read has not been removed: its owner hears of the error, and of nothing else.
static void unread(void **state)
{
    (void)state;
    change_run run = change_check(&(change_case){.base = FULL, .head = FULL NEXT "a: [b\n", .repository = PARIS_TEAM});
    assert_false(run.verdict->accepted);
    assert_int_equal(run.verdict->n, 0);
    assert_int_equal(change_count(&run, "M001"), 1);
    assert_int_equal(diags_count(run.diags), 1);
    change_free(&run);
}

// The path may have no @, so it ends at the first one.
static void split_at_the_first(void **state)
{
    (void)state;
#define ODD "kind: Ecosystem\nname: A\nrepository: acme/model@a@b\nlive: acme/model@live\n"
    const struct {
        const char *path, *branch;
        bool accepted;
    } CASES[] = {{"acme/model", "a@b", true},
                 {"acme/model@a", "b", false},
                 {"acme/model", "a", false},
                 {"", "", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        change_run run = change_check(&(change_case){.base = WHOLE ODD, .head = WHOLE ODD "description: x\n"});
        gate_options options = {.repository = CASES[i].path, .branch = CASES[i].branch};
        gate_verdict *verdict = gate_check(run.base, run.head, &options, run.diags, run.arena);
        assert_int_equal(verdict->accepted, CASES[i].accepted);
        change_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows), cmocka_unit_test(mixed), cmocka_unit_test(gone),
                                       cmocka_unit_test(unread), cmocka_unit_test(split_at_the_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
