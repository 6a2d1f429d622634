#include "yellow/control/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { LINK_MAX_TEXT = 64, STAT_MAX = 4096, STAT_STATE = 3, STAT_START = 22 };

static bool link_text(const char *path, char out[LINK_MAX_TEXT])
{
    ssize_t n = readlink(path, out, LINK_MAX_TEXT - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 && n < LINK_MAX_TEXT - 1;
}

// /proc may be that of another pid namespace, in which our pid is somebody else's.
static bool proc_is_ours(void)
{
    char self[LINK_MAX_TEXT];
    int64_t pid;
    return link_text("/proc/self", self) && str_int64(str_of(self), &pid) && pid == getpid();
}

// "BOOT pid:[N] time:[N]"; old kernels have no time namespaces.
static void read_machine(char out[PROCESS_MACHINE])
{
    out[0] = '\0';
    char pids[LINK_MAX_TEXT], time[LINK_MAX_TEXT];
    CLEANUP(buf_release) ds_buf boot = BUF_INIT(LINK_MAX_TEXT);
    ds_error ignored;
    if (!proc_is_ours() || !link_text("/proc/self/ns/pid", pids) ||
        file_read("/proc/sys/kernel/random/boot_id", &boot, &ignored).code != DS_OK)
        return;
    ds_str rest = buf_str(&boot);
    ds_str id = str_split(&rest, '\n');
    (void)link_text("/proc/self/ns/time", time);
    snprintf(out, PROCESS_MACHINE, "%.*s %s %s", STR_ARGS(id), pids, time);
}

typedef struct stat_line {
    char state;
    int64_t birth;
} stat_line;

// Counts from behind the program's name, which may hold anything.
static bool parse_stat(const char *text, stat_line *out)
{
    const char *name_end = strrchr(text, ')');
    if (!name_end || strlen(name_end) < 3)
        return false;
    out->state = name_end[2];
    ds_str rest = str_of(name_end + 2);
    for (int field = STAT_STATE; field < STAT_START; field++)
        (void)str_split(&rest, ' ');
    return str_int64(str_split(&rest, ' '), &out->birth);
}

static bool read_stat(int64_t pid, stat_line *out)
{
    char path[LINK_MAX_TEXT];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    CLEANUP(buf_release) ds_buf text = BUF_INIT(STAT_MAX);
    ds_error ignored;
    return file_read(path, &text, &ignored).code == DS_OK && parse_stat(buf_text(&text), out);
}

ds_process process_self(void)
{
    ds_process p = {.pid = getpid()};
    if (gethostname(p.host, sizeof p.host - 1) != 0)
        p.host[0] = '\0';
    stat_line self;
    read_machine(p.machine);
    if (p.machine[0] && read_stat(p.pid, &self))
        p.birth = self.birth;
    else
        p.machine[0] = '\0';
    return p;
}

bool process_is_gone(const ds_process *process)
{
    char machine[PROCESS_MACHINE];
    read_machine(machine);
    if (!machine[0] || strcmp(machine, process->machine) != 0 || process->pid <= 0)
        return false;
    if (kill((pid_t)process->pid, 0) != 0 && errno == ESRCH)
        return true;
    // There is one of that number; /proc may hide what it is. One that waits to be reaped has ended.
    stat_line now;
    return read_stat(process->pid, &now) && (now.birth != process->birth || now.state == 'Z' || now.state == 'X');
}
