// One command line from beginning to end: parse, run, report, finish.
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/output.h"

static bool colour_on(int fd)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(fd) && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

static void setup_log(const ds_args *args)
{
    static const char *const NAMES[] = {"debug", "info", "warning", "error", "none"};
    const char *level = args_text(args, "log-level");
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++)
        if (strcmp(NAMES[i], level) == 0)
            log_setup((ds_log_level)i, !isatty(STDERR_FILENO));
}

static ds_rc check_words(const ds_cli *cli, ds_error *err)
{
    const ds_cli_command *command = cli->command;
    size_t need = 0, most = 0;
    bool many = false;
    for (; most < COMMAND_ARGUMENTS_MAX && command->arguments[most].name; most++) {
        need += !command->arguments[most].optional;
        many |= command->arguments[most].many;
    }
    ds_rc rc = DS_DONE;
    if (cli->args.word_count < need)
        rc = ds_fail(err, DS_USAGE, "%s wants %s", command->name, command->arguments[cli->args.word_count].name);
    else if (cli->args.word_count > most && !many)
        rc = ds_fail(err, DS_USAGE, "%s has no use for \"%s\"", command->name, cli->args.words[most]);
    return ds_hint(rc, err, "see datasurface help %s", command->name);
}

// --help and --version win over everything else that may be wrong with the line.
static ds_rc run_command(ds_cli *cli, ds_error *err)
{
    if (cli->args.help) {
        cli->json = false;
        help_command(cli, cli->command);
        return DS_DONE;
    }
    TRY(check_words(cli, err));
    return cli->command->run(cli, err);
}

static void print_envelope(ds_cli *cli, const ds_error *err)
{
    if (err->code != DS_OK)
        diagnostic_add(cli, cli->object, err);
    if (cli->rows_printed) {
        output_rows_end(cli);
        return;
    }
    const char *command = cli->command ? cli->command->name : "";
    json_t *envelope =
        json_pack("{s:i, s:s, s:i, s:O, s:o}", "datasurface", 1, "command", command, "exit", cli->exit, "diagnostics",
                  cli->diagnostics, "result", cli->result ? json_incref(cli->result) : json_object());
    json_dumpf(envelope, cli->out, JSON_INDENT(2));
    fputc('\n', cli->out);
    json_decref(envelope);
}

// Nobody reads our output any more: no reason to complain.
static bool reader_gone(FILE *out)
{
    struct pollfd p = {.fd = fileno(out), .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

static void finish_output(ds_cli *cli)
{
    errno = 0;
    bool failed = fflush(cli->out) != 0 || ferror(cli->out);
    if (!failed || errno == EPIPE || reader_gone(cli->out))
        return;
    ds_error err = {0};
    ds_ignore(ds_fail_errno(&err, errno ? errno : EIO, "can't write", "the results to standard output"));
    error_report(cli, &err);
    if (cli->exit < 3)
        cli->exit = 3;
}

static int exit_of(const ds_cli *cli, ds_rc rc)
{
    if (rc.code == DS_OK)
        return cli->exit;
    // Which signal it was: the handler stores its number.
    if (rc.code == DS_CANCELLED && *cli->program->cancelled)
        return 128 + *cli->program->cancelled;
    return error_exit_code(rc.code);
}

// A line that can't be parsed may still say how its failure is wanted.
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--format=json") == 0 ||
            (strcmp(argv[i], "--format") == 0 && i + 1 < argc && strcmp(argv[i + 1], "json") == 0))
            return true;
    return false;
}

static ds_rc parse(ds_cli *cli, int argc, char **argv, ds_error *err)
{
    int at = args_command_index(argc, argv, GLOBAL_OPTIONS);
    cli->json = asks_for_json(argc, argv);
    cli->args.global = GLOBAL_OPTIONS;
    if (at) {
        cli->command = command_find(argv[at]);
        if (!cli->command)
            return command_unknown(argv[at], err);
        cli->args.own = cli->command->options;
    }
    TRY(args_parse(cli->arena, argc, argv, at, &cli->args, err));
    setup_log(&cli->args);
    const char *format = args_text(&cli->args, "format");
    cli->json = format && strcmp(format, "json") == 0;
    return DS_DONE;
}

static void release(ds_cli *cli)
{
    json_decref(cli->result);
    json_decref(cli->diagnostics);
    arena_free(cli->arena);
}

int cli_main(const ds_program *program, int argc, char **argv, FILE *out)
{
    CLEANUP(release)
    ds_cli cli = {
        .program = program,
        .self = argc > 0 ? argv[0] : "datasurface",
        .arena = arena_new(),
        .out = out,
        .colour = colour_on(fileno(out)),
        .colour_messages = colour_on(STDERR_FILENO),
        .diagnostics = json_array(),
    };
    ds_error err = {0};
    ds_rc rc = parse(&cli, argc, argv, &err);
    if (rc.code == DS_OK && cli.args.version)
        fprintf(out, "datasurface %s\n", DS_VERSION);
    else if (rc.code == DS_OK && !cli.command && !cli.args.help)
        rc = ds_hint(ds_fail(&err, DS_USAGE, "no command given"), &err,
                     "datasurface help lists the commands; datasurface demo shows them at work");
    else if (rc.code == DS_OK && !cli.command)
        help_overview(&cli);
    else if (rc.code == DS_OK)
        rc = run_command(&cli, &err);
    cli.exit = exit_of(&cli, rc);
    if (rc.code != DS_OK)
        error_report(&cli, &err);
    else
        err = (ds_error){0}; // what failed on the way was got round
    if (cli.json && (cli.command || rc.code != DS_OK))
        print_envelope(&cli, &err);
    finish_output(&cli);
    return cli.exit;
}
