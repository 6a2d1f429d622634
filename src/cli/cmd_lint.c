#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/compiled.h"
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

// The findings to show, of the whole model or of the files asked for.
static lint_report make_report(const ds_compiled *c, const lint_filter *filter)
{
    lint_report report = {.diags = c->diags, .datasets = c->counts.datasets, .workspaces = c->counts.workspaces};
    size_t n = diags_count(c->diags);
    report.shown = ARENA_ARRAY(c->cli->arena, const ds_diag *, n);
    for (size_t i = 0; i < n; i++) {
        const ds_diag *diag = diags_at(c->diags, i);
        if (!in_filter(filter, files_path(c->files, diag->pos.file)))
            continue;
        report.shown[report.n++] = diag;
        report.counts[diag->severity]++;
    }
    if (filter->n == 0) // includes what diags no longer keeps
        memcpy(report.counts, c->counts.of, sizeof report.counts);
    return report;
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    double start = clock_elapsed_s();
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
