// `export model`: the model itself as datasets, which a transformer keeps like any others. What it has are the tables
// that may be queried (image/tables.h) and whose rows have a key.
#pragma once
#include "cli/command.h"

// Prints the documents: a workspace whose transformer is this program, with an output for each table.
ds_rc export_model_documents(ds_cli *cli, ds_error *err);
// Run by the transformer: fills each output with the rows of the table of that name, the columns that it has.
ds_rc export_model_fill(ds_cli *cli, ds_error *err);
