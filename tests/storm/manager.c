/* SPDX-License-Identifier: MIT */
/* The manager's part in a storm: it is killed, and stopped, and started again. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storm.h"

static uint32_t below(struct storm *storm, uint32_t limit)
{
    return (uint32_t)(plan_random(&storm->state) >> 32) % limit;
}

static void segment_path(struct storm *storm, char *to, size_t size)
{
    snprintf(to, size, "/libsync.%u.%s", (unsigned)geteuid(), storm->recording->manager);
}

void manager_start(struct storm *storm)
{
    const char *path = getenv("SYNC_MANAGERD");
    char segment[128];
    segment_path(storm, segment, sizeof(segment));
    fflush(NULL);
    storm->manager = fork();
    if (storm->manager == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp(path && *path ? path : "managerd", "managerd", "--name", storm->recording->manager,
               "--names", "4096", "--timeout", "20s", (char *)NULL);
        _exit(127);
    }
    record_after(record_before(&storm->writer, CALL_MANAGER, 0, 0, 0), 0);
    /* The first time everybody waits until there is a segment. */
    for (int i = 0; i < 500; i++) {
        int fd = shm_open(segment, O_RDWR, 0);
        if (fd >= 0) {
            close(fd);
            return;
        }
        worker_pause(10000);
    }
    complain("managerd (%s) made no segment", path ? path : "in PATH");
    exit(1);
}

static void hit(struct storm *storm, int signal_number)
{
    struct record *record = record_before(&storm->writer, CALL_MANAGER, 0, 0,
                                          (uint32_t)signal_number);
    kill(storm->manager, signal_number);
    if (signal_number == SIGKILL) {
        waitpid(storm->manager, NULL, 0);
        storm->manager = 0;
        storm->manager_due = record_now() / 1000000 + 50 + below(storm, 2500);
        storm->manager_kills++;
        record_after(record, 0);
    } else {
        storm->manager_stopped = record;
        storm->manager_due = record_now() / 1000000 + 300 + below(storm, 2000);
        storm->manager_stops++;
    }
}

static void go_on(struct storm *storm)
{
    kill(storm->manager, SIGCONT);
    record_after(storm->manager_stopped, 0);
    storm->manager_stopped = NULL;
}

void manager_tick(struct storm *storm)
{
    int status;
    if (storm->manager && waitpid(storm->manager, &status, WNOHANG) == storm->manager) {
        complain("managerd ended by itself, status %d (see the log)", status);
        storm->manager = 0;
        storm->manager_stopped = NULL;
        storm->manager_due = 0;
    }
    uint64_t now = record_now() / 1000000;
    if (!storm->manager && now >= storm->manager_due) {
        manager_start(storm);
    } else if (storm->manager_stopped && now >= storm->manager_due) {
        go_on(storm);
    } else if (storm->manager && !storm->manager_stopped && !storm->recording->recheck_off) {
        /* Without a re-check nobody but the manager does what the dead owe. */
        uint32_t draw = below(storm, 4000);
        if (draw < 2) {
            hit(storm, draw ? SIGKILL : SIGSTOP);
        }
    }
}

void manager_ensure(struct storm *storm)
{
    if (storm->manager_stopped) {
        go_on(storm);
    }
    if (!storm->manager) {
        manager_start(storm);
    }
}

void manager_end(struct storm *storm)
{
    int status;
    char segment[128];
    manager_ensure(storm);
    kill(storm->manager, SIGTERM);
    if (waitpid(storm->manager, &status, 0) != storm->manager || status) {
        complain("managerd did not end cleanly: status %d", status);
    }
    segment_path(storm, segment, sizeof(segment));
    shm_unlink(segment);
}
