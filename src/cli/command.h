// What a command is: one const ds_cli_command per cmd_NAME.c, listed in commands.c. Parsing, help, man page,
// completion, docs/commands.md and "did you mean" all come from these structs. Adding one: docs/adding-a-command.md.
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/error.h"
#include "cli/args.h"
#include "platform/platform.h"
#include "store/store.h"

typedef struct ds_argument {
    const char *name; // "STREAM"; in help with brackets when optional, with dots when many
    const char *help;
    bool optional;
    bool many; // the last one may take any number
} ds_argument;

// An exit code that needs saying for this command; the general ones are in EXIT_CODES.
typedef struct ds_exit_code {
    int code;
    const char *meaning;
} ds_exit_code;

enum { COMMAND_ARGUMENTS_MAX = 3, COMMAND_EXITS_MAX = 4, COMMAND_EXAMPLES_MAX = 4 };

typedef struct ds_cli ds_cli;
typedef struct ds_cli_command {
    const char *name;
    const char *summary;                          // one line, no full stop
    const char *group;                            // heading in the list of commands
    ds_argument arguments[COMMAND_ARGUMENTS_MAX]; // ends at the first without a name
    const ds_option *options;                     // ends with a row without a name; NULL: none
    const char *help;                             // paragraphs, separated by an empty line; wrapped by the printers
    ds_exit_code exits[COMMAND_EXITS_MAX];        // ends at the first without a meaning
    const char *examples[COMMAND_EXAMPLES_MAX];   // command lines
    // Prints to cli->out (text) or fills cli->result (json). A failure is reported by the caller, once.
    ds_rc (*run)(ds_cli *cli, ds_error *err);
} ds_cli_command;

// What the program is made of; tests put a fault-injecting driver into the store.
typedef struct ds_program {
    ds_store store;
    ds_platform_types platforms;
    const volatile int *cancelled; // set by the signal handler
    const volatile int *draining;  // set by the signal handler, before cancelled where the command drains
    volatile int *drains;          // set by a command that drains
    void (*checkpoint)(void *context, const char *point); // ds_runtime's, for tests; may be NULL
} ds_program;

// One run of one command.
struct ds_cli {
    const ds_program *program;
    const char *self; // argv[0]: how we were called
    const ds_cli_command *command;
    ds_args args;
    ds_arena *arena; // of this run
    FILE *out;       // results
    bool json;       // --format json: fill result, print nothing to out
    bool colour;     // out is a terminal
    bool colour_messages;
    json_t *result;      // what stands under "result"
    json_t *diagnostics; // findings, for the envelope
    const char *object;  // what the failure is about, for the envelope; NULL: nothing in particular
    size_t rows_printed; // of the result, by output_row
    int exit;            // of a run that returned DS_DONE: 0, or 1 for findings, ...
};

// Ends with a row without a name.
extern const ds_option GLOBAL_OPTIONS[];
extern const ds_exit_code EXIT_CODES[];
extern const size_t EXIT_CODE_COUNT;
extern const ds_cli_command *const COMMANDS[];
extern const size_t COMMAND_COUNT;

const ds_cli_command *command_find(const char *name); // NULL when unknown
// DS_USAGE with "did you mean", or "not in this version yet".
ds_rc command_unknown(const char *name, ds_error *err);

// Parses argv (argv[0] is the program), runs the command, reports its failure, prints the envelope. Returns the exit
// code. Results go to out, everything else to stderr.
int cli_main(const ds_program *program, int argc, char **argv, FILE *out);
