/* SPDX-License-Identifier: MIT */
#include "worker.h"

/* Done after a successful acquire and before `after` is written: the token belongs to the hold. */
static void note_hold(struct record *record, sync_mutex *mutex, int rc)
{
    uint64_t token = 0;
    sync_error died;
    if (rc >= 0 && sync_mutex_token(mutex, &token) == 0) {
        record->token = token;
    }
    if (rc == SYNC_OWNER_DIED && sync_previous_owner(mutex, &died) == 1) {
        record->extra = (uint64_t)died.holder.pid;
    }
}

static int acquire(struct actor *actor, uint32_t index, int64_t timeout, uint32_t *depth)
{
    sync_mutex *mutex = worker_open(actor, index);
    if (!mutex) {
        return SYNC_EHANDLE;
    }
    struct record *record = record_before(&actor->writer, CALL_ACQUIRE, index, timeout, 0);
    int rc = sync_mutex_acquire(mutex, timeout);
    note_hold(record, mutex, rc);
    record_after(record, rc);
    worker_odd(actor, CALL_ACQUIRE, index, rc);
    if (rc >= 0) {
        ++*depth;
    }
    /* A mutex that is not opened with POISON refuses, and so says that there is nothing to do. */
    if (rc == SYNC_OWNER_DIED && plan_object(index).poison) {
        record = record_before(&actor->writer, CALL_CONSISTENT, index, 0, 0);
        int made = sync_mutex_consistent(mutex);
        record_after(record, made);
        worker_odd(actor, CALL_CONSISTENT, index, made);
    }
    return rc;
}

static void release(struct actor *actor, uint32_t index, uint32_t *depth)
{
    for (; *depth; --*depth) {
        struct record *record = record_before(&actor->writer, CALL_RELEASE, index, 0, *depth);
        int rc = sync_mutex_release(actor->handles[index]);
        record_after(record, rc);
        worker_odd(actor, CALL_RELEASE, index, rc);
    }
}

static void check(struct actor *actor, uint32_t index)
{
    struct record *record = record_before(&actor->writer, CALL_CHECK, index, 0, 0);
    record_after(record, sync_mutex_check(actor->handles[index]));
}

static void section(struct actor *actor, const struct step *step)
{
    uint32_t index = step->objects[0], depth = 0;
    if (acquire(actor, index, step->timeout, &depth) < 0) {
        return;
    }
    worker_pause(step->hold);
    if (step->twice) {
        acquire(actor, index, step->timeout, &depth);
    }
    if (step->check) {
        check(actor, index);
    }
    release(actor, index, &depth);
}

static void nested(struct actor *actor, const struct step *step)
{
    uint32_t outer = 0, inner = 0;
    if (acquire(actor, step->objects[0], step->timeout, &outer) < 0) {
        return;
    }
    worker_pause(step->hold);
    acquire(actor, step->objects[1], step->timeout, &inner);
    worker_pause(step->hold);
    release(actor, step->objects[1], &inner);
    release(actor, step->objects[0], &outer);
}

static void many(struct actor *actor, const struct step *step)
{
    sync_mutex *mutexes[STEP_OBJECTS];
    struct record *records[STEP_OBJECTS];
    for (uint32_t i = 0; i < step->count; i++) {
        mutexes[i] = worker_open(actor, step->objects[i]);
        if (!mutexes[i]) {
            return;
        }
    }
    for (uint32_t i = 0; i < step->count; i++) {
        records[i] = record_before(&actor->writer, CALL_MANY, step->objects[i], step->timeout,
                                   step->count);
    }
    int rc = sync_mutex_acquire_many(mutexes, step->count, step->timeout);
    /* Which of them had a dead owner is asked one by one. */
    for (uint32_t i = 0; i < step->count; i++) {
        int one = rc < 0 ? rc : sync_previous_owner(mutexes[i], NULL) ? SYNC_OWNER_DIED : 0;
        note_hold(records[i], mutexes[i], one);
        record_after(records[i], one);
    }
    worker_odd(actor, CALL_MANY, step->objects[0], rc);
    if (rc < 0) {
        return;
    }
    for (uint32_t i = 0; i < step->count; i++) {
        if (plan_object(step->objects[i]).poison && sync_previous_owner(mutexes[i], NULL)) {
            struct record *record = record_before(&actor->writer, CALL_CONSISTENT, step->objects[i],
                                                  0, 0);
            record_after(record, sync_mutex_consistent(mutexes[i]));
        }
    }
    worker_pause(step->hold);
    for (uint32_t i = 0; i < step->count; i++) {
        uint32_t depth = 1;
        release(actor, step->objects[i], &depth);
    }
}

bool act_mutex(struct actor *actor, const struct step *step)
{
    uint32_t depth = 0;
    switch (step->kind) {
    case STEP_SECTION:
        section(actor, step);
        return true;
    case STEP_NESTED:
        nested(actor, step);
        return true;
    case STEP_MANY:
        many(actor, step);
        return true;
    case STEP_EXIT:
        if (acquire(actor, step->objects[0], step->timeout, &depth) < 0) {
            return true;
        }
        record_after(record_before(&actor->writer, CALL_EXIT, step->objects[0], 0, 0), 0);
        return false;
    default:
        for (uint32_t i = 0; i < step->count; i++) {
            if (acquire(actor, step->objects[0], 50000000, &depth) >= 0) {
                release(actor, step->objects[0], &depth);
            }
        }
        return true;
    }
}
