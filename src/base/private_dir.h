// A directory below $TMPDIR (or /tmp) that nobody else may look into, for as long as it is wanted. One whose process
// was killed is removed when the next one is made: a lock of the kernel says which these are.
#pragma once
#include "base/error.h"

enum { PRIVATE_DIR_PATH = 1024 };
typedef struct ds_private_dir {
    char path[PRIVATE_DIR_PATH]; // "" when there is none
    int lock;
} ds_private_dir;

ds_rc private_dir_make(ds_private_dir *out, ds_error *err);
// With all that is in it; does nothing to a zeroed one.
void private_dir_remove(ds_private_dir *dir);
// A new file in it that its owner alone may read; overwrites none.
ds_rc private_dir_write(const ds_private_dir *dir, const char *name, const char *text, ds_error *err);
