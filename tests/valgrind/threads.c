/* SPDX-License-Identifier: MIT */
/* What a user's threads share under each kind must look ordered to helgrind and drd; with "race" as
 * argument they share without, and the tools must say so. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sync/sync.h>

#define THREADS 4
#define ROUNDS 50

static sync_manager *manager;
static sync_mutex *mutex;
static sync_semaphore *semaphore;
static sync_event *event;
static sync_barrier *barrier;
static long by_mutex, by_semaphore, by_event, by_barrier[THREADS];
static int racing;

static int failed(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, sync_last_error());
    return 1;
}

static void *work(void *argument)
{
    long me = (long)argument, sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        if (!racing && SYNC_FAILED(sync_mutex_acquire(mutex, SYNC_S(30)))) {
            failed("acquire");
        }
        by_mutex++;
        if (!racing) {
            sync_mutex_release(mutex);
        }
        if (SYNC_FAILED(sync_semaphore_acquire(semaphore, SYNC_S(30)))) {
            failed("permit");
        }
        by_semaphore++;
        sync_semaphore_release(semaphore, 1);
    }
    by_barrier[me] = me;
    if (SYNC_FAILED(sync_barrier_wait(barrier, SYNC_S(30)))) {
        failed("barrier");
    }
    for (int i = 0; i < THREADS; i++) {
        sum += by_barrier[i];
    }
    if (SYNC_FAILED(sync_event_wait(event, SYNC_S(30)))) {
        failed("event");
    }
    return (void *)(sum + by_event);
}

int main(int argc, char **argv)
{
    sync_semaphore_options one = {.initial = 1, .maximum = 1};
    sync_barrier_options parties = {.parties = THREADS};
    pthread_t threads[THREADS];
    void *result;
    racing = argc > 1 && strcmp(argv[1], "race") == 0;
    if (SYNC_FAILED(sync_manager_connect(NULL, NULL, &manager)) ||
        SYNC_FAILED(sync_mutex_open(manager, "threads.mutex", NULL, &mutex)) ||
        SYNC_FAILED(sync_semaphore_open(manager, "threads.semaphore", &one, &semaphore)) ||
        SYNC_FAILED(sync_event_open(manager, "threads.event", NULL, &event)) ||
        SYNC_FAILED(sync_barrier_open(manager, "threads.barrier", &parties, &barrier))) {
        return failed("open");
    }
    sync_event_clear(event);
    for (long i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, work, (void *)i);
    }
    by_event = 100;
    sync_event_set(event);
    long sum = 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    sync_manager_close(manager);
    return by_mutex == THREADS * ROUNDS && by_semaphore == THREADS * ROUNDS &&
                   sum == THREADS * (100 + THREADS * (THREADS - 1) / 2)
               ? 0
               : 1;
}
