// Files are parsed on many threads; what comes out is what one thread makes of them, from a directory's texts or git's.
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/load.h"
#include "support/check.h"
#include "support/repo.h"
#include "support/workdir.h"

enum { FILES = 300, TEXT_MAX = 4096 };

typedef struct loaded {
    ds_model *model;
    ds_diags *diags;
} loaded;

static void loaded_release(loaded *l)
{
    diags_free(l->diags);
    model_free(l->model);
}

// One store and a workspace each; some with many findings, some broken, some that declare again what others have.
static void put_text(size_t i, ds_buf *out)
{
    buf_printf(out,
               "kind: Datastore\nteam: USA/a\nname: S%zu\n"
               "capture: {type: sql_snapshot, container: C, trigger: {external: true}}\ndatasets:\n",
               i % 5 ? i : i / 7);
    for (size_t k = 0; k < 20; k++)
        buf_printf(out, "  d%zu: {columns: {id: bigint primary key, c%zu: %s}}\n", k, i * 31 + k,
                   i % 3 ? "text" : "txet");
    buf_printf(out, "---\nkind: Workspace\nteam: USA/a\nname: W%zu\ndataset_groups: {live: {sinks: [S1/d1%s}}\n", i,
               i % 11 ? "]" : "");
}

// All that can be seen of a load, in one text.
static char *show(const loaded *l)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    const ds_model *model = l->model;
    fprintf(out, "%s\n", model->tree_id);
    for (size_t i = 0; i < model->datastores.n; i++) {
        const ds_datastore *store = model->datastores.v[i];
        fprintf(out, "%u:%u %s", store->pos.file, (unsigned)store->pos.line, store->name.s);
        for (size_t k = 0; k < store->datasets.n; k++)
            fprintf(out, " %s.%s", store->datasets.v[k].name, store->datasets.v[k].columns.v[1].name);
        fputc('\n', out);
    }
    for (size_t i = 0; i < model->workspaces.n; i++)
        fprintf(out, "%u %s\n", model->workspaces.v[i]->pos.file, model->workspaces.v[i]->name.s);
    fprintf(out, "%zu errors\n", diags_severity_count(l->diags, DIAG_ERROR));
    for (size_t i = 0; i < diags_count(l->diags); i++)
        diag_print(out, l->diags, diags_at(l->diags, i), false);
    fclose(out);
    return text;
}

// What one thread finds: with one processor to run on there is one.
static char *load_alone(ds_tree *tree)
{
    ds_error err;
    cpu_set_t all, one;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    CLEANUP(loaded_release) loaded l = {0};
    OK(model_load_tree(tree, &(ds_load_options){".", NULL}, &l.model, &l.diags, &err));
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    return show(&l);
}

static char *load_together(ds_tree *tree)
{
    ds_error err;
    CLEANUP(loaded_release) loaded l = {0};
    OK(model_load_tree(tree, &(ds_load_options){".", NULL}, &l.model, &l.diags, &err));
    return show(&l);
}

typedef struct texts {
    char *paths[FILES], *texts[FILES];
} texts;

static int setup(void **state)
{
    texts *t = calloc(1, sizeof *t);
    for (size_t i = 0; i < FILES; i++) {
        CLEANUP(buf_release) ds_buf text = BUF_INIT(TEXT_MAX), path = BUF_INIT(100);
        put_text(i, &text);
        assert_true(buf_ok(&text));
        buf_printf(&path, "d%zu/f%04zu.yaml", i % 9, i);
        t->paths[i] = strdup(buf_text(&path));
        t->texts[i] = strdup(buf_text(&text));
    }
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    texts *t = *state;
    for (size_t i = 0; i < FILES; i++) {
        free(t->paths[i]);
        free(t->texts[i]);
    }
    free(t);
    return 0;
}

static void timing_never_shows(void **state)
{
    texts *t = *state;
    ds_str all[FILES];
    for (size_t i = 0; i < FILES; i++)
        all[i] = str_of(t->texts[i]);
    CLEANUP(tree_closep) ds_tree *tree = tree_open_texts((const char *const *)t->paths, all, FILES);
    char *alone = load_alone(tree);
    assert_non_null(strstr(alone, "2079 errors\n"));
    for (int round = 0; round < 3; round++) {
        char *together = load_together(tree);
        assert_string_equal(together, alone);
        free(together);
    }
    free(alone);
}

static void git_is_read_by_all(void **state)
{
    texts *t = *state;
    ds_error err;
    workdir dir = workdir_new();
    repo r = repo_new(dir.path);
    repo_file files[FILES];
    for (size_t i = 0; i < FILES; i++)
        files[i] = (repo_file){t->paths[i], t->texts[i]};
    git_oid root = repo_files(&r, files, FILES), commit = repo_commit(&r, &root, NULL, 0);
    repo_ref(&r, "main", &commit);
    ds_tree *tree = NULL;
    OK(tree_open_git(dir.path, "main", NULL, &tree, &err));
    char *alone = load_alone(tree), *together = load_together(tree), id[GIT_OID_HEXSZ + 1];
    assert_string_equal(together, alone);
    assert_true(str_starts(str_of(together), str_of(git_oid_tostr(id, sizeof id, &root))));
    free(alone);
    free(together);
    tree_close(tree);
    repo_release(&r);
    workdir_remove(&dir);
}

// The first file that can't be read is the failure, whichever thread met one first.
static void the_first_failure_counts(void **state)
{
    texts *t = *state;
    ds_error err;
    workdir dir = workdir_new();
    repo r = repo_new(dir.path);
    repo_entry entries[FILES];
    git_oid gone;
    git_oid_fromstr(&gone, "0123456789012345678901234567890123456789");
    for (size_t i = 0; i < FILES; i++)
        entries[i] = (repo_entry){"100644", t->paths[i] + 3, i < 200 ? repo_blob(&r, str_of(t->texts[i])) : gone};
    git_oid root = repo_tree(&r, entries, FILES), commit = repo_commit(&r, &root, NULL, 0);
    repo_ref(&r, "main", &commit);
    ds_tree *tree = NULL;
    OK(tree_open_git(dir.path, "main", NULL, &tree, &err));
    loaded l = {0};
    for (int round = 0; round < 3; round++)
        FAILS(model_load_tree(tree, &(ds_load_options){".", NULL}, &l.model, &l.diags, &err), DS_ENV,
              "main: f0200.yaml: object not found");
    assert_null(l.model);
    tree_close(tree);
    repo_release(&r);
    workdir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timing_never_shows),
        cmocka_unit_test(git_is_read_by_all),
        cmocka_unit_test(the_first_failure_counts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
