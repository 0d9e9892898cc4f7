/* SPDX-License-Identifier: MIT */
#include <sync/barrier.h>

#include <stdio.h>

#include "api/api.h"

struct sync_barrier {
    struct sync_object object;
};

static const char *differs(const struct sy_open_request *request, struct sy_hot *hot,
                           struct sy_cold *cold, char *text, size_t size)
{
    if (sy_get(&cold->number[0]) != request->number[0]) {
        snprintf(text, size, "parties is %u, asked for %u", sy_get(&cold->number[0]),
                 request->number[0]);
        return text;
    }
    if (sy_hot_flags(hot) != request->flags) {
        snprintf(text, size, "members is %d, asked for %d",
                 (sy_hot_flags(hot) & SYNC_FLAG_MEMBERS) != 0,
                 (request->flags & SYNC_FLAG_MEMBERS) != 0);
        return text;
    }
    return NULL;
}

static void fill(struct sy_hot *hot, struct sy_cold *cold, void *argument)
{
    const struct sy_open_request *request = argument;
    sy_put(&hot->u.barrier.state, SY_BARRIER_FIRST);
    sy_put(&cold->number[0], request->number[0]);
    sy_put(&cold->timeout, request->timeout > 0 ? (uint64_t)request->timeout : 0);
}

int sync_barrier_open(sync_manager *manager, const char *name, const sync_barrier_options *options,
                      sync_barrier **ret_barrier)
{
    static const sync_barrier_options none;
    const sync_barrier_options *o = options ? options : &none;
    int rc = sy_check_manager(manager, "sync_barrier_open");
    if (!rc && !ret_barrier) {
        rc = sy_fail(SYNC_EINVAL, "sync_barrier_open: ret_barrier is NULL");
    }
    if (!rc) {
        rc = sy_check_reserved(o->reserved, "sync_barrier_options");
    }
    if (!rc && o->unused) {
        rc = sy_fail(SYNC_EINVAL, "sync_barrier_options: unused is %d, must be 0", o->unused);
    }
    if (!rc && options && (o->parties == 0 || o->parties > SYNC_BARRIER_PARTIES_MAX)) {
        rc = sy_fail(SYNC_EINVAL, "barrier: parties is %u, must be 1-%u", o->parties,
                     SYNC_BARRIER_PARTIES_MAX);
    }
    if (rc) {
        return rc;
    }
    struct sy_open_request request = {.kind = SYNC_KIND_BARRIER,
                                      .flags = o->members ? SYNC_FLAG_MEMBERS : 0,
                                      .open = o->open,
                                      .given = options != NULL,
                                      .needs_options = true,
                                      .timeout = o->timeout,
                                      .number = {o->parties, 0},
                                      .differs = differs,
                                      .fill = fill};
    struct sync_object *object;
    rc = sy_open_handle(manager, name, &request, sizeof(struct sync_barrier), &object);
    if (!rc) {
        sync_info info;
        *ret_barrier = (sync_barrier *)(void *)object;
        /* What the members of an earlier run broke in leaving is not this run's. */
        if ((sy_hot_flags(object->hot) & SYNC_FLAG_MEMBERS) && sy_barrier_broken(object->hot) &&
            sync_object_info(object, &info) == 0 && info.opens == 1) {
            sync_barrier_reset(*ret_barrier);
        }
    }
    return rc;
}

static int begin(sync_barrier *barrier, sync_timeout timeout, struct sy_call *call)
{
    struct sync_object *object = &barrier->object;
    if (sy_timeout_bad(timeout)) {
        return sy_refuse_timeout(timeout);
    }
    if (sy_get(&object->attachment->segment->header->state) != SY_STATE_RUNNING) {
        return sy_refuse_orphan(object->attachment);
    }
    return sy_prepare(object, timeout, call);
}

int sync_barrier_wait_with(sync_barrier *barrier, int (*action)(void *), void *argument,
                           sync_timeout timeout)
{
    SY_CHECK_HANDLE(barrier, SYNC_KIND_BARRIER, "sync_barrier_wait");
    struct sy_call call;
    int rc = begin(barrier, timeout, &call);
    if (rc) {
        return rc;
    }
    call.action = action;
    call.argument = argument;
    SY_HAPPENS_BEFORE(call.hot);
    rc = sy_wait_for(barrier->object.attachment, &sy_barrier_kind, &call,
                     barrier->object.interruptible);
    SY_HAPPENS_AFTER(call.hot);
    sy_done(&call.actor);
    return rc;
}

int sync_barrier_wait(sync_barrier *barrier, sync_timeout timeout)
{
    return sync_barrier_wait_with(barrier, NULL, NULL, timeout);
}

int sync_barrier_arrive(sync_barrier *barrier)
{
    SY_CHECK_HANDLE(barrier, SYNC_KIND_BARRIER, "sync_barrier_arrive");
    struct sy_call call;
    int rc = begin(barrier, SYNC_DEFAULT, &call);
    if (rc) {
        return rc;
    }
    SY_HAPPENS_BEFORE(call.hot);
    rc = sy_wait_guard(barrier->object.attachment, &call, sy_barrier_arrive_step, "arrived");
    if (rc == SYNC_EBROKEN) {
        sy_report(&call, &sy_barrier_kind, rc, NULL);
    }
    sy_done(&call.actor);
    return rc;
}

static int change(sync_barrier *barrier, bool reset)
{
    struct sy_call call;
    int rc = sy_prepare(&barrier->object, 0, &call);
    if (rc) {
        return rc;
    }
    rc = reset ? sy_barrier_reset_step(&call.actor, call.record)
               : sy_barrier_break(&call.actor, call.record, 0, SYNC_CAUSE_ABORT, call.actor.id, 0);
    rc = rc > 0 ? 0 : rc;
    if (rc == SYNC_EBUSY) {
        sync_info info;
        sy_describe(call.segment, call.record, &info);
        rc = sy_fail(rc, "%s: %s[%d] runs the action of this round; try again when it is over",
                     info.name, info.holder.label, info.holder.pid);
    }
    sy_done(&call.actor);
    return rc;
}

int sync_barrier_abort(sync_barrier *barrier)
{
    SY_CHECK_HANDLE(barrier, SYNC_KIND_BARRIER, "sync_barrier_abort");
    return change(barrier, false);
}

int sync_barrier_reset(sync_barrier *barrier)
{
    SY_CHECK_HANDLE(barrier, SYNC_KIND_BARRIER, "sync_barrier_reset");
    return change(barrier, true);
}

int sync_barrier_waiting(sync_barrier *barrier)
{
    SY_CHECK_HANDLE(barrier, SYNC_KIND_BARRIER, "sync_barrier_waiting");
    return (int)sy_barrier_arrived(sy_load(&barrier->object.hot));
}

int sync_barrier_is_broken(sync_barrier *barrier)
{
    SY_CHECK_HANDLE(barrier, SYNC_KIND_BARRIER, "sync_barrier_is_broken");
    return sy_barrier_broken(sy_load(&barrier->object.hot));
}

void sync_barrier_close(sync_barrier *barrier)
{
    if (sy_handle_good(sy_object(barrier), SYNC_KIND_BARRIER)) {
        sy_close_handle(&barrier->object);
    }
}

sync_object *sync_barrier_object(sync_barrier *barrier)
{
    return sy_object(barrier);
}
