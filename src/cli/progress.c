#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/units.h"

static const double FIRST_S = 0.5, EVERY_S = 0.1;

enum {
    NAME_MIN = 8,
    NAME_MAX = 48,
    FIGURES = 58, // columns of what stands beside the name, and one that stays free
    LINE_BYTES = 2048,
};

void progress_init(progress_board *board, double now_s)
{
    *board = (progress_board){.arena = arena_new(), .draw_at_s = now_s + FIRST_S};
}

void progress_release(progress_board *board)
{
    arena_freep(&board->arena);
}

// --- events

static void begin_stream(progress_board *board, const ds_progress_event *event, double now_s)
{
    arena_clear(board->arena);
    board->reading.v = NULL;
    board->reading.n = board->reading.cap = 0;
    board->stream = arena_strdup(board->arena, event->stream);
    board->datasets = event->datasets;
    board->total = event->total;
    board->done = 0;
    board->rows = board->bytes = 0;
    board->since_s = now_s;
}

static progress_dataset *dataset_of(progress_board *board, const char *name, double now_s)
{
    for (size_t i = 0; i < board->reading.n; i++)
        if (strcmp(board->reading.v[i].name, name) == 0)
            return &board->reading.v[i];
    progress_dataset *dataset = VEC_PUSH(board->arena, &board->reading);
    *dataset = (progress_dataset){.name = arena_strdup(board->arena, name), .since_s = now_s};
    return dataset;
}

static void end_dataset(progress_board *board, progress_dataset *dataset)
{
    board->done++;
    board->rows += dataset->rows;
    board->bytes += dataset->bytes;
    size_t at = (size_t)(dataset - board->reading.v);
    board->reading.n--;
    memmove(dataset, dataset + 1, (board->reading.n - at) * sizeof *dataset);
}

void progress_event(progress_board *board, const ds_progress_event *event, double now_s)
{
    if (!event->dataset) {
        begin_stream(board, event, now_s);
        return;
    }
    progress_dataset *dataset = dataset_of(board, event->dataset, now_s);
    if (event->rows < dataset->rows) // it is being read once more
        dataset->since_s = now_s;
    dataset->rows = event->rows;
    dataset->bytes = event->bytes;
    dataset->total = event->total;
    if (event->done)
        end_dataset(board, dataset);
}

bool progress_is_due(progress_board *board, double now_s)
{
    bool finished = board->drawn && board->reading.n == 0 && board->done == board->datasets;
    if (!board->stream || (now_s < board->draw_at_s && !finished))
        return false;
    board->draw_at_s = now_s + EVERY_S;
    board->drawn = true;
    return true;
}

// --- text

typedef struct figures {
    int64_t rows, bytes, total;
    double seconds;
} figures;

static void put_right(ds_buf *line, int columns, const ds_buf *text)
{
    buf_printf(line, "%*s", columns, buf_text(text));
}

// Share of the last count; the bytes where there is none, or where it has been passed.
static void put_share(ds_buf *line, const figures *f)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(32);
    if (f->total > 0 && f->rows <= f->total)
        buf_printf(&text, "%d%%", (int)(100.0 * (double)f->rows / (double)f->total));
    else if (f->bytes > 0)
        put_bytes(&text, f->bytes);
    put_right(line, 10, &text);
}

static void put_left(ds_buf *line, const figures *f)
{
    CLEANUP(buf_release) ds_buf text = BUF_INIT(32);
    if (f->total > f->rows && f->rows > 0 && f->seconds > 0) {
        put_duration(&text, (double)(f->total - f->rows) * f->seconds / (double)f->rows);
        buf_puts(&text, " left");
    }
    put_right(line, 14, &text);
}

static void put_figures(ds_buf *line, const figures *f)
{
    CLEANUP(buf_release) ds_buf rate = BUF_INIT(32);
    put_rate(&rate, f->rows, f->seconds);
    if (rate.n)
        buf_puts(&rate, " rows/s");
    buf_printf(line, "%13" PRId64 " rows", f->rows);
    put_right(line, 15, &rate);
    put_share(line, f);
    put_left(line, f);
}

// The line without spaces at its end, cut to fewer columns than there are: a full line would wrap on some terminals.
static void put_line(ds_buf *out, ds_buf *line, size_t columns)
{
    while (line->n && line->p[line->n - 1] == ' ')
        line->p[--line->n] = 0;
    put_printable(out, buf_text(line), columns ? columns - 1 : 0);
    buf_putc(out, '\n');
}

static void put_name(ds_buf *line, const char *indent, const char *name, size_t columns)
{
    buf_puts(line, indent);
    size_t used = strlen(indent) + put_printable(line, name, columns - strlen(indent));
    buf_printf(line, "%*s", (int)(columns - used), "");
}

static size_t name_columns(size_t columns)
{
    size_t left = columns > FIGURES + NAME_MIN ? columns - FIGURES : NAME_MIN;
    return left < NAME_MAX ? left : NAME_MAX;
}

// The stream: what is done and what is being read.
static void render_stream(const progress_board *board, double now_s, size_t columns, ds_buf *out)
{
    figures f = {board->rows, board->bytes, board->total, now_s - board->since_s};
    for (size_t i = 0; i < board->reading.n; i++) {
        f.rows += board->reading.v[i].rows;
        f.bytes += board->reading.v[i].bytes;
    }
    CLEANUP(buf_release) ds_buf line = BUF_INIT(LINE_BYTES);
    CLEANUP(buf_release) ds_buf tables = BUF_INIT(64);
    buf_printf(&tables, " %zu/%zu", board->done, board->datasets);
    size_t name = name_columns(columns), beside = tables.n < name ? tables.n : name;
    size_t used = put_printable(&line, board->stream, name - beside);
    buf_puts(&line, buf_text(&tables));
    buf_printf(&line, "%*s", used + tables.n < name ? (int)(name - used - tables.n) : 0, "");
    put_figures(&line, &f);
    put_line(out, &line, columns);
}

static void render_dataset(const progress_dataset *dataset, double now_s, size_t columns, ds_buf *out)
{
    CLEANUP(buf_release) ds_buf line = BUF_INIT(LINE_BYTES);
    put_name(&line, "  ", dataset->name, name_columns(columns));
    put_figures(&line, &(figures){dataset->rows, dataset->bytes, dataset->total, now_s - dataset->since_s});
    put_line(out, &line, columns);
}

static void render_more(size_t more, size_t columns, ds_buf *out)
{
    CLEANUP(buf_release) ds_buf line = BUF_INIT(LINE_BYTES);
    buf_printf(&line, "  and %zu more", more);
    put_line(out, &line, columns);
}

void progress_render(const progress_board *board, double now_s, size_t columns, size_t lines, ds_buf *out)
{
    if (!board->stream || lines == 0)
        return;
    render_stream(board, now_s, columns, out);
    size_t room = lines - 1, n = board->reading.n;
    size_t shown = n <= room ? n : room > 0 ? room - 1 : 0;
    for (size_t i = 0; i < shown; i++)
        render_dataset(&board->reading.v[i], now_s, columns, out);
    if (shown < n && room > 0)
        render_more(n - shown, columns, out);
}
