/* SPDX-License-Identifier: MIT */
/* Who held a mutex, and when. */
#ifndef STORM_CHECK_MUTEX_H
#define STORM_CHECK_MUTEX_H

#include "check.h"

struct hold {
    const struct entry *acquired;
    const struct entry *released_well; /* the last release that said 0, if it ended so */
    uint64_t token;                    /* 0: not known */
    uint64_t end;                      /* certainly held until then */
    uint64_t over;                     /* certainly not held from then on */
    uint32_t depth;
    bool died;     /* its holder was killed, or ended, in it */
    bool doubtful; /* the same, but in the middle of its last release */
    bool lost;     /* told ELOST */
};

struct doubt {
    const struct entry *entry;
    bool used;
};

struct holds {
    uint32_t object;
    struct hold *holds;
    uint32_t count;
    struct doubt *perhaps; /* acquires that were killed */
    uint32_t perhaps_count;
    const struct entry **failed; /* acquire_many that was given back */
    uint32_t failed_count;
    const struct entry **breaks;
    uint32_t break_count;
};

void holds_build(struct storm_log *log, uint32_t object, struct holds *ret_holds);
void holds_free(struct holds *holds);

#endif
