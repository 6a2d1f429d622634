#include "cli/progress_terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

enum { COLUMNS_DEFAULT = 80, LINES_DEFAULT = 24, COLUMNS_MAX = 400, SCREEN_BYTES = 1 << 20 };

bool progress_terminal_is_there(void)
{
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && term[0] && strcmp(term, "dumb") != 0;
}

static void screen_size(size_t *columns, size_t *lines)
{
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
    *columns = known && size.ws_col ? size.ws_col : COLUMNS_DEFAULT;
    *columns = *columns < COLUMNS_MAX ? *columns : COLUMNS_MAX;
    *lines = known && size.ws_row ? size.ws_row : LINES_DEFAULT;
}

// One write, so that nothing else comes in between. What can't be written is not worth a word.
static void write_screen(const ds_buf *screen)
{
    const char *p = buf_text(screen);
    for (size_t left = screen->n; left;) {
        ssize_t n = write(STDERR_FILENO, p, left);
        if (n <= 0)
            return;
        p += n;
        left -= (size_t)n;
    }
}

// Back to the first line of what stands there; what is below goes.
static void put_erase(const ds_progress_terminal *terminal, ds_buf *screen)
{
    if (terminal->lines)
        buf_printf(screen, "\r\033[%zuA\033[J", terminal->lines);
}

static void draw(ds_progress_terminal *terminal, double now_s)
{
    CLEANUP(buf_release) ds_buf screen = BUF_INIT(SCREEN_BYTES);
    size_t columns, lines;
    screen_size(&columns, &lines);
    put_erase(terminal, &screen);
    size_t from = screen.n;
    progress_render(&terminal->board, now_s, columns, lines - 1, &screen);
    terminal->lines = 0;
    for (size_t i = from; i < screen.n; i++)
        terminal->lines += screen.p[i] == '\n';
    write_screen(&screen);
}

static void on_event(void *context, const ds_progress_event *event)
{
    ds_progress_terminal *terminal = context;
    double now_s = clock_elapsed_s();
    pthread_mutex_lock(&terminal->lock);
    progress_event(&terminal->board, event, now_s);
    if (progress_is_due(&terminal->board, now_s))
        draw(terminal, now_s);
    pthread_mutex_unlock(&terminal->lock);
}

void progress_terminal_open(ds_progress_terminal *terminal)
{
    *terminal = (ds_progress_terminal){.progress = {terminal, on_event}};
    pthread_mutex_init(&terminal->lock, NULL);
    progress_init(&terminal->board, clock_elapsed_s());
}

void progress_terminal_close(ds_progress_terminal *terminal)
{
    CLEANUP(buf_release) ds_buf screen = BUF_INIT(SCREEN_BYTES);
    put_erase(terminal, &screen);
    write_screen(&screen);
    progress_release(&terminal->board);
    pthread_mutex_destroy(&terminal->lock);
}
