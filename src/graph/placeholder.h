// A transformer's SQL as its author wrote it: {GROUP.STORE.DATASET} is an input, {{ and }} are braces.
//
//     const char *at = text;
//     ds_piece piece;
//     while (placeholder_next(&at, &piece)) ...
#pragma once
#include "model/model.h"

typedef enum ds_piece_kind {
    PIECE_TEXT,  // text: to be copied
    PIECE_INPUT, // group, store, dataset; text is what stands between the braces
    PIECE_BAD,   // text: from a brace that has no partner
} ds_piece_kind;
typedef struct ds_piece {
    ds_piece_kind kind;
    ds_str text, group, store, dataset; // slices of the text
} ds_piece;

// The next piece; false at the end. After PIECE_BAD comes the end.
bool placeholder_next(const char **at, ds_piece *out);
// The sink of the workspace that a PIECE_INPUT names, or NULL.
const ds_sink *placeholder_sink(const ds_workspace *workspace, const ds_piece *piece);
