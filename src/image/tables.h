// The tables of an image that anybody may query. docs/query.md is printed from here.
//
// Adding one: an id, a row in tables.c, and what fills it in objects.c or, for what lies above, in cli/.
#pragma once
#include "base/buf.h"

typedef enum image_table_id {
    IMAGE_FILES,
    IMAGE_ECOSYSTEM,
    IMAGE_VENDORS,
    IMAGE_LOCATIONS,
    IMAGE_ZONES,
    IMAGE_TEAMS,
    IMAGE_CONTAINERS,
    IMAGE_STORES,
    IMAGE_DATASETS,
    IMAGE_COLUMNS,
    IMAGE_WORKSPACES,
    IMAGE_GROUPS,
    IMAGE_SINKS,
    IMAGE_TRANSFORMERS,
    IMAGE_SERVICES,
    IMAGE_PLATFORMS,
    IMAGE_ASSIGNMENTS,
    IMAGE_PRIMARIES,
    IMAGE_STREAMS,
    IMAGE_EDGES,
    IMAGE_DATASET_LINEAGE,
    IMAGE_COLUMN_LINEAGE,
    IMAGE_DIAGNOSTICS,
    IMAGE_TABLE_COUNT,
} image_table_id;

typedef struct image_column {
    const char *name;
    const char *type; // TEXT or INTEGER
    const char *about;
} image_column;

enum { IMAGE_COLUMNS_MAX = 16 };
typedef struct image_table {
    const char *name;
    const char *about;
    size_t key; // so many columns, the first ones, tell a row of a valid model from all others; 0: none do
    image_column columns[IMAGE_COLUMNS_MAX]; // ends at the first without a name
    bool packed;                             // its rows are read from packed datasets
    bool late; // stands in no image: filled for a query that reads it (query.h); all columns are TEXT
} image_table;
extern const image_table IMAGE_TABLES[IMAGE_TABLE_COUNT];

size_t image_table_width(const image_table *table);
// "NAME (COLUMN TYPE, ...)", without what a constraint would add.
void image_table_shape(const image_table *table, ds_buf *out);
// The statement that puts a row: "INSERT INTO "NAME" VALUES(?1, ...)".
void image_table_insert(const image_table *table, ds_buf *out);
// docs/query.md
void image_tables_markdown(ds_buf *out);
