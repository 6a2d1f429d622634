// Writing a template's files and the editor's schema; shared by init, demo and import.
#pragma once
#include "cli/command.h"
#include "sim/templates.h"

// Refuses (DS_USAGE) a directory that holds a model, before anything is written. Prints what it wrote.
ds_rc init_write(ds_cli *cli, const char *dir, const ds_template *template, ds_error *err);
// datasurface.schema.json, which the first line of every YAML file names.
ds_rc init_write_schema(ds_cli *cli, const char *dir, ds_error *err);
