/* SPDX-License-Identifier: MIT */
/* What ends a sleep, and what does not; and what is done when the kernel has no better way to
 * sleep. */
#include "tests/support.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/time.h>

static void nothing(int number)
{
    (void)number;
}

static void on_signal(int flags)
{
    struct sigaction action = {.sa_handler = nothing, .sa_flags = flags};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
}

static sync_manager *interruptible_lab(void)
{
    static sync_manager *manager;
    sync_manager_options options = {.no_autostart = 1, .interruptible = 1, .label = "tester"};
    EXPECT(0, sync_manager_connect(NULL, &options, &manager));
    return manager;
}

static void make_all(sync_manager *manager, void *handles[4])
{
    EXPECT(0, sync_mutex_open(manager, "m", NULL, (sync_mutex **)&handles[0]));
    EXPECT(0, sync_semaphore_open(manager, "s", &(sync_semaphore_options){.maximum = 1},
                                  (sync_semaphore **)&handles[1]));
    EXPECT(0, sync_event_open(manager, "e", NULL, (sync_event **)&handles[2]));
    EXPECT(0, sync_barrier_open(manager, "b", &(sync_barrier_options){.parties = 2},
                                (sync_barrier **)&handles[3]));
    EXPECT(0, sync_mutex_acquire(handles[0], 0));
}

static struct job jobs[4];
static const char *const names[] = {"m", "s", "e", "b"};
static void all_wait(void *handles[4])
{
    static int (*const calls[])(struct job *) = {acquires, takes_permits, waits_for_event,
                                                 waits_at_barrier};
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){
            .call = calls[i], .handle = handles[i], .number = 1, .timeout = SYNC_FOREVER};
        job_start(&jobs[i]);
    }
    for (int i = 0; i < 4; i++) {
        await_sleepers(names[i], 1);
    }
}

static void a_handler_ends_interruptible_waits(void)
{
    void *handles[4];
    lab_alone();
    make_all(interruptible_lab(), handles);
    for (int flags = 0; flags < 2; flags++) {
        on_signal(flags ? SA_RESTART : 0);
        all_wait(handles);
        for (int i = 0; i < 4; i++) {
            while (!atomic_load(&jobs[i].done)) { /* one may come just before the sleep */
                pthread_kill(jobs[i].thread, SIGUSR1);
                nap();
            }
            EXPECT(SYNC_EINTR, job_end(&jobs[i]));
            NUMBER(SYNC_EINTR, jobs[i].error.code);
            NUMBER(0, sleepers_on(names[i]));
        }
        EXPECT(0, sync_barrier_reset(handles[3]));
    }
    EXPECT(0, sync_mutex_release(handles[0]));
    EXPECT(0, sync_mutex_acquire(handles[0], 0));
}

static void others_go_on_waiting(void)
{
    void *handles[4];
    lab_alone();
    make_all(lab(), handles);
    on_signal(0);
    all_wait(handles);
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 4; i++) {
            CHECK(!atomic_load(&jobs[i].done));
            NUMBER(1, sleepers_on(names[i]));
            pthread_kill(jobs[i].thread, SIGUSR1);
        }
        nap();
    }
    EXPECT(0, sync_mutex_release(handles[0]));
    EXPECT(SYNC_EPERM, sync_semaphore_release(handles[1], 1)); /* bounded, and not held */
    EXPECT(0, sync_event_set(handles[2]));
    EXPECT(1, sync_barrier_arrive(handles[3]));
    EXPECT(0, job_end(&jobs[0]));
    EXPECT(0, job_end(&jobs[2]));
    EXPECT(0, job_end(&jobs[3]));
    EXPECT(0, sync_interrupt(lab()));
    EXPECT(SYNC_EINTR, job_end(&jobs[1]));
}

/* Signals all the while must not move the deadline. */
static void a_deadline_stands_under_signals(void)
{
    lab_alone();
    sync_event *event = an_event("e", false);
    struct sigaction action = {.sa_handler = nothing};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval often = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_REAL, &often, NULL);
    int64_t began = sy_now();
    EXPECT(SYNC_ETIMEDOUT, sync_event_wait(event, SYNC_MS(200)));
    int64_t took = sy_now() - began;
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    CHECK(took >= 200000000 && took < 2000000000);
}

static int64_t cpu_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000ll +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000ll;
}

static void a_wait_is_a_sleep(void)
{
    void *handles[4];
    lab_alone();
    make_all(lab(), handles);
    for (int i = 1; i < 4; i++) {
        int64_t before = cpu_time();
        int rc = i == 1   ? sync_semaphore_acquire(handles[1], SYNC_MS(250))
                 : i == 2 ? sync_event_wait(handles[2], SYNC_MS(250))
                          : sync_barrier_wait(handles[3], SYNC_MS(250));
        EXPECT(SYNC_ETIMEDOUT, rc);
        CHECK(cpu_time() - before < 60000000);
    }
}

/* ---- fallbacks, forced here and called that ---- */

static int hands_over(struct job *job)
{
    for (int i = 0; i < 200; i++) {
        EXPECT(0, sync_mutex_acquire(job->handle, SYNC_S(20)));
        nap();
        EXPECT(0, sync_mutex_release(job->handle));
    }
    return 0;
}

static void all_four_kinds_hand_over(void)
{
    void *handles[4];
    lab_alone();
    make_all(lab(), handles);
    all_wait(handles);
    EXPECT(0, sync_mutex_release(handles[0]));
    EXPECT(0, job_end(&jobs[0]));
    EXPECT(0, sync_event_set(handles[2]));
    EXPECT(0, job_end(&jobs[2]));
    EXPECT(1, sync_barrier_arrive(handles[3]));
    EXPECT(0, job_end(&jobs[3]));
    EXPECT(0, sync_interrupt(lab()));
    EXPECT(SYNC_EINTR, job_end(&jobs[1]));
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(handles[0], SYNC_S(5)));
    EXPECT(0, sync_mutex_release(handles[0]));
    struct job two[2] = {{.call = hands_over, .handle = handles[0]},
                         {.call = hands_over, .handle = handles[0]}};
    job_start(&two[0]);
    job_start(&two[1]);
    EXPECT(0, job_end(&two[0]));
    EXPECT(0, job_end(&two[1]));
}

static void without_futex_waitv(void)
{
    sy_fault_set(SY_FAULT_WAITV, 1, 1000000, ENOSYS);
    all_four_kinds_hand_over();
}

static void without_a_robust_list(void)
{
    sy_fault_set(SY_FAULT_ROBUST_LIST, 1, 1000000, ENOSYS);
    all_four_kinds_hand_over();
}

static void without_pidfds(void)
{
    sy_fault_set(SY_FAULT_PIDFD, 1, 1000000, ENOSYS);
    sy_fault_set(SY_FAULT_PIDFS, 1, 1000000, ENOSYS);
    all_four_kinds_hand_over();
}

static void dies_holding_without_a_life_word(void)
{
    sy_fault_set(SY_FAULT_ROBUST_LIST, 1, 1000000, ENOSYS);
    EXPECT(0, sync_mutex_acquire(a_mutex("m", NULL), 0));
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void a_death_without_a_life_word(void)
{
    pid_t pid = spawn(dies_holding_without_a_life_word);
    await_flag(0);
    struct job job = {.call = acquires, .handle = a_mutex("m", NULL), .timeout = SYNC_S(15)};
    job_start(&job);
    await_sleepers("m", 1);
    killed(pid);
    EXPECT(SYNC_OWNER_DIED, job_end(&job));
    NUMBER(pid, job.error.holder.pid);
}
IN_EACH_LAB(a_death_without_a_life_word)

/* ---- the re-check ---- */

/* A wake that never comes: the sleeper looks for itself. */
static void a_lost_wake_costs_a_second_at_most(void)
{
    lab_alone();
    sync_event *event = an_event("e", false);
    struct job job = {.call = waits_for_event, .handle = event, .timeout = SYNC_FOREVER};
    job_start(&job);
    await_sleepers("e", 1);
    atomic_fetch_or(&hot_of("e")->word, 1); /* set, and told nobody */
    int64_t began = sy_now();
    EXPECT(0, job_end(&job));
    CHECK(sy_now() - began < 1500000000);
}

HARNESS_MAIN(CASE(a_handler_ends_interruptible_waits), CASE(others_go_on_waiting),
             CASE(a_deadline_stands_under_signals), CASE(a_wait_is_a_sleep),
             CASE(without_futex_waitv), CASE(without_a_robust_list), CASE(without_pidfds),
             CASES_IN_EACH_LAB(a_death_without_a_life_word),
             CASE(a_lost_wake_costs_a_second_at_most))
