// image/image.h: a model from an image is the model of its text; images that are damaged are none.
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "base/file.h"
#include "image/cache.h"
#include "image/image.h"
#include "image/stat_index.h"
#include "model/fields.h"
#include "model/lookup.h"
#include "sim/rng.h"
#include "support/same.h"
#include "support/workdir.h"

enum { PATH = 2 * WORKDIR_PATH };

#define STORE(name, datasets)                                                                                          \
    "kind: Datastore\nteam: A/b\nname: " name "\ncapture: {type: sql_snapshot, container: C, trigger: {external: "     \
    "true}}\ndatasets:\n" datasets
#define TABLE(name, more)                                                                                              \
    "  " name ": {description: all of it, columns: {id: bigint primary key, v: \"decimal(12,2)\"" more "}}\n"
// In this order of paths.
static const char *const PATHS[] = {"a.yaml", "b/store.yaml", "b/uses.yaml", "c.yaml"};
static const char *const TEXTS[] = {
    "kind: Ecosystem\nname: E\nrepository: a/b@c\nlive: a/b@d\nzones: [{name: A, repository: a/b@e}]\n---\n"
    "kind: Environment\nname: laptop\ncontainers: {C: {type: sqlite, path: c.db}}\n",
    STORE("S", TABLE("zulu", "") TABLE("alpha", ", w: text") TABLE("mike", "")),
    "kind: Workspace\nteam: A/b\nname: W\ndataset_groups: {g: {sinks: [S/alpha, S/nothing]}}\ntransformer:\n  name: t\n"
    "  run: {sql: {o: SELECT 1}}\n  output: {datastore: O, datasets: {o: {columns: {id: bigint primary key}}}}\n",
    "kind: DataContainer\nteam: A/b\nname: C\ntype: postgres\nhost: h\ndatabase: d\ncolour: red\n---\n" STORE(
        "S", TABLE("again", "")),
};
enum { FILES = sizeof PATHS / sizeof PATHS[0] };
// What becomes of b/store.yaml.
static const char CHANGED[] = STORE("S", TABLE("alpha", ", x: date") TABLE("nothing", ""));

static ds_tree *tree_of(const char *changed)
{
    ds_str texts[FILES];
    for (size_t i = 0; i < FILES; i++)
        texts[i] = str_of(changed && i == 1 ? changed : TEXTS[i]);
    return tree_open_texts(PATHS, texts, FILES);
}

// --- sameness

typedef LIST_OF(void *) documents;

static void same_datasets(const ds_datastore *a, const ds_datastore *b)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    ds_datasets x = datastore_datasets(a, scratch), y = datastore_datasets(b, scratch);
    assert_int_equal(x.n, y.n);
    assert_int_equal(datastore_dataset_count(a), datastore_dataset_count(b));
    for (size_t i = 0; i < x.n; i++) {
        CLEANUP(buf_release) ds_buf where = BUF_INIT(1000);
        assert_string_equal(x.v[i].name, y.v[i].name);
        same_struct(&SHAPE_DATASET, &x.v[i], &y.v[i], &where);
        const ds_dataset *found = datastore_dataset(b, x.v[i].name);
        assert_non_null(found);
        assert_ptr_equal(found, datastore_dataset(b, x.v[i].name));
        assert_int_equal(datastore_place(b, found), i);
        same_struct(&SHAPE_DATASET, &x.v[i], found, &where);
        if (where.n)
            fail_msg("%s/%s: %s", a->name.s, x.v[i].name, buf_text(&where));
    }
    assert_null(datastore_dataset(b, "none_of_that_name"));
}

// The head of a store alone: its datasets are compared apart.
static void same_document(size_t kind, const void *a, const void *b)
{
    CLEANUP(buf_release) ds_buf where = BUF_INIT(1000);
    if (MODEL_KINDS[kind].shape == &SHAPE_DATASTORE) {
        same_datasets(a, b);
        ds_datastore x = *(const ds_datastore *)a, y = *(const ds_datastore *)b;
        x.datasets.n = y.datasets.n = 0;
        x.datasets.pos = y.datasets.pos = NO_POS;
        same_struct(&SHAPE_DATASTORE, &x, &y, &where);
    } else {
        same_struct(MODEL_KINDS[kind].shape, a, b, &where);
    }
    if (where.n)
        fail_msg("%s: %s", MODEL_KINDS[kind].name, buf_text(&where));
}

static void same_models(const ds_model *a, const ds_model *b)
{
    for (size_t kind = 0; kind < MODEL_KIND_COUNT; kind++) {
        const documents *x = (const void *)((const char *)a + MODEL_KINDS[kind].list_offset);
        const documents *y = (const void *)((const char *)b + MODEL_KINDS[kind].list_offset);
        assert_int_equal(x->n, y->n);
        for (size_t i = 0; i < x->n; i++)
            same_document(kind, x->v[i], y->v[i]);
    }
    assert_string_equal(a->tree_id, b->tree_id);
}

static void same_findings(const ds_diags *a, const ds_diags *b)
{
    CLEANUP(buf_release) ds_buf x = BUF_INIT(1 << 20), y = BUF_INIT(1 << 20);
    const struct {
        const ds_diags *diags;
        ds_buf *out;
    } both[] = {{a, &x}, {b, &y}};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < diags_count(both[k].diags); i++) {
            const ds_diag *d = diags_at(both[k].diags, i);
            buf_printf(both[k].out, "%s:%u:%u %s %s %s %s %s\n", files_path(diags_files(both[k].diags), d->pos.file),
                       d->pos.line, d->pos.column, severity_name(d->severity), d->rule, d->object, d->message, d->hint);
        }
    assert_string_equal(buf_text(&x), buf_text(&y));
}

// --- worlds

typedef struct loaded {
    ds_model *model;
    ds_diags *diags;
} loaded;

static void loaded_release(loaded *l)
{
    diags_free(l->diags);
    model_free(l->model);
}

static loaded from_text(ds_tree *tree, const char *environment)
{
    loaded l;
    ds_error err;
    OK(model_load_tree(tree, &(ds_load_options){".", environment}, &l.model, &l.diags, &err));
    return l;
}

static loaded from_image(ds_image *image, ds_tree *tree, const char *environment)
{
    loaded l;
    ds_error err;
    OK(image_load(image, tree, &(ds_load_options){".", environment}, &l.diags, &l.model, &err));
    return l;
}

static void check_same(ds_image *image, ds_tree *tree, const char *environment)
{
    CLEANUP(loaded_release) loaded a = from_text(tree, environment);
    CLEANUP(loaded_release) loaded b = from_image(image, tree, environment);
    ds_error err;
    same_models(a.model, b.model);
    same_findings(a.diags, b.diags);
    if (image)
        OK(image_check(image, &err));
    CLEANUP(loaded_release) loaded c = from_image(image, tree, environment);
    if (c.model->datastores.n)
        datastore_open(c.model->datastores.v[0], c.model->arena);
    model_open(c.model);
    same_models(a.model, c.model);
    for (size_t i = 0; i < c.model->datastores.n; i++)
        assert_int_equal(c.model->datastores.v[i]->datasets.n, a.model->datastores.v[i]->datasets.n);
}

static void write_image(const char *path, ds_tree *tree, ds_image *known)
{
    char dir[WORKDIR_PATH];
    snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
    ds_error err;
    CLEANUP(image_writer_closep) ds_image_writer *w = NULL;
    OK(image_begin(dir, &w, &err));
    OK(image_put_tree(w, tree, known, NULL, &err));
    CLEANUP(image_closep) ds_image *written = image_written(w);
    check_same(written, tree, NULL);
    CLEANUP(loaded_release) loaded l = from_image(written, tree, NULL);
    OK(image_put_objects(w, l.model, &err));
    OK(image_put_findings(w, l.diags, &err));
    OK(image_put_counts(w, &(ds_image_count){"answer", 42}, 1, &err));
    OK(image_finish(w, path, &err));
    check_same(written, tree, NULL);
}

static void remove_dir(const workdir *dir)
{
    workdir_remove(dir);
}

// --- tests

static void image_is_the_text(void **state)
{
    (void)state;
    ds_error err;
    CLEANUP(remove_dir) workdir dir = workdir_new();
    char path[WORKDIR_PATH];
    workdir_file(&dir, "one.image", path);
    CLEANUP(tree_closep) ds_tree *tree = tree_of(NULL);
    write_image(path, tree, NULL);
    CLEANUP(image_closep) ds_image *image = NULL;
    OK(image_open(path, &image, &err));
    assert_non_null(image);
    size_t unknown;
    OK(image_unknown(image, tree, &unknown, &err));
    assert_int_equal(unknown, 0);
    check_same(image, tree, NULL);
    check_same(image, tree, "laptop");
    ds_image_count answer = {"answer", 0}, nothing = {"question", 0};
    OK(image_get_counts(image, &answer, 1, &err));
    assert_int_equal(answer.n, 42);
    assert_int_equal(image_get_counts(image, &nothing, 1, &err).code, DS_INTERNAL);
    CLEANUP(loaded_release) loaded l = from_text(tree, NULL);
    CLEANUP(diags_freep) ds_diags *found = diags_new(l.model->files);
    OK(image_findings(image, found, &err));
    same_findings(l.diags, found);
}

static void unknown_environment(void **state)
{
    (void)state;
    ds_error err;
    CLEANUP(tree_closep) ds_tree *tree = tree_of(NULL);
    ds_model *model;
    ds_diags *diags;
    FAILS(image_load(NULL, tree, &(ds_load_options){".", "moon"}, &diags, &model, &err), DS_USAGE, "no environment");
}

static void only_changes_are_decoded(void **state)
{
    (void)state;
    ds_error err;
    CLEANUP(remove_dir) workdir dir = workdir_new();
    char one[WORKDIR_PATH], two[WORKDIR_PATH];
    workdir_file(&dir, "one.image", one);
    workdir_file(&dir, "two.image", two);
    CLEANUP(tree_closep) ds_tree *before = tree_of(NULL);
    CLEANUP(tree_closep) ds_tree *after = tree_of(CHANGED);
    write_image(one, before, NULL);
    CLEANUP(image_closep) ds_image *first = NULL;
    OK(image_open(one, &first, &err));
    size_t unknown;
    OK(image_unknown(first, after, &unknown, &err));
    assert_int_equal(unknown, 1);
    check_same(first, after, NULL);
    write_image(two, after, first); // copies the rest
    CLEANUP(image_closep) ds_image *second = NULL;
    OK(image_open(two, &second, &err));
    OK(image_unknown(second, after, &unknown, &err));
    assert_int_equal(unknown, 0);
    check_same(second, after, NULL);
    check_same(second, before, "laptop");
    check_same(NULL, before, NULL);
}

// The last one to finish wins, and who has opened the other goes on reading that.
static void writers_at_once(void **state)
{
    (void)state;
    ds_error err;
    CLEANUP(remove_dir) workdir dir = workdir_new();
    char path[WORKDIR_PATH];
    workdir_file(&dir, "one.image", path);
    CLEANUP(tree_closep) ds_tree *before = tree_of(NULL);
    CLEANUP(tree_closep) ds_tree *after = tree_of(CHANGED);
    write_image(path, before, NULL);
    CLEANUP(image_closep) ds_image *old = NULL;
    OK(image_open(path, &old, &err));
    CLEANUP(image_writer_closep) ds_image_writer *given_up = NULL;
    OK(image_begin(dir.path, &given_up, &err));
    OK(image_put_tree(given_up, after, NULL, NULL, &err));
    image_writer_closep(&given_up);
    check_same(old, before, NULL);
    write_image(path, after, NULL);
    check_same(old, before, NULL);
    CLEANUP(image_closep) ds_image *new = NULL;
    OK(image_open(path, &new, &err));
    size_t unknown;
    OK(image_unknown(new, after, &unknown, &err));
    assert_int_equal(unknown, 0);
}

static void read_all(const char *path, ds_buf *out)
{
    ds_error err;
    *out = BUF_INIT(1 << 24);
    OK(file_read(path, out, &err));
}

static void write_all(const char *path, ds_str bytes)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, out), bytes.n);
    assert_int_equal(fclose(out), 0);
}

// Everything that can be asked; failures are failures, and never a crash.
static void ask_everything(const char *path, ds_tree *tree)
{
    ds_error err;
    loaded l = {0};
    CLEANUP(image_closep) ds_image *image = NULL;
    OK(image_open(path, &image, &err));
    if (!image || image_load(image, tree, &(ds_load_options){".", NULL}, &l.diags, &l.model, &err).code != DS_OK)
        return;
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    for (size_t i = 0; i < l.model->datastores.n; i++) {
        (void)datastore_datasets(l.model->datastores.v[i], scratch);
        (void)datastore_dataset(l.model->datastores.v[i], "alpha");
        (void)datastore_nearest(l.model->datastores.v[i], "alfa", scratch);
    }
    ds_ignore(image_findings(image, l.diags, &err));
    ds_ignore(image_check(image, &err));
    loaded_release(&l);
}

static void damage(void **state)
{
    (void)state;
    CLEANUP(remove_dir) workdir dir = workdir_new();
    char path[WORKDIR_PATH];
    workdir_file(&dir, "one.image", path);
    CLEANUP(tree_closep) ds_tree *tree = tree_of(NULL);
    write_image(path, tree, NULL);
    CLEANUP(buf_release) ds_buf whole;
    read_all(path, &whole);
    ds_rng rng = {42};
    for (size_t round = 0; round < 300; round++) {
        char *copy = malloc(whole.n);
        assert_non_null(copy);
        memcpy(copy, whole.p, whole.n);
        size_t n = rng_once_in(&rng, 4) ? rng_below(&rng, whole.n) : whole.n;
        for (size_t i = 0; n && i < 1 + rng_below(&rng, 20); i++)
            copy[rng_below(&rng, n)] = (char)rng_next(&rng);
        write_all(path, (ds_str){copy, n});
        free(copy);
        ask_everything(path, tree);
    }
}

static void no_image(void **state)
{
    (void)state;
    ds_error err;
    CLEANUP(remove_dir) workdir dir = workdir_new();
    char path[WORKDIR_PATH];
    workdir_file(&dir, "one.image", path);
    CLEANUP(image_closep) ds_image *image = NULL;
    OK(image_open(path, &image, &err));
    assert_null(image);
    write_all(path, STR("no database at all"));
    OK(image_open(path, &image, &err));
    assert_null(image);
    CLEANUP(image_writer_closep) ds_image_writer *w = NULL;
    FAILS(image_begin("/nonexistent", &w, &err), DS_ENV, "image");
}

// --- cache

static void cache_keeps_the_newest(void **state)
{
    (void)state;
    CLEANUP(remove_dir) workdir dir = workdir_new();
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    const char *cache = cache_dir(dir.path, "/srv/model", arena);
    assert_non_null(cache);
    assert_string_equal(cache, cache_dir(dir.path, "/srv/model", arena));
    assert_string_not_equal(cache, cache_dir(dir.path, "/srv/other", arena));
    assert_null(cache_nearest(cache, arena));
    const char *newest = NULL;
    for (int i = 0; i < 6; i++) {
        newest = cache_image_path(cache, arena_printf(arena, "tree%d", i), i % 2 ? "laptop" : NULL, arena);
        write_all(newest, STR("x"));
        assert_int_equal(utime(newest, &(struct utimbuf){1000 + i, 1000 + i}), 0);
    }
    assert_string_equal(cache_nearest(cache, arena), newest);
    cache_prune(cache, CACHE_IMAGES_MAX);
    int left = 0;
    for (int i = 0; i < 6; i++) {
        const char *path = cache_image_path(cache, arena_printf(arena, "tree%d", i), i % 2 ? "laptop" : NULL, arena);
        left += file_exists(path);
        assert_true(file_exists(path) == (i >= 2));
    }
    assert_int_equal(left, CACHE_IMAGES_MAX);
    assert_null(cache_dir("/proc/nothing", "x", arena));
}

// --- stat index

static ds_tree *opened(const workdir *dir)
{
    ds_error err;
    ds_tree *tree = NULL;
    OK(tree_open_dir(dir->path, &tree, &err));
    return tree;
}

static int64_t far_future(void)
{
    return INT64_MAX;
}

static void files_are_recognised(void **state)
{
    (void)state;
    ds_error err;
    CLEANUP(remove_dir) workdir dir = workdir_new(), elsewhere = workdir_new();
    char a[WORKDIR_PATH], b[WORKDIR_PATH], index[WORKDIR_PATH], id[TREE_ID_TEXT], again[TREE_ID_TEXT];
    workdir_file(&dir, "a.yaml", a);
    workdir_file(&dir, "b.yaml", b);
    workdir_file(&elsewhere, "stat", index);
    write_all(a, STR("kind: A\n"));
    write_all(b, STR("kind: B\n"));
    size_t missed;
    CLEANUP(tree_closep) ds_tree *first = opened(&dir);
    stat_index_apply(index, first, &missed);
    assert_int_equal(missed, 2); // there is none
    OK(tree_id(first, id, &err));
    stat_index_write(index, first, 0); // all files are younger than that: none is trusted
    CLEANUP(tree_closep) ds_tree *racy = opened(&dir);
    stat_index_apply(index, racy, &missed);
    assert_int_equal(missed, 2);
    stat_index_write(index, first, far_future());
    CLEANUP(tree_closep) ds_tree *second = opened(&dir);
    stat_index_apply(index, second, &missed);
    assert_int_equal(missed, 0);
    assert_true(tree_file(second, 0)->has_id && tree_file(second, 1)->has_id);
    OK(tree_id(second, again, &err));
    assert_string_equal(id, again);
    // The same size, and time; but another file.
    struct stat st;
    assert_int_equal(stat(b, &st), 0);
    assert_int_equal(unlink(b), 0);
    write_all(b, STR("kind: C\n"));
    assert_int_equal(utime(b, &(struct utimbuf){st.st_atime, st.st_mtime}), 0);
    CLEANUP(tree_closep) ds_tree *third = opened(&dir);
    stat_index_apply(index, third, &missed);
    assert_int_equal(missed, 1);
    OK(tree_id(third, again, &err));
    assert_string_not_equal(id, again);
    // Any byte of it.
    CLEANUP(buf_release) ds_buf whole;
    read_all(index, &whole);
    for (size_t i = 0; i < whole.n; i++) {
        whole.p[i] ^= 1;
        write_all(index, buf_str(&whole));
        whole.p[i] ^= 1;
        CLEANUP(tree_closep) ds_tree *tree = opened(&dir);
        stat_index_apply(index, tree, &missed);
        assert_int_equal(missed, 2);
    }
}

int main(void)
{
    const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(image_is_the_text),
        cmocka_unit_test(unknown_environment),
        cmocka_unit_test(only_changes_are_decoded),
        cmocka_unit_test(writers_at_once),
        cmocka_unit_test(damage),
        cmocka_unit_test(no_image),
        cmocka_unit_test(cache_keeps_the_newest),
        cmocka_unit_test(files_are_recognised),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
