/* SPDX-License-Identifier: MIT */
/* One run of the testbed: what is planned, and what has become known. */
#ifndef TESTBED_RUN_H
#define TESTBED_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sync/sync.h>

#include "children.h"

#define PATH_SIZE 512

/* Where the programs are. */
struct tools {
    char here[PATH_SIZE]; /* folder of instrument, camera, … */
    char managerd[PATH_SIZE];
    char managerctl[PATH_SIZE];
};

struct plan {
    const char *title;
    bool own_locks;    /* each controller takes a lock of its own: nothing is protected */
    bool camera_dies;  /* in the middle of a command */
    bool manager_dies; /* before that, and comes back after it */
};

struct run {
    const struct plan *plan;
    const struct tools *tools;
    const char *folder; /* for the report */
    struct troupe troupe;

    sync_manager *manager; /* the testbed looks on as one more client */
    const char *name;      /* the manager's */
    char line[64];         /* path of the serial port */

    /* controllers stand in troupe.children[controllers …] */
    size_t controllers, controller_count;
    bool line_known, all_started, all_left, counted, line_open, told, drained;
    struct child *victim;
    unsigned count; /* the last answer to COUNT */
    int told_count, told_pid;
    int drained_bytes;
    int64_t killed_at, told_at, stop_at;

    unsigned before_kill, while_dead; /* commands, around the death of managerd */
    uint32_t epoch_before, epoch_after;
    bool adopted, holder_shown, permits_back, ended_well, manager_ended_well;
};

/* Play one plan under a manager of that name. Returns how many checks failed. */
int run_play(const struct plan *plan, const struct tools *tools, const char *folder,
             const char *name);

/* Table and verdict. Returns how many checks failed. */
int run_verdict(struct run *run);

#endif
