/* SPDX-License-Identifier: MIT */
/* managerd beside a scenario: alive in the first run, absent in the others. */
#ifndef CRASH_LAB_MANAGER_H
#define CRASH_LAB_MANAGER_H

#include "scenario.h"

bool lab_manager_start(struct crash_case *c);
void lab_manager_stop(struct crash_case *c);

/* The victim has just died. */
void lab_manager_notice(struct crash_case *c);

/* [victim, actor] What managerd does when it hears of deaths: takes the reaper byte, and reaps.
 * Returns how many slots were freed. */
int lab_reap(struct crash_case *c);

#endif
