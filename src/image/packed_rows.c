// What the rows of datasets and columns say, in the order of their columns in tables.c.
#include "image/packed_int.h"

static void text(sqlite3_context *context, const char *s)
{
    if (s)
        sqlite3_result_text(context, s, -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_null(context);
}

static void number_or_null(sqlite3_context *context, int64_t v)
{
    if (v)
        sqlite3_result_int64(context, v);
    else
        sqlite3_result_null(context);
}

enum { LIST_MAX = 1 << 20 };

static void list(sqlite3_context *context, const ds_text *items, size_t n)
{
    CLEANUP(buf_release) ds_buf all = BUF_INIT(LIST_MAX);
    for (size_t i = 0; i < n; i++)
        buf_printf(&all, "%s%s", i ? " " : "", items[i].s);
    text(context, n ? buf_text(&all) : NULL);
}

static void key(sqlite3_context *context, packed_row *row)
{
    CLEANUP(buf_release) ds_buf all = BUF_INIT(LIST_MAX);
    const ds_column **columns = ARENA_ARRAY(row->scratch, const ds_column *, row->dataset.columns.n);
    size_t n = dataset_key(&row->dataset, columns);
    for (size_t i = 0; i < n; i++)
        buf_printf(&all, "%s%s", i ? " " : "", columns[i]->name);
    text(context, n ? buf_text(&all) : NULL);
}

// From 1; 0: not in the key.
static int64_t place_in_key(packed_row *row, const ds_column *column)
{
    const ds_column **columns = ARENA_ARRAY(row->scratch, const ds_column *, row->dataset.columns.n);
    size_t n = dataset_key(&row->dataset, columns);
    for (size_t i = 0; i < n; i++)
        if (columns[i] == column)
            return (int64_t)i + 1;
    return 0;
}

// --- datasets

static size_t one(const packed_row *row)
{
    (void)row;
    return 1;
}

static void dataset_cell(packed_row *row, sqlite3_context *context, int column)
{
    enum { STORE, NAME, PLACE, DESCRIPTION, CLASSIFICATION, DEPRECATED, KEY, SCHEMA, TABLE, COLUMNS, FILE_, LINE };
    const ds_dataset *d = &row->dataset;
    const char *texts[] = {[STORE] = row->store,
                           [NAME] = d->name,
                           [DESCRIPTION] = d->description.s,
                           [SCHEMA] = d->rest->source.schema.s,
                           [TABLE] = d->rest->source.table.s};
    switch (column) {
    case PLACE:
        sqlite3_result_int64(context, row->place + 1);
        return;
    case CLASSIFICATION:
        list(context, d->classification.v, d->classification.n);
        return;
    case DEPRECATED:
        text(context, d->rest->deprecated.v ? d->rest->deprecated.reason ? d->rest->deprecated.reason : "" : NULL);
        return;
    case KEY:
        key(context, row);
        return;
    case COLUMNS:
        sqlite3_result_int64(context, (int64_t)d->columns.n);
        return;
    case FILE_:
        sqlite3_result_int64(context, d->pos.file);
        return;
    case LINE:
        sqlite3_result_int64(context, d->pos.line);
        return;
    default:
        text(context, texts[column]);
    }
}

// --- columns

static size_t columns_of(const packed_row *row)
{
    return row->dataset.columns.n;
}

static void type(sqlite3_context *context, const ds_type *of)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(TYPE_PRINT_MAX);
    if (of)
        type_print(of, &name);
    text(context, of ? buf_text(&name) : NULL);
}

static void column_cell(packed_row *row, sqlite3_context *context, int column)
{
    enum {
        STORE,
        DATASET,
        NAME,
        PLACE,
        TYPE,
        KEY,
        NOT_NULL,
        PARTITION,
        CLASSIFICATION,
        DESCRIPTION,
        SOURCE,
        FILE_,
        LINE
    };
    const ds_dataset *d = &row->dataset;
    const ds_column *c = &d->columns.v[row->at];
    const char *texts[] = {[STORE] = row->store,
                           [DATASET] = d->name,
                           [NAME] = c->name,
                           [DESCRIPTION] = c->rest->description,
                           [SOURCE] = c->rest->source};
    const int64_t numbers[] = {[PLACE] = (int64_t)row->at + 1,
                               [NOT_NULL] = c->not_null,
                               [PARTITION] = c->partition,
                               [FILE_] = c->pos.file,
                               [LINE] = c->pos.line};
    switch (column) {
    case STORE:
    case DATASET:
    case NAME:
    case DESCRIPTION:
    case SOURCE:
        text(context, texts[column]);
        return;
    case TYPE:
        type(context, c->type);
        return;
    case KEY:
        number_or_null(context, place_in_key(row, c));
        return;
    case CLASSIFICATION:
        if (c->rest->classification_count)
            list(context, c->rest->classification, c->rest->classification_count);
        else
            list(context, d->classification.v, d->classification.n);
        return;
    default:
        sqlite3_result_int64(context, numbers[column]);
    }
}

const packed_table PACKED_TABLES[PACKED_TABLE_COUNT] = {
    {IMAGE_DATASETS, 1, one, dataset_cell},
    {IMAGE_COLUMNS, 1, columns_of, column_cell},
};
