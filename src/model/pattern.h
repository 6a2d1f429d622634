// The shapes that short texts of a model have: names, references, locations, durations. One table for the loader's
// checks, its hints and the JSON Schema's patterns. Plain data, any thread.
#pragma once
#include "base/str.h"

typedef enum model_pattern {
    PATTERN_NONE,
    PATTERN_NAME,       // datasets, stores, workspaces, containers ...: [A-Za-z][A-Za-z0-9_]{0,127}
    PATTERN_COLUMN,     // the same
    PATTERN_LABEL,      // zones, teams, vendors ...: [A-Za-z0-9][A-Za-z0-9_.-]*, at most 128
    PATTERN_REPOSITORY, // acme/model@main
    PATTERN_TEAM,       // ZONE/TEAM
    PATTERN_LOCATION,   // VENDOR:PART[/PART...]
    PATTERN_PLACE,      // PART[/PART...], within a vendor
    PATTERN_PAIR,       // STORE/DATASET
    PATTERN_GROUP,      // WORKSPACE/GROUP
    PATTERN_CONSUMER,   // WORKSPACE/GROUP[/DATASET]
    PATTERN_STREAM,     // STORE[/DATASET]
    PATTERN_RETENTION,  // 7y
    PATTERN_SPAN,       // 10m
    PATTERN_OVERLAP,    // 10m, or 1000
    PATTERN_MEMORY,     // 64Mi
    PATTERN_DNS_LABEL,  // a namespace of a cluster: RFC 1123, section 2.1, in lower case
} model_pattern;
enum { PATTERN_COUNT = PATTERN_DNS_LABEL + 1, PATTERN_NAME_MAX = 128 };

typedef struct model_pattern_info {
    const char *what;  // "a repository"
    const char *form;  // the rule in words, for hints
    const char *regex; // ECMA 262, anchored; says the same as matches
    bool (*matches)(ds_str text);
} model_pattern_info;
extern const model_pattern_info MODEL_PATTERNS[PATTERN_COUNT];
