/* SPDX-License-Identifier: MIT */
/* A process of the storm: four threads that follow the plan on libsync, and write down what they
 * do. */
#ifndef STORM_WORKER_H
#define STORM_WORKER_H

#include <sync/sync.h>

#include "plan.h"
#include "record.h"

#define WORKER_THREADS 4u
#define ALL_NAMES (PLAN_OBJECTS + PLAN_CHURN)

struct actor { /* one thread */
    struct writer writer;
    sync_manager *manager;
    uint64_t key;
    void *handles[ALL_NAMES]; /* its own; NULL: not open */
};

/* Does not return. `place` is the worker's number. */
void worker_run(struct recording *recording, uint32_t place, uint32_t incarnation);
/* Takes mutexes away from those who have them, until it is ended. Does not return. */
void breaker_run(struct recording *recording, uint32_t place, uint32_t incarnation);
/* After the storm: everything can be taken, everything is back. The number of complaints. */
int final_run(struct recording *recording, bool quiet);

sync_manager *worker_connect(struct recording *recording, const char *label);
/* The handle of an object, opened if need be; NULL after a complaint. */
void *worker_open(struct actor *actor, uint32_t index);
void worker_close(struct actor *actor, uint32_t index);
/* Says what no test expects, with the library's own words. */
void worker_odd(const struct actor *actor, enum call call, uint32_t index, int rc);
void worker_pause(uint32_t us);

/* act_mutex.c, act_rest.c; false: the thread ends here */
bool act_mutex(struct actor *actor, const struct step *step);
void act_rest(struct actor *actor, const struct step *step);

#endif
