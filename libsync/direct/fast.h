/* SPDX-License-Identifier: MIT */
/* The uncontended mutex: one CAS each way, no call, no syscall. The CAS comes first; what it found
 * is looked at only when it failed. */
#ifndef SY_FAST_H
#define SY_FAST_H

#include "base/valgrind.h"
#include "direct/direct.h"

static inline bool sy_handle_good(const struct sync_object *object, uint32_t kind)
{
    return sy_likely(object != NULL && object->magic == SY_MAGIC_OF(kind));
}

/* The calling thread's owner id in the handle's segment; 0: go the long way (not registered there,
 * forked, or the handle is the owner). */
static inline uint32_t sy_fast_id(const struct sync_object *object)
{
    return sy_likely(sy_self.attachment == object->attachment && sy_get(sy_alive) &&
                     !object->principal)
               ? sy_self.id
               : 0;
}

/* True: acquired, or one deeper. */
static inline bool sy_fast_acquire(struct sync_object *object)
{
    uint32_t me = sy_fast_id(object), seen = 0;
    struct sy_hot *hot = sy_get(&object->hot);
    if (sy_unlikely(!me)) {
        return false;
    }
    if (sy_likely(sy_cas32(&hot->word, &seen, me))) {
        sy_mutex_took(hot, me, sy_now_coarse());
        sy_self.holds++;
    } else if ((seen & SY_OWNER) == me && !(seen & SY_R) &&
               !(sy_hot_flags(hot) & SYNC_FLAG_NON_RECURSIVE) &&
               sy_mutex_depth_of(hot, me) < SY_DEPTH_MAX) {
        sy_put(&hot->u.mutex.depth, sy_get(&hot->u.mutex.depth) + 1);
    } else {
        return false;
    }
    SY_HAPPENS_AFTER(hot);
    return true;
}

/* True: released, or one less deep. */
static inline bool sy_fast_release(struct sync_object *object)
{
    uint32_t me = sy_fast_id(object), seen = me;
    struct sy_hot *hot = sy_get(&object->hot);
    if (sy_unlikely(!me || (sy_get(&hot->word) & (SY_OWNER | SY_R)) != me)) {
        return false;
    }
    uint64_t depth = sy_get(&hot->u.mutex.depth);
    if (sy_unlikely((uint32_t)depth != 1)) {
        if (((uint32_t)depth & SY_DEPTH_MAX) <= 1) {
            return false; /* inconsistent: the long way poisons it */
        }
        sy_put(&hot->u.mutex.depth, depth - 1);
        return true;
    }
    SY_HAPPENS_BEFORE(hot);
    sy_put(&hot->u.mutex.depth, 0);
    if (sy_likely(sy_cas32(&hot->word, &seen, 0))) {
        sy_self.holds--;
        return true;
    }
    sy_put(&hot->u.mutex.depth, depth);
    return false;
}

#endif
