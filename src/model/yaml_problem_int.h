// A syntax error in words for people. Private to model/.
#pragma once
#include <yaml.h>

#include "base/error.h"
#include "base/str.h"

typedef struct yaml_problem {
    yaml_mark_t mark;
    const char *message;
    const char *hint; // "" when there is none
    bool feature;     // it is YAML, but a part that models don't use
} yaml_problem;

// After yaml_parser_parse() has failed on text (without its byte order mark).
yaml_problem yaml_problem_of(const yaml_parser_t *parser, ds_str text);
