#include "runtime/container.h"

#include <stddef.h>
#include <string.h>

static const size_t TEXTS[] = {
    offsetof(ds_container_def, name),       offsetof(ds_container_def, type),     offsetof(ds_container_def, path),
    offsetof(ds_container_def, host),       offsetof(ds_container_def, database), offsetof(ds_container_def, schema),
    offsetof(ds_container_def, credential), offsetof(ds_container_def, tls_mode), offsetof(ds_container_def, tls_ca),
    offsetof(ds_container_def, tls_cert),   offsetof(ds_container_def, tls_key),
};
enum { TEXT_COUNT = sizeof TEXTS / sizeof TEXTS[0] };
// Each member is in the table but port and login; a compiler that pads otherwise would say so here.
_Static_assert(sizeof(ds_container_def) == (TEXT_COUNT + 2) * sizeof(char *), "a member that TEXTS lacks");

static const char *text_of(const ds_container_def *container, size_t i)
{
    const char *text;
    memcpy(&text, (const char *)container + TEXTS[i], sizeof text);
    return text;
}

ds_container_def container_dup(ds_arena *arena, const ds_container_def *container)
{
    ds_container_def out = *container;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text = text_of(container, i);
        const char *copy = text ? arena_strdup(arena, text) : NULL;
        memcpy((char *)&out + TEXTS[i], &copy, sizeof copy);
    }
    return out;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool container_same(const ds_container_def *a, const ds_container_def *b)
{
    for (size_t i = 0; i < TEXT_COUNT; i++)
        if (!same_text(text_of(a, i), text_of(b, i)))
            return false;
    return a->port == b->port;
}
