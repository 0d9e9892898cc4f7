/* SPDX-License-Identifier: MIT */
/* A world small enough to know by heart: one page, one word lock without any merit, and a
 * hand-written sequence of stores. */
#ifndef CRASH_TOY_H
#define CRASH_TOY_H

#include "scenario.h"

struct toy {
    _Atomic uint32_t word; /* W(31), owner; 0: free */
    _Atomic uint32_t owed[CRASH_ACTORS + 1];
    _Atomic uint32_t waiting[CRASH_ACTORS + 1];
    unsigned char byte[64]; /* of the hand-written sequence */
};

enum { TOY_VICTIM = CRASH_ACTORS };

extern const struct crash_world toy_world;

static inline struct toy *toy_of(struct crash_case *c)
{
    return c->world;
}

/* `who` is the index of an actor, or TOY_VICTIM. */
int toy_acquire(struct crash_case *c, unsigned who);
int toy_release(struct crash_case *c, unsigned who);

#endif
