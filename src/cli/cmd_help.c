#include "cli/commands.h"
#include "cli/help.h"

static const ds_option OPTIONS[] = {
    {"man", 0, OPTION_FLAG, .help = "the man page, in roff"},
    {"markdown", 0, OPTION_FLAG, .help = "docs/commands.md"},
    {"completion", 0, OPTION_CHOICE, "SHELL", .choices = "bash", .help = "completion for a shell"},
    {0},
};

static ds_rc run(ds_cli *cli, ds_error *err)
{
    const char *name = args_word(&cli->args, 0);
    const ds_cli_command *command = name ? command_find(name) : NULL;
    if (name && !command)
        return command_unknown(name, err);
    cli->json = false;
    if (args_flag(&cli->args, "man"))
        help_man(cli->out);
    else if (args_flag(&cli->args, "markdown"))
        help_markdown(cli->out);
    else if (args_text(&cli->args, "completion"))
        help_completion(cli->out);
    else if (command)
        help_command(cli, command);
    else
        help_overview(cli);
    return DS_DONE;
}

const ds_cli_command COMMAND_HELP = {
    .name = "help",
    .summary = "this list, or all about one command",
    .group = "Repair and help",
    .arguments = {{.name = "COMMAND", .help = "a command of the list", .optional = true}},
    .options = OPTIONS,
    .help = "Help, man page, completion and docs/commands.md are printed from one table of commands.",
    .examples = {"datasurface help run", "datasurface help --man | man -l -",
                 "source <(datasurface help --completion bash)"},
    .run = run,
};
