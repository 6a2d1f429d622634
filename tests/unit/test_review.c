// gate/review.h, and the model in an Environment (model/lookup.h).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gate/review.h"
#include "model/lookup.h"
#include "support/example.h"
#include "yellow/platform.h"

enum { TEXT_MAX = 1 << 20 };

typedef struct loaded {
    ds_model *model;
    ds_diags *diags;
} loaded;

static ds_platform_types types(void)
{
    static const ds_platform_type *list[1];
    list[0] = yellow_platform_type();
    return (ds_platform_types){list, 1};
}

// The example in the model where it stands.
static loaded load(const char *example, const char *environment)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX);
    const char *path = "model.yaml";
    loaded l;
    ds_error err;
    example_compose(example, &text);
    ds_str whole = buf_str(&text);
    assert_int_equal(model_load_texts(&path, &whole, 1, environment, &l.model, &l.diags, &err).code, DS_OK);
    lint_model(l.model, types(), l.diags);
    return l;
}

static void loaded_release(loaded *l)
{
    diags_free(l->diags);
    model_free(l->model);
}

static size_t count(const ds_diags *diags, const char *rule, const char *start)
{
    size_t n = 0;
    for (size_t i = 0; i < diags_count(diags); i++) {
        const ds_diag *d = diags_at(diags, i);
        n += strcmp(d->rule, rule) == 0 && str_starts(str_of(d->message), str_of(start));
    }
    return n;
}

// --- what the head has repaired

#define CONTAINER(fields) "kind: DataContainer\nteam: USA/customer_data\nname: CustomerDB\n" fields
#define SOUND CONTAINER("type: sqlite\npath: customers.db\nlocations: [\"MyCorp:USA/NY_1\"]\n")
#define NOWHERE CONTAINER("type: sqlite\npath: customers.db\nlocations: [\"MyCorp:USA/NY_2\"]\n")
#define NOWHERE_ELSE "# moved\n\n" NOWHERE
#define UNKNOWN_KEY CONTAINER("type: sqlite\npath: customers.db\ncolour: red\nlocations: [\"MyCorp:USA/NY_1\"]\n")

static const struct {
    const char *what, *base, *head, *rule;
    size_t notes;
} REPAIRS[] = {
    {"nothing wrong", SOUND, SOUND, "L005", 0},   {"repaired", NOWHERE, SOUND, "L005", 1},
    {"still there", NOWHERE, NOWHERE, "L005", 0}, {"still there, on another line", NOWHERE, NOWHERE_ELSE, "L005", 0},
    {"new", SOUND, NOWHERE, "L005", 0},           {"one for another", UNKNOWN_KEY, NOWHERE, "M002", 1},
};

static void repaired_errors_are_notes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof REPAIRS / sizeof REPAIRS[0]; i++) {
        CLEANUP(loaded_release) loaded base = load(REPAIRS[i].base, NULL);
        CLEANUP(loaded_release) loaded head = load(REPAIRS[i].head, NULL);
        size_t errors = diags_severity_count(head.diags, DIAG_ERROR);
        gate_note_repaired(base.diags, head.diags);
        if (count(head.diags, REPAIRS[i].rule, "repaired: ") != REPAIRS[i].notes)
            fail_msg("%s", REPAIRS[i].what);
        assert_int_equal(diags_severity_count(head.diags, DIAG_ERROR), errors);
    }
}

// --- Environments

#define ON_SERVER                                                                                                      \
    "kind: Environment\nname: server\ncontainers:\n"                                                                   \
    "  MergeDB: {type: postgres, host: merge.internal, database: merge}\n---\n"
#define MASKER                                                                                                         \
    "kind: Workspace\nteam: USA/customer_data\nname: Masker\ndataset_groups: {input: {sinks: [Store1/customers]}}\n"   \
    "transformer:\n  name: mask\n"                                                                                     \
    "  run: {sql: {customers: {sqlite: \"SELECT id FROM {input.Store1.customers}\"}}}\n"                               \
    "  output:\n    datastore: Masked\n    datasets: {customers: {classification: pub, columns: "                      \
    "{id: integer primary key}}}\n---\n"
#define READER                                                                                                         \
    "kind: Workspace\nteam: USA/analytics\nname: Consumer1\n"                                                          \
    "dataset_groups: {live: {sinks: [Store1/customers, Masked/customers]}}\n"

static const struct {
    const char *changed; // kind of the documents that have changed; NULL: all
    size_t found;
} LOOKS[] = {
    {NULL, 1}, {"Environment", 1}, {"PlatformService", 1}, {"Workspace", 1}, {"Datastore", 0}, {"GovernanceZone", 0},
};

static ds_documents of_kind(const ds_model *model, const char *kind, ds_arena *arena)
{
    ds_documents all = model_documents(model, arena);
    ds_document *some = ARENA_ARRAY(arena, ds_document, all.n);
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++)
        if (strcmp(all.v[i].kind->name, kind) == 0)
            some[n++] = all.v[i];
    assert_true(n > 0);
    return (ds_documents){some, n};
}

static void environments_are_linted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof LOOKS / sizeof LOOKS[0]; i++) {
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        CLEANUP(loaded_release) loaded head = load(ON_SERVER MASKER READER, NULL);
        assert_int_equal(diags_severity_count(head.diags, DIAG_ERROR), 0);
        ds_documents changed = {0};
        if (LOOKS[i].changed)
            changed = of_kind(head.model, LOOKS[i].changed, arena);
        gate_lint_environments(head.model, types(), LOOKS[i].changed ? &changed : NULL, head.diags);
        if (count(head.diags, "P006", "with --env server: ") != LOOKS[i].found)
            fail_msg("%s", LOOKS[i].changed ? LOOKS[i].changed : "all");
        assert_int_equal(diags_severity_count(head.diags, DIAG_ERROR), LOOKS[i].found);
    }
}

static void a_model_in_an_environment_is_the_one_loaded_with_it(void **state)
{
    (void)state;
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(loaded_release) loaded plain = load(ON_SERVER MASKER READER, NULL);
    CLEANUP(loaded_release) loaded whole = load(ON_SERVER MASKER READER, "server");
    const ds_model *model = model_in_environment(plain.model, plain.model->environments.v[0], arena);
    assert_int_equal(model_container(model, "MergeDB")->type, CONTAINER_POSTGRES);
    assert_int_equal(model_container(plain.model, "MergeDB")->type, CONTAINER_SQLITE);
    assert_ptr_equal(model_service(model, "Yellow_NY"), model->services.v[0]);
    ds_documents changed = model_documents(model, arena), loaded_so = model_documents(whole.model, arena);
    assert_int_equal(model_diff(changed, loaded_so, arena).n, 0);
    assert_true(model_diff(model_documents(plain.model, arena), changed, arena).n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repaired_errors_are_notes),
        cmocka_unit_test(environments_are_linted),
        cmocka_unit_test(a_model_in_an_environment_is_the_one_loaded_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
