// The reference of the language, docs/fields.md, printed from the tables of fields. Any thread.
#pragma once
#include "base/buf.h"

// Appends the page, in Markdown.
void model_fields_markdown(ds_buf *out);
