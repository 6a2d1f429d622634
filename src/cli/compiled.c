#include "cli/compiled.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "gate/lint.h"
#include "graph/graph.h"
#include "image/cache.h"
#include "image/stat_index.h"
#include "model/build.h"
#include "model/lookup.h"

// So many files that have changed are decoded anew each time; for more an image is written.
enum { FILES_FEW = 32 };
// What a model of some size takes in memory.
enum { MODEL_BYTES = 8 << 20 };

void compiled_init(ds_compiled *c, ds_cli *cli, const char *dir)
{
    memory_expect(MODEL_BYTES);
    *c = (ds_compiled){.cli = cli, .dir = dir, .environment = args_text(&cli->args, "env"), .arena = arena_new()};
}

void compiled_take(ds_compiled *c, ds_tree *tree)
{
    ds_assert(!c->tree);
    c->tree = tree;
}

void compiled_release(ds_compiled *c)
{
    diags_free(c->diags);
    diags_free(c->loaded);
    if (c->files)
        files_release(c->files);
    model_free(c->model);
    image_closep(&c->image);
    image_writer_closep(&c->writer);
    tree_close(c->tree);
    arena_free(c->arena);
}

// --- the files

static void find_cache(ds_compiled *c)
{
    if (args_flag(&c->cli->args, "no-cache"))
        return;
    char *real = realpath(c->dir, NULL);
    if (real)
        c->cache = cache_dir(args_text(&c->cli->args, "cache"), real, c->arena);
    free(real);
}

static const char *index_path(const ds_compiled *c)
{
    return arena_path(c->arena, c->cache, "stat", NULL);
}

// Ids come from what the files looked like last time, as far as that goes.
static ds_rc open_tree(ds_compiled *c, ds_error *err)
{
    c->opened_ns = clock_now_us(clock_system()) * 1000;
    TRY(tree_open_dir(c->dir, &c->tree, err));
    if (tree_count(c->tree) == 0)
        return ds_hint(ds_fail(err, DS_FINDING, "there is no model in \"%s\": no *.yaml file", c->dir), err,
                       "datasurface init DIR writes one; -C DIR names its place");
    c->missed = tree_count(c->tree);
    if (c->cache)
        stat_index_apply(index_path(c), c->tree, &c->missed);
    return DS_DONE;
}

// To make the ids of a few files each time costs less than to note those of all.
static bool should_note(const ds_compiled *c)
{
    return c->missed > FILES_FEW || c->missed > tree_count(c->tree) / 8;
}

// The path of the image of this very tree. Ids that aren't known yet are made, and noted for the next time.
static ds_rc identify(ds_compiled *c, const char **path, ds_error *err)
{
    char id[TREE_ID_TEXT];
    TRY(tree_id(c->tree, id, err));
    if (should_note(c))
        stat_index_write(index_path(c), c->tree, c->opened_ns);
    c->missed = 0;
    *path = cache_image_path(c->cache, id, c->environment, c->arena);
    return DS_DONE;
}

ds_rc compiled_open(ds_compiled *c, ds_error *err)
{
    if (c->files)
        return DS_DONE;
    find_cache(c);
    const char *nearest = c->cache ? cache_nearest(c->cache, c->arena) : NULL;
    if (!c->tree)
        TRY(open_tree(c, err));
    c->files = files_of_tree(c->tree, c->arena);
    if (!nearest)
        return DS_DONE; // ids come with the decoding
    const char *path;
    TRY(identify(c, &path, err));
    TRY(image_open(path, &c->image, err));
    c->exact = c->image != NULL;
    c->image_path = c->exact ? path : nearest;
    return c->exact ? DS_DONE : image_open(nearest, &c->image, err);
}

// --- findings

static ds_load_options options_of(const ds_compiled *c)
{
    return (ds_load_options){c->dir, c->environment};
}

static ds_rc load(ds_compiled *c, ds_image *image, ds_error *err)
{
    ds_load_options options = options_of(c);
    TRY(image_load(image, c->tree, &options, &c->loaded, &c->model, err));
    lint_datasets(c->model, true, c->loaded); // those that are unread have theirs kept
    return DS_DONE;
}

static void count(ds_compiled *c)
{
    for (int s = DIAG_INFO; s <= DIAG_ERROR; s++)
        c->counts.of[s] = diags_severity_count(c->diags, (ds_severity)s);
    c->counts.workspaces = c->model->workspaces.n;
    c->counts.datasets = 0;
    for (size_t i = 0; i < c->model->datastores.n; i++)
        c->counts.datasets += datastore_dataset_count(c->model->datastores.v[i]);
}

static const ds_graph *make_graph(const ds_compiled *c, ds_arena *arena)
{
    return graph_build(c->model, assign_roots(c->model, c->cli->program->platforms, arena), arena);
}

static void begin_findings(ds_compiled *c)
{
    c->diags = diags_new(c->model->files);
    diags_append(c->diags, c->loaded);
}

static void end_findings(ds_compiled *c)
{
    diags_sort(c->diags);
    count(c);
}

// graph: of the whole model.
static void judge(ds_compiled *c, const ds_graph *graph)
{
    begin_findings(c);
    lint_objects_with(c->model, graph, c->cli->program->platforms, c->diags);
    end_findings(c);
}

// The model that the image is of, with what was found in it.
typedef struct former {
    ds_tree *tree;     // the image's
    ds_tree_diff diff; // to what it is now
    ds_model *model;
    ds_diags *loaded, *diags;
} former;

static void former_release(former *f)
{
    diags_free(f->diags);
    diags_free(f->loaded);
    model_free(f->model);
}

static ds_rc former_load(const ds_compiled *c, former *f, ds_error *err)
{
    ds_load_options options = options_of(c);
    TRY(image_tree(c->image, &f->tree, err));
    TRY(tree_diff(f->tree, c->tree, c->arena, &f->diff, err));
    TRY(image_load_like(c->image, f->tree, c->model, &f->diff, &options, &f->loaded, &f->model, err));
    f->diags = diags_new(f->model->files);
    return image_findings(c->image, f->diags, err);
}

// The same as judge, by what has changed since the image was written.
static ds_rc judge_changes(ds_compiled *c, ds_error *err)
{
    CLEANUP(former_release) former f = {0};
    if (!c->image_path || !cache_has_environment(c->image_path, c->environment)) {
        CLEANUP(arena_freep) ds_arena *arena = arena_new();
        judge(c, make_graph(c, arena));
        return DS_DONE;
    }
    TRY(former_load(c, &f, err));
    lint_past past = {f.model, f.diags, f.loaded};
    begin_findings(c);
    if (!lint_objects_since(&past, c->model, &f.diff, c->cli->program->platforms, c->diags))
        lint_objects(c->model, c->cli->program->platforms, c->diags);
    end_findings(c);
    return DS_DONE;
}

// --- an image

static ds_rc put_stream(ds_image_writer *w, const ds_node *node, ds_error *err)
{
    image_row_begin(w, IMAGE_STREAMS);
    image_cell_text(w, node_stream_name(node));
    image_cell_text(w, node->service->name.s);
    image_cell_text(w, node->platform->name);
    image_cell_text(w, node->store->name.s);
    image_cell_text(w, node->dataset ? node->dataset->name : NULL);
    image_cell_int(w, (int64_t)node->dataset_count);
    image_cell_text(w, priority_name(node->priority));
    return image_row_end(w, err);
}

static ds_rc put_edges(ds_image_writer *w, const ds_node *node, ds_error *err)
{
    for (size_t i = 0; i < node->right.n; i++) {
        image_row_begin(w, IMAGE_EDGES);
        image_cell_text(w, node->platform->name);
        image_cell_text(w, node->name);
        image_cell_text(w, node->right.v[i]->name);
        TRY(image_row_end(w, err));
    }
    return DS_DONE;
}

static ds_rc put_graph(ds_compiled *c, const ds_graph *graph, ds_error *err)
{
    for (size_t i = 0; i < graph->nodes.n; i++) {
        const ds_node *node = graph->nodes.v[i];
        if (node_is_stream(node))
            TRY(put_stream(c->writer, node, err));
        TRY(put_edges(c->writer, node, err));
    }
    return DS_DONE;
}

static ds_rc put_counts(ds_compiled *c, ds_error *err)
{
    const ds_image_count counts[] = {{"infos", c->counts.of[DIAG_INFO]},
                                     {"warnings", c->counts.of[DIAG_WARNING]},
                                     {"errors", c->counts.of[DIAG_ERROR]},
                                     {"datasets", c->counts.datasets},
                                     {"workspaces", c->counts.workspaces}};
    return image_put_counts(c->writer, counts, sizeof counts / sizeof counts[0], err);
}

static ds_rc get_counts(ds_compiled *c, ds_error *err)
{
    ds_image_count counts[] = {{"infos", 0}, {"warnings", 0}, {"errors", 0}, {"datasets", 0}, {"workspaces", 0}};
    TRY(image_get_counts(c->image, counts, sizeof counts / sizeof counts[0], err));
    c->counts = (ds_compiled_counts){.of = {counts[0].n, counts[1].n, counts[2].n},
                                     .datasets = counts[3].n,
                                     .workspaces = counts[4].n};
    return DS_DONE;
}

// Decodes what no image knows, writes everything into a new one, and judges the model that is read from it.
static ds_rc write_image(ds_compiled *c, ds_error *err)
{
    TRY(image_begin(c->cache, &c->writer, err));
    TRY(image_put_tree(c->writer, c->tree, c->image, lint_datastore, err));
    image_closep(&c->image);
    c->image = image_written(c->writer);
    c->image_path = NULL;
    TRY(load(c, c->image, err));
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const ds_graph *graph = make_graph(c, arena);
    judge(c, graph);
    TRY(image_put_objects(c->writer, c->model, err));
    TRY(image_put_findings(c->writer, c->diags, err));
    TRY(put_graph(c, graph, err));
    TRY(put_counts(c, err));
    TRY(image_check(c->image, err));
    if (!c->cache)
        return image_finish(c->writer, NULL, err);
    const char *path;
    TRY(identify(c, &path, err));
    TRY(image_finish(c->writer, path, err));
    cache_prune(c->cache, CACHE_IMAGES_MAX);
    return DS_DONE;
}

static ds_rc lint_once(ds_compiled *c, ds_error *err)
{
    if (c->exact) {
        c->diags = diags_new(c->files);
        TRY(image_findings(c->image, c->diags, err));
        return get_counts(c, err);
    }
    size_t unknown;
    TRY(image_unknown(c->image, c->tree, &unknown, err));
    if (!c->image || unknown > FILES_FEW)
        return write_image(c, err);
    TRY(load(c, c->image, err));
    TRY(judge_changes(c, err));
    return image_check(c->image, err);
}

static ds_rc model_once(ds_compiled *c, ds_error *err)
{
    TRY(lint_once(c, err));
    return c->model ? DS_DONE : load(c, c->image, err);
}

static ds_rc image_once(ds_compiled *c, ds_error *err)
{
    return c->exact ? DS_DONE : write_image(c, err);
}

static void forget(ds_compiled *c)
{
    diags_freep(&c->diags);
    diags_freep(&c->loaded);
    model_freep(&c->model);
    image_closep(&c->image);
    image_writer_closep(&c->writer);
    c->exact = false;
}

// Where the cache has damaged images, or no room, things are done without it.
static ds_rc attempt(ds_compiled *c, ds_rc (*once)(ds_compiled *c, ds_error *err), ds_error *err)
{
    TRY(compiled_open(c, err));
    ds_rc rc = once(c, err);
    if (rc.code == DS_INTERNAL && c->image && c->cache) {
        forget(c);
        cache_prune(c->cache, 0);
        rc = once(c, err);
    }
    if (rc.code == DS_OK || !c->cache || (rc.code != DS_INTERNAL && rc.code != DS_ENV))
        return rc;
    forget(c);
    c->cache = NULL;
    return once(c, err);
}

ds_rc compiled_lint(ds_compiled *c, ds_error *err)
{
    return attempt(c, lint_once, err);
}

ds_rc compiled_model(ds_compiled *c, ds_error *err)
{
    return attempt(c, model_once, err);
}

ds_rc compiled_whole(const ds_compiled *c, ds_error *err)
{
    if (image_check(c->image, err).code == DS_OK)
        return DS_DONE;
    if (c->cache)
        cache_prune(c->cache, 0);
    return ds_hint(ds_fail(err, DS_ENV, "the compiled model was damaged, and has been thrown away"), err,
                   "run it again");
}

ds_rc compiled_beside(const ds_compiled *c, ds_tree *tree, const ds_tree_diff *diff, ds_model **model, ds_diags **diags,
                      ds_error *err)
{
    ds_load_options options = options_of(c);
    TRY(image_load_like(c->image, tree, c->model, diff, &options, diags, model, err));
    lint_datasets(*model, true, *diags); // those that are unread have theirs kept
    return compiled_whole(c, err);
}

ds_rc compiled_image(ds_compiled *c, ds_error *err)
{
    return attempt(c, image_once, err);
}
