// A document: its kind, and the object that it is.
#include "model/decode_int.h"

static const yaml_node *find_value(const yaml_node *map, ds_str key)
{
    for (size_t i = 0; i < map->n; i += 2)
        if (map->items[i].kind == NODE_SCALAR && str_eq(map->items[i].text, key))
            return &map->items[i + 1];
    return NULL;
}

static void hint_kinds(decoder *d, const char *written)
{
    const char *kinds[16];
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++)
        kinds[i] = MODEL_KINDS[i].name;
    decode_hint_words(d, written, kinds, MODEL_KIND_COUNT);
}

static void report_no_kind(decoder *d, const yaml_node *root)
{
    decode_find(d, RULE_KIND, root->pos, "the document has no \"kind\"");
    for (size_t i = 0; i < root->n; i += 2) {
        if (root->items[i].kind == NODE_SCALAR && str_distance(root->items[i].text, STR("kind"), 1) <= 1) {
            diag_hint(d->diags, "did you mean \"kind\" where \"%s\" stands?", root->items[i].text.p);
            return;
        }
    }
    hint_kinds(d, "");
}

static void decode_kind(decoder *d, size_t kind, const yaml_node *root)
{
    const model_shape *shape = MODEL_KINDS[kind].shape;
    void *object = arena_alloc(d->arena, shape->size);
    const yaml_node *name = find_value(root, STR("name"));
    const char *called = name && name->kind == NODE_SCALAR && name->text.n ? name->text.p : NULL;
    d->document = root;
    d->path_n = 0;
    if (called)
        d->path[d->path_n++] = called;
    decode_defaults(shape, object);
    decode_slot slot = {NULL, shape->name, root->pos, root, object};
    decode_struct(d, shape, &slot, called);
    d->path_n = 0;
    *VEC_PUSH(d->arena, &d->objects[kind]) = object;
}

void decode_document(decoder *d, const yaml_node *root)
{
    if (root->kind != NODE_MAP) {
        decode_find(d, RULE_KIND, root->pos, "a document is a map with a \"kind\", not %s",
                    root->kind == NODE_LIST ? "a list" : "text");
        return;
    }
    const yaml_node *kind = find_value(root, STR("kind"));
    if (!kind) {
        report_no_kind(d, root);
        return;
    }
    if (kind->kind != NODE_SCALAR || yaml_is_empty(kind)) {
        const yaml_node *key = kind - 1; // pairs stand side by side
        decode_find(d, RULE_KIND, key->pos, "\"kind\" is %s", kind->kind == NODE_SCALAR ? "empty" : "no text");
        hint_kinds(d, "");
        return;
    }
    for (size_t i = 0; i < MODEL_KIND_COUNT; i++) {
        if (str_eq(kind->text, str_of(MODEL_KINDS[i].name))) {
            decode_kind(d, i, root);
            return;
        }
    }
    decode_find(d, RULE_KIND, kind->pos, "unknown kind \"%s\"", decode_show(d, kind->text));
    hint_kinds(d, kind->text.p);
}
