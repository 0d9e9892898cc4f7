/* SPDX-License-Identifier: MIT */
/* What an operator does with `managerctl break`, at random and all the time. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "direct/direct.h"
#include "worker.h"

static int break_it(struct actor *actor, uint32_t index, uint64_t token)
{
    sync_object *object = actor->handles[index];
    sync_principal evicted;
    struct sy_actor self;
    int rc = sy_begin(object->attachment, &self);
    if (rc == 0) {
        struct record *record = record_before(&actor->writer, CALL_BREAK, index, 0, 0);
        record->token = token;
        rc = sy_mutex_break(&self, sy_load(&object->opened)->record, token, "storm", &evicted);
        record_after(record, rc);
        sy_done(&self);
    }
    return rc;
}

void breaker_run(struct recording *recording, uint32_t place, uint32_t incarnation)
{
    static struct actor actor;
    char label[32];
    snprintf(label, sizeof(label), "breaker.%u", incarnation);
    actor.manager = worker_connect(recording, label);
    if (!actor.manager) {
        _exit(10);
    }
    writer_open(&actor.writer, recording, place, incarnation, 0);
    uint64_t state = plan_key(recording->seed, place, incarnation, 0);
    while (!atomic_load(&recording->ending)) {
        uint32_t index = (uint32_t)(plan_random(&state) >> 33) % (plan_random(&state) % 2 ? 8 : 80);
        uint32_t pause = 20000 + (uint32_t)(plan_random(&state) >> 40) % 100000;
        sync_info info;
        if (worker_open(&actor, index) && sync_object_info(actor.handles[index], &info) == 0 &&
            info.holder.principal && info.holder.state != SYNC_STATE_DEAD) {
            break_it(&actor, index, info.token);
        }
        worker_close(&actor, index);
        worker_pause(pause);
        actor.writer.step++;
    }
    _exit(0);
}
