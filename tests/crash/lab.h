/* SPDX-License-Identifier: MIT */
/* The real world of the scenarios: a segment of tiny capacities, and what the harness reads in it.
 */
#ifndef CRASH_LAB_H
#define CRASH_LAB_H

#include <sync/sync.h>

#include "actors.h"
#include "shm/segment.h"

struct lab {
    struct sy_segment *segment; /* the worker's own view; it has no slot */
    char shm_name[SY_PATH_MAX];
    char address[64];
    struct crash_process manager; /* pid 0: none */
};

extern const struct crash_world lab_world;

static inline struct lab *lab_of(struct crash_case *c)
{
    return c->world;
}

/* [victim, actor] Attaches at the first call. */
sync_manager *lab_connect(struct crash_case *c);

/* [victim, actor] Ends the process with the library's text if rc is a failure, else returns it. */
int lab_must(struct crash_case *c, const char *what, int rc);

/* [worker] The newest live record of that name, or NULL. */
struct sy_hot *lab_hot(struct crash_case *c, const char *name);

/* [worker] Looks at the segment until `holds`; false with trouble after two seconds. */
bool lab_until(struct crash_case *c, bool (*holds)(struct crash_case *), const char *what);

/* [worker] Where is that actor, or the victim (CRASH_ACTORS)? Its executor, or NULL if it has none
 * yet. */
struct sy_executor *lab_executor(struct crash_case *c, unsigned actor);

/* [worker] Does the record let that sleeper go on? In lab_admits.c, for all kinds. */
bool lab_admits(struct crash_case *c, unsigned actor);

/* Long for an operation that goes on, short for a test that hangs. */
#define LAB_PATIENCE SYNC_S(30)

#endif
