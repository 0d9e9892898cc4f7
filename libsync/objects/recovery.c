/* SPDX-License-Identifier: MIT */
/* What is done for the dead. Everything here may be done twice, by several at once, and be cut off
 * anywhere: the next one begins again, because a slot is freed last. */
#include <stdlib.h>

#include "objects/kind.h"
#include "os/fault.h"

/* A wake owed, or swallowed, by the dead: everybody who sleeps there looks for himself. */
static void replay(const struct sy_actor *actor, uint32_t named, uint32_t generation)
{
    struct sy_hot *hot = named ? sy_hot_at(actor->segment, named - 1) : NULL;
    if (!hot || sy_switches.replay_off || sy_hot_generation(hot) != generation) {
        return;
    }
    const struct sy_kind *kind = sy_kind_of(sy_hot_kind(hot));
    if (kind) {
        kind->wake_all(hot);
        sy_futex_wake(&hot->guard, INT_MAX);
    }
}

/* The byte is the open file description's, so threads of one process exclude each other besides. */
static pthread_mutex_t reaping = PTHREAD_MUTEX_INITIALIZER;

bool sy_reaper_begin(struct sy_segment *segment, struct sy_actor *ret_actor)
{
    if (pthread_mutex_trylock(&reaping)) {
        return false;
    }
    int fd = sy_segment_fd(segment);
    if (fd < 0 || sy_byte_lock(fd, SY_BYTE_REAPER) < 0) {
        pthread_mutex_unlock(&reaping);
        return false;
    }
    segment->reaping = true;
    *ret_actor = (struct sy_actor){
        .segment = segment, .id = SY_REAPER, .owed = &segment->header->reaper_owed};
    /* What the reaper before us owed when it was killed. */
    replay(ret_actor, sy_load(&ret_actor->owed->record), sy_get(&ret_actor->owed->generation));
    sy_paid(ret_actor);
    return true;
}

void sy_reaper_end(const struct sy_actor *actor)
{
    actor->segment->reaping = false;
    int fd = sy_segment_fd(actor->segment);
    if (fd >= 0) {
        sy_byte_unlock(fd, SY_BYTE_REAPER);
    }
    pthread_mutex_unlock(&reaping);
}

void sy_reaper_forked(void)
{
    pthread_mutex_init(&reaping, NULL);
}

bool sy_recover_record(const struct sy_actor *actor, uint32_t record, bool thorough)
{
    struct sy_hot *hot = sy_hot_at(actor->segment, record);
    if (!hot) {
        return true;
    }
    sy_owner_bury(actor->segment, &hot->guard, sy_load(&hot->guard), thorough);
    const struct sy_kind *kind = sy_kind_of(sy_hot_kind(hot));
    return !kind || !sy_state_in_use(sy_load(&hot->state)) ||
           kind->recover(actor, record, thorough);
}

static void replay_executor(const struct sy_actor *actor, struct sy_executor *executor)
{
    for (uint32_t i = 0; i < SY_LEVELS; i++) {
        replay(actor, sy_load(&executor->owed[i].record), sy_get(&executor->owed[i].generation));
    }
    uint32_t count = sy_load(&executor->waiting.count);
    for (uint32_t i = 0; i < count && i < SY_WAIT_MAX; i++) {
        uint32_t record = sy_get(&executor->waiting.records[i]);
        replay(actor, record, sy_get(&executor->waiting.generations[i]));
        if (record) {
            sy_recover_record(actor, record - 1, false);
        }
    }
    if (sy_load(&executor->operation.kind) == SY_OP_ARRIVE) {
        uint32_t record = sy_get(&executor->operation.record);
        if (record) {
            sy_recover_record(actor, record - 1, false);
        }
    }
}

/* Cleared before the slot is let again; the life word's sleepers look again, as the word they watch
 * is about to belong to somebody else. */
static void clear_executor(struct sy_executor *executor)
{
    for (uint32_t i = 0; i < SY_LEVELS; i++) {
        sy_put(&executor->owed[i].record, 0);
    }
    sy_put(&executor->waiting.count, 0);
    sy_put(&executor->operation.kind, 0);
    sy_store(&executor->epoch, 0);
    sy_futex_wake(sy_life_word(executor), INT_MAX);
}

/* One pass over the records: whatever names somebody dead. */
static void recover_owned(const struct sy_actor *actor)
{
    struct sy_segment *segment = actor->segment;
    uint32_t count = sy_committed(segment, SY_HOTS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        if (!hot) {
            return;
        }
        uint32_t guard = sy_load(&hot->guard);
        struct sy_wait wait;
        if (!sy_admits(guard)) {
            sy_owner_bury(segment, &hot->guard, guard, false);
            guard = sy_load(&hot->guard);
        }
        /* One that a reaper before us left is ours to find, as if we had left it. */
        if (((guard & SY_R) || (guard & SY_OWNER) == actor->id) &&
            sy_record_guard(actor, i, &wait) != SY_WAIT) {
            sy_record_unguard(actor, i);
        }
        if (sy_hot_kind(hot) == SYNC_KIND_MUTEX && sy_state_in_use(sy_load(&hot->state))) {
            sy_mutex_kind.recover(actor, i, false);
        }
    }
}

struct entries {
    const struct sy_actor *actor;
    uint32_t process, generation;
};
/* True ends the walk: what the dead held in this record cannot be returned yet. */
static bool recover_entry(struct sy_segment *segment, uint32_t process, uint32_t generation,
                          struct sy_open *entry, void *argument)
{
    struct entries *entries = argument;
    (void)segment;
    return process == entries->process && generation == entries->generation &&
           !sy_recover_record(entries->actor, sy_get(&entry->record) - 1, false);
}

/* Is a process slot's tenant dead? Proved here, once; what was proved stands in the slot. */
static bool process_is_dead(struct sy_segment *segment, uint32_t index, uint32_t *ret_generation)
{
    struct sy_process *process = sy_process_at(segment, index);
    uint64_t tenancy = process ? sy_load(&process->tenancy) : 0;
    *ret_generation = sy_tenancy_generation(tenancy);
    return process && sy_tenancy_state(tenancy) != SY_SLOT_FREE &&
           sy_process_state(segment, index, *ret_generation) == SYNC_STATE_DEAD;
}

static bool principal_is_dead(struct sy_segment *segment, uint32_t index, uint32_t *ret_id)
{
    struct sy_principal *principal = sy_principal_at(segment, index);
    uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
    *ret_id = sy_owner_id(index, sy_tenancy_generation(tenancy));
    return principal && sy_tenancy_state(tenancy) != SY_SLOT_FREE &&
           sy_owner_dead(segment, *ret_id, false);
}

static void note_death(const struct sy_actor *actor, uint32_t process, uint32_t principal)
{
    struct sy_process *slot = sy_process_at(actor->segment, process);
    if (slot) {
        sy_ring_add(actor->segment, &(struct sy_ring_event){.type = SY_EVENT_DIED,
                                                            .record = SY_NONE,
                                                            .principal = principal,
                                                            .pid = sy_get(&slot->pid),
                                                            .text = slot->label});
    }
}

/* Of the tenant that was found dead, never of the next one. */
static void free_principal(const struct sy_actor *actor, uint32_t id)
{
    struct sy_segment *segment = actor->segment;
    uint32_t index = sy_owner_index(id);
    if (sy_principal_id(segment, index) != id || !sy_owner_dead(segment, id, false)) {
        return;
    }
    if (index < segment->threads) {
        struct sy_executor *executor = sy_executor_at(segment, index);
        if (executor) {
            replay_executor(actor, executor);
            clear_executor(executor);
        }
    }
    sy_principal_leave(segment, id, SY_SLOT_FREE);
}

static void replay_handlers(const struct sy_actor *actor, struct sy_process *process)
{
    for (uint32_t i = 0; i < SY_HANDLER_CELLS; i++) {
        replay(actor, sy_load(&process->handlers[i].owed.record),
               sy_get(&process->handlers[i].owed.generation));
        sy_put(&process->handlers[i].owed.record, 0);
        sy_store(&process->handlers[i].claimed, 0);
    }
}

/* Who is dead, before anything is done for them: one who dies meanwhile is the next pass'. */
struct dead {
    uint32_t processes, principals; /* slots looked at */
    uint32_t *process, *principal;  /* generation or owner id of the dead in each, 0: not dead */
    bool any;
};

static bool find_dead(struct sy_segment *segment, struct dead *dead)
{
    uint32_t generation, id;
    dead->processes = sy_committed(segment, SY_PROCESSES);
    dead->principals = sy_committed(segment, SY_PRINCIPALS);
    dead->process = calloc(dead->processes + 1, sizeof(uint32_t));
    dead->principal = calloc(dead->principals + 1, sizeof(uint32_t));
    dead->any = false;
    if (!dead->process || !dead->principal) {
        return false;
    }
    for (uint32_t i = 0; i < dead->processes; i++) {
        if (process_is_dead(segment, i, &generation)) {
            dead->process[i] = generation;
            dead->any = true;
        }
    }
    for (uint32_t i = 0; i < dead->principals; i++) {
        if (principal_is_dead(segment, i, &id)) {
            dead->principal[i] = id;
            dead->any = true;
        }
    }
    return dead->any;
}

/* A slot is let again only when all its tenant held has been returned; else the next pass tries. */
static bool free_process(const struct sy_actor *actor, uint32_t index, uint32_t generation)
{
    struct sy_segment *segment = actor->segment;
    struct entries entries = {actor, index, generation};
    struct sy_process *process = sy_process_at(segment, index);
    if (sy_opens_visit(segment, SY_NONE, 0, recover_entry, &entries)) {
        return false;
    }
    replay_handlers(actor, process);
    note_death(actor, index, 0);
    sy_opens_release(segment, index, generation);
    uint64_t tenancy = sy_load(&process->tenancy);
    return sy_tenancy_generation(tenancy) == generation &&
           sy_cas64(&process->tenancy, &tenancy, sy_tenancy(generation, index, SY_SLOT_FREE));
}

/* In this order: prove who is dead (marked in the slots), free what they own (one scan for all of
 * them), replay what they owed, and only then let their slots. */
int sy_reap(const struct sy_actor *actor)
{
    struct sy_segment *segment = actor->segment;
    struct dead dead;
    int freed = 0;
    /* A reaper killed before us has no slot to be found by: what it left shows in the records. */
    bool first = !segment->reaped;
    segment->reaped = true;
    bool any = find_dead(segment, &dead);
    if (any || first) {
        recover_owned(actor);
    }
    if (any) {
        for (uint32_t i = 0; i < dead.principals; i++) {
            if (dead.principal[i]) {
                struct sy_principal *principal = sy_principal_at(segment, i);
                note_death(actor, sy_tenancy_process(sy_load(&principal->tenancy)),
                           dead.principal[i]);
                free_principal(actor, dead.principal[i]);
                freed++;
            }
        }
        for (uint32_t i = 0; i < dead.processes; i++) {
            freed += dead.process[i] && free_process(actor, i, dead.process[i]);
        }
    }
    free(dead.process);
    free(dead.principal);
    return freed;
}

void sy_reap_one(const struct sy_actor *actor, uint32_t principal)
{
    recover_owned(actor);
    free_principal(actor, principal);
}
