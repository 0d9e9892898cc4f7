/* SPDX-License-Identifier: MIT */
/* Names go by unlink; besides, when three quarters are taken, those that nobody would miss go,
 * oldest first: not open anywhere, and in the state they were created in. */
#include <stdlib.h>

#include "objects/kind.h"

/* A bit per record that somebody has open: one walk over the entries for all candidates. */
struct open_records {
    uint64_t *bits;
    uint32_t count;
};
static bool mark_open(struct sy_segment *segment, uint32_t process, uint32_t generation,
                      struct sy_open *entry, void *argument)
{
    struct open_records *open = argument;
    uint32_t record = sy_get(&entry->record) - 1;
    (void)segment, (void)process, (void)generation;
    if (sy_load_sc(&entry->opens) && record < open->count) {
        open->bits[record / 64] |= 1ull << record % 64;
    }
    return false;
}

struct candidate {
    uint32_t record;
    uint64_t created_at;
};

static bool anybody(struct sy_segment *segment, uint32_t process, uint32_t generation,
                    struct sy_open *entry, void *argument)
{
    (void)segment, (void)process, (void)generation, (void)argument;
    return sy_load_sc(&entry->opens) != 0;
}

static bool broken(struct sy_hot *hot)
{
    return sy_hot_kind(hot) == SYNC_KIND_MUTEX && (sy_load(&hot->word) & SY_OWNER) == SY_BROKEN;
}

/* UNLINKING first, then the look, as sync_unlink does: an opener does it the other way round. */
static bool retire_one(const struct sy_actor *actor, uint32_t record)
{
    struct sy_segment *segment = actor->segment;
    struct sy_hot *hot = sy_hot_at(segment, record);
    const struct sy_kind *kind = sy_kind_of(sy_hot_kind(hot));
    struct sy_wait wait;
    if (!kind || sy_record_guard(actor, record, &wait) == SY_WAIT) {
        return false;
    }
    uint32_t state = sy_load_sc(&hot->state), generation = sy_state_generation(state);
    bool gone = false;
    if (sy_state_of(state) == SY_RECORD_LIVE) {
        sy_store_sc(&hot->state, sy_state(generation, SY_RECORD_UNLINKING));
        gone = !sy_opens_visit(segment, record, generation, anybody, NULL) &&
               kind->fresh(segment, record);
        if (gone) {
            sy_record_unlink(actor, record);
        } else {
            sy_store_sc(&hot->state, sy_state(generation, SY_RECORD_LIVE));
        }
    }
    sy_record_unguard(actor, record);
    return gone;
}

static int older(const void *a, const void *b)
{
    uint64_t x = ((const struct candidate *)a)->created_at;
    uint64_t y = ((const struct candidate *)b)->created_at;
    return x < y ? -1 : x > y;
}

int sy_retire(const struct sy_actor *actor)
{
    struct sy_segment *segment = actor->segment;
    uint32_t count = sy_committed(segment, SY_HOTS), live = 0, found = 0;
    uint32_t capacity = segment->regions[SY_HOTS].capacity;
    int retired = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        if (hot && sy_state_of(sy_load(&hot->state)) == SY_RECORD_LIVE) {
            live++;
            if (broken(hot)) {
                retired += retire_one(actor, i);
            }
        }
    }
    if (live < capacity / 4 * 3) {
        return retired;
    }
    struct candidate *candidates = calloc(live, sizeof(*candidates));
    struct open_records open = {calloc(count / 64 + 1, sizeof(uint64_t)), count};
    if (!candidates || !open.bits) {
        free(candidates);
        free(open.bits);
        return retired;
    }
    sy_opens_visit(segment, SY_NONE, 0, mark_open, &open);
    for (uint32_t i = 0; i < count && found < live; i++) {
        if (open.bits[i / 64] >> i % 64 & 1) {
            continue;
        }
        struct sy_hot *hot = sy_hot_at(segment, i);
        struct sy_cold *cold = sy_cold_at(segment, i);
        const struct sy_kind *kind = hot ? sy_kind_of(sy_hot_kind(hot)) : NULL;
        if (kind && cold && sy_state_of(sy_load(&hot->state)) == SY_RECORD_LIVE &&
            kind->fresh(segment, i)) {
            candidates[found++] = (struct candidate){i, sy_get(&cold->created_at)};
        }
    }
    qsort(candidates, found, sizeof(*candidates), older);
    uint32_t surplus = live - capacity / 2;
    for (uint32_t i = 0; i < found && surplus; i++) {
        if (retire_one(actor, candidates[i].record)) {
            retired++;
            surplus--;
        }
    }
    free(open.bits);
    free(candidates);
    return retired;
}
