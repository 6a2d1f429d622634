// What a directory's files looked like when their ids were known last, so that unchanged files are recognised without
// being read, as git's index does it: by size, times and inode. A file that was written when it was looked at is not
// trusted (its times need not change again); nor is an index that is damaged.
#pragma once
#include "model/tree.h"

// Makes the ids of entries known that look as they did; *missed is how many don't. No index is one that knows nothing.
void stat_index_apply(const char *path, ds_tree *tree, size_t *missed);
// Writes the index of a tree whose ids are all known. opened_ns: when its directory was begun to be read, since 1970.
// What can't be written is left: the index only saves time.
void stat_index_write(const char *path, const ds_tree *tree, int64_t opened_ns);
