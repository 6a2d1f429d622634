// Where images are kept: a directory per model, below $XDG_CACHE_HOME/datasurface (else ~/.cache/datasurface). Nothing
// in it is worth keeping; what can't be read or written only costs time.
#pragma once
#include "base/arena.h"
#include "base/buf.h"

// The directory of the model, made where need be: of root, or of the usual place when root is NULL. what: an absolute
// path, or what else names the model. NULL: there can be none. In arena.
const char *cache_dir(const char *root, const char *what, ds_arena *arena);
// DIR/TREE-FORMAT-ENVIRONMENT.image
const char *cache_image_path(const char *dir, const char *tree_id, const char *environment, ds_arena *arena);
// Is it the path of an image of a model with this Environment (NULL: without one)?
bool cache_has_environment(const char *path, const char *environment);
// The image written last of this format, or NULL.
const char *cache_nearest(const char *dir, ds_arena *arena);
// Removes all but the `keep` images written last, and what crashed writers have left.
void cache_prune(const char *dir, size_t keep);
// Replaces the file at once, without waiting for the disk.
void cache_write(const char *path, ds_str bytes);

enum { CACHE_IMAGES_MAX = 4 };
