// Containers: where they are, and how they are reached.
#include <arpa/inet.h>

#include "gate/lint_int.h"

void lint_locations(lint *l, const ds_texts *locations, const char *object)
{
    for (size_t i = 0; i < locations->n; i++) {
        ds_str rest = str_of(locations->v[i].s);
        const char *name = arena_str(l->arena, str_split(&rest, ':'));
        if (rest.n == 0)
            continue; // no location at all: the loader's finding
        const lint_vendor *vendor = map_get(l->vendors, name);
        if (!vendor) {
            lint_add(l, LINT_UNKNOWN_VENDOR, locations->v[i].pos, object, "no vendor \"%s\" in the Ecosystem", name);
            lint_did_you_mean(l, l->vendors, name);
        } else if (!map_get(vendor->places, rest.p)) {
            lint_add(l, LINT_UNKNOWN_LOCATION, locations->v[i].pos, object, "vendor \"%s\" declares no location \"%s\"",
                     name, rest.p);
            lint_did_you_mean(l, vendor->places, rest.p);
        }
    }
}

const ds_container *lint_container(lint *l, ds_text name, const char *object)
{
    const ds_container *found = name.s ? map_get(l->model->container_by_name, name.s) : NULL;
    if (name.s && !found) {
        lint_add(l, LINT_UNKNOWN_CONTAINER, name.pos, object, "no container \"%s\" in the model", name.s);
        lint_did_you_mean(l, l->model->container_by_name, name.s);
    }
    return found;
}

static bool label_ok(ds_str label)
{
    if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = str_lower_char(label.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return true;
}

// An IPv4 or IPv6 address, or labels with dots between them. Four numbers are an address or nothing.
static bool host_ok(const char *host)
{
    unsigned char address[16];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return true;
    if (strspn(host, "0123456789.") == strlen(host) || strlen(host) > 253)
        return false;
    ds_str rest = str_of(host);
    for (bool more = true; more;) {
        more = memchr(rest.p, '.', rest.n) != NULL;
        if (!label_ok(str_split(&rest, '.')))
            return false;
    }
    return true;
}

// A server on the same machine may be reached by the directory of its socket.
static bool is_socket_dir(const ds_container *c)
{
    enum { SOCKET_DIR_MAX = 90 }; // with the socket's own name it must fit into sun_path
    return c->type == CONTAINER_POSTGRES && c->host.s[0] == '/' && strlen(c->host.s) <= SOCKET_DIR_MAX;
}

static void check_container(lint *l, const ds_container *c)
{
    const char *object = lint_text(c->name.s);
    lint_locations(l, &c->locations, object);
    lint_caps(l, &c->limits, object);
    if (!c->host.s || host_ok(c->host.s) || is_socket_dir(c))
        return;
    lint_add(l, LINT_BAD_HOST, c->host.pos, object, "\"%s\" is neither a host's name nor an address", c->host.s);
    if (strchr(c->host.s, ':'))
        diag_hint(l->diags, "the port goes into port");
}

void lint_containers(lint *l)
{
    const ds_model *m = l->model;
    for (size_t i = 0; i < m->containers.n; i++)
        check_container(l, m->containers.v[i]);
    for (size_t i = 0; i < m->services.n; i++)
        for (size_t k = 0; k < m->services.v[i]->containers.n; k++)
            check_container(l, &m->services.v[i]->containers.v[k]);
    for (size_t i = 0; i < m->environments.n; i++)
        for (size_t k = 0; k < m->environments.v[i]->containers.n; k++)
            check_container(l, &m->environments.v[i]->containers.v[k]);
}
