/* SPDX-License-Identifier: MIT */
/* A forked child owns nothing, is somebody else, and leaves its parent as it was. */
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static sync_mutex *mutex, *by_handle;
static sync_semaphore *semaphore;
static sync_event *event;
static sync_barrier *barrier;

static void a_parent_with_everything(void)
{
    mutex = a_mutex("camera", NULL);
    by_handle = a_mutex("mirror", &(sync_mutex_options){.owner = SYNC_OWNER_HANDLE});
    semaphore = a_semaphore("exposures", 3, 3);
    event = an_event("stop", false);
    barrier = a_barrier("start", 2);
    EXPECT(0, sync_note(lab(), "the parent"));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_acquire(by_handle, 0));
    EXPECT(0, sync_semaphore_acquire_many(semaphore, 2, 0));
}

static void the_parent_has_it_still(void)
{
    uint32_t value;
    sync_info info;
    NUMBER(2, sync_mutex_depth(mutex));
    EXPECT(0, sync_mutex_check(mutex));
    EXPECT(0, sync_mutex_check(by_handle));
    EXPECT(0, sync_semaphore_value(semaphore, &value));
    NUMBER(1, value);
    EXPECT(0, sync_object_info(sync_mutex_object(mutex), &info));
    NUMBER(getpid(), info.holder.pid);
    NUMBER(SYNC_STATE_ALIVE, info.holder.state);
    CHECK(strcmp(info.holder.note, "the parent") == 0);
    NUMBER(0, sy_owner_dead(look(), sy_get(&hot_of("camera")->word), true));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_release(by_handle));
    EXPECT(0, sync_semaphore_release(semaphore, 2));
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(10)));
    EXPECT(0, sync_mutex_release(mutex));
    NUMBER(0, sync_mutex_is_locked(mutex));
    NUMBER(0, sync_mutex_is_locked(by_handle));
}

/* What a child may and may not do with its parent's handles. */
static void the_child_owns_nothing(void)
{
    uint32_t value;
    uint64_t token;
    sync_info info;
    sync_error error;
    EXPECT(SYNC_EPERM, sync_mutex_release(mutex));
    EXPECT(SYNC_EPERM, sync_mutex_check(mutex));
    EXPECT(SYNC_EPERM, sync_mutex_token(mutex, &token));
    NUMBER(0, sync_mutex_depth(mutex));
    NUMBER(1, sync_mutex_is_locked(mutex));
    EXPECT(SYNC_EPERM, sync_mutex_release(by_handle));
    EXPECT(SYNC_EPERM, sync_mutex_check(by_handle));
    NUMBER(0, sync_mutex_depth(by_handle));
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, SYNC_MS(1)));
    EXPECT(0, sync_last_error_info(&error));
    NUMBER(getppid(), error.holder.pid);
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(by_handle, 0));
    EXPECT(SYNC_EPERM, sync_semaphore_release(semaphore, 1));
    EXPECT(0, sync_semaphore_acquire(semaphore, 0));
    EXPECT(0, sync_semaphore_value(semaphore, &value));
    NUMBER(0, value);
    EXPECT(0, sync_semaphore_release(semaphore, 1));
    sync_mutex *own = a_mutex("of the child", NULL);
    EXPECT(0, sync_mutex_acquire(own, 0));
    EXPECT(0, sync_object_info(sync_mutex_object(own), &info));
    NUMBER(getpid(), info.holder.pid);
    NUMBER(sy_gettid(), info.holder.tid);
    CHECK(!info.holder.note[0]);
    EXPECT(0, sync_event_set(event));
    EXPECT(0, sync_event_wait(event, SYNC_S(1)));
    NUMBER(0, sync_barrier_arrive(barrier));
}

static void a_forked_child(void)
{
    a_parent_with_everything();
    joined(spawn(the_child_owns_nothing));
    NUMBER(1, sync_event_is_set(event));
    NUMBER(1, sync_barrier_waiting(barrier));
    the_parent_has_it_still();
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(a_mutex("of the child", NULL), SYNC_S(10)));
}
IN_EACH_LAB(a_forked_child)

/* Behind the library's back: no pthread_atfork runs. */
static void a_child_of_the_bare_system_call(void)
{
    int status;
    a_parent_with_everything();
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    CHECK(pid >= 0);
    if (pid == 0) {
        the_child_owns_nothing();
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    the_parent_has_it_still();
}
IN_EACH_LAB(a_child_of_the_bare_system_call)

static void its_first_call_is_a_release(void)
{
    EXPECT(SYNC_EPERM, sync_mutex_release(mutex));
}
static void its_first_call_is_a_check(void)
{
    EXPECT(SYNC_EPERM, sync_mutex_check(mutex));
}
static void its_first_call_is_a_depth(void)
{
    NUMBER(0, sync_mutex_depth(mutex));
}
static void its_first_call_is_a_try(void)
{
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, 0));
}
static void its_first_call_is_consistent(void)
{
    EXPECT(SYNC_EPERM, sync_mutex_consistent(mutex));
}
static void its_first_call_is_a_note(void)
{
    EXPECT(0, sync_note(lab(), "the child"));
}
static void its_first_call_is_a_close(void)
{
    sync_mutex_close(mutex);
    sync_mutex_close(by_handle);
    sync_semaphore_close(semaphore);
}
static void its_first_call_closes_all(void)
{
    sync_manager_close(lab());
}
static void its_first_call_is_a_set(void)
{
    EXPECT(0, sync_event_set(event));
}
static void its_first_call_is_unlink(void)
{
    EXPECT(SYNC_EBUSY, sync_unlink(lab(), "camera"));
}
static void its_first_call_is_interrupt(void)
{
    EXPECT(0, sync_interrupt(lab()));
}
static void it_makes_no_call(void)
{
}

static void whatever_it_does_first(void)
{
    static void (*const first[])(void) = {
        its_first_call_is_a_release, its_first_call_is_a_check,    its_first_call_is_a_depth,
        its_first_call_is_a_try,     its_first_call_is_consistent, its_first_call_is_a_note,
        its_first_call_is_a_close,   its_first_call_closes_all,    its_first_call_is_a_set,
        its_first_call_is_unlink,    its_first_call_is_interrupt,  it_makes_no_call};
    lab_alone();
    a_parent_with_everything();
    for (size_t i = 0; i < SY_COUNT(first); i++) {
        int status;
        joined(spawn(first[i]));
        pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) {
            first[i]();
            _exit(0);
        }
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
        NUMBER(2, sync_mutex_depth(mutex));
        NUMBER(1, sync_mutex_depth(by_handle));
        struct sy_actor actor = {.segment = look()};
        sy_reap(&actor);
    }
    the_parent_has_it_still();
}

/* The child holds a copy of the parent's descriptor: its byte must go with the parent all the same.
 */
static void the_middle_one(void)
{
    sync_mutex *held = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(held, 0));
    EXPECT(0, sync_semaphore_acquire_many(a_semaphore("exposures", 2, 2), 2, 0));
    pid_t grandchild = fork();
    if (grandchild == 0) {
        raise_flag(0);
        await_flag(1);
        _exit(0);
    }
    for (;;) {
        pause();
    }
}

static void a_child_does_not_keep_its_dead_parent_alive(void)
{
    pid_t pid = spawn(the_middle_one);
    await_flag(0);
    killed(pid);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(a_mutex("camera", NULL), SYNC_S(10)));
    EXPECT(0, sync_semaphore_acquire_many(a_semaphore("exposures", 2, 2), 2, SYNC_S(5)));
    struct sy_actor actor = {.segment = look()};
    sy_reap(&actor);
    sync_manager_state state;
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(1, state.processes);
    raise_flag(1);
}
IN_EACH_LAB(a_child_does_not_keep_its_dead_parent_alive)

static int forks(struct job *job)
{
    (void)job;
    joined(spawn(the_child_owns_nothing));
    return 0;
}

static void forked_from_another_thread(void)
{
    lab_alone();
    a_parent_with_everything();
    struct job job = {.call = forks};
    job_start(&job);
    EXPECT(0, job_end(&job));
    EXPECT(0, sync_event_clear(event));
    the_parent_has_it_still();
}

static void generations(void)
{
    sync_mutex *own = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(own, SYNC_S(10)));
    EXPECT(0, sync_mutex_release(own));
    if (atomic_fetch_add(&board->value[0], 1) < 4) {
        joined(spawn(generations));
        EXPECT(0, sync_mutex_acquire(own, SYNC_S(10)));
        EXPECT(0, sync_mutex_release(own));
    }
}

static void children_of_children(void)
{
    lab_alone();
    generations();
    NUMBER(5, atomic_load(&board->value[0]));
    sync_info info;
    EXPECT(0, sync_object_info(sync_mutex_object(a_mutex("camera", NULL)), &info));
    NUMBER(0, info.deaths);
}

HARNESS_MAIN(CASES_IN_EACH_LAB(a_forked_child), CASES_IN_EACH_LAB(a_child_of_the_bare_system_call),
             CASE(whatever_it_does_first),
             CASES_IN_EACH_LAB(a_child_does_not_keep_its_dead_parent_alive),
             CASE(forked_from_another_thread), CASE(children_of_children))
