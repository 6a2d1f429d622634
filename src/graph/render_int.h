// Texts in the languages of graphs, so that no name breaks out of its place.
#pragma once
#include "base/buf.h"

// Between double quotes.
void render_mermaid_text(ds_buf *out, const char *text);
void render_dot_text(ds_buf *out, const char *text);
