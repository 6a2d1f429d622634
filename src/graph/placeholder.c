#include "graph/placeholder.h"

enum { BAD_SHOWN = 20 };

static ds_piece input_piece(ds_str inside)
{
    ds_str rest = str_trim(inside);
    ds_piece piece = {.kind = PIECE_INPUT, .text = inside};
    piece.group = str_split(&rest, '.');
    piece.store = str_split(&rest, '.');
    piece.dataset = rest;
    return piece;
}

bool placeholder_next(const char **at, ds_piece *out)
{
    const char *p = *at;
    if (*p == '\0')
        return false;
    size_t plain = strcspn(p, "{}");
    if (plain == 0 && p[1] == p[0]) { // a doubled brace stands for one
        *out = (ds_piece){.kind = PIECE_TEXT, .text = {p, 1}};
        *at = p + 2;
        return true;
    }
    if (plain) {
        *out = (ds_piece){.kind = PIECE_TEXT, .text = {p, plain}};
        *at = p + plain;
        return true;
    }
    size_t inside = *p == '{' ? strcspn(p + 1, "{}") : 0;
    if (*p == '}' || p[1 + inside] != '}') {
        *out = (ds_piece){.kind = PIECE_BAD, .text = {p, strnlen(p, BAD_SHOWN)}};
        *at = p + strlen(p);
        return true;
    }
    *out = input_piece((ds_str){p + 1, inside});
    *at = p + inside + 2;
    return true;
}

const ds_sink *placeholder_sink(const ds_workspace *workspace, const ds_piece *piece)
{
    for (size_t i = 0; i < workspace->groups.n; i++) {
        const ds_group *group = &workspace->groups.v[i];
        if (!str_eq(str_of(group->name), piece->group))
            continue;
        for (size_t k = 0; k < group->sinks.n; k++) {
            const ds_sink *sink = &group->sinks.v[k];
            if (sink->store && sink->dataset && str_eq(str_of(sink->store), piece->store) &&
                str_eq(str_of(sink->dataset), piece->dataset))
                return sink;
        }
    }
    return NULL;
}
