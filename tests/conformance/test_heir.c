/* SPDX-License-Identifier: MIT */
/* Owners die one after the other: whoever takes over from the dead sees to it that the next one
 * watches him. Sleeps are not ended by a look again here. */
#include "tests/support.h"

#include <sys/syscall.h>

static int takes_and_dies(struct job *job)
{
    EXPECT(job->number ? SYNC_OWNER_DIED : SYNC_OK, sync_mutex_acquire(job->handle, SYNC_S(30)));
    raise_flag((int)job->number);
    await_flag(8 + (int)job->number);
    syscall(SYS_exit, 0); /* the thread alone, and none of its destructors runs */
    return 0;
}

static void a_process_with_such_a_thread(void)
{
    static struct job job;
    sy_switches.recheck_off = true;
    job = (struct job){.call = takes_and_dies,
                       .handle = a_mutex("camera", NULL),
                       .number = atomic_fetch_add(&board->value[0], 1)};
    job_start(&job);
    for (;;) {
        pause();
    }
}

static int closes_while_it_holds(struct job *job)
{
    EXPECT(0, sync_mutex_acquire(job->handle, 0));
    raise_flag(0);
    await_flag(8);
    sync_mutex_close(job->handle);
    return 0;
}

static void a_process_that_closes(void)
{
    struct job job = {.call = closes_while_it_holds, .handle = a_mutex("camera", NULL)};
    atomic_fetch_add(&board->value[0], 1);
    EXPECT(0, job.call(&job));
    for (;;) {
        pause();
    }
}

static void the_third_gets_it(void (*first)(void))
{
    pid_t one = spawn(first);
    await_flag(0);
    pid_t two = spawn(a_process_with_such_a_thread);
    await_sleepers("camera", 1);
    sy_switches.recheck_off = true;
    struct job job = {.call = acquires, .handle = a_mutex("camera", NULL), .timeout = SYNC_FOREVER};
    job_start(&job);
    await_sleepers("camera", 2);
    raise_flag(8);
    await_flag(1); /* whoever slept first is woken first: the second process */
    raise_flag(9);
    AWAIT(atomic_load(&job.done));
    EXPECT(SYNC_OWNER_DIED, job_end(&job));
    killed(one);
    killed(two);
}

static void without_a_manager(void)
{
    lab_alone();
    the_third_gets_it(a_process_with_such_a_thread);
}

/* R names nobody whom one could watch, so here no manager can be relied upon. Its beat is all there
 * is of it. */
static void after_a_close_whatever_the_manager_does(void)
{
    lab_alone();
    sy_put(&look()->header->heartbeat, (uint64_t)(sy_now() + 100000000000));
    the_third_gets_it(a_process_that_closes);
}

HARNESS_MAIN(CASE(without_a_manager), CASE(after_a_close_whatever_the_manager_does))
