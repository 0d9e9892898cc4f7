/* SPDX-License-Identifier: MIT */
/* Reaches one kill point of a victim at speed, kills it there, and knows whether it was there. */
#ifndef CRASH_KILLER_H
#define CRASH_KILLER_H

#include "points.h"

enum kill_outcome {
    KILL_LANDED, /* stopped at the point, seen there, killed there */
    KILL_MISSED, /* the operation went another way; the victim is dead all the same */
    KILL_LOST,   /* the victim could not be traced; c->trouble says why */
};

/* The victim stands at its begin marker. `sites` are the addresses at which sleeping calls return,
 * where it is to be held until the others have acted. */
enum kill_outcome killer_run(struct crash_case *c, const struct kill_point *point,
                             const struct trace *trace);

/* The same by stepping from the begin marker, counting arrivals: for points whose breakpoint was
 * missed. */
enum kill_outcome killer_step(struct crash_case *c, const struct kill_point *point);

#endif
