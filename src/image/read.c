// A model from an image: documents at once, datasets when they are asked for.
#include "base/vec.h"
#include "image/image_int.h"
#include "model/build.h"
#include "model/fields.h"
#include "model/load.h"

// --- datasets

typedef struct opened {
    ds_dataset dataset; // first: what others have a pointer to
    size_t place;
} opened;

typedef struct packed_store {
    ds_unread unread; // first
    ds_image *image;
    ds_unpacker *u;
    ds_arena *arena; // of the model
    ds_words *words;
    ds_map *opened;
    int64_t document;
    uint32_t file;
    bool missed; // a dataset has been asked for that is not there
} packed_store;

// The row of a dataset: place, packed, sum.
static bool read_row(packed_store *s, sqlite3_stmt *q, ds_arena *arena, size_t place, ds_dataset *out)
{
    ds_error err;
    ds_str packed = image_blob(q, 1);
    if (image_sum(s->document, (int64_t)place, packed) != sqlite3_column_int64(q, 2))
        return false;
    ds_str kept = {arena_str(arena, packed), packed.n};
    return unpack_dataset(s->u, s->words, kept, s->file, arena, out, &err).code == DS_OK;
}

// Rows come in the order of names; each goes to its place.
static bool read_rows(packed_store *s, sqlite3_stmt *q, ds_arena *scratch, ds_dataset *out)
{
    size_t seen = 0;
    int code;
    for (; (code = sqlite3_step(q)) == SQLITE_ROW; seen++) {
        size_t place = (size_t)sqlite3_column_int64(q, 0);
        if (place >= s->unread.n || out[place].name || !read_row(s, q, scratch, place, &out[place]) ||
            strcmp(out[place].name, image_text(q, 3)) != 0)
            return false;
    }
    return code == SQLITE_DONE && seen == s->unread.n;
}

static ds_datasets all_datasets(ds_unread *unread, ds_arena *scratch)
{
    packed_store *s = (packed_store *)unread;
    ds_dataset *all = ARENA_ARRAY(scratch, ds_dataset, s->unread.n);
    (void)sqlite3_bind_int64(s->image->all, 1, s->document);
    bool whole = read_rows(s, s->image->all, scratch, all);
    (void)sqlite3_reset(s->image->all);
    s->image->damaged |= !whole;
    return whole ? (ds_datasets){all, s->unread.n} : (ds_datasets){NULL, 0};
}

static const ds_dataset *read_one(packed_store *s, const char *name, sqlite3_stmt *q)
{
    opened *o = ARENA_NEW(s->arena, opened);
    o->place = (size_t)sqlite3_column_int64(q, 0);
    if (o->place >= s->unread.n || !read_row(s, q, s->arena, o->place, &o->dataset) ||
        strcmp(o->dataset.name, name) != 0) {
        s->image->damaged = true;
        return NULL;
    }
    (void)map_add(s->opened, o->dataset.name, o);
    return &o->dataset;
}

// One that is not there may have been lost: then the others are not as many as they should be.
static void note_missed(packed_store *s)
{
    if (s->missed)
        return;
    s->missed = true;
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    (void)all_datasets(&s->unread, scratch);
}

static const ds_dataset *find_dataset(ds_unread *unread, const char *name)
{
    packed_store *s = (packed_store *)unread;
    s->opened = s->opened ? s->opened : map_new(s->arena);
    const opened *known = map_get(s->opened, name);
    if (known)
        return &known->dataset;
    sqlite3_stmt *q = s->image->one;
    (void)sqlite3_bind_int64(q, 1, s->document);
    (void)sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
    int code = sqlite3_step(q);
    const ds_dataset *found = code == SQLITE_ROW ? read_one(s, name, q) : NULL;
    s->image->damaged |= code != SQLITE_ROW && code != SQLITE_DONE;
    (void)sqlite3_reset(q);
    if (code == SQLITE_DONE)
        note_missed(s);
    return found;
}

static size_t place_of(const ds_unread *unread, const ds_dataset *dataset)
{
    (void)unread;
    return ((const opened *)dataset)->place;
}

// --- findings

static ds_severity severity_of(const char *name)
{
    for (int s = DIAG_INFO; s < DIAG_ERROR; s++)
        if (strcmp(severity_name((ds_severity)s), name) == 0)
            return (ds_severity)s;
    return DIAG_ERROR;
}

static void take_finding(sqlite3_stmt *q, uint32_t file, ds_diags *out)
{
    ds_pos pos = {.file = file,
                  .line = (uint32_t)sqlite3_column_int64(q, 6) & 0xFFFFF,
                  .column = (uint32_t)sqlite3_column_int64(q, 7) & 0xFFF};
    diag_add(out, severity_of(image_text(q, 0)), image_text(q, 1), pos, image_text(q, 4), "%s", image_text(q, 2));
    if (image_text(q, 3)[0])
        diag_hint(out, "%s", image_text(q, 3));
}

// --- documents

typedef struct loading {
    ds_image *image;
    ds_tree *tree;
    ds_builder *builder;
    ds_unpacker *u;
    ds_diags *diags;
    ds_decoded *decoded;  // by entry of the tree
    const ds_model *like; // NULL: none
    const bool *differs;  // by entry: not to be taken from `like`
    sqlite3_stmt *documents, *remarks;
    int documents_code, remarks_code; // of their last step
} loading;

static packed_store *packed_new(loading *l, ds_words *words, int64_t document, uint32_t file, size_t n)
{
    ds_arena *arena = builder_arena(l->builder);
    packed_store *s = ARENA_NEW(arena, packed_store);
    *s = (packed_store){.unread = {n, find_dataset, place_of, all_datasets},
                        .image = l->image,
                        .u = l->u,
                        .arena = arena,
                        .words = words,
                        .document = document,
                        .file = file};
    return s;
}

// Outputs of transformers are few, and others walk through them: they are read at once.
static ds_rc attach_datasets(packed_store *s, ds_datastore *store, bool is_output, ds_error *err)
{
    if (!is_output) {
        store->unread = &s->unread;
        return DS_DONE;
    }
    ds_datasets all = all_datasets(&s->unread, s->arena);
    TRY(image_check(s->image, err));
    store->datasets.v = (ds_dataset *)(uintptr_t)all.v;
    store->datasets.n = all.n;
    return DS_DONE;
}

static ds_rc add_document(loading *l, uint32_t file, ds_error *err)
{
    sqlite3_stmt *q = l->documents;
    ds_arena *arena = builder_arena(l->builder);
    ds_str words = image_blob(q, 3), head = image_blob(q, 4);
    int64_t id = sqlite3_column_int64(q, 0), of_file = sqlite3_column_int64(q, 1);
    if (image_document_sum(id, of_file, sqlite3_column_int64(q, 2), words, head) != sqlite3_column_int64(q, 5))
        return image_damaged(err);
    words.p = arena_str(arena, words);
    head.p = arena_str(arena, head);
    ds_words *known;
    ds_unpacked document;
    size_t kind = (size_t)sqlite3_column_int64(q, 2);
    TRY(unpack_words(l->u, words, &known, err));
    TRY(unpack_document(l->u, known, kind, head, file, &document, err));
    builder_add(l->builder, kind, document.object);
    if (!document.store)
        return DS_DONE;
    packed_store *s = packed_new(l, known, id, file, document.datasets);
    return attach_datasets(s, document.store, document.store != document.object, err);
}

static bool is_shared(const loading *l, uint32_t file)
{
    return l->like && !l->differs[file - 1];
}

// Next to another model, only those of the files that differ are looked at.
static void seek_documents(loading *l, uint32_t known)
{
    (void)sqlite3_reset(l->documents);
    (void)sqlite3_bind_int64(l->documents, 1, known);
    l->documents_code = sqlite3_step(l->documents);
}

// The image's documents and remarks come in the order of its files, which is the tree's.
static ds_rc add_known(loading *l, uint32_t known, uint32_t file, ds_error *err)
{
    if (l->like && !is_shared(l, file))
        seek_documents(l, known);
    while (l->documents_code == SQLITE_ROW && !is_shared(l, file)) {
        uint32_t its = (uint32_t)sqlite3_column_int64(l->documents, 1);
        if (its > known)
            break;
        if (its == known)
            TRY(add_document(l, file, err));
        l->documents_code = sqlite3_step(l->documents);
    }
    for (; l->remarks_code == SQLITE_ROW; l->remarks_code = sqlite3_step(l->remarks)) {
        uint32_t its = (uint32_t)sqlite3_column_int64(l->remarks, 5);
        if (its > known)
            break;
        if (its == known)
            take_finding(l->remarks, file, l->diags);
    }
    return DS_DONE;
}

static ds_rc keep_decoded(void *context, const ds_decoded *file, ds_error *err)
{
    (void)err;
    loading *l = context;
    l->decoded[file->entry] = *file;
    diags_append(l->diags, file->remarks);
    return DS_DONE;
}

static ds_rc add_entries(loading *l, const image_match *match, ds_error *err)
{
    l->documents_code = l->documents && !l->like ? sqlite3_step(l->documents) : SQLITE_DONE;
    l->remarks_code = l->remarks ? sqlite3_step(l->remarks) : SQLITE_DONE;
    for (size_t i = 0; i < tree_count(l->tree); i++) {
        const ds_decoded *d = &l->decoded[i];
        const uint32_t file = (uint32_t)i + 1;
        if (match->file[i])
            TRY(add_known(l, match->file[i], file, err));
        if (match->file[i] && is_shared(l, file))
            builder_add_like(l->builder, l->like, file);
        for (size_t k = 0; k < d->n; k++)
            builder_add(l->builder, d->documents[k].kind, d->documents[k].object);
    }
    bool whole = (l->documents_code == SQLITE_DONE || l->documents_code == SQLITE_ROW) &&
                 (l->remarks_code == SQLITE_DONE || l->remarks_code == SQLITE_ROW);
    return whole ? DS_DONE : image_fail(l->image->db, "read", err);
}

static ds_rc prepare(ds_image *image, loading *l, ds_error *err)
{
    if (!image->one)
        TRY(image_prepare(image->db, "SELECT place, packed, sum FROM dataset WHERE document = ?1 AND name = ?2",
                          &image->one, err));
    if (!image->all)
        TRY(image_prepare(image->db, "SELECT place, packed, sum, name FROM dataset WHERE document = ?1", &image->all,
                          err));
    TRY(image_prepare(image->db,
                      l->like ? "SELECT id, file, kind, words, head, sum FROM document WHERE file = ?1 ORDER BY id"
                              : "SELECT id, file, kind, words, head, sum FROM document ORDER BY id",
                      &l->documents, err));
    return image_prepare(
        image->db, "SELECT severity, rule, message, hint, object, file, line, \"column\" FROM remark ORDER BY rowid",
        &l->remarks, err);
}

static void loading_release(loading *l)
{
    image_finalizep(&l->documents);
    image_finalizep(&l->remarks);
    builder_freep(&l->builder);
    diags_freep(&l->diags);
}

static ds_rc load_into(loading *l, const ds_load_options *options, ds_model **out, ds_error *err)
{
    ds_arena *arena = builder_arena(l->builder);
    l->u = unpacker_new(arena);
    l->decoded = ARENA_ARRAY(arena, ds_decoded, tree_count(l->tree));
    l->diags = diags_new(builder_files(l->builder));
    image_match match;
    TRY(image_match_tree(l->image, l->tree, arena, &match, err));
    if (l->image)
        TRY(prepare(l->image, l, err));
    decode_request request = {
        .known = match.file, .files = builder_files(l->builder), .keep = arena, .visit = keep_decoded, .context = l};
    TRY(tree_decode(l->tree, &request, err));
    TRY(add_entries(l, &match, err));
    return builder_finish(l->builder, options->environment, l->diags, out, err);
}

static ds_rc load(loading *l, const ds_load_options *options, ds_diags **diags, ds_model **out, ds_error *err)
{
    l->builder = builder_new(options->dir, l->tree);
    ds_rc rc = load_into(l, options, out, err);
    if (rc.code == DS_OK) {
        *diags = l->diags;
        l->diags = NULL;
    }
    loading_release(l);
    return rc;
}

// By entry: the files that differ. NULL: the trees don't have the same files at the same places.
static const bool *same_places(const ds_tree *tree, const ds_model *like, const ds_tree_diff *diff, ds_arena *arena)
{
    bool *differs = ARENA_ARRAY(arena, bool, tree_count(tree));
    if (tree_count(tree) != files_count(like->files))
        return NULL;
    for (size_t i = 0; i < diff->n; i++) {
        if (diff->v[i].old_i != diff->v[i].new_i)
            return NULL;
        differs[diff->v[i].old_i] = true;
    }
    return differs;
}

ds_rc image_load_like(ds_image *image, ds_tree *tree, const ds_model *like, const ds_tree_diff *diff,
                      const ds_load_options *options, ds_diags **diags, ds_model **out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    loading l = {.image = image, .tree = tree, .like = like, .differs = same_places(tree, like, diff, arena)};
    if (!l.differs || options->environment)
        l.like = NULL;
    return load(&l, options, diags, out, err);
}

ds_rc image_load(ds_image *image, ds_tree *tree, const ds_load_options *options, ds_diags **diags, ds_model **out,
                 ds_error *err)
{
    loading l = {.image = image, .tree = tree};
    return load(&l, options, diags, out, err);
}
ds_rc image_findings(ds_image *image, ds_diags *out, ds_error *err)
{
    CLEANUP(image_finalizep) sqlite3_stmt *q = NULL;
    TRY(image_prepare(image->db,
                      "SELECT severity, rule, message, hint, object, file, line, \"column\" FROM diagnostics", &q,
                      err));
    int code;
    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        take_finding(q, (uint32_t)sqlite3_column_int64(q, 5), out);
    return code == SQLITE_DONE ? DS_DONE : image_fail(image->db, "read", err);
}

// --- counts

ds_rc image_get_counts(ds_image *image, ds_image_count *counts, size_t n, ds_error *err)
{
    CLEANUP(image_finalizep) sqlite3_stmt *q = NULL;
    TRY(image_prepare(image->db, "SELECT value FROM meta WHERE name = ?1", &q, err));
    for (size_t i = 0; i < n; i++) {
        (void)sqlite3_bind_text(q, 1, counts[i].name, -1, SQLITE_STATIC);
        if (sqlite3_step(q) != SQLITE_ROW)
            return ds_fail(err, DS_INTERNAL, "the model's image does not say how many %s", counts[i].name);
        counts[i].n = (size_t)sqlite3_column_int64(q, 0);
        (void)sqlite3_reset(q);
    }
    return DS_DONE;
}
