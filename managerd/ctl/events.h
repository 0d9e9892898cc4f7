/* SPDX-License-Identifier: MIT */
/* What happened lately, from the event ring. */
#ifndef CTL_EVENTS_H
#define CTL_EVENTS_H

#include "managerd/ctl/view.h"
#include "shm/ring.h"

struct ctl_event {
    uint64_t place; /* since the beginning */
    int64_t ago;    /* ns */
    int64_t time;   /* ns, CLOCK_MONOTONIC */
    uint32_t type;
    const char *name; /* of the type */
    uint64_t value;
    sync_principal who, other;
    int32_t pid; /* of who, 0 when it was not noted */
    char text[80];
    char sentence[400];
};

/* The last `most` of an object, incarnations that were broken before it included; oldest first.
 * object NULL: of all. Returns their number. */
size_t ctl_events(struct ctl_view *view, const struct ctl_object *object, size_t most,
                  struct ctl_event **ret_events);

#endif
