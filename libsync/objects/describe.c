/* SPDX-License-Identifier: MIT */
/* What is to be seen of objects and of those who hold them, without a lock. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "objects/kind.h"

/* ---- who it is ---- */

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

/* No call of the library is a cancellation point, and some of the kernel's below are. */
void sy_complete_principal(struct sy_segment *segment, sync_principal *principal)
{
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (principal->pid) {
        sy_user_name(principal->uid, principal->user, sizeof(principal->user));
        gethostname(principal->host, sizeof(principal->host) - 1);
    }
    if (principal->principal && principal->state != SYNC_STATE_DEAD) {
        principal->state = state_of(segment, principal->principal);
    }
    pthread_setcancelstate(state, &state);
}

void sy_describe_principal(struct sy_segment *segment, uint32_t owner,
                           sync_principal *ret_principal)
{
    sy_identify_principal(segment, owner, ret_principal);
    sy_complete_principal(segment, ret_principal);
}

/* ---- who has it open, and who waits ---- */

struct tally {
    uint32_t generation, opens, waiters;
    int64_t longest_wait;
};
struct census { /* of one record, or of all in one walk */
    uint32_t first, count;
    struct tally *tally;
};

static struct tally *tally_of(struct census *census, uint32_t record, uint32_t generation)
{
    struct tally *tally = record - census->first < census->count
                              ? &census->tally[record - census->first]
                              : NULL;
    return tally && tally->generation == generation ? tally : NULL;
}

static bool count_open(struct sy_segment *segment, uint32_t process, uint32_t generation,
                       struct sy_open *entry, void *argument)
{
    struct tally *tally = tally_of(argument, sy_get(&entry->record) - 1,
                                   sy_get(&entry->generation));
    if (tally && sy_get(&entry->opens) && !sy_process_dead(segment, process, generation, false)) {
        tally->opens++;
    }
    return false;
}

static void count_waiters(struct sy_segment *segment, struct census *census)
{
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    int64_t now = sy_now();
    for (uint32_t i = 0; i < count; i++) {
        struct sy_executor *executor = sy_executor_at(segment, i);
        uint32_t waits = executor ? sy_load(&executor->waiting.count) : 0;
        if (!waits || !sy_principal_at(segment, i) ||
            sy_owner_dead(segment, sy_principal_id(segment, i), false)) {
            continue;
        }
        int64_t waited = now - (int64_t)sy_get(&executor->waiting.ticket);
        for (uint32_t j = 0; j < waits && j < SY_WAIT_MAX; j++) {
            struct tally *tally = tally_of(census, sy_get(&executor->waiting.records[j]) - 1,
                                           sy_get(&executor->waiting.generations[j]));
            if (tally) {
                tally->waiters++;
                tally->longest_wait = waited > tally->longest_wait ? waited : tally->longest_wait;
            }
        }
    }
}

/* ---- what it is ---- */

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

static void complete(struct sy_segment *segment, const struct tally *tally, sync_info *info)
{
    info->opens = tally->opens;
    info->waiters = tally->waiters;
    info->longest_wait = tally->longest_wait;
    sy_complete_principal(segment, &info->holder);
}

bool sy_describe(struct sy_segment *segment, uint32_t record, sync_info *ret_info)
{
    if (!sy_describe_briefly(segment, record, ret_info)) {
        return false;
    }
    struct tally tally = {.generation = ret_info->generation};
    struct census census = {record, 1, &tally};
    sy_opens_visit(segment, record, ret_info->generation, count_open, &census);
    count_waiters(segment, &census);
    complete(segment, &tally, ret_info);
    return true;
}

int sy_describe_all(struct sy_segment *segment, const char *prefix, sync_list_function function,
                    void *argument)
{
    uint32_t count = sy_committed(segment, SY_HOTS);
    struct census census = {0, count, calloc(count + 1, sizeof(struct tally))};
    size_t length = prefix ? strlen(prefix) : 0;
    int rc = 0;
    if (!census.tally) {
        return sy_fail(SYNC_ENOMEM, "out of memory for a list of %u objects", count);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        census.tally[i].generation = hot ? sy_hot_generation(hot) : 0;
    }
    sy_opens_visit(segment, SY_NONE, 0, count_open, &census);
    count_waiters(segment, &census);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        sync_info info;
        if (sy_describe_briefly(segment, i, &info) &&
            info.generation == census.tally[i].generation &&
            strncmp(info.name, prefix ? prefix : "", length) == 0 &&
            !(info.kind == SYNC_KIND_MUTEX && info.broken)) {
            complete(segment, &census.tally[i], &info);
            rc = function(&info, argument);
        }
    }
    free(census.tally);
    return rc;
}
