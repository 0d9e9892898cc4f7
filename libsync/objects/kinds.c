/* SPDX-License-Identifier: MIT */
/* The table of kinds, and what is done alike for all of them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
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

void sy_identify_principal(struct sy_segment *segment, uint32_t owner,
                           sync_principal *ret_principal)
{
    memset(ret_principal, 0, sizeof(*ret_principal));
    uint32_t index = sy_owner_index(owner);
    struct sy_principal *principal = index == SY_NONE ? NULL : sy_principal_at(segment, index);
    uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
    if (!principal) {
        return;
    }
    ret_principal->principal = owner & SY_OWNER;
    if (sy_owner_id(index, sy_tenancy_generation(tenancy)) != (owner & SY_OWNER)) {
        ret_principal->state = SYNC_STATE_DEAD;
        return; /* the slot has been let again: who it was is in the event ring, if anywhere */
    }
    ret_principal->kind = (int32_t)sy_get(&principal->kind);
    ret_principal->tid = (int32_t)sy_get(&principal->tid);
    sy_text_copy(ret_principal->note, sizeof(ret_principal->note), principal->note,
                 sizeof(principal->note));
    sy_text_copy(ret_principal->thread, sizeof(ret_principal->thread), principal->thread,
                 sizeof(principal->thread));
    struct sy_process *process = sy_process_at(segment, sy_tenancy_process(tenancy));
    if (process && sy_tenancy_generation(sy_load(&process->tenancy)) ==
                       sy_get(&principal->process_generation)) {
        ret_principal->pid = (int32_t)sy_get(&process->pid);
        ret_principal->uid = sy_get(&process->uid);
        sy_text_copy(ret_principal->label, sizeof(ret_principal->label), process->label,
                     sizeof(process->label));
    }
}

/* How its process does, by asking the kernel. */
static int state_of(struct sy_segment *segment, uint32_t owner)
{
    struct sy_principal *principal = sy_principal_at(segment, sy_owner_index(owner));
    uint32_t index = sy_tenancy_process(sy_load(&principal->tenancy));
    struct sy_process *process = sy_process_at(segment, index);
    if (!process || sy_owner_dead(segment, owner, false)) {
        return SYNC_STATE_DEAD;
    }
    int state = sy_process_state(segment, index, sy_get(&principal->process_generation));
    if (state != SYNC_STATE_ALIVE || sy_get(&process->pid_namespace) != segment->pid_namespace) {
        return state;
    }
    char letter = sy_pid_state((int32_t)sy_get(&process->pid));
    return letter == 'T' || letter == 't' ? SYNC_STATE_STOPPED
           : letter == 'C'                ? SYNC_STATE_DUMPING
                                          : SYNC_STATE_ALIVE;
}

void sy_complete_principal(struct sy_segment *segment, sync_principal *principal)
{
    if (principal->pid) {
        sy_user_name(principal->uid, principal->user, sizeof(principal->user));
        gethostname(principal->host, sizeof(principal->host) - 1);
    }
    if (principal->principal && principal->state != SYNC_STATE_DEAD) {
        principal->state = state_of(segment, principal->principal);
    }
}

void sy_describe_principal(struct sy_segment *segment, uint32_t owner,
                           sync_principal *ret_principal)
{
    sy_identify_principal(segment, owner, ret_principal);
    sy_complete_principal(segment, ret_principal);
}

struct users {
    uint32_t last, count;
};
static bool count_user(struct sy_segment *segment, uint32_t process, uint32_t generation,
                       struct sy_open *entry, void *argument)
{
    struct users *users = argument;
    struct sy_process *slot = sy_process_at(segment, process);
    if (sy_get(&entry->opens) && slot &&
        sy_tenancy_generation(sy_load(&slot->tenancy)) == generation &&
        sy_tenancy_state(sy_load(&slot->tenancy)) == SY_SLOT_LIVE) {
        users->count++;
    }
    return false;
}

static void describe_waiters(struct sy_segment *segment, uint32_t record, sync_info *ret_info)
{
    uint32_t at = 0, id;
    int64_t now = sy_now();
    struct sy_executor *executor;
    while ((executor = sy_next_waiter(segment, record, ret_info->generation, &at, &id))) {
        int64_t waited = now - (int64_t)sy_get(&executor->waiting.ticket);
        ret_info->waiters++;
        if (waited > ret_info->longest_wait) {
            ret_info->longest_wait = waited;
        }
    }
}

bool sy_describe_briefly(struct sy_segment *segment, uint32_t record, sync_info *ret_info)
{
    struct sy_hot *hot = sy_hot_at(segment, record);
    struct sy_cold *cold = sy_cold_at(segment, record);
    memset(ret_info, 0, sizeof(*ret_info));
    uint32_t state = hot ? sy_load_sc(&hot->state) : 0;
    const struct sy_kind *kind = hot ? sy_kind_of(sy_hot_kind(hot)) : NULL;
    if (!kind || !cold || !sy_state_in_use(state)) {
        return false;
    }
    sy_text_copy(ret_info->name, sizeof(ret_info->name), cold->name, SYNC_NAME_MAX);
    ret_info->kind = (int32_t)kind->number;
    ret_info->id = record;
    ret_info->generation = sy_state_generation(state);
    ret_info->created_at = (int64_t)sy_get(&cold->created_at);
    ret_info->timeout = (int64_t)sy_get(&cold->timeout);
    ret_info->max_hold = (int64_t)sy_get(&cold->max_hold);
    ret_info->flags = sy_hot_flags(hot);
    ret_info->contended = sy_get(&cold->contended);
    ret_info->timeouts = sy_get(&cold->timeouts);
    ret_info->deaths = sy_get(&cold->deaths);
    kind->describe(segment, record, ret_info);
    return sy_state_generation(sy_load_sc(&hot->state)) == sy_state_generation(state);
}

bool sy_describe(struct sy_segment *segment, uint32_t record, sync_info *ret_info)
{
    if (!sy_describe_briefly(segment, record, ret_info)) {
        return false;
    }
    struct users users = {0, 0};
    sy_opens_visit(segment, record, ret_info->generation, count_user, &users);
    ret_info->opens = users.count;
    describe_waiters(segment, record, ret_info);
    sy_complete_principal(segment, &ret_info->holder);
    return true;
}
