#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { LINE_SHOWN = 160, TEXT_MAX = 1 << 26 };

typedef struct source_file {
    const char *path;
    ds_str text;
} source_file;

// The text that was read last: findings come sorted by file.
typedef struct text_cache {
    uint32_t file;
    ds_buf text;
} text_cache;

struct ds_files {
    ds_arena *arena;
    VEC(source_file) files;
    files_reader *reader; // NULL: all texts are borrowed
    void *context;
    text_cache *cache;
};

ds_files *files_new(ds_arena *arena)
{
    ds_files *files = ARENA_NEW(arena, ds_files);
    files->arena = arena;
    return files;
}

uint32_t files_add(ds_files *files, const char *path, ds_str text)
{
    *VEC_PUSH(files->arena, &files->files) = (source_file){arena_strdup(files->arena, path), text};
    return (uint32_t)files->files.n;
}

const char *files_path(const ds_files *files, uint32_t file)
{
    return file && file <= files->files.n ? files->files.v[file - 1].path : "";
}

void files_set_reader(ds_files *files, files_reader *reader, void *context)
{
    files->reader = reader;
    files->context = context;
    files->cache = ARENA_NEW(files->arena, text_cache);
    files->cache->text = BUF_INIT(TEXT_MAX);
}

void files_release(ds_files *files)
{
    if (files->cache)
        buf_release(&files->cache->text);
}

void files_releasep(ds_files **files)
{
    if (*files)
        files_release(*files);
    *files = NULL;
}

// Valid until the next call.
static ds_str files_text(const ds_files *files, uint32_t file)
{
    if (file == 0 || file > files->files.n)
        return STR("");
    ds_str text = files->files.v[file - 1].text;
    text_cache *cache = files->cache;
    if (text.n || !cache)
        return text;
    if (cache->file != file) {
        buf_clear(&cache->text);
        files->reader(files->context, file, &cache->text);
        cache->file = file;
    }
    return buf_str(&cache->text);
}

size_t files_count(const ds_files *files)
{
    return files->files.n;
}

struct ds_diags {
    ds_arena *arena;
    const ds_files *files;
    VEC(ds_diag) list;
    size_t counts[DIAG_ERROR + 1];
    bool dropped_last;
};

ds_diags *diags_new(const ds_files *files)
{
    ds_arena *arena = arena_new();
    ds_diags *diags = ARENA_NEW(arena, ds_diags);
    diags->arena = arena;
    diags->files = files;
    return diags;
}

void diags_free(ds_diags *diags)
{
    if (diags)
        arena_free(diags->arena);
}

void diags_freep(ds_diags **diags)
{
    diags_free(*diags);
    *diags = NULL;
}

__attribute__((format(printf, 2, 0))) static char *vprint(ds_arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    if (n < 0)
        BUG("diag: bad format");
    char *text = arena_alloc(arena, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    for (char *p = text; *p; p++) // one line, and nothing that acts on a terminal
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            *p = ' ';
    return text;
}

void diag_add(ds_diags *diags, ds_severity severity, const char *rule, ds_pos pos, const char *object,
              const char *format, ...)
{
    diags->counts[severity]++;
    diags->dropped_last = diags->list.n >= DIAGS_MAX;
    if (diags->dropped_last)
        return;
    va_list args;
    va_start(args, format);
    char *message = vprint(diags->arena, format, args);
    va_end(args);
    *VEC_PUSH(diags->arena, &diags->list) = (ds_diag){
        .severity = severity,
        .rule = arena_strdup(diags->arena, rule),
        .message = message,
        .hint = "",
        .object = arena_strdup(diags->arena, object),
        .pos = pos,
    };
}

void diag_hint(ds_diags *diags, const char *format, ...)
{
    ds_assert(diags->list.n > 0);
    if (diags->dropped_last)
        return;
    va_list args;
    va_start(args, format);
    diags->list.v[diags->list.n - 1].hint = vprint(diags->arena, format, args);
    va_end(args);
}

void diags_append(ds_diags *diags, const ds_diags *more)
{
    ds_arena *arena = diags->arena;
    for (size_t i = 0; i < more->list.n && diags->list.n < DIAGS_MAX; i++) {
        ds_diag d = more->list.v[i];
        d.rule = arena_strdup(arena, d.rule);
        d.message = arena_strdup(arena, d.message);
        d.hint = arena_strdup(arena, d.hint);
        d.object = arena_strdup(arena, d.object);
        *VEC_PUSH(arena, &diags->list) = d;
    }
    for (size_t s = 0; s <= DIAG_ERROR; s++)
        diags->counts[s] += more->counts[s];
    diags->dropped_last = more->dropped_last || diags->list.n >= DIAGS_MAX;
}

size_t diags_count(const ds_diags *diags)
{
    return diags->list.n;
}

size_t diags_severity_count(const ds_diags *diags, ds_severity severity)
{
    return diags->counts[severity];
}

bool diags_all_kept(const ds_diags *diags)
{
    size_t all = 0;
    for (int s = DIAG_INFO; s <= DIAG_ERROR; s++)
        all += diags->counts[s];
    return all == diags->list.n;
}

const ds_diag *diags_at(const ds_diags *diags, size_t i)
{
    ds_assert(i < diags->list.n);
    return &diags->list.v[i];
}

const ds_files *diags_files(const ds_diags *diags)
{
    return diags->files;
}

static int compare(const void *x, const void *y, void *files)
{
    const ds_diag *a = x, *b = y;
    int order = strcmp(files_path(files, a->pos.file), files_path(files, b->pos.file));
    if (order == 0)
        order = (a->pos.line > b->pos.line) - (a->pos.line < b->pos.line);
    if (order == 0)
        order = (a->pos.column > b->pos.column) - (a->pos.column < b->pos.column);
    if (order == 0)
        order = strcmp(a->rule, b->rule);
    if (order == 0)
        order = strcmp(a->message, b->message);
    return order ? order : (int)b->severity - (int)a->severity;
}

void diags_sort(ds_diags *diags)
{
    size_t n = diags->list.n;
    if (n < 2)
        return;
    ds_diag *v = diags->list.v;
    qsort_r(v, n, sizeof *v, compare, (void *)(uintptr_t)diags->files);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++) {
        if (compare(&v[kept - 1], &v[i], (void *)(uintptr_t)diags->files) == 0)
            diags->counts[v[i].severity]--;
        else
            v[kept++] = v[i];
    }
    diags->list.n = kept;
}

const char *severity_name(ds_severity severity)
{
    static const char *const NAMES[] = {"info", "warning", "error"};
    return NAMES[severity];
}

// The line of text that a position stands in.
static ds_str line_at(ds_str text, uint32_t line)
{
    for (uint32_t i = 1; i < line && text.n; i++)
        (void)str_split(&text, '\n');
    ds_str found = str_split(&text, '\n');
    if (found.n && found.p[found.n - 1] == '\r')
        found.n--;
    return found;
}

// Spaces (and the line's own tabs) up to the column, then a caret and tildes over the rest of the word.
static void print_caret(FILE *out, ds_str line, uint32_t column)
{
    size_t i = 0;
    uint32_t at = 1;
    for (; i < line.n && at < column; i++) {
        if (((unsigned char)line.p[i] & 0xC0) == 0x80)
            continue;
        fputc(line.p[i] == '\t' ? '\t' : ' ', out);
        at++;
    }
    while (i < line.n && ((unsigned char)line.p[i] & 0xC0) == 0x80)
        i++;
    fputc('^', out);
    for (i++; i < line.n && strchr(" \t,:]}#\"'", line.p[i]) == NULL && (unsigned char)line.p[i] < 0x80; i++)
        fputc('~', out);
    fputc('\n', out);
}

// May the line be shown? Nothing in a file may act on the reader's terminal.
static bool is_showable(ds_str line)
{
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        bool c1 = c == 0xC2 && i + 1 < line.n && (unsigned char)line.p[i + 1] < 0xA0;
        if ((c < ' ' && c != '\t') || c == 0x7F || c1)
            return false;
    }
    return line.n > 0 && line.n <= LINE_SHOWN && str_utf8_length(line) >= 0;
}

static void print_source(FILE *out, const ds_diags *diags, ds_pos pos, const char *green, const char *reset)
{
    ds_str line = line_at(files_text(diags->files, pos.file), pos.line);
    if (!is_showable(line))
        return;
    fprintf(out, "%6u | %.*s\n       | %s", (unsigned)pos.line, STR_ARGS(line), green);
    print_caret(out, line, pos.column);
    fputs(reset, out);
}

void diag_print(FILE *out, const ds_diags *diags, const ds_diag *diag, bool colour)
{
    static const char *const COLOURS[] = {"\033[1;36m", "\033[1;33m", "\033[1;31m"};
    const char *tint = colour ? COLOURS[diag->severity] : "";
    const char *reset = colour ? "\033[0m" : "";
    if (diag->pos.file && diag->pos.line)
        fprintf(out, "%s:%u:%u: ", files_path(diags->files, diag->pos.file), (unsigned)diag->pos.line,
                (unsigned)diag->pos.column);
    else if (diag->pos.file)
        fprintf(out, "%s: ", files_path(diags->files, diag->pos.file));
    fprintf(out, "%s%s:%s %s", tint, severity_name(diag->severity), reset, diag->message);
    if (diag->rule[0])
        fprintf(out, " [%s]", diag->rule);
    fputc('\n', out);
    if (diag->pos.file && diag->pos.line)
        print_source(out, diags, diag->pos, colour ? "\033[32m" : "", reset);
    if (diag->hint[0])
        fprintf(out, "  hint: %s\n", diag->hint);
}

json_t *diag_json(const ds_diags *diags, const ds_diag *d)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "severity", severity_name(d->severity), "rule", d->rule,
                  "message", d->message, "hint", d->hint, "file", files_path(diags->files, d->pos.file), "line",
                  (int)d->pos.line, "column", (int)d->pos.column, "object", d->object);
    if (!json) // a text that is not UTF-8
        json = json_pack("{s:s, s:s, s:s}", "severity", severity_name(d->severity), "rule", d->rule, "message",
                         "(finding is not valid UTF-8)");
    return json;
}

json_t *diags_json(const ds_diags *diags)
{
    json_t *list = json_array();
    for (size_t i = 0; i < diags->list.n; i++)
        json_array_append_new(list, diag_json(diags, &diags->list.v[i]));
    return list;
}
