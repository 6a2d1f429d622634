#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/compiled.h"
#include "cli/findings.h"
#include "cli/output.h"
#include "cli/session.h"

static const ds_option OPTIONS[] = {
    {"format", 0, OPTION_CHOICE, "FORMAT", .choices = FINDINGS_FORMATS, .fallback = "text",
     .help = "how findings are printed"},
    {0},
};

// The findings that FILE arguments ask for: all, or those in these files or below these directories.
typedef struct lint_filter {
    const char *root;   // real path of the model's directory
    const char **paths; // real paths
    size_t n;
} lint_filter;

static bool below(const char *path, const char *parent)
{
    size_t n = strlen(parent);
    return strncmp(path, parent, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

// file: relative to the root, and no link to somewhere else.
static bool in_filter(const lint_filter *filter, const char *file)
{
    CLEANUP(buf_release) ds_buf path = BUF_INIT(FILE_PATH_MAX);
    bool found = filter->n == 0;
    if (!found)
        file_join(&path, filter->root, file);
    for (size_t i = 0; i < filter->n && !found; i++)
        found = below(buf_text(&path), filter->paths[i]);
    return found;
}

static ds_rc real_path(const char *path, ds_arena *arena, const char **out, ds_error *err)
{
    char *real = realpath(path, NULL);
    if (!real)
        return ds_fail_errno(err, errno, "can't open", path);
    *out = arena_strdup(arena, real);
    free(real);
    return DS_DONE;
}

static ds_rc filter_init(lint_filter *filter, const ds_compiled *c, ds_error *err)
{
    const ds_args *args = &c->cli->args;
    filter->paths = ARENA_ARRAY(c->cli->arena, const char *, args->word_count);
    TRY(real_path(c->dir, c->cli->arena, &filter->root, err));
    for (size_t i = 0; i < args->word_count; i++) {
        TRY(real_path(args->words[i], c->cli->arena, &filter->paths[i], err));
        lint_filter one = {filter->root, &filter->paths[i], 1};
        bool known = false;
        for (uint32_t f = 1; f <= files_count(c->files) && !known; f++)
            known = in_filter(&one, files_path(c->files, f));
        if (!known)
            return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" holds nothing of the model in \"%s\"", args->words[i],
                                   c->dir),
                           err, "-C DIR names the model's directory; a model's files end in .yaml or .yml");
        filter->n++;
    }
    return DS_DONE;
}

typedef struct lint_report {
    ds_findings findings;
    size_t datasets, workspaces;
} lint_report;

// The findings to show, of the whole model or of the files asked for.
static lint_report make_report(const ds_compiled *c, const lint_filter *filter)
{
    lint_report report = {findings_all(c->diags, c->cli->arena), c->counts.datasets, c->counts.workspaces};
    ds_findings *f = &report.findings;
    size_t n = f->n;
    if (filter->n == 0) { // includes what diags no longer keeps
        memcpy(f->counts, c->counts.of, sizeof f->counts);
        return report;
    }
    memset(f->counts, 0, sizeof f->counts);
    f->n = 0;
    for (size_t i = 0; i < n; i++) {
        const ds_diag *diag = diags_at(c->diags, i);
        if (!in_filter(filter, files_path(c->files, diag->pos.file)))
            continue;
        f->shown[f->n++] = diag;
        f->counts[diag->severity]++;
    }
    return report;
}

// "ok: 12 datasets, 3 workspaces, 4 ms", with the findings counted in front.
static void print_last_line(const ds_cli *cli, const lint_report *report)
{
    const ds_findings *f = &report->findings;
    CLEANUP(buf_release) ds_buf counts = BUF_INIT(200);
    findings_put_counts(&counts, f->counts);
    bool failed = f->counts[DIAG_ERROR] > 0;
    fprintf(cli->out, "%s%s%s: %s%zu dataset%s, %zu workspace%s, %.0f ms\n",
            style(cli, failed ? STYLE_RED : STYLE_GREEN), failed ? "failed" : "ok", style_end(cli), buf_text(&counts),
            report->datasets, plural((int64_t)report->datasets), report->workspaces,
            plural((int64_t)report->workspaces), f->seconds * 1000);
}

static json_t *result_json(const lint_report *report)
{
    const size_t *counts = report->findings.counts;
    return json_pack("{s:{s:I, s:I, s:I, s:I, s:I}}", "counts", "errors", (json_int_t)counts[DIAG_ERROR], "warnings",
                     (json_int_t)counts[DIAG_WARNING], "infos", (json_int_t)counts[DIAG_INFO], "datasets",
                     (json_int_t)report->datasets, "workspaces", (json_int_t)report->workspaces);
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    double start = clock_elapsed_s();
    const char *format = args_text(&cli->args, "format");
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    TRY(session_check_dirs(&session, err));
    CLEANUP(compiled_release) ds_compiled compiled;
    compiled_init(&compiled, cli, session.dir);
    TRY(compiled_open(&compiled, err));
    lint_filter filter = {0};
    TRY(filter_init(&filter, &compiled, err));
    TRY(compiled_lint(&compiled, err));
    lint_report report = make_report(&compiled, &filter);
    report.findings.seconds = clock_elapsed_s() - start;
    findings_print(cli, &report.findings, format);
    if (findings_want_last_line(format))
        print_last_line(cli, &report);
    cli->result = result_json(&report);
    cli->exit = report.findings.counts[DIAG_ERROR] ? 1 : 0;
    return DS_DONE;
}

const ds_cli_command COMMAND_LINT = {
    .name = "lint",
    .summary = "everything that is wrong with the model, at once",
    .group = "The model",
    .arguments =
        {{.name = "FILE", .help = "show only findings in these files or directories", .optional = true, .many = true}},
    .options = OPTIONS,
    .help =
        "Loads the model and holds every rule against it. Nothing outside the model's directory is read and no database "
        "is opened. Only errors fail; warnings and infos inform. The last line counts.\n\n"
        "sarif, github and junit are for code scanning, GitHub Actions and test reports.",
    .exits = {{1, "there are errors"}},
    .examples = {"datasurface lint", "datasurface lint customers.yaml", "datasurface lint --format github"},
    .run = run,
};
