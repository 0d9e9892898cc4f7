/* SPDX-License-Identifier: MIT */
/* When everybody is gone: a process that had no part in it can take everything within a bound, and
 * finds everything back. */
#include <stdio.h>

#include "worker.h"

#define BOUND SYNC_S(5)

static int complaints;

static void want(struct actor *actor, uint32_t index, const char *what, int rc, bool good)
{
    char name[64];
    record_after(record_before(&actor->writer, CALL_FINAL, index, 0, 0), good ? 0 : rc ? rc : -1);
    if (good) {
        return;
    }
    plan_name(index, name, sizeof(name));
    printf("at the end: %s: %s: %s%s%s\n", name, what, rc < 0 ? sync_strcode(rc) : "wrong answer",
           rc < 0 ? ": " : "", rc < 0 ? sync_last_error() : "");
    complaints++;
}

static void try_mutex(struct actor *actor, uint32_t index, sync_mutex *mutex)
{
    int rc = sync_mutex_acquire(mutex, BOUND);
    want(actor, index, "acquire", rc, rc >= 0);
    if (rc == SYNC_OWNER_DIED && plan_object(index).poison) {
        rc = sync_mutex_consistent(mutex);
        want(actor, index, "consistent", rc, rc == 0);
    }
    if (rc >= 0) {
        rc = sync_mutex_release(mutex);
        want(actor, index, "release", rc, rc == 0);
        want(actor, index, "is_locked", 0, sync_mutex_is_locked(mutex) == 0);
    }
}

static void try_semaphore(struct actor *actor, uint32_t index, sync_semaphore *semaphore)
{
    struct object object = plan_object(index);
    uint32_t value = 0;
    if (object.untracked) {
        sync_semaphore_value(semaphore, &value);
        want(actor, index, "value above the maximum", 0, value <= object.number);
        return;
    }
    int rc = sync_semaphore_acquire_many(semaphore, object.number, BOUND);
    want(actor, index, "all permits", rc, rc == 0);
    if (rc == 0) {
        rc = sync_semaphore_acquire(semaphore, 0);
        want(actor, index, "one permit more than there are", 0, rc == SYNC_ETIMEDOUT);
        rc = sync_semaphore_release(semaphore, object.number);
        want(actor, index, "release", rc, rc == 0);
        sync_semaphore_value(semaphore, &value);
        want(actor, index, "value", 0, value == object.number);
    }
}

static void try_event(struct actor *actor, uint32_t index, sync_event *event)
{
    int rc = sync_event_clear(event);
    want(actor, index, "clear", rc, rc == 0);
    rc = sync_event_wait(event, 0);
    want(actor, index, "wait for a clear event", 0, rc == SYNC_ETIMEDOUT);
    rc = sync_event_set(event);
    want(actor, index, "set", rc, rc == 0);
    rc = sync_event_wait(event, BOUND);
    want(actor, index, "wait", rc, rc == 0);
    want(actor, index, "is_set", 0, sync_event_is_set(event) != plan_object(index).automatic);
}

static void try_barrier(struct actor *actor, uint32_t index, sync_barrier *barrier)
{
    int rc = sync_barrier_reset(barrier);
    if (sync_barrier_is_broken(barrier)) {
        rc = sync_barrier_reset(barrier); /* the first one broke a round that somebody had left */
    }
    want(actor, index, "reset", rc, rc == 0);
    for (uint32_t i = 0; i < plan_object(index).number; i++) {
        rc = sync_barrier_arrive(barrier);
        want(actor, index, "arrival index", rc, rc == (int)i);
    }
    want(actor, index, "waiting", 0, sync_barrier_waiting(barrier) == 0);
}

int final_run(struct recording *recording, bool quiet)
{
    static struct actor actor;
    actor.manager = worker_connect(recording, "final");
    if (!actor.manager) {
        return 1;
    }
    writer_open(&actor.writer, recording, WORKER_FINAL, 0, 0);
    for (uint32_t i = 0; i < PLAN_OBJECTS; i++) {
        void *handle = worker_open(&actor, i);
        if (!handle) {
            want(&actor, i, "open", SYNC_EHANDLE, false);
            continue;
        }
        switch (plan_object(i).kind) {
        case OBJECT_MUTEX:
            try_mutex(&actor, i, handle);
            break;
        case OBJECT_SEMAPHORE:
            try_semaphore(&actor, i, handle);
            break;
        case OBJECT_EVENT:
            try_event(&actor, i, handle);
            break;
        default:
            try_barrier(&actor, i, handle);
            break;
        }
    }
    sync_manager_state state;
    if (!quiet && sync_manager_info(actor.manager, &state) == 0) {
        printf("at the end: manager epoch %u; %u processes, %u threads, %u names in the segment\n",
               state.epoch, state.processes, state.threads, state.names);
    }
    return complaints;
}
