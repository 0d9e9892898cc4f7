/* SPDX-License-Identifier: MIT */
/* Owner words: how one is taken, handed back, and taken over from the dead. Mutexes add depth,
 * fence and reservations on top; guards use them bare. */
#ifndef SY_GUARD_H
#define SY_GUARD_H

#include "shm/slots.h"

/* Who executes: always a thread of this process. */
struct sy_actor {
    struct sy_segment *segment;
    struct sy_executor *executor; /* NULL in a handler of an unregistered thread */
    struct sy_owed *owed;         /* the cell of this nesting level; NULL: none left, nothing is
                                     published and the sleepers' re-check must do */
    uint32_t id;                  /* owner id of the thread, 0 in such a handler; SY_REAPER */
    bool slept; /* a wake may have been swallowed: whoever takes keeps W, whoever leaves passes one
                   on */
};

/* Why a step could not go on, and what to sleep on. */
struct sy_wait {
    sy_word *word; /* NULL: nothing to sleep on, look again at `until` */
    uint32_t value;
    uint32_t watch; /* owner id in the way, 0: nobody in particular */
    int64_t until;  /* look again then, ns; INT64_MAX: only when woken */
    bool guard;     /* the guard is in the way, not the object itself */
    uint32_t crowd; /* how many others must run meanwhile, 0: unknown; more than there are CPUs, and
                       spinning is in vain */
};

/* Publish a wake owed to a record's sleepers, before the commit that makes it owed. */
void sy_owe(const struct sy_actor *actor, uint32_t record, uint32_t generation);
void sy_paid(const struct sy_actor *actor);

static inline bool sy_admits(uint32_t word)
{
    return (word & SY_OWNER) == 0 || (word & SY_R);
}

/* If the owner named in `seen` is dead, say so in the word (R) and wake one sleeper to take it. */
bool sy_owner_bury(struct sy_segment *segment, sy_word *word, uint32_t seen, bool thorough);
/* CAS own -> free. False when the word is not `own` (with or without W). Wakes one if W. */
bool sy_owner_hand_back(const struct sy_actor *actor, sy_word *word, uint32_t own, uint32_t record,
                        uint32_t generation);

enum {
    SY_TAKEN = 0, /* by somebody else: *ret_wait is filled */
    SY_GOT,
    SY_GOT_DIRTY /* from the dead, or from this thread's own abandoned section: repair first */
};
int sy_guard_try(const struct sy_actor *actor, sy_word *guard, struct sy_wait *ret_wait);
void sy_guard_release(const struct sy_actor *actor, sy_word *guard, uint32_t record,
                      uint32_t generation);

#endif
