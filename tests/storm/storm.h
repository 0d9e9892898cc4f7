/* SPDX-License-Identifier: MIT */
#ifndef STORM_STORM_H
#define STORM_STORM_H

#include <stdarg.h>
#include <sys/types.h>

#include "worker.h"

#define WORKERS_MAX 256u

struct worker {
    pid_t pid; /* 0: due to be started */
    uint32_t incarnation;
    uint64_t due;           /* ms: start, or continue */
    struct record *stopped; /* the record of the stop under way */
};

struct storm {
    struct recording *recording;
    struct writer writer;
    struct worker workers[WORKERS_MAX + 1];
    uint32_t places;
    uint32_t kill_every; /* ticks */
    uint64_t state;      /* of the random numbers */
    pid_t manager, pulse;
    uint64_t manager_due; /* ms */
    struct record *manager_stopped;
    uint32_t kills, stops, manager_kills, manager_stops;
    uint32_t complaints;
};

void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* manager.c */
void manager_start(struct storm *storm);
void manager_tick(struct storm *storm);
void manager_ensure(struct storm *storm); /* running, whatever was done to it before */
void manager_end(struct storm *storm);

/* watch.c */
bool watch_for_hung(struct storm *storm);
void show_threads(pid_t pid);
/* A process that only measures how late the machine lets it run. */
pid_t pulse_start(struct recording *recording);

#endif
