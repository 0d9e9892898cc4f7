/* SPDX-License-Identifier: MIT */
/* managerd beside a scenario: alive in the first run, absent in the others. */
#ifndef CRASH_LAB_MANAGER_H
#define CRASH_LAB_MANAGER_H

#include "scenario.h"

bool lab_manager_start(struct crash_case *c);
void lab_manager_stop(struct crash_case *c);

/* The victim has just died: a manager that is to come after that is started. */
void lab_manager_notice(struct crash_case *c);

/* [victim, actor] Takes the reaper's byte and reaps, without being a client. Returns how many slots
 * were freed. */
int lab_reap(struct crash_case *c);

/* [victim] managerd itself: what it is before its loop, and what it does there every second. */
void lab_managerd_prepare(struct crash_case *c);
void lab_managerd_sweep(void);

#endif
