// The files of a tree -> rows of an image: what is known is copied, the rest decoded and packed, on several threads.
#include <stdlib.h>

#include "image/image_int.h"
#include "model/build.h"
#include "model/fields.h"

typedef struct putting {
    ds_image_writer *w;
    ds_tree *tree;
    ds_image *known;
    const image_match *match;
    image_examine *examine;
    size_t next; // entry of the tree
} putting;

// --- on several threads

// A document, ready to be written.
typedef struct packed_document {
    size_t kind;
    const char *store; // whose datasets these are; NULL: it has none
    ds_str words, head;
    const ds_packed_entry *entries;
    const ds_packed_entry **sorted; // by name, as the table's key has them, so that rows are appended
    size_t n;
} packed_document;

static const ds_datastore *store_of(const ds_document *document)
{
    if (MODEL_KINDS[document->kind].shape == &SHAPE_DATASTORE)
        return document->object;
    if (MODEL_KINDS[document->kind].shape == &SHAPE_WORKSPACE)
        return ((const ds_workspace *)document->object)->transformer.output;
    return NULL;
}

static ds_str keep(ds_arena *arena, ds_str bytes)
{
    return (ds_str){arena_str(arena, bytes), bytes.n};
}

static int by_name(const void *x, const void *y)
{
    const ds_packed_entry *const *a = x, *const *b = y;
    return strcmp((*a)->dataset->name, (*b)->dataset->name);
}

static void keep_entries(packed_document *d, const ds_packed *packed, ds_arena *arena)
{
    ds_packed_entry *entries = ARENA_ARRAY(arena, ds_packed_entry, packed->n);
    d->n = packed->n;
    d->entries = entries;
    d->sorted = ARENA_ARRAY(arena, const ds_packed_entry *, packed->n);
    for (size_t i = 0; i < packed->n; i++) {
        entries[i] = (ds_packed_entry){packed->entries[i].dataset, keep(arena, packed->entries[i].bytes)};
        d->sorted[i] = &entries[i];
    }
    if (packed->n)
        qsort(d->sorted, packed->n, sizeof *d->sorted, by_name);
}

static void prepare_file(void *context, ds_decoded *file, ds_arena *arena)
{
    const putting *p = context;
    CLEANUP(packer_freep) ds_packer *packer = packer_new();
    packed_document *made = ARENA_ARRAY(arena, packed_document, file->n);
    for (size_t i = 0; i < file->n; i++) {
        const ds_datastore *store = store_of(&file->documents[i]);
        ds_packed packed = pack_document(packer, file->documents[i].kind, file->documents[i].object);
        made[i] = (packed_document){.kind = file->documents[i].kind,
                                    .store = store ? store->name.s : NULL,
                                    .words = keep(arena, packed.words),
                                    .head = keep(arena, packed.head)};
        keep_entries(&made[i], &packed, arena);
        if (p->examine && store)
            p->examine(store, file->remarks);
    }
    file->made = made;
}

// --- one after the other

static void bind_blob(sqlite3_stmt *statement, int at, ds_str bytes)
{
    (void)sqlite3_bind_blob64(statement, at, bytes.n ? bytes.p : "", bytes.n, SQLITE_STATIC);
}

static ds_rc put_document(ds_image_writer *w, size_t kind, const char *store, ds_str words, ds_str head, ds_error *err)
{
    (void)sqlite3_bind_int64(w->document, 1, ++w->documents);
    (void)sqlite3_bind_int64(w->document, 2, w->files);
    (void)sqlite3_bind_int64(w->document, 3, (int64_t)kind);
    (void)sqlite3_bind_text(w->document, 4, store, -1, SQLITE_STATIC);
    bind_blob(w->document, 5, words);
    bind_blob(w->document, 6, head);
    (void)sqlite3_bind_int64(w->document, 7, image_document_sum(w->documents, w->files, (int64_t)kind, words, head));
    return image_step(w, w->document, err);
}

// Of the document that was put last.
static ds_rc put_dataset(ds_image_writer *w, const char *name, int64_t place, ds_str packed, ds_error *err)
{
    (void)sqlite3_bind_int64(w->dataset, 1, w->documents);
    (void)sqlite3_bind_text(w->dataset, 2, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(w->dataset, 3, place);
    bind_blob(w->dataset, 4, packed);
    (void)sqlite3_bind_int64(w->dataset, 5, image_sum(w->documents, place, packed));
    return image_step(w, w->dataset, err);
}

static ds_rc put_datasets(ds_image_writer *w, const packed_document *d, ds_error *err)
{
    for (size_t i = 0; i < d->n; i++)
        TRY(put_dataset(w, d->sorted[i]->dataset->name, d->sorted[i] - d->entries, d->sorted[i]->bytes, err));
    return DS_DONE;
}

static ds_rc put_remarks(ds_image_writer *w, const ds_diags *diags, ds_error *err)
{
    w->partial |= !diags_all_kept(diags);
    for (size_t i = 0; i < diags_count(diags); i++) {
        const ds_diag *d = diags_at(diags, i);
        const char *const texts[] = {severity_name(d->severity), d->rule, d->message, d->hint, d->object};
        (void)sqlite3_bind_int64(w->remark, 1, d->pos.file);
        for (int k = 0; k < 5; k++)
            (void)sqlite3_bind_text(w->remark, 2 + k, texts[k], -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(w->remark, 7, d->pos.line);
        (void)sqlite3_bind_int64(w->remark, 8, d->pos.column);
        TRY(image_step(w, w->remark, err));
    }
    return DS_DONE;
}

// --- what another image has

// The rows that `from` has are bound to `to` behind its first cell, which the caller has bound.
static ds_rc copy_remarks(ds_image_writer *w, ds_image *from, ds_error *err)
{
    int code;
    while ((code = sqlite3_step(from->remarks)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(from->remarks); i++)
            (void)sqlite3_bind_value(w->remark, i + 2, sqlite3_column_value(from->remarks, i));
        TRY(image_step(w, w->remark, err));
    }
    return code == SQLITE_DONE ? DS_DONE : image_fail(from->db, "read", err);
}

static ds_rc copy_datasets(ds_image_writer *w, ds_image *from, int64_t document, ds_error *err)
{
    sqlite3_stmt *q = from->datasets;
    int code;
    (void)sqlite3_bind_int64(q, 1, document);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        int64_t place = sqlite3_column_int64(q, 1);
        if (image_sum(document, place, image_blob(q, 2)) != sqlite3_column_int64(q, 3))
            return image_damaged(err);
        TRY(put_dataset(w, image_text(q, 0), place, image_blob(q, 2), err));
    }
    return code == SQLITE_DONE ? DS_DONE : image_fail(from->db, "read", err);
}

static ds_rc copy_document(ds_image_writer *w, ds_image *from, uint32_t file, ds_error *err)
{
    sqlite3_stmt *q = from->documents;
    int64_t id = sqlite3_column_int64(q, 0), kind = sqlite3_column_int64(q, 1);
    const char *store = sqlite3_column_type(q, 2) == SQLITE_NULL ? NULL : image_text(q, 2);
    ds_str words = image_blob(q, 3), head = image_blob(q, 4);
    if (image_document_sum(id, file, kind, words, head) != sqlite3_column_int64(q, 5))
        return image_damaged(err);
    TRY(put_document(w, (size_t)kind, store, words, head, err));
    ds_rc rc = copy_datasets(w, from, id, err);
    (void)sqlite3_reset(from->datasets);
    return rc;
}

static ds_rc prepare_copy(ds_image *from, ds_error *err)
{
    if (from->datasets)
        return DS_DONE;
    TRY(image_prepare(from->db, "SELECT id, kind, store, words, head, sum FROM document WHERE file = ?1 ORDER BY id",
                      &from->documents, err));
    TRY(image_prepare(from->db,
                      "SELECT severity, rule, message, hint, object, line, \"column\" FROM remark WHERE file = ?1",
                      &from->remarks, err));
    return image_prepare(from->db, "SELECT name, place, packed, sum FROM dataset WHERE document = ?1", &from->datasets,
                         err);
}

static ds_rc copy_file(ds_image_writer *w, ds_image *from, uint32_t file, ds_error *err)
{
    TRY(prepare_copy(from, err));
    (void)sqlite3_bind_int64(from->documents, 1, file);
    ds_rc rc = DS_DONE;
    int code = SQLITE_DONE;
    while (rc.code == DS_OK && (code = sqlite3_step(from->documents)) == SQLITE_ROW)
        rc = copy_document(w, from, file, err);
    (void)sqlite3_reset(from->documents);
    TRY(rc);
    if (code != SQLITE_DONE)
        return image_fail(from->db, "read", err);
    (void)sqlite3_bind_int64(from->remarks, 1, file);
    (void)sqlite3_bind_int64(w->remark, 1, w->files);
    rc = copy_remarks(w, from, err);
    (void)sqlite3_reset(from->remarks);
    return rc;
}

// --- a tree

static ds_rc put_file(ds_image_writer *w, const ds_tree_file *file, ds_error *err)
{
    char id[TREE_ID_TEXT];
    blob_id_text(&file->id, id);
    image_row_begin(w, IMAGE_FILES);
    image_cell_int(w, ++w->files);
    image_cell_text(w, file->path);
    image_cell_text(w, id);
    return image_row_end(w, err);
}

// Files that are known stand between those that are decoded.
static ds_rc put_known(putting *p, size_t before, ds_error *err)
{
    for (; p->next < before; p->next++) {
        TRY(put_file(p->w, tree_file(p->tree, p->next), err));
        TRY(copy_file(p->w, p->known, p->match->file[p->next], err));
    }
    return DS_DONE;
}

static ds_rc put_decoded(void *context, const ds_decoded *file, ds_error *err)
{
    putting *p = context;
    const packed_document *made = file->made;
    TRY(put_known(p, file->entry, err));
    TRY(put_file(p->w, tree_file(p->tree, p->next++), err));
    for (size_t i = 0; i < file->n; i++) {
        TRY(put_document(p->w, made[i].kind, made[i].store, made[i].words, made[i].head, err));
        TRY(put_datasets(p->w, &made[i], err));
    }
    return put_remarks(p->w, file->remarks, err);
}

ds_rc image_put_tree(ds_image_writer *w, ds_tree *tree, ds_image *known, image_examine *examine, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    image_match match;
    TRY(image_match_tree(known, tree, arena, &match, err));
    putting p = {w, tree, known, &match, examine, 0};
    CLEANUP(files_releasep) ds_files *files = files_of_tree(tree, arena);
    decode_request request = {
        .known = match.file, .files = files, .prepare = prepare_file, .visit = put_decoded, .context = &p};
    TRY(tree_decode(tree, &request, err));
    return put_known(&p, tree_count(tree), err);
}
