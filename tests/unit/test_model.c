// model/load.h and model/lookup.h: what a model looks like once it is loaded.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/load.h"
#include "model/lookup.h"

typedef struct loaded {
    ds_model *model;
    ds_diags *diags;
} loaded;

static void loaded_release(loaded *l)
{
    diags_free(l->diags);
    model_free(l->model);
}

static void print_findings(const ds_diags *diags)
{
    for (size_t i = 0; i < diags_count(diags); i++)
        diag_print(stderr, diags, diags_at(diags, i), false);
}

// The example of the documentation, without findings.
static loaded load_example(const char *environment)
{
    const char *root = getenv("DATASURFACE_ROOT");
    CLEANUP(buf_release) ds_buf dir = BUF_INIT(4096);
    buf_printf(&dir, "%s/tests/data/example", root ? root : ".");
    loaded l = {0};
    ds_error err;
    ds_load_options options = {buf_text(&dir), environment};
    if (model_load(&options, &l.model, &l.diags, &err).code != DS_OK)
        fail_msg("%s", err.text);
    print_findings(l.diags);
    assert_int_equal(diags_count(l.diags), 0);
    return l;
}

// One file, whatever its findings.
static loaded load_text(const char *text)
{
    const char *const PATHS[] = {"model.yaml"};
    ds_str texts[] = {str_of(text)};
    loaded l = {0};
    ds_error err;
    if (model_load_texts(PATHS, texts, 1, NULL, &l.model, &l.diags, &err).code != DS_OK)
        fail_msg("%s", err.text);
    return l;
}

static void example_objects(void **state)
{
    (void)state;
    CLEANUP(loaded_release) loaded l = load_example(NULL);
    const ds_model *m = l.model;
    assert_int_equal(m->ecosystems.n, 1);
    assert_string_equal(m->ecosystems.v[0]->live.s, "acme/model@main");
    assert_string_equal(m->ecosystems.v[0]->vendors.v[0].cloud.s, "private");
    assert_int_equal(m->ecosystems.v[0]->vendors.v[0].locations.n, 2);
    assert_string_equal(m->ecosystems.v[0]->zones.v[0].repository.s, "acme/model@usa");
    const ds_zone *usa = model_zone(m, "USA");
    assert_string_equal(usa->teams.v[1].name.s, "analytics");
    assert_string_equal(usa->policies.locations.allow.v[0].s, "MyCorp:USA");
    assert_int_equal(usa->policies.vendors.pos.file, 0);
    const ds_container *db = model_container(m, "CustomerDB");
    assert_int_equal(db->type, CONTAINER_POSTGRES);
    assert_string_equal(db->team.s, "USA/customer_data");
    assert_true(db->port.set && db->port.v == 5432);
    assert_int_equal(model_container(m, "MergeDB")->type, CONTAINER_POSTGRES);
    const ds_platform_service *service = model_service(m, "Yellow_NY");
    assert_string_equal(service->merge_container.s, "MergeDB");
    assert_string_equal(service->merge_credential.s, "merge_rw");
    assert_int_equal(service->stream_hints.v[0].chunk_rows.v, 50000);
    assert_string_equal(service->stream_hints.v[0].memory.s, "64Mi");
    assert_string_equal(service->limits.v[0].container, "CustomerDB");
    assert_int_equal(service->limits.v[0].caps.rows_per_second.v, 200000);
    assert_int_not_equal(service->limits.v[0].caps.pos.file, 0);
    assert_string_equal(service->assembly.airflow.s, "3");
    assert_string_equal(service->primary_ingestion.v[0].store, "Store1");
    assert_string_equal(service->primary_ingestion.v[0].platform.s, "YellowForensic");
    assert_int_equal(service->assignments.v[1].platforms.v[0].status, ASSIGNMENT_PROVISIONED);
    const ds_platform *forensic = model_platform(m, "YellowForensic");
    assert_int_equal(forensic->milestoning, MILESTONING_SCD2);
    assert_int_equal(forensic->staging_batches, STAGING_BATCHES_ALL);
    assert_int_equal(model_platform(m, "YellowLive")->staging_batches, 50);
    assert_ptr_equal(platform_service(m, forensic), service);
    assert_null(model_container(m, "Nope"));
}

static void models_are_freed_by_their_owner(void **state)
{
    (void)state;
    loaded l = load_text("kind: GovernanceZone\nname: USA\n");
    diags_freep(&l.diags);
    model_freep(&l.model);
    assert_null(l.model);
    model_freep(&l.model);
}

static void example_store(void **state)
{
    (void)state;
    CLEANUP(loaded_release) loaded l = load_example(NULL);
    const ds_datastore *store = model_datastore(l.model, "Store1");
    assert_true(store->production.set && store->production.v);
    assert_false(store->deprecated.v);
    assert_int_equal(store->consumers.pos.file, 0);
    assert_int_equal(store->capture.type, CAPTURE_SQL_SNAPSHOT);
    assert_string_equal(store->capture.trigger.cron.s, "*/5 * * * *");
    assert_int_equal(store->capture.consistency, CONSISTENCY_MULTI_DATASET);
    assert_true(store->capture.max_delete_ratio.v == 0.5);
    assert_string_equal(store->capture.staging.s, "deltas");
    const ds_dataset *customers = datastore_dataset(store, "customers");
    assert_string_equal(customers->rest->key.s, "primary");
    assert_int_equal(customers->rest->key.pos.file, 0);
    assert_string_equal(customers->classification.v[0].s, "cpi");
    assert_int_equal(customers->columns.n, 6);
    const ds_column *id = dataset_column(customers, "id");
    assert_true(id->primary_key && id->not_null && !id->null_given);
    assert_int_equal(id->type->kind, TYPE_VARCHAR);
    assert_int_equal(id->type->size, 20);
    const ds_column *phone = dataset_column(customers, "phone");
    assert_string_equal(phone->rest->description, "E.164");
    assert_ptr_equal(phone->type, dataset_column(customers, "email")->type); // one type for equal texts
    const ds_dataset *addresses = datastore_dataset(store, "addresses");
    assert_string_equal(addresses->rest->source.table.s, "customer_address");
    assert_null(customers->rest->source.table.s); // nobody wrote to what is shared
    const ds_column *city = dataset_column(addresses, "city");
    assert_string_equal(city->rest->source, "Town Name");
    assert_int_equal(city->rest->classification_count, 1);
    assert_string_equal(city->rest->classification[0].s, "cpi");
    const ds_column *key[6];
    assert_int_equal(dataset_key(customers, key), 1);
    assert_ptr_equal(key[0], id);
    assert_null(datastore_dataset(store, "Customers"));
    assert_null(dataset_column(customers, "ID"));
}

static void example_workspaces(void **state)
{
    (void)state;
    CLEANUP(loaded_release) loaded l = load_example(NULL);
    const ds_workspace *workspace = NULL;
    const ds_group *group = NULL;
    assert_true(model_resolve_group(l.model, "Consumer1/audit", &workspace, &group));
    assert_string_equal(workspace->name.s, "Consumer1");
    assert_int_equal(workspace->priority, PRIORITY_HIGH);
    assert_ptr_equal(workspace_group(workspace, "audit"), group);
    assert_null(workspace_group(workspace, "Audit"));
    assert_int_equal(group->requires_.history, HISTORY_FULL);
    assert_string_equal(group->requires_.retention.s, "7y");
    assert_string_equal(group->sinks.v[1].store, "Store1");
    assert_string_equal(group->sinks.v[1].dataset, "addresses");
    assert_true(group->sinks.v[1].allow_deprecated.v);
    assert_false(group->sinks.v[0].allow_deprecated.v);
    assert_false(model_resolve_group(l.model, "Consumer1/nope", &workspace, &group));
    assert_false(model_resolve_group(l.model, "Consumer1", &workspace, &group));
    assert_false(model_resolve_group(l.model, "/live", &workspace, &group));
    const ds_workspace *masker = model_workspace(l.model, "MaskCustomers");
    assert_int_equal(masker->priority, PRIORITY_MEDIUM);
    assert_string_equal(masker->groups.v[0].requires_.latency.s, "minutes");
    const ds_transformer *t = &masker->transformer;
    assert_string_equal(t->name.s, "mask");
    assert_string_equal(t->sql.v[0].dataset, "customers");
    assert_non_null(strstr(t->sql.v[0].any.s, "{input.Store1.customers}"));
    const ds_datastore *output = model_datastore(l.model, "MaskedCustomers");
    assert_ptr_equal(output, t->output);
    assert_ptr_equal(output, l.model->datastores.v[l.model->datastores.n - 1]);
    assert_ptr_equal(output->producer, masker);
    assert_string_equal(output->team.s, "USA/customer_data");
    assert_int_equal(output->capture.type, CAPTURE_TRANSFORMER);
    assert_true(output->capture.max_delete_ratio.v == 0.5);
    assert_string_equal(output->capture.staging.s, "deltas");
    assert_int_equal(output->capture.consistency, CONSISTENCY_MULTI_DATASET);
}

static void example_environment(void **state)
{
    (void)state;
    CLEANUP(loaded_release) loaded l = load_example("laptop");
    const ds_container *db = model_container(l.model, "CustomerDB");
    assert_int_equal(db->type, CONTAINER_SQLITE);
    assert_string_equal(db->path.s, "customers.db");
    assert_string_equal(db->team.s, "USA/customer_data");
    assert_string_equal(db->locations.v[0].s, "MyCorp:USA/NY_1");
    assert_null(db->host.s);
    assert_false(db->port.set);
    const ds_container *merge = model_container(l.model, "MergeDB");
    assert_int_equal(merge->type, CONTAINER_SQLITE);
    assert_ptr_equal(merge, &model_service(l.model, "Yellow_NY")->containers.v[0]);
    assert_string_equal(merge->locations.v[0].s, "MyCorp:USA/NY_1");
}

static void keys_of_datasets(void **state)
{
    (void)state;
    CLEANUP(loaded_release)
    loaded l = load_text("kind: Datastore\nteam: USA/a\nname: S\n"
                         "capture: {type: sql_snapshot, container: C, trigger: {external: true}}\n"
                         "datasets:\n"
                         "  marked: {columns: {a: int primary key, b: int, c: int primary key}}\n"
                         "  ordered: {primary_key: [c, a], columns: {a: int primary key, b: int, c: int primary key}}\n"
                         "  odd: {primary_key: [nope, b, b], columns: {b: int}}\n"
                         "  none: {key: none, columns: {a: int primary key}}\n");
    print_findings(l.diags);
    assert_int_equal(diags_count(l.diags), 0);
    const struct {
        const char *dataset, *key;
    } CASES[] = {{"marked", "ac"}, {"ordered", "ca"}, {"odd", "b"}, {"none", ""}};
    const ds_datastore *store = model_datastore(l.model, "S");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const ds_dataset *dataset = datastore_dataset(store, CASES[i].dataset);
        const ds_column *key[4];
        size_t n = dataset_key(dataset, key);
        assert_int_equal(n, strlen(CASES[i].key));
        assert_int_equal(dataset_key(dataset, NULL), n);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(key[k]->name[0], CASES[i].key[k]);
    }
    assert_true(dataset_is_keyless(datastore_dataset(store, "none")));
    assert_false(dataset_is_keyless(datastore_dataset(store, "odd")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_objects),    cmocka_unit_test(example_store),
        cmocka_unit_test(example_workspaces), cmocka_unit_test(example_environment),
        cmocka_unit_test(keys_of_datasets),   cmocka_unit_test(models_are_freed_by_their_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
