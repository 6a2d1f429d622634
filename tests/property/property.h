// What the property tests share. Each is one function over random sequences, run on a pair of databases that is named
// on the command line; DS_SEED repeats a run, DS_ROUNDS makes it longer.
#pragma once
#include "support/check.h"
#include "support/pair.h"

// A number below n.
int below(int n);
// DS_ROUNDS, else so many on SQLite and one where a server's round trips are in it.
int property_rounds(const test_pair *pair, int usual);
// main: *state of the test is its const test_pair.
int property_main(int argc, char **argv, CMUnitTestFunction test);
