// What differs between two models, field by field, by the tables of fields.h: no field can be forgotten. Where a
// document stands, and how it is written, makes no difference: files, comments, quotes, aliases, short forms, defaults
// written out.
//
// Documents are matched by kind and name (an Ecosystem by its kind: a model has one), entries of maps and named items
// of lists by their name, other items of lists by their place. A document, or an object within one (dataset, column,
// group, platform, container), that is there on one side only is one change. Lists of texts are sets unless the table
// says `ordered`: for columns, key columns, platforms and arguments the order is a field of its own, DIFF_MOVED.
//
//     ds_diff diff = model_diff(model_documents(base, arena), model_documents(head, arena), arena);
//
// Everything lives in the arena given and refers to the models. Models loaded with an Environment give what that made
// of them. The time taken is that of a walk over the documents handed in: hand in those that may differ. Any thread.
#pragma once
#include "model/fields.h"

typedef struct ds_document {
    const model_kind *kind;
    const void *object; // ds_workspace ..., as the kind says
} ds_document;
typedef struct ds_documents {
    const ds_document *v;
    size_t n;
} ds_documents;

// All documents of a model, each once: outputs of transformers are part of their workspace.
ds_documents model_documents(const ds_model *model, ds_arena *arena);
// Those that stand in marked files, by number.
ds_documents model_documents_in(const ds_model *model, const bool *files, ds_arena *arena);
// The text of a document's field, "name" or "team" for example; "" when it is not given or not there.
const char *document_text(ds_document document, const char *key);

typedef enum ds_diff_action { DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGED, DIFF_MOVED } ds_diff_action;
const char *diff_action_name(ds_diff_action action); // "added" ...

// The innermost object around a change: a dataset or column, else the document. Of an added one `before` is NULL, of a
// removed one `after`.
typedef struct ds_diff_part {
    const model_shape *shape;
    const void *before, *after;
} ds_diff_part;

typedef struct ds_change {
    ds_diff_action action;
    ds_document before, after; // object NULL: added, removed
    ds_diff_part part;
    ds_diff_part store, dataset; // around the change; shape NULL: none
    ds_diff_part inner;          // the innermost struct around it, or the one that came or went
    const model_field *row;      // of the field that changed; NULL: the object as a whole, or an entry's short form
    const char *object;          // "Datastore Store1/customers.phone"
    const char *field;           // "capture.trigger.cron" from the object inwards; "" for the object as a whole
    const char *old_text;        // as YAML, at most DIFF_TEXT_MAX bytes; NULL: nothing there, or a whole object
    const char *new_text;
    ds_pos pos;     // in the head's files: the place, or what it was taken out of; file 0 when the document is gone
    ds_pos old_pos; // in the base's files; file 0 when the document is new
} ds_change;

typedef struct ds_diff {
    ds_change *v;
    size_t n;
} ds_diff;

enum { DIFF_TEXT_MAX = 2000 };

// Changes by kind, name, then as the fields stand in their tables.
ds_diff model_diff(ds_documents base, ds_documents head, ds_arena *arena);
