#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/lint_formats.h"
#include "cli/output.h"
#include "cli/session.h"

static const ds_option OPTIONS[] = {
    {"format", 0, OPTION_CHOICE, "FORMAT", .choices = "text|json|sarif|github|junit", .fallback = "text",
     .help = "how findings are printed"},
    {0},
};

// The findings that FILE arguments ask for: all, or those in these files or below these directories.
typedef struct lint_filter {
    const char **paths; // real paths
    size_t n;
} lint_filter;

static bool below(const char *path, const char *parent)
{
    size_t n = strlen(parent);
    return strncmp(path, parent, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool in_filter(const lint_filter *filter, const char *dir, const char *file)
{
    if (filter->n == 0)
        return true;
    CLEANUP(buf_release) ds_buf joined = BUF_INIT(FILE_PATH_MAX);
    file_join(&joined, dir, file);
    char *real = realpath(buf_text(&joined), NULL);
    bool found = false;
    for (size_t i = 0; real && i < filter->n; i++)
        found |= below(real, filter->paths[i]);
    free(real);
    return found;
}

static ds_rc filter_init(lint_filter *filter, const ds_session *session, ds_error *err)
{
    const ds_args *args = &session->cli->args;
    const ds_files *files = session->model->files;
    filter->paths = ARENA_ARRAY(session->cli->arena, const char *, args->word_count);
    for (size_t i = 0; i < args->word_count; i++) {
        char *real = realpath(args->words[i], NULL);
        if (!real)
            return ds_fail_errno(err, errno, "can't open", args->words[i]);
        lint_filter one = {(const char *[]){real}, 1};
        bool known = false;
        for (uint32_t f = 1; f <= files_count(files) && !known; f++)
            known = in_filter(&one, session->dir, files_path(files, f));
        filter->paths[filter->n++] = arena_strdup(session->cli->arena, real);
        free(real);
        if (!known)
            return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" holds nothing of the model in \"%s\"", args->words[i],
                                   session->dir),
                           err, "-C DIR names the model's directory; a model's files end in .yaml or .yml");
    }
    return DS_DONE;
}

// The findings to show, of the whole model or of the files asked for.
static lint_report make_report(const ds_session *session, const lint_filter *filter)
{
    lint_report report = {.diags = session->diags};
    size_t n = diags_count(session->diags);
    report.shown = ARENA_ARRAY(session->cli->arena, const ds_diag *, n);
    for (size_t i = 0; i < n; i++) {
        const ds_diag *diag = diags_at(session->diags, i);
        if (!in_filter(filter, session->dir, files_path(session->model->files, diag->pos.file)))
            continue;
        report.shown[report.n++] = diag;
        report.counts[diag->severity]++;
    }
    if (filter->n == 0) // includes what diags no longer keeps
        for (int s = DIAG_INFO; s <= DIAG_ERROR; s++)
            report.counts[s] = diags_severity_count(session->diags, (ds_severity)s);
    report.workspaces = session->model->workspaces.n;
    for (size_t i = 0; i < session->model->datastores.n; i++)
        report.datasets += session->model->datastores.v[i]->datasets.n;
    return report;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    double start = clock_elapsed_s();
    CLEANUP(session_release) ds_session session;
    session_init(&session, cli);
    TRY(session_load(&session, err));
    lint_filter filter = {0};
    TRY(filter_init(&filter, &session, err));
    lint_model(session.model, cli->program->platforms, session.diags);
    lint_report report = make_report(&session, &filter);
    report.seconds = clock_elapsed_s() - start;
    lint_print(cli, &report, args_text(&cli->args, "format"));
    cli->exit = report.counts[DIAG_ERROR] ? 1 : 0;
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
