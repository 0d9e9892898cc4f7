/* SPDX-License-Identifier: MIT */
/* Slots: who is here. Given out round-robin, so that a generation field of 14 bits in owner words
 * suffices. */
#ifndef SY_SLOTS_H
#define SY_SLOTS_H

#include "shm/segment.h"

/* Take a process slot and its byte; sets segment->process. SYNC_ENOSLOT. */
int sy_process_claim(struct sy_segment *segment, const char *label);
/* Give the own slot back: everything in it must be free already. */
void sy_process_release(struct sy_segment *segment);
/* A living process whose byte was closed behind its back (closefrom) takes it again. */
void sy_process_keep_byte(struct sy_segment *segment);

/* Take a principal for the own process: a thread's (index < header->threads, with an executor to
 * match) or another's. The state is LIVE on return. SYNC_ENOSLOT names the largest user. */
int sy_principal_claim(struct sy_segment *segment, bool thread, uint32_t kind, uint32_t *ret_index);
/* To FREE or EXITED, if the slot is still that tenant's. */
void sy_principal_leave(struct sy_segment *segment, uint32_t id, uint32_t state);

static inline uint32_t sy_principal_id(struct sy_segment *segment, uint32_t index)
{
    struct sy_principal *principal = sy_principal_at(segment, index);
    return sy_owner_id(index, sy_tenancy_generation(sy_load(&principal->tenancy)));
}

/* What an owner id names: its index, or SY_NONE if it is no principal's (free, POISONED, BROKEN).
 */
static inline uint32_t sy_owner_index(uint32_t word)
{
    uint32_t slot = word & SY_SLOT;
    return slot == 0 || slot == 0xffff ? SY_NONE : slot - 1;
}

/* The word of a thread's life mutex: FUTEX_OWNER_DIED beside the kernel's mark when it fired. */
static inline sy_word *sy_life_word(struct sy_executor *executor)
{
    return (sy_word *)(void *)&executor->life.__data.__lock;
}

/* ---- who waits ------------------------------------------------------------------------------- */

static inline bool sy_waits_for(struct sy_executor *executor, uint32_t record, uint32_t generation)
{
    uint32_t count = sy_load(&executor->waiting.count);
    for (uint32_t i = 0; i < count && i < SY_WAIT_MAX; i++) {
        if (sy_get(&executor->waiting.records[i]) == record + 1 &&
            sy_get(&executor->waiting.generations[i]) == generation) {
            return true;
        }
    }
    return false;
}
/* The first executor from slot *at on that waits for the record and is not known to be dead, its
 * owner id in *ret_id and *at behind it; NULL: no more. Begin with 0. */
struct sy_executor *sy_next_waiter(struct sy_segment *segment, uint32_t record, uint32_t generation,
                                   uint32_t *at, uint32_t *ret_id);

/* ---- liveness: the one place that decides who is dead ---------------------------------------- */

/* SYNC_STATE_ALIVE, SUSPECT or DEAD for the tenant `generation` of a process slot. What is found
 * dead is marked EXITED, so that nobody has to prove it again. */
int sy_process_state(struct sy_segment *segment, uint32_t process, uint32_t generation);
/* Is that tenant dead: by the shared words alone, or, `thorough`, by proof. */
bool sy_process_dead(struct sy_segment *segment, uint32_t process, uint32_t generation,
                     bool thorough);
/* Certainly dead? `thorough` also asks about its process, which costs system calls; without it only
 * shared words are read. */
bool sy_owner_dead(struct sy_segment *segment, uint32_t owner, bool thorough);
/* Does the manager run? By its heartbeat. */
bool sy_manager_stale(struct sy_segment *segment, int64_t now);
/* The life word that fires when `owner` dies, and the value it has while it lives; false when there
 * is none to watch (no robust list), or it has fired. For a handle: of one living thread of its
 * process. */
bool sy_owner_life(struct sy_segment *segment, uint32_t owner, struct sy_wait_word *ret_word);

#endif
