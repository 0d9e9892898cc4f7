/* SPDX-License-Identifier: MIT */
#include "shm/directory.h"

#include <string.h>

#include "base/error.h"

void sy_directory_enter(const struct sy_actor *actor)
{
    if (actor->executor) {
        sy_store_sc(&actor->executor->epoch, sy_load_sc(&actor->segment->header->directory_epoch));
    }
}

void sy_directory_leave(const struct sy_actor *actor)
{
    if (actor->executor) {
        sy_store(&actor->executor->epoch, 0);
    }
}

static sy_word *bucket_of(struct sy_segment *segment, uint32_t hash)
{
    return sy_bucket_at(segment, hash & (segment->regions[SY_BUCKETS].capacity - 1));
}

/* Chains in a damaged segment may lead in circles: nobody follows more links than there are
 * records. */
uint32_t sy_directory_find(struct sy_segment *segment, const struct sy_name *name)
{
    sy_word *head = bucket_of(segment, name->hash);
    uint32_t left = segment->regions[SY_HOTS].capacity;
    for (uint32_t at = head ? sy_load_sc(head) : 0; at && left; left--) {
        struct sy_cold *cold = sy_cold_at(segment, at - 1);
        if (!cold) {
            break;
        }
        if (sy_name_is(cold, name)) {
            struct sy_hot *hot = sy_hot_at(segment, at - 1);
            uint32_t state = hot ? sy_state_of(sy_load_sc(&hot->state)) : SY_RECORD_FREE;
            if (state == SY_RECORD_LIVE || state == SY_RECORD_UNLINKING) {
                return at - 1;
            }
        }
        at = sy_load(&cold->next);
    }
    return SY_NONE;
}

/* The guard claims the record, so that its claimer's death is noticed as any guard owner's is. */
static bool claim(const struct sy_actor *actor, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    struct sy_cold *cold = sy_cold_at(actor->segment, record);
    uint32_t guard = hot ? sy_load(&hot->guard) : 0;
    if (!hot || !cold || sy_state_of(sy_load(&hot->state)) != SY_RECORD_FREE || (guard & ~SY_W) ||
        !sy_cas32(&hot->guard, &guard, actor->id | guard)) {
        return false;
    }
    uint32_t state = sy_load_sc(&hot->state);
    if (sy_state_of(state) != SY_RECORD_FREE) {
        sy_guard_release(actor, &hot->guard, record, sy_state_generation(state));
        return false;
    }
    uint32_t generation = (sy_state_generation(state) + 1) & 0xffffff;
    sy_store_sc(&hot->state, sy_state(generation ? generation : 1, SY_RECORD_PRIVATE));
    memset(&hot->u, 0, sizeof(hot->u));
    memset(cold, 0, sizeof(*cold));
    sy_put(&hot->word, 0);
    return true;
}

static int claim_any(const struct sy_actor *actor, uint32_t *ret_record)
{
    struct sy_segment *segment = actor->segment;
    for (;;) {
        uint32_t hots = sy_committed(segment, SY_HOTS), colds = sy_committed(segment, SY_COLDS);
        uint32_t count = hots < colds ? hots : colds;
        uint32_t first = count ? sy_get(&segment->header->next_record) % count : 0;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t record = (first + i) % count;
            if (claim(actor, record)) {
                sy_put(&segment->header->next_record, record + 1);
                *ret_record = record;
                return 0;
            }
        }
        int rc = colds < hots ? sy_segment_grow(segment, SY_COLDS, colds)
                              : sy_segment_grow(segment, SY_HOTS, hots);
        if (rc) {
            return rc;
        }
        if (count) {
            sy_put(&segment->header->next_record, count);
        }
    }
}

static void give_up(const struct sy_actor *actor, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    uint32_t generation = sy_state_generation(sy_load(&hot->state));
    sy_store_sc(&hot->state, sy_state(generation, SY_RECORD_FREE));
    sy_guard_release(actor, &hot->guard, record, generation);
}

int sy_directory_create(const struct sy_actor *actor, const struct sy_name *name, uint32_t kind,
                        sy_fill_function *fill, void *argument, uint32_t replaces,
                        uint32_t *ret_record, bool *ret_created)
{
    struct sy_segment *segment = actor->segment;
    uint32_t record;
    int rc = claim_any(actor, &record);
    if (rc) {
        return rc;
    }
    struct sy_hot *hot = sy_hot_at(segment, record);
    struct sy_cold *cold = sy_cold_at(segment, record);
    sy_put(&hot->kind, kind);
    sy_put(&cold->hash, name->hash);
    sy_put(&cold->name_size, (uint16_t)name->size);
    memcpy(cold->name, name->text, name->size);
    sy_put(&cold->created_at, (uint64_t)sy_now());
    fill(hot, cold, argument);
    uint32_t generation = sy_state_generation(sy_load(&hot->state));
    sy_store_sc(&hot->state, sy_state(generation, SY_RECORD_LIVE));
    sy_word *bucket = bucket_of(segment, name->hash);
    for (;;) {
        uint32_t head = sy_load(bucket);
        uint32_t other = sy_directory_find(segment, name);
        if (other != SY_NONE && other != replaces) {
            give_up(actor, record);
            *ret_record = other;
            *ret_created = false;
            return 0;
        }
        /* The head read before the search: unchanged, so nothing newer of that name is linked. */
        sy_put(&cold->next, head);
        if (sy_cas32(bucket, &head, record + 1)) {
            break;
        }
    }
    sy_guard_release(actor, &hot->guard, record, generation);
    *ret_record = record;
    *ret_created = true;
    return 0;
}

static bool linked(struct sy_segment *segment, uint32_t record)
{
    struct sy_cold *cold = sy_cold_at(segment, record);
    sy_word *head = cold ? bucket_of(segment, sy_get(&cold->hash)) : NULL;
    uint32_t left = segment->regions[SY_HOTS].capacity;
    for (uint32_t at = head ? sy_load(head) : 0; at && left; left--) {
        if (at == record + 1) {
            return true;
        }
        cold = sy_cold_at(segment, at - 1);
        if (!cold) {
            break;
        }
        at = sy_load(&cold->next);
    }
    return false;
}

void sy_directory_settle(struct sy_segment *segment, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    uint32_t state = sy_load(&hot->state), generation = sy_state_generation(state);
    if (sy_state_of(state) == SY_RECORD_PRIVATE ||
        (sy_state_of(state) == SY_RECORD_LIVE && !linked(segment, record))) {
        sy_store_sc(&hot->state, sy_state(generation, SY_RECORD_FREE));
    } else if (sy_state_of(state) == SY_RECORD_UNLINKING) {
        sy_store_sc(&hot->state, sy_state(generation, SY_RECORD_LIVE));
    }
}

/* Out of its chain. Inserters only move the head, and only the reaper writes a linked `next`. */
static void take_out(struct sy_segment *segment, uint32_t record)
{
    struct sy_cold *cold = sy_cold_at(segment, record);
    sy_word *at = bucket_of(segment, sy_get(&cold->hash));
    uint32_t left = segment->regions[SY_HOTS].capacity, next = sy_load(&cold->next);
    bool first = true;
    while (at && left--) {
        uint32_t seen = sy_load(at);
        if (seen == record + 1) {
            if (!first) {
                sy_store_sc(at, next);
                return;
            }
            if (sy_cas32(at, &seen, next)) {
                return;
            }
            continue;
        }
        struct sy_cold *link = seen ? sy_cold_at(segment, seen - 1) : NULL;
        at = link ? &link->next : NULL;
        first = false;
    }
}

static uint64_t oldest_reader(struct sy_segment *segment)
{
    uint64_t oldest = UINT64_MAX;
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_executor *executor = sy_executor_at(segment, i);
        struct sy_principal *principal = sy_principal_at(segment, i);
        uint64_t epoch = executor ? sy_load_sc(&executor->epoch) : 0;
        if (epoch && epoch < oldest && principal &&
            sy_tenancy_state(sy_load(&principal->tenancy)) == SY_SLOT_LIVE) {
            oldest = epoch;
        }
    }
    return oldest;
}

/* name_size 0 marks a record that is out of its chain; its created_at is then the epoch of that.
 * Killed at any step, the next sweep does the rest: to take out twice finds nothing to do. */
void sy_directory_sweep(struct sy_segment *segment)
{
    struct sy_header *header = segment->header;
    uint32_t count = sy_committed(segment, SY_HOTS);
    uint64_t oldest = 0;
    bool looked = false, removed = false;
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        struct sy_cold *cold = sy_cold_at(segment, i);
        uint32_t state = hot ? sy_load(&hot->state) : 0;
        if (!hot || !cold || sy_state_of(state) != SY_RECORD_UNLINKED) {
            continue;
        }
        if (sy_get(&cold->name_size) != 0) {
            take_out(segment, i);
            sy_put(&cold->created_at, sy_load_sc(&header->directory_epoch));
            sy_put(&cold->name_size, 0);
            removed = true;
            continue;
        }
        if (!looked) {
            oldest = oldest_reader(segment);
            looked = true;
        }
        if (oldest > sy_get(&cold->created_at)) {
            sy_store_sc(&hot->state, sy_state(sy_state_generation(state), SY_RECORD_FREE));
        }
    }
    if (removed) {
        atomic_fetch_add(&header->directory_epoch, 1);
    }
}
