// Options and arguments of a command line, checked against the tables. Texts are borrowed from argv and environment.
#pragma once
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum ds_option_type {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_INT,      // from `least` to `most`, never negative
    OPTION_CHOICE,   // one of `choices`
    OPTION_DURATION, // "10s" "500ms" "2m", a plain number is seconds
} ds_option_type;

typedef struct ds_option {
    const char *name; // without dashes
    char letter;      // 0: none
    ds_option_type type;
    const char *value;    // what help calls it: "DIR"
    const char *choices;  // "text|json"
    const char *fallback; // the default; NULL: none
    const char *env;      // environment variable that gives the default; NULL: none
    const char *help;
    int64_t least, most; // of an OPTION_INT; most 0: no limit
} ds_option;

typedef struct ds_arg_value {
    const ds_option *option;
    const char *text; // "" for a flag
} ds_arg_value;

enum { ARGS_MAX = 1000 };
typedef struct ds_args {
    const ds_option *global, *own; // tables, each ends with a row without a name; own may be NULL
    ds_arg_value values[64];
    size_t value_count;
    const char **words; // what is neither an option nor an option's value; the command's name is not among them
    size_t word_count;
    bool help, version;
} ds_args;

// The index of the command's name in argv, 0 when there is none.
int args_command_index(int argc, char **argv, const ds_option *global);
// DS_USAGE: unknown option, missing or bad value. command is 0 or its index in argv.
ds_rc args_parse(ds_arena *arena, int argc, char **argv, int command, ds_args *args, ds_error *err);

// The last value given, else the environment's, else the fallback, else NULL. The option must be in a table.
const char *args_text(const ds_args *args, const char *name);
bool args_flag(const ds_args *args, const char *name);
bool args_given(const ds_args *args, const char *name); // on the command line
int64_t args_int(const ds_args *args, const char *name, int64_t otherwise);
int64_t args_duration_ms(const ds_args *args, const char *name, int64_t otherwise);
// The i-th word, or NULL.
const char *args_word(const ds_args *args, size_t i);
