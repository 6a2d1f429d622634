// The second error channel: findings about what a user wrote. Each has a place, a severity, a stable rule id, a
// message and often a hint. Collecting never stops at the first one; one run reports everything.
//
//     diag_add(diags, DIAG_ERROR, "L012", column->pos, "Store1/customers", "no column \"%s\"", name);
//     diag_hint(diags, "did you mean \"%s\"?", nearest);
//
// Ownership: a ds_diags owns copies of all texts. Thread rule: one thread at a time.
#pragma once
#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

// A place in a file of the model, 8 bytes; file 0 means "no place". Lines and columns count from 1; columns are code
// points. Values too large for their field stay at its maximum.
typedef struct ds_pos {
    uint32_t file;
    uint32_t line : 20;
    uint32_t column : 12;
} ds_pos;
#define NO_POS ((ds_pos){0, 0, 0})

// The files that positions refer to, in the arena given. Index 1 is the first. A text is there for the findings that
// show a line of it: it is borrowed, or, where it has no bytes and a reader is set, read when it is asked for.
typedef struct ds_files ds_files;
ds_files *files_new(ds_arena *arena);
uint32_t files_add(ds_files *files, const char *path, ds_str text); // text is borrowed for the life of files
const char *files_path(const ds_files *files, uint32_t file);
size_t files_count(const ds_files *files);
// Appends the text of a file to out; nothing when it can't be had.
typedef void files_reader(void *context, uint32_t file, ds_buf *out);
void files_set_reader(ds_files *files, files_reader *reader, void *context);
// Frees the text that was read last; before the arena, when a reader was set.
void files_release(ds_files *files);
void files_releasep(ds_files **files);

typedef enum ds_severity { DIAG_INFO, DIAG_WARNING, DIAG_ERROR } ds_severity;

typedef struct ds_diag {
    ds_severity severity;
    const char *rule;    // "M003"; "" when the finding has no rule
    const char *message; // lower case, quotes the user's text
    const char *hint;    // "" when there is none
    const char *object;  // "Store1/customers"; "" when unknown
    ds_pos pos;
} ds_diag;

typedef struct ds_diags ds_diags;
ds_diags *diags_new(const ds_files *files);
void diags_free(ds_diags *diags);
void diags_freep(ds_diags **diags);

// At most DIAGS_MAX findings are kept, the rest is counted.
enum { DIAGS_MAX = 10000 };
__attribute__((format(printf, 6, 7))) void diag_add(ds_diags *diags, ds_severity severity, const char *rule, ds_pos pos,
                                                    const char *object, const char *format, ...);
// Adds the next step to the finding added last.
__attribute__((format(printf, 2, 3))) void diag_hint(ds_diags *diags, const char *format, ...);

size_t diags_count(const ds_diags *diags);                                // of those kept
size_t diags_severity_count(const ds_diags *diags, ds_severity severity); // of all
bool diags_all_kept(const ds_diags *diags);
const ds_diag *diags_at(const ds_diags *diags, size_t i);
// Adds all of `more`, in order.
void diags_append(ds_diags *diags, const ds_diags *more);
// By path, line, column, rule, message: the order of reading files never shows. Equal findings are merged.
void diags_sort(ds_diags *diags);
const ds_files *diags_files(const ds_diags *diags);

const char *severity_name(ds_severity severity);
// One finding as compilers print it, with the source line and a caret; of findings of the same files by one thread at a
// time, since it may read one:
//   model.yaml:12:7: error: unknown key "colums" [M002]
//      12 |       colums:
//         |       ^~~~~~
//     hint: did you mean "columns"?
void diag_print(FILE *out, const ds_diags *diags, const ds_diag *diag, bool colour);
// {"severity","rule","message","hint","file","line","column","object"}; a new reference.
json_t *diag_json(const ds_diags *diags, const ds_diag *diag);
json_t *diags_json(const ds_diags *diags);
