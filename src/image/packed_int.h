// Tables made of packed datasets. Private to image/.
#pragma once
#include "image/image_int.h"

// Where a scan is.
typedef struct packed_row {
    const char *store;
    int64_t place; // of the dataset in its store, from 0
    ds_dataset dataset;
    size_t at;         // row of the dataset, from 0
    ds_arena *scratch; // until the next dataset
} packed_row;

typedef struct packed_table {
    image_table_id id;
    int name_column;                        // the dataset's name; the store's is column 0
    size_t (*count)(const packed_row *row); // rows of this dataset
    void (*cell)(packed_row *row, sqlite3_context *context, int column);
} packed_table;

enum { PACKED_TABLE_COUNT = 2 };
extern const packed_table PACKED_TABLES[PACKED_TABLE_COUNT];

// Makes them known to the image's connection; SQLite's result code.
int packed_tables_add(ds_image *image);
