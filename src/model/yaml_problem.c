// libyaml's complaints in our words. The place is where the eye should go: often the start of what was never finished.
#include "model/yaml_problem_int.h"

// The place is after the first key of its line.
enum { FIRST_KEY = 256 };

typedef struct problem {
    const char *theirs; // begins so
    const char *during; // the context begins so; NULL: any
    int at;             // this character stands at the place; 0: any; or FIRST_KEY
    bool at_start;      // show where the construct began
    const char *ours;
    const char *hint;
} problem;

static const char DIRECTIVE[] = "YAML directives are not allowed";
static const char TAG[] = "tags are not allowed";

// The first row that fits.
static const problem PROBLEMS[] = {
    {"found character that cannot start any token", NULL, '\t', false, "a tab is used for indentation",
     "indent with spaces"},
    {"found character that cannot start any token", NULL, '@', false, "a value can't begin with \"@\"",
     "put quotes around it"},
    {"found character that cannot start any token", NULL, '`', false, "a value can't begin with \"`\"",
     "put quotes around it"},
    {"found character that cannot start any token", NULL, '%', false, "a value can't begin with \"%\"",
     "put quotes around it"},
    {"found character that cannot start any token", NULL, 0, false, "nothing can begin with this character",
     "put quotes around the value"},
    {"found a tab character", NULL, 0, false, "a tab is used for indentation", "indent with spaces"},
    {"could not find expected ':'", NULL, 0, true, "this line is no \"key: value\"",
     "write a colon and a space after the key, or put quotes around a text of several lines"},
    {"mapping values are not allowed", NULL, FIRST_KEY, false, "this key is indented deeper than the line above allows",
     "keys of one map begin in the same column"},
    {"mapping values are not allowed", NULL, 0, false, "a second \": \" in one value",
     "put quotes around the value, or begin a new line with deeper indentation"},
    {"mapping keys are not allowed", NULL, 0, false, "a key can't begin here", "put quotes around a text with \"?\""},
    {"block sequence entries are not allowed", NULL, 0, false, "a list item can't begin here",
     "put each \"- \" on a line of its own, or quotes around the value"},
    {"did not find expected key", NULL, 0, false, "this line does not fit the indentation of the lines above",
     "keys of one map begin in the same column"},
    {"did not find expected '-' indicator", NULL, 0, false, "this line does not fit the list above",
     "items of one list begin with \"- \" in the same column"},
    {"did not find expected ',' or ']'", NULL, 0, true, "this list is never closed, or lacks a comma",
     "end it with \"]\", and put quotes around items with brackets, commas or colons"},
    {"did not find expected ',' or '}'", NULL, 0, true, "this map is never closed, or lacks a comma",
     "end it with \"}\", and put quotes around values with brackets, commas or colons"},
    {"did not find expected node content", "while parsing a flow node", 0, false, "a value is missing here",
     "remove the extra comma, or close the bracket"},
    {"did not find expected node content", NULL, 0, false, "a value is missing here", ""},
    {"did not find expected <document start>", NULL, 0, false, "a document ended above, and this is not the next one",
     "begin each document with a line \"---\", and keys of one map in the same column"},
    {"found unexpected end of stream", "while scanning a quoted scalar", 0, true, "this quote is never closed",
     "end the text with the same quote"},
    {"found unexpected document indicator", NULL, 0, true, "this quote is never closed",
     "end the text with the same quote"},
    {"found unknown escape character", NULL, 0, false, "an unknown escape in a text between double quotes",
     "write \\\\ for a backslash, or use single quotes"},
    {"did not find expected hexdecimal number", NULL, 0, false, "an escape without its hexadecimal digits",
     "write \\\\ for a backslash, or use single quotes"},
    {"found invalid Unicode character", NULL, 0, false, "an escape that is no character",
     "\\uD800 to \\uDFFF are none"},
    {"did not find expected alphabetic or numeric character", "while scanning an alias", 0, false,
     "\"*\" begins an alias, which needs a name", "put quotes around a value that begins with \"*\""},
    {"did not find expected alphabetic or numeric character", NULL, 0, false,
     "\"&\" begins an anchor, which needs a name", "put quotes around a value that begins with \"&\""},
    {"found an indentation indicator equal to 0", NULL, 0, false, "the indentation after \"|\" or \">\" can't be 0",
     "leave the number out"},
    {"did not find expected comment or line break", "while scanning a block scalar", 0, false,
     "a text after \"|\" or \">\" begins on the next line", "move it to the next line, or put quotes around the value"},
    {"found unexpected ':'", NULL, 0, false, "a colon in a value between brackets", "put quotes around the value"},
    {"found undefined tag handle", NULL, 0, false, TAG, "put quotes around a value that begins with \"!\""},
    {"", "while scanning a directive", 0, false, DIRECTIVE, "remove the line"},
    {"", "while scanning a %", 0, false, DIRECTIVE, "remove the line"},
    {"found duplicate %", NULL, 0, false, DIRECTIVE, "remove the line"},
    {"found incompatible YAML document", NULL, 0, false, DIRECTIVE, "remove the line"},
    {"", "while scanning a tag", 0, true, TAG, "put quotes around a value that begins with \"!\""},
    {"", "while parsing a tag", 0, true, TAG, "put quotes around a value that begins with \"!\""},
};

static bool begins(const char *text, const char *with)
{
    return str_starts(str_of(text), str_of(with));
}

// The line of the mark, and where in it the mark is, in bytes.
static ds_str line_of(ds_str text, yaml_mark_t mark, size_t *at)
{
    for (size_t line = 0; line < mark.line && text.n; line++)
        (void)str_split(&text, '\n');
    ds_str line = str_split(&text, '\n');
    size_t i = 0;
    for (size_t column = 0; i < line.n && column < mark.column; i++)
        column += i + 1 >= line.n || ((unsigned char)line.p[i + 1] & 0xC0) != 0x80;
    *at = i;
    return line;
}

static bool stands(const problem *p, ds_str line, size_t at)
{
    if (p->at == FIRST_KEY)
        return memmem(line.p, at, ": ", 2) == NULL;
    return p->at == 0 || (at < line.n && line.p[at] == p->at);
}

static const problem *find(const yaml_parser_t *parser, ds_str text)
{
    size_t at = 0;
    ds_str line = line_of(text, parser->problem_mark, &at);
    for (size_t i = 0; i < sizeof PROBLEMS / sizeof PROBLEMS[0]; i++) {
        const problem *p = &PROBLEMS[i];
        if (begins(parser->problem, p->theirs) && (!p->during || begins(parser->context, p->during)) &&
            stands(p, line, at))
            return p;
    }
    return NULL;
}

// What is missing at the end of the text is shown behind its last word, not on a line that isn't there.
static yaml_mark_t before_end(ds_str text, yaml_mark_t mark)
{
    size_t at = 0;
    ds_str line = line_of(text, mark, &at);
    for (const char *p = line.p + at; p < text.p + text.n; p++)
        if (!strchr(" \t\r\n", *p))
            return mark;
    while (text.n && strchr(" \t\r\n", text.p[text.n - 1]))
        text.n--;
    mark.line = mark.column = 0;
    for (size_t i = 0; i < text.n; i++) {
        mark.line += text.p[i] == '\n';
        mark.column = text.p[i] == '\n' ? 0 : mark.column + (((unsigned char)text.p[i] & 0xC0) != 0x80);
    }
    return mark;
}

yaml_problem yaml_problem_of(const yaml_parser_t *parser, ds_str text)
{
    if (parser->error == YAML_MEMORY_ERROR)
        BUG("out of memory in libyaml");
    const problem *p = parser->problem ? find(parser, text) : NULL;
    yaml_mark_t mark = before_end(text, parser->problem_mark);
    if (!p)
        return (yaml_problem){mark, parser->problem ? parser->problem : "this is not YAML", "", false};
    bool began = p->at_start && parser->context;
    return (yaml_problem){began ? parser->context_mark : mark, p->ours, p->hint,
                          p->ours == TAG || p->ours == DIRECTIVE};
}
