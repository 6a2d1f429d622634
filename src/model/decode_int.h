// Trees of nodes -> structs of model.h, by the tables of fields.h. Private to model/.
#pragma once
#include "base/vec.h"
#include "model/fields.h"
#include "model/intern_int.h"
#include "model/yaml_int.h"

enum { DECODE_PATH_MAX = 4 };

typedef struct decoder {
    ds_arena *arena;   // of the model
    ds_arena *scratch; // of the document
    ds_diags *diags;
    interner *strings;
    const char *path[DECODE_PATH_MAX]; // names from the document inwards: {"Store1", "customers"}
    size_t path_n;
    const yaml_node *document;
    VEC(void *) objects[16]; // by index of MODEL_KINDS, in order of reading
} decoder;

// Decodes one document and keeps its object.
void decode_document(decoder *d, const yaml_node *root);

// A finding about the object that is being decoded.
__attribute__((format(printf, 4, 5))) void decode_find(decoder *d, model_rule rule, ds_pos pos, const char *format,
                                                       ...);

// One field's value: who it is for messages, where its key stands, what was written, and the struct that gets it.
typedef struct decode_slot {
    const model_field *field;
    const char *label; // the key, or the name of the entry that has a short form
    ds_pos key_pos;
    const yaml_node *node;
    void *base;
} decode_slot;

// decode_report.c: the object's path, in scratch; the findings and hints that many fields share.
const char *decode_object(decoder *d);
// The user's text for a message: one line, not too long, in scratch.
const char *decode_show(decoder *d, ds_str text);
// `"sinks" is a list, not text`
void decode_wrong_shape(decoder *d, const decode_slot *slot, const char *needed);
// Finds an empty value; false when there is one.
bool decode_has_value(decoder *d, const decode_slot *slot);
// Checks a name against the pattern; findings speak of `what` ("column"), or of just a name when it is "name".
void decode_check_name(decoder *d, model_pattern pattern, const char *what, ds_pos pos, const char *name);
// Hints at the nearest of n words, which it returns, or lists them all.
const char *decode_hint_words(decoder *d, const char *written, const char *const *words, size_t n);
// "for example KEY: EXAMPLE", of the field, or of the entry or item that the slot is.
void decode_hint_field(decoder *d, const model_field *field);
void decode_hint_example(decoder *d, const decode_slot *slot);

// decode_mend.c: the map with values whole again that a comma has cut, each a finding.
const yaml_node *decode_mend(decoder *d, const yaml_node *map);

// decode.c: where the field's value is written to.
void *decode_member(decoder *d, const decode_slot *slot);
// base has its defaults. name: of an entry of a map or a document, else NULL.
void decode_struct(decoder *d, const model_shape *shape, const decode_slot *slot, const char *name);

// decode_value.c: everything that is a text or a list of texts. False when the slot is of another kind.
bool decode_scalar(decoder *d, const decode_slot *slot);
// The default of every field, also of nested structs.
void decode_defaults(const model_shape *shape, void *base);

// names.c: names of one scope. Equal ones and those that differ by case are findings at the later one; *duplicate is
// set on all but the first of equal names.
typedef struct scoped_name {
    const char *name;
    ds_pos pos;
    bool duplicate;
} scoped_name;
typedef struct name_scope {
    ds_diags *diags;
    model_rule duplicate_rule; // RULE_DUPLICATE_KEY in maps, else RULE_DUPLICATE
    const char *what;          // "column"
    const char *object;        // of the findings
    ds_arena *scratch;
} name_scope;
void names_check(const name_scope *scope, scoped_name *names, size_t n);
// False when no two names are equal or differ by case; much cheaper than to check them. True says nothing.
bool names_may_clash(const scoped_name *names, size_t n, ds_arena *scratch);
