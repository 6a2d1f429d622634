// Files, whole: bounded reads, atomic writes, directory listings. Paths are the caller's; errors name them.
#pragma once
#include "base/buf.h"
#include "base/error.h"

// Appends the file's bytes to out; a file larger than out->max, a directory or an unreadable file is an error.
ds_rc file_read(const char *path, ds_buf *out, ds_error *err);

// Writes a new file beside path, syncs it and renames it over path: readers see the old text or the new one, never
// a part. exclusive: refuses when path exists (DS_USAGE).
ds_rc file_write_atomic(const char *path, ds_str text, bool exclusive, ds_error *err);

bool file_exists(const char *path);
bool file_is_dir(const char *path);
// Creates the directory and its parents; one that exists is fine.
ds_rc file_make_dirs(const char *path, ds_error *err);

// Calls visit for every regular file below dir (symbolic links are followed to files, not to directories; one that
// leads nowhere is visited, too, and fails when read), names that begin with '.' left out, in byte order of their
// paths. path is relative to dir. Stops at the first failure.
typedef ds_rc file_visit(const char *path, void *context, ds_error *err);
ds_rc file_walk(const char *dir, file_visit *visit, void *context, ds_error *err);

// dir + "/" + path, or path itself when it is absolute or dir is ".". Appends to out.
void file_join(ds_buf *out, const char *dir, const char *path);
enum { FILE_PATH_MAX = 4096, FILE_WALK_DEPTH_MAX = 64 };
