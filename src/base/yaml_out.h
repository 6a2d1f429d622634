// Writing YAML through libyaml's emitter, so that no value can break out of its place. Thread rule: one thread at a
// time.
//
//     yaml_out y;
//     yaml_out_begin(&y, &text);
//     yaml_word(&y, "kind", "Datastore");
//     if (!yaml_out_end(&y)) ...
#pragma once
#include <jansson.h>
#include <yaml.h>

#include "base/buf.h"

typedef struct yaml_out {
    yaml_emitter_t emitter;
    ds_buf *out;
    bool failed;
} yaml_out;

// One document, which is a map; y stays where it is until the end.
void yaml_out_begin(yaml_out *y, ds_buf *out);
bool yaml_out_end(yaml_out *y); // false: a text is not UTF-8

void yaml_map_begin(yaml_out *y, const char *key); // key NULL: an entry of a list
void yaml_flow_map_begin(yaml_out *y);             // the same as an entry of a list, all on one line
void yaml_map_end(yaml_out *y);
void yaml_list_begin(yaml_out *y, const char *key);
void yaml_list_end(yaml_out *y);
// A word of the language or a legal name: plain where YAML lets it be.
void yaml_word(yaml_out *y, const char *key, const char *value); // key NULL: an entry of a list
// Anybody's text: always quoted.
void yaml_quoted(yaml_out *y, const char *key, const char *value);

// A tree, in the order of its keys; texts are quoted only where somebody could take them for something else.
void yaml_tree(yaml_out *y, const char *key, const json_t *tree);

// --- comments

// "# text\n" between two documents. No text breaks out: what isn't a letter of some script or plain ASCII is escaped.
void yaml_comment(ds_buf *out, const char *text);
