// The models that `init` writes, embedded from templates/NAME/*.yaml. Constant; any thread.
#pragma once
#include <stddef.h>

typedef struct ds_template_file {
    const char *path;
    const char *text;
} ds_template_file;

typedef struct ds_template {
    const char *name;
    const char *summary;
    const char *store; // what `simulate` changes
    const ds_template_file *files;
    size_t n;
} ds_template;

const ds_template *template_find(const char *name); // NULL when unknown
