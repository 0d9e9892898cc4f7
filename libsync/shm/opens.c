/* SPDX-License-Identifier: MIT */
#include "shm/opens.h"

#include <string.h>

#include "base/error.h"

static uint64_t owner_of(uint32_t process, uint32_t generation)
{
    return (uint64_t)generation << 32 | (process + 1);
}

static int chunk_claim(struct sy_segment *segment, uint64_t owner, struct sy_chunk **ret_chunk)
{
    for (;;) {
        uint32_t count = sy_committed(segment, SY_CHUNKS);
        uint32_t first = count ? atomic_fetch_add(&segment->header->next_chunk, 1) % count : 0;
        for (uint32_t i = 0; i < count; i++) {
            struct sy_chunk *chunk = sy_chunk_at(segment, (first + i) % count);
            uint64_t nobody = 0;
            if (chunk && sy_get(&chunk->owner) == 0 && sy_cas64(&chunk->owner, &nobody, owner)) {
                *ret_chunk = chunk; /* its entries were cleared before it was given back */
                return 0;
            }
        }
        int rc = sy_segment_grow(segment, SY_CHUNKS, count);
        if (rc) {
            return rc;
        }
    }
}

/* The own process knows by a table of its own which records it has entries for; here only room is
 * looked for, in the chunk that had some last. */
int sy_open_entry(struct sy_segment *segment, uint32_t record, uint32_t generation,
                  struct sy_open **ret_entry)
{
    struct sy_process *process = sy_process_at(segment, segment->process);
    uint64_t owner = owner_of(segment->process, sy_tenancy_generation(sy_load(&process->tenancy)));
    struct sy_chunk *chunk = segment->room;
    struct sy_open *room = NULL;
    for (uint32_t i = 0; chunk && sy_load(&chunk->owner) == owner && i < SY_OPENS_PER_CHUNK; i++) {
        if (!sy_get(&chunk->entries[i].record)) {
            room = &chunk->entries[i];
            break;
        }
    }
    if (!room) {
        int rc = chunk_claim(segment, owner, &chunk);
        if (rc) {
            return rc;
        }
        segment->room = chunk;
        room = &chunk->entries[0];
    }
    sy_put(&room->opens, 0);
    sy_put(&room->permits, 0);
    sy_put(&room->arrived, 0);
    sy_put(&room->generation, generation);
    sy_store_sc(&room->record, record + 1);
    *ret_entry = room;
    return 0;
}

void sy_open_close(struct sy_segment *segment, struct sy_open *entry)
{
    sy_store_sc(&entry->record, 0);
    uintptr_t offset = (uintptr_t)entry - (uintptr_t)segment->start[SY_CHUNKS];
    segment->room = sy_chunk_at(segment, (uint32_t)(offset / sizeof(struct sy_chunk)));
}

bool sy_opens_visit(struct sy_segment *segment, uint32_t record, uint32_t record_generation,
                    sy_open_visitor *visitor, void *argument)
{
    uint32_t count = sy_committed(segment, SY_CHUNKS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_chunk *chunk = sy_chunk_at(segment, i);
        uint64_t owner = chunk ? sy_load(&chunk->owner) : 0;
        if (!owner) {
            continue;
        }
        for (uint32_t j = 0; j < SY_OPENS_PER_CHUNK; j++) {
            struct sy_open *entry = &chunk->entries[j];
            uint32_t named = sy_load_sc(&entry->record);
            if (!named ||
                (record != SY_NONE &&
                 (named != record + 1 || sy_get(&entry->generation) != record_generation))) {
                continue;
            }
            if (visitor(segment, (uint32_t)owner - 1, (uint32_t)(owner >> 32), entry, argument)) {
                return true;
            }
        }
    }
    return false;
}

void sy_opens_release(struct sy_segment *segment, uint32_t process, uint32_t generation)
{
    uint64_t owner = owner_of(process, generation);
    uint32_t count = sy_committed(segment, SY_CHUNKS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_chunk *chunk = sy_chunk_at(segment, i);
        uint64_t seen = owner;
        if (!chunk || sy_load(&chunk->owner) != owner) {
            continue;
        }
        for (uint32_t j = 0; j < SY_OPENS_PER_CHUNK; j++) {
            sy_store_sc(&chunk->entries[j].record, 0);
            sy_put(&chunk->entries[j].opens, 0);
            sy_put(&chunk->entries[j].permits, 0);
            sy_put(&chunk->entries[j].arrived, 0);
        }
        sy_cas64(&chunk->owner, &seen, 0);
    }
}
