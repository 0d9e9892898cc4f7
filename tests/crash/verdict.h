/* SPDX-License-Identifier: MIT */
/* What became of the survivors. */
#ifndef CRASH_VERDICT_H
#define CRASH_VERDICT_H

#include "scenario.h"

enum verdict {
    WENT_ON, /* every actor ended as it should, and the invariants hold */
    STUCK,   /* a live thread sleeps on an object that would admit it */
    LATE,    /* it went on, or still might, but not within the bound */
    WRONG,   /* an actor failed, or an invariant is broken */
    VERDICTS
};

/* The victim is dead. Lets the actors go on and looks at them until all have ended or one is found
 * stuck. Leaves none alive. */
enum verdict verdict_reach(struct crash_case *c);

const char *verdict_name(enum verdict verdict);

#endif
