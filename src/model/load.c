#include "model/load.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/file.h"
#include "model/index_int.h"

typedef struct source {
    const char *path;
    ds_str text;
    bool too_large; // text is empty then
} source;

typedef struct sources {
    ds_arena *arena;
    const char *dir;
    VEC(source) list;
} sources;

static int by_path(const void *x, const void *y)
{
    const source *a = x, *b = y;
    int order = strcmp(a->path, b->path);
    if (order)
        return order;
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    order = n ? memcmp(a->text.p, b->text.p, n) : 0;
    return order ? order : (a->text.n > b->text.n) - (a->text.n < b->text.n);
}

// A content id: equal for equal paths and texts, whatever the order in which they were found.
static void put_tree_id(ds_model *model, const sources *all)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state || XXH3_128bits_reset(state) != XXH_OK)
        BUG("out of memory");
    for (size_t i = 0; i < all->list.n; i++) {
        const source *s = &all->list.v[i];
        uint64_t size = s->text.n;
        XXH3_128bits_update(state, s->path, strlen(s->path) + 1);
        XXH3_128bits_update(state, &size, sizeof size);
        XXH3_128bits_update(state, s->text.n ? s->text.p : "", s->text.n);
    }
    XXH128_canonical_t id;
    XXH128_canonicalFromHash(&id, XXH3_128bits_digest(state));
    XXH3_freeState(state);
    CLEANUP(buf_release) ds_buf hex = BUF_INIT(sizeof model->tree_id);
    buf_put_hex(&hex, id.digest, sizeof id.digest);
    memcpy(model->tree_id, buf_text(&hex), hex.n + 1);
}

static void visit_document(const yaml_node *root, void *context)
{
    decode_document(context, root);
}

static void read_source(decoder *d, ds_files *files, const source *s)
{
    uint32_t file = files_add(files, s->path, s->text);
    if (s->too_large) {
        MODEL_FIND(d->diags, RULE_LIMIT, ((ds_pos){.file = file}), "", "the file is larger than %d bytes",
                   MODEL_FILE_MAX);
        diag_hint(d->diags, "spread its documents over several files");
        return;
    }
    yaml_read(d->diags, file, d->scratch, visit_document, d);
}

static ds_rc build(ds_model *model, sources *all, const char *environment, ds_diags *diags, ds_error *err)
{
    if (all->list.n)
        qsort(all->list.v, all->list.n, sizeof *all->list.v, by_path);
    put_tree_id(model, all);
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    CLEANUP(interner_freep) interner *strings = interner_new(model->arena);
    decoder d = {.arena = model->arena, .scratch = scratch, .diags = diags, .strings = strings};
    for (size_t i = 0; i < all->list.n; i++)
        read_source(&d, model->files, &all->list.v[i]);
    TRY(index_build(model, &d, environment, err));
    diags_sort(diags);
    return DS_DONE;
}

static ds_model *model_new(const char *dir)
{
    ds_arena *arena = arena_new();
    ds_model *model = ARENA_NEW(arena, ds_model);
    model->arena = arena;
    model->files = files_new(arena);
    model->dir = arena_strdup(arena, dir);
    return model;
}

void model_free(ds_model *model)
{
    if (model)
        arena_free(model->arena);
}

void model_freep(ds_model **model)
{
    model_free(*model);
    *model = NULL;
}

static ds_rc finish(ds_model *model, sources *all, const char *environment, ds_model **out, ds_diags **diags,
                    ds_error *err)
{
    ds_diags *found = diags_new(model->files);
    ds_rc rc = build(model, all, environment, found, err);
    if (rc.code != DS_OK) {
        diags_free(found);
        model_free(model);
        return rc;
    }
    *out = model;
    *diags = found;
    return DS_DONE;
}

static bool is_yaml(const char *path)
{
    ds_str text = str_of(path);
    static const char *const ENDS[] = {".yaml", ".yml"};
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        ds_str end = str_of(ENDS[i]);
        if (text.n > end.n && memcmp(text.p + text.n - end.n, end.p, end.n) == 0)
            return true;
    }
    return false;
}

static ds_rc read_file(const char *path, void *context, ds_error *err)
{
    sources *all = context;
    if (!is_yaml(path))
        return DS_DONE;
    CLEANUP(buf_release) ds_buf full = BUF_INIT(FILE_PATH_MAX), text = BUF_INIT(MODEL_FILE_MAX);
    file_join(&full, all->dir, path);
    ds_rc rc = file_read(buf_text(&full), &text, err);
    bool too_large = rc.code != DS_OK && !buf_ok(&text);
    if (!too_large)
        TRY(rc);
    source s = {.path = arena_strdup(all->arena, path), .text = STR(""), .too_large = too_large};
    if (!too_large)
        s.text = (ds_str){arena_str(all->arena, buf_str(&text)), text.n};
    *VEC_PUSH(all->arena, &all->list) = s;
    return DS_DONE;
}

ds_rc model_load(const ds_load_options *options, ds_model **out, ds_diags **diags, ds_error *err)
{
    if (!file_is_dir(options->dir))
        return ds_hint(ds_fail(err, DS_ENV, "%s is not a directory", options->dir), err,
                       "name the model's directory with -C DIR");
    ds_model *model = model_new(options->dir);
    sources all = {.arena = model->arena, .dir = options->dir};
    ds_rc rc = file_walk(options->dir, read_file, &all, err);
    if (rc.code != DS_OK) {
        model_free(model);
        return rc;
    }
    return finish(model, &all, options->environment, out, diags, err);
}

ds_rc model_load_texts(const char *const *paths, const ds_str *texts, size_t n, const char *environment, ds_model **out,
                       ds_diags **diags, ds_error *err)
{
    ds_model *model = model_new(".");
    sources all = {.arena = model->arena, .dir = "."};
    for (size_t i = 0; i < n; i++) {
        source s = {.path = arena_strdup(model->arena, paths[i]), .text = STR("")};
        s.too_large = texts[i].n > MODEL_FILE_MAX;
        if (!s.too_large)
            s.text = (ds_str){arena_str(model->arena, texts[i]), texts[i].n};
        *VEC_PUSH(model->arena, &all.list) = s;
    }
    return finish(model, &all, environment, out, diags, err);
}
