/* SPDX-License-Identifier: MIT */
/* The real world of the scenarios: a segment of tiny capacities, and what the harness reads in it.
 */
#ifndef CRASH_LAB_H
#define CRASH_LAB_H

#include <sync/sync.h>

#include "actors.h"
#include "shm/segment.h"

struct lab {
    struct sy_segment *segment; /* the worker's own view; NULL in the world that begins without */
    char name[48];
    char shm_name[SY_PATH_MAX];
    char address[64];
    struct crash_process manager; /* pid 0: none */
    void *view;                   /* the file in the world that begins without a segment */
    size_t view_size;
    uint64_t view_inode;
};

extern const struct crash_world lab_world;
extern const struct crash_world lab_roomy_world;  /* every region grows more than once */
extern const struct crash_world lab_narrow_world; /* 16 names */
extern const struct crash_world lab_empty_world;  /* nobody has made the segment yet */

static inline struct lab *lab_of(struct crash_case *c)
{
    return c->world;
}

/* [victim, actor] Attaches at the first call. */
sync_manager *lab_connect(struct crash_case *c);

/* [victim, actor] Ends the process with the library's text if rc is a failure, else returns it. */
int lab_must(struct crash_case *c, const char *what, int rc);

/* [worker] All processes under it that are left, by whomever they were started, are ended. */
void lab_end_descendants(void);

/* [worker] A child that outlived the victim becomes an actor. */
bool lab_adopt(struct crash_case *c);

/* [worker] The newest live record of that name, or NULL. */
struct sy_hot *lab_hot(struct crash_case *c, const char *name);

/* [worker] Looks at the segment until `holds`; false with trouble after two seconds. */
bool lab_until(struct crash_case *c, bool (*holds)(struct crash_case *), const char *what);

/* [worker] Where is that actor, or the victim (CRASH_ACTORS)? Its executor, or NULL if it has none
 * yet. */
struct sy_executor *lab_executor(struct crash_case *c, unsigned actor);

/* [worker] Does the record let that sleeper go on? In lab_admits.c, for all kinds. */
bool lab_admits(struct crash_case *c, unsigned actor);

/* Parts of the worlds, for lab.c and lab_empty.c. */
unsigned lab_header_ranges(const void *base, struct crash_range *ret_ranges);
unsigned lab_empty_ranges(struct crash_case *c, struct crash_range *ret_ranges);
void lab_empty_close(struct crash_case *c);

/* Long for an operation that goes on, short for a test that hangs. */
#define LAB_PATIENCE SYNC_S(30)

/* Of those whose time is to be over: long enough to fall asleep even when stepped. */
#define LAB_SHORT 200000000 /* ns */

#endif
