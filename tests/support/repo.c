#include "support/repo.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"

static void must(int code, const char *what)
{
    if (code < 0)
        BUG("%s: %s", what, git_error_last() ? git_error_last()->message : "unknown error");
}

repo repo_new(const char *path)
{
    repo r = {0};
    must(git_libgit2_init(), "libgit2");
    must(git_repository_init(&r.git, path, 1), "init");
    must(git_repository_odb(&r.odb, r.git), "odb");
    return r;
}

void repo_release(repo *r)
{
    git_odb_free(r->odb);
    git_repository_free(r->git);
    git_libgit2_shutdown();
}

static git_oid write_object(repo *r, ds_str bytes, git_object_t type)
{
    git_oid id;
    must(git_odb_write(&id, r->odb, bytes.n ? bytes.p : "", bytes.n, type), "write");
    return id;
}

git_oid repo_blob(repo *r, ds_str text)
{
    return write_object(r, text, GIT_OBJECT_BLOB);
}

git_oid repo_tree(repo *r, const repo_entry *entries, size_t n)
{
    CLEANUP(buf_release) ds_buf bytes = BUF_INIT(1 << 24);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&bytes, "%s %s", entries[i].mode, entries[i].name);
        buf_putc(&bytes, '\0');
        buf_put(&bytes, entries[i].id.id, GIT_OID_RAWSZ);
    }
    return write_object(r, buf_str(&bytes), GIT_OBJECT_TREE);
}

git_oid repo_files(repo *r, const repo_file *files, size_t n)
{
    git_index *index;
    git_oid id;
    must(git_index_new(&index), "index");
    for (size_t i = 0; i < n; i++) {
        git_index_entry entry = {.mode = GIT_FILEMODE_BLOB, .path = files[i].path};
        entry.id = repo_blob(r, str_of(files[i].text));
        must(git_index_add(index, &entry), files[i].path);
    }
    must(git_index_write_tree_to(&id, index, r->git), "write tree");
    git_index_free(index);
    return id;
}

git_oid repo_commit(repo *r, const git_oid *tree, const git_oid *parents, size_t n)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(1 << 16);
    char hex[GIT_OID_HEXSZ + 1];
    buf_printf(&text, "tree %s\n", git_oid_tostr(hex, sizeof hex, tree));
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "parent %s\n", git_oid_tostr(hex, sizeof hex, &parents[i]));
    buf_puts(&text, "author A <a@b.c> 1700000000 +0000\ncommitter A <a@b.c> 1700000000 +0000\n\nchange\n");
    return write_object(r, buf_str(&text), GIT_OBJECT_COMMIT);
}

void repo_ref(repo *r, const char *branch, const git_oid *commit)
{
    CLEANUP(buf_release) ds_buf name = BUF_INIT(1000);
    git_reference *ref;
    buf_printf(&name, "refs/heads/%s", branch);
    must(git_reference_create(&ref, r->git, buf_text(&name), commit, 1, NULL), branch);
    git_reference_free(ref);
}
