#include "cli/commands.h"

// Every command, in the order in which help shows them. To add one: docs/adding-a-command.md.
const ds_cli_command *const COMMANDS[] = {
    // a start
    &COMMAND_DEMO,
    &COMMAND_INIT,
    &COMMAND_IMPORT,
    &COMMAND_SIMULATE,
    // the model
    &COMMAND_LINT,
    &COMMAND_CHECK,
    &COMMAND_EXPLAIN,
    &COMMAND_GRAPH,
    &COMMAND_ASSIGN,
    &COMMAND_EXPORT,
    &COMMAND_QUERY,
    &COMMAND_SCHEMA,
    // the work
    &COMMAND_PLAN,
    &COMMAND_APPLY,
    &COMMAND_RUN,
    &COMMAND_JOB,
    &COMMAND_TRIGGER,
    // the results
    &COMMAND_VIEWS,
    &COMMAND_HISTORY,
    &COMMAND_STATUS,
    &COMMAND_BATCHES,
    &COMMAND_VERIFY,
    // repair and help
    &COMMAND_RESET,
    &COMMAND_RESNAPSHOT,
    &COMMAND_PAUSE,
    &COMMAND_RESUME,
    &COMMAND_HELP,
};
const size_t COMMAND_COUNT = sizeof COMMANDS / sizeof COMMANDS[0];

// Options of every command.
const ds_option GLOBAL_OPTIONS[] = {
    {"dir", 'C', OPTION_TEXT, "DIR", .fallback = ".", .help = "the model's directory"},
    {"env", 0, OPTION_TEXT, "NAME", .env = "DATASURFACE_ENV", .help = "use the containers of this Environment"},
    {"service", 0, OPTION_TEXT, "NAME", .help = "only this PlatformService"},
    {"merge", 0, OPTION_TEXT, "URL",
     .help =
         "the merge database, sqlite:PATH or postgres://HOST/DATABASE, instead of the model's; relative sources: from "
         "its directory, or -C; user and password: the URL's, or the credential merge's"},
    {"format", 0, OPTION_CHOICE, "FORMAT", .choices = "text|json", .fallback = "text",
     .help = "how results are printed"},
    {"secrets", 0, OPTION_TEXT, "DIR", .help = "credentials as files, DIR/NAME/USER and so on"},
    {"cache", 0, OPTION_TEXT, "DIR",
     .help = "where compiled models are kept; default: $XDG_CACHE_HOME/datasurface, or ~/.cache/datasurface"},
    {"no-cache", 0, OPTION_FLAG, .help = "keep no compiled model, and use none"},
    {"lease-wait", 0, OPTION_DURATION, "TIME", .fallback = "10s", .help = "how long to wait for a busy stream"},
    {"log-level", 0, OPTION_CHOICE, "LEVEL", .choices = "debug|info|warning|error|none", .fallback = "warning",
     .env = "DATASURFACE_LOG", .help = "what the log on stderr tells"},
    {0},
};

const ds_exit_code EXIT_CODES[] = {
    {0, "done, warnings included"},
    {1, "findings: lint errors, a refusal, a mismatch, a failed or guarded batch, nothing applied yet"},
    {2, "usage: an unknown command, option, stream or name"},
    {3, "environment, worth a retry: no connection, no file, no permission, locked, stream busy, disk full"},
    {4, "a bug of datasurface"},
    {130, "interrupted before the work was done (143 by SIGTERM)"},
};
const size_t EXIT_CODE_COUNT = sizeof EXIT_CODES / sizeof EXIT_CODES[0];

// Designed, and not in this version: asking for them is no typing error.
static const char *const LATER[] = {"deploy", "doctor", "serve", "mcp"};

const ds_cli_command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i]->name, name) == 0)
            return COMMANDS[i];
    return NULL;
}

ds_rc command_unknown(const char *name, ds_error *err)
{
    for (size_t i = 0; i < sizeof LATER / sizeof LATER[0]; i++)
        if (strcmp(LATER[i], name) == 0)
            return ds_hint(ds_fail(err, DS_USAGE, "the command \"%s\" is not in this version yet", name), err,
                           "datasurface help lists what is");
    const char *names[64];
    ds_assert(COMMAND_COUNT <= 64);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = COMMANDS[i]->name;
    const char *nearest = str_nearest(name, names, COMMAND_COUNT);
    ds_rc rc = ds_fail(err, DS_USAGE, "unknown command \"%s\"", name);
    if (nearest)
        return ds_hint(rc, err, "did you mean \"%s\"?", nearest);
    return ds_hint(rc, err, "datasurface help lists the commands");
}
