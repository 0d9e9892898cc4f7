/* SPDX-License-Identifier: MIT */
/* The machine says no: /dev/shm really full, locked memory at its limit, another user. */
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { NOBODY = 65534 };

/* A user without capabilities; whoever cannot become one has not tested anything. */
static void become_nobody(void)
{
    if (geteuid() == 0) {
        CHECK(setgroups(0, NULL) == 0);
        CHECK(setresgid(NOBODY, NOBODY, NOBODY) == 0);
        CHECK(setresuid(NOBODY, NOBODY, NOBODY) == 0);
    }
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* /proc/self is ours again */
    CHECK(prctl(PR_CAPBSET_READ, 0) >= 0);
    CHECK(geteuid() != 0);
    FILE *f = fopen("/proc/self/status", "re");
    char line[256];
    bool none = false;
    while (f && fgets(line, sizeof(line), f)) {
        none = none || strcmp(line, "CapEff:\t0000000000000000\n") == 0;
    }
    CHECK(none);
    fclose(f);
}

/* ---- a small /dev/shm ---- */

static void a_small_shm(const char *options)
{
    if (unshare(CLONE_NEWNS) < 0) {
        harness_skip("no mount namespace can be made here: %s", strerror(errno));
    }
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mount("small", "/dev/shm", "tmpfs", 0, options) == 0);
}

static int fill_up(void)
{
    int fd = open("/dev/shm/ballast", O_RDWR | O_CREAT, 0600);
    struct statvfs status;
    off_t at = 0;
    CHECK(fd >= 0);
    while (fallocate(fd, 0, at, 4096) == 0) {
        at += 4096;
    }
    CHECK(statvfs("/dev/shm", &status) == 0 && status.f_bavail == 0);
    return fd;
}

static void full_at_create(void)
{
    char said[2048];
    struct sy_segment *segment;
    struct sy_segment_config config = {
        .capacities = sy_default_capacities, .uid = geteuid(), .gid = (uint32_t)-1, .mode = 0600};
    const char *const words[] = {managerd_path(), "--name", lab_name(), NULL};
    a_small_shm("size=300k,mode=1777"); /* room for the header, not for the buckets */
    POISON(&segment);
    EXPECT(SYNC_ENOSPC, sy_segment_create(lab_shm(), &config, &segment));
    SAYS("No space left on device");
    SAYS("df -h /dev/shm");
    CHECK(UNTOUCHED(&segment));
    CHECK(access(lab_path(), F_OK) != 0);
    NUMBER(4, command_output(said, sizeof(said), words));
    HOLDS(said, "No space left on device");
    HOLDS(said, "df -h /dev/shm");
    CHECK(access(lab_path(), F_OK) != 0);
    struct statvfs status;
    CHECK(statvfs("/dev/shm", &status) == 0);
    NUMBER(status.f_blocks, status.f_bfree); /* nothing half made keeps memory */
}

static void full_at_growth(void)
{
    sync_mutex *mutex;
    char name[24];
    int made = 0, rc;
    a_small_shm("size=2m,mode=1777");
    lab_alone();
    sync_mutex *first = a_mutex("first", NULL);
    int ballast = fill_up();
    do {
        snprintf(name, sizeof(name), "m%d", made);
        rc = sync_mutex_open(lab(), name, NULL, &mutex);
        made += rc == 0;
        CHECK(made < 512);
    } while (rc == 0);
    EXPECT(SYNC_ENOSPC, rc);
    SAYS("growing ");
    SAYS("No space left on device; see: df -h /dev/shm");
    EXPECT(0, sync_mutex_acquire(first, 0)); /* no SIGBUS for those who work */
    EXPECT(0, sync_mutex_release(first));
    CHECK(ftruncate(ballast, 0) == 0);
    EXPECT(0, sync_mutex_open(lab(), name, NULL, &mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
}

static void full_at_attach(void)
{
    sync_manager *manager;
    a_small_shm("size=2m,mode=1777");
    lab_alone();
    fill_up();
    POISON(&manager);
    EXPECT(SYNC_ENOSPC,
           sync_manager_connect(NULL, &(sync_manager_options){.no_autostart = 1}, &manager));
    SAYS("growing process slots");
    CHECK(UNTOUCHED(&manager));
}

/* ---- locked memory ---- */

static void limited(void)
{
    sync_manager *manager;
    sync_mutex *mutex;
    char name[24];
    become_nobody();
    unsetenv("SYNC_MANAGER");
    char address[64];
    snprintf(address, sizeof(address), "shm:%s", lab_name());
    EXPECT(0, sync_manager_connect(address, &(sync_manager_options){.no_autostart = 1}, &manager));
    EXPECT(0, sync_mutex_open(manager, "first", NULL, &mutex));
    /* All that is mapped now fits; whatever is mapped later must not. */
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    CHECK(mlockall(MCL_CURRENT) == 0 || errno == ENOMEM || errno == EPERM);
    limit.rlim_cur = 0;
    limit.rlim_max = 64 << 10;
    limit.rlim_cur = 64 << 10;
    CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    CHECK(mlockall(MCL_FUTURE) == 0 || errno == ENOMEM);
    int made = 0, rc;
    do {
        snprintf(name, sizeof(name), "m%d", made);
        POISON(&mutex);
        rc = sync_mutex_open(manager, name, NULL, &mutex);
        made += rc == 0;
        CHECK(made < 512);
    } while (rc == 0);
    EXPECT(SYNC_EMEMLOCK, rc);
    CHECK(UNTOUCHED(&mutex));
    SAYS("RLIMIT_MEMLOCK");
    EXPECT(0, sync_mutex_open(manager, "first", NULL, &mutex));
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    _exit(0);
}

static struct sy_segment *a_segment_of_nobodys(uint32_t mode)
{
    static struct sy_segment *segment;
    static char shm[SY_PATH_MAX];
    struct sy_segment_config config = {.capacities = {.processes = 16,
                                                      .threads = 64,
                                                      .principals = 512,
                                                      .records = 512,
                                                      .chunks = 64,
                                                      .ring = 64},
                                       .default_timeout = 1000000000,
                                       .uid = NOBODY,
                                       .gid = NOBODY,
                                       .mode = mode};
    snprintf(shm, sizeof(shm), "/libsync.%d.%s", NOBODY, lab_name());
    EXPECT(0, sy_segment_create(shm, &config, &segment));
    return segment;
}

static void locked_memory_at_its_limit(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    harness_skip("a sanitizer's run-time turns mlockall into nothing");
#endif
    if (geteuid() == 0) {
        a_segment_of_nobodys(0600);
    } else {
        lab_alone();
    }
    joined(spawn(limited));
}

/* ---- another user ---- */

static void connects_as_nobody(void)
{
    sync_manager *manager;
    struct sy_segment *segment;
    char path[SY_PATH_MAX];
    snprintf(path, sizeof(path), "%s", lab_path());
    become_nobody();
    POISON(&manager);
    POISON(&segment);
    /* A user of one's own has a world of one's own. */
    EXPECT(SYNC_ENOMANAGER,
           sync_manager_connect(NULL, &(sync_manager_options){.no_autostart = 1}, &manager));
    SAYS("/dev/shm/libsync.65534.");
    /* And the other's is closed. */
    EXPECT(SYNC_EACCES, sy_segment_open(lab_shm(), true, &segment));
    SAYS(path);
    SAYS("owner root, mode 0600, group 0: your user may not open it");
    SAYS("join that group, or set group and mode in managerd.conf");
    CHECK(UNTOUCHED(&manager) && UNTOUCHED(&segment));
    _exit(0);
}

static void a_segment_of_root_with_mode_0600(void)
{
    if (geteuid() != 0) {
        harness_skip("only root can make what another user may not open");
    }
    lab_alone();
    joined(spawn(connects_as_nobody));
}

/* A trap: somebody else's file under our name is not used, even by root, who could. */
static void root_does_not_fall_for_another_users_file(void)
{
    sync_manager *manager;
    if (geteuid() != 0) {
        harness_skip("only root can give a file away");
    }
    lab_alone();
    CHECK(chown(lab_path(), NOBODY, NOBODY) == 0);
    POISON(&manager);
    EXPECT(SYNC_EACCES, sync_manager_connect(NULL, NULL, &manager));
    SAYS("belongs to nobody, expected root");
    CHECK(UNTOUCHED(&manager));
}

/* Two users on one segment, one of whom may not read the other's /proc: death is still proved by
 * what is shared, and the living are never robbed. */
static struct sy_segment *shared;
static sync_mutex *open_shared(const char *label)
{
    sync_manager *manager;
    sync_mutex *mutex;
    char address[80];
    snprintf(address, sizeof(address), "shm:%s", lab_name());
    sync_manager_options options = {.no_autostart = 1, .label = label};
    EXPECT(0, sync_manager_connect(address, &options, &manager));
    EXPECT(0, sync_mutex_open(manager, "camera", NULL, &mutex));
    return mutex;
}

static void root_holds(void)
{
    /* As the owner's effective user, so that the name is the same, but not readable by nobody. */
    CHECK(seteuid(NOBODY) == 0);
    sync_mutex *mutex = open_shared("root");
    EXPECT(0, sync_mutex_acquire(mutex, 0));
    CHECK(seteuid(0) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0);
    for (int fd = 3; fd < 64; fd++) {
        close(fd); /* its byte as well */
    }
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void nobody_waits(void)
{
    become_nobody();
    sync_mutex *mutex = open_shared("nobody");
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, SYNC_MS(300)));
    struct sy_actor actor = {.segment = mutex ? shared : NULL};
    sy_reap(&actor);
    EXPECT(SYNC_ETIMEDOUT, sync_mutex_acquire(mutex, SYNC_MS(100)));
    raise_flag(1);
    EXPECT(SYNC_OWNER_DIED, sync_mutex_acquire(mutex, SYNC_S(15)));
    _exit(0);
}

static void what_cannot_be_looked_at_is_not_stolen_from(void)
{
    if (geteuid() != 0) {
        harness_skip("two users are needed");
    }
    shared = a_segment_of_nobodys(0600);
    pid_t holder = spawn(root_holds);
    await_flag(0);
    pid_t waiter = spawn(nobody_waits);
    await_flag(1);
    killed(holder);
    joined(waiter);
}

HARNESS_MAIN(CASE(full_at_create), CASE(full_at_growth), CASE(full_at_attach),
             CASE(locked_memory_at_its_limit), CASE(a_segment_of_root_with_mode_0600),
             CASE(root_does_not_fall_for_another_users_file),
             CASE(what_cannot_be_looked_at_is_not_stolen_from))
