/* SPDX-License-Identifier: MIT */
#include "shm/slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

static void fill_process(struct sy_segment *segment, struct sy_process *process, const char *label)
{
    struct sy_process_facts facts;
    sy_self_facts(&facts);
    memset((char *)process + sizeof(process->tenancy), 0,
           sizeof(*process) - sizeof(process->tenancy));
    sy_put(&process->pid, (uint32_t)facts.pid);
    sy_put(&process->uid, (uint32_t)geteuid());
    sy_put(&process->pid_namespace, facts.pid_namespace);
    sy_put(&process->start_time, facts.start_time);
    sy_put(&process->pidfs_inode, facts.pidfs_inode);
    sy_put(&process->attached_at, (uint64_t)sy_now());
    sy_put(&process->hello_epoch, UINT32_MAX); /* of no manager */
    sy_put(&process->witnesses, SY_WITNESS_BYTE | (facts.start_time ? SY_WITNESS_START_TIME : 0) |
                                    (facts.pidfs_inode ? SY_WITNESS_PIDFS : 0));
    sy_text_copy(process->label, sizeof(process->label), label, strlen(label));
    segment->pid_namespace = facts.pid_namespace;
}

/* The byte first: it is held from before the slot says CLAIMED, so a claimed slot whose byte is
 * free has a dead claimer. */
static bool process_try(struct sy_segment *segment, uint32_t index, const char *label)
{
    struct sy_process *process = sy_process_at(segment, index);
    uint64_t tenancy = process ? sy_load(&process->tenancy) : 0;
    if (!process || sy_tenancy_state(tenancy) != SY_SLOT_FREE ||
        sy_byte_lock(segment->fd, SY_BYTE_PROCESS(index)) < 0) {
        return false;
    }
    uint32_t generation = sy_tenancy_generation(tenancy) + 1;
    if (!sy_cas64(&process->tenancy, &tenancy, sy_tenancy(generation, index, SY_SLOT_CLAIMED))) {
        sy_byte_unlock(segment->fd, SY_BYTE_PROCESS(index));
        return false;
    }
    fill_process(segment, process, label);
    sy_store_sc(&process->tenancy, sy_tenancy(generation, index, SY_SLOT_LIVE));
    segment->process = index;
    return true;
}

int sy_process_claim(struct sy_segment *segment, const char *label)
{
    if (sy_segment_fd(segment) < 0) {
        return sy_fail(SYNC_EORPHANED,
                       "/dev/shm%s: its name is gone, and so is our descriptor of it",
                       segment->shm_name);
    }
    for (;;) {
        uint32_t count = sy_committed(segment, SY_PROCESSES);
        uint32_t first = atomic_fetch_add(&segment->header->next_process, 1);
        for (uint32_t i = 0; i < count; i++) {
            if (process_try(segment, (first + i) % count, label)) {
                return 0;
            }
        }
        int rc = sy_segment_grow(segment, SY_PROCESSES, count);
        if (rc) {
            return rc;
        }
    }
}

void sy_process_release(struct sy_segment *segment)
{
    uint32_t index = segment->process;
    struct sy_process *process = index == SY_NONE ? NULL : sy_process_at(segment, index);
    if (process) {
        uint64_t tenancy = sy_load(&process->tenancy);
        segment->process = SY_NONE;
        sy_cas64(&process->tenancy, &tenancy,
                 sy_tenancy(sy_tenancy_generation(tenancy), index, SY_SLOT_FREE));
        int fd = sy_segment_fd(segment);
        if (fd >= 0) {
            sy_byte_unlock(fd, SY_BYTE_PROCESS(index));
        }
    }
}

void sy_process_keep_byte(struct sy_segment *segment)
{
    int fd = segment->process == SY_NONE ? -1 : sy_segment_fd(segment);
    if (fd >= 0) {
        sy_byte_lock(fd, SY_BYTE_PROCESS(segment->process));
    }
}

/* Who has most principals, for the text of ENOSLOT. */
static int refuse_slot(struct sy_segment *segment, int rc)
{
    uint32_t count = sy_committed(segment, SY_PRINCIPALS), most = 0, who = 0;
    uint32_t processes = sy_committed(segment, SY_PROCESSES);
    uint32_t *uses = calloc(processes ? processes : 1, sizeof(*uses));
    for (uint32_t i = 0; uses && i < count; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i);
        uint64_t tenancy = principal ? sy_get(&principal->tenancy) : 0;
        uint32_t process = sy_tenancy_process(tenancy);
        if (sy_tenancy_state(tenancy) != SY_SLOT_FREE && process < processes &&
            ++uses[process] > most) {
            most = uses[process];
            who = process;
        }
    }
    free(uses);
    struct sy_process *process = sy_process_at(segment, who);
    if (rc == SYNC_ENOSLOT && process && most) {
        char text[600], label[SY_LABEL];
        snprintf(text, sizeof(text), "%s", sync_last_error());
        sy_text_copy(label, sizeof(label), process->label, sizeof(process->label));
        return sy_fail(rc, "%s; most, %u, are used by %s[%u]", text, most, label,
                       sy_get(&process->pid));
    }
    return rc;
}

int sy_principal_claim(struct sy_segment *segment, bool thread, uint32_t kind, uint32_t *ret_index)
{
    struct sy_header *header = segment->header;
    sy_word *hint = thread ? &header->next_thread : &header->next_principal;
    uint32_t threads = segment->threads, process = segment->process;
    struct sy_process *self = sy_process_at(segment, process);
    for (;;) {
        /* Threads below, others above; both grow inside the one table of principals. */
        uint32_t committed = sy_committed(segment, SY_PRINCIPALS);
        uint32_t base = thread ? 0 : threads;
        uint32_t count = thread                ? sy_committed(segment, SY_EXECUTORS)
                         : committed > threads ? committed - threads
                                               : 0;
        if (thread && count > committed) {
            count = committed;
        }
        uint32_t first = count ? atomic_fetch_add(hint, 1) % count : 0;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t index = base + (first + i) % count;
            struct sy_principal *principal = sy_principal_at(segment, index);
            uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
            if (!principal || sy_tenancy_state(tenancy) != SY_SLOT_FREE) {
                continue;
            }
            uint32_t generation = sy_tenancy_generation(tenancy) + 1;
            if (!sy_cas64(&principal->tenancy, &tenancy,
                          sy_tenancy(generation, process, SY_SLOT_CLAIMED))) {
                continue;
            }
            memset((char *)principal + sizeof(principal->tenancy), 0,
                   sizeof(*principal) - sizeof(principal->tenancy));
            sy_put(&principal->kind, kind);
            sy_put(&principal->process_generation, sy_tenancy_generation(sy_load(&self->tenancy)));
            sy_put(&principal->tid, (uint32_t)sy_gettid());
            sy_put(&principal->since, (uint64_t)sy_now());
            sy_thread_name(principal->thread, sizeof(principal->thread));
            struct sy_executor *executor = thread ? sy_executor_at(segment, index) : NULL;
            if (executor) {
                sy_put(&executor->has_life, 0); /* the last tenant's has fired */
            }
            sy_store_sc(&principal->tenancy, sy_tenancy(generation, process, SY_SLOT_LIVE));
            *ret_index = index;
            return 0;
        }
        /* A thread needs both; at their capacity the executors say so. */
        bool executors = thread && (count < committed || count >= threads);
        int rc = executors ? sy_segment_grow(segment, SY_EXECUTORS, count)
                           : sy_segment_grow(segment, SY_PRINCIPALS, committed);
        if (rc) {
            return refuse_slot(segment, rc);
        }
    }
}

void sy_principal_leave(struct sy_segment *segment, uint32_t id, uint32_t state)
{
    uint32_t index = sy_owner_index(id);
    struct sy_principal *principal = sy_principal_at(segment, index);
    uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
    if (!principal || sy_owner_id(index, sy_tenancy_generation(tenancy)) != id) {
        return; /* somebody else's by now */
    }
    sy_cas64(&principal->tenancy, &tenancy,
             sy_tenancy(sy_tenancy_generation(tenancy), sy_tenancy_process(tenancy), state));
}

struct sy_executor *sy_next_waiter(struct sy_segment *segment, uint32_t record, uint32_t generation,
                                   uint32_t *at, uint32_t *ret_id)
{
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    while (*at < count) {
        uint32_t index = (*at)++;
        struct sy_executor *executor = sy_executor_at(segment, index);
        if (executor && sy_principal_at(segment, index) &&
            sy_waits_for(executor, record, generation)) {
            *ret_id = sy_principal_id(segment, index);
            if (!sy_owner_dead(segment, *ret_id, false)) {
                return executor;
            }
        }
    }
    return NULL;
}
