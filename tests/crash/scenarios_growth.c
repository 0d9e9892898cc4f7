/* SPDX-License-Identifier: MIT */
/* Killed while a region grows: all its first items are taken, and the next one needs more. */
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "lab.h"
#include "os/os.h"
#include "scenarios.h"
#include "shm/slots.h"

struct plan {
    enum sy_region_id region; /* of the principals, those that are no threads */
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static sync_manager *manager;
static sync_mutex *mutex;

static const sync_mutex_options by_handle = {.owner = SYNC_OWNER_HANDLE};

static void open_first(struct crash_case *c)
{
    manager = lab_connect(c);
    lab_must(c, "open", sync_mutex_open(manager, "m", NULL, &mutex));
}

/* One of everything that there can be more of. */
static void use_more(struct crash_case *c, unsigned who)
{
    sync_mutex *other;
    char name[16];
    for (unsigned i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%c%u", i == 0 ? 't' : 'h', who);
        lab_must(c, "open", sync_mutex_open(manager, name, i == 0 ? NULL : &by_handle, &other));
        lab_must(c, "acquire", sync_mutex_acquire(other, LAB_PATIENCE));
        lab_must(c, "release", sync_mutex_release(other));
    }
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    lab_must(c, "release", sync_mutex_release(mutex));
}

enum { RESIDENT, NEWCOMER };

/* Has mapped the regions as they were before. */
static void resident(struct crash_case *c)
{
    open_first(c);
    ACTOR_DO(c, lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE)));
    lab_must(c, "release", sync_mutex_release(mutex));
    actor_begin(c);
    use_more(c, RESIDENT);
    actor_end(c, 0);
    /* What it has is nobody else's: the newcomer needs more. */
    for (unsigned i = 0; i < 5000 && atomic_load(&c->control->actor[NEWCOMER].phase) < 2; i++) {
        usleep(200);
    }
}

static void newcomer(struct crash_case *c)
{
    actor_begin(c);
    open_first(c);
    use_more(c, NEWCOMER);
    actor_end(c, 0);
}

/* Taken by the worker, which lives: nobody frees what it has. */

static void take_processes(struct sy_segment *segment, uint32_t count)
{
    struct sy_process *own = sy_process_at(segment, segment->process);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_process *slot = sy_process_at(segment, i);
        if (sy_tenancy_state(sy_load(&slot->tenancy)) != SY_SLOT_FREE) {
            continue;
        }
        sy_put(&slot->pid, sy_get(&own->pid));
        sy_put(&slot->pid_namespace, sy_get(&own->pid_namespace));
        sy_put(&slot->start_time, sy_get(&own->start_time));
        sy_byte_lock(segment->fd, SY_BYTE_PROCESS(i));
        sy_store_sc(&slot->tenancy, sy_tenancy(1, i, SY_SLOT_LIVE));
    }
}

static void take_principals(struct sy_segment *segment, uint32_t from, uint32_t to)
{
    struct sy_process *own = sy_process_at(segment, segment->process);
    for (uint32_t i = from; i < to; i++) {
        struct sy_principal *slot = sy_principal_at(segment, i);
        if (sy_tenancy_state(sy_load(&slot->tenancy)) == SY_SLOT_FREE) {
            sy_put(&slot->process_generation, sy_tenancy_generation(sy_load(&own->tenancy)));
            sy_store_sc(&slot->tenancy, sy_tenancy(1, segment->process, SY_SLOT_LIVE));
        }
    }
}

static void take_records(struct sy_segment *segment, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        if (sy_state_of(sy_load(&hot->state)) == SY_RECORD_FREE) {
            sy_store_sc(&hot->state, sy_state(1, SY_RECORD_PRIVATE));
        }
    }
}

static void take_chunks(struct sy_segment *segment, uint32_t count)
{
    struct sy_process *own = sy_process_at(segment, segment->process);
    uint64_t owner = (uint64_t)sy_tenancy_generation(sy_load(&own->tenancy)) << 32 |
                     (segment->process + 1);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_chunk *chunk = sy_chunk_at(segment, i);
        if (sy_load(&chunk->owner) == 0) {
            sy_store_sc(&chunk->owner, owner);
        }
    }
}

static bool reach(struct sy_segment *segment, enum sy_region_id region, uint32_t wanted)
{
    for (uint32_t seen; (seen = sy_committed(segment, region)) < wanted;) {
        if (sy_segment_grow(segment, region, seen) != 0) {
            return false;
        }
    }
    return sy_segment_reach(segment, region, wanted);
}

static bool take_all(struct sy_segment *segment, const struct plan *plan)
{
    uint32_t first = segment->regions[plan->region].step;
    if (sy_process_claim(segment, "filler") != 0 || !reach(segment, plan->region, first)) {
        return false;
    }
    switch (plan->region) {
    case SY_PROCESSES:
        take_processes(segment, first);
        break;
    case SY_PRINCIPALS:
        take_principals(segment, segment->threads, first);
        break;
    case SY_EXECUTORS:
        take_principals(segment, 0, first);
        break;
    case SY_HOTS:
        if (!reach(segment, SY_COLDS, first)) {
            return false;
        }
        take_records(segment, first);
        break;
    case SY_COLDS:
        take_records(segment, first);
        break;
    default:
        take_chunks(segment, first);
        break;
    }
    return sy_committed(segment, plan->region) == first;
}

static bool build(struct crash_case *c)
{
    if (actor_start(c, resident) < 0 || actor_start(c, newcomer) < 0) {
        return false;
    }
    actor_permit(c, RESIDENT, 1);
    if (!actor_until_done(c, RESIDENT, 1)) {
        return false;
    }
    return take_all(lab_of(c)->segment, plan_of(c)) || case_trouble(c, "the region is not full");
}

static void prepare(struct crash_case *c)
{
    if (plan_of(c)->region != SY_PROCESSES) {
        manager = lab_connect(c);
    }
}

static void prepare_open(struct crash_case *c)
{
    open_first(c);
}

static void operate_open(struct crash_case *c)
{
    open_first(c);
}

enum { VICTIM = 9 };

static void operate_more(struct crash_case *c)
{
    use_more(c, VICTIM);
}

/* By whole steps, whoever was killed in the middle of one. */
static const char *check(struct crash_case *c)
{
    struct sy_segment *segment = lab_of(c)->segment;
    const struct sy_geometry *region = &segment->regions[plan_of(c)->region];
    uint32_t committed = sy_committed(segment, plan_of(c)->region);
    if (committed <= region->step) {
        return "it has not grown";
    }
    return committed == region->capacity || committed % region->step == 0
               ? NULL
               : "it has grown by part of a step";
}

#define GROWTH(variable_, name_, prepare_, operate_, region_)                                      \
    static const struct crash_scenario variable_ = {                                               \
        .name = "growth of " name_,                                                                \
        .world = &lab_roomy_world,                                                                 \
        .points = CRASH_STORES,                                                                    \
        .modes = HEALED,                                                                           \
        .build = build,                                                                            \
        .prepare = prepare_,                                                                       \
        .operate = operate_,                                                                       \
        .check = check,                                                                            \
        .argument = &(const struct plan){.region = region_},                                       \
    }

GROWTH(processes, "processes", prepare, operate_open, SY_PROCESSES);
GROWTH(executors, "threads", prepare, operate_open, SY_EXECUTORS);
GROWTH(principals, "owning handles", prepare_open, operate_more, SY_PRINCIPALS);
GROWTH(hots, "names, both halves", prepare_open, operate_more, SY_HOTS);
GROWTH(colds, "names, the cold half", prepare_open, operate_more, SY_COLDS);
GROWTH(chunks, "what is open", prepare, operate_open, SY_CHUNKS);

const struct crash_scenario *const crash_growth[] = {
    &processes, &executors, &principals, &hots, &colds, &chunks, NULL,
};
