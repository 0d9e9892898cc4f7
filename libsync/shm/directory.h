/* SPDX-License-Identifier: MIT */
/* Names to records. A record is filled in private and linked by one CAS of its bucket's head, so
 * nobody sees half of one; it leaves its chain by the reaper's hand alone. */
#ifndef SY_DIRECTORY_H
#define SY_DIRECTORY_H

#include <string.h>

#include "shm/guard.h"

struct sy_name {
    const char *text;
    uint32_t size, hash;
};

static inline bool sy_name_is(const struct sy_cold *cold, const struct sy_name *name)
{
    return sy_get(&cold->hash) == name->hash && sy_get(&cold->name_size) == name->size &&
           memcmp(cold->name, name->text, name->size) == 0;
}

/* Readers say so, and no record they may look at is used again meanwhile. */
void sy_directory_enter(const struct sy_actor *actor);
void sy_directory_leave(const struct sy_actor *actor);

/* The newest record of that name that is LIVE or UNLINKING, or SY_NONE. Inside enter/leave, or as a
 * hint. */
uint32_t sy_directory_find(struct sy_segment *segment, const struct sy_name *name);

/* Make a record: claim a free one, let `fill` write it, link it. If another of that name has come
 * up meanwhile, and is not `replaces`, *ret_record is that one and *ret_created false. Inside
 * enter/leave. SYNC_ENONAMES, SYNC_ENOSPC. */
typedef void sy_fill_function(struct sy_hot *hot, struct sy_cold *cold, void *argument);
int sy_directory_create(const struct sy_actor *actor, const struct sy_name *name, uint32_t kind,
                        sy_fill_function *fill, void *argument, uint32_t replaces,
                        uint32_t *ret_record, bool *ret_created);

/* Settle what a dead guard owner left between two states. Guard held by the caller. */
void sy_directory_settle(struct sy_segment *segment, uint32_t record);

/* By the holder of the reaper byte: take UNLINKED records out of their chains, and free those that
 * no reader can still look at. */
void sy_directory_sweep(struct sy_segment *segment);

/* Is `record` of this generation still in use? */
static inline bool sy_record_live(struct sy_segment *segment, uint32_t record, uint32_t generation)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    return hot && sy_load_sc(&hot->state) == sy_state(generation, SY_RECORD_LIVE);
}

#endif
