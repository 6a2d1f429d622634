// The language of models as a JSON Schema (draft 2020-12), for editors and for whoever writes models by program. Made
// from the tables of fields.h: one schema for one document, by its kind, with descriptions and examples. What spans
// objects or needs a parser of ours (column types) is left to lint. Any thread.
#pragma once
#include <jansson.h>

// A new reference; never NULL.
json_t *model_json_schema(void);
