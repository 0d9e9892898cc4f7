/* SPDX-License-Identifier: MIT */
/* An owner dies, in each way there is: whoever waits is let in and told, whether or not a manager
 * lives. */
#include "tests/support.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static pid_t victim;
static int victim_tid; /* on the board: the child knows it */

static void take_everything(void)
{
    sync_mutex *mutex = a_mutex("camera", NULL);
    sync_semaphore *semaphore = a_semaphore("exposures", 3, 3);
    EXPECT(0, sync_note(lab(), "dark frames"));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_semaphore_acquire_many(semaphore, 2, 0));
    atomic_store(&board->value[0], sy_gettid());
    raise_flag(0);
}

static struct job waiter, counter;

static void wait_behind_the_victim(void)
{
    await_flag(0);
    victim_tid = (int)atomic_load(&board->value[0]);
    waiter = (struct job){
        .call = acquires, .handle = a_mutex("camera", NULL), .timeout = SYNC_S(15)};
    counter = (struct job){.call = takes_permits,
                           .handle = a_semaphore("exposures", 3, 3),
                           .number = 3,
                           .timeout = SYNC_S(15)};
    job_start(&waiter);
    job_start(&counter);
    await_sleepers("camera", 1);
    await_sleepers("exposures", 1);
}

/* Both got it, and heard of whom. */
static void the_next_ones_go_on(int64_t died_at)
{
    sync_mutex *mutex = waiter.handle;
    EXPECT(SYNC_OWNER_DIED, job_end(&waiter));
    NUMBER(victim, waiter.error.holder.pid);
    NUMBER(victim_tid, waiter.error.holder.tid);
    NUMBER(SYNC_STATE_DEAD, waiter.error.holder.state);
    CHECK(strcmp(waiter.error.holder.note, "dark frames") == 0);
    HOLDS(waiter.text, "camera: acquired; tester[");
    HOLDS(waiter.text, "\"dark frames\" died holding it");
    EXPECT(0, job_end(&counter));
    CHECK(sy_now() - died_at < 5000000000);
    uint32_t value;
    EXPECT(0, sync_semaphore_value(counter.handle, &value));
    NUMBER(0, value);
    EXPECT(0, sync_semaphore_release(counter.handle, 3));
    EXPECT(SYNC_EPERM, sync_semaphore_release(counter.handle, 1)); /* three, and not one more */
    /* The waiter's own thread ended holding: passed on once more. */
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, SYNC_S(15)));
    NUMBER(1, sync_mutex_depth(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_mutex_release(mutex));
}

/* ---- SIGKILL ---- */

static void holds_until_killed(void)
{
    take_everything();
    for (;;) {
        pause();
    }
}

static void killed_while_others_wait(void)
{
    victim = spawn(holds_until_killed);
    wait_behind_the_victim();
    int64_t now = sy_now();
    killed(victim);
    the_next_ones_go_on(now);
}
IN_EACH_LAB(killed_while_others_wait)

static void killed_before_anyone_came(void)
{
    victim = spawn(holds_until_killed);
    await_flag(0);
    killed(victim);
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, SYNC_S(15)));
    NUMBER(1, sync_mutex_depth(mutex));
    sync_semaphore *semaphore = a_semaphore("exposures", 3, 3);
    EXPECT(0, sync_semaphore_acquire_many(semaphore, 3, SYNC_S(15)));
}
IN_EACH_LAB(killed_before_anyone_came)

/* A stopped one is alive: never robbed, and told of. */
static void stopped_it_keeps_what_it_has(void)
{
    victim = spawn(holds_until_killed);
    await_flag(0);
    stopped(victim);
    sync_mutex *mutex = a_mutex("camera", NULL);
    sync_error error;
    for (int i = 0; i < 2; i++) {
        EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, i ? SYNC_MS(300) : 0));
        SAYS("STOPPED (kill -CONT lets it go on)");
        EXPECT(0, sync_last_error_info(&error));
        NUMBER(SYNC_STATE_STOPPED, error.holder.state);
        NUMBER(victim, error.holder.pid);
    }
    killed(victim);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, SYNC_S(15)));
}
IN_EACH_LAB(stopped_it_keeps_what_it_has)

/* ---- the end of a thread ---- */

static int leaves_by_pthread_exit(struct job *job)
{
    (void)job;
    take_everything();
    await_flag(1);
    pthread_exit(NULL);
}

static int waits_to_be_cancelled(struct job *job)
{
    take_everything();
    for (;;) {
        pause();
    }
    return job->rc;
}

static void a_thread_ends(bool cancel)
{
    struct job job = {.call = cancel ? waits_to_be_cancelled : leaves_by_pthread_exit};
    lab();
    victim = getpid();
    job_start(&job);
    wait_behind_the_victim();
    int64_t now = sy_now();
    raise_flag(1);
    if (cancel) {
        CHECK(pthread_cancel(job.thread) == 0);
    }
    CHECK(pthread_join(job.thread, NULL) == 0);
    /* Permits are the process', not the thread's. */
    CHECK(!atomic_load(&counter.done));
    EXPECT(0, sync_semaphore_release(counter.handle, 2));
    the_next_ones_go_on(now);
}

static void a_thread_exits_holding(void)
{
    a_thread_ends(false);
}
IN_EACH_LAB(a_thread_exits_holding)

static void a_thread_is_cancelled_holding(void)
{
    a_thread_ends(true);
}
IN_EACH_LAB(a_thread_is_cancelled_holding)

/* ---- exec ---- */

static void becomes_another_program(void)
{
    execlp("sleep", "sleep", "60", (char *)NULL);
    _exit(1);
}

static void execs_from_main(void)
{
    take_everything();
    await_flag(1);
    becomes_another_program();
}

static int takes_and_execs(struct job *job)
{
    (void)job;
    take_everything();
    await_flag(1);
    becomes_another_program();
    return 0;
}

static void execs_from_a_thread(void)
{
    struct job job = {.call = takes_and_execs};
    job_start(&job);
    for (;;) {
        pause();
    }
}

static int only_execs(struct job *job)
{
    (void)job;
    await_flag(1);
    becomes_another_program();
    return 0;
}

static void another_thread_execs(void)
{
    struct job job = {.call = only_execs};
    job_start(&job);
    take_everything();
    for (;;) {
        pause();
    }
}

static void it_execs(void (*function)(void))
{
    victim = spawn(function);
    wait_behind_the_victim();
    int64_t now = sy_now();
    raise_flag(1);
    the_next_ones_go_on(now);
    CHECK(kill(victim, 0) == 0 && sy_pid_exists(victim)); /* it lives on, as somebody else */
    killed(victim);
}

static void the_owner_execs_from_main(void)
{
    it_execs(execs_from_main);
}
IN_EACH_LAB(the_owner_execs_from_main)

static void the_owner_execs_from_a_thread(void)
{
    it_execs(execs_from_a_thread);
}
IN_EACH_LAB(the_owner_execs_from_a_thread)

static void another_thread_of_the_owner_execs(void)
{
    it_execs(another_thread_execs);
}
IN_EACH_LAB(another_thread_of_the_owner_execs)

/* A program made by exec from a killed one's last act is no heir: dead before, dead after. */
static void it_execs_and_is_killed(void)
{
    victim = spawn(execs_from_a_thread);
    wait_behind_the_victim();
    int64_t now = sy_now();
    raise_flag(1);
    AWAIT(sy_pid_maps_file(victim, look()->device, look()->inode) == 0);
    killed(victim);
    the_next_ones_go_on(now);
}
IN_EACH_LAB(it_execs_and_is_killed)

HARNESS_MAIN(
    CASES_IN_EACH_LAB(killed_while_others_wait), CASES_IN_EACH_LAB(killed_before_anyone_came),
    CASES_IN_EACH_LAB(stopped_it_keeps_what_it_has), CASES_IN_EACH_LAB(a_thread_exits_holding),
    CASES_IN_EACH_LAB(a_thread_is_cancelled_holding), CASES_IN_EACH_LAB(the_owner_execs_from_main),
    CASES_IN_EACH_LAB(the_owner_execs_from_a_thread),
    CASES_IN_EACH_LAB(another_thread_of_the_owner_execs), CASES_IN_EACH_LAB(it_execs_and_is_killed))
