// The YAML that models are written in, read at once: maps and lists by indentation, texts that end with their line, and
// what stands in brackets on one line. A document in which anything else turns up is not touched: libyaml reads it. So
// the rules below are narrower than YAML's everywhere, and what they let through means what libyaml makes of it, places
// included (tests/unit/test_yaml_simple.c and tests/fuzz/fuzz_yaml.c hold both against each other).
//
// Bytes are read up to the NUL behind the document: yaml_text.c has refused any other.
#include "model/yaml_int.h"

#include "base/vec.h"

typedef struct simple {
    ds_arena *scratch;
    uint32_t file;
    size_t line;          // from 0
    const char *begin;    // of the line
    const char *p;        // what is next
    ptrdiff_t column;     // of the line's first character when p is there; -1 behind the last line
    size_t depth;         // lists and maps that have begun
    VEC(yaml_node) nodes; // finished ones of those
} simple;

enum {
    FIRST = 1, // a plain text may begin with it
    BLOCK = 2, // ... and have it further on
    FLOW = 4,  // ... in brackets, too
    ANY = FIRST | BLOCK | FLOW,
    END = 8,        // of a line, or of all
    KEY_MAX = 1000, // libyaml: 1024 up to the colon
};

static const uint8_t CLASS[256] = {
    ['\0'] = END,         ['\n'] = END,         ['A' ... 'Z'] = ANY,
    ['a' ... 'z'] = ANY,  ['0' ... '9'] = ANY,  [0x80 ... 0xFF] = FIRST | BLOCK,
    ['_'] = ANY,          ['/'] = ANY,          ['$'] = ANY,
    ['('] = ANY,          [')'] = ANY,          ['+'] = ANY,
    ['<'] = ANY,          ['='] = ANY,          [';'] = ANY,
    ['^'] = ANY,          ['~'] = ANY,          ['\\'] = ANY,
    ['-'] = BLOCK | FLOW, ['.'] = BLOCK | FLOW, ['*'] = BLOCK | FLOW,
    ['!'] = BLOCK,        ['"'] = BLOCK,        ['#'] = BLOCK,
    ['%'] = BLOCK,        ['&'] = BLOCK,        ['\''] = BLOCK,
    [','] = BLOCK,        ['>'] = BLOCK,        ['?'] = BLOCK,
    ['@'] = BLOCK,        ['['] = BLOCK,        [']'] = BLOCK,
    ['`'] = BLOCK,        ['{'] = BLOCK,        ['|'] = BLOCK,
    ['}'] = BLOCK,
};

static bool is(char c, unsigned classes)
{
    return CLASS[(unsigned char)c] & classes;
}

static bool ends_word(char c)
{
    return c == ' ' || is(c, END);
}

static ds_pos here(const simple *s)
{
    return yaml_pos(s->file, s->line + 1, (size_t)(s->p - s->begin) + 1);
}

// --- lines

static void skip_blanks(simple *s)
{
    while (*s->p == ' ')
        s->p++;
}

// From the beginning of a line to the next text.
static void find_text(simple *s)
{
    for (;; s->p++, s->line++) {
        s->begin = s->p;
        skip_blanks(s);
        s->column = s->p - s->begin;
        if (*s->p == '#')
            s->p = strchrnul(s->p, '\n');
        if (*s->p != '\n')
            break;
    }
    if (!*s->p)
        s->column = -1;
}

// Nothing but a comment follows.
static bool end_line(simple *s)
{
    const char *last = s->p;
    skip_blanks(s);
    if (*s->p == '#' && s->p > last)
        s->p = strchrnul(s->p, '\n');
    if (!is(*s->p, END))
        return false;
    if (*s->p) {
        s->p++;
        s->line++;
    }
    find_text(s);
    return true;
}

// --- nodes

static bool add(simple *s, yaml_node node)
{
    if (s->nodes.n == MODEL_NODES_MAX)
        return false;
    *VEC_PUSH(s->scratch, &s->nodes) = node;
    return true;
}

static bool add_text(simple *s, ds_pos pos, const char *p, size_t n, bool quoted)
{
    return n <= MODEL_SCALAR_MAX &&
           add(s, (yaml_node){.pos = pos, .count = 1, .plain = !quoted, .quoted = quoted, .text = {p, n}});
}

// The list or map of all nodes from `first` on. What stands behind their texts has been read, and gives way to a NUL.
static bool add_all(simple *s, yaml_node node, size_t first)
{
    size_t n = s->nodes.n - first;
    yaml_node *items = n ? s->nodes.v + first : NULL;
    for (size_t i = 0; i < n; i++)
        if (items[i].kind == NODE_SCALAR)
            ((char *)(uintptr_t)items[i].text.p)[items[i].text.n] = '\0';
    yaml_node_fill(&node, items, n, s->scratch);
    s->nodes.n = first;
    s->depth--;
    return add(s, node);
}

// --- texts

// A colon within a word is part of it; in brackets libyaml has rules of its own.
static bool is_inside(const char *p, unsigned classes)
{
    return is(*p, classes) || (*p == ':' && classes == BLOCK && !ends_word(p[1]));
}

// Where the plain text at p ends; *next: where what follows it begins. The same place: it is none.
static const char *plain_end(const char *p, unsigned classes, const char **next)
{
    *next = p;
    if (!is(*p, FIRST) && !(*p == '-' && is(p[1], FIRST)))
        return p;
    for (;;) {
        while (is_inside(p, classes))
            p++;
        const char *end = p;
        while (*p == ' ')
            p++;
        *next = p;
        if (p == end || *p == '#' || !is_inside(p, classes))
            return end;
    }
}

// A text between quotes on one line, in which nothing is escaped.
static bool read_quoted(simple *s, bool ascii)
{
    const char quote = *s->p, *begin = s->p + 1, *p = begin;
    for (; *p != quote; p++)
        if (is(*p, END) || (*p == '\\' && quote == '"') || (ascii && (unsigned char)*p >= 0x80))
            return false;
    if (p[1] == quote || !add_text(s, here(s), begin, (size_t)(p - begin), true))
        return false;
    s->p = p + 1;
    return true;
}

static bool read_text(simple *s, unsigned classes)
{
    if (*s->p == '"' || *s->p == '\'')
        return read_quoted(s, classes == FLOW);
    const char *next, *end = plain_end(s->p, classes, &next);
    if (end == s->p || !add_text(s, here(s), s->p, (size_t)(end - s->p), false))
        return false;
    s->p = end;
    return true;
}

static bool is_key(const char *p, unsigned classes, const char **colon)
{
    const char *end = plain_end(p, classes, colon);
    if (end == p || **colon != ':' || !ends_word((*colon)[1]) || *colon - p > KEY_MAX)
        return false;
    for (; p < end; p++)
        if ((unsigned char)*p >= 0x80) // columns are of characters
            return false;
    return true;
}

// With its colon.
static bool read_key(simple *s, unsigned classes)
{
    const char *colon;
    if (!is_key(s->p, classes, &colon) || !read_text(s, classes))
        return false;
    s->p = colon + 1;
    return true;
}

// --- brackets

static bool read_flow(simple *s);

static bool read_flow_item(simple *s, bool is_map)
{
    if (is_map && !read_key(s, FLOW))
        return false;
    skip_blanks(s);
    bool read = *s->p == '{' || *s->p == '[' ? read_flow(s) : read_text(s, FLOW);
    skip_blanks(s);
    return read;
}

static bool read_flow(simple *s)
{
    const bool is_map = *s->p == '{';
    const char close = is_map ? '}' : ']';
    const size_t first = s->nodes.n;
    yaml_node node = {.pos = here(s), .kind = is_map ? NODE_MAP : NODE_LIST, .flow = true};
    if (++s->depth > MODEL_DEPTH_MAX)
        return false;
    s->p++;
    skip_blanks(s);
    for (bool more = *s->p != close; more;) {
        if (!read_flow_item(s, is_map))
            return false;
        more = *s->p == ',';
        s->p += more;
        if (more)
            skip_blanks(s);
    }
    if (*s->p != close)
        return false;
    s->p++;
    return add_all(s, node, first);
}

// --- indentation

static bool read_map(simple *s, ptrdiff_t column);
static bool read_list(simple *s, ptrdiff_t column, bool below_key);

static bool is_entry(const simple *s)
{
    return s->p[0] == '-' && s->p[1] == ' ';
}

static bool read_rest_of_line(simple *s)
{
    return (*s->p == '{' || *s->p == '[' ? read_flow(s) : read_text(s, BLOCK)) && end_line(s);
}

// What a key of a map at this column has: on its line, below it, or nothing.
static bool read_value(simple *s, ptrdiff_t column)
{
    const ds_pos behind_colon = here(s);
    const char *nothing = s->p;
    skip_blanks(s);
    if (!is(*s->p, END) && *s->p != '#')
        return read_rest_of_line(s);
    s->p = nothing;
    if (!end_line(s))
        return false;
    if (s->column > column)
        return is_entry(s) ? read_list(s, s->column, false) : read_map(s, s->column);
    if (s->column == column && is_entry(s))
        return read_list(s, column, true);
    return add_text(s, behind_colon, nothing, 0, false);
}

static bool read_map(simple *s, ptrdiff_t column)
{
    const size_t first = s->nodes.n;
    yaml_node node = {.pos = here(s), .kind = NODE_MAP};
    if (++s->depth > MODEL_DEPTH_MAX)
        return false;
    do {
        if (!read_key(s, BLOCK) || !read_value(s, column))
            return false;
    } while (s->column == column);
    return s->column < column && add_all(s, node, first);
}

// below_key: in the column of the map that it is in, whose next key ends it.
static bool read_list(simple *s, ptrdiff_t column, bool below_key)
{
    const size_t first = s->nodes.n;
    yaml_node node = {.pos = here(s), .kind = NODE_LIST};
    if (++s->depth > MODEL_DEPTH_MAX)
        return false;
    do {
        const char *colon;
        s->p++;
        skip_blanks(s);
        bool is_map = is_key(s->p, BLOCK, &colon);
        if (!(is_map ? read_map(s, s->p - s->begin) : read_rest_of_line(s)))
            return false;
    } while (s->column == column && is_entry(s));
    return s->column < column + below_key && add_all(s, node, first);
}

// --- documents

// Up to the next separator. False: whether that is one has to be found out.
static bool cut_document(ds_str text, ds_str *out)
{
    const char *next = memmem(text.p, text.n, "\n---", 4);
    *out = next ? (ds_str){text.p, (size_t)(next - text.p) + 1} : text;
    const char *behind = out->p + out->n + 3;
    return !next || behind == text.p + text.n || *behind == '\n' || *behind == ' ';
}

// Leaves its root, if it has one, in s->nodes.
static bool read_document(simple *s, ds_str text)
{
    s->nodes.v = NULL;
    s->nodes.n = s->nodes.cap = s->depth = 0;
    s->begin = s->p = arena_str(s->scratch, text);
    if (!str_starts(text, STR("---"))) {
        find_text(s);
    } else {
        s->p += 3;
        if (!end_line(s))
            return false;
    }
    if (s->column == 0 && !(is_entry(s) ? read_list(s, 0, false) : read_map(s, 0)))
        return false;
    return s->column == -1;
}

void yaml_read_simple(uint32_t file, ds_str *text, uint32_t *lines, ds_arena *scratch, yaml_visit *visit, void *context)
{
    simple s = {.scratch = scratch, .file = file};
    ds_str document;
    while (text->n && cut_document(*text, &document)) {
        arena_clear(scratch);
        if (!read_document(&s, document))
            return;
        *text = (ds_str){text->p + document.n, text->n - document.n};
        *lines = (uint32_t)s.line;
        if (s.nodes.n)
            visit(&s.nodes.v[0], context);
    }
}
