// Which files an image knows: the same path, the same content. A file that has moved is decoded again.
#include "base/vec.h"
#include "image/image_int.h"
#include "model/rules.h"

static bool same_id(const ds_blob_id *id, const char *text)
{
    char hex[TREE_ID_TEXT];
    blob_id_text(id, hex);
    return strcmp(hex, text) == 0;
}

static ds_rc take_id(const char *text, ds_blob_id *out, ds_error *err)
{
    static const char DIGITS[] = "0123456789abcdef";
    bool whole = strlen(text) == TREE_ID_TEXT - 1;
    for (size_t i = 0; whole && i < TREE_ID_BYTES; i++) {
        const char *high = strchr(DIGITS, text[2 * i]), *low = strchr(DIGITS, text[2 * i + 1]);
        whole = high && low;
        if (whole)
            out->bytes[i] = (uint8_t)((high - DIGITS) << 4 | (low - DIGITS));
    }
    return whole ? DS_DONE : ds_fail(err, DS_INTERNAL, "an id of the image is none");
}

ds_rc image_tree(ds_image *image, ds_tree **out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(image_finalizep) sqlite3_stmt *q = NULL;
    VEC(const char *) paths = {0};
    VEC(ds_blob_id) ids = {0};
    TRY(image_prepare(image->db, "SELECT path, blob FROM files ORDER BY id", &q, err));
    int code;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        *VEC_PUSH(arena, &paths) = arena_strdup(arena, image_text(q, 0));
        TRY(take_id(image_text(q, 1), VEC_PUSH(arena, &ids), err));
    }
    if (code != SQLITE_DONE)
        return image_fail(image->db, "read", err);
    *out = tree_open_ids(paths.v, ids.v, ids.n);
    return DS_DONE;
}

// Both are in byte order of their paths.
static ds_rc match_rows(ds_image *image, sqlite3_stmt *q, ds_tree *tree, image_match *out, ds_error *err)
{
    int code;
    size_t i = 0, n = tree_count(tree);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        const char *path = image_text(q, 1);
        while (i < n && strcmp(tree_file(tree, i)->path, path) < 0)
            i++;
        if (i == n || strcmp(tree_file(tree, i)->path, path) != 0)
            continue;
        TRY(tree_hash(tree, i, err));
        if (!same_id(&tree_file(tree, i)->id, image_text(q, 2)))
            continue;
        out->file[i] = (uint32_t)sqlite3_column_int64(q, 0);
        out->known++;
    }
    return code == SQLITE_DONE ? DS_DONE : image_fail(image->db, "read", err);
}

ds_rc image_match_tree(ds_image *image, ds_tree *tree, ds_arena *arena, image_match *out, ds_error *err)
{
    *out = (image_match){.file = ARENA_ARRAY(arena, uint32_t, tree_count(tree))};
    if (!image)
        return DS_DONE;
    ds_image_count partial = {"partial", 0};
    if (!image->writing)
        TRY(image_get_counts(image, &partial, 1, err));
    if (partial.n)
        return DS_DONE;
    CLEANUP(image_finalizep) sqlite3_stmt *q = NULL;
    TRY(image_prepare(image->db, "SELECT id, path, blob FROM files ORDER BY id", &q, err));
    return match_rows(image, q, tree, out, err);
}

ds_rc image_unknown(ds_image *image, ds_tree *tree, size_t *out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    image_match match;
    TRY(image_match_tree(image, tree, arena, &match, err));
    *out = tree_count(tree) - match.known;
    return DS_DONE;
}
