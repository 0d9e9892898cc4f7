/* SPDX-License-Identifier: MIT */
/*
 * Would the object let this sleeper go on? Judged from the words alone, by rules written down here
 * once more: what the library believes is under test.
 */
#include "lab.h"
#include "os/os.h"

static uint32_t owner_of(uint32_t word)
{
    return word & SY_OWNER;
}

/* The victim has been waited for: whatever names it names a dead one. */
static bool is_victim(struct crash_case *c, uint32_t owner)
{
    struct sy_principal *principal;
    uint32_t slot = owner & SY_SLOT;
    if (slot == 0 || slot == SY_SLOT ||
        (principal = sy_principal_at(lab_of(c)->segment, slot - 1)) == NULL) {
        return false;
    }
    uint64_t tenancy = sy_load(&principal->tenancy);
    if ((sy_tenancy_generation(tenancy) & 0x3fff) != owner >> 16) {
        return true;
    }
    struct sy_process *process = sy_process_at(lab_of(c)->segment, sy_tenancy_process(tenancy));
    return process != NULL && sy_load(&process->pid) == (uint32_t)c->victim.pid;
}

static bool owner_word_admits(struct crash_case *c, uint32_t word)
{
    return owner_of(word) == 0 || (word & SY_R) || owner_of(word) == SY_BROKEN ||
           owner_of(word) == SY_POISONED || is_victim(c, owner_of(word));
}

static bool mutex_admits(struct crash_case *c, struct sy_hot *hot, uint32_t me)
{
    uint32_t word = sy_load(&hot->word);
    if (owner_of(word) == 0 && !(word & SY_R)) {
        uint32_t reserved = sy_load(&hot->u.mutex.reserved_for);
        if (reserved != 0 && reserved != me &&
            sy_load(&hot->u.mutex.reserved_until) > (uint64_t)sy_now()) {
            return false;
        }
    }
    return owner_word_admits(c, word);
}

static bool semaphore_admits(struct sy_hot *hot, uint64_t wanted)
{
    uint32_t available = sy_load(&hot->word) & 0x3fffffff;
    return available >= (wanted == 0 ? 1 : wanted);
}

/* Set, or, with manual reset, set at any time since it came: `detail` is 1 + the generation it saw.
 */
static bool event_admits(struct sy_hot *hot, uint64_t detail)
{
    uint32_t word = sy_load(&hot->word);
    bool automatic = (sy_load(&hot->kind) >> 8 & SYNC_FLAG_AUTO_RESET) != 0;
    return (word & 1) || (!automatic && detail != 0 && 1 + (uint64_t)(word & 0x7ffffffe) != detail);
}

/* The round it arrived in is over: `detail` is 1 + that round. */
static bool barrier_admits(struct sy_hot *hot, uint64_t detail)
{
    return detail != 0 && 1 + (sy_load(&hot->u.barrier.state) >> 32) != detail;
}

bool lab_admits(struct crash_case *c, unsigned actor)
{
    struct sy_segment *segment = lab_of(c)->segment;
    struct sy_executor *executor = segment == NULL ? NULL : lab_executor(c, actor);
    if (executor == NULL) {
        return false;
    }
    uint32_t count = sy_load(&executor->waiting.count);
    for (uint32_t i = 0; i < count && i < SY_WAIT_MAX; i++) {
        uint32_t record = sy_load(&executor->waiting.records[i]) - 1;
        struct sy_hot *hot = sy_hot_at(segment, record);
        if (hot == NULL) {
            continue;
        }
        uint64_t detail = sy_load(&executor->waiting.detail);
        bool admits = false;
        switch (sy_load(&hot->kind) & 0xff) {
        case SYNC_KIND_MUTEX:
            admits = mutex_admits(c, hot, sy_load(&executor->waiting.principal));
            break;
        case SYNC_KIND_SEMAPHORE:
            admits = semaphore_admits(hot, detail);
            break;
        case SYNC_KIND_EVENT:
            admits = event_admits(hot, detail);
            break;
        case SYNC_KIND_BARRIER:
            admits = barrier_admits(hot, detail);
            break;
        default:
            break;
        }
        if (admits) {
            return true;
        }
    }
    return false;
}
