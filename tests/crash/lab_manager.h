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

/* [actor] The same for the names that were unlinked. */
void lab_sweep(struct crash_case *c);

/* [victim] managerd itself: what it is before its loop, what it does there every second, and a turn
 * of the loop in which it waits for clients and their deaths. */
void lab_managerd_prepare(struct crash_case *c);
void lab_managerd_sweep(void);
void lab_managerd_turn(void);

/* [victim, managerd] All of it, in lab_serve.c; returns if it cannot serve. */
void lab_managerd_serve(struct crash_case *c);

/* [managerd] Its log says what every case does, a thousand times a second; CRASH_LOG names a file
 * for it. */
void lab_be_quiet(void);

#endif
