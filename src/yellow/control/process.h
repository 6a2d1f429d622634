// Who a process is, told so that another process can find out whether it is still there: a pid alone means nothing on
// another machine, in another container, or once the kernel has given it to somebody else. Any thread.
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { PROCESS_HOST = 256, PROCESS_MACHINE = 256 };
typedef struct ds_process {
    char host[PROCESS_HOST]; // the machine's name, for people
    // The boot of the kernel, and the namespaces that count its pids and their age; "" when that can't be told.
    char machine[PROCESS_MACHINE];
    int64_t pid;
    int64_t birth; // when it began, in ticks since the boot (proc(5), stat, field 22)
} ds_process;

ds_process process_self(void);
// For certain: it ran where we run, and has ended. Everything that can't be told counts as alive.
bool process_is_gone(const ds_process *process);
