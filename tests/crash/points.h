/* SPDX-License-Identifier: MIT */
/* From the trace of a dry run to the points at which the victim is to be killed, and the cheapest
 * way to each. */
#ifndef CRASH_POINTS_H
#define CRASH_POINTS_H

#include "stepper.h"

enum point_kind {
    POINT_BEGIN,  /* nothing done yet */
    POINT_STORED, /* right behind a store into the segment */
    POINT_ENTRY,  /* before a system call */
    POINT_EXIT,   /* behind a system call */
    POINT_ASLEEP, /* inside a system call that sleeps */
    POINT_PLAIN,  /* before any other instruction */
    POINT_END,    /* everything done */
    POINT_KINDS
};

struct kill_point {
    enum point_kind kind;
    uint64_t address; /* where the victim stands when it is killed */
    uint32_t arrival; /* at this address, for the report */
    uint64_t anchor;  /* breakpoint that is hit `hits` times, */
    uint32_t hits;
    bool behind_signal; /* the signal comes first, and the way is counted from its handler on */
    uint32_t steps;     /* and then so many steps; hits 0: from the begin marker */
};

struct point_list {
    struct kill_point *point;
    size_t count;
    size_t of_kind[POINT_KINDS];
};

void points_choose(const struct trace *trace, enum crash_points wanted,
                   struct point_list *ret_list);
void points_free(struct point_list *list);
/* The cheapest way to step `at` of the trace. */
void point_find_way(const struct trace *trace, size_t at, struct kill_point *ret_point);
const char *point_kind_name(enum point_kind kind);

#endif
