/* SPDX-License-Identifier: MIT */
#include <sync/event.h>

#include <errno.h>
#include <stdio.h>

#include "api/api.h"

struct sync_event {
    struct sync_object object;
};

static const char *differs(const struct sy_open_request *request, struct sy_hot *hot,
                           struct sy_cold *cold, char *text, size_t size)
{
    (void)cold;
    if (sy_hot_flags(hot) == request->flags) {
        return NULL;
    }
    snprintf(text, size, "auto_reset is %d, asked for %d",
             (sy_hot_flags(hot) & SYNC_FLAG_AUTO_RESET) != 0,
             (request->flags & SYNC_FLAG_AUTO_RESET) != 0);
    return text;
}

static void fill(struct sy_hot *hot, struct sy_cold *cold, void *argument)
{
    const struct sy_open_request *request = argument;
    sy_put(&hot->word, request->number[1]);
    sy_put(&cold->number[1], request->number[1]);
    sy_put(&cold->timeout, request->timeout > 0 ? (uint64_t)request->timeout : 0);
}

int sync_event_open(sync_manager *manager, const char *name, const sync_event_options *options,
                    sync_event **ret_event)
{
    static const sync_event_options none;
    const sync_event_options *o = options ? options : &none;
    int rc = sy_check_manager(manager, "sync_event_open");
    if (!rc && !ret_event) {
        rc = sy_fail(SYNC_EINVAL, "sync_event_open: ret_event is NULL");
    }
    if (!rc) {
        rc = sy_check_reserved(o->reserved, "sync_event_options");
    }
    if (!rc && o->unused) {
        rc = sy_fail(SYNC_EINVAL, "sync_event_options: unused is %d, must be 0", o->unused);
    }
    if (rc) {
        return rc;
    }
    struct sy_open_request request = {.kind = SYNC_KIND_EVENT,
                                      .flags = o->auto_reset ? SYNC_FLAG_AUTO_RESET : 0,
                                      .open = o->open,
                                      .given = options != NULL,
                                      .timeout = o->timeout,
                                      .number = {0, o->initially_set != 0},
                                      .differs = differs,
                                      .fill = fill};
    struct sync_object *object;
    rc = sy_open_handle(manager, name, &request, sizeof(struct sync_event), &object);
    if (!rc) {
        *ret_event = (sync_event *)(void *)object;
    }
    return rc;
}

/* Async-signal-safe: no text, no registration, errno as it was. */
int sync_event_set(sync_event *event)
{
    struct sy_actor actor;
    if (!sy_handle_good(sy_object(event), SYNC_KIND_EVENT)) {
        return SYNC_EHANDLE;
    }
    struct sy_hot *hot = sy_handle_hot(&event->object);
    if (!hot) {
        return SYNC_EHANDLE;
    }
    int saved = errno;
    struct sy_attachment *a = event->object.attachment;
    int cell = sy_begin_handler(a, &actor);
    struct sy_opened *opened = sy_get(&event->object.opened);
    SY_HAPPENS_BEFORE(hot);
    sy_event_set_step(&actor, hot, opened->record, opened->generation);
    sy_done_handler(a, &actor, cell);
    errno = saved;
    return sy_get(&a->segment->header->state) == SY_STATE_RUNNING ? 0 : SYNC_EORPHANED;
}

int sync_event_clear(sync_event *event)
{
    struct sy_hot *hot = sy_handle_good(sy_object(event), SYNC_KIND_EVENT)
                             ? sy_handle_hot(&event->object)
                             : NULL;
    if (!hot) {
        return SYNC_EHANDLE;
    }
    sy_event_clear_step(hot);
    return 0;
}

int sync_event_is_set(sync_event *event)
{
    struct sy_hot *hot = sy_handle_good(sy_object(event), SYNC_KIND_EVENT)
                             ? sy_handle_hot(&event->object)
                             : NULL;
    return hot ? sy_event_state(hot) : SYNC_EHANDLE;
}

int sync_event_wait(sync_event *event, sync_timeout timeout)
{
    SY_CHECK_HANDLE(event, SYNC_KIND_EVENT, "sync_event_wait");
    struct sync_object *object = &event->object;
    struct sy_call call;
    if (sy_timeout_bad(timeout)) {
        return sy_refuse_timeout(timeout);
    }
    if (sy_get(&object->attachment->segment->header->state) != SY_STATE_RUNNING) {
        return sy_refuse_orphan(object->attachment);
    }
    int rc = sy_prepare(object, timeout, &call);
    if (rc) {
        return rc;
    }
    rc = sy_wait_for(object->attachment, &sy_event_kind, &call, object->interruptible);
    if (rc >= 0) {
        SY_HAPPENS_AFTER(call.hot);
    }
    sy_done(&call.actor);
    return rc;
}

void sync_event_close(sync_event *event)
{
    if (sy_handle_good(sy_object(event), SYNC_KIND_EVENT)) {
        sy_close_handle(&event->object);
    }
}

sync_object *sync_event_object(sync_event *event)
{
    return sy_object(event);
}
