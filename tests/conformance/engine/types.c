// Types that take the place of others: each row of a data file says whether that loses nothing.
#include <stdio.h>
#include <string.h>

#include "conformance/engine/types.h"
#include "schema/type.h"

static const ds_type *parsed(ds_arena *arena, node text)
{
    const ds_type *type;
    size_t at;
    ds_error err;
    if (type_parse(arena, str_of(node_text(text)), &type, &at, &err).code != DS_OK)
        node_fail(text, "%s", err.text);
    return type;
}

static bool holds(node row)
{
    static const char *const NAMES[] = {"id", "old", "new", "verdict", "why", NULL};
    node_allow(row, NAMES);
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    CLEANUP(buf_release) ds_buf why = BUF_INIT(1000);
    node verdict = node_get(row, "verdict");
    bool wanted = strcmp(node_text(verdict), "widens") == 0;
    if (!wanted && strcmp(node_text(verdict), "refused") != 0)
        node_fail(verdict, "expected widens or refused");
    bool widens = type_widens(parsed(arena, node_get(row, "old")), parsed(arena, node_get(row, "new")), &why);
    if (widens != wanted)
        printf("# it %s%s\n", widens ? "widens" : "is refused: ", buf_text(&why));
    else if (!widens && !why.n)
        printf("# it is refused without a reason\n");
    return widens == wanted && widens == (why.n == 0);
}

int types_play(const char *path)
{
    document d;
    document_open(&d, path);
    node rows = document_root(&d);
    int failures = 0;
    for (size_t i = 0; i < node_count(rows); i++) {
        node row = node_at(rows, i);
        bool good = holds(row);
        failures += !good;
        printf("%s %zu - %s %s over %s %s: %s\n", good ? "ok" : "not ok", i + 1, node_text(node_get(row, "id")),
               node_text(node_get(row, "new")), node_text(node_get(row, "old")), node_text(node_get(row, "verdict")),
               node_text(node_get(row, "why")));
    }
    size_t count = node_count(rows);
    printf("1..%zu\n", count);
    document_close(&d);
    return failures != 0 || count == 0;
}
