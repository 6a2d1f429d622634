#include <errno.h>

#include "base/clock.h"
#include "cli/check_models.h"
#include "cli/check_report.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "gate/review.h"

static const ds_option OPTIONS[] = {
    {"base", 0, OPTION_TEXT, "REF", .help = "what the pull request would be merged into, as git rev-parse takes it"},
    {"head", 0, OPTION_TEXT, "REF", .fallback = "HEAD", .help = "what would be merged"},
    {"folder", 0, OPTION_TEXT, "PATH",
     .help = "the model's folder in the repository, from -C on: for a bare one, which has no directories"},
    {"repository", 0, OPTION_TEXT, "PATH", .help = "the repository that the pull request comes from: acme/model"},
    {"branch", 0, OPTION_TEXT, "BRANCH", .help = "its branch there"},
    {"approve", 0, OPTION_CHOICE, "WHAT", .choices = "breaking", .help = "accept breaking changes of schemas"},
    {"summary", 0, OPTION_TEXT, "FILE",
     .help = "write Markdown for a comment on the pull request; - is standard output, in place of all else"},
    {"format", 0, OPTION_CHOICE, "FORMAT", .choices = FINDINGS_FORMATS, .fallback = "text",
     .help = "how the result is printed"},
    {0},
};

// What has to be said on the command line; nothing is as good as not at all.
static ds_rc need_options(ds_cli *cli, ds_error *err)
{
    const ds_args *args = &cli->args;
    static const char *const NEEDED[] = {"base", "head", "repository", "branch"};
    for (size_t i = 0; i < sizeof NEEDED / sizeof NEEDED[0]; i++) {
        const char *text = args_text(args, NEEDED[i]);
        if (!text || !text[0])
            return ds_hint(ds_fail(err, DS_USAGE, "check wants --%s", NEEDED[i]), err, "see datasurface help check");
    }
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    return session_check_dirs(&session, err);
}

// --- the judgement

static void judge(const ds_cli *cli, check_models *m, check_report *report)
{
    ds_platform_types types = cli->program->platforms;
    const ds_args *args = &cli->args;
    gate_options options = {
        .repository = args_text(args, "repository"),
        .branch = args_text(args, "branch"),
        .approve_breaking = args_given(args, "approve"),
        .types = types,
        .base_documents = &m->base_documents,
        .head_documents = &m->head_documents,
    };
    lint_past past = {m->base.model, m->base.diags, m->base.loaded};
    if (!lint_objects_since(&past, m->head, &m->diff, types, m->head_diags))
        lint_objects(m->head, types, m->head_diags);
    if (tree_count(m->base.tree))
        gate_note_repaired(m->base.diags, m->head_diags);
    gate_lint_environments(m->head, types, &m->head_documents, m->head_diags);
    report->verdict = gate_check(m->base.model, m->head, &options, m->head_diags, cli->arena);
    report->findings = findings_all(m->head_diags, cli->arena);
    report->findings.place = tree_place(m->head_tree);
    ds_pos home = m->head->ecosystems.n ? m->head->ecosystems.v[0]->pos : (ds_pos){.file = 1};
    report->findings.home = files_path(m->head->files, home.file);
}

// A pull request that can't even be compared is refused, with that as its only finding.
static void refuse(const ds_cli *cli, check_models *m, const ds_error *why, check_report *report)
{
    static const gate_verdict REFUSED = {0};
    m->head_diags = diags_new(files_new(cli->arena));
    diag_add(m->head_diags, DIAG_ERROR, "", NO_POS, "", "%s", why->text);
    if (why->hint[0])
        diag_hint(m->head_diags, "%s", why->hint);
    report->verdict = &REFUSED;
    report->findings = findings_all(m->head_diags, cli->arena);
    const ds_tree *base = m->base.tree;
    if (!base || tree_count(base) == 0)
        return;
    report->findings.place = tree_place(base);
    report->findings.home = tree_path_shown(cli->arena, tree_file(base, 0)->path);
}

// tree NULL: it could not be made.
static check_side side_of(const ds_cli *cli, const char *ref, const ds_tree *tree)
{
    return (check_side){tree_path_shown(cli->arena, ref), tree ? tree_commit(tree) : ""};
}

static ds_rc make_report(ds_cli *cli, check_models *m, check_report *report, ds_error *err)
{
    const ds_args *args = &cli->args;
    double start = clock_elapsed_s();
    TRY(need_options(cli, err));
    *report = (check_report){
        .repository = arena_printf(cli->arena, "%s@%s", args_text(args, "repository"), args_text(args, "branch")),
    };
    const char *refs[] = {args_text(args, "base"), args_text(args, "head")};
    ds_rc rc = check_models_find(m, refs[0], refs[1], args_text(args, "folder"), err);
    report->base = side_of(cli, refs[0], m->base.tree);
    report->head = side_of(cli, refs[1], m->head_tree);
    if (rc.code == DS_FINDING) {
        refuse(cli, m, err, report);
    } else {
        TRY(rc);
        TRY(check_models_load(m, err));
        judge(cli, m, report);
        TRY(compiled_whole(&m->base, err));
    }
    report->findings.judged[0] = (ds_judged){"base", report->base.ref, report->base.commit};
    report->findings.judged[1] = (ds_judged){"head", report->head.ref, report->head.commit};
    report->findings.seconds = clock_elapsed_s() - start;
    return DS_DONE;
}

// --- what is said

static json_t *side_json(const check_side *side)
{
    return json_pack("{s:s, s:s*}", "ref", side->ref, "commit", side->commit[0] ? side->commit : NULL);
}

static void print_report(ds_cli *cli, const check_report *report)
{
    const char *format = args_text(&cli->args, "format");
    bool last_line = findings_want_last_line(format);
    if (strcmp(format, "text") == 0)
        check_print_changes(cli, report);
    findings_print(cli, &report->findings, format);
    if (last_line)
        check_print_last_line(cli, report);
    cli->result = verdict_json(report->verdict);
    json_object_set_new(cli->result, "base", side_json(&report->base));
    json_object_set_new(cli->result, "head", side_json(&report->head));
}

static bool summary_is_all(const ds_cli *cli)
{
    const char *path = args_text(&cli->args, "summary");
    return path && strcmp(path, "-") == 0;
}

// In place: a file that CI has made for it stays CI's.
static ds_rc write_file(const char *path, ds_str text, ds_error *err)
{
    FILE *file = fopen(path, "w");
    bool written = file && fwrite(text.p, 1, text.n, file) == text.n;
    int why = errno;
    if (file && fclose(file) != 0 && written) {
        written = false;
        why = errno;
    }
    return written ? DS_DONE : ds_fail_errno(err, why, "can't write", path);
}

// failure NULL: none.
static ds_rc write_summary(ds_cli *cli, const check_report *report, const ds_error *failure, ds_error *err)
{
    const char *path = args_text(&cli->args, "summary");
    CLEANUP(buf_release) ds_buf text = BUF_INIT(CHECK_SUMMARY_MAX);
    if (!path)
        return DS_DONE;
    if (failure)
        check_summary_failure(failure, &text);
    else
        check_summary(report, &text);
    ds_assert(buf_ok(&text));
    if (!summary_is_all(cli))
        return write_file(path, buf_str(&text), err);
    fputs(buf_text(&text), cli->out);
    return DS_DONE;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    CLEANUP(check_models_release) check_models models;
    check_models_init(&models, cli);
    check_report report;
    ds_rc rc = make_report(cli, &models, &report, err);
    if (rc.code != DS_OK) {
        ds_error ignored;
        ds_ignore(write_summary(cli, NULL, err, &ignored));
        return rc;
    }
    if (!summary_is_all(cli))
        print_report(cli, &report);
    cli->exit = report.verdict->accepted ? 0 : 1;
    return write_summary(cli, &report, NULL, err);
}

const ds_cli_command COMMAND_CHECK = {
    .name = "check",
    .summary = "whether a pull request may be merged, from git's objects",
    .group = "The model",
    .options = OPTIONS,
    .help =
        "Compares the model in BASE with the model as it will be when HEAD is merged into it, both read from the objects "
        "of the git repository around the model's directory (or of a bare one): no checkout, no network, and nothing in "
        "them is executed. Where BASE is no ancestor of HEAD the two are merged in memory; a conflict is a refusal.\n\n"
        "Says what changes, whose that is, whether it breaks anybody, whom it reaches and what apply does there, and "
        "what lint finds in the head, also under each Environment (--env is not asked). A pull request is accepted when "
        "there are no errors and PATH@BRANCH owns all of its changes. Errors of BASE that HEAD repairs are infos.\n\n"
        "sarif, github and junit are for code scanning, GitHub Actions and test reports.",
    .exits = {{1, "the pull request is refused"}},
    .examples = {"datasurface check --base origin/main --repository acme/model --branch analytics",
                 "datasurface -C model.git check --base main --head analytics --repository acme/model --branch "
                 "analytics --format json"},
    .run = run,
};
