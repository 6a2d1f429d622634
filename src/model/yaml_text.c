// What libyaml should never see: other encodings, broken UTF-8, control characters, and line ends by which its lines
// would differ from those of editors.
#include "model/yaml_int.h"

static const ds_str BOM = {"\xEF\xBB\xBF", 3};

// Where offset stands: lines end with \n, columns are code points.
static ds_pos place_of(uint32_t file, ds_str text, size_t offset)
{
    size_t line = 1, column = 1;
    for (size_t i = str_starts(text, BOM) ? BOM.n : 0; i < offset; i++) {
        if (text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text.p[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    return yaml_pos(file, line, column);
}

static bool is_utf16(ds_str text)
{
    if (text.n < 2)
        return false;
    unsigned char a = (unsigned char)text.p[0], b = (unsigned char)text.p[1];
    return (a == 0xFF && b == 0xFE) || (a == 0xFE && b == 0xFF) || (a == 0) != (b == 0);
}

// The offset of the first byte that is not part of valid UTF-8. U+0000 counts as valid: it is a control character.
static size_t bad_utf8(ds_str text)
{
    if (str_utf8_length(text) >= 0)
        return text.n;
    for (size_t i = 0; i < text.n;) {
        unsigned char lead = (unsigned char)text.p[i];
        size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0x80 ? 2 : 1;
        if (length > 1 && (text.n - i < length || str_utf8_length((ds_str){text.p + i, length}) != 1))
            return i;
        i += length;
    }
    return text.n;
}

typedef struct separator {
    ds_str bytes;
    const char *name;
} separator;
static const separator SEPARATORS[] = {{{"\xC2\x85", 2}, "U+0085"},
                                       {{"\xE2\x80\xA8", 3}, "U+2028"},
                                       {{"\xE2\x80\xA9", 3}, "U+2029"}};

// C0 and C1 controls but tab and line ends; DEL; U+FFFE and U+FFFF; a second byte order mark is one, too.
static bool is_control(ds_str rest)
{
    unsigned char a = (unsigned char)rest.p[0];
    if (a < 0x20)
        return a != '\t' && a != '\n' && a != '\r';
    unsigned char b = rest.n > 1 ? (unsigned char)rest.p[1] : 0;
    return a == 0x7F || (a == 0xC2 && b < 0xA0) || str_starts(rest, BOM) || str_starts(rest, STR("\xEF\xBF\xBE")) ||
           str_starts(rest, STR("\xEF\xBF\xBF"));
}

static bool refuse_separator(ds_diags *diags, ds_pos pos, ds_str rest)
{
    for (size_t i = 0; i < sizeof SEPARATORS / sizeof SEPARATORS[0]; i++) {
        if (!str_starts(rest, SEPARATORS[i].bytes))
            continue;
        MODEL_FIND(diags, RULE_ENCODING, pos, "", "the line separator %s is not allowed here", SEPARATORS[i].name);
        diag_hint(diags, "use an ordinary line end");
        return true;
    }
    return false;
}

static bool refuse_at(ds_diags *diags, uint32_t file, ds_str text, size_t at)
{
    ds_str rest = {text.p + at, text.n - at};
    ds_pos pos = place_of(file, text, at);
    if (rest.p[0] == '\r') {
        if (rest.n > 1 && rest.p[1] == '\n')
            return false;
        MODEL_FIND(diags, RULE_ENCODING, pos, "", "a carriage return without a line feed");
        diag_hint(diags, "save the file with LF or CRLF line ends");
        return true;
    }
    if (refuse_separator(diags, pos, rest))
        return true;
    if (!is_control(rest))
        return false;
    unsigned code = (unsigned char)rest.p[0];
    if (code >= 0x80)
        code = code == 0xC2                                       ? (unsigned char)rest.p[1]
               : code == 0xEF && (unsigned char)rest.p[1] == 0xBB ? 0xFEFF
                                                                  : 0xFFFF;
    MODEL_FIND(diags, RULE_ENCODING, pos, "", "the control character U+%04X is not allowed", code);
    diag_hint(diags, "in a text write it between double quotes as \"\\%s%0*X\"", code > 0xFF ? "u" : "x",
              code > 0xFF ? 4 : 2, code);
    return true;
}

// True when all of eight bytes are printable ASCII or line feeds: most of any file.
static bool ordinary8(const char *p)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones, low = 0x7F * ones;
    uint64_t v;
    memcpy(&v, p, sizeof v);
    if ((v | (v + ones)) & high) // not ASCII, or DEL
        return false;
    uint64_t control = ~(v + 0x60 * ones) & high; // below a space
    uint64_t other = (v ^ '\n' * ones) + low;     // no line feed: carries into the high bit
    return (control & other) == 0;
}

bool yaml_text_refused(ds_diags *diags, uint32_t file, ds_str text)
{
    if (is_utf16(text)) {
        MODEL_FIND(diags, RULE_ENCODING, ((ds_pos){file, 1, 1}), "", "the file is UTF-16");
        diag_hint(diags, "save it as UTF-8");
        return true;
    }
    size_t bad = bad_utf8(text);
    for (size_t i = str_starts(text, BOM) ? BOM.n : 0; i < bad; i++) {
        while (bad - i > 8 && ordinary8(text.p + i))
            i += 8;
        unsigned char c = (unsigned char)text.p[i];
        bool suspect = c < 0x20 ? c != '\n' && c != '\t' : c == 0x7F || c == 0xC2 || c == 0xE2 || c == 0xEF;
        if (suspect && refuse_at(diags, file, text, i))
            return true;
    }
    if (bad == text.n)
        return false;
    MODEL_FIND(diags, RULE_ENCODING, place_of(file, text, bad), "", "the byte 0x%02X is not valid UTF-8",
               (unsigned char)text.p[bad]);
    diag_hint(diags, "save the file as UTF-8");
    return true;
}
