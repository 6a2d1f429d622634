// Plays the script of sim/demo.h with the same commands that a user would type.
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/demo_views.h"
#include "cli/init.h"
#include "cli/output.h"
#include "sim/demo.h"

static const ds_option OPTIONS[] = {
    {"dir", 'C', OPTION_TEXT, "DIR", .fallback = DEMO_DIR, .help = "where to play"},
    {"seconds", 0, OPTION_INT, "N", .help = "how long business goes on (default: three rounds)", .least = 1,
     .most = 1000000},
    {0},
};

enum { ROUNDS = 3, CHANGES_PER_ROUND = 12, WORDS_MAX = 16, WIDTH = 79 };

typedef struct player {
    ds_cli *cli;
    const char *dir;
    bool first_time;
    bool complete; // model and source are there: the next demo goes on
    bool paced;    // a person reads along
} player;

// --- the directory: a mark tells that it is ours, and whether it is complete

static const char MARK[] = ".datasurface-demo";

static const char *path_in(const player *p, const char *name)
{
    CLEANUP(buf_release) ds_buf joined = BUF_INIT(FILE_PATH_MAX);
    file_join(&joined, p->dir, name);
    return arena_strdup(p->cli->arena, buf_text(&joined));
}

static ds_rc refuse_anything(const char *path, void *context, ds_error *err)
{
    (void)path;
    return ds_hint(ds_fail(err, DS_USAGE, "\"%s\" exists and was not made by the demo", (const char *)context), err,
                   "choose another place with --dir DIR");
}

static ds_rc mark_dir(const player *p, const char *state, ds_error *err)
{
    TRY(file_make_dirs(p->dir, err));
    return file_write_atomic(path_in(p, MARK), str_of(state), false, err);
}

// A demo that was stopped while it made its directory begins again.
static ds_rc prepare_dir(player *p, ds_error *err)
{
    CLEANUP(buf_release) ds_buf state = BUF_INIT(64);
    if (file_exists(path_in(p, MARK)))
        TRY(file_read(path_in(p, MARK), &state, err));
    else if (file_exists(p->dir) && !file_is_dir(p->dir))
        return ds_fail(err, DS_USAGE, "\"%s\" is a file, not a directory", p->dir);
    else if (file_exists(p->dir))
        TRY(file_walk(p->dir, refuse_anything, (void *)(uintptr_t)p->dir, err));
    p->first_time = strcmp(buf_text(&state), "complete\n") != 0;
    p->complete = !p->first_time;
    if (!p->first_time)
        return DS_DONE;
    TRY(mark_dir(p, "begun\n", err));
    const ds_template *template = template_find(DEMO_TEMPLATE);
    for (size_t i = 0; i < template->n; i++)
        if (unlink(path_in(p, template->files[i].path)) != 0 && errno != ENOENT)
            return ds_fail_errno(err, errno, "can't remove", path_in(p, template->files[i].path));
    return DS_DONE;
}

// --- the stage

static ds_rc interrupted(const player *p, ds_error *err)
{
    return ds_fail(err, DS_CANCELLED, "the demo was interrupted; datasurface demo %s",
                   p->complete ? "goes on with what is there" : "begins again");
}

static ds_rc wait_s(const player *p, double seconds, ds_error *err)
{
    double end_s = clock_elapsed_s() + (p->paced ? seconds : 0);
    fflush(p->cli->out);
    while (!*p->cli->program->cancelled && clock_elapsed_s() < end_s)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    if (*p->cli->program->cancelled)
        return interrupted(p, err);
    return DS_DONE;
}

static void print_title(const player *p, size_t number, const ds_demo_step *step)
{
    FILE *out = p->cli->out;
    int used = fprintf(out, "\n%s── %zu. %s ", style(p->cli, STYLE_BOLD), number, step->title);
    used -= (int)strlen(style(p->cli, STYLE_BOLD)) + 1 + 4; // the line end; a dash has three bytes and one column
    for (; used < WIDTH; used++)
        fputs("─", out);
    fprintf(out, "%s\n%s\n\n", style_end(p->cli), step->say);
}

// --- commands

static ds_rc failed(const player *p, const char *command, int exit, ds_error *err)
{
    static const ds_code CODES[] = {DS_OK, DS_FINDING, DS_USAGE, DS_ENV, DS_INTERNAL};
    if (exit > 4)
        return interrupted(p, err);
    return ds_hint(ds_fail(err, CODES[exit], "the demo stops: datasurface %s ended with exit code %d", command, exit),
                   err, "remove the demo's directory to start afresh");
}

// Runs a command line in our own process, as main would. `shown` is what a user would type in the demo's directory.
static ds_rc play(const player *p, const char *line, const char *const *global, ds_error *err)
{
    char *argv[WORDS_MAX + 1];
    int argc = 0;
    argv[argc++] = arena_strdup(p->cli->arena, "datasurface");
    for (; *global; global++)
        argv[argc++] = arena_strdup(p->cli->arena, *global);
    ds_str rest = str_of(line);
    while (rest.n && argc < WORDS_MAX)
        argv[argc++] = arena_str(p->cli->arena, str_split(&rest, ' '));
    argv[argc] = NULL;
    int exit = cli_main(p->cli->program, argc, argv, p->cli->out);
    return exit == 0 ? DS_DONE : failed(p, line, exit, err);
}

static ds_rc show_command(const player *p, const char *line, ds_error *err)
{
    fprintf(p->cli->out, "%s$ datasurface %s%s\n", style(p->cli, STYLE_CYAN), line, style_end(p->cli));
    return wait_s(p, 0.4, err);
}

// In the demo's directory; `tail` is added to what runs and not shown.
static ds_rc in_dir(const player *p, const char *line, const char *tail, ds_error *err)
{
    TRY(show_command(p, line, err));
    return play(p, arena_printf(p->cli->arena, "%s%s", line, tail), (const char *const[]){"-C", p->dir, NULL}, err);
}

static ds_rc play_init(const player *p, ds_error *err)
{
    TRY(show_command(p, arena_printf(p->cli->arena, "init %s", p->dir), err));
    TRY(init_write(p->cli, p->dir, template_find(DEMO_TEMPLATE), err));
    fprintf(p->cli->out, "%s$ cd %s%s\n", style(p->cli, STYLE_CYAN), p->dir, style_end(p->cli));
    return DS_DONE;
}

static ds_rc play_rounds(player *p, ds_error *err)
{
    int64_t seconds = args_int(&p->cli->args, "seconds", 0);
    double end_s = clock_elapsed_s() + (double)seconds;
    const char *ledger = path_in(p, "ledger.jsonl");
    for (int round = 0; seconds ? clock_elapsed_s() < end_s : round < ROUNDS; round++) {
        if (round)
            fputc('\n', p->cli->out);
        struct stat st;
        int64_t seed = stat(ledger, &st) == 0 ? (int64_t)st.st_size : 0;
        const char *shown = arena_printf(p->cli->arena, "simulate %s --changes %d --seed %lld", DEMO_STORE,
                                         CHANGES_PER_ROUND, (long long)seed);
        TRY(in_dir(p, shown, arena_printf(p->cli->arena, " --ledger %s", ledger), err));
        TRY(in_dir(p, "run --once", "", err));
        TRY(wait_s(p, 1.0, err));
    }
    return DS_DONE;
}

// With the last of the steps that are for new directories there is something to go on with.
static ds_rc mark_complete(player *p, size_t step, ds_error *err)
{
    if (p->complete || (step + 1 < DEMO_STEP_COUNT && DEMO_STEPS[step + 1].first_time))
        return DS_DONE;
    p->complete = true;
    return mark_dir(p, "complete\n", err);
}

static ds_rc play_step(player *p, const ds_demo_step *step, ds_error *err)
{
    switch (step->action) {
    case DEMO_COMMAND:
        return strcmp(step->command, "init") == 0 ? play_init(p, err) : in_dir(p, step->command, "", err);
    case DEMO_ROUNDS:
        return play_rounds(p, err);
    case DEMO_VIEWS:
        return demo_show_customers(p->cli, p->dir, err);
    case DEMO_VERSIONS:
        return demo_show_versions(p->cli, p->dir, err);
    }
    BUG("unknown step");
}

// --- the end

static bool in_path(void)
{
    const char *path = getenv("PATH");
    ds_str rest = str_of(path);
    while (rest.n) {
        char candidate[FILE_PATH_MAX];
        snprintf(candidate, sizeof candidate, "%.*s/datasurface", STR_ARGS(str_split(&rest, ':')));
        if (access(candidate, X_OK) == 0)
            return true;
    }
    return false;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

// The path that we were called by, whole; of a build directory the link at its top.
static const char *own_path(const player *p)
{
    static const char DEEP[] = "/src/program/datasurface";
    ds_arena *arena = p->cli->arena;
    const char *self = p->cli->self;
    char here[PATH_MAX];
    if (!strchr(self, '/'))
        return NULL;
    if (self[0] != '/' && getcwd(here, sizeof here))
        self = arena_printf(arena, "%s/%s", here, strncmp(self, "./", 2) == 0 ? self + 2 : self);
    size_t n = strlen(self), deep = sizeof DEEP - 1;
    if (n > deep && strcmp(self + n - deep, DEEP) == 0) {
        const char *link = arena_printf(arena, "%.*s/datasurface", (int)(n - deep), self);
        return same_file(link, self) ? link : self;
    }
    return self;
}

static void print_next(const player *p)
{
    FILE *out = p->cli->out;
    const char *self = own_path(p);
    fprintf(out, "\n%sNow you%s: everything stands in %s (merge.db, customers.db, ledger.jsonl and the model).\n\n",
            style(p->cli, STYLE_BOLD), style_end(p->cli), p->dir);
    fprintf(out, "  cd %s\n", p->dir);
    if (self && !in_path())
        fprintf(out, "  alias datasurface=%s\n", self);
    fputc('\n', out);
    for (size_t i = 0; i < DEMO_NEXT_COUNT; i++)
        fprintf(out, "  %s%s%s\n", style(p->cli, STYLE_CYAN), DEMO_NEXT[i], style_end(p->cli));
}

static ds_rc run(ds_cli *cli, ds_error *err)
{
    player p = {.cli = cli, .dir = args_text(&cli->args, "dir"), .paced = isatty(fileno(cli->out))};
    TRY(prepare_dir(&p, err));
    cli->json = false; // from here on it talks
    fprintf(cli->out,
            "%sdatasurface %s%s: customers flow from a source database into live, history and masked tables.\n",
            style(cli, STYLE_BOLD), DS_VERSION, style_end(cli));
    if (!p.first_time)
        fprintf(cli->out, "Going on in %s, which an earlier demo made.\n", p.dir);
    size_t number = 0;
    for (size_t i = 0; i < DEMO_STEP_COUNT; i++) {
        if (DEMO_STEPS[i].first_time && !p.first_time)
            continue;
        print_title(&p, ++number, &DEMO_STEPS[i]);
        TRY(wait_s(&p, 0.5, err));
        TRY(play_step(&p, &DEMO_STEPS[i], err));
        TRY(mark_complete(&p, i, err));
        TRY(wait_s(&p, 1.0, err));
    }
    print_next(&p);
    return DS_DONE;
}

const ds_cli_command COMMAND_DEMO = {
    .name = "demo",
    .summary = "the whole story on SQLite, in half a minute",
    .group = "A start",
    .options = OPTIONS,
    .help =
        "Writes a model, makes a source database, checks, plans and applies, runs batches while a simulator changes the "
        "source, shows the live, masked and history views, and proves that the copy is exact. It leaves a directory to "
        "play with; run again, it goes on there. A directory that it did not make is refused.",
    .examples = {"datasurface demo", "datasurface demo --dir /tmp/shop --seconds 60"},
    .run = run,
};
