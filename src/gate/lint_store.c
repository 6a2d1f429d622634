// Datastores: how they are captured, what their datasets promise.
#include "gate/lint_int.h"
#include "schema/shape.h"

// --- capture

typedef struct capture_fit {
    ds_capture_type capture;
    uint32_t containers; // bits (1 << type)
    const char *needs;
} capture_fit;

#define BIT(type) (UINT32_C(1) << (type))
#define SQL_BITS                                                                                                       \
    (BIT(CONTAINER_POSTGRES) | BIT(CONTAINER_SQLITE) | BIT(CONTAINER_MARIADB) | BIT(CONTAINER_SQLSERVER) |             \
     BIT(CONTAINER_ORACLE) | BIT(CONTAINER_DB2) | BIT(CONTAINER_SNOWFLAKE) | BIT(CONTAINER_ODBC))
#define CDC_BITS (BIT(CONTAINER_POSTGRES) | BIT(CONTAINER_MARIADB) | BIT(CONTAINER_SQLSERVER) | BIT(CONTAINER_ORACLE))
static const capture_fit FITS[] = {
    {CAPTURE_SQL_SNAPSHOT, SQL_BITS, "a SQL database"},
    {CAPTURE_SQL_WATERMARK, SQL_BITS, "a SQL database"},
    {CAPTURE_SQL_CDC, CDC_BITS, "a database with a change log"},
    {CAPTURE_DEBEZIUM_TABLE, SQL_BITS, "a SQL database"},
    {CAPTURE_FILES_CSV, BIT(CONTAINER_S3) | BIT(CONTAINER_HTTP), "a container of type s3 or http"},
    {CAPTURE_HTTP_JSON, BIT(CONTAINER_HTTP), "a container of type http"},
    {CAPTURE_KAFKA, BIT(CONTAINER_KAFKA), "a container of type kafka"},
};

static void check_source(lint *l, const ds_datastore *store)
{
    const ds_capture *capture = &store->capture;
    const ds_container *container = lint_container(l, capture->container, store->name.s);
    for (size_t i = 0; container && container->type != CONTAINER_NONE && i < sizeof FITS / sizeof FITS[0]; i++)
        if (FITS[i].capture == capture->type && !(FITS[i].containers & BIT(container->type))) {
            lint_add(l, LINT_WRONG_CONTAINER, capture->container.pos, store->name.s,
                     "capture \"%s\" needs %s, and \"%s\" is of type %s", lint_text(capture->type_text.s),
                     FITS[i].needs, container->name.s, container_type_name(container->type));
            lint_hint_at(l, "it is declared", container->pos);
        }
}

// An ubigint has no order that all sources share.
static bool watermark_type_ok(const ds_type *type)
{
    bool counts = type_is_integer(type) && type->kind != TYPE_UBIGINT;
    return counts || type->kind == TYPE_TIMESTAMP || type->kind == TYPE_TIMESTAMPTZ || type->kind == TYPE_DATE;
}

static void check_watermark_of(lint *l, const ds_datastore *store, const ds_dataset *dataset, const ds_column *first)
{
    const char *name = store->capture.watermark.column.s, *object = lint_path(l, store->name.s, dataset->name);
    const ds_column *column = dataset_column(dataset, name);
    if (dataset_is_keyless(dataset))
        lint_add(l, LINT_WATERMARK, dataset->pos, object,
                 "dataset \"%s\" has no key, by which rows that change would replace those of before", dataset->name);
    if (!column)
        lint_add(l, LINT_WATERMARK, dataset->pos, object, "dataset \"%s\" has no watermark column \"%s\"",
                 dataset->name, name);
    else if (column->type && !watermark_type_ok(column->type))
        lint_add(l, LINT_WATERMARK, column->pos, object,
                 "watermark column \"%s\" is neither an integer up to bigint nor a date or timestamp", name);
    else if (column->type && first && !type_equal(first->type, column->type))
        lint_add(l, LINT_WATERMARK, column->pos, object, "watermark column \"%s\" has another type than before", name);
    else if (!column->not_null && !column->primary_key)
        lint_add(l, LINT_WATERMARK_BLIND, column->pos, object,
                 "watermark column \"%s\" may be null: such rows are read in every batch", name);
}

// A span of time for times, a number for numbers, whole days for dates.
static void check_overlap(lint *l, const ds_datastore *store, const ds_type *type)
{
    const ds_text overlap = store->capture.watermark.overlap;
    if (!overlap.s || !type || !watermark_type_ok(type))
        return;
    char unit = overlap.s[strlen(overlap.s) - 1];
    bool number = unit >= '0' && unit <= '9', wants_number = type_is_integer(type);
    if (number == wants_number && (type->kind != TYPE_DATE || unit == 'd'))
        return;
    lint_add(l, LINT_WATERMARK, overlap.pos, store->name.s, "the overlap \"%s\" doesn't fit a watermark of type %s",
             overlap.s, type_kind_name(type->kind));
    diag_hint(l->diags, wants_number              ? "write a number, for example 1000"
                        : type->kind == TYPE_DATE ? "write a number of days, for example 2d"
                                                  : "write a span of time, for example 10m");
}

// Every dataset has the watermark, of one type, and a key.
static void check_watermark(lint *l, const ds_datastore *store, ds_datasets datasets)
{
    const ds_watermark *watermark = &store->capture.watermark;
    const ds_column *first = NULL;
    for (size_t i = 0; watermark->column.s && i < datasets.n; i++) {
        const ds_column *column = dataset_column(&datasets.v[i], watermark->column.s);
        check_watermark_of(l, store, &datasets.v[i], first);
        if (column && column->type && !first)
            first = column;
    }
    check_overlap(l, store, first ? first->type : NULL);
    if (watermark->column.s && !watermark->sweep.s) {
        lint_add(l, LINT_WATERMARK_BLIND, watermark->pos, store->name.s,
                 "rows that are deleted at the source of \"%s\" stay: nothing sweeps", store->name.s);
        diag_hint(l->diags, "sweep: 1d reads whole tables once a day; datasurface resnapshot does it once");
    }
}

// --- classification

static bool has_column_class(const ds_dataset *dataset, ds_pos *where)
{
    for (size_t i = 0; i < dataset->columns.n; i++)
        if (dataset->columns.v[i].rest->classification_count) {
            *where = dataset->columns.v[i].rest->classification[0].pos;
            return true;
        }
    return false;
}

static void check_classes(lint *l, const ds_datastore *store, const ds_dataset *dataset, const char *object)
{
    ds_pos where;
    bool own = dataset->classification.n > 0, columns = has_column_class(dataset, &where);
    if (own && columns) {
        lint_add(l, LINT_CLASS_TWICE, where, object, "dataset \"%s\" is classified as a whole and by column",
                 dataset->name);
        lint_hint_at(l, "the whole is classified", dataset->classification.pos);
    }
    if (own || columns)
        return;
    lint_add(l, store->production.v ? LINT_CLASS_NEEDED : LINT_CLASS_MISSING, dataset->pos, object,
             "dataset \"%s\" has no classification", dataset->name);
    diag_hint(l->diags, "classification: pub, ip, pc1, pc2, pc3, cpi, mnpi or csi, on the dataset or its columns");
}

// --- datasets

static void check_dataset(lint *l, const ds_datastore *store, const ds_dataset *dataset)
{
    const char *object = lint_path(l, store->name.s, dataset->name);
    check_classes(l, store, dataset, object);
    lint_keys(l, dataset, object);
    lint_checks(l, dataset, object);
    lint_hashes(l, dataset, object);
    if (dataset->columns.n > SHAPE_COLUMNS_MAX)
        lint_add(l, LINT_TOO_MANY_COLUMNS, dataset->pos, object, "dataset \"%s\" has %zu columns; the limit is %d",
                 dataset->name, dataset->columns.n, SHAPE_COLUMNS_MAX);
}

// --- consumers

static void check_consumers(lint *l, const ds_datastore *store)
{
    for (size_t i = 0; i < store->consumers.n; i++) {
        const ds_text entry = store->consumers.v[i];
        ds_str rest = str_of(entry.s), workspace = str_split(&rest, '/'), group = str_split(&rest, '/');
        if (group.n == 0)
            continue;
        const ds_workspace *w;
        const ds_group *g;
        const char *path = arena_printf(l->arena, "%.*s/%.*s", STR_ARGS(workspace), STR_ARGS(group));
        if (!model_resolve_group(l->model, path, &w, &g)) {
            lint_add(l, LINT_UNKNOWN_CONSUMER, entry.pos, store->name.s, "no dataset group \"%s\" in the model", path);
            lint_did_you_mean(l, l->model->workspace_by_name, arena_str(l->arena, workspace));
        } else if (rest.n && !lint_dataset(l, store->name.s, rest.p)) {
            lint_add(l, LINT_UNKNOWN_CONSUMER, entry.pos, store->name.s, "datastore \"%s\" has no dataset \"%s\"",
                     store->name.s, rest.p);
        }
    }
}

void lint_stores(lint *l)
{
    for (size_t i = 0; i < l->model->datastores.n; i++) {
        const ds_datastore *store = l->model->datastores.v[i];
        if (!store->name.s)
            continue;
        if (!store->producer) {
            check_source(l, store);
            lint_trigger(l, &store->capture.trigger, store->name.s);
        }
    }
    for (size_t i = 0; i < l->whole->datastores.n; i++)
        if (l->whole->datastores.v[i]->name.s)
            check_consumers(l, l->whole->datastores.v[i]);
}

void lint_store_datasets(lint *l, const ds_datastore *store)
{
    ds_datasets datasets = datastore_datasets(store, l->arena);
    if (store->capture.type == CAPTURE_SQL_WATERMARK)
        check_watermark(l, store, datasets);
    for (size_t i = 0; i < datasets.n; i++)
        check_dataset(l, store, &datasets.v[i]);
}
