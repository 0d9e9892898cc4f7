/* SPDX-License-Identifier: MIT */
/* The table of kinds, and what is done alike for all of them. */
#include "objects/kind.h"

static const struct sy_kind *const kinds[] = {
    [SYNC_KIND_MUTEX] = &sy_mutex_kind,
    [SYNC_KIND_SEMAPHORE] = &sy_semaphore_kind,
    [SYNC_KIND_EVENT] = &sy_event_kind,
    [SYNC_KIND_BARRIER] = &sy_barrier_kind,
};

const struct sy_kind *sy_kind_of(uint32_t number)
{
    return number < SY_COUNT(kinds) ? kinds[number] : NULL;
}

const char *sy_kind_name(uint32_t number)
{
    const struct sy_kind *kind = sy_kind_of(number);
    return kind ? kind->name : "unknown kind";
}

int sy_record_guard(const struct sy_actor *actor, uint32_t record, struct sy_wait *ret_wait)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    int got = sy_guard_try(actor, &hot->guard, ret_wait);
    if (got == SY_TAKEN) {
        return SY_WAIT;
    }
    if (got == SY_GOT_DIRTY) {
        /* It walks a chain, so nothing in it may be let again meanwhile. */
        bool reading = actor->executor && !sy_get(&actor->executor->epoch);
        if (reading) {
            sy_directory_enter(actor);
        }
        sy_directory_settle(actor->segment, record);
        if (reading) {
            sy_directory_leave(actor);
        }
        const struct sy_kind *kind = sy_kind_of(sy_hot_kind(hot));
        if (kind && sy_state_of(sy_load(&hot->state)) == SY_RECORD_LIVE) {
            kind->repair(actor, record);
        }
    }
    return 0;
}

void sy_record_unguard(const struct sy_actor *actor, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    sy_guard_release(actor, &hot->guard, record, sy_hot_generation(hot));
}

void sy_record_unlink(const struct sy_actor *actor, uint32_t record)
{
    struct sy_segment *segment = actor->segment;
    struct sy_hot *hot = sy_hot_at(segment, record);
    if (sy_hot_kind(hot) == SYNC_KIND_MUTEX) {
        sy_dword *floor = &segment->header->fence_floor;
        uint64_t seen = sy_load(floor), fence = sy_get(&hot->u.mutex.fence);
        while (seen < fence && !sy_cas64(floor, &seen, fence)) {}
    }
    sy_store_sc(&hot->state, sy_state(sy_hot_generation(hot), SY_RECORD_UNLINKED));
}
