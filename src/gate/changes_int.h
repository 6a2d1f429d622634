// What the steps of a check share: rules and findings about changes.
#pragma once
#include "gate/changes.h"
#include "model/rules.h"

// Adding a rule: a member here (at the end of its family: ids never change), a row in rules_change.c, the check. The
// test of the examples fails until all three are there.
typedef enum change_rule_id {
    CHANGE_UNKNOWN_REPOSITORY,
    CHANGE_NOT_OWNED,
    CHANGE_FIRST_MODEL,
    CHANGE_NOT_OFFERED,
    CHANGE_OTHER_OWNER,
    CHANGE_COLUMN_REMOVED,
    CHANGE_COLUMN_NOT_NULL,
    CHANGE_TYPE_NARROWED,
    CHANGE_TYPE_WIDENED,
    CHANGE_NULL_FORBIDDEN,
    CHANGE_NULL_ALLOWED,
    CHANGE_KEY,
    CHANGE_PARTITION,
    CHANGE_CLASSIFICATION,
    CHANGE_CLASSIFIED,
    CHANGE_COLUMN_ADDED,
    CHANGE_IN_USE,
    CHANGE_DEPRECATED,
    CHANGE_CONSISTENCY,
    CHANGE_VIEW_GONE,
    CHANGE_MILESTONING,
    CHANGE_MERGE_DATABASE,
    CHANGE_UNSERVED,
    CHANGE_SOURCE,
    CHANGE_MOVED_AT_ONCE,
    CHANGE_RULE_COUNT,
} change_rule_id;
extern const ds_rule CHANGE_RULES[CHANGE_RULE_COUNT];

// Reports at the change's place in the head; of a document that is gone the text names the place in the base.
__attribute__((format(printf, 4, 5))) void gate_find(gate *g, change_rule_id rule, const ds_change *about,
                                                     const char *format, ...);
// The same for what breaks somebody, which is noted at the change. An approved one is a warning.
__attribute__((format(printf, 4, 5))) void gate_break(gate *g, change_rule_id rule, gate_change *change,
                                                      const char *format, ...);
// The change is in a document that has another team than before.
bool gate_is_handed_over(const ds_change *c);
// "" for NULL.
const char *gate_text(const char *text);
