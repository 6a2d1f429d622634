#include "model/tree.h"

#include <stdlib.h>

#include "model/tree_int.h"

// --- how a tree is made

ds_tree *tree_new(const char *name, const tree_source *source)
{
    ds_arena *arena = arena_new();
    ds_tree *tree = ARENA_NEW(arena, ds_tree);
    tree->arena = arena;
    tree->name = arena_strdup(arena, name);
    tree->place = "";
    tree->source = source;
    return tree;
}

const char *tree_place(const ds_tree *tree)
{
    return tree->place;
}

const char *tree_commit(const ds_tree *tree)
{
    return tree->commit;
}

void tree_close(ds_tree *tree)
{
    if (!tree)
        return;
    if (tree->source->close)
        tree->source->close(tree);
    arena_free(tree->arena);
}

void tree_closep(ds_tree **tree)
{
    tree_close(*tree);
    *tree = NULL;
}

ds_rc tree_check_size(const ds_tree *tree, ds_error *err)
{
    if (tree->files.n > MODEL_FILES_MAX)
        return ds_fail(err, DS_FINDING, "%s has more than %d YAML files", tree->name, MODEL_FILES_MAX);
    if (tree->entries <= TREE_ENTRIES_MAX)
        return DS_DONE;
    return ds_hint(ds_fail(err, DS_FINDING, "%s has more than %d files and directories", tree->name, TREE_ENTRIES_MAX),
                   err, "keep the model in a directory of its own, and name that with -C DIR");
}

ds_rc tree_see(ds_tree *tree, ds_error *err)
{
    tree->entries++;
    return tree_check_size(tree, err);
}

ds_rc tree_check_depth(const ds_tree *tree, int depth, const char *path, ds_error *err)
{
    if (depth <= TREE_DEPTH_MAX)
        return DS_DONE;
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    return ds_fail(err, DS_FINDING, "%s: directories are nested more than %d deep: %s", tree->name, TREE_DEPTH_MAX,
                   tree_path_shown(scratch, path));
}

ds_rc tree_add(ds_tree *tree, const char *path, ds_tree_file **out, ds_error *err)
{
    *out = VEC_PUSH(tree->arena, &tree->files);
    (*out)->path = arena_strdup(tree->arena, path);
    return tree_check_size(tree, err);
}

void tree_add_inner(ds_tree *tree, const char *path)
{
    *VEC_PUSH(tree->arena, &tree->inner) = arena_strdup(tree->arena, path);
}

static int by_path(const void *x, const void *y)
{
    const ds_tree_file *a = x, *b = y;
    return strcmp(a->path, b->path);
}

static int by_text(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

ds_rc tree_finish(ds_tree *tree, ds_error *err)
{
    if (tree->inner.n)
        qsort(tree->inner.v, tree->inner.n, sizeof *tree->inner.v, by_text);
    if (tree->files.n)
        qsort(tree->files.v, tree->files.n, sizeof *tree->files.v, by_path);
    for (size_t i = 1; i < tree->files.n; i++) {
        const char *path = tree->files.v[i].path;
        if (strcmp(tree->files.v[i - 1].path, path) == 0) {
            CLEANUP(arena_freep) ds_arena *scratch = arena_new();
            return ds_fail(err, DS_FINDING, "%s is damaged: it has the file %s twice", tree->name,
                           tree_path_shown(scratch, path));
        }
    }
    return DS_DONE;
}

bool tree_is_yaml(const char *name)
{
    static const ds_str ENDS[] = {{".yaml", 5}, {".yml", 4}};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++)
        if (n > ENDS[i].n && memcmp(name + n - ENDS[i].n, ENDS[i].p, ENDS[i].n) == 0)
            return true;
    return false;
}

// --- texts in memory

static ds_rc read_text(const ds_tree *tree, size_t i, ds_buf *out, ds_error *err)
{
    (void)err;
    const ds_str *texts = tree->handle;
    buf_put_str(out, texts[i]);
    return DS_DONE;
}

static const tree_source TEXTS = {.read = read_text};

typedef struct named_texts {
    const char *const *paths;
    const ds_str *texts;
} named_texts;

// By path, and by text where paths are equal: the order of the arguments never shows.
static int by_path_and_text(const void *x, const void *y, void *context)
{
    const named_texts *all = context;
    size_t i = *(const size_t *)x, k = *(const size_t *)y;
    int order = strcmp(all->paths[i], all->paths[k]);
    if (order)
        return order;
    ds_str a = all->texts[i], b = all->texts[k];
    size_t n = a.n < b.n ? a.n : b.n;
    order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

ds_tree *tree_open_texts(const char *const *paths, const ds_str *texts, size_t n)
{
    ds_tree *tree = tree_new("memory", &TEXTS);
    named_texts all = {paths, texts};
    ds_str *kept = ARENA_ARRAY(tree->arena, ds_str, n);
    size_t *order = ARENA_ARRAY(tree->arena, size_t, n);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    qsort_r(order, n, sizeof *order, by_path_and_text, &all);
    for (size_t i = 0; i < n; i++) {
        ds_str text = texts[order[i]];
        kept[i] = (ds_str){arena_str(tree->arena, text), text.n};
        *VEC_PUSH(tree->arena, &tree->files) =
            (ds_tree_file){.path = arena_strdup(tree->arena, paths[order[i]]), .id = blob_id_of(text), .has_id = true};
    }
    tree->handle = kept;
    return tree;
}

// --- ids alone

static ds_rc read_nothing(const ds_tree *tree, size_t i, ds_buf *out, ds_error *err)
{
    (void)out;
    return ds_fail(err, DS_ENV, "\"%s\" is known by its id only", tree_file(tree, i)->path);
}

static const tree_source IDS = {.read = read_nothing};

ds_tree *tree_open_ids(const char *const *paths, const ds_blob_id *ids, size_t n)
{
    ds_tree *tree = tree_new("ids", &IDS);
    for (size_t i = 0; i < n; i++)
        *VEC_PUSH(tree->arena, &tree->files) =
            (ds_tree_file){.path = arena_strdup(tree->arena, paths[i]), .id = ids[i], .has_id = true};
    return tree;
}

// --- what is in it

size_t tree_count(const ds_tree *tree)
{
    return tree->files.n;
}

const ds_tree_file *tree_file(const ds_tree *tree, size_t i)
{
    ds_assert(i < tree->files.n);
    return &tree->files.v[i];
}

size_t tree_inner_count(const ds_tree *tree)
{
    return tree->inner.n;
}

const char *tree_inner(const ds_tree *tree, size_t i)
{
    ds_assert(i < tree->inner.n);
    return tree->inner.v[i];
}

ds_rc tree_read(const ds_tree *tree, size_t i, ds_buf *out, ds_error *err)
{
    ds_assert(!tree_file(tree, i)->is_link);
    return tree->source->read(tree, i, out, err);
}

void tree_set_id(ds_tree *tree, size_t i, const ds_blob_id *id)
{
    ds_assert(i < tree->files.n);
    tree->files.v[i].id = *id;
    tree->files.v[i].has_id = true;
}

ds_rc tree_hash(ds_tree *tree, size_t i, ds_error *err)
{
    if (tree_file(tree, i)->has_id)
        return DS_DONE;
    ds_blob_id id;
    TRY(tree->source->hash(tree, i, &id, err));
    tree_set_id(tree, i, &id);
    return DS_DONE;
}

// --- two trees

static bool is_same(const ds_tree_file *a, const ds_tree_file *b)
{
    return a->is_link == b->is_link && memcmp(&a->id, &b->id, sizeof a->id) == 0;
}

// Which of two entries comes first: < 0, > 0; 0 when both are of one path. An end comes last.
static int order_of(const ds_tree *a, size_t i, const ds_tree *b, size_t k)
{
    if (i == a->files.n || k == b->files.n)
        return i == a->files.n ? 1 : -1;
    return strcmp(a->files.v[i].path, b->files.v[k].path);
}

ds_rc tree_diff(ds_tree *old, ds_tree *new, ds_arena *arena, ds_tree_diff *out, ds_error *err)
{
    VEC(ds_tree_change) changes = {0};
    for (size_t i = 0, k = 0; i < old->files.n || k < new->files.n;) {
        int order = order_of(old, i, new, k);
        ds_tree_change change = {.old_i = order <= 0 ? i++ : TREE_NONE, .new_i = order >= 0 ? k++ : TREE_NONE};
        if (order == 0) {
            TRY(tree_hash(old, change.old_i, err));
            TRY(tree_hash(new, change.new_i, err));
            if (is_same(&old->files.v[change.old_i], &new->files.v[change.new_i]))
                continue;
        }
        change.path = order <= 0 ? old->files.v[change.old_i].path : new->files.v[change.new_i].path;
        *VEC_PUSH(arena, &changes) = change;
    }
    *out = (ds_tree_diff){changes.v, changes.n};
    return DS_DONE;
}

const bool *tree_diff_files(const ds_tree_diff *diff, bool old, size_t n, ds_arena *arena)
{
    bool *files = ARENA_ARRAY(arena, bool, n + 1);
    for (size_t i = 0; i < diff->n; i++) {
        size_t entry = old ? diff->v[i].old_i : diff->v[i].new_i;
        if (entry != TREE_NONE)
            files[entry + 1] = true;
    }
    return files;
}

// --- names

// How many bytes at p are one character that can be shown; 0: none.
static size_t showable(ds_str rest)
{
    unsigned char c = (unsigned char)rest.p[0];
    if (c < 0x80)
        return c >= ' ' && c != 0x7F && c != '"' && c != '\\';
    size_t n = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    bool is_control = c == 0xC2 && rest.n > 1 && (unsigned char)rest.p[1] < 0xA0;
    return !is_control && rest.n >= n && str_utf8_length((ds_str){rest.p, n}) == 1 ? n : 0;
}

static void put_escaped(ds_buf *out, unsigned char c)
{
    static const char LETTERS[] = "\aa\bb\tt\nn\vv\ff\rr\"\"\\\\";
    for (const char *p = LETTERS; *p; p += 2) {
        if ((unsigned char)*p == c) {
            buf_printf(out, "\\%c", p[1]);
            return;
        }
    }
    buf_printf(out, "\\%03o", c);
}

// Most are: letters, digits and the like.
static bool is_plain(const char *path)
{
    const unsigned char *p = (const unsigned char *)path;
    while (*p >= ' ' && *p < 0x7F && *p != '"' && *p != '\\')
        p++;
    return *p == '\0';
}

const char *tree_path_shown(ds_arena *arena, const char *path)
{
    if (is_plain(path))
        return arena_strdup(arena, path);
    CLEANUP(buf_release) ds_buf shown = BUF_INIT(SIZE_MAX / 2);
    bool plain = true;
    for (ds_str rest = str_of(path); rest.n;) {
        size_t n = showable(rest);
        if (n) {
            buf_put(&shown, rest.p, n);
        } else {
            put_escaped(&shown, (unsigned char)rest.p[0]);
            plain = false;
            n = 1;
        }
        rest = (ds_str){rest.p + n, rest.n - n};
    }
    return plain ? arena_strdup(arena, path) : arena_printf(arena, "\"%s\"", buf_text(&shown));
}
