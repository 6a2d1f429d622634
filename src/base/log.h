// The program's own log, on stderr: text on a terminal, JSON Lines elsewhere. Library code logs at DEBUG only; the
// command line reports once, at the top. Secrets are never passed here. Any thread may call it; a line is one write.
#pragma once
#include <stdbool.h>

typedef enum ds_log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_NONE } ds_log_level;

// Lines below level are dropped. json: JSON Lines instead of text.
void log_setup(ds_log_level level, bool json);
__attribute__((format(printf, 2, 3))) void log_write(ds_log_level level, const char *format, ...);
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
