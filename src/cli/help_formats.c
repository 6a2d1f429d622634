// The command table as man page, Markdown and shell completion.
#include "cli/help.h"

// Text of a man page: a leading dot or quote would be a request, a backslash an escape, a dash a hyphen.
static void roff(FILE *out, const char *text)
{
    bool line_start = true;
    for (const char *p = text; *p; p++) {
        if (line_start && (*p == '.' || *p == '\''))
            fputs("\\&", out);
        if (*p == '\\')
            fputs("\\e", out);
        else if (*p == '-')
            fputs("\\-", out);
        else
            fputc(*p, out);
        line_start = *p == '\n';
    }
}

static void roff_paragraphs(FILE *out, const char *text)
{
    ds_str rest = str_of(text);
    while (rest.n) {
        ds_str line = str_split(&rest, '\n');
        char copy[4096];
        snprintf(copy, sizeof copy, "%.*s", STR_ARGS(line));
        if (line.n == 0)
            fputs(".PP", out);
        else
            roff(out, copy);
        fputc('\n', out);
    }
}

static void roff_options(FILE *out, const ds_option *options)
{
    for (const ds_option *o = options; o && o->name; o++) {
        char name[128], text[256];
        help_option_name(o, name, sizeof name);
        help_option_text(o, text, sizeof text);
        fputs(".TP\n.B ", out);
        roff(out, name);
        fputc('\n', out);
        roff(out, text);
        if (o->fallback)
            fprintf(out, " (default %s)", o->fallback);
        fputc('\n', out);
    }
}

static void roff_command(FILE *out, const ds_cli_command *command)
{
    fputs(".SS ", out);
    help_usage(out, command);
    fputc('\n', out);
    roff_paragraphs(out, command->help);
    roff_options(out, command->options);
}

void help_man(FILE *out)
{
    fprintf(out, ".TH DATASURFACE 1 \"\" \"datasurface %s\"\n", DS_VERSION);
    fputs(".SH NAME\ndatasurface \\- pipelines from intentions, written down in git\n", out);
    fputs(".SH SYNOPSIS\n.B datasurface\n[OPTIONS] COMMAND [ARGUMENTS]\n", out);
    fputs(".SH OPTIONS OF EVERY COMMAND\n", out);
    roff_options(out, GLOBAL_OPTIONS);
    fputs(".SH COMMANDS\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        roff_command(out, COMMANDS[i]);
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < EXIT_CODE_COUNT; i++)
        fprintf(out, ".TP\n.B %d\n%s\n", EXIT_CODES[i].code, EXIT_CODES[i].meaning);
}

// Inside a Markdown table a bar ends the cell.
static void cell(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '|')
            fputc('\\', out);
        fputc(*p, out);
    }
}

static void markdown_options(FILE *out, const ds_option *options)
{
    fputs("\n| option | what | default |\n|---|---|---|\n", out);
    for (const ds_option *o = options; o->name; o++) {
        char name[128], text[256];
        help_option_name(o, name, sizeof name);
        help_option_text(o, text, sizeof text);
        fputs("| `", out);
        cell(out, name);
        fputs("` | ", out);
        cell(out, text);
        fprintf(out, " | %s%s%s |\n", o->fallback ? o->fallback : "", o->env ? o->fallback ? ", $" : "$" : "",
                o->env ? o->env : "");
    }
}

static char capital(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void markdown_command(FILE *out, const ds_cli_command *command)
{
    fprintf(out, "\n## %s\n%c%s.\n\n```\n", command->name, capital(command->summary[0]), command->summary + 1);
    help_usage(out, command);
    fprintf(out, "\n```\n%s\n", command->help);
    if (command->arguments[0].name)
        fputc('\n', out);
    for (size_t i = 0; i < COMMAND_ARGUMENTS_MAX && command->arguments[i].name; i++)
        fprintf(out, "- `%s`: %s\n", command->arguments[i].name, command->arguments[i].help);
    if (command->options)
        markdown_options(out, command->options);
    if (command->exits[0].meaning)
        fputc('\n', out);
    for (size_t i = 0; i < COMMAND_EXITS_MAX && command->exits[i].meaning; i++)
        fprintf(out, "- exit %d: %s\n", command->exits[i].code, command->exits[i].meaning);
    if (command->examples[0])
        fputs("\n```\n", out);
    for (size_t i = 0; i < COMMAND_EXAMPLES_MAX && command->examples[i]; i++)
        fprintf(out, "%s\n", command->examples[i]);
    if (command->examples[0])
        fputs("```\n", out);
}

void help_markdown(FILE *out)
{
    fputs("# Commands\nPrinted by `datasurface help --markdown`; a test compares.\n\n"
          "`datasurface [OPTIONS] COMMAND [ARGUMENTS]`. Results go to standard output, messages and progress to\n"
          "standard error. Options of every command:\n",
          out);
    markdown_options(out, GLOBAL_OPTIONS);
    fputs("\n| exit code | meaning |\n|---|---|\n", out);
    for (size_t i = 0; i < EXIT_CODE_COUNT; i++)
        fprintf(out, "| %d | %s |\n", EXIT_CODES[i].code, EXIT_CODES[i].meaning);
    fputs("\nOf several streams the highest of 4, 3 and 1 counts.\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        markdown_command(out, COMMANDS[i]);
}

static void completion_words(FILE *out, const ds_option *options)
{
    for (const ds_option *o = options; o && o->name; o++)
        fprintf(out, " --%s", o->name);
}

// "command:--option" -> its choices; a command's own options come before the global ones.
static void completion_choices(FILE *out, const char *command, const ds_option *options)
{
    for (const ds_option *o = options; o && o->name; o++) {
        if (!o->choices)
            continue;
        fprintf(out, "    %s:--%s) words=\"", command, o->name);
        for (const char *p = o->choices; *p; p++)
            fputc(*p == '|' ? ' ' : *p, out);
        fputs("\" ;;\n", out);
    }
}

void help_completion(FILE *out)
{
    fputs("# bash completion for datasurface: source <(datasurface help --completion bash)\n"
          "_datasurface()\n{\n    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}"
          " command= words= w\n"
          "    for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n        case $w in\n        ",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "%s%s", i ? "|" : "", COMMANDS[i]->name);
    fputs(") command=$w; break ;;\n        esac\n    done\n    case $command:$before in\n"
          "    *:-C|*:--dir|*:--secrets) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        completion_choices(out, COMMANDS[i]->name, COMMANDS[i]->options);
    completion_choices(out, "*", GLOBAL_OPTIONS);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "    %s:*) words=\"", COMMANDS[i]->name);
        completion_words(out, COMMANDS[i]->options);
        completion_words(out, GLOBAL_OPTIONS);
        fputs(" --help\" ;;\n", out);
    }
    fputs("    *) words=\"", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "%s%s", i ? " " : "", COMMANDS[i]->name);
    completion_words(out, GLOBAL_OPTIONS);
    fputs(" --help --version\" ;;\n    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
          "complete -o default -F _datasurface datasurface\n",
          out);
}
