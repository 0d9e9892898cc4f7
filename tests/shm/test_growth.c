/* SPDX-License-Identifier: MIT */
/* What runs out, and how that is told: slots, names, memory. */
#include "tests/support.h"

#include <errno.h>

static struct sy_capacities tiny = {
    .processes = 4, .threads = 8, .principals = 16, .records = 16, .chunks = 4, .ring = 16};

static int makes(int from, int to)
{
    char name[24];
    sync_mutex *mutex;
    for (int i = from; i < to; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        POISON(&mutex);
        int rc = sync_mutex_open(lab(), name, NULL, &mutex);
        if (rc) {
            CHECK(UNTOUCHED(&mutex));
            return rc;
        }
    }
    return 0;
}

static void names_run_out(void)
{
    sync_manager_state state;
    lab_small(&tiny);
    EXPECT(0, makes(0, 16));
    for (int i = 0; i < 3; i++) {
        EXPECT(SYNC_ENONAMES, makes(16, 17));
        SAYS("all 16 names of ");
        SAYS(lab_path());
        SAYS("raise \"names\" in managerd.conf");
    }
    EXPECT(0, makes(0, 16)); /* those there are can be opened */
    EXPECT(0, sync_manager_info(lab(), &state));
    NUMBER(16, state.names);
    NUMBER(SY_NONE, record_of("m16"));
}

static void threads_run_out(void)
{
    lab_small(&tiny);
    sync_mutex *mutex = a_mutex("camera", NULL);
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    struct job jobs[8];
    for (int i = 0; i < 7; i++) {
        jobs[i] = (struct job){
            .call = acquires_and_releases, .handle = mutex, .timeout = SYNC_FOREVER};
        job_start(&jobs[i]);
    }
    await_sleepers("camera", 7);
    jobs[7] = (struct job){.call = acquires_and_releases, .handle = mutex};
    job_start(&jobs[7]);
    EXPECT(SYNC_ENOSLOT, job_end(&jobs[7]));
    HOLDS(jobs[7].text, "all 8 thread slots of ");
    HOLDS(jobs[7].text, "raise \"threads\"");
    HOLDS(jobs[7].text, "most, 8, are used by tester[");
    EXPECT(0, sync_mutex_release(mutex));
    for (int i = 0; i < 7; i++) {
        EXPECT(0, job_end(&jobs[i]));
    }
    job_start(&jobs[7]);
    EXPECT(0, job_end(&jobs[7]));
}

static void owning_handles_run_out(void)
{
    sync_mutex *mutex, *handles[8];
    sync_mutex_options options = {.owner = SYNC_OWNER_HANDLE};
    lab_small(&tiny);
    for (int i = 0; i < 8; i++) {
        EXPECT(0, sync_mutex_open(lab(), "camera", &options, &handles[i]));
    }
    POISON(&mutex);
    EXPECT(SYNC_ENOSLOT, sync_mutex_open(lab(), "camera", &options, &mutex));
    SAYS("all 16 principals");
    SAYS("are used by tester[");
    CHECK(UNTOUCHED(&mutex));
    sync_mutex_close(handles[3]);
    EXPECT(0, sync_mutex_open(lab(), "camera", &options, &mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(handles[0], 0));
}

static void sits_there(void)
{
    lab();
    atomic_fetch_add(&board->value[0], 1);
    await_flag(0);
}

static void processes_run_out(void)
{
    sync_manager *manager;
    sync_manager_options options = {.no_autostart = 1};
    pid_t pids[4];
    lab_small(&tiny);
    for (int i = 0; i < 4; i++) {
        pids[i] = spawn(sits_there);
    }
    AWAIT(atomic_load(&board->value[0]) == 4);
    POISON(&manager);
    EXPECT(SYNC_ENOSLOT, sync_manager_connect(NULL, &options, &manager));
    SAYS("all 4 process slots");
    SAYS("managerctl clients");
    CHECK(UNTOUCHED(&manager));
    killed(pids[2]); /* the dead make room, without any manager */
    EXPECT(0, sync_manager_connect(NULL, &options, &manager));
    sync_manager_close(manager);
    raise_flag(0);
    joined(pids[0]);
    joined(pids[1]);
    joined(pids[3]);
}

static void chunks_run_out(void)
{
    struct sy_capacities capacities = tiny;
    capacities.records = 256;
    char name[24];
    sync_mutex *mutex;
    lab_small(&capacities);
    int opened = 0, rc;
    do {
        snprintf(name, sizeof(name), "m%d", opened);
        POISON(&mutex);
        rc = sync_mutex_open(lab(), name, NULL, &mutex);
        opened += rc == 0;
    } while (rc == 0 && opened < 256);
    EXPECT(SYNC_ENOSLOT, rc);
    NUMBER(4 * SY_OPENS_PER_CHUNK, opened);
    SAYS("open-object chunks");
    SAYS("raise \"chunks\"");
    CHECK(UNTOUCHED(&mutex));
    sync_mutex *first = a_mutex("m0", NULL);
    EXPECT(0, sync_mutex_acquire(first, 0));
}

/* ---- memory ---- */

static void shm_full_at_growth(void)
{
    lab_alone();
    EXPECT(0, makes(0, 1));
    sy_fault_set(SY_FAULT_ALLOCATE, 1, 1000000, ENOSPC);
    int made = 1, rc;
    while ((rc = makes(made, made + 1)) == 0) {
        made++;
        CHECK(made < 512);
    }
    EXPECT(SYNC_ENOSPC, rc);
    SAYS("growing names of ");
    SAYS("No space left on device");
    SAYS("see: df -h /dev/shm");
    EXPECT(0, sync_mutex_acquire(a_mutex("m0", NULL), 0)); /* what is there works */
    sy_fault_set(SY_FAULT_ALLOCATE, 0, 0, 0);
    EXPECT(0, makes(made, 512));
}

static void shm_full_at_attach(void)
{
    sync_manager *manager;
    sync_manager_options options = {.no_autostart = 1};
    lab_alone();
    POISON(&manager);
    sy_fault_set(SY_FAULT_ALLOCATE, 1, 1, ENOSPC);
    EXPECT(SYNC_ENOSPC, sync_manager_connect(NULL, &options, &manager));
    SAYS("growing process slots of ");
    CHECK(UNTOUCHED(&manager));
    /* Connected, but no room for the thread. */
    EXPECT(0, sync_manager_connect(NULL, &options, &manager));
    sy_fault_set(SY_FAULT_ALLOCATE, 1, 1, ENOSPC);
    EXPECT(SYNC_ENOSPC, sync_note(manager, "first call of this thread"));
    EXPECT(0, sync_note(manager, "first call of this thread"));
    sync_manager_close(manager);
}

static void out_of_memory(void)
{
    sync_mutex *mutex;
    sync_manager *manager;
    sync_manager_options options = {.no_autostart = 1};
    lab_alone();
    POISON(&manager);
    sy_fault_set(SY_FAULT_MALLOC, 1, 1, ENOMEM);
    EXPECT(SYNC_ENOMEM, sync_manager_connect(NULL, &options, &manager));
    CHECK(UNTOUCHED(&manager));
    lab();
    for (uint32_t call = 1; call <= 2; call++) {
        POISON(&mutex);
        sy_fault_set(SY_FAULT_MALLOC, call, 1, ENOMEM);
        EXPECT(SYNC_ENOMEM, sync_mutex_open(lab(), "camera", NULL, &mutex));
        SAYS("out of memory for a handle");
        CHECK(UNTOUCHED(&mutex));
    }
    EXPECT(0, sync_mutex_open(lab(), "camera", NULL, &mutex));
    sync_mutex_close(mutex);
    EXPECT(0, sync_unlink(lab(), "camera")); /* nothing was left open by those that failed */
}

static void memory_that_may_not_be_mapped(void)
{
    lab_alone();
    EXPECT(0, makes(0, 1));
    int made = 1, rc;
    sy_fault_set(SY_FAULT_MAP, 1, 1000000, EAGAIN);
    while ((rc = makes(made, made + 1)) == 0) {
        made++;
        CHECK(made < 512);
    }
    EXPECT(SYNC_EMEMLOCK, rc);
    SAYS("RLIMIT_MEMLOCK");
    sy_fault_set(SY_FAULT_MAP, 0, 0, 0);
    EXPECT(0, makes(made, 512));
}

/* Others see what one process has grown. */
static void growth_is_everybodys(void)
{
    lab_alone();
    pid_t pid = fork();
    if (pid == 0) {
        await_flag(0);
        sync_mutex *mutex;
        EXPECT(0, sync_mutex_open(lab(), "m500", &(sync_mutex_options){.open = SYNC_OPEN_EXISTING},
                                  &mutex));
        EXPECT(0, sync_mutex_acquire(mutex, 0));
        sync_manager_close(lab());
        _exit(0);
    }
    EXPECT(0, makes(0, 512));
    raise_flag(0);
    joined(pid);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(a_mutex("m500", NULL), SYNC_S(5)));
}

HARNESS_MAIN(CASE(names_run_out), CASE(threads_run_out), CASE(owning_handles_run_out),
             CASE(processes_run_out), CASE(chunks_run_out), CASE(shm_full_at_growth),
             CASE(shm_full_at_attach), CASE(out_of_memory), CASE(memory_that_may_not_be_mapped),
             CASE(growth_is_everybodys))
