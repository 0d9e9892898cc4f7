/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/fault.h"

void worker_pause(uint32_t us)
{
    if (us >= 50) {
        struct timespec pause = {us / 1000000, (long)(us % 1000000) * 1000};
        nanosleep(&pause, NULL);
        return;
    }
    uint64_t until = record_now() + us * 1000ull;
    while (us && record_now() < until) {}
}

void worker_odd(const struct actor *actor, enum call call, uint32_t index, int rc)
{
    char name[64];
    if (rc >= 0 || rc == SYNC_ETIMEDOUT || rc == SYNC_EDEADLK || rc == SYNC_ELOST ||
        rc == SYNC_EBROKEN || rc == SYNC_EBUSY || rc == SYNC_EOVERFLOW) {
        return;
    }
    plan_name(index, name, sizeof(name));
    fprintf(stderr, "worker %u.%u.%u: %s %s: %s: %s\n", actor->writer.worker,
            actor->writer.incarnation, actor->writer.thread, call_name(call), name,
            sync_strcode(rc), sync_last_error());
}

sync_manager *worker_connect(struct recording *recording, const char *label)
{
    char address[80];
    sync_manager *manager;
    sync_manager_options options = {.label = label, .no_autostart = 1};
    sy_switches.recheck_off = recording->recheck_off != 0;
    snprintf(address, sizeof(address), "shm:%s", recording->manager);
    if (sync_manager_connect(address, &options, &manager) < 0) {
        fprintf(stderr, "%s: %s\n", label, sync_last_error());
        return NULL;
    }
    return manager;
}

static int open_any(sync_manager *manager, uint32_t index, void **ret_handle)
{
    char name[64];
    struct object object = plan_object(index);
    plan_name(index, name, sizeof(name));
    if (index >= PLAN_OBJECTS || object.kind == OBJECT_MUTEX) {
        sync_mutex_options mutex = {0};
        if (index < PLAN_OBJECTS) {
            mutex.fifo = object.fifo;
            mutex.non_recursive = object.non_recursive;
            mutex.owner = object.by_handle ? SYNC_OWNER_HANDLE : SYNC_OWNER_THREAD;
            mutex.on_owner_death = object.poison   ? SYNC_DEATH_POISON
                                   : object.silent ? SYNC_DEATH_SILENT
                                                   : SYNC_DEATH_REPORT;
        }
        return sync_mutex_open(manager, name, &mutex, (sync_mutex **)ret_handle);
    }
    if (object.kind == OBJECT_SEMAPHORE) {
        sync_semaphore_options semaphore = {
            .untracked = object.untracked, .initial = object.number, .maximum = object.number};
        return sync_semaphore_open(manager, name, &semaphore, (sync_semaphore **)ret_handle);
    }
    if (object.kind == OBJECT_EVENT) {
        sync_event_options event = {.auto_reset = object.automatic};
        return sync_event_open(manager, name, &event, (sync_event **)ret_handle);
    }
    sync_barrier_options barrier = {.parties = object.number, .members = object.members};
    return sync_barrier_open(manager, name, &barrier, (sync_barrier **)ret_handle);
}

void *worker_open(struct actor *actor, uint32_t index)
{
    if (!actor->handles[index]) {
        struct record *record = record_before(&actor->writer, CALL_OPEN, index, 0, 0);
        int rc = open_any(actor->manager, index, &actor->handles[index]);
        record_after(record, rc);
        if (rc < 0) {
            actor->handles[index] = NULL;
            worker_odd(actor, CALL_OPEN, index, rc);
        }
    }
    return actor->handles[index];
}

void worker_close(struct actor *actor, uint32_t index)
{
    void *handle = actor->handles[index];
    if (!handle) {
        return;
    }
    struct record *record = record_before(&actor->writer, CALL_CLOSE, index, 0, 0);
    actor->handles[index] = NULL;
    switch (plan_object(index).kind) {
    case OBJECT_MUTEX:
        sync_mutex_close(handle);
        break;
    case OBJECT_SEMAPHORE:
        sync_semaphore_close(handle);
        break;
    case OBJECT_EVENT:
        sync_event_close(handle);
        break;
    default:
        if (index < PLAN_OBJECTS) {
            sync_barrier_close(handle);
        } else {
            sync_mutex_close(handle);
        }
    }
    record_after(record, 0);
}

static void churn(struct actor *actor, uint32_t index)
{
    char name[64];
    plan_name(index, name, sizeof(name));
    if (worker_open(actor, index)) {
        worker_close(actor, index);
    }
    struct record *record = record_before(&actor->writer, CALL_UNLINK, index, 0, 0);
    int rc = sync_unlink(actor->manager, name);
    record_after(record, rc);
    if (rc != SYNC_ENOENT) {
        worker_odd(actor, CALL_UNLINK, index, rc);
    }
}

static void *follow(void *argument)
{
    struct actor *actor = argument;
    struct recording *recording = actor->writer.recording;
    while (!atomic_load(&recording->ending)) {
        struct step step;
        plan_step(actor->key, actor->writer.step, &step);
        if (step.kind == STEP_REOPEN) {
            worker_close(actor, step.objects[0]);
            worker_open(actor, step.objects[0]);
        } else if (step.kind == STEP_CHURN) {
            churn(actor, step.objects[0]);
        } else if (plan_object(step.objects[0]).kind == OBJECT_MUTEX) {
            if (!act_mutex(actor, &step)) {
                break;
            }
        } else {
            act_rest(actor, &step);
        }
        worker_pause(step.think);
        actor->writer.step++;
    }
    free(actor);
    return NULL;
}

static bool start(struct recording *recording, sync_manager *manager, uint32_t place,
                  uint32_t incarnation, uint32_t number, pthread_t *ret_thread)
{
    struct actor *actor = calloc(1, sizeof(*actor));
    if (!actor) {
        return false;
    }
    actor->manager = manager;
    actor->key = plan_key(recording->seed, place, incarnation, number);
    writer_open(&actor->writer, recording, place, incarnation, number);
    return pthread_create(ret_thread, NULL, follow, actor) == 0;
}

/* Barriers with members break when one of those leaves. */
static void leave(struct recording *recording, sync_manager *manager, uint32_t place,
                  uint32_t incarnation)
{
    struct writer writer;
    struct record *records[PLAN_OBJECTS];
    uint32_t count = 0;
    writer_open(&writer, recording, place, incarnation, THREAD_MAIN);
    for (uint32_t i = 0; i < PLAN_OBJECTS; i++) {
        if (plan_object(i).members) {
            records[count++] = record_before(&writer, CALL_CLOSE, i, 0, 0);
        }
    }
    if (place % 2) {
        sync_manager_close(manager);
    }
    while (count) {
        record_after(records[--count], 0);
    }
    exit(0);
}

void worker_run(struct recording *recording, uint32_t place, uint32_t incarnation)
{
    char label[32];
    pthread_t threads[WORKER_THREADS];
    uint32_t number = 0;
    snprintf(label, sizeof(label), "storm-%u.%u", place, incarnation);
    sync_manager *manager = worker_connect(recording, label);
    if (!manager) {
        _exit(10);
    }
    for (; number < WORKER_THREADS; number++) {
        if (!start(recording, manager, place, incarnation, number, &threads[number])) {
            _exit(11);
        }
    }
    /* Those that end early, as the plan has it, are replaced. */
    while (!atomic_load(&recording->ending)) {
        worker_pause(3000);
        for (uint32_t i = 0; i < WORKER_THREADS; i++) {
            if (pthread_tryjoin_np(threads[i], NULL) == 0 &&
                !start(recording, manager, place, incarnation, number++, &threads[i])) {
                _exit(11);
            }
        }
    }
    for (uint32_t i = 0; i < WORKER_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    leave(recording, manager, place, incarnation);
}
