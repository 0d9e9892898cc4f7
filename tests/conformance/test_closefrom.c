/* SPDX-License-Identifier: MIT */
/* closefrom(3), a daemoniser, a stray double close: descriptors of the library go, its owner lives.
 */
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static pid_t holder;

static void close_all(void)
{
    for (int fd = 3; fd < 200; fd++) {
        close(fd);
    }
}

static void holds_without_descriptors(void)
{
    sync_mutex *mutex = a_mutex("camera", NULL);
    sync_semaphore *semaphore = a_semaphore("exposures", 2, 2);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_semaphore_acquire(semaphore, 0));
    close_all();
    raise_flag(0);
    await_flag(1);
    EXPECT(0, sync_mutex_check(mutex));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_semaphore_release(semaphore, 1));
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(10)));
    EXPECT(0, sync_mutex_release(mutex));
    sync_manager_close(lab());
}

static void a_living_owner_keeps_its_lock(void)
{
    sync_error error;
    uint32_t value;
    holder = spawn(holds_without_descriptors);
    await_flag(0);
    sync_mutex *mutex = a_mutex("camera", NULL);
    sync_semaphore *semaphore = a_semaphore("exposures", 2, 2);
    /* Longer than a re-check, which asks for proof. */
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, SYNC_MS(1300)));
    EXPECT(0, sync_last_error_info(&error));
    NUMBER(holder, error.holder.pid);
    CHECK(error.holder.state == SYNC_STATE_ALIVE || error.holder.state == SYNC_STATE_SUSPECT);
    EXPECT(SYNC_ETIMEDOUT, sync_semaphore_acquire_many(semaphore, 2, SYNC_MS(200)));
    struct sy_actor actor = {.segment = look()};
    sy_reap(&actor); /* as any reaper would */
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, 0));
    EXPECT(0, sync_semaphore_value(semaphore, &value));
    NUMBER(1, value);
    raise_flag(1);
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(10)));
    EXPECT(0, sync_mutex_release(mutex));
    EXPECT(0, sync_semaphore_acquire_many(semaphore, 2, SYNC_S(10)));
    joined(holder);
}
IN_EACH_LAB(a_living_owner_keeps_its_lock)

static void killed_after_that_it_is_dead(void)
{
    holder = spawn(holds_without_descriptors);
    await_flag(0);
    sync_mutex *mutex = a_mutex("camera", NULL);
    killed(holder);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, SYNC_S(10)));
    EXPECT(0, sync_semaphore_acquire_many(a_semaphore("exposures", 2, 2), 2, SYNC_S(10)));
}
IN_EACH_LAB(killed_after_that_it_is_dead)

/* The numbers that were ours are somebody else's now: of a file whose name is gone, as tmpfile()'s.
 */
static int fill_the_numbers(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(file >= 0 && unlink(path) == 0);
    while (dup(file) < 100) {}
    return file;
}

static void uses_numbers_that_were_ours(void)
{
    char path[300];
    sync_mutex *mutex = a_mutex("camera", NULL);
    snprintf(path, sizeof(path), "/tmp/%s.%d", lab_name(), (int)getpid());
    close_all();
    int file = fill_the_numbers(path);
    raise_flag(0);
    await_flag(1);
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(10))); /* slowly: the other holds it */
    EXPECT(0, sync_mutex_release(mutex));
    for (int i = 0; i < 400; i++) { /* more names than are mapped yet */
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        a_mutex(name, NULL);
    }
    struct stat status;
    CHECK(fstat(file, &status) == 0);
    NUMBER(0, status.st_size); /* nobody grew it */
    NUMBER(0, status.st_blocks);
}

static void another_file_in_its_place_is_left_alone(void)
{
    sync_manager_state state;
    lab_alone();
    holder = spawn(uses_numbers_that_were_ours);
    await_flag(0);
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    raise_flag(1);
    await_sleepers("camera", 1);
    struct timespec some = {0, 150000000}; /* a few re-checks; proves nothing by itself */
    nanosleep(&some, NULL);
    EXPECT(0, sync_mutex_release(mutex));
    joined(holder);
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(0, state.orphaned);
    EXPECT(0, sync_mutex_acquire(mutex, SYNC_S(10)));
    EXPECT(0, sync_mutex_release(mutex));
}

static void grows_without_its_descriptor(void)
{
    a_mutex("camera", NULL);
    close_all();
    for (int i = 0; i < 400; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d", i);
        EXPECT(0, sync_mutex_acquire(a_mutex(name, NULL), 0));
    }
}

static void growth_goes_on_without_the_descriptor(void)
{
    lab_alone();
    joined(spawn(grows_without_its_descriptor));
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(a_mutex("n399", NULL), SYNC_S(10)));
}

HARNESS_MAIN(CASES_IN_EACH_LAB(a_living_owner_keeps_its_lock),
             CASES_IN_EACH_LAB(killed_after_that_it_is_dead),
             CASE(another_file_in_its_place_is_left_alone),
             CASE(growth_goes_on_without_the_descriptor))
