/* SPDX-License-Identifier: MIT */
/* Event: a flag many can wait for. */
#ifndef SYNC_EVENT_H
#define SYNC_EVENT_H

#include <sync/object.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sync_event sync_event;

typedef struct sync_event_options {
    int32_t open;          /* SYNC_OPEN_… */
    int32_t auto_reset;    /* each set lets one waiter through and is used up by it */
    sync_timeout timeout;  /* this handle's default; 0: the object's, else the manager's */
    int32_t initially_set; /* counts at creation only */
    int32_t unused;        /* zero */
    uint64_t reserved[8];  /* zero, else SYNC_EINVAL */
} sync_event_options;

/* As sync_mutex_open. Behaviour field: auto_reset. */
SYNC_API int sync_event_open(sync_manager *manager, const char *name,
                             const sync_event_options *options, sync_event **ret_event)
    SYNC_MUST_CHECK;

/* Manual reset: releases everyone then waiting, even if clear follows at once. Auto reset: one
 * waiter, now or later; a set that nobody has taken yet is taken back by clear.
 * Async-signal-safe: keeps errno and sync_last_error. Errors: SYNC_EHANDLE, SYNC_EORPHANED. */
SYNC_API int sync_event_set(sync_event *event);

/* Errors: SYNC_EHANDLE. */
SYNC_API int sync_event_clear(sync_event *event);

/* 1 when set, else 0. Async-signal-safe. */
SYNC_API int sync_event_is_set(sync_event *event);

/* Errors: SYNC_ETIMEDOUT, SYNC_EINTR, SYNC_EORPHANED, SYNC_EINVAL, SYNC_EHANDLE, SYNC_ENOSLOT. */
SYNC_API int sync_event_wait(sync_event *event, sync_timeout timeout) SYNC_MUST_CHECK;

SYNC_API void sync_event_close(sync_event *event);

SYNC_API sync_object *sync_event_object(sync_event *event);

#ifdef __cplusplus
}
#endif
#endif
