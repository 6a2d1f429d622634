#include "cli/follow.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/flag.h"
#include "cli/fetch.h"
#include "cli/output.h"
#include "cli/plans.h"
#include "model/commits.h"
#include "sched/backoff.h"
#include "yellow/def/def_json.h"

enum {
    REMOTE_MS = 15000,
    LOCAL_MS = 1000,
    REFUSED_AGAIN_US = 15000000, // a plan may be refused for what somebody mends in the database
    BACKOFF_MOST = 7,            // failures: some five minutes
    FETCH_MS = 600000,
    FIRST_FETCH_MS = 10000, // nothing runs before: a remote that doesn't answer is no reason to wait for long
    TOLD_MAX = 2048,
    TEXT_MAX = 10, // hex digits of a commit that people are shown
};

struct ds_follow {
    ds_cli *cli;
    ds_arena *arena;
    const char *dir, *ref, *folder, *service;
    ds_remote_branch branch;
    int64_t every_us, next_us;
    char commit[TREE_ID_TEXT];  // where the branch was at the last look; "" before
    char settled[TREE_ID_TEXT]; // the commit that was applied here last; "" none
    int64_t again_us;           // commit was refused or waits, and is not looked at again before; 0: it was applied
    ds_error waiting;           // why commit is not applied in consumers' databases yet; code DS_OK: it is
    int waited;                 // so many times in a row
    bool doubted;               // a commit that goes back may be one that another process has gone beyond
    int failures;               // in a row
    char told[TOLD_MAX];        // last
    const ds_follow_merges *_Atomic merges;
};

// Where the branch is now, as a model. Its memory goes with it.
typedef struct look {
    ds_follow *follow;
    ds_cli cli; // the command's, but for what it gathers
    ds_session session;
    size_t changes;
    bool goes_back;
    bool waits; // for consumers' databases: all else is applied
} look;

static void look_init(look *l, ds_follow *f)
{
    *l = (look){.follow = f, .cli = *f->cli};
    l->cli.arena = arena_new();
    l->cli.diagnostics = json_array();
    session_init(&l->session, &l->cli);
    l->session.ref = f->commit;
    l->session.folder = f->folder;
}

static void look_release(look *l)
{
    session_release(&l->session);
    json_decref(l->cli.diagnostics);
    arena_free(l->cli.arena);
}

// --- what is told

typedef enum told_state { TOLD_APPLIED, TOLD_WAITING, TOLD_REFUSED, TOLD_FAILED } told_state;
static const char *const STATES[] = {"applied", "waiting", "refused", "failed"};

static void put_row(const ds_runtime *runtime, const ds_container_def *merge, const ds_follow_row *row)
{
    CLEANUP(control_closep) ds_control *control = NULL;
    ds_error ignored = {0};
    bool news;
    if (control_open(runtime, merge, CONTROL_WRITE, &control, &ignored).code == DS_OK)
        ds_ignore(control_put_follow(control, row, &news, &ignored));
}

// Where nothing has been applied yet, or nobody answers, there is no place for it.
static void record(ds_follow *f, const ds_follow_row *row)
{
    const ds_follow_merges *merges = follow_merges(f);
    ds_session session;
    session_init(&session, f->cli);
    for (size_t i = 0; merges && i < merges->n; i++)
        put_row(&session.runtime, &merges->v[i], row);
    session_release(&session);
}

static void print_json(const ds_follow *f, const char *at, told_state state, const char *detail)
{
    json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:o}", "at", at, "follow", f->ref, "commit", f->commit, "state",
                             STATES[state], "detail", json_text(detail));
    char *text = json_dumps(line, JSON_COMPACT);
    fprintf(f->cli->out, "%s\n", text);
    free(text);
    json_decref(line);
}

static void print_text(const ds_follow *f, const char *at, told_state state, const char *detail, const ds_error *why)
{
    if (state == TOLD_APPLIED) {
        fprintf(f->cli->out, "%s %s %.*s: %s\n", at, f->ref, TEXT_MAX, f->commit, detail);
        return;
    }
    ds_error shown = *why;
    if (state == TOLD_WAITING)
        ds_ignore(ds_context((ds_rc){shown.code}, &shown, "%s %.*s is applied, but not everywhere", f->ref, TEXT_MAX,
                             f->commit));
    else if (state == TOLD_REFUSED)
        ds_ignore(ds_context((ds_rc){shown.code}, &shown, "%s %.*s is not applied", f->ref, TEXT_MAX, f->commit));
    else
        ds_ignore(ds_context((ds_rc){shown.code}, &shown, "following %s", f->ref));
    error_report(f->cli, &shown);
}

// Once, until something else is to be told. why: of what isn't applied, or only in part.
static void tell(ds_follow *f, told_state state, const char *detail, const ds_error *why, const look *l)
{
    char now[TOLD_MAX], at[CLOCK_TEXT];
    snprintf(now, sizeof now, "%s %s %s", f->commit, STATES[state], why ? why->text : "");
    if (strcmp(now, f->told) == 0)
        return;
    memcpy(f->told, now, sizeof now);
    clock_format_iso(clock_now_us(clock_system()), at);
    if (l && why && l->session.model && l->session.compiled.counts.of[DIAG_ERROR])
        session_print_errors(&l->session);
    if (f->cli->json)
        print_json(f, at, state, why ? why->text : detail);
    else
        print_text(f, at, state, detail, why);
    fflush(f->cli->out);
    ds_follow_row row = {
        .ref = f->ref,
        .service = f->service ? f->service : "",
        .commit = f->commit,
        .state = STATES[state],
        .detail = why ? why->text : "",
    };
    record(f, &row);
}

// --- the merge databases

static bool same_container(const ds_container_def *a, const ds_container_def *b)
{
    json_t *one = def_encode_container(a), *other = def_encode_container(b);
    bool same = json_equal(one, other);
    json_decref(one);
    json_decref(other);
    return same;
}

static bool same_merges(const ds_follow_merges *a, const ds_session *session)
{
    if (!a || a->n != session->merge_count || a->replicas_from != session->replicas_from)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!same_container(&a->v[i], &session->merges[i]))
            return false;
    return true;
}

static void keep_merges(ds_follow *f, const ds_session *session)
{
    if (session->merge_count == 0 || same_merges(follow_merges(f), session))
        return;
    ds_follow_merges *merges = ARENA_NEW(f->arena, ds_follow_merges);
    merges->n = session->merge_count;
    merges->replicas_from = session->replicas_from;
    merges->v = ARENA_ARRAY(f->arena, ds_container_def, merges->n);
    for (size_t i = 0; i < merges->n; i++)
        merges->v[i] = def_container_dup(f->arena, &session->merges[i]);
    atomic_store(&f->merges, merges);
}

const ds_follow_merges *follow_merges(const ds_follow *follow)
{
    return atomic_load(&follow->merges);
}

// --- never backwards

static ds_rc refuse_unknown(const ds_follow *f, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_FINDING, "what was applied last is another model, and of no commit that is known"),
                   err, "if %s should take its place: datasurface apply --ref %.*s", f->ref, TEXT_MAX, f->commit);
}

static ds_rc refuse_back(const ds_follow *f, const char *applied, ds_error *err)
{
    return ds_hint(ds_fail(err, DS_FINDING, "it does not come from %.*s, which was applied last", TEXT_MAX, applied),
                   err, "if going back is meant: datasurface apply --ref %.*s", TEXT_MAX, f->commit);
}

static ds_rc may_replace(void *context, const ds_applied_model *last, ds_error *err)
{
    look *l = context;
    const ds_follow *f = l->follow;
    if (!last->tree_id[0] || strcmp(last->tree_id, l->session.model->tree_id) == 0)
        return DS_DONE;
    if (!last->commit[0])
        return refuse_unknown(f, err);
    bool descends;
    TRY(commit_descends(f->dir, f->commit, last->commit, &descends, err));
    if (descends)
        return DS_DONE;
    l->goes_back = true;
    return refuse_back(f, last->commit, err);
}

// Before any merge database is changed. Tables of an older version are asked under the lease alone.
static ds_rc ask_merge(look *l, const ds_container_def *merge, ds_error *err)
{
    const ds_runtime *runtime = &l->session.runtime;
    bool wants_apply;
    TRY(control_wants_apply(runtime, merge, &wants_apply, err));
    if (wants_apply)
        return DS_DONE;
    CLEANUP(control_closep) ds_control *control = NULL;
    TRY(control_open(runtime, merge, CONTROL_READ, &control, err));
    ds_applied_model last;
    TRY(control_applied_last(control, l->cli.arena, &last, err));
    return may_replace(l, &last, err);
}

// --- a look

// The first error stands for all where there is but one line.
static ds_rc need_no_errors(const look *l, ds_error *err)
{
    const ds_diags *diags = l->session.compiled.diags;
    size_t n = l->session.compiled.counts.of[DIAG_ERROR];
    for (size_t i = 0; n && i < diags_count(diags); i++) {
        const ds_diag *diag = diags_at(diags, i);
        if (diag->severity != DIAG_ERROR)
            continue;
        const char *file = files_path(l->session.model->files, diag->pos.file);
        return ds_hint(ds_fail(err, DS_FINDING, "the model has %zu error%s; %s:%d: %s", n, plural((int64_t)n), file,
                               diag->pos.line, diag->message),
                       err, "datasurface check finds such things before they are merged");
    }
    return DS_DONE;
}

// The first one stands for all, as with errors.
static ds_rc refuse_plans(const ds_plans *plans, ds_error *err)
{
    const ds_plan_change *first = NULL;
    size_t n = plans_refusals(plans, &first);
    ds_assert(n);
    return ds_fail(err, DS_FINDING, "the plan has %zu change%s that can't be made; %s: %s", n, plural((int64_t)n),
                   first->object, first->detail);
}

// All databases that wait, and why the first of them does.
static ds_rc name_missing(const ds_plans *plans, ds_error *err)
{
    CLEANUP(buf_release) ds_buf names = BUF_INIT(DS_ERROR_TEXT / 2);
    const ds_error *why = NULL;
    for (size_t i = 0; i < plans->n; i++) {
        if (!plans->v[i]->missing)
            continue;
        buf_printf(&names, "%s%s", why ? ", " : "", plans->v[i]->container);
        why = why ? why : plans->v[i]->missing;
    }
    if (!why)
        return DS_DONE;
    *err = *why;
    return ds_context((ds_rc){err->code}, err, "%s can't be changed now", buf_text(&names));
}

static ds_rc bring_in(look *l, ds_error *err)
{
    ds_session *session = &l->session;
    TRY(session_load(session, err));
    ds_error ignored = {0};
    if (session->compiled.counts.of[DIAG_ERROR] && !follow_merges(l->follow)) // then as far as they can be told
        if (session_merges(session, &ignored).code == DS_OK)
            keep_merges(l->follow, session);
    TRY(need_no_errors(l, err));
    TRY(session_deploy(session, err));
    TRY(session_merges(session, err));
    session->quiet = true; // the plans tell
    for (size_t i = 0; i < session->merge_count; i++) {
        ds_rc rc = ask_merge(l, &session->merges[i], err);
        if (rc.code != DS_OK && !session_leaves_out(session, i, err))
            return rc;
    }
    session->runtime.may_replace = may_replace;
    session->runtime.may_replace_context = l;
    ds_plans plans;
    TRY(plans_make(session, false, &plans, err));
    if (plans.refused)
        return refuse_plans(&plans, err);
    TRY(plans_carry_out(session, &plans, false, err));
    keep_merges(l->follow, session);
    l->changes = plans.changes;
    l->waits = plans.missing > 0;
    return name_missing(&plans, err);
}

static void settle(ds_follow *f)
{
    f->again_us = 0;
    f->doubted = false;
    f->waiting = (ds_error){0};
    f->waited = 0;
}

// What others have goes on, and their commits are looked at as ever.
static void note_waiting(ds_follow *f, const ds_error *why)
{
    f->waiting = *why;
    f->waited += f->waited < BACKOFF_MOST;
    f->again_us = clock_now_us(clock_system()) + backoff_delay_us(f->waited, f->commit);
    tell(f, TOLD_WAITING, "", why, NULL);
}

static void note_applied(ds_follow *f, size_t changes)
{
    memcpy(f->settled, f->commit, sizeof f->settled);
    settle(f);
    char detail[64] = "applied, nothing to change";
    if (changes)
        snprintf(detail, sizeof detail, "applied, %zu change%s", changes, plural((int64_t)changes));
    tell(f, TOLD_APPLIED, detail, NULL, NULL);
}

static bool is_refusal(ds_rc rc)
{
    return rc.code == DS_FINDING || rc.code == DS_USAGE;
}

// A refusal that may be our being late is looked at once more before it is told.
static void note_refused(ds_follow *f, const look *l, const ds_error *why)
{
    if (l->goes_back && !f->doubted) {
        f->doubted = true;
        f->next_us = 0;
        return;
    }
    f->again_us = clock_now_us(clock_system()) + REFUSED_AGAIN_US;
    tell(f, TOLD_REFUSED, "", why, l);
}

// The plan of a first look is kept for its merge databases, even if it is refused, or one of them can't be reached: the
// streams that are applied run.
static ds_rc look_at_commit(ds_follow *f, ds_error *err)
{
    CLEANUP(look_release) look l;
    look_init(&l, f);
    ds_rc rc = bring_in(&l, err);
    if (!follow_merges(f) && l.session.merge_count)
        keep_merges(f, &l.session);
    if (rc.code == DS_OK)
        note_applied(f, l.changes);
    else if (is_refusal(rc))
        note_refused(f, &l, err);
    else if (l.waits)
        note_waiting(f, err);
    else
        return rc;
    return DS_DONE;
}

// Which merge databases there are, for the streams that are applied: where the branch was when it was fetched last may
// have been given up since, so that nothing is applied from there.
static ds_rc learn_merges(ds_follow *f, ds_error *err)
{
    CLEANUP(look_release) look l;
    look_init(&l, f);
    TRY(session_load(&l.session, err));
    TRY(session_merges(&l.session, err));
    keep_merges(f, &l.session);
    return DS_DONE;
}

static bool nothing_new(const ds_follow *f)
{
    return strcmp(f->commit, f->settled) == 0 || (f->again_us && clock_now_us(clock_system()) < f->again_us);
}

static ds_rc look_once(ds_follow *f, ds_error *err)
{
    char head[TREE_ID_TEXT];
    int timeout_ms = f->commit[0] ? FETCH_MS : FIRST_FETCH_MS;
    const volatile int *draining = f->cli->program->draining;
    ds_rc fetched = DS_DONE;
    if (f->branch.remote)
        fetched = fetch_remote(f->dir, f->branch.remote, f->branch.name, timeout_ms, draining, err);
    if (fetched.code != DS_OK && (follow_merges(f) || fetched.code == DS_CANCELLED))
        return fetched;
    TRY(commit_find(f->dir, f->ref, head, err));
    if (fetched.code != DS_OK) {
        memcpy(f->commit, head, sizeof f->commit);
        tell(f, TOLD_FAILED, "", err, NULL);
        return learn_merges(f, err);
    }
    if (strcmp(head, f->commit) != 0)
        settle(f);
    memcpy(f->commit, head, sizeof f->commit);
    if (!nothing_new(f))
        return look_at_commit(f, err);
    if (strcmp(f->commit, f->settled) == 0)
        tell(f, TOLD_APPLIED, "is what is applied", NULL, NULL);
    else if (f->waiting.code != DS_OK)
        tell(f, TOLD_WAITING, "", &f->waiting, NULL);
    return DS_DONE;
}

void follow_look(ds_follow *f)
{
    ds_error err = {0};
    f->next_us = 1;
    ds_rc rc = look_once(f, &err);
    int64_t now = clock_now_us(clock_system());
    if (rc.code == DS_OK || rc.code == DS_CANCELLED) {
        f->failures = 0;
        f->next_us = f->next_us ? now + f->every_us : 0;
        return;
    }
    tell(f, TOLD_FAILED, "", &err, NULL);
    f->failures += f->failures < BACKOFF_MOST;
    int64_t wait_us = backoff_delay_us(f->failures, f->commit);
    f->next_us = now + (wait_us > f->every_us ? wait_us : f->every_us);
}

int64_t follow_next_us(const ds_follow *follow)
{
    return follow->next_us;
}

// --- its life

static ds_rc find_branch(ds_follow *f, ds_error *err)
{
    char commit[TREE_ID_TEXT];
    TRY(commit_remote(f->dir, f->ref, f->arena, &f->branch, err));
    return f->branch.remote ? DS_DONE : commit_find(f->dir, f->ref, commit, err);
}

ds_rc follow_new(ds_cli *cli, ds_follow **out, ds_error *err)
{
    ds_arena *arena = arena_new();
    ds_follow *f = ARENA_NEW(arena, ds_follow);
    const ds_args *args = &cli->args;
    f->cli = cli;
    f->arena = arena;
    f->dir = args_text(args, "dir");
    f->ref = args_text(args, "follow");
    f->folder = args_text(args, "folder");
    f->service = args_text(args, "service");
    ds_rc rc = find_branch(f, err);
    f->every_us = args_duration_ms(args, "follow-every", f->branch.remote ? REMOTE_MS : LOCAL_MS) * 1000;
    if (rc.code != DS_OK)
        follow_freep(&f);
    else
        *out = f;
    return rc;
}

void follow_freep(ds_follow **follow)
{
    if (*follow)
        arena_free((*follow)->arena);
    *follow = NULL;
}
