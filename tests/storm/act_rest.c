/* SPDX-License-Identifier: MIT */
/* Semaphores, events and barriers. */
#include "worker.h"

static int take(struct actor *actor, uint32_t index, uint32_t count, int64_t timeout)
{
    struct record *record = record_before(&actor->writer, CALL_TAKE, index, timeout, count);
    int rc = sync_semaphore_acquire_many(actor->handles[index], count, timeout);
    record_after(record, rc);
    worker_odd(actor, CALL_TAKE, index, rc);
    return rc;
}

static void give(struct actor *actor, uint32_t index, uint32_t count)
{
    struct record *record = record_before(&actor->writer, CALL_GIVE, index, 0, count);
    int rc = sync_semaphore_release(actor->handles[index], count);
    record_after(record, rc);
    worker_odd(actor, CALL_GIVE, index, rc);
}

static void event(struct actor *actor, const struct step *step)
{
    uint32_t index = step->objects[0];
    sync_event *handle = actor->handles[index];
    enum call call = step->kind == STEP_SET     ? CALL_SET
                     : step->kind == STEP_CLEAR ? CALL_CLEAR
                                                : CALL_WAIT;
    struct record *record = record_before(&actor->writer, call, index,
                                          call == CALL_WAIT ? step->timeout : 0, 0);
    int rc = call == CALL_SET     ? sync_event_set(handle)
             : call == CALL_CLEAR ? sync_event_clear(handle)
                                  : sync_event_wait(handle, step->timeout);
    record_after(record, rc);
    worker_odd(actor, call, index, rc);
}

static int change(struct actor *actor, enum call call, uint32_t index)
{
    struct record *record = record_before(&actor->writer, call, index, 0, 0);
    int rc = call == CALL_ABORT ? sync_barrier_abort(actor->handles[index])
                                : sync_barrier_reset(actor->handles[index]);
    record_after(record, rc);
    worker_odd(actor, call, index, rc);
    return rc;
}

static void meet(struct actor *actor, const struct step *step)
{
    uint32_t index = step->objects[0];
    sync_barrier *handle = actor->handles[index];
    struct record *record = record_before(&actor->writer, CALL_MEET, index, step->timeout, 0);
    int rc = sync_barrier_wait(handle, step->timeout);
    if (rc == SYNC_EBROKEN) {
        sync_error error;
        sync_last_error_info(&error);
        record->count = (uint32_t)error.cause;
    }
    record_after(record, rc);
    worker_odd(actor, CALL_MEET, index, rc);
    if (sync_barrier_is_broken(handle)) {
        change(actor, CALL_RESET, index);
    }
}

void act_rest(struct actor *actor, const struct step *step)
{
    uint32_t index = step->objects[0];
    if (!worker_open(actor, index)) {
        return;
    }
    switch (step->kind) {
    case STEP_PERMITS:
        if (take(actor, index, step->count, step->timeout) == 0) {
            worker_pause(step->hold);
            give(actor, index, step->count);
        }
        break;
    case STEP_FLOW:
        if (step->count) {
            take(actor, index, 1, step->timeout);
        } else {
            give(actor, index, 1);
        }
        break;
    case STEP_MEET:
        meet(actor, step);
        break;
    case STEP_ABORT:
        change(actor, CALL_ABORT, index);
        break;
    default:
        event(actor, step);
        break;
    }
}
