// What the files of image/ share: tables that only they know, and SQLite's failures.
#pragma once
#include <sqlite3.h>
#include <stdio.h>

#include "image/image.h"
#include "model/lookup.h"
#include "model/pack.h"

// meta      what the image is of: format, and counts that cost too much to count
// document  the packed documents; store: the name of the Datastore, or of its transformer's output
// dataset   their datasets, each packed
// remark    what was found while the text of a file was read
// A sum is of what stands in its row: others act on what they read here, so that a damaged byte must not pass.
#define IMAGE_INNER_TABLES                                                                                             \
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"                                                   \
    "CREATE TABLE document(id INTEGER PRIMARY KEY, file INTEGER, kind INTEGER, store TEXT, words BLOB, head BLOB,"     \
    " sum INTEGER);"                                                                                                   \
    "CREATE TABLE dataset(document INTEGER, name TEXT, place INTEGER, packed BLOB, sum INTEGER,"                       \
    " PRIMARY KEY(document, name))"                                                                                    \
    " WITHOUT ROWID;"                                                                                                  \
    "CREATE TABLE remark(file INTEGER, severity TEXT, rule TEXT, message TEXT, hint TEXT, object TEXT, line INTEGER,"  \
    " \"column\" INTEGER);"

// Changes whenever an image written before can't be read any more: of the program, the tables and the packing.
uint64_t image_format(void);

static const char *const IMAGE_INNER_NAMES[] = {"meta", "document", "dataset", "remark"};

struct ds_image {
    sqlite3 *db;
    bool writing;                                 // not finished yet
    bool owned;                                   // the connection
    bool ours;                                    // a statement of ours is being compiled
    bool damaged;                                 // something could not be read
    ds_tree *tree;                                // its files; NULL: nobody has asked for them
    sqlite3_stmt *one, *all;                      // datasets of a document
    sqlite3_stmt *documents, *remarks, *datasets; // as write.c copies them
};
ds_image *image_new(sqlite3 *db);

// --- write.c
struct ds_image_writer {
    sqlite3 *db;
    char *temporary; // its name until it is finished; NULL: it has its own, or is in memory
    sqlite3_stmt *rows[IMAGE_TABLE_COUNT];
    sqlite3_stmt *document, *dataset, *remark;
    uint32_t files;
    int64_t documents;
    image_table_id table; // of the row that is being written
    int cell;             // its last one
    bool partial;         // some remarks were too many to be kept
};
// Runs what has been bound.
ds_rc image_step(ds_image_writer *w, sqlite3_stmt *statement, ds_error *err);

// --- match.c: files of a tree that an image knows.
typedef struct image_match {
    uint32_t *file; // by entry of the tree: the image's number of the same path and content; 0: it has none
    size_t known;
} image_match;
ds_rc image_match_tree(ds_image *image, ds_tree *tree, ds_arena *arena, image_match *out, ds_error *err);
// Fills *err from the connection; DS_ENV, or DS_INTERNAL for a file that is no image or a damaged one.
ds_rc image_fail(sqlite3 *db, const char *what, ds_error *err);

ds_rc image_damaged(ds_error *err); // DS_INTERNAL

// A prepared statement that must be right.
ds_rc image_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, ds_error *err);
void image_finalizep(sqlite3_stmt **statement);
// With what it is seeded: numbers of the same row.
int64_t image_sum(int64_t a, int64_t b, ds_str bytes);
int64_t image_document_sum(int64_t id, int64_t file, int64_t kind, ds_str words, ds_str head);
ds_str image_blob(sqlite3_stmt *statement, int column);      // until the next step
const char *image_text(sqlite3_stmt *statement, int column); // "" for null
