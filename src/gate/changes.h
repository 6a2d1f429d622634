// What a pull request changes, and whose that is. The parent declares a child (name and repository, both part of the
// parent's own document), the child's repository defines it: the Ecosystem its zones and platform services, a zone its
// teams; Environments are the Ecosystem's. It is the object that is owned, never the file.
//
// A change or removal is judged by the owner in the base, an addition by the owner in the head. An object changes hands
// in two steps: its owner offers it (`offered_to`), and whoever it is offered to changes `team`. Where the base has no
// Ecosystem, or one without a repository, all is the head's Ecosystem's. What nobody declares (a finding of lint)
// belongs to the nearest one above that somebody does. Everything lives in the arena given and refers to the models;
// any thread.
#pragma once
#include "model/diff.h"
#include "platform/assign.h"

// --- owners: repositories "PATH@BRANCH", as the model writes them

typedef struct ds_owners ds_owners; // of one model
// Never NULL; "" where the model has no Ecosystem either.
const char *owners_of_team(const ds_owners *owners, const char *team); // "ZONE/TEAM"
const char *owners_of_zone(const ds_owners *owners, const char *zone);
const char *owners_of_service(const ds_owners *owners, const char *service);
bool owners_has_ecosystem(const ds_owners *owners); // with a repository
bool owners_has_team(const ds_owners *owners, const char *team);
// Every repository that owns anything, each once, in order of the declarations.
size_t owners_count(const ds_owners *owners);
const char *owners_at(const ds_owners *owners, size_t i);

// --- changes

// What happens to a thing at `apply`, the weakest first.
typedef enum gate_effect {
    EFFECT_NOTHING,
    EFFECT_PRIORITY,
    EFFECT_SETTINGS,
    EFFECT_DATASET_KEPT,
    EFFECT_DATASET_ADDED,
    EFFECT_COLUMN_KEPT,
    EFFECT_COLUMN_ADDED,
    EFFECT_WIDENED,
    EFFECT_REKEYED,
    EFFECT_VIEW_REPLACED,
    EFFECT_MOVED,
    EFFECT_CREATED,
    EFFECT_ENDED,
    EFFECT_RECUT,
    EFFECT_REFUSED,
} gate_effect;
enum { EFFECT_COUNT = EFFECT_REFUSED + 1 };
typedef enum gate_thing { THING_PLATFORM, THING_STREAM, THING_GROUP, THING_TRANSFORMER } gate_thing;

typedef struct gate_affected {
    gate_thing kind;
    const char *name;  // YellowLive, YellowLive/Store1, Consumer1/live, the transformer's workspace
    const char *owner; // its repository
    gate_effect effect;
} gate_affected;

typedef struct gate_change {
    const ds_change *what;
    const char *owner;
    bool allowed;                 // the pull request's repository is the owner
    bool breaking;                // consumers, or what apply has made, can't live with it
    const gate_affected *affects; // each thing once, by kind and name
    size_t affects_n;
} gate_change;

// A check on its way through its steps.
typedef struct gate {
    const ds_model *base, *head;
    ds_owners *base_owners, *head_owners;
    ds_documents base_documents, head_documents; // what is compared
    ds_platform_types types;
    bool approve_breaking;
    gate_change *changes;
    size_t n;
    ds_diags *diags; // of the head's files
    ds_arena *arena;
} gate;

// All that differs, with owners; nothing is judged yet. Documents that are missing since their file can't be read,
// which diags say, are no change.
void gate_collect(gate *g);
