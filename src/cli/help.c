#include "cli/help.h"

#include "cli/output.h"

enum { HELP_WIDTH = 79, CHOICES_INLINE_MAX = 20 };

// One paragraph; a line that begins with two spaces is kept as it is.
static void wrap_paragraph(FILE *out, ds_str text, int indent)
{
    int column = 0;
    while (text.n) {
        ds_str word = str_split(&text, ' ');
        int n = (int)str_utf8_length(word);
        if (column && column + 1 + n > HELP_WIDTH - indent) {
            fputc('\n', out);
            column = 0;
        }
        column += fprintf(out, "%*s", column ? 1 : indent, "") - (column ? 0 : indent);
        fprintf(out, "%.*s", STR_ARGS(word));
        column += n;
    }
    fputc('\n', out);
}

void help_wrap(FILE *out, const char *text, int indent)
{
    ds_str rest = str_of(text);
    while (rest.n) {
        ds_str line = str_split(&rest, '\n');
        if (str_starts(line, STR("  ")))
            fprintf(out, "%*s%.*s\n", indent, "", STR_ARGS(line));
        else if (line.n == 0)
            fputc('\n', out);
        else
            wrap_paragraph(out, line, indent);
    }
}

void help_usage(FILE *out, const ds_cli_command *command)
{
    fprintf(out, "datasurface %s [OPTIONS]", command->name);
    for (size_t i = 0; i < COMMAND_ARGUMENTS_MAX && command->arguments[i].name; i++) {
        const ds_argument *argument = &command->arguments[i];
        fprintf(out, argument->optional ? " [%s%s]" : " %s%s", argument->name, argument->many ? "..." : "");
    }
}

void help_option_name(const ds_option *option, char *out, size_t size)
{
    char letter[8] = "";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    if (option->type == OPTION_FLAG)
        snprintf(out, size, "%s--%s", letter, option->name);
    else
        snprintf(out, size, "%s--%s %s", letter, option->name,
                 option->choices && strlen(option->choices) <= CHOICES_INLINE_MAX ? option->choices : option->value);
}

void help_option_text(const ds_option *option, char *out, size_t size)
{
    bool list = option->choices && strlen(option->choices) > CHOICES_INLINE_MAX;
    int n = snprintf(out, size, "%s%s", option->help, list ? ": " : "");
    for (const char *p = option->choices; list && *p && (size_t)n + 3 < size; p++)
        n += snprintf(out + n, size - (size_t)n, *p == '|' ? ", " : "%c", *p);
}

// name and text in two columns; a long name gets a line of its own.
static void two_columns(FILE *out, const char *name, int width, const char *text)
{
    fprintf(out, "  %-*s", text[0] ? width : 0, name);
    if ((int)strlen(name) > width)
        fprintf(out, "\n  %-*s", width, "");
    fprintf(out, "%s%s\n", text[0] ? "  " : "", text);
}

static void print_options(FILE *out, const ds_option *options)
{
    for (const ds_option *o = options; o && o->name; o++) {
        char name[128], text[256], line[512];
        help_option_name(o, name, sizeof name);
        help_option_text(o, text, sizeof text);
        snprintf(line, sizeof line, "%s%s%s%s%s%s%s", text, o->fallback ? " (default " : "",
                 o->fallback ? o->fallback : "", o->fallback ? ")" : "", o->env ? " ($" : "", o->env ? o->env : "",
                 o->env ? ")" : "");
        two_columns(out, name, 22, line);
    }
}

static void heading(const ds_cli *cli, const char *text)
{
    fprintf(cli->out, "\n%s%s%s\n", style(cli, STYLE_BOLD), text, style_end(cli));
}

void help_overview(const ds_cli *cli)
{
    FILE *out = cli->out;
    fprintf(out, "datasurface %s: pipelines from intentions, written down in git\n\n", DS_VERSION);
    fprintf(out, "usage: datasurface [OPTIONS] COMMAND [ARGUMENTS]\n");
    const char *group = "";
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(group, COMMANDS[i]->group) != 0)
            heading(cli, COMMANDS[i]->group);
        group = COMMANDS[i]->group;
        two_columns(out, COMMANDS[i]->name, 11, COMMANDS[i]->summary);
    }
    heading(cli, "Options of every command");
    print_options(out, GLOBAL_OPTIONS);
    two_columns(out, "--help, --version", 22, "");
    fprintf(out, "\n`datasurface help COMMAND` tells all about one command.\n"
                 "New here? `datasurface demo` shows the whole story in half a minute.\n");
}

static void print_exits(FILE *out, const ds_cli_command *command)
{
    for (size_t i = 0; i < COMMAND_EXITS_MAX && command->exits[i].meaning; i++)
        fprintf(out, "  %-3d  %s\n", command->exits[i].code, command->exits[i].meaning);
}

void help_command(const ds_cli *cli, const ds_cli_command *command)
{
    FILE *out = cli->out;
    fprintf(out, "%sdatasurface %s%s: %s\n\nusage: ", style(cli, STYLE_BOLD), command->name, style_end(cli),
            command->summary);
    help_usage(out, command);
    fputs("\n\n", out);
    help_wrap(out, command->help, 0);
    if (command->arguments[0].name)
        heading(cli, "Arguments");
    for (size_t i = 0; i < COMMAND_ARGUMENTS_MAX && command->arguments[i].name; i++)
        two_columns(out, command->arguments[i].name, 22, command->arguments[i].help);
    if (command->options)
        heading(cli, "Options");
    print_options(out, command->options);
    if (command->exits[0].meaning)
        heading(cli, "Exit codes (besides 0, 2, 3, 4 and 130)");
    print_exits(out, command);
    if (command->examples[0])
        heading(cli, "Examples");
    for (size_t i = 0; i < COMMAND_EXAMPLES_MAX && command->examples[i]; i++)
        fprintf(out, "  %s\n", command->examples[i]);
}
