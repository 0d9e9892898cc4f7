/* SPDX-License-Identifier: MIT */
/* Threads register at their first use of a segment and leave when they end. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/valgrind.h"
#include "direct/direct.h"

__thread struct sy_self sy_self __attribute__((tls_model("initial-exec")));
static __thread struct sy_thread *threads __attribute__((tls_model("initial-exec")));
static __thread bool postponed __attribute__((tls_model("initial-exec")));

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_error;

/* ---- the life word ---- */

static void life_begin(struct sy_executor *executor)
{
    pthread_mutexattr_t attributes;
    sy_put(&executor->has_life, 0);
    memset(&executor->life, 0, sizeof(executor->life));
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&executor->life, &attributes);
    pthread_mutexattr_destroy(&attributes);
    pthread_mutex_lock(&executor->life);
    SY_LIFE_HIDE(&executor->life);
    /* So that the kernel's walk over the dead thread's list always wakes. */
    atomic_fetch_or(sy_life_word(executor), FUTEX_WAITERS);
    sy_store_sc(&executor->has_life, sy_has_robust_list());
}

static void life_end(struct sy_executor *executor)
{
    SY_LIFE_SHOW(&executor->life);
    pthread_mutex_unlock(&executor->life);
    sy_futex_wake(sy_life_word(executor), INT_MAX);
}

/* ---- coming and going ---- */

static void use(struct sy_thread *thread)
{
    sy_self.thread = thread;
    sy_self.id = thread->id;
    atomic_signal_fence(memory_order_seq_cst);
    sy_self.attachment = thread->attachment;
}

/* With nothing held the slot is given back at once. Otherwise the slot says EXITED first, so that
 * whoever the life word wakes finds its owner dead, and what it held is passed on from here: no
 * daemon is needed for that. */
static void leave(struct sy_thread *thread, bool holds)
{
    struct sy_segment *segment = thread->attachment->segment;
    bool mine = thread->generation == sy_get(&thread->attachment->generation);
    if (!mine) {
        return; /* the parent's slot */
    }
    if (holds) {
        struct sy_actor reaper;
        sy_principal_leave(segment, thread->id, SY_SLOT_EXITED);
        life_end(thread->executor);
        if (sy_reaper_begin(segment, &reaper)) {
            sy_reap_one(&reaper, thread->id);
            sy_reaper_end(&reaper);
        }
    } else {
        life_end(thread->executor);
        sy_principal_leave(segment, thread->id, SY_SLOT_FREE);
    }
}

void sy_thread_exit(void)
{
    if (!sy_get(sy_alive)) {
        sy_fork_notice();
    }
    struct sy_thread *thread = threads;
    threads = NULL;
    sy_self.attachment = NULL;
    while (thread) {
        struct sy_thread *next = thread->next;
        /* Cut off inside an operation (pthread_exit in a handler, longjmp out of a wait), it may
         * owe. */
        bool inside = sy_get(&thread->level) || sy_get(&thread->executor->waiting.count);
        leave(thread, sy_self.holds != 0 || inside);
        free(thread);
        thread = next;
    }
}

/* What is still held may be about to be released by another destructor of this round: then go in
 * the next one. A destructor that uses the library later registers again, and is called again. */
static void thread_end(void *list)
{
    if (sy_self.holds && !postponed && pthread_setspecific(key, list) == 0) {
        postponed = true;
        return;
    }
    sy_thread_exit();
}

static void make_key(void)
{
    key_error = pthread_key_create(&key, thread_end);
}

/* In a forked child the parent's registrations are dropped, not undone. Freeing them is left out: a
 * fork in a handler may have interrupted malloc. */
void sy_threads_forked(void)
{
    threads = NULL;
    postponed = false;
    memset(&sy_self, 0, sizeof(sy_self));
}

int sy_enlist(struct sy_attachment *attachment)
{
    if (sy_unlikely(!sy_get(sy_alive))) {
        sy_fork_notice();
    }
    for (struct sy_thread *thread = threads; thread; thread = thread->next) {
        if (thread->attachment == attachment) {
            use(thread);
            return 0;
        }
    }
    pthread_once(&once, make_key);
    if (key_error) {
        return sy_fail(SYNC_ENOMEM, "no thread-specific key left for libsync");
    }
    int rc = sy_reattach(attachment);
    if (rc) {
        return rc;
    }
    struct sy_thread *thread = calloc(1, sizeof(*thread));
    if (!thread) {
        return sy_fail(SYNC_ENOMEM, "out of memory for a thread");
    }
    rc = sy_principal_claim(attachment->segment, true, SYNC_PRINCIPAL_THREAD, &thread->index);
    if (rc && sy_make_room(attachment->segment, rc)) {
        rc = sy_principal_claim(attachment->segment, true, SYNC_PRINCIPAL_THREAD, &thread->index);
    }
    if (rc) {
        free(thread);
        return rc;
    }
    thread->attachment = attachment;
    thread->executor = sy_executor_at(attachment->segment, thread->index);
    thread->id = sy_principal_id(attachment->segment, thread->index);
    thread->generation = sy_get(&attachment->generation);
    life_begin(thread->executor);
    thread->next = threads;
    threads = thread;
    pthread_setspecific(key, thread);
    use(thread);
    return 0;
}

/* ---- operations ---- */

static void take_level(struct sy_thread *thread, struct sy_actor *ret_actor)
{
    uint32_t level = sy_get(&thread->level);
    if (level == 0) {
        /* Some of the kernel's calls below are cancellation points: a thread that was unwound in
         * the middle of an operation would leave it half done. */
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &thread->cancel_state);
    }
    sy_put(&thread->level, level + 1);
    ret_actor->segment = thread->attachment->segment;
    ret_actor->executor = thread->executor;
    ret_actor->id = thread->id;
    ret_actor->slept = false;
    ret_actor->owed = level < SY_LEVELS ? &thread->executor->owed[level] : NULL;
}

int sy_begin(struct sy_attachment *attachment, struct sy_actor *ret_actor)
{
    if (sy_unlikely(sy_self.attachment != attachment || !sy_get(sy_alive))) {
        int rc = sy_enlist(attachment);
        if (rc) {
            return rc;
        }
    }
    take_level(sy_self.thread, ret_actor);
    return 0;
}

static struct sy_thread *thread_of(struct sy_executor *executor)
{
    for (struct sy_thread *thread = threads; thread; thread = thread->next) {
        if (thread->executor == executor) {
            return thread;
        }
    }
    return NULL;
}

void sy_done(const struct sy_actor *actor)
{
    struct sy_thread *thread = thread_of(actor->executor);
    if (!thread) {
        return;
    }
    uint32_t level = sy_get(&thread->level) - 1;
    sy_put(&thread->level, level);
    if (level == 0) {
        int unused;
        pthread_setcancelstate(thread->cancel_state, &unused);
    }
}

int sy_begin_handler(struct sy_attachment *attachment, struct sy_actor *ret_actor)
{
    struct sy_segment *segment = attachment->segment;
    memset(ret_actor, 0, sizeof(*ret_actor));
    ret_actor->segment = segment;
    if (!sy_get(sy_alive)) {
        return -1; /* a forked child's handler: the parent's slot is never written */
    }
    for (struct sy_thread *thread = threads; thread; thread = thread->next) {
        if (thread->attachment == attachment &&
            thread->generation == sy_get(&attachment->generation)) {
            take_level(thread, ret_actor);
            return -1;
        }
    }
    uint32_t index = segment->process;
    struct sy_process *process = index == SY_NONE ? NULL : sy_process_at(segment, index);
    for (int i = 0; process && i < SY_HANDLER_CELLS; i++) {
        uint32_t nobody = 0;
        if (sy_cas32(&process->handlers[i].claimed, &nobody, 1)) {
            ret_actor->owed = &process->handlers[i].owed;
            return i;
        }
    }
    return -1;
}

void sy_done_handler(struct sy_attachment *attachment, const struct sy_actor *actor, int cell)
{
    if (actor->executor) {
        sy_done(actor);
    } else if (cell >= 0) {
        struct sy_process *process = sy_process_at(attachment->segment,
                                                   attachment->segment->process);
        if (process) {
            sy_store(&process->handlers[cell].claimed, 0);
        }
    }
}
