// Which files an image knows: the same path, the same content. A file that has moved is decoded again.
#include "base/vec.h"
#include "image/image_int.h"
#include "model/rules.h"

static ds_rc take_id(const char *text, ds_blob_id *out, ds_error *err)
{
    bool whole = strlen(text) == TREE_ID_TEXT - 1;
    for (size_t i = 0; whole && i < TREE_ID_BYTES; i++) {
        int high = str_hex_digit(text[2 * i]), low = str_hex_digit(text[2 * i + 1]);
        whole = high >= 0 && low >= 0;
        out->bytes[i] = whole ? (uint8_t)(high << 4 | low) : 0;
    }
    return whole ? DS_DONE : ds_fail(err, DS_INTERNAL, "an id of the image is none");
}

static ds_rc read_tree(ds_image *image, ds_tree **out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(image_finalizep) sqlite3_stmt *q = NULL;
    VEC(const char *) paths = {0};
    VEC(ds_blob_id) ids = {0};
    TRY(image_prepare(image->db, "SELECT id, path, blob FROM files ORDER BY rowid", &q, err));
    int code;
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        *VEC_PUSH(arena, &paths) = arena_strdup(arena, image_text(q, 1));
        TRY(take_id(image_text(q, 2), VEC_PUSH(arena, &ids), err));
        if (sqlite3_column_int64(q, 0) != (int64_t)paths.n)
            return image_damaged(err);
    }
    if (code != SQLITE_DONE)
        return image_fail(image->db, "read", err);
    *out = tree_open_ids(paths.v, ids.v, ids.n);
    return DS_DONE;
}

ds_rc image_tree(ds_image *image, ds_tree **out, ds_error *err)
{
    if (!image->tree)
        TRY(read_tree(image, &image->tree, err));
    *out = image->tree;
    return DS_DONE;
}

// Both are in byte order of their paths.
static ds_rc match_files(const ds_tree *known, ds_tree *tree, image_match *out, ds_error *err)
{
    for (size_t i = 0, k = 0; i < tree_count(tree) && k < tree_count(known);) {
        const ds_tree_file *ours = tree_file(tree, i), *its = tree_file(known, k);
        int order = strcmp(ours->path, its->path);
        if (order == 0) {
            TRY(tree_hash(tree, i, err));
            if (memcmp(&ours->id, &its->id, sizeof its->id) == 0) {
                out->file[i] = (uint32_t)k + 1;
                out->known++;
            }
        }
        i += order <= 0;
        k += order >= 0;
    }
    return DS_DONE;
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
    ds_tree *known;
    TRY(image_tree(image, &known, err));
    return match_files(known, tree, out, err);
}

ds_rc image_unknown(ds_image *image, ds_tree *tree, size_t *out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    image_match match;
    TRY(image_match_tree(image, tree, arena, &match, err));
    *out = tree_count(tree) - match.known;
    return DS_DONE;
}
