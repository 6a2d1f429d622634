// How results and messages look: aligned tables, colour on terminals only, one place for errors and warnings.
#pragma once
#include "cli/command.h"
#include "base/vec.h"

typedef enum ds_style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GREEN, STYLE_YELLOW, STYLE_RED, STYLE_CYAN } ds_style;
// The escape sequence, or "" where there is no colour. style_end resets.
const char *style(const ds_cli *cli, ds_style style);
const char *style_end(const ds_cli *cli);

// A table grows row by row and is printed aligned. Texts are copied. A heading that begins with '>' is aligned right.
typedef struct ds_table {
    ds_arena *arena;
    const char *const *headings; // NULL-terminated
    size_t columns;
    VEC(const char **) rows;
} ds_table;
ds_table table_new(ds_arena *arena, const char *const *headings);
// Appends a row of empty cells; fill them with table_cell.
void table_row(ds_table *table);
__attribute__((format(printf, 3, 4))) void table_cell(ds_table *table, size_t column, const char *format, ...);
void table_int(ds_table *table, size_t column, int64_t value);
void table_print(const ds_cli *cli, const ds_table *table, const char *indent);

// "datasurface: warning: ..." on stderr.
__attribute__((format(printf, 2, 3))) void warn(const ds_cli *cli, const char *format, ...);
__attribute__((format(printf, 2, 3))) void note(const ds_cli *cli, const char *format, ...); // a plain line on stderr
// "datasurface: error: text" and "  hint: ..." on stderr.
void error_report(const ds_cli *cli, const ds_error *err);

// Writes a file that the user named; one that exists only with --force, which the command must have.
ds_rc output_file(const ds_cli *cli, const char *path, ds_str text, ds_error *err);

// The failure as a finding of the envelope; object NULL: of nothing in particular.
void diagnostic_add(ds_cli *cli, const char *object, const ds_error *err);

// Rows of a result that may not fit into memory: printed one by one as the list "rows", which cli->result has as an
// empty one. The envelope then ends with exit and diagnostics. Takes the row.
void output_row_take(ds_cli *cli, json_t *row);
void output_rows_end(const ds_cli *cli);

// "1 row", "2 rows": the plural is the singular and an s.
const char *plural(int64_t n);
// "2026-01-31 12:34:56 UTC" for people; "never" for 0.
const char *time_text(ds_arena *arena, int64_t instant_us);
// ISO 8601 as JSON, null for 0; a number as JSON text (64 bits don't survive in JSON numbers).
json_t *json_time(int64_t instant_us);
json_t *json_int64(int64_t value);
json_t *json_text(const char *text_or_null);
