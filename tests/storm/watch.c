/* SPDX-License-Identifier: MIT */
/* Who hangs, and whether it is the machine's fault. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "storm.h"

#define HUNG 20000000000ull /* ns beyond its timeout */
#define PULSE 10000000ull   /* ns */
#define LATE 50000000ull    /* ns */

static void show_file(pid_t pid, const char *task, const char *file)
{
    char path[128], text[200] = "";
    snprintf(path, sizeof(path), "/proc/%d/task/%.20s/%s", (int)pid, task, file);
    FILE *stream = fopen(path, "re");
    if (stream) {
        if (!fgets(text, sizeof(text), stream)) {
            text[0] = 0;
        }
        fclose(stream);
    }
    text[strcspn(text, "\n")] = 0;
    printf("    %s/%s: %s\n", task, file, text);
}

void show_threads(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        if (task->d_name[0] != '.') {
            show_file(pid, task->d_name, "stat");
            show_file(pid, task->d_name, "syscall");
        }
    }
    if (tasks) {
        closedir(tasks);
    }
}

static bool alive(struct storm *storm, const struct extent *extent)
{
    return extent->worker < storm->places && storm->workers[extent->worker].pid > 0 &&
           storm->workers[extent->worker].incarnation == extent->incarnation &&
           !storm->workers[extent->worker].stopped;
}

bool watch_for_hung(struct storm *storm)
{
    struct recording *recording = storm->recording;
    uint32_t taken = atomic_load(&recording->taken);
    uint64_t now = record_now();
    bool hung = false;
    for (uint32_t i = 0; i < taken && i < recording->capacity; i++) {
        struct extent *extent = extent_at(recording, i);
        uint32_t used = atomic_load(&extent->used);
        struct record *last = used ? &extent->records[used - 1] : NULL;
        if (!last || !alive(storm, extent) || atomic_load(&last->after) ||
            last->call == CALL_EXIT) {
            continue;
        }
        uint64_t limit = atomic_load(&last->before) + (uint64_t)last->timeout + HUNG;
        if (now > limit) {
            complain("worker %u.%u.%u hangs in %s of object %u, step %u, since %llu ms",
                     extent->worker, extent->incarnation, extent->thread, call_name(last->call),
                     last->object, last->step,
                     (unsigned long long)((now - atomic_load(&last->before)) / 1000000));
            show_threads(storm->workers[extent->worker].pid);
            hung = true;
        }
    }
    return hung;
}

pid_t pulse_start(struct recording *recording)
{
    struct writer writer;
    pid_t pid = fork();
    if (pid) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    writer_open(&writer, recording, WORKER_PULSE, 0, 0);
    for (;;) {
        struct timespec pause = {0, PULSE};
        uint64_t before = record_now();
        nanosleep(&pause, NULL);
        uint64_t late = record_now() - before - PULSE;
        if (late > LATE) {
            struct record *record = record_before(&writer, CALL_STALL, 0, 0, 0);
            atomic_store(&record->before, before);
            record_after(record, 0);
        }
    }
}
