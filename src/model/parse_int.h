// The files of a tree -> objects, on as many threads as there are processors. Private to model/.
//
// The files are cut into slices of neighbours. Each thread takes the next slice, until none is left, and decodes it
// with strings, arena and findings of its own; finished slices are joined in the order of the files. So what comes out
// is that of one thread, whoever was faster.
#pragma once
#include "model/decode_int.h"
#include "model/tree.h"

enum { PARSE_THREADS_MAX = 16 };

// Adds the objects and findings of all files to `whole`, in order of (path, place in file); positions name the files by
// their place in the tree, from 1. Makes the ids of what was read known. Memory goes to whole->arena.
// Fails with the failure of the first file that can't be read.
ds_rc parse_tree(ds_tree *tree, decoder *whole, ds_error *err);
