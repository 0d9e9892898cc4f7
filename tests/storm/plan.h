/* SPDX-License-Identifier: MIT */
/* What is done in a storm, as a pure function of the seed: which objects there are, and what each
 * thread of each incarnation of each worker does in each of its steps. When it happens, and how it
 * ends, is up to the machine. */
#ifndef STORM_PLAN_H
#define STORM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_OBJECTS 200u
#define PLAN_CHURN 16u /* names more, that come and go and are not checked */

enum object_kind { OBJECT_MUTEX, OBJECT_SEMAPHORE, OBJECT_EVENT, OBJECT_BARRIER, OBJECT_KINDS };

struct object {
    enum object_kind kind;
    bool fifo, by_handle, poison, silent, non_recursive; /* mutex */
    bool untracked;                                      /* semaphore */
    bool automatic;                                      /* event */
    bool members;                                        /* barrier */
    uint32_t number; /* semaphore: maximum, and at first available; barrier: parties */
};
struct object plan_object(uint32_t index);
void plan_name(uint32_t index, char *to, size_t size);

enum step_kind {
    STEP_SECTION, /* acquire, perhaps twice, hold, release */
    STEP_NESTED,  /* one mutex, then another, in any order: deadlocks */
    STEP_MANY,    /* several at once */
    STEP_HAMMER,  /* the same short section many times */
    STEP_PERMITS, /* take, hold, give */
    STEP_FLOW,    /* untracked: take or give */
    STEP_SET,
    STEP_CLEAR,
    STEP_WAIT,
    STEP_MEET,  /* and reset what was found broken */
    STEP_ABORT, /* barrier */
    STEP_REOPEN,
    STEP_CHURN,
    STEP_EXIT, /* end this thread while it holds a mutex */
    STEP_KINDS
};

#define STEP_OBJECTS 4u

struct step {
    enum step_kind kind;
    uint32_t count; /* objects, permits, or turns */
    uint32_t objects[STEP_OBJECTS];
    int64_t timeout; /* ns */
    uint32_t hold;   /* us */
    uint32_t think;  /* us, afterwards */
    bool twice, check;
};

uint64_t plan_key(uint64_t seed, uint32_t worker, uint32_t incarnation, uint32_t thread);
void plan_step(uint64_t key, uint32_t step, struct step *ret_step);

/* For the supervisor: a stream of numbers. */
uint64_t plan_random(uint64_t *state);

#endif
