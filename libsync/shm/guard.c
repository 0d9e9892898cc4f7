/* SPDX-License-Identifier: MIT */
#include "shm/guard.h"

#include <limits.h>

void sy_owe(const struct sy_actor *actor, uint32_t record, uint32_t generation)
{
    if (actor->owed) {
        sy_put(&actor->owed->generation, generation);
        sy_store_sc(&actor->owed->record, record + 1);
    }
}

void sy_paid(const struct sy_actor *actor)
{
    if (actor->owed) {
        sy_store(&actor->owed->record, 0);
    }
}

/* Whoever buries wakes, whether or not its own CAS won: a burier killed between CAS and wake leaves
 * the word with R and W, and everybody who meets that passes here or takes it. */
bool sy_owner_bury(struct sy_segment *segment, sy_word *word, uint32_t seen, bool thorough)
{
    if (sy_admits(seen) || !sy_owner_dead(segment, seen, thorough)) {
        return false;
    }
    uint32_t expected = seen;
    sy_cas32(word, &expected, seen | SY_R | SY_W);
    sy_futex_wake(word, 1);
    return true;
}

/* W goes with the ownership, and two sleepers are woken: whoever has slept takes with W or puts W
 * back before it sleeps again, for those behind it; the second stands in for a first that is
 * stopped. Until they run the word is free to all. Killed between CAS and wake, we owe it; killed
 * before it acts, a sleeper was still published as waiting. */
bool sy_owner_hand_back(const struct sy_actor *actor, sy_word *word, uint32_t own, uint32_t record,
                        uint32_t generation)
{
    uint32_t expected = own;
    if (sy_likely(sy_cas32(word, &expected, 0))) {
        return true;
    }
    if (expected != (own | SY_W)) {
        return false;
    }
    sy_owe(actor, record, generation);
    bool done = sy_cas32(word, &expected, 0);
    if (done) {
        sy_futex_wake(word, 2);
    }
    sy_paid(actor);
    return done;
}

int sy_guard_try(const struct sy_actor *actor, sy_word *guard, struct sy_wait *ret_wait)
{
    uint32_t seen = sy_load(guard);
    for (;;) {
        if (sy_admits(seen)) {
            bool dirty = (seen & SY_OWNER) != 0;
            uint32_t keep = actor->slept ? SY_W : seen & SY_W;
            if (sy_cas32(guard, &seen, actor->id | keep)) {
                return dirty ? SY_GOT_DIRTY : SY_GOT;
            }
        } else if ((seen & SY_OWNER) == actor->id) {
            return SY_GOT_DIRTY;
        } else if (sy_owner_bury(actor->segment, guard, seen, false)) {
            seen = sy_load(guard);
        } else if ((seen & SY_W) || sy_cas32(guard, &seen, seen | SY_W)) {
            *ret_wait = (struct sy_wait){.word = guard,
                                         .value = seen | SY_W,
                                         .watch = seen & SY_OWNER,
                                         .until = INT64_MAX,
                                         .guard = true};
            return SY_TAKEN;
        }
    }
}

void sy_guard_release(const struct sy_actor *actor, sy_word *guard, uint32_t record,
                      uint32_t generation)
{
    sy_owner_hand_back(actor, guard, actor->id, record, generation);
}
