/* SPDX-License-Identifier: MIT */
/* The heartbeat: a thread that does nothing else, so that it waits for no guard, client or scan. */
#include <pthread.h>
#include <signal.h>

#include "managerd.h"

#define BEAT 250000000ll /* ns */

static pthread_t thread;
static _Atomic bool running;

static void *beat(void *argument)
{
    struct sy_segment *segment = argument;
    while (running) {
        int64_t now = sy_now();
        sy_put(&segment->header->heartbeat, (uint64_t)now);
        sy_segment_check_orphan(segment);
        sy_sleep_until(now + BEAT);
    }
    return NULL;
}

int beat_start(struct sy_segment *segment)
{
    sigset_t all, old;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a segment cut short is told wherever it is met */
    pthread_sigmask(SIG_SETMASK, &all, &old);
    running = true;
    sy_put(&segment->header->heartbeat, (uint64_t)sy_now()); /* before anybody is told we run */
    int error = pthread_create(&thread, NULL, beat, segment);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error ? -error : 0;
}

void beat_stop(void)
{
    running = false;
    pthread_join(thread, NULL);
}
