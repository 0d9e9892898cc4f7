/* SPDX-License-Identifier: MIT */
/* The name of the segment is taken away: nothing is granted any more, and nobody begins anew beside
 * those who still use it. */
#include "tests/support.h"

#include "managerd/managerd.h"

static char said[4096];

static void rm_under_a_living_manager(void)
{
    sync_manager_state state;
    sync_mutex *other;
    lab_managed();
    look();
    sync_mutex *mutex = a_mutex("camera", NULL), *held = a_mutex("mirror", NULL);
    sync_semaphore *semaphore = a_semaphore("s", 1, 1);
    sync_event *event = an_event("stop", false);
    sync_barrier *barrier = a_barrier("start", 2);
    EXPECT(0, sync_mutex_acquire(held, 0));
    struct job jobs[3] = {{.call = acquires, .handle = held, .timeout = SYNC_FOREVER},
                          {.call = waits_for_event, .handle = event, .timeout = SYNC_FOREVER},
                          {.call = waits_at_barrier, .handle = barrier, .timeout = SYNC_FOREVER}};
    for (int i = 0; i < 3; i++) {
        job_start(&jobs[i]);
    }
    await_sleepers("mirror", 1);
    await_sleepers("stop", 1);
    await_sleepers("start", 1);
    CHECK(unlink(lab_path()) == 0);
    AWAIT(sy_get(&look()->header->state) == SY_STATE_ORPHANED);
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(1, state.orphaned);
    AWAIT(strstr(managers_said(), "was taken away"));
    EXPECT(SYNC_EORPHANED, sync_mutex_acquire(mutex, 0));
    SAYS(lab_path());
    SAYS("was taken away");
    SAYS("managerctl doctor");
    NUMBER(0, sync_mutex_depth(mutex));
    NUMBER(0, sync_mutex_is_locked(mutex));
    EXPECT(SYNC_EORPHANED, sync_mutex_acquire(mutex, SYNC_FOREVER));
    EXPECT(SYNC_EORPHANED, sync_semaphore_acquire(semaphore, 0));
    EXPECT(SYNC_EORPHANED, sync_event_wait(event, SYNC_FOREVER));
    for (int i = 0; i < 3; i++) {
        EXPECT(SYNC_EORPHANED, job_end(&jobs[i])); /* those who waited as well */
    }
    EXPECT(SYNC_EORPHANED, sync_event_set(event));
    EXPECT(SYNC_EORPHANED, sync_barrier_wait(barrier, SYNC_FOREVER));
    EXPECT(SYNC_EORPHANED, sync_barrier_arrive(barrier));
    EXPECT(SYNC_EORPHANED, sync_mutex_open(lab(), "new", NULL, &other));
    EXPECT(0, sync_mutex_check(held)); /* what is held is still held, and given back */
    EXPECT(0, sync_mutex_release(held));
}

static void without_a_manager_slow_paths_find_out(void)
{
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job job = {.call = acquires, .handle = mutex, .timeout = SYNC_S(15)};
    job_start(&job);
    await_sleepers("camera", 1);
    CHECK(unlink(lab_path()) == 0);
    EXPECT(SYNC_EORPHANED, job_end(&job));
    HOLDS(job.text, "camera: the name of the segment was taken away");
    NUMBER(SY_STATE_ORPHANED, sy_get(&look()->header->state));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(SYNC_EORPHANED, sync_mutex_acquire(mutex, 0));
    NUMBER(0, sync_mutex_is_locked(mutex));
}

static void connecting_anew_is_refused_or_fresh(void)
{
    sync_manager *manager;
    lab_alone();
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    CHECK(unlink(lab_path()) == 0);
    POISON(&manager);
    /* There is no segment of that name now; and none may be started beside a living user. */
    EXPECT(SYNC_ENOMANAGER,
           sync_manager_connect(NULL, &(sync_manager_options){.no_autostart = 1}, &manager));
    EXPECT(SYNC_ENOMANAGER, sync_manager_connect(NULL, NULL, &manager));
    CHECK(UNTOUCHED(&manager));
    CHECK(access(lab_path(), F_OK) != 0);
}

static void a_second_manager_beside_an_orphan_is_refused(void)
{
    char words[80];
    const char *const line[] = {managerd_path(), "--name", lab_name(), NULL};
    pid_t manager = lab_managed();
    pid_t pid = fork();
    if (pid == 0) {
        EXPECT(0, sync_mutex_acquire(a_mutex("camera", NULL), 0));
        raise_flag(0);
        for (;;) {
            pause();
        }
    }
    await_flag(0);
    CHECK(unlink(lab_path()) == 0);
    NUMBER(EXIT_RUNNING, command_output(said, sizeof(said), line)); /* its manager still lives */
    killed(manager);
    look_again(); /* or we are one who uses it */
    NUMBER(EXIT_REFUSED, command_output(said, sizeof(said), line));
    snprintf(words, sizeof(words), "pid %d still uses a segment %s whose name was taken away",
             (int)pid, lab_path());
    HOLDS(said, words);
    HOLDS(said, "End it first");
    CHECK(access(lab_path(), F_OK) != 0);
    killed(pid);
    manager_start(NULL);
    AWAIT(access(lab_path(), F_OK) == 0 && sy_get(&look()->header->epoch) == 1);
}

/* After a restart of the lab the same process connects to the new segment. */
static void the_next_lab_in_the_same_process(void)
{
    sync_manager *first, *second;
    sync_mutex *a, *b;
    sync_manager_options options = {.no_autostart = 1};
    lab_alone();
    EXPECT(0, sync_manager_connect(NULL, &options, &first));
    EXPECT(0, sync_mutex_open(first, "camera", NULL, &a));
    EXPECT(0, sync_mutex_acquire(a, 0));
    CHECK(unlink(lab_path()) == 0);
    look_again();
    lab_alone();
    EXPECT(0, sync_manager_connect(NULL, &options, &second));
    EXPECT(0, sync_mutex_open(second, "camera", NULL, &b));
    NUMBER(0, sync_same(sync_mutex_object(a), sync_mutex_object(b)));
    EXPECT(0, sync_mutex_acquire(b, 0));
    NUMBER(1, sync_mutex_depth(b));
    EXPECT(0, sync_mutex_check(a));
    EXPECT(0, sync_mutex_release(a));
    EXPECT(SYNC_EORPHANED, sync_mutex_acquire(a, 0));
    EXPECT(0, sync_mutex_release(b));
    sync_manager_close(first);
    EXPECT(0, sync_mutex_acquire(b, 0));
    sync_manager_close(second);
}

HARNESS_MAIN(CASE(rm_under_a_living_manager), CASE(without_a_manager_slow_paths_find_out),
             CASE(connecting_anew_is_refused_or_fresh),
             CASE(a_second_manager_beside_an_orphan_is_refused),
             CASE(the_next_lab_in_the_same_process))
