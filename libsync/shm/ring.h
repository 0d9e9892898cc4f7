/* SPDX-License-Identifier: MIT */
/* The event ring: what happened lately, readable with no daemon alive. Old entries are overwritten.
 */
#ifndef SY_RING_H
#define SY_RING_H

#include "shm/segment.h"

struct sy_ring_event {
    uint32_t type;   /* SY_EVENT_… */
    uint32_t record; /* index or SY_NONE */
    uint32_t generation;
    uint32_t principal, other; /* owner ids */
    uint32_t pid;
    uint64_t value;
    const char *text; /* NULL: none */
};
void sy_ring_add(struct sy_segment *segment, const struct sy_ring_event *event);

/* Copy entry `place` (1 …). 1 copied; 0 not yet written, overwritten, or being written. */
int sy_ring_read(struct sy_segment *segment, uint64_t place, struct sy_entry *ret_entry);

#endif
