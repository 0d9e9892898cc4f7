/* SPDX-License-Identifier: MIT */
#include <sync/manager.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/text.h"
#include "transport/address.h"

int sy_check_reserved(const uint64_t *reserved, const char *what)
{
    for (int i = 0; i < 8; i++) {
        if (reserved[i]) {
            return sy_fail(SYNC_EINVAL,
                           "%s: reserved[%d] is %" PRIu64 ", must be 0: zero the options struct "
                           "before filling it",
                           what, i, reserved[i]);
        }
    }
    return 0;
}

int sy_check_manager(const struct sync_manager *manager, const char *call)
{
    return manager && manager->magic == SY_MANAGER_MAGIC
               ? 0
               : sy_fail(SYNC_EHANDLE, "%s: not an open manager", call);
}

int sy_connect(const char *address, const sync_manager_options *options, bool separate,
               sync_manager **ret_manager)
{
    enum sy_scheme scheme;
    char name[64];
    size_t length;
    if (!ret_manager) {
        return sy_fail(SYNC_EINVAL, "sync_manager_connect: ret_manager is NULL");
    }
    int rc = options ? sy_check_reserved(options->reserved, "sync_manager_options") : 0;
    if (!rc && options && sy_timeout_bad(options->timeout)) {
        rc = sy_refuse_timeout(options->timeout);
    }
    if (!rc && options && options->label) {
        const char *rule = sy_text_check(options->label, SY_LABEL - 1, &length);
        if (rule) {
            rc = sy_fail(SYNC_EINVAL, "label \"%.40s\" %s: 1-%d bytes of UTF-8", options->label,
                         rule, SY_LABEL - 1);
        }
    }
    if (!rc && options && options->key_file) {
        rc = sy_fail(SYNC_EINVAL, "key_file \"%.80s\": only remote managers take a key",
                     options->key_file);
    }
    if (!rc) {
        rc = sy_address(address, &scheme, name, sizeof(name));
    }
    if (rc) {
        return rc;
    }
    struct sync_manager *manager = calloc(1, sizeof(*manager));
    if (!manager) {
        return sy_fail(SYNC_ENOMEM, "out of memory for a manager");
    }
    rc = sy_attach(name, options, separate, &manager->attachment);
    if (rc) {
        free(manager);
        return rc;
    }
    manager->magic = SY_MANAGER_MAGIC;
    manager->timeout = options && options->timeout > 0 ? options->timeout : 0;
    manager->interruptible = options && options->interruptible;
    *ret_manager = manager;
    return 0;
}

int sync_manager_connect(const char *address, const sync_manager_options *options,
                         sync_manager **ret_manager)
{
    return sy_connect(address, options, false, ret_manager);
}

void sync_manager_close(sync_manager *manager)
{
    if (!manager || manager->magic != SY_MANAGER_MAGIC) {
        return;
    }
    sy_handles_drop(manager);
    manager->magic = 0;
    sy_detach(manager->attachment);
    free(manager);
}

static uint32_t live_slots(struct sy_segment *segment, bool processes)
{
    uint32_t count = sy_committed(segment, processes ? SY_PROCESSES : SY_EXECUTORS), live = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sy_process *process = processes ? sy_process_at(segment, i) : NULL;
        struct sy_principal *thread = processes ? NULL : sy_principal_at(segment, i);
        uint64_t tenancy = process  ? sy_get(&process->tenancy)
                           : thread ? sy_get(&thread->tenancy)
                                    : 0;
        live += sy_tenancy_state(tenancy) == SY_SLOT_LIVE;
    }
    return live;
}

static uint32_t live_names(struct sy_segment *segment)
{
    uint32_t count = sy_committed(segment, SY_HOTS), live = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        live += hot && sy_state_of(sy_get(&hot->state)) == SY_RECORD_LIVE;
    }
    return live;
}

int sync_manager_info(sync_manager *manager, sync_manager_state *ret_state)
{
    int rc = sy_check_manager(manager, "sync_manager_info");
    if (rc) {
        return rc;
    }
    if (!ret_state) {
        return sy_fail(SYNC_EINVAL, "sync_manager_info: ret_state is NULL");
    }
    struct sy_attachment *a = manager->attachment;
    struct sy_segment *segment = a->segment;
    struct sy_header *header = segment->header;
    memset(ret_state, 0, sizeof(*ret_state));
    snprintf(ret_state->address, sizeof(ret_state->address), "shm:%s", a->name);
    snprintf(ret_state->path, sizeof(ret_state->path), "/dev/shm%s", segment->shm_name);
    uint32_t pid = sy_get(&header->manager_pid);
    ret_state->manager_pid = (int32_t)pid;
    ret_state->state = !pid                                   ? SYNC_MANAGER_ABSENT
                       : !sy_manager_stale(segment, sy_now()) ? SYNC_MANAGER_RUNNING
                       : sy_pid_exists((int32_t)pid)          ? SYNC_MANAGER_STALE
                                                              : SYNC_MANAGER_ABSENT;
    ret_state->epoch = sy_get(&header->epoch);
    ret_state->layout = header->layout;
    ret_state->orphaned = sy_segment_check_orphan(segment);
    ret_state->private_to_user = a->private_to_user;
    ret_state->heartbeat = (int64_t)sy_get(&header->heartbeat);
    ret_state->default_timeout = (int64_t)sy_get(&header->default_timeout);
    ret_state->processes = live_slots(segment, true);
    ret_state->processes_max = header->regions[SY_PROCESSES].capacity;
    ret_state->threads = live_slots(segment, false);
    ret_state->threads_max = header->threads;
    ret_state->names = live_names(segment);
    ret_state->names_max = header->regions[SY_HOTS].capacity;
    return 0;
}

int sync_note(sync_manager *manager, const char *why)
{
    size_t length = 0;
    int rc = sy_check_manager(manager, "sync_note");
    const char *rule = !rc && why && *why ? sy_text_check(why, SY_NOTE - 1, &length) : NULL;
    if (rule) {
        rc = sy_fail(SYNC_EINVAL, "note \"%.80s\" %s: at most %d bytes of UTF-8", why, rule,
                     SY_NOTE - 1);
    }
    if (!rc && (sy_self.attachment != manager->attachment || !sy_get(sy_alive))) {
        rc = sy_enlist(manager->attachment);
    }
    if (rc) {
        return rc;
    }
    struct sy_principal *principal = sy_principal_at(manager->attachment->segment,
                                                     sy_self.thread->index);
    char note[SY_NOTE] = "";
    memcpy(note, why ? why : "", length);
    memcpy(principal->note, note, sizeof(note)); /* readers bound what they copy */
    return 0;
}

int sync_interrupt(sync_manager *manager)
{
    int rc = sy_check_manager(manager, "sync_interrupt");
    if (rc) {
        return rc;
    }
    struct sy_attachment *a = manager->attachment;
    atomic_fetch_add(&a->interrupts, 1);
    uint32_t count = sy_committed(a->segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *principal = sy_principal_at(a->segment, i);
        struct sy_executor *executor = sy_executor_at(a->segment, i);
        uint64_t tenancy = principal ? sy_load(&principal->tenancy) : 0;
        if (executor && sy_tenancy_state(tenancy) == SY_SLOT_LIVE &&
            sy_tenancy_process(tenancy) == a->segment->process) {
            sy_rouse(a->segment, executor);
        }
    }
    return 0;
}
