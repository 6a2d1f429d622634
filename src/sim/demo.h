// The script of `datasurface demo`: what it tells, and the commands that it runs. cli/cmd_demo.c plays it.
#pragma once
#include <stdbool.h>
#include <stddef.h>

typedef enum ds_demo_action {
    DEMO_COMMAND,  // runs `text` as a command line
    DEMO_ROUNDS,   // lets the simulator change the source and brings the changes over, a few times
    DEMO_VIEWS,    // the same customers live, masked and with their number of versions
    DEMO_VERSIONS, // every version of one customer
} ds_demo_action;

typedef struct ds_demo_step {
    const char *title;
    const char *say;
    ds_demo_action action;
    const char *command;
    bool first_time; // only when the directory is new
} ds_demo_step;

extern const ds_demo_step DEMO_STEPS[];
extern const size_t DEMO_STEP_COUNT;
extern const char DEMO_DIR[];
extern const char DEMO_TEMPLATE[];
extern const char DEMO_STORE[];

// What to try afterwards, in the demo's directory.
extern const char *const DEMO_NEXT[];
extern const size_t DEMO_NEXT_COUNT;
