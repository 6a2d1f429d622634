#include "cli/output.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/file.h"

static const char *const ESCAPES[] = {
    [STYLE_PLAIN] = "",          [STYLE_BOLD] = "\033[1m",   [STYLE_DIM] = "\033[2m",   [STYLE_GREEN] = "\033[32m",
    [STYLE_YELLOW] = "\033[33m", [STYLE_RED] = "\033[1;31m", [STYLE_CYAN] = "\033[36m",
};

const char *style(const ds_cli *cli, ds_style which)
{
    return cli->colour ? ESCAPES[which] : "";
}

const char *style_end(const ds_cli *cli)
{
    return cli->colour ? "\033[0m" : "";
}

ds_table table_new(ds_arena *arena, const char *const *headings)
{
    ds_table table = {.arena = arena, .headings = headings};
    while (headings[table.columns])
        table.columns++;
    return table;
}

void table_row(ds_table *table)
{
    const char **cells = ARENA_ARRAY(table->arena, const char *, table->columns);
    for (size_t i = 0; i < table->columns; i++)
        cells[i] = "";
    *VEC_PUSH(table->arena, &table->rows) = cells;
}

void table_cell(ds_table *table, size_t column, const char *format, ...)
{
    ds_assert(table->rows.n > 0 && column < table->columns);
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if (*p == '\n' || *p == '\r' || *p == '\t')
            *p = ' ';
    table->rows.v[table->rows.n - 1][column] = arena_strdup(table->arena, text);
}

void table_int(ds_table *table, size_t column, int64_t value)
{
    table_cell(table, column, "%" PRId64, value);
}

// Columns on the screen, good enough for the names that we print: code points, colours left out.
static size_t width_of(const char *text)
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\033')
            while (*p && *p != 'm')
                p++;
        else
            n += ((unsigned char)*p & 0xC0) != 0x80;
        if (!*p)
            break;
    }
    return n;
}

static bool right(const ds_table *table, size_t column)
{
    return table->headings[column][0] == '>';
}

static const char *heading(const ds_table *table, size_t column)
{
    return table->headings[column] + (right(table, column) ? 1 : 0);
}

static void print_row(const ds_cli *cli, const ds_table *table, const size_t *widths, const char *const *cells,
                      const char *indent)
{
    size_t pending = 0; // spaces are written only before something, so that no line ends with one
    fputs(indent, cli->out);
    for (size_t i = 0; i < table->columns; i++) {
        size_t width = width_of(cells[i]);
        size_t pad = widths[i] > width ? widths[i] - width : 0;
        size_t before = pending + (right(table, i) ? pad : 0);
        pending = (right(table, i) ? 0 : pad) + 2;
        if (width == 0) {
            pending += before;
            continue;
        }
        fprintf(cli->out, "%*s%s", (int)before, "", cells[i]);
    }
    fputc('\n', cli->out);
}

void table_print(const ds_cli *cli, const ds_table *table, const char *indent)
{
    CLEANUP(arena_freep) ds_arena *scratch = arena_new();
    size_t *widths = ARENA_ARRAY(scratch, size_t, table->columns);
    const char **headings = ARENA_ARRAY(scratch, const char *, table->columns);
    for (size_t c = 0; c < table->columns; c++) {
        headings[c] = heading(table, c);
        widths[c] = width_of(headings[c]);
        for (size_t r = 0; r < table->rows.n; r++) {
            size_t width = width_of(table->rows.v[r][c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    fputs(style(cli, STYLE_DIM), cli->out);
    print_row(cli, table, widths, headings, indent);
    fputs(style_end(cli), cli->out);
    for (size_t r = 0; r < table->rows.n; r++)
        print_row(cli, table, widths, (const char *const *)table->rows.v[r], indent);
}

static void message(const ds_cli *cli, const char *colour, const char *what, const char *text)
{
    // Results printed so far stand before the message also where both streams go to one file.
    fflush(cli->out);
    bool tint = cli->colour_messages;
    fprintf(stderr, "datasurface: %s%s:%s %s\n", tint ? colour : "", what, tint ? "\033[0m" : "", text);
}

void warn(const ds_cli *cli, const char *format, ...)
{
    char text[DS_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    message(cli, ESCAPES[STYLE_YELLOW], "warning", text);
}

void note(const ds_cli *cli, const char *format, ...)
{
    fflush(cli->out);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void error_report(const ds_cli *cli, const ds_error *err)
{
    message(cli, ESCAPES[STYLE_RED], "error", err->text);
    if (err->hint[0])
        fprintf(stderr, "  hint: %s\n", err->hint);
}

void diagnostic_add(ds_cli *cli, const char *object, const ds_error *err)
{
    json_array_append_new(cli->diagnostics,
                          json_pack("{s:s, s:s, s:o, s:o, s:s, s:i, s:i, s:o}", "severity", "error", "rule", "",
                                    "message", json_text(err->text), "hint", json_text(err->hint), "file", "", "line",
                                    0, "column", 0, "object", json_text(object ? object : "")));
}

static void put_field(const ds_cli *cli, const char *name, const json_t *value)
{
    json_t *text = json_string(name);
    json_dumpf(text, cli->out, JSON_ENCODE_ANY);
    fputs(": ", cli->out);
    json_dumpf(value, cli->out, JSON_ENCODE_ANY);
    fputs(", ", cli->out);
    json_decref(text);
}

void output_row_take(ds_cli *cli, json_t *row)
{
    if (cli->rows_printed++ == 0) {
        fprintf(cli->out, "{\n  \"datasurface\": 1,\n  \"command\": \"%s\",\n  \"result\": {", cli->command->name);
        const char *name;
        json_t *value;
        json_object_foreach(cli->result, name, value) if (!json_is_array(value)) put_field(cli, name, value);
        fputs("\"rows\": [\n", cli->out);
    } else
        fputs(",\n", cli->out);
    json_dumpf(row, cli->out, JSON_COMPACT);
    json_decref(row);
}

void output_rows_end(const ds_cli *cli)
{
    fprintf(cli->out, "\n]},\n  \"exit\": %d,\n  \"diagnostics\": ", cli->exit);
    json_dumpf(cli->diagnostics, cli->out, JSON_INDENT(2));
    fputs("\n}\n", cli->out);
}

const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

const char *time_text(ds_arena *arena, int64_t instant_us)
{
    if (!instant_us)
        return "never";
    char iso[CLOCK_TEXT];
    clock_format_iso(instant_us, iso);
    iso[10] = ' ';
    return arena_printf(arena, "%.19s UTC", iso);
}

json_t *json_time(int64_t instant_us)
{
    if (!instant_us)
        return json_null();
    char iso[CLOCK_TEXT];
    clock_format_iso(instant_us, iso);
    return json_string(iso);
}

json_t *json_int64(int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return json_string(text);
}

json_t *json_text(const char *text_or_null)
{
    json_t *json = text_or_null ? json_string(text_or_null) : json_null();
    return json ? json : json_string("(not valid UTF-8)");
}

ds_rc output_file(const ds_cli *cli, const char *path, ds_str text, ds_error *err)
{
    ds_rc rc = file_write_atomic(path, text, !args_flag(&cli->args, "force"), err);
    return rc.code == DS_USAGE ? ds_hint(rc, err, "--force overwrites it; -o FILE writes elsewhere") : rc;
}
