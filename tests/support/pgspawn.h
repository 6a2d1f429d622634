// Starts a program, found by PATH, with the test's environment and outputs. Private to the pg files here.
#pragma once
#include <sys/types.h>

// args ends with NULL and begins with the program, as execvp has it. Aborts when there is no such program.
pid_t pgspawn(const char *const *args);
// Waits for its end: what waitpid says.
int pgspawn_wait(pid_t pid);
