// How much load containers and streams may put on machines: limits and hints that contradict each other.
#include <stddef.h>

#include "gate/lint_int.h"

static const struct cap {
    const char *name;
    size_t offset; // in ds_caps
} CAPS[] = {
    {"connections", offsetof(ds_caps, connections)},
    {"writers", offsetof(ds_caps, writers)},
    {"rows_per_second", offsetof(ds_caps, rows_per_second)},
};

static const ds_int *cap_of(const ds_caps *caps, const struct cap *cap)
{
    return (const void *)((const char *)caps + cap->offset);
}

void lint_caps(lint *l, const ds_caps *caps, const char *object)
{
    if (!caps->writers.set || !caps->connections.set || caps->writers.v <= caps->connections.v)
        return;
    lint_add(l, LINT_LIMIT, caps->writers.pos, object, "\"writers\" is %ld, and \"connections\" is %ld",
             (long)caps->writers.v, (long)caps->connections.v);
}

void lint_limit(lint *l, const ds_limit *limit, const char *object)
{
    const ds_container *container = lint_container(l, (ds_text){limit->container, limit->pos}, object);
    lint_caps(l, &limit->caps, object);
    for (size_t i = 0; container && i < sizeof CAPS / sizeof CAPS[0]; i++) {
        const ds_int *ours = cap_of(&limit->caps, &CAPS[i]), *its = cap_of(&container->limits, &CAPS[i]);
        if (!ours->set || !its->set || ours->v <= its->v)
            continue;
        lint_add(l, LINT_LIMIT, ours->pos, object, "\"%s\" is %ld, and container \"%s\" allows %ld", CAPS[i].name,
                 (long)ours->v, limit->container, (long)its->v);
        lint_hint_at(l, "its own limit is", its->pos);
    }
}

// The least number of connections that anybody allows; NULL: nobody says.
static const ds_int *least_connections(lint *l, const ds_platform_service *service, const char *container)
{
    const ds_container *found = model_container(l->model, container);
    const ds_int *least = found && found->limits.connections.set ? &found->limits.connections : NULL;
    for (size_t i = 0; i < service->limits.n; i++) {
        const ds_int *ours = &service->limits.v[i].caps.connections;
        if (ours->set && strcmp(service->limits.v[i].container, container) == 0 && (!least || ours->v < least->v))
            least = ours;
    }
    return least;
}

void lint_hint_load(lint *l, const ds_platform_service *service, const ds_stream_hint *hint, const ds_datastore *store)
{
    const char *container = store->capture.container.s;
    const ds_int *most = hint->workers.set && container ? least_connections(l, service, container) : NULL;
    if (!most || hint->workers.v <= most->v)
        return;
    lint_add(l, LINT_HINT_LOAD, hint->workers.pos, lint_text(service->name.s),
             "%ld workers for \"%s\", and connections to \"%s\" are limited to %ld", (long)hint->workers.v, hint->name,
             container, (long)most->v);
    lint_hint_at(l, "its limit is", most->pos);
}
