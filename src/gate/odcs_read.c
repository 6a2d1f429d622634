// A contract's text -> a tree, through libyaml (JSON is YAML, too). Every scalar becomes a text: what a field means
// decides what it is.
#include <yaml.h>

#include "base/map.h"
#include "base/vec.h"
#include "gate/odcs_int.h"

typedef struct frame {
    json_t *node; // a list or a map, owned by the one below it, the first by the reader
    json_t *key;  // of a map, waiting for its value
} frame;

typedef struct reader {
    const char *path;
    ds_arena *arena;
    yaml_parser_t parser;
    VEC(frame) stack;
    json_t *root;
    json_t *anchors; // by name
    size_t nodes;
} reader;

static ds_rc fail_at(const reader *r, yaml_mark_t mark, ds_error *err, const char *problem)
{
    return ds_fail(err, DS_FINDING, "%s:%zu:%zu: %s", r->path, mark.line + 1, mark.column + 1, problem);
}

// Nodes of a tree, as an alias repeats them.
static size_t count_nodes(const json_t *node)
{
    size_t n = 1;
    const char *key;
    json_t *value;
    for (size_t i = 0; json_is_array(node) && i < json_array_size(node); i++)
        n += count_nodes(json_array_get(node, i));
    json_object_foreach((json_t *)(uintptr_t)node, key, value) n += count_nodes(value);
    return n;
}

static size_t depth_of(const json_t *node)
{
    size_t deepest = 0;
    const char *key;
    json_t *value;
    for (size_t i = 0; json_is_array(node) && i < json_array_size(node); i++) {
        size_t depth = depth_of(json_array_get(node, i));
        deepest = depth > deepest ? depth : deepest;
    }
    json_object_foreach((json_t *)(uintptr_t)node, key, value)
    {
        size_t depth = depth_of(value);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

// Puts the node where it belongs; takes it.
static ds_rc place_node(reader *r, json_t *node, const yaml_event_t *event, ds_error *err)
{
    frame *top = r->stack.n ? &r->stack.v[r->stack.n - 1] : NULL;
    r->nodes += count_nodes(node);
    const char *problem = r->nodes > ODCS_NODES_MAX ? "it is too large" : NULL;
    if (!problem && top && json_is_object(top->node) && !top->key) {
        const char *key = json_string_value(node);
        problem = !key ? "a key must be a text" : json_object_get(top->node, key) ? "the key is there twice" : NULL;
        top->key = problem ? NULL : node;
        if (!problem)
            return DS_DONE;
    }
    if (problem) {
        json_decref(node);
        return fail_at(r, event->start_mark, err, problem);
    }
    if (!top)
        r->root = node;
    else if (json_is_array(top->node))
        json_array_append_new(top->node, node);
    else
        json_object_set_new(top->node, json_string_value(top->key), node);
    if (top) {
        json_decref(top->key);
        top->key = NULL;
    }
    return DS_DONE;
}

static void keep_anchor(reader *r, const yaml_char_t *anchor, json_t *node)
{
    if (anchor)
        json_object_set(r->anchors, (const char *)anchor, node);
}

static bool is_null(const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static ds_rc read_scalar(reader *r, const yaml_event_t *event, ds_error *err)
{
    const char *text = (const char *)event->data.scalar.value;
    if (strlen(text) != event->data.scalar.length)
        return fail_at(r, event->start_mark, err, "a text holds a NUL");
    json_t *node = is_null(event) ? json_null() : json_string(text);
    keep_anchor(r, event->data.scalar.anchor, node);
    return place_node(r, node, event, err);
}

static ds_rc read_alias(reader *r, const yaml_event_t *event, ds_error *err)
{
    json_t *known = json_object_get(r->anchors, (const char *)event->data.alias.anchor);
    for (size_t i = 0; i < r->stack.n; i++)
        if (r->stack.v[i].node == known)
            return fail_at(r, event->start_mark, err, "an alias stands in what it stands for");
    if (!known)
        return fail_at(r, event->start_mark, err, "the alias names no anchor");
    if (r->stack.n + depth_of(known) > ODCS_DEPTH_MAX)
        return fail_at(r, event->start_mark, err, "it is nested too deeply");
    if (r->nodes + count_nodes(known) > ODCS_NODES_MAX)
        return fail_at(r, event->start_mark, err, "it is too large");
    return place_node(r, json_deep_copy(known), event, err);
}

// The list or map is in its place before it is filled.
static ds_rc open_node(reader *r, json_t *node, const yaml_char_t *anchor, const yaml_event_t *event, ds_error *err)
{
    if (r->stack.n == ODCS_DEPTH_MAX) {
        json_decref(node);
        return fail_at(r, event->start_mark, err, "it is nested too deeply");
    }
    keep_anchor(r, anchor, node);
    TRY(place_node(r, node, event, err));
    *VEC_PUSH(r->arena, &r->stack) = (frame){node, NULL};
    return DS_DONE;
}

static ds_rc read_event(reader *r, const yaml_event_t *event, ds_error *err)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event, err);
    case YAML_ALIAS_EVENT:
        return read_alias(r, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(r, json_array(), event->data.sequence_start.anchor, event, err);
    case YAML_MAPPING_START_EVENT:
        return open_node(r, json_object(), event->data.mapping_start.anchor, event, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        r->stack.n--;
        return DS_DONE;
    case YAML_DOCUMENT_START_EVENT:
        return r->root ? fail_at(r, event->start_mark, err, "a second contract in one file") : DS_DONE;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return DS_DONE;
}

static ds_rc read_events(reader *r, ds_error *err)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event))
            return fail_at(r, r->parser.problem_mark, err, r->parser.problem ? r->parser.problem : "it is no YAML");
        ds_rc rc = read_event(r, &event, err);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        TRY(rc);
    }
    return DS_DONE;
}

static ds_rc check_kind(const json_t *root, const char *path, ds_error *err)
{
    const char *kind = json_string_value(json_object_get(root, "kind"));
    const char *version = json_string_value(json_object_get(root, "apiVersion"));
    if (!kind || strcmp(kind, "DataContract") != 0 || !version)
        return ds_hint(ds_fail(err, DS_FINDING, "%s: it is no data contract", path), err,
                       "a contract of the Open Data Contract Standard says kind: DataContract and apiVersion");
    if (!str_starts(str_of(version), STR("v3.")))
        return ds_fail(err, DS_FINDING, "%s: version 3 of the standard can be read, and this is \"%.40s\"", path,
                       version);
    return DS_DONE;
}

ds_rc odcs_read(ds_str text, const char *path, json_t **out, ds_error *err)
{
    CLEANUP(arena_freep) ds_arena *arena = arena_new();
    reader r = {.path = path, .arena = arena, .anchors = json_object()};
    if (!yaml_parser_initialize(&r.parser))
        BUG("out of memory");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    ds_rc rc = read_events(&r, err);
    yaml_parser_delete(&r.parser);
    for (size_t i = 0; i < r.stack.n; i++)
        json_decref(r.stack.v[i].key);
    json_decref(r.anchors);
    if (rc.code == DS_OK)
        rc = check_kind(r.root, path, err);
    if (rc.code == DS_OK)
        *out = r.root;
    else
        json_decref(r.root);
    return rc;
}
