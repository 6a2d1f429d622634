#include "base/log.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

static struct {
    ds_log_level level;
    bool json;
} sink = {LOG_WARNING, false};

static const char *const LEVEL_NAMES[] = {"debug", "info", "warning", "error"};

void log_setup(ds_log_level level, bool json)
{
    sink.level = level;
    sink.json = json;
}

static void write_json(ds_log_level level, const char *text)
{
    char at[CLOCK_TEXT];
    clock_format_iso(clock_now_us(clock_system()), at);
    json_t *line = json_pack("{s:s, s:s, s:s}", "at", at, "level", LEVEL_NAMES[level], "message", text);
    char *dump = line ? json_dumps(line, JSON_COMPACT) : NULL;
    if (dump)
        fprintf(stderr, "%s\n", dump);
    free(dump);
    json_decref(line);
}

void log_write(ds_log_level level, const char *format, ...)
{
    if (level < sink.level || level >= LOG_NONE)
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (sink.json)
        write_json(level, text);
    else
        fprintf(stderr, "datasurface: %s: %s\n", LEVEL_NAMES[level], text);
}
