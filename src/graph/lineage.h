// Where the columns of a transformer's output come from, read from its SQL as PostgreSQL parses it. What the SQL says
// of its inputs is taken as it stands; no database is asked. A text that can't be followed (a command, another
// dialect, a table that is no input) still names its inputs, with a note that says why there is no more.
// Pure: reads a model, fills an arena; any thread.
#pragma once
#include "model/model.h"

typedef enum ds_influence {
    INFLUENCE_VALUE,    // the value is made of it
    INFLUENCE_INDIRECT, // it only decides which value or which rows: WHERE, JOIN, GROUP BY, CASE WHEN, PARTITION BY
} ds_influence;

typedef struct ds_lineage_input {
    const ds_datastore *store;
    const ds_dataset *dataset;
} ds_lineage_input;

typedef struct ds_lineage_edge {
    size_t input;           // in ds_lineage.inputs
    const ds_column *from;  // of that input
    const ds_column *to;    // of the output; NULL: it decides which rows there are, so it bears on every column
    ds_influence influence; // INFLUENCE_INDIRECT where to is NULL
} ds_lineage_edge;

typedef struct ds_lineage {
    const ds_lineage_input *inputs; // each dataset once, in order of mention
    size_t input_count;
    const ds_lineage_edge *edges; // by column of the output in its order, rows last; then by input and its column
    size_t edge_count;
    const char *note; // why there are no edges; NULL: these are all
} ds_lineage;

enum { LINEAGE_SQL_MAX = 64 << 10 }; // a longer text isn't followed

// workspace has the transformer, output is one of the datasets of its output store.
void lineage_of_output(const ds_model *model, const ds_workspace *workspace, const ds_dataset *output, ds_arena *arena,
                       ds_lineage *out);
