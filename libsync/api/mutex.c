/* SPDX-License-Identifier: MIT */
#include <sync/mutex.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/text.h"

struct sync_mutex {
    struct sync_object object;
    uint32_t died;               /* who died, of the ownership with `died_token` */
    _Atomic uint64_t died_token; /* 0: none */
};

static uint32_t flags_of(const sync_mutex_options *options)
{
    return (options->non_recursive ? SYNC_FLAG_NON_RECURSIVE : 0u) |
           (options->fifo ? SYNC_FLAG_FIFO : 0u) |
           (options->owner == SYNC_OWNER_HANDLE ? SYNC_FLAG_OWNER_HANDLE : 0u) |
           (options->on_owner_death == SYNC_DEATH_POISON ? SYNC_FLAG_POISON : 0u) |
           (options->on_owner_death == SYNC_DEATH_SILENT ? SYNC_FLAG_SILENT : 0u);
}

static const char *differs(const struct sy_open_request *request, struct sy_hot *hot,
                           struct sy_cold *cold, char *text, size_t size)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } fields[] = {{SYNC_FLAG_NON_RECURSIVE, "non_recursive"},
                  {SYNC_FLAG_FIFO, "fifo"},
                  {SYNC_FLAG_OWNER_HANDLE, "owner"},
                  {SYNC_FLAG_POISON, "on_owner_death (POISON)"},
                  {SYNC_FLAG_SILENT, "on_owner_death (SILENT)"}};
    uint32_t flags = sy_hot_flags(hot);
    for (size_t i = 0; i < SY_COUNT(fields); i++) {
        if ((flags ^ request->flags) & fields[i].flag) {
            snprintf(text, size, "%s is %d, asked for %d", fields[i].name,
                     (flags & fields[i].flag) != 0, (request->flags & fields[i].flag) != 0);
            return text;
        }
    }
    int64_t max_hold = (int64_t)sy_get(&cold->max_hold);
    if (max_hold != request->max_hold) {
        snprintf(text, size, "max_hold is %lld ns, asked for %lld ns", (long long)max_hold,
                 (long long)request->max_hold);
        return text;
    }
    return NULL;
}

static void fill(struct sy_hot *hot, struct sy_cold *cold, void *argument)
{
    const struct sy_open_request *request = argument;
    sy_put(&hot->u.mutex.fence, request->fence_floor);
    sy_put(&cold->max_hold, (uint64_t)request->max_hold);
    sy_put(&cold->timeout, request->timeout > 0 ? (uint64_t)request->timeout : 0);
}

static int check_options(const sync_mutex_options *options)
{
    int rc = sy_check_reserved(options->reserved, "sync_mutex_options");
    if (!rc && options->unused) {
        rc = sy_fail(SYNC_EINVAL, "sync_mutex_options: unused is %d, must be 0", options->unused);
    }
    if (!rc && (options->owner < SYNC_OWNER_THREAD || options->owner > SYNC_OWNER_HANDLE)) {
        rc = sy_fail(SYNC_EINVAL,
                     "sync_mutex_options: owner is %d, the choices are "
                     "SYNC_OWNER_THREAD, SYNC_OWNER_HANDLE",
                     options->owner);
    }
    if (!rc && (options->on_owner_death < SYNC_DEATH_REPORT ||
                options->on_owner_death > SYNC_DEATH_SILENT)) {
        rc = sy_fail(SYNC_EINVAL,
                     "sync_mutex_options: on_owner_death is %d, the choices are "
                     "SYNC_DEATH_REPORT, _POISON, _SILENT",
                     options->on_owner_death);
    }
    if (!rc && sy_timeout_bad(options->max_hold)) {
        rc = sy_refuse_timeout(options->max_hold);
    }
    return rc;
}

int sync_mutex_open(sync_manager *manager, const char *name, const sync_mutex_options *options,
                    sync_mutex **ret_mutex)
{
    static const sync_mutex_options none;
    int rc = sy_check_manager(manager, "sync_mutex_open");
    if (!rc && !ret_mutex) {
        rc = sy_fail(SYNC_EINVAL, "sync_mutex_open: ret_mutex is NULL");
    }
    const sync_mutex_options *o = options ? options : &none;
    if (!rc) {
        rc = check_options(o);
    }
    if (rc) {
        return rc;
    }
    struct sy_open_request request = {.kind = SYNC_KIND_MUTEX,
                                      .flags = flags_of(o),
                                      .open = o->open,
                                      .given = options != NULL,
                                      .timeout = o->timeout,
                                      .max_hold = o->max_hold,
                                      .differs = differs,
                                      .fill = fill};
    struct sync_object *object;
    rc = sy_open_handle(manager, name, &request, sizeof(struct sync_mutex), &object);
    if (!rc) {
        *ret_mutex = (sync_mutex *)(void *)object;
    }
    return rc;
}

/* ---- acquire ---- */

static int refuse_orphaned(struct sync_mutex *mutex)
{
    sync_mutex_release(mutex);
    return sy_refuse_orphan(mutex->object.attachment);
}

static void remember_dead(struct sync_mutex *mutex, struct sy_call *call)
{
    /* Others may wait for what we do next: names of users are looked up when they are asked for. */
    sync_principal dead, **kept = &mutex->object.died;
    sy_identify_principal(call->segment, call->died, &dead);
    dead.principal = mutex->died = call->died;
    dead.state = SYNC_STATE_DEAD;
    if (!*kept) {
        *kept = malloc(sizeof(**kept)); /* without it the number alone is known later */
    }
    if (*kept) {
        **kept = dead;
    }
    mutex->died_token = sy_get(&call->hot->u.mutex.fence);
    sy_report_died(call, &dead);
}

static int acquire_slow(struct sync_mutex *mutex, sync_timeout timeout)
{
    struct sync_object *object = &mutex->object;
    struct sy_call call;
    if (sy_timeout_bad(timeout)) {
        return sy_refuse_timeout(timeout);
    }
    int rc = sy_prepare(object, timeout, &call);
    if (rc) {
        return rc;
    }
    uint32_t previous = sy_get(&object->previous_record);
    struct sy_hot *old = previous ? sy_hot_at(call.segment, previous - 1) : NULL;
    if (old && sy_mutex_evicted(old, call.principal)) {
        rc = sy_report(&call, &sy_mutex_kind, SYNC_ELOST, NULL);
        sy_done(&call.actor);
        return rc;
    }
    bool handle = object->principal != 0, mine;
    if (handle) {
        /* Depth changes of this process' threads exclude each other; nobody sleeps in here. */
        pthread_mutex_lock(&object->local);
        uint32_t seen = sy_load(&call.hot->word);
        mine = (seen & SY_OWNER) == call.principal && !(seen & SY_R);
        if (mine) {
            rc = sy_wait_for(object->attachment, &sy_mutex_kind, &call, false);
        }
        pthread_mutex_unlock(&object->local);
    } else {
        mine = (sy_load(&call.hot->word) & (SY_OWNER | SY_R)) == call.principal;
    }
    if (!handle || !mine) {
        do {
            rc = sy_wait_for(object->attachment, &sy_mutex_kind, &call, object->interruptible);
        } while (rc == SY_SUPERSEDED && (rc = sy_move_on(object, &call)) == 0);
    }
    if (rc >= 0) {
        if (!handle && !mine) {
            sy_self.holds++;
        }
        if (rc == SYNC_OWNER_DIED) {
            remember_dead(mutex, &call);
        }
        SY_HAPPENS_AFTER(call.hot);
    }
    sy_done(&call.actor);
    if (rc >= 0 && sy_get(&object->attachment->segment->header->state) != SY_STATE_RUNNING) {
        return refuse_orphaned(mutex);
    }
    return rc;
}

int sync_mutex_acquire(sync_mutex *mutex, sync_timeout timeout)
{
    SY_CHECK_HANDLE(mutex, SYNC_KIND_MUTEX, "sync_mutex_acquire");
    if (sy_likely(!sy_timeout_bad(timeout)) && sy_likely(sy_fast_acquire(&mutex->object))) {
        /* After the CAS: an orphaned segment grants nothing. */
        return sy_likely(sy_get(&mutex->object.attachment->segment->header->state) ==
                         SY_STATE_RUNNING)
                   ? 0
                   : refuse_orphaned(mutex);
    }
    return acquire_slow(mutex, timeout);
}

/* ---- release ---- */

static int refuse_release(struct sync_mutex *mutex, struct sy_call *call, const char *what)
{
    sync_info info;
    sync_error error;
    sy_error_clear(&error);
    sy_describe(call->segment, call->record, &info);
    memcpy(error.object, info.name, sizeof(error.object));
    error.kind = SYNC_KIND_MUTEX;
    error.holder = info.holder;
    error.token = info.token;
    if (!info.holder.principal) {
        return sy_fail_info(&error, SYNC_EPERM, "%s: %s, but nobody holds it", info.name, what);
    }
    return sy_fail_info(&error, SYNC_EPERM, "%s: %s by %s, but %s[%d] thread %d holds it",
                        info.name, what, mutex->object.principal ? "this handle" : "this thread",
                        info.holder.label, info.holder.pid, info.holder.tid);
}

static int lost(struct sync_mutex *mutex)
{
    struct sy_cold *cold = sy_handle_cold(&mutex->object);
    return sy_fail(SYNC_ELOST,
                   "%.200s: this ownership was broken by an operator; what it protected "
                   "may belong to somebody else now. See: managerctl show %.200s",
                   cold->name, cold->name);
}

/* The incarnation before, when it was taken from this principal and is not yet given up; else NULL.
 */
static struct sy_hot *evicted_from(struct sync_mutex *mutex, uint32_t principal)
{
    struct sync_object *object = &mutex->object;
    struct sy_hot *hot = sy_load(&object->hot);
    struct sy_segment *segment = object->attachment->segment;
    if (sy_mutex_evicted(hot, principal)) {
        return hot;
    }
    uint32_t named[2] = {sy_get(&object->previous_record), sy_get(&hot->u.mutex.previous)};
    for (size_t i = 0; i < SY_COUNT(named); i++) {
        struct sy_hot *old = named[i] ? sy_hot_at(segment, named[i] - 1) : NULL;
        if (old && sy_mutex_evicted(old, principal)) {
            return old;
        }
    }
    return NULL;
}

static int release_slow(struct sync_mutex *mutex)
{
    struct sync_object *object = &mutex->object;
    struct sy_call call;
    int rc = sy_prepare(object, 0, &call);
    if (rc) {
        return rc;
    }
    SY_HAPPENS_BEFORE(call.hot);
    struct sy_hot *old = evicted_from(mutex, call.principal);
    if (old && old != call.hot) {
        call.hot = old; /* what was taken away is given up first, depth by depth */
    }
    if (object->principal) {
        pthread_mutex_lock(&object->local);
    }
    rc = sy_mutex_release(&call);
    bool over = rc == SYNC_ELOST ? !sy_mutex_evicted(call.hot, call.principal)
                : rc == 0        ? (sy_load(&call.hot->word) & (SY_OWNER | SY_R)) != call.principal
                                 : false;
    if (over && !object->principal && sy_self.holds) {
        sy_self.holds--;
    }
    if (object->principal) {
        pthread_mutex_unlock(&object->local);
    }
    if (rc == SYNC_EPERM) {
        rc = refuse_release(mutex, &call, "released");
    } else if (rc == SYNC_ELOST) {
        rc = lost(mutex);
    }
    sy_done(&call.actor);
    return rc;
}

int sync_mutex_release(sync_mutex *mutex)
{
    SY_CHECK_HANDLE(mutex, SYNC_KIND_MUTEX, "sync_mutex_release");
    return sy_likely(sy_fast_release(&mutex->object)) ? 0 : release_slow(mutex);
}

/* ---- looking ---- */

/* The own principal's id, 0 when this thread never came here. */
static uint32_t own_id(struct sync_mutex *mutex)
{
    struct sync_object *object = &mutex->object;
    if (object->principal) {
        return object->principal_generation == sy_get(&object->attachment->generation)
                   ? object->principal
                   : 0;
    }
    if (sy_self.attachment != object->attachment || !sy_get(sy_alive)) {
        return sy_enlist(object->attachment) ? 0 : sy_self.id;
    }
    return sy_self.id;
}

static bool owns(struct sync_mutex *mutex, uint32_t me)
{
    return me && (sy_load(&sy_load(&mutex->object.hot)->word) & (SY_OWNER | SY_R)) == me;
}

int sync_mutex_check(sync_mutex *mutex)
{
    SY_CHECK_HANDLE(mutex, SYNC_KIND_MUTEX, "sync_mutex_check");
    uint32_t me = own_id(mutex);
    if (sy_likely(owns(mutex, me))) {
        return 0;
    }
    if (me && evicted_from(mutex, me)) {
        return lost(mutex);
    }
    return sy_fail(SYNC_EPERM, "%.200s: not held by this %s", sy_handle_cold(&mutex->object)->name,
                   mutex->object.principal ? "handle" : "thread");
}

int sync_mutex_consistent(sync_mutex *mutex)
{
    int rc = sync_mutex_check(mutex);
    if (rc) {
        return rc;
    }
    struct sy_hot *hot = sy_load(&mutex->object.hot);
    if (!sy_mutex_inconsistent(hot)) {
        return sy_fail(SYNC_EINVAL,
                       "%.200s: nobody died in it, or it was not opened with "
                       "SYNC_DEATH_POISON",
                       sy_handle_cold(&mutex->object)->name);
    }
    sy_put(&hot->u.mutex.depth, sy_get(&hot->u.mutex.depth) & ~(uint64_t)SY_INCONSISTENT);
    return 0;
}

int sync_previous_owner(sync_mutex *mutex, sync_error *ret_error)
{
    SY_CHECK_HANDLE(mutex, SYNC_KIND_MUTEX, "sync_previous_owner");
    /* The token names the ownership, whichever handle it was acquired or released by. */
    uint64_t token = mutex->died_token;
    if (!token || !owns(mutex, own_id(mutex)) ||
        sy_get(&sy_load(&mutex->object.hot)->u.mutex.fence) != token) {
        return 0;
    }
    if (ret_error) {
        memset(ret_error, 0, sizeof(*ret_error));
        ret_error->code = SYNC_OWNER_DIED;
        ret_error->kind = SYNC_KIND_MUTEX;
        ret_error->holder.principal = mutex->died;
        ret_error->holder.state = SYNC_STATE_DEAD;
        if (mutex->object.died) {
            ret_error->holder = *mutex->object.died;
        }
        sy_complete_principal(mutex->object.attachment->segment, &ret_error->holder);
        sy_text_copy(ret_error->object, sizeof(ret_error->object),
                     sy_handle_cold(&mutex->object)->name, SYNC_NAME_MAX);
    }
    return 1;
}

int sync_mutex_token(sync_mutex *mutex, uint64_t *ret_token)
{
    if (!ret_token) {
        return sy_fail(SYNC_EINVAL, "sync_mutex_token: ret_token is NULL");
    }
    int rc = sync_mutex_check(mutex);
    if (!rc) {
        *ret_token = sy_get(&sy_load(&mutex->object.hot)->u.mutex.fence);
    }
    return rc;
}

int sync_mutex_is_locked(sync_mutex *mutex)
{
    SY_CHECK_HANDLE(mutex, SYNC_KIND_MUTEX, "sync_mutex_is_locked");
    struct sy_hot *hot = sy_handle_hot(&mutex->object);
    if (!hot) {
        return sy_refuse_handle("sync_mutex_is_locked", mutex);
    }
    uint32_t word = sy_load(&hot->word);
    return !sy_admits(word) && sy_owner_index(word & SY_OWNER) != SY_NONE;
}

int sync_mutex_depth(sync_mutex *mutex)
{
    SY_CHECK_HANDLE(mutex, SYNC_KIND_MUTEX, "sync_mutex_depth");
    uint32_t me = own_id(mutex);
    return owns(mutex, me) ? (int)sy_mutex_depth_of(sy_load(&mutex->object.hot), me) : 0;
}

/* ---- many ---- */

/* By name: the one order that all processes and all incarnations agree on. */
static int by_name(const void *a, const void *b)
{
    return strcmp(sy_handle_cold(&(*(struct sync_mutex *const *)a)->object)->name,
                  sy_handle_cold(&(*(struct sync_mutex *const *)b)->object)->name);
}

/* A death that the caller of a failed call was never told of is told to the next owner. */
static void roll_back(sync_mutex *mutex, bool died)
{
    struct sy_call call;
    if (!died || sy_prepare(&mutex->object, 0, &call)) {
        sync_mutex_release(mutex);
        return;
    }
    mutex->died_token = 0;
    bool returned = sy_mutex_return_dead(&call, mutex->died);
    if (returned && !mutex->object.principal && sy_self.holds) {
        sy_self.holds--;
    }
    sy_done(&call.actor);
    if (!returned) {
        sync_mutex_release(mutex); /* broken meanwhile: give up what was taken away */
    }
}

int sync_mutex_acquire_many(sync_mutex *const *mutexes, size_t count, sync_timeout timeout)
{
    sync_mutex *order[63];
    if (!mutexes || count == 0 || count > SY_COUNT(order)) {
        return sy_fail(SYNC_EINVAL, "sync_mutex_acquire_many: count is %zu, must be 1-63", count);
    }
    for (size_t i = 0; i < count; i++) {
        SY_CHECK_HANDLE(mutexes[i], SYNC_KIND_MUTEX, "sync_mutex_acquire_many");
        if (mutexes[i]->object.attachment != mutexes[0]->object.attachment) {
            return sy_fail(SYNC_EINVAL, "sync_mutex_acquire_many: mutex %zu is another manager's",
                           i);
        }
        order[i] = mutexes[i];
    }
    if (sy_timeout_bad(timeout)) {
        return sy_refuse_timeout(timeout);
    }
    qsort(order, count, sizeof(order[0]), by_name);
    int64_t deadline = timeout == 0 ? 0 : sy_deadline_of(&order[0]->object, timeout, sy_now());
    uint64_t died = 0; /* a bit per place in `order` */
    for (size_t i = 0; i < count; i++) {
        int rc = sync_mutex_acquire(order[i], timeout == 0 ? 0 : sync_remaining(deadline));
        if (rc < 0) {
            char text[1024];
            sync_error error;
            snprintf(text, sizeof(text), "%s", sync_last_error());
            sync_last_error_info(&error);
            while (i-- > 0) {
                roll_back(order[i], died >> i & 1);
            }
            return sy_fail_info(&error, rc, "%s", text);
        }
        died |= (uint64_t)(rc == SYNC_OWNER_DIED) << i;
    }
    return died ? SYNC_OWNER_DIED : 0;
}

void sync_mutex_close(sync_mutex *mutex)
{
    if (sy_handle_good(sy_object(mutex), SYNC_KIND_MUTEX)) {
        sy_close_handle(&mutex->object);
    }
}

sync_object *sync_mutex_object(sync_mutex *mutex)
{
    return sy_object(mutex);
}

void sync_with_leave(sync_with *with)
{
    if (!SYNC_FAILED(with->rc)) {
        sync_mutex_release(with->mutex);
    }
}
