// model/commits.h: where branches are, what comes from what, and whose they are.
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/commits.h"
#include "support/repo.h"
#include "support/workdir.h"

typedef struct world {
    workdir dir;
    repo repo;
    char git[WORKDIR_PATH];
    git_oid first, second, beside; // second comes from first, beside does, too
    char ids[3][TREE_ID_TEXT];
    ds_arena *arena;
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->dir = workdir_new();
    workdir_file(&w->dir, "model.git", w->git);
    w->repo = repo_new(w->git);
    w->arena = arena_new();
    git_oid one = repo_files(&w->repo, (const repo_file[]){{"a.yaml", "a: 1\n"}}, 1);
    git_oid two = repo_files(&w->repo, (const repo_file[]){{"a.yaml", "a: 2\n"}}, 1);
    git_oid three = repo_files(&w->repo, (const repo_file[]){{"a.yaml", "a: 3\n"}}, 1);
    w->first = repo_commit(&w->repo, &one, NULL, 0);
    w->second = repo_commit(&w->repo, &two, &w->first, 1);
    w->beside = repo_commit(&w->repo, &three, &w->first, 1);
    const git_oid *all[] = {&w->first, &w->second, &w->beside};
    for (size_t i = 0; i < 3; i++)
        git_oid_tostr(w->ids[i], sizeof w->ids[i], all[i]);
    repo_ref(&w->repo, "main", &w->second);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    repo_release(&w->repo);
    workdir_remove(&w->dir);
    arena_free(w->arena);
    free(w);
    return 0;
}

static void where_a_branch_is(void **state)
{
    world *w = *state;
    ds_error err;
    char id[TREE_ID_TEXT];
    OK(commit_find(w->git, "main", id, &err));
    assert_string_equal(id, w->ids[1]);
    OK(commit_find(w->git, "main~1", id, &err));
    assert_string_equal(id, w->ids[0]);
    FAILS(commit_find(w->git, "nothing", id, &err), DS_USAGE, "names nothing here");
    FAILS(commit_find(w->dir.path, "main", id, &err), DS_ENV, "not in a git repository");
}

static void what_comes_from_what(void **state)
{
    world *w = *state;
    static const struct {
        int commit, ancestor;
        bool descends;
    } CASES[] = {{1, 0, true}, {1, 1, true}, {0, 1, false}, {1, 2, false}, {2, 0, true}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ds_error err;
        bool descends = !CASES[i].descends;
        OK(commit_descends(w->git, w->ids[CASES[i].commit], w->ids[CASES[i].ancestor], &descends, &err));
        assert_int_equal(descends, CASES[i].descends);
    }
}

static void a_commit_that_is_gone_is_no_ancestor(void **state)
{
    world *w = *state;
    ds_error err;
    bool descends = true;
    OK(commit_descends(w->git, w->ids[1], "0123456789012345678901234567890123456789", &descends, &err));
    assert_false(descends);
    FAILS(commit_descends(w->git, w->ids[1], "no id", &descends, &err), DS_FINDING, "is no commit's id");
}

static void whose_a_branch_is(void **state)
{
    world *w = *state;
    static const char *const REMOTES[] = {"origin", "origin/far", "own"};
    static const char *const FETCHES[] = {"+refs/heads/*:refs/remotes/origin/*",
                                          "+refs/heads/a:refs/remotes/origin/far/b",
                                          "+refs/heads/*:refs/remotes/own/*"};
    for (size_t i = 0; i < sizeof REMOTES / sizeof REMOTES[0]; i++) {
        git_config *config = NULL;
        char key[64];
        snprintf(key, sizeof key, "remote.%s.url", REMOTES[i]);
        assert_int_equal(git_repository_config(&config, w->repo.git), 0);
        assert_int_equal(git_config_set_string(config, key, "/nowhere"), 0);
        snprintf(key, sizeof key, "remote.%s.fetch", REMOTES[i]);
        assert_int_equal(git_config_set_string(config, key, FETCHES[i]), 0);
        git_config_free(config);
    }
    git_reference *head = NULL;
    const char *place = "refs/remotes/origin/main";
    assert_int_equal(git_reference_create(&head, w->repo.git, place, &w->first, 1, ""), 0);
    git_reference_free(head);
    assert_int_equal(git_reference_symbolic_create(&head, w->repo.git, "refs/remotes/origin/HEAD", place, 1, ""), 0);
    git_reference_free(head);
    repo_ref(&w->repo, "own/main", &w->first);
    static const struct {
        const char *ref, *remote, *name;
    } CASES[] = {
        {"main", NULL, NULL},
        {"origin/main", "origin", "refs/heads/main"},
        {"origin/HEAD", "origin", "refs/heads/main"},
        {"origin/far/b", "origin/far", "refs/heads/a"},
        {"origin/far/main", "origin/far", NULL}, // nothing brings it
        {"refs/remotes/origin/main", "origin", "refs/heads/main"},
        {"origin", NULL, NULL},
        {"origins/main", NULL, NULL},
        {"own/main", NULL, NULL}, // a branch of the repository's own
        {"refs/heads/main", NULL, NULL},
        {"nothing", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        ds_error err;
        ds_remote_branch branch;
        OK(commit_remote(w->git, CASES[i].ref, w->arena, &branch, &err));
        assert_string_equal(branch.remote ? branch.remote : "", CASES[i].remote ? CASES[i].remote : "");
        assert_string_equal(branch.name ? branch.name : "", CASES[i].name ? CASES[i].name : "");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(where_a_branch_is),
        TEST(what_comes_from_what),
        TEST(a_commit_that_is_gone_is_no_ancestor),
        TEST(whose_a_branch_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
