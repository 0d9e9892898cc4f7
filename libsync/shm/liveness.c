/* SPDX-License-Identifier: MIT */
/* Death is never guessed: what cannot be proved is suspect, shown, and never stolen from. */
#include <errno.h>
#include <linux/futex.h>

#include "base/error.h"
#include "shm/slots.h"

#define STALE 1000000000ll /* ns without a beat */

bool sy_manager_stale(struct sy_segment *segment, int64_t now)
{
    return now - (int64_t)sy_get(&segment->header->heartbeat) > STALE;
}

static bool life_fired(struct sy_executor *executor)
{
    return (sy_load(sy_life_word(executor)) & FUTEX_OWNER_DIED) != 0;
}

/* From another PID namespace: have all life words of the process fired, at least one of them? */
static bool all_lives_fired(struct sy_segment *segment, uint32_t process)
{
    uint32_t count = sy_committed(segment, SY_EXECUTORS), fired = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i);
        struct sy_executor *executor = sy_executor_at(segment, i);
        uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
        if (!principal || !executor || sy_tenancy_process(tenancy) != process ||
            sy_tenancy_state(tenancy) == SY_SLOT_FREE ||
            sy_tenancy_state(tenancy) == SY_SLOT_EXITED) {
            continue;
        }
        if (!sy_get(&executor->has_life) || !life_fired(executor)) {
            return false;
        }
        fired++;
    }
    return fired > 0;
}

/* Has the same process attached anew since, and holds that slot's byte? Then exec ended the one
 * that had this slot: after a mere closefrom a process keeps the slot it has. */
static bool came_back(struct sy_segment *segment, uint32_t index, struct sy_process *process)
{
    uint32_t count = sy_committed(segment, SY_PROCESSES);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_process *other = sy_process_at(segment, i);
        if (i != index && other && sy_tenancy_state(sy_load(&other->tenancy)) == SY_SLOT_LIVE &&
            sy_get(&other->pid) == sy_get(&process->pid) &&
            sy_get(&other->start_time) == sy_get(&process->start_time) &&
            sy_get(&other->pid_namespace) == sy_get(&process->pid_namespace) &&
            sy_get(&other->attached_at) > sy_get(&process->attached_at) &&
            sy_byte_held(segment->fd, SY_BYTE_PROCESS(i)) > 0) {
            return true;
        }
    }
    return false;
}

static int look(struct sy_segment *segment, uint32_t index, struct sy_process *process,
                uint32_t state)
{
    int fd = sy_segment_fd(segment);
    if (fd < 0) {
        return SYNC_STATE_SUSPECT; /* nothing can be asked */
    }
    if (sy_byte_held(fd, SY_BYTE_PROCESS(index)) != 0) {
        return SYNC_STATE_ALIVE;
    }
    if (state == SY_SLOT_CLAIMED) {
        return SYNC_STATE_DEAD; /* a claimer holds the byte from before to after */
    }
    int32_t pid = (int32_t)sy_get(&process->pid);
    uint64_t namespace = sy_get(&process->pid_namespace);
    if (namespace == 0 || namespace != segment->pid_namespace) {
        return all_lives_fired(segment, index) ? SYNC_STATE_DEAD : SYNC_STATE_SUSPECT;
    }
    if (!sy_pid_exists(pid)) {
        return SYNC_STATE_DEAD;
    }
    uint64_t start = sy_start_time(pid), expected = sy_get(&process->start_time);
    if (start && expected && start != expected) {
        return SYNC_STATE_DEAD;
    }
    if (came_back(segment, index, process)) {
        return SYNC_STATE_DEAD;
    }
    /* exec drops the mapping, closefrom does not. */
    int rc = sy_pid_maps_file(pid, segment->device, segment->inode);
    return rc == 0 ? SYNC_STATE_DEAD : SYNC_STATE_SUSPECT;
}

int sy_process_state(struct sy_segment *segment, uint32_t index, uint32_t generation)
{
    struct sy_process *process = sy_process_at(segment, index);
    uint64_t tenancy = process ? sy_load(&process->tenancy) : 0;
    uint32_t state = sy_tenancy_state(tenancy);
    if (!process || sy_tenancy_generation(tenancy) != generation || state == SY_SLOT_FREE ||
        state == SY_SLOT_EXITED) {
        return SYNC_STATE_DEAD;
    }
    if (index == segment->process) {
        return SYNC_STATE_ALIVE;
    }
    int found = look(segment, index, process, state);
    if (sy_load(&process->tenancy) != tenancy) {
        return sy_process_state(segment, index, generation);
    }
    if (found == SYNC_STATE_DEAD && segment->writable) {
        sy_cas64(&process->tenancy, &tenancy, sy_tenancy(generation, index, SY_SLOT_EXITED));
    }
    return found;
}

bool sy_process_dead(struct sy_segment *segment, uint32_t index, uint32_t generation, bool thorough)
{
    struct sy_process *process = sy_process_at(segment, index);
    uint64_t tenancy = process ? sy_load(&process->tenancy) : 0;
    uint32_t state = sy_tenancy_state(tenancy);
    return !process || sy_tenancy_generation(tenancy) != generation || state == SY_SLOT_FREE ||
           state == SY_SLOT_EXITED ||
           (thorough && sy_process_state(segment, index, generation) == SYNC_STATE_DEAD);
}

bool sy_owner_dead(struct sy_segment *segment, uint32_t owner, bool thorough)
{
    uint32_t index = sy_owner_index(owner);
    if (index == SY_NONE) {
        return false;
    }
    if (index == SY_REAPER_INDEX) {
        int fd = thorough && !segment->reaping ? sy_segment_fd(segment) : -1;
        return fd >= 0 && !sy_byte_held(fd, SY_BYTE_REAPER);
    }
    struct sy_principal *principal = sy_principal_at(segment, index);
    if (!principal) {
        return true; /* no such slot was ever given out */
    }
    uint64_t tenancy = sy_load(&principal->tenancy);
    uint32_t state = sy_tenancy_state(tenancy);
    if (sy_owner_id(index, sy_tenancy_generation(tenancy)) != (owner & SY_OWNER) ||
        state == SY_SLOT_FREE || state == SY_SLOT_EXITED) {
        return true;
    }
    if (state == SY_SLOT_LIVE && index < segment->threads) {
        struct sy_executor *executor = sy_executor_at(segment, index);
        if (executor && sy_get(&executor->has_life) && life_fired(executor)) {
            return true;
        }
    }
    uint32_t process = sy_tenancy_process(tenancy);
    struct sy_process *slot = sy_process_at(segment, process);
    if (!slot) {
        return true;
    }
    uint64_t tenant = sy_load(&slot->tenancy);
    uint32_t generation = state == SY_SLOT_LIVE ? sy_get(&principal->process_generation)
                                                : sy_tenancy_generation(tenant);
    return sy_process_dead(segment, process, generation, thorough);
}

static bool thread_life(struct sy_segment *segment, uint32_t index, struct sy_wait_word *ret_word)
{
    struct sy_executor *executor = sy_executor_at(segment, index);
    if (!executor || !sy_get(&executor->has_life)) {
        return false;
    }
    uint32_t value = sy_load(sy_life_word(executor));
    if (value & FUTEX_OWNER_DIED || value == 0) {
        return false;
    }
    *ret_word = (struct sy_wait_word){sy_life_word(executor), value};
    return true;
}

bool sy_owner_life(struct sy_segment *segment, uint32_t owner, struct sy_wait_word *ret_word)
{
    uint32_t index = sy_owner_index(owner);
    struct sy_principal *principal = index == SY_NONE ? NULL : sy_principal_at(segment, index);
    if (!principal) {
        return false;
    }
    if (index < segment->threads) {
        return thread_life(segment, index, ret_word);
    }
    uint32_t process = sy_tenancy_process(sy_load(&principal->tenancy));
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *thread = sy_principal_at(segment, i);
        uint64_t tenancy = thread ? sy_load(&thread->tenancy) : 0;
        if (thread && sy_tenancy_state(tenancy) == SY_SLOT_LIVE &&
            sy_tenancy_process(tenancy) == process && thread_life(segment, i, ret_word)) {
            return true;
        }
    }
    return false;
}
