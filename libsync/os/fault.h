/* SPDX-License-Identifier: MIT */
/* Failures on demand, and the switches of the kill harness. Reached only by programs that link the
 * core itself: nothing outside of the process can set them. */
#ifndef SY_FAULT_H
#define SY_FAULT_H

#include "base/base.h"

enum sy_fault_point {
    SY_FAULT_SHM_OPEN,
    SY_FAULT_ALLOCATE,
    SY_FAULT_MAP,
    SY_FAULT_RESERVE,
    SY_FAULT_MALLOC,
    SY_FAULT_BYTE_LOCK,
    SY_FAULT_FUTEX_WAIT,
    SY_FAULT_WAITV, /* ENOSYS: forces the fallback */
    SY_FAULT_PIDFD,
    SY_FAULT_PIDFS,
    SY_FAULT_ROBUST_LIST,
    SY_FAULT_MAPS,
    SY_FAULT_POINTS
};

/* From its `after`-th call on (1: the next), `times` calls of that door fail with `error`. */
void sy_fault_set(enum sy_fault_point point, uint32_t after, uint32_t times, int error);
/* 0, or the errno to fail with. */
int sy_fault(enum sy_fault_point point);

struct sy_switches {
    bool recheck_off;     /* sleeps last to the deadline: only wakes end them */
    bool replay_off;      /* recovery leaves wakes owed by the dead undone */
    bool spin_off;        /* go to sleep at once */
    int64_t wall_offset;  /* added to the wall clock */
    int64_t clock_offset; /* added to the monotonic clock as read, for ageing */
};
extern struct sy_switches sy_switches;

#endif
