/* SPDX-License-Identifier: MIT */
/* Handles: what a process has open, by name. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "direct/direct.h"
#include "os/fault.h"

int sy_refuse_handle(const char *call, const void *handle)
{
    return sy_fail(SYNC_EHANDLE, "%s: %s is not an open handle of that kind", call,
                   handle ? "the argument" : "NULL");
}

int sy_refuse_timeout(sync_timeout timeout)
{
    if (timeout > 0) {
        return sy_fail(SYNC_EINVAL,
                       "timeout of %lld ns: timeouts are nanoseconds, at least 1000; did you mean "
                       "SYNC_MS(%lld)?",
                       (long long)timeout, (long long)timeout);
    }
    return sy_fail(SYNC_EINVAL,
                   "timeout of %lld ns is negative; did you mean SYNC_FOREVER or SYNC_DEFAULT?",
                   (long long)timeout);
}

/* ---- finding and making ---- */

static int check_existing(const struct sy_open_request *request, const struct sy_name *name,
                          struct sy_hot *hot, struct sy_cold *cold)
{
    char text[200];
    if (sy_hot_kind(hot) != request->kind) {
        return sy_fail(SYNC_EKIND, "%.200s is a %s, not a %s", name->text,
                       sy_kind_name(sy_hot_kind(hot)), sy_kind_name(request->kind));
    }
    if (request->open == SYNC_OPEN_NEW) {
        return sy_fail(SYNC_EEXIST, "%s \"%.200s\" exists already (SYNC_OPEN_NEW)",
                       sy_kind_name(request->kind), name->text);
    }
    if (request->given) {
        const char *what = request->differs(request, hot, cold, text, sizeof(text));
        if (what) {
            return sy_fail(SYNC_EMISMATCH,
                           "%s \"%.200s\" exists with another behaviour: %s; options NULL take it "
                           "as it is",
                           sy_kind_name(request->kind), name->text, what);
        }
    }
    return 0;
}

/* An unlinker that looks whether anybody has the record open is over in an instant, or dead. */
static void let_unlinker_finish(const struct sy_actor *actor, uint32_t record)
{
    struct sy_wait wait;
    if (sy_record_guard(actor, record, &wait) != SY_WAIT) {
        sy_record_unguard(actor, record);
        return;
    }
    struct sy_wait_word word = {wait.word, wait.value};
    if (sy_futex_wait(&word, 1, sy_now() + 1000000) == -ETIMEDOUT) {
        sy_owner_bury(actor->segment, wait.word, sy_load(wait.word), true);
    }
    sy_futex_wake(wait.word, 1); /* we do not take it: the wake was perhaps another's */
}

static int find_or_create(const struct sy_actor *actor, const struct sy_name *name,
                          const struct sy_open_request *request, uint32_t *ret_record,
                          bool *ret_created)
{
    struct sy_segment *segment = actor->segment;
    *ret_created = false;
    *ret_record = sy_directory_find(segment, name);
    if (*ret_record == SY_NONE) {
        if (request->open == SYNC_OPEN_EXISTING) {
            return sy_fail(SYNC_ENOENT, "no %s \"%.200s\" (SYNC_OPEN_EXISTING)",
                           sy_kind_name(request->kind), name->text);
        }
        if (request->needs_options && !request->given) {
            return sy_fail(SYNC_EINVAL, "%s \"%.200s\" does not exist: to create it, give options",
                           sy_kind_name(request->kind), name->text);
        }
        struct sy_open_request filled = *request;
        filled.fence_floor = sy_load_sc(&segment->header->fence_floor);
        int rc = sy_directory_create(actor, name, request->kind | request->flags << 8,
                                     request->fill, &filled, SY_NONE, ret_record, ret_created);
        bool room = false;
        if (rc) {
            /* Our own epoch would keep what is freed from being let again. */
            sy_directory_leave(actor);
            room = sy_make_room(segment, rc);
            sy_directory_enter(actor);
        }
        if (room) {
            rc = sy_directory_create(actor, name, request->kind | request->flags << 8,
                                     request->fill, &filled, SY_NONE, ret_record, ret_created);
        }
        if (rc || *ret_created) {
            return rc;
        }
    }
    return check_existing(request, name, sy_hot_at(segment, *ret_record),
                          sy_cold_at(segment, *ret_record));
}

/* ---- handles ---- */

/* Memory of handles goes back to its manager, not to the heap: a handle that was closed is told
 * apart by its magic for as long as nobody has opened another. Under the attachment's lock, like
 * the list of a manager's handles. */
static struct sync_object *handle_new(struct sync_manager *manager,
                                      const struct sy_open_request *request, size_t size)
{
    bool fails = sy_fault(SY_FAULT_MALLOC);
    struct sync_object *object = manager->spare[request->kind];
    if (object && !fails) {
        manager->spare[request->kind] = object->next;
    } else {
        object = fails ? NULL : malloc(size);
    }
    if (!object) {
        return NULL;
    }
    memset(object, 0, size);
    object->attachment = manager->attachment;
    object->manager = manager;
    object->kind = request->kind;
    object->timeout = request->timeout;
    object->interruptible = manager->interruptible;
    object->next = manager->handles;
    if (object->next) {
        object->next->previous = object;
    }
    manager->handles = object;
    return object;
}

static void handle_free(struct sync_object *object)
{
    struct sync_manager *manager = object->manager;
    if (object->previous) {
        object->previous->next = object->next;
    } else {
        manager->handles = object->next;
    }
    if (object->next) {
        object->next->previous = object->previous;
    }
    free(object->died);
    object->next = manager->spare[object->kind];
    manager->spare[object->kind] = object;
}

void sy_handles_drop(struct sync_manager *manager)
{
    while (manager->handles) {
        sy_close_handle(manager->handles);
    }
    for (size_t kind = 0; kind < SY_COUNT(manager->spare); kind++) {
        while (manager->spare[kind]) {
            struct sync_object *object = manager->spare[kind];
            manager->spare[kind] = object->next;
            free(object);
        }
    }
}

static int claim_principal(struct sync_object *object)
{
    struct sy_attachment *a = object->attachment;
    uint32_t index, generation = sy_get(&a->generation);
    int rc = sy_principal_claim(a->segment, false, SYNC_PRINCIPAL_HANDLE, &index);
    if (rc && sy_make_room(a->segment, rc)) {
        rc = sy_principal_claim(a->segment, false, SYNC_PRINCIPAL_HANDLE, &index);
    }
    if (!rc) {
        sy_put(&sy_principal_at(a->segment, index)->record, object->opened->record + 1);
        object->principal = sy_principal_id(a->segment, index);
        object->principal_generation = generation;
        pthread_mutex_init(&object->local, NULL);
    }
    return rc;
}

/* A handle for `opened`, which is given back when there is no memory for one. */
static int adopt(struct sync_manager *manager, struct sy_opened *opened,
                 const struct sy_open_request *request, size_t size,
                 struct sync_object **ret_object)
{
    struct sync_object *object = handle_new(manager, request, size);
    if (!object) {
        sy_opened_put(manager->attachment, opened, false);
        return sy_fail(SYNC_ENOMEM, "out of memory for a handle");
    }
    sy_put(&object->opened, opened);
    *ret_object = object;
    return 0;
}

/* A name that this process has open already: no store into the segment, no other name's line read.
 */
static int open_known(struct sync_manager *manager, const struct sy_name *name,
                      const struct sy_open_request *request, size_t size,
                      struct sync_object **ret_object)
{
    struct sy_attachment *a = manager->attachment;
    int rc = 0;
    *ret_object = NULL;
    if (!sy_get(sy_alive)) {
        return 0; /* forked behind our back: the locks are not in order yet */
    }
    pthread_mutex_lock(&a->lock);
    struct sy_opened *opened = sy_opened_known(a, name);
    if (opened) {
        rc = check_existing(request, name, sy_hot_at(a->segment, opened->record),
                            sy_cold_at(a->segment, opened->record));
        if (rc) {
            sy_opened_put(a, opened, false);
        } else {
            rc = adopt(manager, opened, request, size, ret_object);
        }
    }
    pthread_mutex_unlock(&a->lock);
    return rc;
}

/* Open entry first, then a look whether the record is still the one: an unlinker looks the other
 * way round, so one of the two sees the other. */
static int enter_record(struct sync_manager *manager, uint32_t record, uint32_t state,
                        const struct sy_open_request *request, size_t size,
                        struct sync_object **ret_object)
{
    struct sy_attachment *a = manager->attachment;
    struct sy_opened *opened;
    pthread_mutex_lock(&a->lock);
    int rc = sy_opened_get(a, record, sy_state_generation(state), &opened);
    if (!rc) {
        if (sy_load_sc(&sy_hot_at(a->segment, record)->state) == state) {
            rc = adopt(manager, opened, request, size, ret_object);
        } else {
            sy_opened_put(a, opened, false);
            rc = SYNC_ENOENT;
        }
    }
    pthread_mutex_unlock(&a->lock);
    return rc;
}

static int open_shared(struct sync_manager *manager, const struct sy_name *name,
                       const struct sy_open_request *request, size_t size,
                       struct sync_object **ret_object)
{
    struct sy_attachment *a = manager->attachment;
    struct sy_actor actor;
    int64_t deadline = sy_now() + SY_DEFAULT_TIMEOUT;
    int rc = sy_begin(a, &actor);
    if (rc) {
        return rc;
    }
    sy_directory_enter(&actor);
    for (;;) {
        uint32_t record;
        bool created;
        rc = find_or_create(&actor, name, request, &record, &created);
        if (rc) {
            break;
        }
        uint32_t state = sy_load_sc(&sy_hot_at(a->segment, record)->state);
        if (sy_state_of(state) == SY_RECORD_LIVE) {
            rc = enter_record(manager, record, state, request, size, ret_object);
            if (!rc) {
                (*ret_object)->created = created;
            }
            if (rc != SYNC_ENOENT) {
                break;
            }
        }
        if (sy_now() > deadline) {
            rc = sy_fail(SYNC_EBUSY, "%.200s: it is being unlinked by somebody who does not go on",
                         name->text);
            break;
        }
        let_unlinker_finish(&actor, record);
    }
    sy_directory_leave(&actor);
    sy_done(&actor);
    return rc;
}

static int refuse_name(const char *name, const char *rule)
{
    char clean[SYNC_NAME_MAX + 8];
    sy_text_copy(clean, sizeof(clean), name ? name : "",
                 name ? strnlen(name, SYNC_NAME_MAX + 1) : 0);
    return sy_fail(SYNC_EINVAL,
                   "name \"%s\" %s: names are 1-%d bytes of UTF-8 without control characters",
                   clean, rule, SYNC_NAME_MAX);
}

int sy_open_handle(struct sync_manager *manager, const char *name,
                   const struct sy_open_request *request, size_t size,
                   struct sync_object **ret_object)
{
    struct sy_attachment *a = manager->attachment;
    struct sync_object *object;
    size_t length;
    const char *rule = name ? sy_text_check(name, SYNC_NAME_MAX, &length) : "is NULL";
    if (rule) {
        return refuse_name(name, rule);
    }
    if (sy_timeout_bad(request->timeout)) {
        return sy_refuse_timeout(request->timeout);
    }
    if (request->open < SYNC_OPEN_OR_CREATE || request->open > SYNC_OPEN_NEW) {
        return sy_fail(SYNC_EINVAL,
                       "%s: open is %d, the choices are SYNC_OPEN_OR_CREATE, _EXISTING, "
                       "_NEW",
                       name, request->open);
    }
    if (sy_get(&a->segment->header->state) == SY_STATE_ORPHANED) {
        return sy_refuse_orphan(a);
    }
    struct sy_name key = {name, (uint32_t)length, sy_hash(name, length)};
    int rc = open_known(manager, &key, request, size, &object);
    if (!rc && !object) {
        rc = open_shared(manager, &key, request, size, &object);
    }
    if (rc) {
        return rc;
    }
    struct sy_hot *hot = sy_hot_at(a->segment, sy_get(&object->opened)->record);
    sy_put(&object->hot, hot);
    if (sy_hot_flags(hot) & SYNC_FLAG_OWNER_HANDLE) {
        rc = claim_principal(object);
        if (rc) {
            pthread_mutex_lock(&a->lock);
            sy_opened_put(a, object->opened, false);
            handle_free(object);
            pthread_mutex_unlock(&a->lock);
            return rc;
        }
    }
    object->magic = SY_MAGIC_OF(request->kind);
    *ret_object = object;
    return 0;
}

void sy_close_handle(struct sync_object *object)
{
    struct sy_attachment *a = object->attachment;
    struct sy_call call;
    const struct sy_kind *kind = sy_kind_of(object->kind);
    object->magic = 0;
    bool prepared = sy_prepare(object, SYNC_S(1), &call) == 0;
    /* Whether it is the last, and what follows from that, in one go: the process' other threads may
     * be opening or closing the same object. */
    pthread_mutex_lock(&a->lock);
    if (prepared) {
        bool last = object->opened->handles == 1;
        if ((last || object->principal) && kind->closed(&call)) {
            sy_ring_add(call.segment, &(struct sy_ring_event){.type = SY_EVENT_CLOSED,
                                                              .record = call.record,
                                                              .generation = call.generation,
                                                              .principal = call.principal,
                                                              .text = "closed while held"});
        }
        sy_done(&call.actor);
    }
    sy_opened_put(a, object->opened, false);
    if (object->principal) {
        if (object->principal_generation == sy_get(&a->generation)) {
            sy_principal_leave(a->segment, object->principal, SY_SLOT_FREE);
        }
        pthread_mutex_destroy(&object->local);
    }
    handle_free(object);
    pthread_mutex_unlock(&a->lock);
}

/* ---- calls ---- */

int64_t sy_deadline_of(struct sync_object *object, sync_timeout timeout, int64_t now)
{
    if (timeout == SYNC_DEFAULT || timeout < 0) {
        timeout = object->timeout > 0 ? object->timeout : object->manager->timeout;
    }
    if (timeout <= 0) {
        timeout = (int64_t)sy_get(&sy_handle_cold(object)->timeout);
    }
    if (timeout <= 0) {
        timeout = (int64_t)sy_get(&object->attachment->segment->header->default_timeout);
    }
    if (timeout <= 0) {
        timeout = SY_DEFAULT_TIMEOUT;
    }
    return timeout >= INT64_MAX - now ? INT64_MAX : now + timeout;
}

int sy_prepare(struct sync_object *object, sync_timeout timeout, struct sy_call *ret_call)
{
    struct sy_attachment *a = object->attachment;
    memset(ret_call, 0, sizeof(*ret_call));
    int rc = sy_begin(a, &ret_call->actor);
    if (rc) {
        return rc;
    }
    ret_call->segment = a->segment;
    ret_call->index = -1;
    rc = sy_opened_entry(object, &ret_call->entry);
    if (!rc && object->principal && object->principal_generation != sy_get(&a->generation)) {
        rc = claim_principal(object); /* a forked child: the parent's handle is not its own */
    }
    if (rc) {
        sy_done(&ret_call->actor);
        return rc;
    }
    struct sy_opened *opened = object->opened;
    ret_call->record = opened->record;
    ret_call->generation = opened->generation;
    ret_call->hot = sy_hot_at(a->segment, ret_call->record);
    ret_call->cold = sy_cold_at(a->segment, ret_call->record);
    ret_call->principal = object->principal ? object->principal : ret_call->actor.id;
    ret_call->began = sy_now();
    ret_call->deadline = timeout == 0 ? ret_call->began
                                      : sy_deadline_of(object, timeout, ret_call->began);
    return 0;
}

/* Look at the successor until it is not being unlinked, as open_shared does. */
static int enter_successor(struct sync_object *object, struct sy_call *call)
{
    struct sy_attachment *a = object->attachment;
    struct sy_opened *next;
    uint32_t record, generation;
    bool made_room = false;
    for (;;) {
        int rc = sy_mutex_successor(&call->actor, call->record, &record, &generation);
        if (rc && !made_room && sy_make_room(a->segment, rc)) {
            made_room = true;
            continue;
        }
        if (rc) {
            return rc;
        }
        pthread_mutex_lock(&a->lock);
        if (object->opened->record != record) {
            rc = sy_opened_get(a, record, generation, &next);
            if (!rc) {
                sy_put(&object->previous_record, object->opened->record + 1);
                sy_opened_put(a, object->opened, true);
                object->hot = sy_hot_at(a->segment, record);
                object->opened = next;
            }
        }
        pthread_mutex_unlock(&a->lock);
        if (rc != SYNC_ENOENT) {
            return rc;
        }
        if (sy_now() > call->deadline) {
            return sy_fail(SYNC_EBUSY,
                           "%.200s: it is being unlinked by somebody who does not go on",
                           call->cold->name);
        }
        let_unlinker_finish(&call->actor, record);
    }
}

int sy_move_on(struct sync_object *object, struct sy_call *call)
{
    int rc = enter_successor(object, call);
    if (rc) {
        return rc;
    }
    struct sy_opened *opened = object->opened;
    call->record = opened->record;
    call->generation = opened->generation;
    call->hot = object->hot;
    call->cold = sy_cold_at(call->segment, call->record);
    call->entry = opened->entry;
    return 0;
}
