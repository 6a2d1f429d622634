#include "platform/database.h"

static const char *text_or_empty(ds_text text)
{
    return text.s ? text.s : "";
}

ds_container_def database_of(const ds_container *container, const char *credential)
{
    return (ds_container_def){
        .name = text_or_empty(container->name),
        .type = container_type_name(container->type),
        .path = text_or_empty(container->path),
        .host = text_or_empty(container->host),
        .database = text_or_empty(container->database),
        .schema = text_or_empty(container->schema),
        .credential = credential ? credential : "",
        .port = (int)container->port.v,
        .tls_mode = container->tls.mode.s,
        .tls_ca = container->tls.ca.s,
        .tls_cert = container->tls.cert.s,
        .tls_key = container->tls.key.s,
    };
}

const char *database_replica_credential(ds_roots roots, const ds_container *container)
{
    for (size_t i = 0; i < roots.n; i++) {
        const ds_root *root = &roots.v[i];
        if (root->replica == container && root->workspace->credential.s)
            return root->workspace->credential.s;
    }
    return "";
}
