// Models of a session that are, or that come from, a commit.
#include "cli/session.h"

ds_rc session_take_ref(ds_session *session, ds_error *err)
{
    ds_tree *tree = NULL;
    TRY(tree_open_git(session->dir, session->ref, session->folder, &tree, err));
    compiled_take(&session->compiled, tree);
    session->runtime.commit = tree_commit(tree);
    if (tree_count(tree))
        return DS_DONE;
    const char *place = tree_place(tree);
    return ds_hint(ds_fail(err, DS_FINDING, "there is no model in \"%s\"%s%s: no *.yaml file", session->ref,
                           place[0] ? " at " : "", place),
                   err, "-C DIR and --folder PATH name the model's place in the repository");
}

static ds_rc find_commit(ds_session *session, ds_error *err)
{
    CLEANUP(tree_closep) ds_tree *tree = NULL;
    TRY(tree_open_git(session->dir, "HEAD", NULL, &tree, err));
    char id[TREE_ID_TEXT];
    TRY(tree_id(tree, id, err));
    if (strcmp(id, session->model->tree_id) == 0)
        session->runtime.commit = arena_strdup(session->cli->arena, tree_commit(tree));
    return DS_DONE;
}

void session_note_commit(ds_session *session)
{
    ds_error ignored = {0}; // most often there is no repository
    if (!session->ref)
        ds_ignore(find_commit(session, &ignored));
}

void session_use_ref_option(ds_session *session)
{
    session->ref = args_text(&session->cli->args, "ref");
    session->folder = args_text(&session->cli->args, "folder");
}
