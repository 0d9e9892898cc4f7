/* SPDX-License-Identifier: MIT */
/* Threads come and go; signal handlers come in between. */
#include "tests/support.h"

#include <errno.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* ---- coming and going ---- */

static uint32_t live_threads(void)
{
    sync_manager_state state;
    EXPECT(0, sync_manager_info(lab(), &state));
    return state.threads;
}

static void a_threads_slot_goes_with_it(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    for (int i = 0; i < 600; i++) { /* more than there are slots */
        struct job job = {.call = acquires_and_releases, .handle = mutex, .timeout = SYNC_S(5)};
        job_start(&job);
        EXPECT(0, job_end(&job));
        NUMBER(1, live_threads());
    }
    sync_info info;
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(0, info.deaths);
}

static void so_does_one_that_held(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    for (int i = 0; i < 300; i++) {
        struct job job = {.call = acquires, .handle = mutex, .timeout = SYNC_S(5)};
        job_start(&job);
        EXPECT(i ? SYNC_OWNER_DIED : 0, job_end(&job));
        NUMBER(0, sync_mutex_is_locked(mutex));
        NUMBER(1, live_threads());
    }
}

static pthread_key_t late;
static sync_mutex *last_will;
static sync_event *last_word;
static void says_goodbye(void *argument)
{
    /* Rounds of destructors have no order: ours may come after the library's. */
    EXPECT(0, sync_mutex_acquire(last_will, SYNC_S(5)));
    EXPECT(0, sync_mutex_release(last_will));
    EXPECT(0, sync_event_set(last_word));
    if ((intptr_t)argument < 3) {
        pthread_setspecific(late, (void *)((intptr_t)argument + 1));
    }
    raise_flag(0);
}

static int lives_with_a_destructor(struct job *job)
{
    pthread_setspecific(late, (void *)(intptr_t)1);
    return job->number ? sync_mutex_acquire(last_will, 0) || sync_mutex_release(last_will) : 0;
}

static void destructors_may_use_the_library(void)
{
    lab_alone();
    last_will = a_mutex("camera", NULL);
    last_word = an_event("gone", false);
    CHECK(pthread_key_create(&late, says_goodbye) == 0);
    for (int i = 0; i < 600; i++) { /* more than there are slots */
        struct job job = {.call = lives_with_a_destructor, .number = i % 2};
        job_start(&job);
        EXPECT(0, job_end(&job));
        NUMBER(0, sync_mutex_is_locked(last_will));
        NUMBER(1, sync_event_is_set(last_word));
        EXPECT(0, sync_event_clear(last_word));
    }
    await_flag(0);
}

static void holds_in_its_destructor(void *argument)
{
    (void)argument;
    EXPECT(0, sync_mutex_acquire(last_will, SYNC_S(5)));
}

static void what_a_destructor_holds_is_passed_on(void)
{
    lab_alone();
    last_will = a_mutex("camera", NULL);
    CHECK(pthread_key_create(&late, holds_in_its_destructor) == 0);
    struct job job = {.call = lives_with_a_destructor};
    job_start(&job);
    EXPECT(0, job_end(&job));
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(last_will, SYNC_S(5)));
}

/* ---- handlers ---- */

static sync_event *event;
static _Atomic uint64_t handled;
static void sets(int number)
{
    (void)number;
    int before = errno;
    errno = EXDEV;
    int rc = sync_event_set(event);
    if (rc != 0 || errno != EXDEV) {
        _exit(99);
    }
    errno = before;
    atomic_fetch_add(&handled, 1);
}

static void on(int number, void (*function)(int))
{
    struct sigaction action = {.sa_handler = function, .sa_flags = SA_NODEFER};
    CHECK(sigaction(number, &action, NULL) == 0);
}

static void owes_nothing(void)
{
    for (uint32_t i = 0; i < sy_committed(look(), SY_EXECUTORS); i++) {
        for (int level = 0; level < SY_LEVELS; level++) {
            NUMBER(0, sy_get(&sy_executor_at(look(), i)->owed[level].record));
        }
    }
    struct sy_process *process = sy_process_at(look(), lab()->attachment->segment->process);
    for (int i = 0; i < SY_HANDLER_CELLS; i++) {
        NUMBER(0, sy_get(&process->handlers[i].claimed));
    }
}

static int cycles(struct job *job)
{
    sync_mutex *mutex = job->handle;
    uint64_t rounds = 0;
    while (!atomic_load(&board->flag[0])) {
        EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(20)));
        EXPECT(0, sync_mutex_release(mutex));
        rounds++;
        raise_flag(2);
    }
    CHECK(rounds > 0);
    return 0;
}

static int waits_again_and_again(struct job *job)
{
    (void)job;
    while (!atomic_load(&board->flag[0])) {
        int rc = sync_event_wait(event, SYNC_MS(50));
        CHECK(rc == 0 || rc == SYNC_ETIMEDOUT);
    }
    return 0;
}

/* Signals rain on threads that acquire, release and wait, so that some fall in the midst of each.
 */
static void a_storm_of_handlers(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    event = an_event("tick", true);
    on(SIGALRM, sets);
    on(SIGUSR1, sets);
    struct job jobs[3] = {{.call = cycles, .handle = mutex},
                          {.call = cycles, .handle = mutex},
                          {.call = waits_again_and_again}};
    for (int i = 0; i < 3; i++) {
        job_start(&jobs[i]);
    }
    struct itimerval often = {{0, 500}, {0, 500}};
    setitimer(ITIMER_REAL, &often, NULL);
    await_flag(2);
    int64_t end = sy_now() + 700000000;
    while (sy_now() < end) {
        for (int i = 0; i < 3; i++) {
            pthread_kill(jobs[i].thread, SIGUSR1);
        }
        EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(20)));
        EXPECT(0, sync_mutex_release(mutex));
    }
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    raise_flag(0);
    for (int i = 0; i < 3; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    CHECK(atomic_load(&handled) > 100);
    owes_nothing();
    NUMBER(0, sync_mutex_is_locked(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    NUMBER(1, sync_mutex_depth(mutex));
}

/* At a chosen point: between a release's promise to wake and its wake. The handler's own promise
 * must neither overwrite that one nor be overwritten. */
static void nested_in_a_release_it_keeps_both_promises(void)
{
    struct sy_actor outer, inner;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    event = an_event("tick", false);
    uint32_t m = record_of("camera"), e = record_of("tick");
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sy_begin(lab()->attachment, &outer));
    sy_owe(&outer, m, sy_hot_generation(hot_of("camera")));
    int cell = sy_begin_handler(lab()->attachment, &inner);
    NUMBER(-1, cell);
    CHECK(inner.owed && inner.owed != outer.owed && inner.executor == outer.executor);
    sy_owe(&inner, e, sy_hot_generation(hot_of("tick")));
    NUMBER(m + 1, sy_get(&outer.owed->record));
    NUMBER(e + 1, sy_get(&inner.owed->record));
    sy_paid(&inner);
    sy_done_handler(lab()->attachment, &inner, cell);
    NUMBER(m + 1, sy_get(&outer.owed->record));
    on(SIGUSR1, sets);
    raise(SIGUSR1);
    NUMBER(1, sync_event_is_set(event));
    NUMBER(m + 1, sy_get(&outer.owed->record));
    sy_paid(&outer);
    sy_done(&outer);
    EXPECT(0, sync_mutex_release(mutex));
    owes_nothing();
}

static _Atomic int deepest;
static void sets_and_nests(int number)
{
    int depth = atomic_fetch_add(&deepest, 1);
    sets(number);
    if (depth < 3 * SY_LEVELS) {
        raise(number);
    }
}

/* More levels than there are cells: the set happens all the same. */
static void handlers_within_handlers(void)
{
    lab_alone();
    event = an_event("tick", false);
    struct job job = {.call = waits_for_event, .handle = event, .timeout = SYNC_S(10)};
    job_start(&job);
    await_sleepers("tick", 1);
    on(SIGUSR1, sets_and_nests);
    struct sy_actor outer;
    EXPECT(0, sy_begin(lab()->attachment, &outer));
    raise(SIGUSR1);
    sy_done(&outer);
    EXPECT(0, job_end(&job));
    NUMBER(3 * SY_LEVELS + 1, atomic_load(&deepest));
    NUMBER(0, sy_self.thread->level);
    owes_nothing();
}

static int never_registers(struct job *job)
{
    (void)job;
    CHECK(!sy_self.thread);
    raise(SIGUSR1);
    CHECK(!sy_self.thread);
    return 0;
}

static void in_a_thread_that_never_came_here(void)
{
    lab_alone();
    event = an_event("tick", false);
    on(SIGUSR1, sets);
    uint32_t threads = live_threads();
    struct job waiter = {.call = waits_for_event, .handle = event, .timeout = SYNC_S(10)};
    job_start(&waiter);
    await_sleepers("tick", 1);
    struct job job = {.call = never_registers};
    job_start(&job);
    EXPECT(0, job_end(&job));
    EXPECT(0, job_end(&waiter));
    NUMBER(1, sync_event_is_set(event));
    CHECK(live_threads() <= threads + 1);
    owes_nothing();
}

static void all_handler_cells_taken(void)
{
    lab_alone();
    event = an_event("tick", false);
    on(SIGUSR1, sets);
    struct sy_process *process = sy_process_at(look(), lab()->attachment->segment->process);
    for (int i = 0; i < SY_HANDLER_CELLS; i++) {
        sy_put(&process->handlers[i].claimed, 1);
    }
    struct job job = {.call = never_registers};
    job_start(&job);
    EXPECT(0, job_end(&job));
    NUMBER(1, sync_event_is_set(event));
    NUMBER(1, sy_get(&process->handlers[0].claimed));
}

/* ---- longjmp ---- */

static sigjmp_buf away;
static void jumps(int number)
{
    (void)number;
    siglongjmp(away, 1);
}

/* Out of a section that the library guards: the guard is this thread's own when it comes back. */
static void longjmp_out_of_a_guard(void)
{
    struct sy_wait wait;
    uint32_t value;
    lab_alone();
    sync_semaphore *s = a_semaphore("exposures", 2, 2);
    uint32_t record = record_of("exposures");
    on(SIGUSR1, jumps);
    if (!sigsetjmp(away, 1)) {
        struct sy_actor actor;
        EXPECT(0, sy_begin(lab()->attachment, &actor));
        NUMBER(SY_GOT, sy_guard_try(&actor, &sy_hot_at(look(), record)->guard, &wait));
        /* As if cut off between the fact and its cache. */
        struct sy_open *entry;
        EXPECT(0, sy_opened_entry(sync_semaphore_object(s), &entry));
        sy_put(&entry->permits, 1);
        raise(SIGUSR1);
    }
    NUMBER(sy_self.id, sy_get(&hot_of("exposures")->guard) & SY_OWNER);
    EXPECT(0, sync_semaphore_acquire(s, 0)); /* repairs: one was taken before the jump */
    EXPECT(0, sync_semaphore_value(s, &value));
    NUMBER(0, value);
    NUMBER(0, sy_get(&hot_of("exposures")->guard) & SY_OWNER);
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire(s, 0));
    EXPECT(0, sync_semaphore_release(s, 2));
    EXPECT(0, sync_semaphore_value(s, &value));
    NUMBER(2, value);
}

static int other_takes(struct job *job)
{
    return sync_semaphore_acquire(job->handle, job->timeout);
}

static void others_wait_for_it_no_longer_than_they_said(void)
{
    struct sy_wait wait;
    struct sy_actor actor;
    lab_alone();
    sync_semaphore *s = a_semaphore("exposures", 2, 2);
    EXPECT(0, sy_begin(lab()->attachment, &actor));
    NUMBER(SY_GOT, sy_guard_try(&actor, &hot_of("exposures")->guard, &wait));
    struct job tries = {.call = other_takes, .handle = s, .timeout = 0};
    job_start(&tries);
    EXPECT(SYNC_EBUSY, job_end(&tries));
    HOLDS(tries.text, "is inside this object and does not go on");
    NUMBER(getpid(), tries.error.holder.pid);
    struct job waits = {.call = other_takes, .handle = s, .timeout = SYNC_MS(40)};
    job_start(&waits);
    EXPECT(SYNC_ETIMEDOUT, job_end(&waits));
    struct job patient = {.call = other_takes, .handle = s, .timeout = SYNC_S(10)};
    job_start(&patient);
    await_sleepers("exposures", 1);
    sy_guard_release(&actor, &hot_of("exposures")->guard, record_of("exposures"),
                     sy_hot_generation(hot_of("exposures")));
    sy_done(&actor);
    EXPECT(0, job_end(&patient));
}

/* Out of a wait, by a handler: nothing promised, nothing published for ever. */
static void longjmp_out_of_a_wait(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    struct job holder = {.call = cycles, .handle = mutex};
    event = an_event("never", false);
    on(SIGALRM, jumps);
    if (!sigsetjmp(away, 1)) {
        struct itimerval soon = {{0, 0}, {0, 20000}};
        setitimer(ITIMER_REAL, &soon, NULL);
        EXPECT(0, sync_event_wait(event, SYNC_FOREVER));
        check_failed(__FILE__, __LINE__, "the wait ended");
    }
    /* Its next operation is whole. */
    job_start(&holder);
    await_flag(2);
    for (int i = 0; i < 200; i++) {
        EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(20)));
        EXPECT(0, sync_mutex_release(mutex));
    }
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(event, SYNC_MS(1)));
    NUMBER(0, sleepers_on("never"));
    raise_flag(0);
    EXPECT(0, job_end(&holder));
}

HARNESS_MAIN(CASE(a_threads_slot_goes_with_it), CASE(so_does_one_that_held),
             CASE(destructors_may_use_the_library), CASE(what_a_destructor_holds_is_passed_on),
             CASE(a_storm_of_handlers), CASE(nested_in_a_release_it_keeps_both_promises),
             CASE(handlers_within_handlers), CASE(in_a_thread_that_never_came_here),
             CASE(all_handler_cells_taken), CASE(longjmp_out_of_a_guard),
             CASE(others_wait_for_it_no_longer_than_they_said), CASE(longjmp_out_of_a_wait))
