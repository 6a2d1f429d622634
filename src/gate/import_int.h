// Writing YAML through libyaml's emitter, so that no value can break out of its place.
#pragma once
#include <yaml.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct yaml_out {
    yaml_emitter_t emitter;
    ds_buf *out;
    bool failed;
} yaml_out;

// One document; y stays where it is until the end.
void yaml_out_begin(yaml_out *y, ds_buf *out);
ds_rc yaml_out_end(yaml_out *y, ds_error *err);

void yaml_map_begin(yaml_out *y, const char *key); // key NULL: the document, or an entry of a list
void yaml_map_end(yaml_out *y);
void yaml_list_begin(yaml_out *y, const char *key);
void yaml_list_end(yaml_out *y);
// A word of the language or a legal name: plain where YAML lets it be.
void yaml_word(yaml_out *y, const char *key, const char *value); // key NULL: an entry of a list
// Anybody's text: always quoted.
void yaml_quoted(yaml_out *y, const char *key, const char *value);

// --- comments

// "# text\n" between two documents. No text breaks out: what isn't a letter of some script or plain ASCII is escaped.
void yaml_comment(ds_buf *out, const char *text);
