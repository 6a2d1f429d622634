// Golden tests: a directory of input in, text out, compared with expected.txt beside the input.
//
// Adding a case: a directory below tests/golden/AREA/ with its input, then UPDATE_GOLDEN=1, then read the result.
// Adding an area: a function golden_AREA in golden_AREA.c, a row in run_golden.c, a line in meson.build.
#pragma once
#include <stdio.h>

// Writes what the case in directory dir comes to.
typedef void golden_case(const char *dir, FILE *out);

golden_case golden_ddl;   // tables and views of a model
golden_case golden_model; // findings of the loader
golden_case golden_lint;  // all findings about a model
