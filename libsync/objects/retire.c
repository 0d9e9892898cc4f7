/* SPDX-License-Identifier: MIT */
/* Names go by unlink; besides, when three quarters are taken, those that nobody would miss go,
 * oldest first: not open anywhere, and in the state they were created in. */
#include <stdlib.h>
#include <string.h>

#include "objects/kind.h"

#define BATCH 256 /* names closed to newcomers while a reaper stands still */

/* A bit per record that somebody has open: one walk over the entries for all candidates. */
struct open_records {
    uint64_t *bits;
    uint32_t count;
};

static size_t bytes_of(const struct open_records *open)
{
    return (open->count / 64 + 1) * sizeof(uint64_t);
}

static bool is_open(const struct open_records *open, uint32_t record)
{
    return open->bits[record / 64] >> record % 64 & 1;
}

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

/* UNLINKING first, then the look who has it open, as sync_unlink does: an opener does it the other
 * way round. */
static bool begin_one(const struct sy_actor *actor, uint32_t record)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    struct sy_wait wait;
    if (!sy_kind_of(sy_hot_kind(hot)) || sy_record_guard(actor, record, &wait) == SY_WAIT) {
        return false;
    }
    uint32_t state = sy_load_sc(&hot->state);
    if (sy_state_of(state) != SY_RECORD_LIVE) {
        sy_record_unguard(actor, record);
        return false;
    }
    sy_store_sc(&hot->state, sy_state(sy_state_generation(state), SY_RECORD_UNLINKING));
    return true;
}

static bool end_one(const struct sy_actor *actor, uint32_t record, bool open)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    bool gone = !open && sy_kind_of(sy_hot_kind(hot))->fresh(actor->segment, record);
    if (gone) {
        sy_record_unlink(actor, record);
    } else {
        sy_store_sc(&hot->state, sy_state(sy_hot_generation(hot), SY_RECORD_LIVE));
    }
    sy_record_unguard(actor, record);
    return gone;
}

/* Many at a time, so that a million names cost some walks over the entries, not a million. */
static uint32_t retire(const struct sy_actor *actor, const struct candidate *candidates,
                       uint32_t count, uint32_t surplus, struct open_records *open)
{
    uint32_t batch[BATCH], retired = 0;
    for (uint32_t at = 0; at < count && retired < surplus;) {
        uint32_t size = 0;
        for (; at < count && size < BATCH && retired + size < surplus; at++) {
            if (begin_one(actor, candidates[at].record)) {
                batch[size++] = candidates[at].record;
            }
        }
        memset(open->bits, 0, bytes_of(open));
        sy_opens_visit(actor->segment, SY_NONE, 0, mark_open, open);
        for (uint32_t i = 0; i < size; i++) {
            retired += end_one(actor, batch[i], is_open(open, batch[i]));
        }
    }
    return retired;
}

static int older(const void *a, const void *b)
{
    uint64_t x = ((const struct candidate *)a)->created_at;
    uint64_t y = ((const struct candidate *)b)->created_at;
    return x < y ? -1 : x > y;
}

/* All that may go: broken incarnations, or what is as it was created and not open. */
static uint32_t collect(struct sy_segment *segment, bool only_broken, struct open_records *open,
                        struct candidate *candidates, uint32_t most)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < open->count && found < most; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        struct sy_cold *cold = sy_cold_at(segment, i);
        const struct sy_kind *kind = hot ? sy_kind_of(sy_hot_kind(hot)) : NULL;
        if (kind && cold && sy_state_of(sy_load(&hot->state)) == SY_RECORD_LIVE &&
            (only_broken ? sy_mutex_broken(hot) : !is_open(open, i)) && kind->fresh(segment, i)) {
            candidates[found++] = (struct candidate){i, sy_get(&cold->created_at)};
        }
    }
    return found;
}

int sy_retire(const struct sy_actor *actor)
{
    struct sy_segment *segment = actor->segment;
    uint32_t count = sy_committed(segment, SY_HOTS), live = 0, broken = 0, retired = 0;
    uint32_t capacity = segment->regions[SY_HOTS].capacity;
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        struct sy_wait wait;
        if (hot && sy_state_of(sy_load(&hot->state)) == SY_RECORD_UNLINKING &&
            (sy_load(&hot->guard) & SY_OWNER) == actor->id &&
            sy_record_guard(actor, i, &wait) != SY_WAIT) {
            sy_record_unguard(actor, i); /* of a batch whose reaper was killed */
        }
        if (hot && sy_state_of(sy_load(&hot->state)) == SY_RECORD_LIVE) {
            live++;
            broken += sy_mutex_broken(hot);
        }
    }
    bool full = live >= capacity / 4 * 3;
    if (!full && !broken) {
        return 0;
    }
    struct open_records open = {NULL, count};
    struct candidate *candidates = calloc(live, sizeof(*candidates));
    open.bits = calloc(1, bytes_of(&open));
    if (candidates && open.bits) {
        uint32_t found = collect(segment, true, &open, candidates, live);
        retired = retire(actor, candidates, found, found, &open);
        if (full) {
            memset(open.bits, 0, bytes_of(&open));
            sy_opens_visit(segment, SY_NONE, 0, mark_open, &open);
            found = collect(segment, false, &open, candidates, live);
            qsort(candidates, found, sizeof(*candidates), older);
            retired += retire(actor, candidates, found, live - capacity / 2, &open);
        }
    }
    free(open.bits);
    free(candidates);
    return (int)retired;
}
