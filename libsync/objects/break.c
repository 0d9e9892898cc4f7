/* SPDX-License-Identifier: MIT */
/* Break: an operator takes a mutex away from a living owner. The old word says BROKEN for ever, and
 * the name leads to a new incarnation of the record, so the fence never runs backwards and late
 * stores of the evicted fall into the old one. Two steps, one commit: whoever meets a BROKEN record
 * under the name finishes the second. */
#include "base/error.h"
#include "objects/kind.h"

#define FENCE_STEP (1ull << 32) /* more than the evicted can still count up unseen */

static bool evict(const struct sy_actor *actor, uint32_t record, uint64_t token,
                  uint32_t *ret_evicted)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    for (;;) {
        uint32_t seen = sy_load(&hot->word);
        uint32_t owner = seen & SY_OWNER;
        *ret_evicted = owner;
        if (sy_owner_bury(actor->segment, &hot->word, seen, true)) {
            return false; /* nothing to break: its death is the next owner's to be told */
        }
        /* Depth before fence: only the depth says whose token the fence is. */
        uint64_t depth = sy_load(&hot->u.mutex.depth);
        if (sy_owner_index(owner) == SY_NONE || (seen & SY_R) || depth >> 32 != owner ||
            (token && sy_get(&hot->u.mutex.fence) != token)) {
            return false;
        }
        /* Believed only beside a BROKEN word; a breaker killed here leaves nothing behind. */
        sy_put(&hot->u.mutex.evicted, owner);
        sy_owe(actor, record, sy_hot_generation(hot));
        if (sy_cas32(&hot->word, &seen, SY_BROKEN)) {
            sy_futex_wake(&hot->word, INT_MAX);
            sy_paid(actor);
            return true;
        }
        sy_paid(actor);
    }
}

int sy_mutex_break(const struct sy_actor *actor, uint32_t record, uint64_t token, const char *why,
                   sync_principal *ret_evicted)
{
    struct sy_segment *segment = actor->segment;
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint32_t evicted = 0, next;
    struct sy_wait wait;
    if (!hot) {
        return SYNC_EINVAL;
    }
    uint32_t generation = sy_hot_generation(hot);
    if (sy_record_guard(actor, record, &wait) == SY_WAIT) {
        return SYNC_EBUSY;
    }
    bool done = evict(actor, record, token, &evicted);
    sy_record_unguard(actor, record);
    if (sy_owner_index(evicted) != SY_NONE) {
        sy_describe_principal(segment, evicted, ret_evicted);
    }
    if (!done) {
        return SYNC_EPERM;
    }
    sy_ring_add(segment, &(struct sy_ring_event){.type = SY_EVENT_BROKEN,
                                                 .record = record,
                                                 .generation = generation,
                                                 .principal = actor->id,
                                                 .other = evicted,
                                                 .value = token,
                                                 .text = why});
    return sy_mutex_successor(actor, record, &next, &generation);
}

static void fill_successor(struct sy_hot *hot, struct sy_cold *cold, void *argument)
{
    struct sy_call *old = argument;
    sy_put(&hot->kind, sy_get(&old->hot->kind));
    /* W, kept while `previous` is set: the evicted owner's next acquire must not pass by the fast
     * path, where nobody would tell it what happened. */
    sy_put(&hot->word, SY_W);
    sy_put(&hot->u.mutex.fence, sy_get(&old->hot->u.mutex.fence) + FENCE_STEP);
    sy_put(&hot->u.mutex.previous, old->record + 1);
    sy_put(&cold->timeout, sy_get(&old->cold->timeout));
    sy_put(&cold->max_hold, sy_get(&old->cold->max_hold));
    sy_put(&cold->contended, sy_get(&old->cold->contended));
    sy_put(&cold->timeouts, sy_get(&old->cold->timeouts));
    sy_put(&cold->deaths, sy_get(&old->cold->deaths));
}

int sy_mutex_successor(const struct sy_actor *actor, uint32_t broken, uint32_t *ret_record,
                       uint32_t *ret_generation)
{
    struct sy_segment *segment = actor->segment;
    struct sy_call old = {
        .record = broken, .hot = sy_hot_at(segment, broken), .cold = sy_cold_at(segment, broken)};
    if (!old.hot || !old.cold) {
        return sy_fail(SYNC_EGARBAGE, "record %u is out of reach: the segment is damaged", broken);
    }
    struct sy_name name = {.text = old.cold->name,
                           .size = sy_get(&old.cold->name_size),
                           .hash = sy_get(&old.cold->hash)};
    bool created;
    int rc = 0;
    if (name.size > SYNC_NAME_MAX) {
        return sy_fail(SYNC_EGARBAGE, "record %u is damaged: a name of %u bytes", broken,
                       name.size);
    }
    sy_directory_enter(actor);
    uint32_t found = sy_directory_find(segment, &name);
    struct sy_hot *hot = found == SY_NONE ? NULL : sy_hot_at(segment, found);
    if (hot && sy_mutex_broken(hot)) {
        /* The newest of the name may itself be broken, and not be the one the caller met. */
        old.record = found;
        old.hot = hot;
        old.cold = sy_cold_at(segment, found);
        rc = sy_directory_create(actor, &name, SYNC_KIND_MUTEX, fill_successor, &old, found,
                                 ret_record, &created);
    } else if (hot) {
        *ret_record = found;
    } else {
        rc = sy_fail(SYNC_ELOST, "%.200s: broken, and unlinked since", name.text);
    }
    if (!rc) {
        /* Within the epoch: the record has not been let again yet. */
        *ret_generation = sy_hot_generation(sy_hot_at(segment, *ret_record));
    }
    sy_directory_leave(actor);
    return rc;
}
