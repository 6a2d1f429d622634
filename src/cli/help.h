// Everything that is printed from the command table.
#pragma once
#include "cli/command.h"

void help_overview(const ds_cli *cli);
void help_command(const ds_cli *cli, const ds_cli_command *command);
void help_man(FILE *out);                                  // roff
void help_markdown(FILE *out);                             // docs/commands.md
void help_completion(FILE *out);                           // bash
void help_usage(FILE *out, const ds_cli_command *command); // "datasurface job [OPTIONS] STREAM"
// Paragraphs wrapped to 79 columns behind indent.
void help_wrap(FILE *out, const char *text, int indent);
// What an option does, with its choices where they are many; and "--format text|json", "-C, --dir DIR".
void help_option_text(const ds_option *option, char *out, size_t size);
void help_option_name(const ds_option *option, char *out, size_t size);
