// The rules that the loader checks, M001 and up: what a text must be before anybody can ask what it means. The gate has
// the rules between objects in a table of the same type. Ids are stable for ever.
#pragma once
#include "base/diag.h"

typedef struct ds_rule {
    const char *id;
    ds_severity severity;
    const char *title;   // a few words
    const char *meaning; // what it says and what to do
    const char *failing; // a model of one file that breaks it
    const char *passing; // the same, repaired
} ds_rule;

typedef enum model_rule {
    RULE_SYNTAX,
    RULE_UNKNOWN_KEY,
    RULE_KIND,
    RULE_DUPLICATE_KEY,
    RULE_MISSING,
    RULE_SHAPE,
    RULE_EMPTY,
    RULE_VALUE,
    RULE_NAME,
    RULE_CASE,
    RULE_RESERVED,
    RULE_DUPLICATE,
    RULE_TYPE,
    RULE_CUT_OFF,
    RULE_YAML_FEATURE,
    RULE_LIMIT,
    RULE_ENCODING,
    RULE_ALIAS,
    RULE_NOT_FOR_TYPE,
    RULE_REFERENCE,
    RULE_ENVIRONMENT,
    RULE_CHOICE,
    RULE_LINK,
    RULE_INNER,
    MODEL_RULE_COUNT,
} model_rule;
extern const ds_rule MODEL_RULES[MODEL_RULE_COUNT];
