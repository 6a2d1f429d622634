#include "sim/demo.h"

const char DEMO_DIR[] = "datasurface-demo";
const char DEMO_TEMPLATE[] = "starter";
const char DEMO_STORE[] = "Store1";

const ds_demo_step DEMO_STEPS[] = {
    {"Intentions", "Three teams wrote down what they have and what they want; nobody wrote a pipeline.", DEMO_COMMAND,
     "init", true},
    {"A source", "Team customer_data has a database. The simulator plays the business behind it.", DEMO_COMMAND,
     "simulate Store1 --rows 12 --changes 0", true},
    {"Checks", "Names, types, keys, policies, who may use what: everything at once, before anything runs.",
     DEMO_COMMAND, "lint", false},
    {"Plan", "What it would take to serve these intentions from one merge database.", DEMO_COMMAND, "plan", false},
    {"Apply", "Tables, streams and the consumers' views.", DEMO_COMMAND, "apply", false},
    {"A batch", "One consistent snapshot of the source for each platform, and the transformer after its input.",
     DEMO_COMMAND, "run --once", false},
    {"Business goes on", "The source changes; each run reads it and writes only what has changed.", DEMO_ROUNDS, NULL,
     false},
    {"What consumers see", "The same customers: live, masked by a transformer, and how many versions history keeps.",
     DEMO_VIEWS, NULL, false},
    {"One customer's history", "Every version, with the batches and times in which it was valid.", DEMO_VERSIONS, NULL,
     false},
    {"Proof", "Source and merge tables, compared row by row within one snapshot.", DEMO_COMMAND, "verify", false},
};
const size_t DEMO_STEP_COUNT = sizeof DEMO_STEPS / sizeof DEMO_STEPS[0];

const char *const DEMO_NEXT[] = {
    "datasurface simulate Store1 --changes 50 && datasurface run --once",
    "datasurface history Consumer1/audit/Store1/customers --as-of 1",
    "datasurface graph",
};
const size_t DEMO_NEXT_COUNT = sizeof DEMO_NEXT / sizeof DEMO_NEXT[0];
