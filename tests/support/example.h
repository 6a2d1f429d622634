// Examples of lint rules in the model where they stand.
#pragma once
#include "base/buf.h"

// Appends the documents of the example, then those of LINT_EXAMPLE_MODEL whose kind and name none of them
// has. An example that begins with LINT_EXAMPLE_WHOLE stands alone.
void example_compose(const char *example, ds_buf *out);
