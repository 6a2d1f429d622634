// model/tree.h: the same files from a directory, from git's objects and from a merge; and what hostile ones come to.
#include "support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "model/load.h"
#include "support/repo.h"
#include "support/workdir.h"

typedef struct world {
    workdir dir;
    repo repo;
    char git[WORKDIR_PATH]; // the repository's directory
    ds_arena *arena;
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof *w);
    w->dir = workdir_new();
    workdir_file(&w->dir, "model.git", w->git);
    w->repo = repo_new(w->git);
    w->arena = arena_new();
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

static const char *in_dir(world *w, const char *path)
{
    return arena_printf(w->arena, "%s/%s", w->dir.path, path);
}

static void put(world *w, const char *path, const char *text)
{
    ds_error err;
    char *full = arena_strdup(w->arena, in_dir(w, path));
    *strrchr(full, '/') = '\0';
    OK(file_make_dirs(full, &err));
    OK(file_write_atomic(in_dir(w, path), str_of(text), false, &err));
}

// Paths of a tree in one line, links with a '>', repositories within with a '+'.
static const char *list(world *w, const ds_tree *tree)
{
    CLEANUP(buf_release) ds_buf out = BUF_INIT(100000);
    for (size_t i = 0; i < tree_count(tree); i++)
        buf_printf(&out, "%s%s%s", out.n ? " " : "", tree_file(tree, i)->is_link ? ">" : "",
                   tree_path_shown(w->arena, tree_file(tree, i)->path));
    for (size_t i = 0; i < tree_inner_count(tree); i++)
        buf_printf(&out, "%s+%s", out.n ? " " : "", tree_path_shown(w->arena, tree_inner(tree, i)));
    return arena_str(w->arena, buf_str(&out));
}

static const char *text_of(world *w, const ds_tree *tree, size_t i)
{
    ds_error err;
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1 << 20);
    OK(tree_read(tree, i, &out, &err));
    return arena_str(w->arena, buf_str(&out));
}

static const char *id_of(world *w, ds_tree *tree)
{
    ds_error err;
    char id[TREE_ID_TEXT];
    OK(tree_id(tree, id, &err));
    return arena_strdup(w->arena, id);
}

static const char *hex(world *w, const git_oid *id)
{
    char text[GIT_OID_HEXSZ + 1];
    return arena_strdup(w->arena, git_oid_tostr(text, sizeof text, id));
}

// A branch with one commit of this tree.
static void branch(world *w, const char *name, const git_oid *tree)
{
    git_oid commit = repo_commit(&w->repo, tree, NULL, 0);
    repo_ref(&w->repo, name, &commit);
}

static ds_tree *open_branch(world *w, const char *name, const char *subdir)
{
    ds_error err;
    ds_tree *tree = NULL;
    OK(tree_open_git(w->git, name, subdir, &tree, &err));
    return tree;
}

static ds_rc open_merge(world *w, const char *base, const char *head, const char *subdir, ds_tree **out, ds_error *err)
{
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    TRY(tree_open_git(w->git, base, subdir, &tree, err));
    return tree_open_merge(tree, head, out, err);
}

// --- ids

static void ids_are_those_of_git(void **state)
{
    world *w = *state;
    static const struct {
        const char *text, *id;
    } BLOBS[] = {{"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"},
                 {"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a"}};
    for (size_t i = 0; i < 2; i++) {
        char text[TREE_ID_TEXT];
        ds_blob_id id = blob_id_of(str_of(BLOBS[i].text));
        blob_id_text(&id, text);
        assert_string_equal(text, BLOBS[i].id);
    }
    CLEANUP(tree_closep) ds_tree *none = tree_open_texts(NULL, NULL, 0);
    assert_string_equal(id_of(w, none), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
}

// Names whose order in git is not that of plain names.
static const repo_file ORDER[] = {{"a-b.yaml", "1"},  {"a.yaml", "2"}, {"a/x.yaml", "3"}, {"a/b/c/y.yml", "4"},
                                  {"a0/z.yaml", "5"}, {"b.yml", "6"},  {"B.yaml", "7"},   {"\xC3\xA4.yaml", ""}};

static void a_directory_and_a_ref_are_the_same(void **state)
{
    world *w = *state;
    repo_file files[16];
    const char *paths[16];
    ds_str texts[16];
    size_t n = 0;
    for (size_t i = 0; i < sizeof ORDER / sizeof ORDER[0]; i++) {
        put(w, arena_printf(w->arena, "m/%s", ORDER[i].path), ORDER[i].text);
        paths[n] = ORDER[i].path;
        texts[n] = str_of(ORDER[i].text);
        files[n++] = ORDER[i];
    }
    git_oid plain = repo_files(&w->repo, files, n);
    branch(w, "plain", &plain);
    // What is no file of a model changes nothing.
    static const repo_file OTHERS[] = {{"README.md", "x"}, {".hidden.yaml", "x"}, {".d/a.yaml", "x"}, {"empty/x", "x"}};
    for (size_t i = 0; i < 4; i++) {
        put(w, arena_printf(w->arena, "m/%s", OTHERS[i].path), OTHERS[i].text);
        files[n + i] = OTHERS[i];
    }
    git_oid mixed = repo_files(&w->repo, files, n + 4);
    branch(w, "mixed", &mixed);

    ds_error err;
    CLEANUP(tree_closep) ds_tree *dir = NULL;
    OK(tree_open_dir(in_dir(w, "m"), &dir, &err));
    CLEANUP(tree_closep) ds_tree *a = open_branch(w, "plain", NULL), *b = open_branch(w, "mixed", NULL);
    CLEANUP(tree_closep) ds_tree *c = tree_open_texts(paths, texts, n);
    assert_string_equal(list(w, dir), "B.yaml a-b.yaml a.yaml a/b/c/y.yml a/x.yaml a0/z.yaml b.yml \xC3\xA4.yaml");
    assert_string_equal(id_of(w, dir), hex(w, &plain));
    ds_tree *const others[] = {a, b, c};
    for (size_t i = 0; i < 3; i++) {
        ds_tree_diff diff;
        assert_string_equal(list(w, others[i]), list(w, dir));
        assert_string_equal(id_of(w, others[i]), hex(w, &plain));
        assert_string_equal(text_of(w, others[i], 4), "3");
        OK(tree_diff(dir, others[i], w->arena, &diff, &err));
        assert_int_equal(diff.n, 0);
    }
}

static void a_directory_says_what_is_known(void **state)
{
    world *w = *state;
    ds_error err;
    put(w, "m/a.yaml", "hello\n");
    assert_int_equal(chmod(in_dir(w, "m/a.yaml"), 0755), 0); // counts for nothing
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    OK(tree_open_dir(in_dir(w, "m"), &tree, &err));
    struct stat st;
    assert_int_equal(stat(in_dir(w, "m/a.yaml"), &st), 0);
    const ds_tree_file *file = tree_file(tree, 0);
    assert_int_equal(file->stat.size_bytes, 6);
    assert_int_equal(file->stat.inode, st.st_ino);
    assert_int_equal(file->stat.mtime_ns, st.st_mtim.tv_sec * 1000000000L + st.st_mtim.tv_nsec);
    assert_int_equal(file->stat.ctime_ns, st.st_ctim.tv_sec * 1000000000L + st.st_ctim.tv_nsec);
    assert_false(file->has_id);
    // An id that somebody else knows is taken at his word.
    ds_blob_id known = blob_id_of(STR("hello\n"));
    tree_set_id(tree, 0, &known);
    assert_int_equal(unlink(in_dir(w, "m/a.yaml")), 0);
    const char *paths[] = {"a.yaml"};
    ds_str texts[] = {STR("hello\n")};
    CLEANUP(tree_closep) ds_tree *same = tree_open_texts(paths, texts, 1);
    assert_string_equal(id_of(w, tree), id_of(w, same));
    CLEANUP(buf_release) ds_buf text = BUF_INIT(100);
    FAILS(tree_read(tree, 0, &text, &err), DS_ENV, "can't open");
    FAILS(tree_open_dir(in_dir(w, "nowhere"), &tree, &err), DS_ENV, "is not a directory");
}

static void a_large_file_is_not_read(void **state)
{
    world *w = *state;
    ds_error err;
    char *large = calloc(1, 100001);
    memset(large, 'x', 100000);
    put(w, "m/a.yaml", large);
    const repo_file files[] = {{"a.yaml", large}};
    git_oid root = repo_files(&w->repo, files, 1);
    branch(w, "main", &root);
    CLEANUP(tree_closep) ds_tree *dir = NULL, *git = open_branch(w, "main", NULL);
    OK(tree_open_dir(in_dir(w, "m"), &dir, &err));
    ds_tree *const both[] = {dir, git};
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(buf_release) ds_buf enough = BUF_INIT(100000), less = BUF_INIT(99999);
        OK(tree_read(both[i], 0, &enough, &err));
        assert_true(buf_ok(&enough));
        assert_int_equal(enough.n, 100000);
        OK(tree_read(both[i], 0, &less, &err));
        assert_false(buf_ok(&less));
        assert_int_equal(less.n, 0);
    }
    assert_string_equal(id_of(w, dir), hex(w, &root));
    free(large);
}

// --- links and repositories within

static void links_on_disk(void **state)
{
    world *w = *state;
    ds_error err;
    put(w, "secret.yaml", "password");
    put(w, "m/.git/config", "token");
    put(w, "m/..data/real.yaml", "real");
    put(w, "m/sub/x.yaml", "x");
    static const struct {
        const char *name, *to;
    } LINKS[] = {{"m/inside.yaml", "..data/real.yaml"},
                 {"m/outside.yaml", "../secret.yaml"},
                 {"m/git.yaml", ".git/config"},
                 {"m/gone.yaml", "nowhere"},
                 {"m/round.yaml", "round.yaml"},
                 {"m/dir.yaml", "sub"},
                 {"m/again", "sub"},
                 {"m/device.yaml", "/dev/zero"}};
    for (size_t i = 0; i < sizeof LINKS / sizeof LINKS[0]; i++)
        assert_int_equal(symlink(LINKS[i].to, in_dir(w, LINKS[i].name)), 0);
    assert_int_equal(mkfifo(in_dir(w, "m/fifo.yaml"), 0600), 0);
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    OK(tree_open_dir(in_dir(w, "m"), &tree, &err));
    assert_string_equal(list(w, tree), ">device.yaml >dir.yaml >git.yaml >gone.yaml inside.yaml >outside.yaml "
                                       ">round.yaml sub/x.yaml");
    assert_string_equal(text_of(w, tree, 4), "real");
    assert_memory_equal(tree_file(tree, 3)->id.bytes, blob_id_of(STR("nowhere")).bytes, TREE_ID_BYTES);
}

static void links_in_objects(void **state)
{
    world *w = *state;
    git_oid away = repo_blob(&w->repo, STR("/etc/passwd")), text = repo_blob(&w->repo, STR("x"));
    const repo_entry entries[] = {{"100755", "a.yaml", text},
                                  {"120000", "dir", away},
                                  {"120000", "link.yaml", away},
                                  {"160000", "module", text},
                                  {"160000", "module.yaml", text}};
    git_oid root = repo_tree(&w->repo, entries, 5);
    branch(w, "main", &root);
    CLEANUP(tree_closep) ds_tree *tree = open_branch(w, "main", NULL);
    assert_string_equal(list(w, tree), "a.yaml >link.yaml +module +module.yaml");
    const repo_entry alone[] = {{"100644", "a.yaml", text}, {"120000", "link.yaml", away}};
    root = repo_tree(&w->repo, alone, 2);
    assert_string_equal(id_of(w, tree), hex(w, &root));
}

static void a_repository_within_is_left_out(void **state)
{
    world *w = *state;
    ds_error err;
    put(w, "m/.git/HEAD", "");
    put(w, "m/a.yaml", "");
    put(w, "m/module/.git", "gitdir: x\n");
    put(w, "m/module/b.yaml", "");
    put(w, "m/clone/.git/HEAD", "");
    put(w, "m/clone/c.yaml", "");
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    OK(tree_open_dir(in_dir(w, "m"), &tree, &err));
    assert_string_equal(list(w, tree), "a.yaml +clone +module");
}

// --- hostile trees

static void odd_names(void **state)
{
    world *w = *state;
    git_oid text = repo_blob(&w->repo, STR("x"));
    const repo_entry inner[] = {{"100644", "passwd.yaml", text}};
    git_oid inside = repo_tree(&w->repo, inner, 1);
    const repo_entry entries[] = {{"40000", "..", inside},
                                  {"40000", ".git", inside},
                                  {"100644", ".yaml", text},
                                  {"100644", "C:\\x.yaml", text},
                                  {"100644", "a\n\x1b[31m.yaml", text},
                                  {"100644", "b\xFF.yaml", text},
                                  {"100644", "c\xC2\x9B.yaml", text},
                                  {"100644", "d\".yaml", text},
                                  {"100644", "e f.yaml", text},
                                  {"100644", "yaml", text}};
    git_oid root = repo_tree(&w->repo, entries, sizeof entries / sizeof entries[0]);
    branch(w, "main", &root);
    CLEANUP(tree_closep) ds_tree *tree = open_branch(w, "main", NULL);
    assert_string_equal(list(w, tree), "\"C:\\\\x.yaml\" \"a\\n\\033[31m.yaml\" \"b\\377.yaml\" \"c\\302\\233.yaml\" "
                                       "\"d\\\".yaml\" e f.yaml");
    char *long_name = calloc(1, FILE_PATH_MAX + 1);
    memset(long_name, 'n', FILE_PATH_MAX);
    memcpy(long_name + FILE_PATH_MAX - 5, ".yaml", 5);
    const repo_entry longest[] = {{"100644", long_name, text}},
                     longer[] = {{"40000", "d", repo_tree(&w->repo, longest, 1)}};
    root = repo_tree(&w->repo, longest, 1);
    branch(w, "longest", &root);
    CLEANUP(tree_closep) ds_tree *whole = open_branch(w, "longest", NULL);
    assert_int_equal(tree_count(whole), 1);
    root = repo_tree(&w->repo, longer, 1);
    branch(w, "longer", &root);
    ds_error err;
    ds_tree *none = NULL;
    FAILS(tree_open_git(w->git, "longer", NULL, &none, &err), DS_FINDING, "longer is damaged");
    assert_null(none);
    free(long_name);
}

static void damaged_trees(void **state)
{
    world *w = *state;
    ds_error err;
    ds_tree *tree = NULL;
    git_oid text = repo_blob(&w->repo, STR("x")), gone;
    git_oid_fromstr(&gone, "0123456789012345678901234567890123456789");
    const repo_entry inner[] = {{"100644", "x.yaml", text}};
    git_oid inside = repo_tree(&w->repo, inner, 1);
    const struct {
        const char *branch;
        repo_entry v[2];
        size_t n;
        ds_code code;
        const char *message;
    } CASES[] = {
        {"twice",
         {{"100644", "a.yaml", text}, {"100644", "a.yaml", inside}},
         2,
         DS_FINDING,
         "has the file a.yaml twice"},
        {"slash", {{"100644", "../../a.yaml", text}}, 1, DS_FINDING, "a file's name below \"\" is not one"},
        {"missing", {{"40000", "zones", gone}}, 1, DS_ENV, "missing: zones: object not found"},
        {"other", {{"40000", "zones", text}}, 1, DS_ENV, "other: zones: "},
        {"nameless", {{"100644", "", text}}, 1, DS_ENV, "nameless: "},
        {"mode", {{"1006x4", "a.yaml", text}}, 1, DS_ENV, "mode: "},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        git_oid root = repo_tree(&w->repo, CASES[i].v, CASES[i].n);
        branch(w, CASES[i].branch, &root);
        FAILS(tree_open_git(w->git, CASES[i].branch, NULL, &tree, &err), CASES[i].code, CASES[i].message);
        assert_null(tree);
    }
    // A file whose bytes are elsewhere, or are no file's.
    const repo_entry files[] = {{"100644", "a.yaml", gone}, {"100644", "b.yaml", inside}};
    git_oid root = repo_tree(&w->repo, files, 2);
    branch(w, "files", &root);
    tree = open_branch(w, "files", NULL);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(100);
    FAILS(tree_read(tree, 0, &out, &err), DS_ENV, "files: a.yaml: object not found");
    HINTS("git fsck");
    FAILS(tree_read(tree, 1, &out, &err), DS_ENV, "files is damaged: b.yaml is no file");
    tree_close(tree);
}

// Bytes that don't have the id that they are stored under.
static void a_damaged_object(void **state)
{
    world *w = *state;
    ds_error err;
    const repo_file files[] = {{"a.yaml", "right"}}, others[] = {{"a.yaml", "wrong"}};
    git_oid root = repo_files(&w->repo, files, 1);
    (void)repo_files(&w->repo, others, 1);
    branch(w, "main", &root);
    git_oid right = repo_blob(&w->repo, STR("right")), wrong = repo_blob(&w->repo, STR("wrong"));
    const char *to = arena_printf(w->arena, "%s/objects/%.2s/%s", w->git, hex(w, &right), hex(w, &right) + 2);
    const char *from = arena_printf(w->arena, "%s/objects/%.2s/%s", w->git, hex(w, &wrong), hex(w, &wrong) + 2);
    assert_int_equal(rename(from, to), 0);
    CLEANUP(tree_closep) ds_tree *tree = open_branch(w, "main", NULL);
    CLEANUP(buf_release) ds_buf out = BUF_INIT(100);
    FAILS(tree_read(tree, 0, &out, &err), DS_ENV, "main: a.yaml: ");
}

static void deep_trees(void **state)
{
    world *w = *state;
    const repo_entry bottom[] = {{"100644", "a.yaml", repo_blob(&w->repo, STR(""))}};
    git_oid tree = repo_tree(&w->repo, bottom, 1);
    for (int depth = 0; depth < 3000; depth++) {
        if (depth == 64)
            branch(w, "deep", &tree);
        if (depth == 65)
            branch(w, "deeper", &tree);
        const repo_entry level[] = {{"40000", "d", tree}};
        tree = repo_tree(&w->repo, level, 1);
    }
    branch(w, "deepest", &tree);
    CLEANUP(tree_closep) ds_tree *deep = open_branch(w, "deep", NULL);
    assert_int_equal(tree_count(deep), 1);
    ds_error err;
    ds_tree *none = NULL;
    FAILS(tree_open_git(w->git, "deeper", NULL, &none, &err), DS_FINDING, "directories are nested more than 64 deep");
    FAILS(tree_open_git(w->git, "deepest", NULL, &none, &err), DS_FINDING, "directories are nested more than 64 deep");
    FAILS(open_merge(w, "deepest", "deep", NULL, &none, &err), DS_FINDING, "nested more than 64 deep");
}

// A directory of `n` entries that are all the same.
static git_oid many(world *w, const char *mode, const char *suffix, size_t n, git_oid id)
{
    repo_entry *entries = calloc(n, sizeof *entries);
    for (size_t i = 0; i < n; i++)
        entries[i] = (repo_entry){mode, arena_printf(w->arena, "%06zu%s", i, suffix), id};
    git_oid tree = repo_tree(&w->repo, entries, n);
    free(entries);
    return tree;
}

static void as_many_files_as_allowed(void **state)
{
    world *w = *state;
    ds_error err;
    git_oid thousand = many(w, "100644", ".yaml", 1000, repo_blob(&w->repo, STR("x")));
    git_oid million = many(w, "40000", "", 1000, thousand), more = many(w, "40000", "", 1001, thousand);
    branch(w, "million", &million);
    branch(w, "more", &more);
    CLEANUP(tree_closep) ds_tree *tree = open_branch(w, "million", NULL);
    assert_int_equal(tree_count(tree), MODEL_FILES_MAX);
    assert_string_equal(id_of(w, tree), hex(w, &million));
    ds_tree *none = NULL;
    FAILS(tree_open_git(w->git, "more", NULL, &none, &err), DS_FINDING, "more has more than 1000000 YAML files");
}

// A few hundred bytes that are ten thousand million directories.
static void a_bomb_of_directories(void **state)
{
    world *w = *state;
    ds_error err;
    git_oid tree = many(w, "40000", "", 0, (git_oid){0});
    for (int i = 0; i < 10; i++)
        tree = many(w, "40000", "", 10, tree);
    branch(w, "main", &tree);
    ds_tree *none = NULL;
    FAILS(tree_open_git(w->git, "main", NULL, &none, &err), DS_FINDING, "more than 4000000 files and directories");
}

// --- what the loader says of it

static char *findings(const ds_diags *diags)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    for (size_t i = 0; i < diags_count(diags); i++)
        diag_print(out, diags, diags_at(diags, i), false);
    fclose(out);
    return text;
}

#define WORKSPACE "kind: Workspace\nteam: USA/a\nname: W\ndataset_groups: {live: {sinks: [A/b]}}\n"

static void findings_of_a_load(void **state)
{
    world *w = *state;
    ds_error err;
    char *large = calloc(1, MODEL_FILE_MAX + 2);
    memset(large, '#', MODEL_FILE_MAX + 1);
    const repo_entry entries[] = {{"100644", "a.yaml", repo_blob(&w->repo, STR("kind: Wrong\n"))},
                                  {"100644", "b\n.yaml", repo_blob(&w->repo, STR("\nkind: Bad\n"))},
                                  {"100644", "c.yaml", repo_blob(&w->repo, str_of(large))},
                                  {"120000", "l.yaml", repo_blob(&w->repo, STR("a.yaml"))},
                                  {"160000", "sub", repo_blob(&w->repo, STR(""))},
                                  {"100644", "w.yaml", repo_blob(&w->repo, STR(WORKSPACE))}};
    git_oid root = repo_tree(&w->repo, entries, 6);
    branch(w, "main", &root);
    CLEANUP(tree_closep) ds_tree *tree = open_branch(w, "main", NULL);
    ds_model *model;
    ds_diags *diags;
    OK(model_load_tree(tree, &(ds_load_options){".", NULL}, &model, &diags, &err));
    char *text = findings(diags);
    assert_string_equal(text, "\"b\\n.yaml\":2:7: error: unknown kind \"Bad\" [M003]\n"
                              "     2 | kind: Bad\n"
                              "       |       ^~~\n"
                              "  hint: one of Ecosystem, GovernanceZone, DataContainer, Datastore, Workspace, "
                              "PlatformService, Environment\n"
                              "a.yaml:1:7: error: unknown kind \"Wrong\" [M003]\n"
                              "     1 | kind: Wrong\n"
                              "       |       ^~~~~\n"
                              "  hint: one of Ecosystem, GovernanceZone, DataContainer, Datastore, Workspace, "
                              "PlatformService, Environment\n"
                              "c.yaml: error: the file is larger than 16777216 bytes [M016]\n"
                              "  hint: spread its documents over several files\n"
                              "l.yaml: error: the file is a symbolic link, which is not followed [M023]\n"
                              "  hint: put the file itself here\n"
                              "sub: warning: a repository within the model is left out [M024]\n"
                              "  hint: a model is of one repository: put the files themselves here\n");
    assert_int_equal(model->workspaces.n, 1);
    assert_string_equal(model->tree_id, id_of(w, tree));
    free(text);
    diags_free(diags);
    model_free(model);
    free(large);
}

// --- refs and places

static void refs(void **state)
{
    world *w = *state;
    ds_error err;
    const repo_file first[] = {{"a.yaml", "1"}}, second[] = {{"a.yaml", "2"}};
    git_oid old_tree = repo_files(&w->repo, first, 1), new_tree = repo_files(&w->repo, second, 1);
    git_oid old = repo_commit(&w->repo, &old_tree, NULL, 0), new = repo_commit(&w->repo, &new_tree, &old, 1), tag;
    repo_ref(&w->repo, "main", &new);
    git_object *target;
    git_signature *who;
    assert_int_equal(git_object_lookup(&target, w->repo.git, &old, GIT_OBJECT_COMMIT), 0);
    assert_int_equal(git_signature_new(&who, "A", "a@b.c", 0, 0), 0);
    assert_int_equal(git_tag_create(&tag, w->repo.git, "v1", target, who, "", 0), 0);
    git_signature_free(who);
    git_object_free(target);
    const char *const OLD[] = {hex(w, &old),     arena_printf(w->arena, "%.10s", hex(w, &old)), "main~1", "v1", "main^",
                               hex(w, &old_tree)};
    for (size_t i = 0; i < sizeof OLD / sizeof OLD[0]; i++) {
        CLEANUP(tree_closep) ds_tree *tree = open_branch(w, OLD[i], NULL);
        assert_string_equal(text_of(w, tree, 0), "1");
    }
    CLEANUP(tree_closep) ds_tree *tree = open_branch(w, "refs/heads/main", NULL);
    assert_string_equal(text_of(w, tree, 0), "2");

    ds_tree *none = NULL;
    git_oid blob = repo_blob(&w->repo, STR("1"));
    const char *const NOTHING[] = {"nowhere", "main~7",          "",
                                   "-1",      "main^{nonsense}", "0000000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof NOTHING / sizeof NOTHING[0]; i++)
        FAILS(tree_open_git(w->git, NOTHING[i], NULL, &none, &err), DS_USAGE, "names nothing here");
    FAILS(tree_open_git(w->git, hex(w, &blob), NULL, &none, &err), DS_USAGE, "is not a commit");
    FAILS(tree_open_git(w->git, "main", "../..", &none, &err), DS_USAGE, "leads out of the repository");
    FAILS(tree_open_git(w->dir.path, "main", NULL, &none, &err), DS_ENV, "is not in a git repository");
    FAILS(tree_open_git(in_dir(w, "nowhere"), "main", NULL, &none, &err), DS_ENV, "can't open repository");
    assert_null(none);
}

// Whoever may push a tag must not choose what a branch's name means.
static void a_name_that_is_two_refs_is_refused(void **state)
{
    world *w = *state;
    ds_error err;
    ds_tree *none = NULL;
    const repo_file one[] = {{"a.yaml", "1"}}, two[] = {{"a.yaml", "2"}};
    git_oid trees[] = {repo_files(&w->repo, one, 1), repo_files(&w->repo, two, 1)};
    git_oid main_id = repo_commit(&w->repo, &trees[0], NULL, 0), other = repo_commit(&w->repo, &trees[1], NULL, 0);
    repo_ref(&w->repo, "main", &main_id);
    git_reference *tag = NULL, *remote = NULL;
    assert_int_equal(git_reference_create(&tag, w->repo.git, "refs/tags/main", &other, 1, "x"), 0);
    assert_int_equal(git_reference_create(&remote, w->repo.git, "refs/remotes/main", &other, 1, "x"), 0);
    static const char *const NAMES[] = {"main", "main~0", "main^{tree}", "main:"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        FAILS(tree_open_git(w->git, NAMES[i], NULL, &none, &err), DS_USAGE,
              "may be refs/tags/main and refs/heads/main, which differ");
    HINTS("by its whole name");
    git_reference_free(remote);
    CLEANUP(tree_closep) ds_tree *tree = open_branch(w, "refs/heads/main", NULL), *same = NULL;
    assert_string_equal(text_of(w, tree, 0), "1");
    git_reference_free(tag);
    assert_int_equal(git_reference_create(&tag, w->repo.git, "refs/tags/main", &main_id, 1, "x"), 0);
    assert_int_equal(git_reference_remove(w->repo.git, "refs/remotes/main"), 0);
    same = open_branch(w, "main", NULL); // both are the same commit
    git_reference_free(tag);
    assert_null(none);
}

static void places(void **state)
{
    world *w = *state;
    ds_error err;
    const repo_file files[] = {{"eco/model/a.yaml", "1"}, {"eco/b.yaml", "2"}, {"c.yaml", "3"}};
    git_repository *clone;
    assert_int_equal(git_repository_init(&clone, in_dir(w, "clone"), 0), 0);
    repo r = {.git = clone};
    assert_int_equal(git_repository_odb(&r.odb, clone), 0);
    git_oid root = repo_files(&r, files, 3), commit = repo_commit(&r, &root, NULL, 0);
    repo_ref(&r, "main", &commit);
    OK(file_make_dirs(in_dir(w, "clone/eco/model/new"), &err));
    static const struct {
        const char *repository, *subdir, *found;
    } CASES[] = {
        {"clone", NULL, "c.yaml eco/b.yaml eco/model/a.yaml"},
        {"clone/", "", "c.yaml eco/b.yaml eco/model/a.yaml"},
        {"clone/.git", NULL, "c.yaml eco/b.yaml eco/model/a.yaml"},
        {"clone", "eco", "b.yaml model/a.yaml"},
        {"clone", "./eco//model/", "a.yaml"},
        {"clone/eco", NULL, "b.yaml model/a.yaml"},
        {"clone/eco", "model", "a.yaml"},
        {"clone/eco/../eco/model", ".", "a.yaml"},
        {"clone/eco/model/new", NULL, ""}, // not there yet
        {"clone", "nowhere/at/all", ""},
        {"clone", "c.yaml", ""}, // no directory
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(tree_closep) ds_tree *tree = NULL;
        OK(tree_open_git(in_dir(w, CASES[i].repository), "main", CASES[i].subdir, &tree, &err));
        assert_string_equal(list(w, tree), CASES[i].found);
    }
    git_odb_free(r.odb);
    git_repository_free(clone);
}

// --- merges

#define LINES(first, last) first "\n2\n3\n4\n5\n6\n7\n8\n" last "\n"

typedef struct history {
    git_oid start, base, head; // commits
} history;

// main has gone on from where feature began.
static history fork_history(world *w, const char *base_text, const char *head_text)
{
    const repo_file start[] = {{"m/a.yaml", LINES("1", "9")}, {"m/same.yaml", "s"}, {"x.txt", "x"}};
    const repo_file base[] = {{"m/a.yaml", base_text}, {"m/same.yaml", "s"}, {"m/base.yaml", "b"}, {"x.txt", "x"}};
    const repo_file head[] = {
        {"m/a.yaml", head_text}, {"m/same.yaml", "s"}, {"m/.h.yaml", "h"}, {"n/head.yaml", "h"}, {"x.txt", "x"}};
    git_oid trees[] = {repo_files(&w->repo, start, 3), repo_files(&w->repo, base, 4), repo_files(&w->repo, head, 5)};
    history h = {.start = repo_commit(&w->repo, &trees[0], NULL, 0)};
    h.base = repo_commit(&w->repo, &trees[1], &h.start, 1);
    h.head = repo_commit(&w->repo, &trees[2], &h.start, 1);
    repo_ref(&w->repo, "start", &h.start);
    repo_ref(&w->repo, "main", &h.base);
    repo_ref(&w->repo, "feature", &h.head);
    return h;
}

static int count_object(const git_oid *id, void *count)
{
    (void)id;
    ++*(size_t *)count;
    return 0;
}

static void both_sides_are_merged(void **state)
{
    world *w = *state;
    ds_error err;
    (void)fork_history(w, LINES("one", "9"), LINES("1", "nine"));
    size_t before = 0, after = 0;
    assert_int_equal(git_odb_foreach(w->repo.odb, count_object, &before), 0);
    CLEANUP(tree_closep) ds_tree *whole = NULL, *model = NULL;
    OK(open_merge(w, "main", "feature", NULL, &whole, &err));
    assert_string_equal(list(w, whole), "m/a.yaml m/base.yaml m/same.yaml n/head.yaml");
    OK(open_merge(w, "main", "feature", "m", &model, &err));
    assert_string_equal(list(w, model), "a.yaml base.yaml same.yaml");
    assert_string_equal(text_of(w, model, 0), LINES("one", "nine"));
    assert_int_equal(git_odb_refresh(w->repo.odb), 0);
    assert_int_equal(git_odb_foreach(w->repo.odb, count_object, &after), 0);
    assert_int_equal(before, after); // nothing was written

    CLEANUP(tree_closep) ds_tree *base = open_branch(w, "main", "m");
    ds_tree_diff diff;
    OK(tree_diff(base, model, w->arena, &diff, &err));
    assert_int_equal(diff.n, 1);
    assert_string_equal(diff.v[0].path, "a.yaml");
}

static void one_side_needs_no_merge(void **state)
{
    world *w = *state;
    ds_error err;
    (void)fork_history(w, LINES("one", "9"), LINES("two", "9"));
    CLEANUP(tree_closep) ds_tree *ahead = NULL, *behind = NULL, *same = NULL;
    OK(open_merge(w, "start", "feature", "m", &ahead, &err));
    assert_string_equal(list(w, ahead), "a.yaml same.yaml");
    assert_string_equal(text_of(w, ahead, 0), LINES("two", "9"));
    OK(open_merge(w, "main", "start", "m", &behind, &err)); // all of head is in base
    assert_string_equal(list(w, behind), "a.yaml base.yaml same.yaml");
    assert_string_equal(text_of(w, behind, 0), LINES("one", "9"));
    OK(open_merge(w, "main", "main", "m", &same, &err));
    assert_string_equal(list(w, same), "a.yaml base.yaml same.yaml");
}

// A check looks at base twice, and says what it looked at.
static void a_ref_that_moves_is_what_it_was(void **state)
{
    world *w = *state;
    ds_error err;
    history h = fork_history(w, LINES("one", "9"), LINES("1", "nine"));
    CLEANUP(tree_closep) ds_tree *base = open_branch(w, "main", "m"), *merged = NULL, *whole = NULL, *none = NULL;
    assert_string_equal(tree_commit(base), hex(w, &h.base));
    const repo_file other[] = {{"m/a.yaml", "other"}};
    git_oid root = repo_files(&w->repo, other, 1), moved = repo_commit(&w->repo, &root, &h.base, 1);
    repo_ref(&w->repo, "main", &moved);
    OK(tree_open_merge(base, "feature", &merged, &err));
    assert_string_equal(list(w, merged), "a.yaml base.yaml same.yaml");
    assert_string_equal(text_of(w, merged, 0), LINES("one", "nine"));
    assert_string_equal(tree_commit(merged), hex(w, &h.head));
    // A tree has no history to be merged with.
    OK(tree_open_git(w->git, "main:m", NULL, &whole, &err));
    assert_string_equal(tree_commit(whole), "");
    FAILS(tree_open_merge(whole, "feature", &none, &err), DS_USAGE, "\"main:m\" is not a commit");
    HINTS("--folder");
}

static void conflicts_are_named(void **state)
{
    world *w = *state;
    ds_error err;
    history h = fork_history(w, LINES("one", "9"), LINES("two", "9"));
    ds_tree *none = NULL;
    FAILS(open_merge(w, "main", "feature", "m", &none, &err), DS_FINDING,
          "the merge of feature into main is in conflict: m/a.yaml");
    HINTS("merge or rebase");
    FAILS(open_merge(w, "main", "nowhere", "m", &none, &err), DS_USAGE, "\"nowhere\" names nothing here");
    FAILS(open_merge(w, "nowhere", "feature", "m", &none, &err), DS_USAGE, "\"nowhere\" names nothing here");
    // Deleted here, changed there; and without a common past.
    git_oid empty = repo_tree(&w->repo, NULL, 0), gone = repo_commit(&w->repo, &empty, &h.start, 1);
    repo_ref(&w->repo, "gone", &gone);
    FAILS(open_merge(w, "main", "gone", "m", &none, &err), DS_FINDING, "is in conflict: m/a.yaml");
    git_oid other = repo_files(&w->repo, (const repo_file[]){{"m/a.yaml", "other"}}, 1);
    branch(w, "other", &other);
    FAILS(open_merge(w, "main", "other", "m", &none, &err), DS_FINDING, "is in conflict: m/a.yaml");
    assert_null(none);
}

// What a merge makes of names that git itself would not write.
static void odd_names_are_merged_or_refused(void **state)
{
    world *w = *state;
    ds_error err;
    static const struct {
        const char *mode, *name, *found; // NULL: refused
    } CASES[] = {
        {"40000", "..", NULL},
        {"40000", ".git", NULL},
        {"40000", ".d", "base.yaml"},
        {"40000", "a\n\x1b[31m", "\"a\\n\\033[31m/x.yaml\" base.yaml"},
        {"40000", "b\xFF", "base.yaml \"b\\377/x.yaml\""},
        {"40000", "c\\d", "base.yaml \"c\\\\d/x.yaml\""},
        {"160000", "module", "base.yaml +module"},
    };
    const repo_entry inner[] = {{"100644", "x.yaml", repo_blob(&w->repo, STR("x"))}};
    const repo_file only[] = {{"base.yaml", "b"}};
    git_oid inside = repo_tree(&w->repo, inner, 1), empty = repo_tree(&w->repo, NULL, 0);
    git_oid start = repo_commit(&w->repo, &empty, NULL, 0), base_root = repo_files(&w->repo, only, 1);
    git_oid base = repo_commit(&w->repo, &base_root, &start, 1);
    repo_ref(&w->repo, "base", &base);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        const repo_entry entries[] = {{CASES[i].mode, CASES[i].name, inside}};
        git_oid root = repo_tree(&w->repo, entries, 1), odd = repo_commit(&w->repo, &root, &start, 1);
        repo_ref(&w->repo, "odd", &odd);
        CLEANUP(tree_closep) ds_tree *tree = NULL;
        if (!CASES[i].found) {
            FAILS(open_merge(w, "base", "odd", NULL, &tree, &err), DS_ENV, "can't merge: invalid path");
            continue;
        }
        OK(open_merge(w, "base", "odd", NULL, &tree, &err));
        assert_string_equal(list(w, tree), CASES[i].found);
    }
}

static void a_shallow_clone_says_so(void **state)
{
    world *w = *state;
    ds_error err;
    const repo_file files[] = {{"a.yaml", "1"}}, others[] = {{"a.yaml", "2"}};
    git_oid tree = repo_files(&w->repo, files, 1), other = repo_files(&w->repo, others, 1), gone;
    git_oid_fromstr(&gone, "0123456789012345678901234567890123456789");
    git_oid base = repo_commit(&w->repo, &tree, &gone, 1), head = repo_commit(&w->repo, &other, &gone, 1);
    repo_ref(&w->repo, "main", &base);
    repo_ref(&w->repo, "feature", &head);
    ds_tree *none = NULL;
    FAILS(open_merge(w, "main", "feature", NULL, &none, &err), DS_ENV, "object not found");
    HINTS("git fsck");
    put(w, "model.git/shallow", arena_printf(w->arena, "%s\n%s\n", hex(w, &base), hex(w, &head)));
    FAILS(open_merge(w, "main", "feature", NULL, &none, &err), DS_ENV, "object not found");
    HINTS("shallow");
    FAILS(tree_open_git(w->git, "main~1", NULL, &none, &err), DS_USAGE, "names nothing here");
    HINTS("shallow");
    CLEANUP(tree_closep) ds_tree *there = open_branch(w, "main", NULL);
    assert_int_equal(tree_count(there), 1);
}

// --- differences

static void differences(void **state)
{
    world *w = *state;
    ds_error err;
    const char *const OLD[] = {"a.yaml", "b.yaml", "d/x.yaml", "e.yaml"}, *const NEW[] = {"a.yaml", "c.yaml",
                                                                                          "d/x.yaml", "f.yaml"};
    const ds_str old_texts[] = {STR("1"), STR("2"), STR("3"), STR("4")},
                 new_texts[] = {STR("1"), STR("2"), STR("5"), STR("")};
    CLEANUP(tree_closep) ds_tree *old = tree_open_texts(OLD, old_texts, 4), *new = tree_open_texts(NEW, new_texts, 4);
    CLEANUP(tree_closep) ds_tree *none = tree_open_texts(NULL, NULL, 0);
    ds_tree_diff diff;
    OK(tree_diff(old, new, w->arena, &diff, &err));
    CLEANUP(buf_release) ds_buf out = BUF_INIT(1000);
    for (size_t i = 0; i < diff.n; i++)
        buf_printf(&out, "%s%c%s", i ? " " : "",
                   diff.v[i].old_i == TREE_NONE   ? '+'
                   : diff.v[i].new_i == TREE_NONE ? '-'
                                                  : '*',
                   diff.v[i].path);
    assert_string_equal(buf_text(&out), "-b.yaml +c.yaml *d/x.yaml -e.yaml +f.yaml");
    assert_int_equal(diff.v[2].old_i, 2);
    assert_int_equal(diff.v[2].new_i, 2);
    OK(tree_diff(old, none, w->arena, &diff, &err));
    assert_int_equal(diff.n, 4);
    OK(tree_diff(none, new, w->arena, &diff, &err));
    assert_int_equal(diff.n, 4);
    OK(tree_diff(new, new, w->arena, &diff, &err));
    assert_int_equal(diff.n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ids_are_those_of_git),
        TEST(a_directory_and_a_ref_are_the_same),
        TEST(a_directory_says_what_is_known),
        TEST(a_large_file_is_not_read),
        TEST(links_on_disk),
        TEST(links_in_objects),
        TEST(a_repository_within_is_left_out),
        TEST(odd_names),
        TEST(damaged_trees),
        TEST(a_damaged_object),
        TEST(deep_trees),
        TEST(as_many_files_as_allowed),
        TEST(a_bomb_of_directories),
        TEST(findings_of_a_load),
        TEST(refs),
        TEST(a_name_that_is_two_refs_is_refused),
        TEST(places),
        TEST(both_sides_are_merged),
        TEST(one_side_needs_no_merge),
        TEST(a_ref_that_moves_is_what_it_was),
        TEST(conflicts_are_named),
        TEST(odd_names_are_merged_or_refused),
        TEST(a_shallow_clone_says_so),
        TEST(differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
