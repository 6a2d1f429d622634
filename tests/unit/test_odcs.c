// gate/odcs.h: a datastore as a data contract, and a contract as a datastore.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gate/odcs.h"
#include "model/fields.h"
#include "model/load.h"
#include "model/lookup.h"

typedef struct loaded {
    ds_model *model;
    ds_diags *diags;
} loaded;

static loaded load(const char *text)
{
    loaded l;
    ds_error err;
    const char *path = "m.yaml";
    ds_str whole = str_of(text);
    assert_int_equal(model_load_texts(&path, &whole, 1, NULL, &l.model, &l.diags, &err).code, DS_OK);
    for (size_t i = 0; i < diags_count(l.diags); i++) {
        diag_print(stderr, l.diags, diags_at(l.diags, i), false);
        fail_msg("%s\n%s", diags_at(l.diags, i)->message, text);
    }
    return l;
}

static void loaded_free(loaded *l)
{
    diags_free(l->diags);
    model_free(l->model);
}

static void contract_of(const char *model, const char *store, ds_buf *out)
{
    loaded l = load(model);
    ds_error err;
    json_t *contract = odcs_contract(l.model, model_datastore(l.model, store));
    assert_int_equal(odcs_put_yaml(contract, out, &err).code, DS_OK);
    json_decref(contract);
    loaded_free(&l);
}

// What is made of a contract, for team Z/t; the summary may be NULL.
static ds_rc import_text(const char *contract, const char *container, ds_buf *out, ds_odcs_summary *summary,
                         ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    ds_odcs_summary ignored;
    json_t *tree;
    TRY(odcs_read(str_of(contract), "c.yaml", &tree, err));
    const char *name = odcs_name(tree, arena);
    const ds_odcs_options options = {.datastore = name ? name : "X", .team = "Z/t", .container = container};
    ds_rc rc = odcs_import(&options, tree, arena, out, summary ? summary : &ignored, err);
    json_decref(tree);
    return rc;
}

// --- out

static void a_store_as_a_contract(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    contract_of("kind: Ecosystem\nname: E\nrepository: a/b@c\nlive: a/b@d\nzones: [{name: Z, repository: a/b@z}]\n"
                "platform_services: []\nvendors: []\n"
                "---\nkind: GovernanceZone\nname: Z\nteams: [{name: t, repository: a/b@t, description: the sellers}]\n"
                "---\nkind: DataContainer\nteam: Z/t\nname: DB\ntype: postgres\nhost: h\ndatabase: d\n"
                "---\nkind: Datastore\nteam: Z/t\nname: S\ndescription: 'it''s ours'\nconsumers: [W/g]\n"
                "capture: {type: sql_snapshot, container: DB, credential: ro, trigger: {cron: \"0 */2 * * *\"}}\n"
                "datasets:\n  t:\n    source: {schema: s, table: T 1}\n    primary_key: [b, a]\n"
                "    checks: [{not_null: [a, c]}, {unique: [c, d]}, {range: {column: d, min: 0}}]\n"
                "    columns:\n      a: integer primary key\n      b: varchar(20) primary key\n"
                "      c: {type: timestamptz, classification: [pub, ip], source: C}\n"
                "      d: {type: \"decimal(9,2) partition\", description: how much}\n",
                "S", &text);
    static const char EXPECTED[] =
        "apiVersion: v3.1.0\nkind: DataContract\nid: E/S\nname: S\nversion: VERSION\nstatus: draft\ndomain: Z\n"
        "team:\n  name: Z/t\n  description: the sellers\n"
        "description:\n  purpose: \"it's ours\"\n"
        "servers:\n- server: DB\n  type: postgres\n  host: h\n  port: 5432\n  database: d\n  schema: public\n"
        "  customProperties:\n  - property: datasurface\n    value:\n      assumed:\n      - port\n      - schema\n"
        "schema:\n- name: t\n  physicalName: s.T 1\n  physicalType: table\n  logicalType: object\n  properties:\n"
        "  - name: a\n    logicalType: integer\n    physicalType: integer\n    required: true\n"
        "    primaryKey: true\n    primaryKeyPosition: 2\n    quality:\n    - type: library\n      metric: nullValues\n"
        "      mustBe: 0\n      dimension: completeness\n      customProperties:\n      - property: datasurface\n"
        "        value:\n          check: 1\n          column: 1\n"
        "  - name: b\n    logicalType: string\n    physicalType: varchar(20)\n    logicalTypeOptions:\n"
        "      maxLength: 20\n    required: true\n    primaryKey: true\n    primaryKeyPosition: 1\n"
        "  - name: c\n    physicalName: C\n    logicalType: timestamp\n    physicalType: timestamptz\n"
        "    logicalTypeOptions:\n      timezone: true\n    classification: \"pub, ip\"\n    quality:\n"
        "    - type: library\n      metric: nullValues\n      mustBe: 0\n      dimension: completeness\n"
        "      customProperties:\n      - property: datasurface\n        value:\n          check: 1\n          column: 2\n"
        "  - name: d\n    logicalType: number\n    physicalType: \"decimal(9,2)\"\n    description: how much\n"
        "    required: true\n    partitioned: true\n    partitionKeyPosition: 1\n"
        "  quality:\n  - type: library\n    metric: duplicateValues\n    mustBe: 0\n    dimension: uniqueness\n"
        "    arguments:\n      properties:\n      - c\n      - d\n"
        "    customProperties:\n    - property: datasurface\n      value:\n        check: 2\n"
        "  - type: custom\n    engine: datasurface\n    implementation:\n      range:\n        column: d\n"
        "        min: \"0\"\n    customProperties:\n    - property: datasurface\n      value:\n        check: 3\n"
        "roles:\n- role: W/g\n  access: read\n"
        "slaProperties:\n- property: frequency\n  value: 2\n  unit: hours\n  scheduler: cron\n"
        "  schedule: \"0 */2 * * *\"\n"
        "customProperties:\n- property: datasurface\n  value:\n    capture:\n      type: sql_snapshot\n"
        "      container: DB\n      credential: ro\n      trigger:\n        cron: \"0 */2 * * *\"\n";
    const char *version = strstr(text.p, "\nversion: ");
    assert_non_null(version);
    CLEANUP(buf_release) ds_buf masked = BUF_INIT(1 << 20);
    buf_put(&masked, text.p, (size_t)(version - text.p));
    buf_puts(&masked, "\nversion: VERSION");
    buf_puts(&masked, strchr(version + 1, '\n'));
    assert_string_equal(buf_text(&masked), EXPECTED);
}

static void the_version_is_of_the_contract(void **state)
{
    (void)state;
    static const char *const MODELS[] = {"c", "c # the same", "d"};
    ds_buf texts[3] = {BUF_INIT(1 << 20), BUF_INIT(1 << 20), BUF_INIT(1 << 20)};
    for (size_t i = 0; i < 3; i++) {
        CLEANUP(buf_release) ds_buf model = BUF_INIT(1 << 16);
        buf_printf(&model,
                   "kind: Datastore\nteam: Z/t\nname: S\n"
                   "capture: {type: sql_snapshot, container: DB, trigger: {external: true}}\n"
                   "datasets: {t: {columns: {a: integer primary key}}}\ndescription: %s\n",
                   MODELS[i]);
        contract_of(buf_text(&model), "S", &texts[i]);
    }
    assert_string_equal(buf_text(&texts[0]), buf_text(&texts[1]));
    const char *a = strstr(texts[0].p, "\nversion: "), *b = strstr(texts[2].p, "\nversion: ");
    assert_non_null(a);
    assert_non_null(b);
    assert_memory_not_equal(a, b, 20);
    for (size_t i = 0; i < 3; i++)
        buf_release(&texts[i]);
}

static void a_transformers_output_is_a_contract_without_a_server(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    contract_of("kind: Workspace\nteam: Z/t\nname: W\ndataset_groups: {g: {sinks: [S/t]}}\ntransformer:\n  name: w\n"
                "  run: {command: {exec: [x]}}\n"
                "  output: {datastore: O, datasets: {t: {columns: {a: integer primary key}}}}\n",
                "O", &text);
    assert_null(strstr(text.p, "servers"));
    assert_null(strstr(text.p, "capture"));
    assert_non_null(strstr(text.p, "name: Z/t"));
    CLEANUP(buf_release) ds_buf model = BUF_INIT(1 << 20);
    ds_error err;
    assert_int_equal(import_text(text.p, NULL, &model, NULL, &err).code, DS_FINDING);
    assert_string_equal(err.text, "the contract names no server that datasurface knows");
    assert_int_equal(import_text(text.p, "DB", &model, NULL, &err).code, DS_OK);
    loaded l = load(buf_text(&model));
    assert_string_equal(model_datastore(l.model, "O")->capture.container.s, "DB");
    loaded_free(&l);
}

// --- in

#define HEAD "kind: DataContract\napiVersion: v3.1.0\nid: i-1\nversion: 1.1.0\nstatus: draft\nname: my orders\n"
#define SERVER "servers: [{server: db, type: postgres, host: h, port: 5432, database: d, schema: s}]\n"

static void what_has_no_place_is_a_comment(void **state)
{
    (void)state;
    static const char CONTRACT[] =
        HEAD "tags: [a]\ndomain: seller\ntenant: ~\nteam: {name: us, members: [{username: me}]}\n"
             "description: {purpose: views, limitations: \"none\\nat all\"}\n"
             "servers:\n- {server: files, type: azure, location: x}\n"
             "- {server: my-db, type: postgresql, host: h, port: 5433, database: d, schema: s, environment: prod}\n"
             "roles: [{role: A/b, access: read}, {role: A/c, access: write}, {role: x, access: read}]\n"
             "slaProperties: [{property: latency, value: 4, unit: d},\n"
             "  {property: frequency, value: 1, unit: d, scheduler: cron, schedule: 0 3 * * *}]\n"
             "customProperties: [{property: x, value: 1}]\n"
             "schema:\n- name: tbl\n  physicalName: s2.tbl_1\n  physicalType: VIEW\n  businessName: B\n  properties:\n"
             "  - {name: at, physicalName: at_1, logicalType: date, physicalType: date, primaryKey: false,\n"
             "     primaryKeyPosition: -1, partitioned: true, partitionKeyPosition: 1, classification: public}\n"
             "  - {name: id, primaryKey: true, primaryKeyPosition: 2, physicalType: varchar(18), unique: true,\n"
             "     classification: cpi}\n"
             "  - {name: country code, primaryKey: true, primaryKeyPosition: 1, physicalType: frob(2),\n"
             "     logicalType: string, logicalTypeOptions: {maxLength: 2, pattern: \"[A-Z]*\"},\n"
             "     quality: [{metric: nullValues, mustBe: 0, severity: error}, {metric: nullValues, mustBe: 1}]}\n"
             "  - {name: ID, logicalType: timestamp, logicalTypeOptions: {timezone: true}, required: true}\n"
             "  - {name: ds_x, tags: [], examples: [], criticalDataElement: false}\n"
             "  quality:\n  - {metric: rowCount, mustBeGreaterThan: 10}\n"
             "  - {metric: duplicateValues, mustBe: 0, arguments: {properties: [id, country code]}}\n"
             "  - {metric: duplicateValues, mustBe: 0, arguments: {properties: [unheard]}}\n"
             "- name: empty\n";
    static const char EXPECTED[] =
        "# yaml-language-server: $schema=datasurface.schema.json\n"
        "# Made from data contract i-1, version 1.1.0 (ODCS v3.1.0).\n"
        "kind: DataContainer\nteam: Z/t\nname: my_db\ntype: postgres\nhost: h\nport: 5433\ndatabase: d\nschema: s\n"
        "---\n"
        "# not imported: servers: my_db: environment: \"prod\" (a model has no place for it)\n"
        "# not imported: servers: 0: {\"server\":\"files\",\"type\":\"azure\",\"location\":\"x\"} (a datastore is on one "
        "server)\n"
        "# not imported: description: limitations: \"none\\nat all\" (a model has no place for it)\n"
        "# not imported: tbl: quality: {\"metric\":\"rowCount\",\"mustBeGreaterThan\":\"10\"} (a model has no such "
        "check)\n"
        "# not imported: tbl: quality: {\"metric\":\"duplicateValues\",\"mustBe\":\"0\",\"arguments\":{\"properties\":"
        "[\"unheard\"]}} (a model has no such check)\n"
        "# not imported: tbl.country_code: quality: severity: \"error\" (a model has no place for it)\n"
        "# not imported: tbl.country_code: quality: {\"metric\":\"nullValues\",\"mustBe\":\"1\"} (a model has no such "
        "check)\n"
        "# not imported: tbl.at: classification: \"public\" (none of pub, ip, pc1, pc2, pc3, cpi, mnpi, csi)\n"
        "# not imported: tbl.country_code: physicalType: \"frob(2)\" (unknown; taken for varchar(2))\n"
        "# not imported: tbl.country_code: logicalTypeOptions: {\"pattern\":\"[A-Z]*\"} (a model has no place for it)\n"
        "# not imported: tbl.source_ds_x: physicalType: \"none\" (unknown; taken for text)\n"
        "# not imported: tbl: physicalType: \"VIEW\" (a model has no place for it)\n"
        "# not imported: tbl: businessName: \"B\" (a model has no place for it)\n"
        "# not imported: schema: empty: {} (it has no properties)\n"
        "# not imported: tags: [\"a\"] (a model has no place for it)\n"
        "# not imported: domain: \"seller\" (a model has no place for it)\n"
        "# not imported: team: {\"name\":\"us\",\"members\":[{\"username\":\"me\"}]} (a model has no place for it)\n"
        "# not imported: roles: [{\"role\":\"A/c\",\"access\":\"write\"},{\"role\":\"x\",\"access\":\"read\"}] (a model "
        "has no place for it)\n"
        "# not imported: slaProperties: [{\"property\":\"latency\",\"value\":\"4\",\"unit\":\"d\"}] (a model has no place "
        "for it)\n"
        "# not imported: customProperties: [{\"property\":\"x\",\"value\":\"1\"}] (a model has no place for it)\n"
        "kind: Datastore\nteam: Z/t\nname: my_orders\ndescription: views\nconsumers:\n- A/b\ncapture:\n"
        "  type: sql_snapshot\n  container: my_db\n  trigger:\n    cron: \"0 3 * * *\"\n"
        "datasets:\n  tbl:\n    source:\n      schema: s2\n      table: tbl_1\n    checks:\n    - unique:\n      - id\n"
        "      - country_code\n    - unique:\n      - id\n    - not_null:\n      - country_code\n"
        "    primary_key:\n    - country_code\n    - id\n"
        "    columns:\n      at:\n        type: date partition\n        source: at_1\n"
        "      id:\n        type: varchar(18) primary key\n        classification: cpi\n"
        "      country_code:\n        type: varchar(2) primary key\n        source: country code\n"
        "      ID_2:\n        type: timestamptz not null\n        source: ID\n"
        "      source_ds_x:\n        type: text\n        source: ds_x\n";
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
    ds_odcs_summary summary;
    ds_error err;
    if (import_text(CONTRACT, NULL, &text, &summary, &err).code != DS_OK)
        fail_msg("%s", err.text);
    assert_string_equal(buf_text(&text), EXPECTED);
    assert_int_equal(summary.datasets, 1);
    assert_int_equal(summary.renamed, 3);
    assert_int_equal(summary.guessed, 2);
    assert_int_equal(summary.left_out, 20);
    loaded l = load(buf_text(&text)); // and it can be read
    loaded_free(&l);
}

static void contracts_that_cant_be_imported(void **state)
{
    (void)state;
    static const struct {
        const char *contract, *text;
    } CASES[] = {
        {"", "c.yaml: it is no data contract"},
        {"- 1\n", "c.yaml: it is no data contract"},
        {"kind: Datastore\n", "c.yaml: it is no data contract"},
        {"kind: DataContract\n", "c.yaml: it is no data contract"},
        {"kind: DataContract\napiVersion: v2.2.2\n", "c.yaml: version 3 of the standard can be read, and this is "
                                                     "\"v2.2.2\""},
        {"kind: [", "c.yaml:2:1: did not find expected node content"},
        {"a: 1\na: 2\n", "c.yaml:2:1: the key is there twice"},
        {"[a]: 1\n", "c.yaml:1:1: a key must be a text"},
        {"a: *b\n", "c.yaml:1:4: the alias names no anchor"},
        {"a: &b [*b]\n", "c.yaml:1:8: an alias stands in what it stands for"},
        {"a: \"x\\0y\"\n", "c.yaml:1:4: a text holds a NUL"},
        {"a: 1\n---\nb: 2\n", "c.yaml:2:1: a second contract in one file"},
        {"{\"kind\": \"DataContract\", \"apiVersion\": \"v3.0.2\"}",
         "the contract has no schema, so there is nothing to "
         "import"},
        {HEAD "schema: []\n", "the contract has no schema, so there is nothing to import"},
        {HEAD "schema: x\n", "the contract has no schema, so there is nothing to import"},
        {HEAD "schema: [{name: t}]\n", "the contract names no server that datasurface knows"},
        {HEAD "servers: [{server: a, type: trino}]\nschema: [{name: t}]\n",
         "the contract names no server that datasurface knows"},
        {HEAD SERVER "schema: [{name: t}]\n",
         "no object of the contract has properties, so there is nothing to import"},
        {HEAD SERVER "schema: [x, ~, [1], {properties: {a: 1}}]\n",
         "no object of the contract has properties, so there is nothing to import"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 20);
        ds_error err;
        if (import_text(CASES[i].contract, NULL, &text, NULL, &err).code != DS_FINDING ||
            strcmp(err.text, CASES[i].text) != 0)
            fail_msg("%s\n  is        %s\n  should be %s", CASES[i].contract, err.text, CASES[i].text);
    }
}

// Everything may be of any kind: nothing is trusted to be a map, a list or a text.
static void odd_contracts_are_survived(void **state)
{
    (void)state;
    static const char *const KEYS[] = {
        "id",          "version", "name",  "status",        "domain",           "team",
        "description", "servers", "roles", "slaProperties", "customProperties", "schema"};
    static const char *const VALUES[] = {
        "~",
        "x",
        "[]",
        "{}",
        "[x]",
        "[[]]",
        "[{}]",
        "{a: b}",
        "[{property: datasurface}]",
        "[{property: datasurface, value: {capture: x, consumers: {}, a: 1}}]",
        "[{name: [], properties: [x, {}, [], {name: {}, quality: {}}], quality: [1, {}, {mustBe: 0}]}]",
        "[{server: {}, type: custom, path: [], customProperties: [1]}]"};
    for (size_t k = 0; k < sizeof KEYS / sizeof KEYS[0]; k++)
        for (size_t v = 0; v < sizeof VALUES / sizeof VALUES[0]; v++) {
            CLEANUP(buf_release) ds_buf contract = BUF_INIT(1 << 16), text = BUF_INIT(1 << 20);
            ds_error err;
            buf_puts(&contract, "kind: DataContract\napiVersion: v3.1.0\n");
            if (strcmp(KEYS[k], "servers") != 0)
                buf_puts(&contract, SERVER);
            if (strcmp(KEYS[k], "schema") != 0)
                buf_puts(&contract, "schema: [{name: t, properties: [{name: a, physicalType: integer}]}]\n");
            buf_printf(&contract, "%s: %s\n", KEYS[k], VALUES[v]);
            ds_rc rc = import_text(buf_text(&contract), NULL, &text, NULL, &err);
            assert_true(rc.code == DS_OK || rc.code == DS_FINDING);
        }
}

static void limits_of_the_reader(void **state)
{
    (void)state;
    CLEANUP(buf_release) ds_buf deep = BUF_INIT(1 << 20), laughs = BUF_INIT(1 << 20), fits = BUF_INIT(1 << 20);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    ds_error err;
    buf_puts(&deep, "a: ");
    for (int i = 0; i < ODCS_DEPTH_MAX; i++)
        buf_putc(&deep, '[');
    assert_int_equal(import_text(buf_text(&deep), NULL, &out, NULL, &err).code, DS_FINDING);
    assert_string_equal(err.text, "c.yaml:1:67: it is nested too deeply");
    buf_puts(&laughs, "a0: &a0 [x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++)
        buf_printf(&laughs, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1,
                   i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_int_equal(import_text(buf_text(&laughs), NULL, &out, NULL, &err).code, DS_FINDING);
    assert_non_null(strstr(err.text, "it is too large"));
    buf_puts(&fits, "a0: &a0 x\n");
    for (int i = 1; i < 80; i++)
        buf_printf(&fits, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    assert_int_equal(import_text(buf_text(&fits), NULL, &out, NULL, &err).code, DS_FINDING);
    assert_non_null(strstr(err.text, "it is nested too deeply"));
}

// --- there and back

// Two structs of one shape: every field that was given in one was given in the other, with the same value.
static bool same_struct(const model_shape *shape, const char *a, const char *b);

static bool same_text(const ds_text *a, const ds_text *b)
{
    return (a->pos.file != 0) == (b->pos.file != 0) && str_eq(str_of(a->s), str_of(b->s));
}

static bool same_texts(const ds_texts *a, const ds_texts *b)
{
    bool same = a->n == b->n && (a->pos.file != 0) == (b->pos.file != 0);
    for (size_t i = 0; same && i < a->n; i++)
        same = str_eq(str_of(a->v[i].s), str_of(b->v[i].s));
    return same;
}

typedef LIST_OF(char) any_list;

static bool same_list(const model_field *field, const any_list *a, const any_list *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; same && i < a->n; i++)
        same = same_struct(field->shape, a->v + i * field->shape->size, b->v + i * field->shape->size);
    return same;
}

// The keys are compared as they come out, and what is part of one is not null.
static bool same_column(const ds_column *a, const ds_column *b)
{
    return strcmp(a->name, b->name) == 0 && type_equal(a->type, b->type) && a->partition == b->partition &&
           (a->not_null == b->not_null || b->primary_key);
}

static bool same_key(const ds_dataset *a, const ds_dataset *b)
{
    const ds_column *x[64], *y[64];
    size_t n = dataset_key(a, x);
    bool same = n == dataset_key(b, y) && dataset_is_keyless(a) == dataset_is_keyless(b);
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(x[i]->name, y[i]->name) == 0;
    return same;
}

static bool same_classes(const model_field *field, const char *a, const char *b)
{
    uint16_t n = *(const uint16_t *)(const void *)(a + field->value_offset);
    const ds_text *x = *(const ds_text *const *)(a + field->offset), *y = *(const ds_text *const *)(b + field->offset);
    bool same = n == *(const uint16_t *)(b + field->value_offset);
    for (size_t i = 0; same && i < n; i++)
        same = strcmp(x[i].s, y[i].s) == 0;
    return same;
}

static bool same_field(const model_field *field, const char *of_a, const char *of_b)
{
    const char *a = field_home(field, of_a), *b = field_home(field, of_b);
    const void *x = a + field->offset, *y = b + field->offset;
    switch (field->kind) {
    case FIELD_TEXT:
        return same_text(x, y);
    case FIELD_STRING:
        return str_eq(str_of(*(const char *const *)x), str_of(*(const char *const *)y));
    case FIELD_INT:
        return ((const ds_int *)x)->set == ((const ds_int *)y)->set && ((const ds_int *)x)->v == ((const ds_int *)y)->v;
    case FIELD_FLAG:
        return ((const ds_flag *)x)->set == ((const ds_flag *)y)->set &&
               ((const ds_flag *)x)->v == ((const ds_flag *)y)->v;
    case FIELD_RATIO:
        return memcmp(&((const ds_ratio *)x)->v, &((const ds_ratio *)y)->v, sizeof(double)) == 0;
    case FIELD_TEXTS:
    case FIELD_ONE_OR_MANY:
        return same_texts(x, y);
    case FIELD_CLASSES:
        return same_classes(field, a, b);
    case FIELD_STRUCT:
        return same_struct(field->shape, x, y);
    case FIELD_LIST:
    case FIELD_MAP:
        return same_list(field, x, y);
    case FIELD_DEPRECATED:
        return ((const ds_deprecation *)x)->v == ((const ds_deprecation *)y)->v &&
               str_eq(str_of(((const ds_deprecation *)x)->reason), str_of(((const ds_deprecation *)y)->reason));
    case FIELD_COLUMN_TYPE:
        return same_column(x, y);
    case FIELD_POINTER:
    case FIELD_SINK:
    case FIELD_BATCHES:
        break;
    }
    fail_msg("a datastore has no such field: %s", field->key);
    return false;
}

static bool same_struct(const model_shape *shape, const char *a, const char *b)
{
    if (shape->named && shape->name_is_string &&
        strcmp(*(const char *const *)(a + shape->name_offset), *(const char *const *)(b + shape->name_offset)) != 0)
        return false;
    for (size_t i = 0; i < shape_field_count(shape); i++) {
        const model_field *field = shape_field(shape, i);
        if (!field->key)
            continue;
        bool key = strcmp(shape->name, "dataset") == 0 &&
                   (strcmp(field->key, "primary_key") == 0 || strcmp(field->key, "key") == 0);
        if (key ? same_key((const void *)a, (const void *)b) : same_field(field, a, b))
            continue;
        print_error("%s: %s\n", shape->name, field->key);
        return false;
    }
    return true;
}

// --- random stores

typedef struct maker {
    uint64_t state;
    ds_buf *out;
} maker;

static unsigned pick(maker *m, unsigned n)
{
    m->state = m->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(m->state >> 33) % n;
}

static bool chance(maker *m, unsigned in)
{
    return pick(m, in) == 0;
}

#define PICK(m, list) (list)[pick((m), sizeof(list) / sizeof((list)[0]))]

static const char *const TEXTS[] = {"plain",        "\"5\"",
                                    "\"true\"",     "\"null\"",
                                    "\"a: b # c\"", "\"tab\\tline\\nend\"",
                                    "'it''s'",      "\"é 漢 \\u2028\"",
                                    "\"~\"",        "\" edge \"",
                                    "\"- x\"",      "\"1e3\"",
                                    "\"0x10\"",     "\"2026-01-31\"",
                                    "\"{}\"",       "\"%\"",
                                    "\"\\\\\""};

static void maybe(maker *m, const char *key, const char *value)
{
    if (chance(m, 2))
        buf_printf(m->out, "%s: %s\n", key, value);
}

static void make_container(maker *m)
{
    static const struct {
        const char *type, *fields;
        bool server;
    } TYPES[] = {
        {"postgres", "host: h\ndatabase: d\n", true},
        {"sqlite", "path: a b.db\n", false},
        {"mariadb", "host: h\ndatabase: d\n", true},
        {"sqlserver", "host: h\ndatabase: \"7\"\n", true},
        {"oracle", "host: h\ndatabase: d\n", true},
        {"db2", "host: h\ndatabase: d\n", true},
        {"snowflake", "host: h\ndatabase: d\n", true},
        {"odbc", "database: dsn\n", false},
        {"s3", "path: bucket/x\n", false},
        {"http", "host: h\n", false},
        {"kafka", "host: h\n", false},
    };
    size_t t = pick(m, sizeof TYPES / sizeof TYPES[0]);
    buf_printf(m->out, "kind: DataContainer\nteam: Z/%s\nname: DB\ntype: %s\n%s", chance(m, 4) ? "other" : "t",
               TYPES[t].type, TYPES[t].fields);
    maybe(m, "locations", "[\"V:A/B\", \"V:C\"]");
    maybe(m, "limits", "{connections: 3, rows_per_second: 100}");
    if (!TYPES[t].server)
        return;
    static const char *const PORTS[] = {"5432", "3306", "1", "65535"};
    static const char *const SCHEMAS[] = {"public", "dbo", "\"Odd One\"", "PUBLIC"};
    maybe(m, "port", PICK(m, PORTS));
    maybe(m, "schema", PICK(m, SCHEMAS));
    maybe(m, "tls", "{mode: verify-full, ca: ca.pem}");
}

static void make_capture(maker *m)
{
    static const char *const RATIOS[] = {"0", "1", "0.25", "0.1", "0.5"};
    bool watermark = chance(m, 3);
    buf_printf(m->out, "capture:\n  type: %s\n  container: DB\n", watermark ? "sql_watermark" : "sql_snapshot");
    if (watermark)
        buf_puts(m->out, "  watermark: {column: c0, overlap: 10m, newest: wait}\n");
    maybe(m, "  credential", "ro.1");
    maybe(m, "  consistency", chance(m, 2) ? "single_dataset" : "multi_dataset");
    maybe(m, "  max_delete_ratio", PICK(m, RATIOS));
    maybe(m, "  staging", "full");
    maybe(m, "  bad_rows", "{reject: 7}");
    buf_puts(m->out, chance(m, 4)   ? "  trigger: {external: true}\n"
                     : chance(m, 2) ? "  trigger: {cron: \"7 3 * * mon\", timezone: Europe/Berlin}\n"
                                    : "  trigger: {cron: \"*/5 * * * *\"}\n");
}

static void make_column(maker *m, unsigned i, const char *modifiers, bool classified)
{
    static const char *const TYPES[] = {"integer",
                                        "bigint",
                                        "utinyint",
                                        "real",
                                        "double",
                                        "\"decimal(12,2)\"",

                                        "boolean",
                                        "char(3)",
                                        "varchar(20)",
                                        "varchar",
                                        "text",
                                        "nvarchar(9)",
                                        "string",
                                        "date",
                                        "time",
                                        "timetz",
                                        "timestamp",
                                        "timestamptz",
                                        "interval",
                                        "uuid",
                                        "json",
                                        "binary(4)",
                                        "variant",
                                        "\"geography(point,4326)\"",
                                        "vector(3)",
                                        "array(integer)",
                                        "\"map(text,integer)\"",
                                        "\"struct(a text, b integer)\"",
                                        "fp8_e4m3"};
    static const char *const SOURCES[] = {"\"Town Name\"", "\"a.b\"", "\"5\"", "plain"};
    ds_str type = str_of(PICK(m, TYPES));
    if (type.p[0] == '"')
        type = (ds_str){type.p + 1, type.n - 2};
    buf_printf(m->out, "      c%u: {type: \"%.*s%s\"", i, STR_ARGS(type), modifiers);
    if (chance(m, 3))
        buf_printf(m->out, ", description: %s", PICK(m, TEXTS));
    if (chance(m, 4))
        buf_printf(m->out, ", source: %s", PICK(m, SOURCES));
    if (classified && chance(m, 2))
        buf_printf(m->out, ", classification: %s", chance(m, 2) ? "pub" : "[cpi, ip]");
    buf_puts(m->out, "}\n");
}

static void make_columns(maker *m, bool classified, bool keyless)
{
    static const char *const MODIFIERS[] = {"", " not null", " null", " partition"};
    unsigned n = 2 + pick(m, 8);
    buf_puts(m->out, "    columns:\n");
    for (unsigned i = 0; i < n; i++)
        make_column(m, i, !keyless && i < 2 ? " primary key" : PICK(m, MODIFIERS), classified);
}

static void make_dataset(maker *m, unsigned i)
{
    static const char *const SOURCES[] = {"{table: \"T 1\"}",        "{schema: s}",
                                          "{schema: s, table: t}",   "{table: a.b}",
                                          "{schema: a.b, table: t}", "{schema: s, table: \"\\\"x\\\"\"}"};
    bool classified = chance(m, 2), keyless = chance(m, 4);
    buf_printf(m->out, "  t%u:\n", i);
    maybe(m, "    description", PICK(m, TEXTS));
    if (classified)
        buf_printf(m->out, "    classification: %s\n", chance(m, 2) ? "cpi" : "[pub, mnpi]");
    maybe(m, "    deprecated", chance(m, 2) ? "true" : PICK(m, TEXTS));
    maybe(m, "    source", PICK(m, SOURCES));
    if (keyless)
        buf_puts(m->out, "    key: none\n");
    else
        maybe(m, "    primary_key", chance(m, 2) ? "[c1, c0]" : "[c0, c1]");
    if (chance(m, 2))
        buf_puts(m->out, "    checks: [{not_null: [c1, c0]}, {sql: \"c0 > 'it''s'\"}, {unique: [c0]}, {not_null: [c0]},"
                         " {range: {column: c1, min: 5, max: \"x\"}}]\n");
    make_columns(m, !classified, keyless);
}

static void make_model(maker *m)
{
    make_container(m);
    buf_puts(m->out, "---\nkind: Datastore\nteam: Z/t\nname: S\n");
    maybe(m, "description", PICK(m, TEXTS));
    maybe(m, "production", chance(m, 2) ? "true" : "false");
    maybe(m, "deprecated", chance(m, 3) ? "false" : chance(m, 2) ? "true" : PICK(m, TEXTS));
    maybe(m, "consumers", chance(m, 2) ? "[]" : "[W/g, W/h/t1]");
    make_capture(m);
    buf_puts(m->out, "datasets:\n");
    unsigned n = 1 + pick(m, 3);
    for (unsigned i = 0; i < n; i++)
        make_dataset(m, i);
}

// What a contract comes back as, and that nothing of it was left out.
static void there_and_back(const char *model, uint64_t seed)
{
    CLEANUP(buf_release) ds_buf contract = BUF_INIT(1 << 20), back = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
    ds_odcs_summary summary;
    ds_error err;
    contract_of(model, "S", &contract);
    if (import_text(buf_text(&contract), NULL, &back, &summary, &err).code != DS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
    loaded a = load(model), b = load(buf_text(&back));
    bool same = same_struct(&SHAPE_DATASTORE, (const char *)model_datastore(a.model, "S"),
                            (const char *)model_datastore(b.model, "S")) &&
                same_struct(&SHAPE_DATA_CONTAINER, (const char *)model_container(a.model, "DB"),
                            (const char *)model_container(b.model, "DB"));
    contract_of(buf_text(&back), "S", &again);
    if (!same || summary.left_out || strcmp(buf_text(&contract), buf_text(&again)) != 0)
        fail_msg("seed %llu\n%s\n--- as a contract\n%s\n--- and back\n%s", (unsigned long long)seed, model,
                 buf_text(&contract), buf_text(&back));
    loaded_free(&a);
    loaded_free(&b);
}

static void a_contract_comes_back_as_the_same_datastore(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        CLEANUP(buf_release) ds_buf model = BUF_INIT(1 << 20);
        maker m = {seed, &model};
        make_model(&m);
        there_and_back(buf_text(&model), seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_as_a_contract),
        cmocka_unit_test(the_version_is_of_the_contract),
        cmocka_unit_test(a_transformers_output_is_a_contract_without_a_server),
        cmocka_unit_test(what_has_no_place_is_a_comment),
        cmocka_unit_test(contracts_that_cant_be_imported),
        cmocka_unit_test(odd_contracts_are_survived),
        cmocka_unit_test(limits_of_the_reader),
        cmocka_unit_test(a_contract_comes_back_as_the_same_datastore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
