#include "model/yaml_int.h"

#include <yaml.h>

#include "base/vec.h"
#include "model/yaml_problem_int.h"

// A list or map that has begun and not ended.
typedef struct frame {
    yaml_node node;
    size_t first;       // its items in `pending` begin here
    const char *anchor; // NULL: none
} frame;

typedef struct anchor {
    const char *name;
    yaml_node node;
    bool open; // still being read: an alias to it would contain itself
} anchor;

typedef struct reader {
    yaml_parser_t parser;
    ds_diags *diags;
    ds_arena *scratch;
    uint32_t file;
    uint32_t line_base; // lines of the file before the parser's text
    size_t alias_nodes; // in this file, so far
    bool given_up;      // on this document
    frame open[MODEL_DEPTH_MAX];
    size_t depth;
    VEC(yaml_node) pending;
    VEC(anchor) anchors;
    yaml_visit *visit;
    void *context;
} reader;

bool yaml_is_null(const yaml_node *node)
{
    static const char *const NULLS[] = {"~", "null", "Null", "NULL"};
    for (size_t i = 0; i < sizeof NULLS / sizeof NULLS[0]; i++)
        if (str_eq(node->text, str_of(NULLS[i])))
            return true;
    return false;
}

static ds_pos place(const reader *r, yaml_mark_t mark)
{
    return yaml_pos(r->file, r->line_base + mark.line + 1, mark.column + 1);
}

// Reports and leaves this document; the rest of it is not read.
#define GIVE_UP(r, rule, pos, ...) (MODEL_FIND((r)->diags, rule, pos, "", __VA_ARGS__), (r)->given_up = true)

// Room for a finished node in the list or map that is open, or for the root; NULL: there are too many.
static yaml_node *deliver(reader *r, ds_pos pos)
{
    if (r->pending.n < MODEL_NODES_MAX)
        return VEC_PUSH(r->scratch, &r->pending);
    GIVE_UP(r, RULE_LIMIT, pos, "the document has more than %d values", MODEL_NODES_MAX);
    diag_hint(r->diags, "give each object a document of its own, separated by \"---\"");
    return NULL;
}

static void remember(reader *r, const char *name, const yaml_node *node, bool open)
{
    if (!name)
        return;
    if (r->anchors.n == MODEL_ANCHORS_MAX)
        GIVE_UP(r, RULE_LIMIT, node->pos, "the document has more than %d anchors", MODEL_ANCHORS_MAX);
    else
        *VEC_PUSH(r->scratch, &r->anchors) = (anchor){name, *node, open};
}

static const char *copy_name(reader *r, const yaml_char_t *name)
{
    return name ? arena_strdup(r->scratch, (const char *)name) : NULL;
}

static bool refuse_tag(reader *r, const yaml_char_t *tag, ds_pos pos)
{
    if (!tag)
        return false;
    const char *text = (const char *)tag;
    const ds_str core = STR("tag:yaml.org,2002:"); // what !! stands for
    bool is_core = str_starts(str_of(text), core);
    GIVE_UP(r, RULE_YAML_FEATURE, pos, "the tag \"%s%s\" is not allowed", is_core ? "!!" : "",
            is_core ? text + core.n : text);
    diag_hint(r->diags,
              "remove it: the field decides what a value means; put quotes around a text that begins with \"!\"");
    return true;
}

static void replace_nul(reader *r, ds_pos pos, char *text, size_t n)
{
    MODEL_FIND(r->diags, RULE_ENCODING, pos, "", "the control character U+0000 is not allowed");
    for (size_t i = 0; i < n; i++)
        text[i] = text[i] ? text[i] : ' ';
}

static void on_scalar(reader *r, const yaml_event_t *event)
{
    ds_pos pos = place(r, event->start_mark);
    if (refuse_tag(r, event->data.scalar.tag, pos))
        return;
    if (event->data.scalar.length > MODEL_SCALAR_MAX) {
        GIVE_UP(r, RULE_LIMIT, pos, "a text of more than %d bytes", MODEL_SCALAR_MAX);
        return;
    }
    yaml_node *node = deliver(r, pos);
    if (!node)
        return;
    yaml_scalar_style_t style = event->data.scalar.style;
    bool twice_quoted = style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    ds_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    char *copy = arena_str(r->scratch, text);
    if (twice_quoted && memchr(copy, '\0', text.n)) // by the escape \0
        replace_nul(r, pos, copy, text.n);
    *node = (yaml_node){.pos = pos,
                        .count = 1,
                        .kind = NODE_SCALAR,
                        .plain = style == YAML_PLAIN_SCALAR_STYLE,
                        .quoted = twice_quoted || style == YAML_SINGLE_QUOTED_SCALAR_STYLE,
                        .text = {copy, text.n}};
    remember(r, copy_name(r, event->data.scalar.anchor), node, false);
}

static void on_begin(reader *r, yaml_kind kind, const yaml_event_t *event)
{
    ds_pos pos = place(r, event->start_mark);
    bool map = kind == NODE_MAP;
    if (refuse_tag(r, map ? event->data.mapping_start.tag : event->data.sequence_start.tag, pos))
        return;
    if (r->depth == MODEL_DEPTH_MAX) {
        GIVE_UP(r, RULE_LIMIT, pos, "lists and maps are nested more than %d deep", MODEL_DEPTH_MAX);
        return;
    }
    frame *f = &r->open[r->depth++];
    *f = (frame){.node = {.pos = pos, .kind = (uint8_t)kind}, .first = r->pending.n};
    f->node.flow = map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                       : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    f->anchor = copy_name(r, map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor);
    remember(r, f->anchor, &f->node, true);
}

void yaml_node_fill(yaml_node *node, const yaml_node *items, size_t n, ds_arena *scratch)
{
    node->n = n;
    node->items = ARENA_ARRAY(scratch, yaml_node, n);
    if (n)
        memcpy(node->items, items, n * sizeof *items);
    node->count = 1;
    node->height = 1;
    for (size_t i = 0; i < n; i++) {
        node->count += items[i].count;
        if (items[i].height >= node->height)
            node->height = (uint8_t)(items[i].height + 1);
    }
}

// Closes the innermost list or map.
static void on_end(reader *r)
{
    frame *f = &r->open[--r->depth];
    yaml_node node = f->node;
    size_t n = r->pending.n - f->first;
    yaml_node_fill(&node, n ? r->pending.v + f->first : NULL, n, r->scratch);
    r->pending.n = f->first;
    for (size_t i = r->anchors.n; f->anchor && i-- > 0;) {
        if (r->anchors.v[i].open && strcmp(r->anchors.v[i].name, f->anchor) == 0) {
            r->anchors.v[i] = (anchor){f->anchor, node, false};
            break;
        }
    }
    yaml_node *slot = deliver(r, node.pos);
    if (slot)
        *slot = node;
}

// The newest anchor of that name.
static const anchor *find_anchor(const reader *r, const char *name)
{
    for (size_t i = r->anchors.n; i-- > 0;)
        if (strcmp(r->anchors.v[i].name, name) == 0)
            return &r->anchors.v[i];
    return NULL;
}

static void report_unknown_alias(reader *r, ds_pos pos, const char *name)
{
    GIVE_UP(r, RULE_ALIAS, pos, "unknown alias \"*%s\"", name);
    diag_hint(r->diags, "there is no \"&%s\" above in this document; put quotes around a value that begins with \"*\"",
              name);
}

static void on_alias(reader *r, const yaml_event_t *event)
{
    ds_pos pos = place(r, event->start_mark);
    const char *name = (const char *)event->data.alias.anchor;
    const anchor *found = find_anchor(r, name);
    if (!found) {
        report_unknown_alias(r, pos, name);
        return;
    }
    if (found->open) {
        GIVE_UP(r, RULE_ALIAS, pos, "the alias \"*%s\" stands inside of what it repeats", name);
        return;
    }
    r->alias_nodes += found->node.count;
    if (r->alias_nodes > MODEL_ALIAS_NODES_MAX) {
        GIVE_UP(r, RULE_LIMIT, pos, "aliases of this file expand to more than %d values", MODEL_ALIAS_NODES_MAX);
        return;
    }
    if (r->depth + found->node.height > MODEL_DEPTH_MAX) {
        GIVE_UP(r, RULE_LIMIT, pos, "lists and maps are nested more than %d deep", MODEL_DEPTH_MAX);
        return;
    }
    yaml_node *slot = deliver(r, found->node.pos);
    if (slot)
        *slot = found->node;
}

static void begin_document(reader *r)
{
    arena_clear(r->scratch);
    r->depth = 0;
    r->pending.v = NULL;
    r->pending.n = r->pending.cap = 0;
    r->anchors.v = NULL;
    r->anchors.n = r->anchors.cap = 0;
    r->given_up = false;
}

static void end_document(reader *r)
{
    ds_assert(r->given_up || (r->depth == 0 && r->pending.n == 1));
    if (!r->given_up && !yaml_is_empty(&r->pending.v[0]))
        r->visit(&r->pending.v[0], r->context);
}

static void on_document(reader *r, const yaml_event_t *event)
{
    begin_document(r);
    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end) {
        GIVE_UP(r, RULE_YAML_FEATURE, place(r, event->start_mark), "YAML directives are not allowed");
        diag_hint(r->diags, "remove the line");
    }
}

static void on_event(reader *r, const yaml_event_t *event)
{
    if (event->type == YAML_DOCUMENT_START_EVENT)
        on_document(r, event);
    else if (event->type == YAML_DOCUMENT_END_EVENT)
        end_document(r);
    if (r->given_up)
        return;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        on_scalar(r, event);
        break;
    case YAML_MAPPING_START_EVENT:
        on_begin(r, NODE_MAP, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_begin(r, NODE_LIST, event);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        on_end(r);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(r, event);
        break;
    default:
        break;
    }
}

static void report_problem(reader *r, ds_str text)
{
    yaml_problem problem = yaml_problem_of(&r->parser, text);
    MODEL_FIND(r->diags, problem.feature ? RULE_YAML_FEATURE : RULE_SYNTAX, place(r, problem.mark), "", "%s",
               problem.message);
    if (problem.hint[0])
        diag_hint(r->diags, "%s", problem.hint);
}

// Parses text until its end or a syntax error. Returns the line of text (from 0) where the document began that was
// given up, or SIZE_MAX at the end.
static size_t read_until_problem(reader *r, ds_str text)
{
    size_t document = 0;
    if (!yaml_parser_initialize(&r->parser))
        BUG("out of memory in libyaml");
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text.p, text.n);
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) {
            report_problem(r, text);
            break;
        }
        if (event.type == YAML_DOCUMENT_START_EVENT)
            document = event.start_mark.line;
        on_event(r, &event);
        // Nothing is gained from reading on in a document that was given up, and it may be a bomb.
        done = event.type == YAML_STREAM_END_EVENT || r->given_up;
        if (event.type == YAML_STREAM_END_EVENT)
            document = SIZE_MAX;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&r->parser);
    return document;
}

// "---" at the beginning of a line separates documents wherever it stands.
static bool is_separator(ds_str line)
{
    if (!str_starts(line, STR("---")))
        return false;
    char next = line.n > 3 ? line.p[3] : ' ';
    return next == ' ' || next == '\t' || next == '\r';
}

// Leaves *text at the first separator after its line `document`; false when there is none.
static bool skip_document(reader *r, ds_str *text, size_t document)
{
    for (size_t line = 0; text->n; line++) {
        ds_str rest = *text;
        if (is_separator(str_split(&rest, '\n')) && line > document) {
            r->line_base += (uint32_t)line;
            return true;
        }
        *text = rest;
    }
    return false;
}

static void read_events(reader *r, ds_str text)
{
    for (size_t problems = 0; problems < MODEL_PROBLEMS_MAX; problems++) {
        begin_document(r);
        size_t document = read_until_problem(r, text);
        if (document == SIZE_MAX || !skip_document(r, &text, document))
            return;
    }
    MODEL_FIND(r->diags, RULE_LIMIT, yaml_pos(r->file, r->line_base + 1, 1), "",
               "%d documents above can't be read; the rest of the file was left out", MODEL_PROBLEMS_MAX);
}

static void read_text(ds_diags *diags, uint32_t file, ds_str text, ds_arena *scratch, bool events_only,
                      yaml_visit *visit, void *context)
{
    if (yaml_text_refused(diags, file, text))
        return;
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = (ds_str){text.p + 3, text.n - 3};
    reader r = {.diags = diags, .scratch = scratch, .file = file, .visit = visit, .context = context};
    if (!events_only)
        yaml_read_simple(file, &text, &r.line_base, scratch, visit, context);
    if (text.n)
        read_events(&r, text);
}

void yaml_read(ds_diags *diags, uint32_t file, ds_str text, ds_arena *scratch, yaml_visit *visit, void *context)
{
    read_text(diags, file, text, scratch, false, visit, context);
}

void yaml_read_events(ds_diags *diags, uint32_t file, ds_str text, ds_arena *scratch, yaml_visit *visit, void *context)
{
    read_text(diags, file, text, scratch, true, visit, context);
}
