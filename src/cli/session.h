// What most commands need first: the model, what it comes down to, and the merge databases. Each step does the ones
// before it. The model comes by way of its image (cli/compiled.h): datasets are read when they are asked for.
// Everything lives in cli->arena or in the session; one thread.
//
//     CLEANUP(session_release) ds_session session;
//     session_init(&session, cli);
//     TRY(session_deploy(&session, err));
#pragma once
#include "base/vec.h"
#include "cli/compiled.h"
#include "gate/lint.h"
#include "model/lookup.h"
#include "platform/database.h"
#include "platform/platform.h"

// A stream that was applied to one of the merge databases.
typedef struct ds_applied_stream {
    const ds_container_def *merge;
    const ds_platform_type *type;
    ds_stream_info info;
} ds_applied_stream;

typedef struct ds_session {
    ds_cli *cli;
    const char *dir;
    const char *ref, *folder; // of the repository around dir: the model of that commit; ref NULL: of the directory
    ds_compiled compiled;
    const ds_model *model; // of compiled; NULL: not loaded
    ds_roots roots;
    ds_graph *graph;
    ds_runtime runtime;
    const ds_platform_service **services; // the chosen ones, after session_deploy
    size_t service_count;
    ds_container_def *merges; // of the chosen services, each database once; behind them workspaces' with replicas
    size_t merge_count;
    size_t replicas_from;  // the first of these
    ds_error missing;      // after session_streams: why something could not be looked at; code DS_OK: all was
    bool some;             // those merge databases will do to which something has been applied
    bool quiet;            // that replicas can't be looked at has been told
    ds_secret merge_login; // of --merge
    // After session_streams or session_read_kept: streams that the model no longer has, whose tables are kept; of the
    // chosen services.
    VEC(const ds_stream_info *) kept;
    VEC(const ds_stream_info *) strays; // streams that go on, of services that the model does not have
} ds_session;

void session_init(ds_session *session, ds_cli *cli);
void session_release(ds_session *session);
// For who goes on for long with no more than the merge databases: all that came from the model is gone then.
void session_let_model_go(ds_session *session);

// What the command line named must be there before any work begins.
ds_rc session_check_dirs(const ds_session *session, ds_error *err);
// The model as its text says, whatever is wrong with it.
ds_rc session_load(ds_session *session, ds_error *err);
// --- session_ref.c
// For session_load: the files of session->ref. runtime.commit is then its commit.
ds_rc session_take_ref(ds_session *session, ds_error *err);
// After session_load: runtime.commit is that of HEAD, where the directory has just what HEAD has.
void session_note_commit(ds_session *session);
// Before session_load: --ref and --folder, which the command must have.
void session_use_ref_option(ds_session *session);
#define SESSION_REF_OPTIONS                                                                                            \
    {"ref", 0, OPTION_TEXT, "REF",                                                                                     \
     .help = "the model of this commit, from git's objects, instead of the directory's"},                              \
    {                                                                                                                  \
        "folder", 0, OPTION_TEXT, "PATH", .help = "with --ref: the model's folder in a bare repository"                \
    }

// A model without errors. Errors are printed on stderr and make it fail with DS_FINDING.
ds_rc session_need_valid(ds_session *session, ds_error *err);
// Prints the errors that were found, on stderr.
void session_print_errors(const ds_session *session);
// roots and graph, of a valid model.
ds_rc session_need_graph(ds_session *session, ds_error *err);
// The graph, and the services that are chosen.
ds_rc session_deploy(ds_session *session, ds_error *err);
// After session_load: a datastore all of whose datasets can be read; DS_USAGE with "did you mean" when there is none.
ds_rc session_datastore(const ds_session *session, const char *name, const ds_datastore **out, ds_error *err);
// Call it when datasets have been read, before anything is done with them: DS_ENV when the image was damaged.
ds_rc session_whole(const ds_session *session, ds_error *err);

// The merge databases: --merge, or those that the model names (which need not be valid otherwise).
ds_rc session_merges(ds_session *session, ds_error *err);
// --- session_streams.c
//
// Streams that were applied, in order of name, those that the model no longer has left out; glob NULL: all. Replicas in
// a database that can't be reached are left out, too: it says so once, and notes it in session->missing.
// Warns once when the model's directory differs from what was applied.
ds_rc session_streams(ds_session *session, const char *glob, ds_applied_stream **out, size_t *n, ds_error *err);
// After a failure in the i-th database: is it that of replicas, and can't be reached? Then it is noted as missing, and
// others need not wait for it.
bool session_leaves_out(ds_session *session, size_t i, ds_error *err);
// After a look at the i-th database, to which nothing has been applied: replicas may come yet. With session->some
// others go on, if there are any (*passed counts): it is told, and noted as missing. Else why is what it fails with.
ds_rc session_passes_over(ds_session *session, size_t i, const ds_error *why, size_t *passed, ds_error *err);
// The only merge database's stream of that name, not looked up yet: for who goes on to run it. NULL where a look is
// needed first, as with several merge databases.
ds_rc session_stream_unseen(ds_session *session, const char *name, ds_applied_stream **out, ds_error *err);
// Warns when the model's directory differs from what was applied.
void session_warn_when_moved(const ds_session *session, const char *applied_tree);
// Fills session->kept; merge databases that are not there yet have kept nothing.
ds_rc session_read_kept(ds_session *session, ds_error *err);
// "2 streams kept that the model no longer mentions: …; apply --prune drops them", or nothing.
void session_note_kept(const ds_session *session);
// The same of streams that go on although the model does not have their service; filled with kept.
void session_note_strays(const ds_session *session);
json_t *session_kept_json(const ds_session *session);
// One of them; DS_USAGE with "did you mean" when there is none.
ds_rc session_stream(ds_session *session, const char *name, ds_applied_stream **out, ds_error *err);
// The same, be it one that the model no longer has, or the record of what is in other streams now.
ds_rc session_stream_ever(ds_session *session, const char *name, ds_applied_stream **out, ds_error *err);
