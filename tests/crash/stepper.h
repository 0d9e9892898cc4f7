/* SPDX-License-Identifier: MIT */
/* The dry run: the victim's operation, instruction by instruction. */
#ifndef CRASH_STEPPER_H
#define CRASH_STEPPER_H

#include "scenario.h"

enum step_flag {
    STEP_STORED = 1,   /* the instruction changed committed bytes of the segment */
    STEP_SYSCALL = 2,  /* it is a system call */
    STEP_SLEPT = 4,    /* which slept */
    STEP_REPEATED = 8, /* one more round of the repeated instruction before it: not a new arrival */
    STEP_SIGNAL = 32,  /* not executed: a signal came first */
    STEP_OVER = 16,    /* a load-exclusive … store-exclusive loop, run over in one go */
};

struct step {
    uint64_t address;
    uint32_t arrival; /* 1: the first time here since the begin marker */
    uint32_t epoch;   /* how many stores and system calls came before */
    uint8_t flags;
};

struct trace {
    struct step *step; /* the last one is where the operation ended, and is not executed */
    size_t count;
    size_t capacity;
    uint64_t site[CRASH_SITES]; /* where the system calls return to in which the victim slept */
    unsigned sites;
    size_t handler; /* the step behind the signal: arrivals count anew from here; 0: no signal */
    size_t stores;
    size_t syscalls;
};

/* The victim stands at its begin marker. Steps it to its end marker, its end, or the sleep in which
 * the scenario leaves it. */
bool stepper_run(struct crash_case *c, struct trace *trace);

/* One instruction of a stopped victim, at pc; run over where stepping would never end. */
int stepper_one(struct crash_case *c, uint64_t pc); /* enum victim_stop */

void trace_free(struct trace *trace);

#endif
