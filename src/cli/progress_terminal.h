// Draws a job's progress on a terminal, over and over in the same place, and takes it away when the job ends.
//
//     ds_progress_terminal terminal;
//     progress_terminal_open(&terminal);
//     runtime.progress = &terminal.progress;
//     ...
//     progress_terminal_close(&terminal);
//
// Thread rule: progress may be told from any thread; open and close are the owner's, who does not move the struct.
#pragma once
#include <pthread.h>

#include "cli/progress.h"

typedef struct ds_progress_terminal {
    ds_progress progress;
    pthread_mutex_t lock; // guards what follows, and standard error while it is drawn
    progress_board board;
    size_t lines; // that stand on the screen
} ds_progress_terminal;

// Is standard error a terminal on which a line can be written over?
bool progress_terminal_is_there(void);
void progress_terminal_open(ds_progress_terminal *terminal);
void progress_terminal_close(ds_progress_terminal *terminal);
