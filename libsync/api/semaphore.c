/* SPDX-License-Identifier: MIT */
#include <sync/semaphore.h>

#include <stdio.h>
#include <string.h>

#include "api/api.h"

struct sync_semaphore {
    struct sync_object object;
};

static const char *differs(const struct sy_open_request *request, struct sy_hot *hot,
                           struct sy_cold *cold, char *text, size_t size)
{
    uint32_t maximum = sy_get(&hot->u.semaphore.maximum);
    (void)cold;
    if (maximum != request->number[0]) {
        snprintf(text, size, "maximum is %u, asked for %u", maximum, request->number[0]);
        return text;
    }
    if (sy_hot_flags(hot) != request->flags) {
        snprintf(text, size, "untracked is %d, asked for %d",
                 (sy_hot_flags(hot) & SYNC_FLAG_UNTRACKED) != 0,
                 (request->flags & SYNC_FLAG_UNTRACKED) != 0);
        return text;
    }
    return NULL;
}

static void fill(struct sy_hot *hot, struct sy_cold *cold, void *argument)
{
    const struct sy_open_request *request = argument;
    sy_put(&hot->u.semaphore.maximum, request->number[0]);
    sy_put(&hot->u.semaphore.total, request->number[1]);
    sy_put(&hot->word, request->number[1]);
    sy_put(&cold->number[0], request->number[0]);
    sy_put(&cold->number[1], request->number[1]);
    sy_put(&cold->timeout, request->timeout > 0 ? (uint64_t)request->timeout : 0);
}

int sync_semaphore_open(sync_manager *manager, const char *name,
                        const sync_semaphore_options *options, sync_semaphore **ret_semaphore)
{
    static const sync_semaphore_options none;
    const sync_semaphore_options *o = options ? options : &none;
    int rc = sy_check_manager(manager, "sync_semaphore_open");
    if (!rc && !ret_semaphore) {
        rc = sy_fail(SYNC_EINVAL, "sync_semaphore_open: ret_semaphore is NULL");
    }
    if (!rc) {
        rc = sy_check_reserved(o->reserved, "sync_semaphore_options");
    }
    if (!rc && (o->initial > SYNC_SEMAPHORE_MAX || o->maximum > SYNC_SEMAPHORE_MAX)) {
        rc = sy_fail(SYNC_EINVAL, "semaphore: initial %u, maximum %u: at most %u", o->initial,
                     o->maximum, SYNC_SEMAPHORE_MAX);
    }
    if (!rc && o->maximum && o->initial > o->maximum) {
        rc = sy_fail(SYNC_EINVAL, "semaphore: initial %u is above maximum %u", o->initial,
                     o->maximum);
    }
    if (rc) {
        return rc;
    }
    struct sy_open_request request = {.kind = SYNC_KIND_SEMAPHORE,
                                      .flags = o->untracked ? SYNC_FLAG_UNTRACKED : 0,
                                      .open = o->open,
                                      .given = options != NULL,
                                      .needs_options = true,
                                      .timeout = o->timeout,
                                      .number = {o->maximum, o->initial},
                                      .differs = differs,
                                      .fill = fill};
    struct sync_object *object;
    rc = sy_open_handle(manager, name, &request, sizeof(struct sync_semaphore), &object);
    if (!rc) {
        *ret_semaphore = (sync_semaphore *)(void *)object;
    }
    return rc;
}

static int check_count(sync_semaphore *semaphore, uint32_t count, const char *call)
{
    uint32_t maximum = sy_get(&sy_load(&semaphore->object.hot)->u.semaphore.maximum);
    uint32_t limit = maximum ? maximum : SYNC_SEMAPHORE_MAX;
    return count && count <= limit
               ? 0
               : sy_fail(SYNC_EINVAL, "%s: count is %u, must be 1-%u", call, count, limit);
}

int sync_semaphore_acquire_many(sync_semaphore *semaphore, uint32_t count, sync_timeout timeout)
{
    SY_CHECK_HANDLE(semaphore, SYNC_KIND_SEMAPHORE, "sync_semaphore_acquire");
    struct sync_object *object = &semaphore->object;
    struct sy_call call;
    if (sy_timeout_bad(timeout)) {
        return sy_refuse_timeout(timeout);
    }
    int rc = check_count(semaphore, count, "sync_semaphore_acquire_many");
    if (!rc && sy_get(&object->attachment->segment->header->state) != SY_STATE_RUNNING) {
        rc = sy_refuse_orphan(object->attachment);
    }
    if (!rc) {
        rc = sy_prepare(object, timeout, &call);
    }
    if (rc) {
        return rc;
    }
    call.count = count;
    rc = sy_wait_for(object->attachment, &sy_semaphore_kind, &call, object->interruptible);
    if (rc >= 0) {
        SY_HAPPENS_AFTER(call.hot);
    }
    sy_done(&call.actor);
    return rc;
}

int sync_semaphore_acquire(sync_semaphore *semaphore, sync_timeout timeout)
{
    return sync_semaphore_acquire_many(semaphore, 1, timeout);
}

int sync_semaphore_release(sync_semaphore *semaphore, uint32_t count)
{
    SY_CHECK_HANDLE(semaphore, SYNC_KIND_SEMAPHORE, "sync_semaphore_release");
    struct sync_object *object = &semaphore->object;
    struct sy_call call;
    if (count == 0 || count > SYNC_SEMAPHORE_MAX) {
        return sy_fail(SYNC_EINVAL, "sync_semaphore_release: count is %u, must be 1-%u", count,
                       SYNC_SEMAPHORE_MAX);
    }
    int rc = sy_prepare(object, SYNC_DEFAULT, &call);
    if (rc) {
        return rc;
    }
    call.count = count;
    SY_HAPPENS_BEFORE(call.hot);
    rc = sy_wait_guard(object->attachment, &call, sy_semaphore_release_step, "released");
    if (rc == SYNC_EPERM) {
        rc = sy_fail(rc,
                     "%.200s: released %u, but this process holds only %u, and the maximum of %u "
                     "does not let it grow",
                     call.cold->name, count, sy_get(&call.entry->permits),
                     sy_get(&call.hot->u.semaphore.maximum));
    } else if (rc == SYNC_EOVERFLOW) {
        rc = sy_fail(rc, "%.200s: released %u: beyond the maximum of %u", call.cold->name, count,
                     sy_get(&call.hot->u.semaphore.maximum) ? sy_get(&call.hot->u.semaphore.maximum)
                                                            : SYNC_SEMAPHORE_MAX);
    }
    sy_done(&call.actor);
    return rc;
}

int sync_semaphore_value(sync_semaphore *semaphore, uint32_t *ret_value)
{
    SY_CHECK_HANDLE(semaphore, SYNC_KIND_SEMAPHORE, "sync_semaphore_value");
    if (!ret_value) {
        return sy_fail(SYNC_EINVAL, "sync_semaphore_value: ret_value is NULL");
    }
    sync_info info;
    memset(&info, 0, sizeof(info));
    sy_semaphore_kind.describe(semaphore->object.attachment->segment,
                               sy_load(&semaphore->object.opened)->record, &info);
    *ret_value = info.value;
    return 0;
}

void sync_semaphore_close(sync_semaphore *semaphore)
{
    if (sy_handle_good(sy_object(semaphore), SYNC_KIND_SEMAPHORE)) {
        sy_close_handle(&semaphore->object);
    }
}

sync_object *sync_semaphore_object(sync_semaphore *semaphore)
{
    return sy_object(semaphore);
}
