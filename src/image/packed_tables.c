// The tables whose rows are read from packed datasets: eponymous virtual tables, so that no row of a column is ever
// written. Conditions on store and dataset lead straight to the rows that are meant.
// https://www.sqlite.org/vtab.html
#include <stdlib.h>

#include "image/packed_int.h"

// How a scan was planned: which conditions xFilter gets, as bits of idxNum, in this order.
enum { BY_STORE = 1, BY_DATASET = 2 };

typedef struct table {
    sqlite3_vtab base; // first
    ds_image *image;
    const packed_table *rows;
} table;

typedef struct cursor {
    sqlite3_vtab_cursor base; // first
    sqlite3_stmt *datasets;
    ds_arena *arena;   // of the document
    ds_arena *scratch; // of the dataset
    ds_unpacker *u;
    ds_words *words;
    int64_t document; // whose words these are
    packed_row row;
    bool end;
} cursor;

typedef struct module_data {
    ds_image *image;
    const packed_table *rows;
} module_data;

static int connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **message)
{
    (void)argc, (void)argv, (void)message;
    const module_data *data = aux;
    CLEANUP(buf_release) ds_buf sql = BUF_INIT(8192);
    buf_puts(&sql, "CREATE TABLE ");
    image_table_shape(&IMAGE_TABLES[data->rows->id], &sql);
    int code = sqlite3_declare_vtab(db, buf_text(&sql));
    if (code != SQLITE_OK)
        return code;
    table *t = sqlite3_malloc(sizeof *t);
    if (!t)
        return SQLITE_NOMEM;
    *t = (table){.image = data->image, .rows = data->rows};
    *out = &t->base;
    (void)sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

static int plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
    const packed_table *rows = ((table *)base)->rows;
    int at[2] = {-1, -1};
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn;
        if (!info->aConstraint[i].usable || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (column == 0 || column == rows->name_column)
            at[column == 0 ? 0 : 1] = i;
    }
    int arguments = 0;
    for (int i = 0; i < 2; i++)
        if (at[i] >= 0) {
            info->aConstraintUsage[at[i]].argvIndex = ++arguments;
            info->idxNum |= i ? BY_DATASET : BY_STORE;
        }
    static const double COSTS[] = {1e9, 1e4, 1e6, 20};
    info->estimatedCost = COSTS[info->idxNum];
    info->estimatedRows = (sqlite3_int64)COSTS[info->idxNum];
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **out)
{
    (void)base;
    cursor *c = calloc(1, sizeof *c);
    if (!c)
        return SQLITE_NOMEM;
    c->arena = arena_new();
    c->scratch = arena_new();
    *out = &c->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    cursor *c = (cursor *)base;
    (void)sqlite3_finalize(c->datasets);
    arena_free(c->arena);
    arena_free(c->scratch);
    free(c);
    return SQLITE_OK;
}

static int damaged(cursor *c)
{
    c->end = true;
    return SQLITE_CORRUPT_VTAB;
}

// A document's words, once for all its datasets.
static bool read_words(cursor *c)
{
    int64_t document = sqlite3_column_int64(c->datasets, 0);
    if (c->words && document == c->document)
        return true;
    ds_error err;
    arena_clear(c->arena);
    ds_str words = image_blob(c->datasets, 3);
    words.p = arena_str(c->arena, words);
    c->u = unpacker_new(c->arena);
    c->document = document;
    c->words = NULL;
    return unpack_words(c->u, words, &c->words, &err).code == DS_OK;
}

// The dataset that the statement is at; its texts point into the row.
static int read_dataset(cursor *c)
{
    ds_error err;
    arena_clear(c->scratch);
    c->row = (packed_row){.store = image_text(c->datasets, 2),
                          .place = sqlite3_column_int64(c->datasets, 4),
                          .scratch = c->scratch};
    uint32_t file = (uint32_t)sqlite3_column_int64(c->datasets, 1);
    if (!read_words(c) ||
        unpack_dataset(c->u, c->words, image_blob(c->datasets, 5), file, c->scratch, &c->row.dataset, &err).code !=
            DS_OK)
        return damaged(c);
    return SQLITE_OK;
}

static int next_dataset(cursor *c, const packed_table *rows)
{
    for (;;) {
        int code = sqlite3_step(c->datasets);
        c->end = code != SQLITE_ROW;
        if (c->end)
            return code == SQLITE_DONE ? SQLITE_OK : code;
        code = read_dataset(c);
        if (code != SQLITE_OK || rows->count(&c->row) > 0)
            return code;
    }
}

static int next(sqlite3_vtab_cursor *base)
{
    cursor *c = (cursor *)base;
    const packed_table *rows = ((table *)base->pVtab)->rows;
    if (++c->row.at < rows->count(&c->row))
        return SQLITE_OK;
    return next_dataset(c, rows);
}

#define SELECT_DATASETS                                                                                                \
    "SELECT o.id, o.file, o.store, o.words, d.place, d.packed FROM main.document o JOIN main.dataset d ON "            \
    "d.document = o.id WHERE o.store IS NOT NULL"
static const char *const STATEMENTS[] = {
    SELECT_DATASETS,
    SELECT_DATASETS " AND o.store = ?1",
    SELECT_DATASETS " AND d.name = ?1",
    SELECT_DATASETS " AND o.store = ?1 AND d.name = ?2",
};

static int filter(sqlite3_vtab_cursor *base, int planned, const char *text, int argc, sqlite3_value **argv)
{
    (void)text;
    cursor *c = (cursor *)base;
    table *t = (table *)base->pVtab;
    (void)sqlite3_finalize(c->datasets);
    c->datasets = NULL;
    t->image->ours = true;
    int code = sqlite3_prepare_v2(t->image->db, STATEMENTS[planned], -1, &c->datasets, NULL);
    t->image->ours = false;
    for (int i = 0; code == SQLITE_OK && i < argc; i++)
        code = sqlite3_bind_value(c->datasets, i + 1, argv[i]);
    return code == SQLITE_OK ? next_dataset(c, t->rows) : code;
}

static int at_end(sqlite3_vtab_cursor *base)
{
    return ((cursor *)base)->end;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int i)
{
    ((table *)base->pVtab)->rows->cell(&((cursor *)base)->row, context, i);
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    const cursor *c = (const cursor *)base;
    *out = (c->document << 44) | (c->row.place << 20) | (sqlite3_int64)c->row.at;
    return SQLITE_OK;
}

static const sqlite3_module MODULE = {
    .xConnect = connect, // no xCreate: there without being created
    .xBestIndex = plan,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = rowid,
};

int packed_tables_add(ds_image *image)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < PACKED_TABLE_COUNT && code == SQLITE_OK; i++) {
        module_data *data = malloc(sizeof *data);
        if (!data)
            return SQLITE_NOMEM;
        *data = (module_data){image, &PACKED_TABLES[i]};
        code = sqlite3_create_module_v2(image->db, IMAGE_TABLES[data->rows->id].name, &MODULE, data, free);
    }
    return code;
}
