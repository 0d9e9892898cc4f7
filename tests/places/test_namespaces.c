/* SPDX-License-Identifier: MIT */
/* Two PID namespaces on one segment: pids mean nothing across, so other witnesses must do. */
#include "tests/support.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* A child that is process 1 of a PID namespace of its own. Its pid out here, or a skip. */
static pid_t spawn_inside(void (*function)(void))
{
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
            _exit(77);
        }
        pid_t inner = fork();
        if (inner == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
            CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
            NUMBER(1, getpid());
            function();
            _exit(0);
        }
        atomic_store(&board->value[20], inner);
        raise_flag(20);
        waitpid(inner, &status, 0);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 88);
    }
    while (!atomic_load(&board->flag[20])) {
        if (waitpid(pid, &status, WNOHANG) == pid) {
            if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
                harness_skip("no PID namespace can be made here: %s", strerror(EPERM));
            }
            check_failed(__FILE__, __LINE__, "the inner process ended early (%d)", status);
        }
        nap();
    }
    return pid;
}

static pid_t inner_pid(void)
{
    return (pid_t)atomic_load(&board->value[20]);
}

static void kill_inside(pid_t outer)
{
    int status;
    CHECK(kill(inner_pid(), SIGKILL) == 0);
    CHECK(waitpid(outer, &status, 0) == outer && WIFEXITED(status));
    NUMBER(88, WEXITSTATUS(status));
}

static bool without_descriptors;
static void holds(void)
{
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_note(lab(), "inside"));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_semaphore_acquire_many(a_semaphore("exposures", 2, 2), 2, 0));
    for (int fd = 3; without_descriptors && fd < 100; fd++) {
        close(fd);
    }
    raise_flag(0);
    await_flag(1);
    EXPECT(0, sync_mutex_release(mutex));
    raise_flag(2);
    for (;;) {
        pause();
    }
}

static void they_exclude_each_other(void)
{
    sync_error error;
    pid_t outer = spawn_inside(holds);
    await_flag(0);
    sync_mutex *mutex = a_mutex("camera", NULL);
    /* Pid 1 of that namespace is a stranger here; it must not be taken for dead, or for init. */
    for (int i = 0; i < 2; i++) {
        EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, i ? SYNC_MS(1200) : 0));
        EXPECT(0, sync_last_error_info(&error));
        NUMBER(1, error.holder.pid);
        CHECK(error.holder.state == SYNC_STATE_ALIVE || error.holder.state == SYNC_STATE_SUSPECT);
        CHECK(strcmp(error.holder.note, "inside") == 0);
    }
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire(a_semaphore("exposures", 2, 2), 0));
    struct job job = {.call = acquires_and_releases, .handle = mutex, .timeout = SYNC_S(10)};
    job_start(&job);
    AWAIT(sleepers_on("camera") == 1);
    raise_flag(1);
    await_flag(2);
    EXPECT(0, job_end(&job));
    kill_inside(outer);
}
IN_EACH_LAB(they_exclude_each_other)

static void a_death_inside_is_seen_outside(void)
{
    sync_error error;
    pid_t outer = spawn_inside(holds);
    await_flag(0);
    sync_mutex *mutex = a_mutex("camera", NULL);
    struct job job = {.call = takes_permits,
                      .handle = a_semaphore("exposures", 2, 2),
                      .number = 2,
                      .timeout = SYNC_S(10)};
    job_start(&job);
    AWAIT(sleepers_on("exposures") == 1);
    kill_inside(outer);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, SYNC_S(10)));
    NUMBER(1, sync_previous_owner(mutex, &error));
    NUMBER(1, error.holder.pid);
    CHECK(strcmp(error.holder.note, "inside") == 0);
    EXPECT(0, job_end(&job));
}
IN_EACH_LAB(a_death_inside_is_seen_outside)

static void waits_for_a_stranger(void)
{
    sync_mutex *mutex = a_mutex("camera", NULL);
    raise_flag(0);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, SYNC_S(15)));
    EXPECT(0, sync_semaphore_acquire_many(a_semaphore("exposures", 2, 2), 2, SYNC_S(15)));
    EXPECT(0, sync_mutex_release(mutex));
    sync_manager_close(lab());
}

static void holds_outside(void)
{
    EXPECT(0, sync_mutex_acquire(a_mutex("camera", NULL), 0));
    EXPECT(0, sync_semaphore_acquire_many(a_semaphore("exposures", 2, 2), 2, 0));
    raise_flag(3);
    for (;;) {
        pause();
    }
}

static void a_death_outside_is_seen_inside(void)
{
    int status;
    pid_t holder = spawn(holds_outside);
    await_flag(3);
    pid_t outer = spawn_inside(waits_for_a_stranger);
    await_flag(0);
    AWAIT(sleepers_on("camera") == 1);
    killed(holder);
    CHECK(waitpid(outer, &status, 0) == outer && WIFEXITED(status));
    NUMBER(0, WEXITSTATUS(status));
}
IN_EACH_LAB(a_death_outside_is_seen_inside)

/* The same pid in two namespaces is two processes. */
static void a_pid_means_nothing_across(void)
{
    pid_t outer = spawn_inside(holds);
    await_flag(0);
    sync_mutex *mutex = a_mutex("camera", NULL);
    struct sy_actor actor = {.segment = look()};
    sy_reap(&actor); /* pid 1 here has another start time and other maps: no proof of anything */
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, 0));
    raise_flag(1);
    await_flag(2);
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(10)));
    kill_inside(outer);
}
IN_EACH_LAB(a_pid_means_nothing_across)

/* Its byte may be free, its pid is nobody's here: only its life words speak, and they say that it
 * lives. */
static void without_its_descriptors_it_lives_on(void)
{
    without_descriptors = true;
    they_exclude_each_other();
}
IN_EACH_LAB(without_its_descriptors_it_lives_on)

static void without_its_descriptors_it_dies(void)
{
    without_descriptors = true;
    a_death_inside_is_seen_outside();
}
IN_EACH_LAB(without_its_descriptors_it_dies)

HARNESS_MAIN(CASES_IN_EACH_LAB(they_exclude_each_other),
             CASES_IN_EACH_LAB(a_death_inside_is_seen_outside),
             CASES_IN_EACH_LAB(a_death_outside_is_seen_inside),
             CASES_IN_EACH_LAB(a_pid_means_nothing_across),
             CASES_IN_EACH_LAB(without_its_descriptors_it_lives_on),
             CASES_IN_EACH_LAB(without_its_descriptors_it_dies))
