/* SPDX-License-Identifier: MIT */
/* The process to be killed: started, stopped at its begin marker, let go, waited for, killed. */
#ifndef CRASH_VICTIM_H
#define CRASH_VICTIM_H

#include "scenario.h"

enum victim_stop {
    VICTIM_STOPPED, /* after a step, at a breakpoint or at a marker */
    VICTIM_SLEEPS, /* in a system call, and the scenario says that this is the state to be killed in
                    */
    VICTIM_ENDED,  /* the thread is gone */
    VICTIM_LOST,   /* anything else; c->trouble says what */
};

/* Forks the victim and runs it, unstepped, to its begin marker. */
bool victim_start(struct crash_case *c);

/* Waits for the next stop of a victim that has been stepped or continued, and lets the scenario act
 * while it sleeps. */
enum victim_stop victim_wait(struct crash_case *c);

/* The same for one instruction that is no system call, and hence cannot sleep: no polling. */
enum victim_stop victim_wait_step(struct crash_case *c);

bool victim_step(struct crash_case *c);
bool victim_signal(struct crash_case *c); /* SIGUSR1: to the first instruction of its handler */
bool victim_continue(struct crash_case *c);

/* SIGKILL, and waits until nothing is left of it. */
bool victim_kill(struct crash_case *c);

#endif
