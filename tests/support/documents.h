// The documents of a YAML text, one by one.
#pragma once
#include "base/str.h"

enum { DOCUMENTS_MAX = 64 };

// They point into the text, without the lines "---". At most DOCUMENTS_MAX.
size_t documents_split(ds_str text, ds_str *out);
