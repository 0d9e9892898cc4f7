/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void sits(void)
{
    raise_flag(0);
    for (;;) {
        pause();
    }
}

static void facts_of_oneself(void)
{
    struct sy_process_facts facts;
    struct stat status;
    POISON(&facts);
    sy_self_facts(&facts);
    NUMBER(getpid(), facts.pid);
    CHECK(stat("/proc/self/ns/pid", &status) == 0);
    NUMBER(status.st_ino, facts.pid_namespace);
    NUMBER(sy_start_time(getpid()), facts.start_time);
    CHECK(facts.start_time > 0);
    uint64_t inode = facts.pidfs_inode;
    sy_fault_set(SY_FAULT_PIDFS, 1, 1, ENOSYS);
    sy_self_facts(&facts);
    NUMBER(0, facts.pidfs_inode);
    sy_self_facts(&facts);
    NUMBER(inode, facts.pidfs_inode);
}

static void states(void)
{
    pid_t pid = spawn(sits);
    await_flag(0);
    CHECK(sy_pid_exists(pid));
    AWAIT(sy_pid_state(pid) == 'S');
    uint64_t start = sy_start_time(pid);
    stopped(pid);
    NUMBER('T', sy_pid_state(pid));
    CHECK(sy_pid_exists(pid));
    CHECK(kill(pid, SIGKILL) == 0);
    AWAIT(sy_pid_state(pid) == 'Z');
    CHECK(!sy_pid_exists(pid)); /* a zombie is dead */
    NUMBER(start, sy_start_time(pid));
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(!sy_pid_exists(pid));
    NUMBER(0, sy_start_time(pid));
    NUMBER(0, sy_pid_state(pid));
}

/* The name in /proc/PID/stat may hold anything. */
static void named_to_mislead(void)
{
    prctl(PR_SET_NAME, "x) Z 1 (y");
    sits();
}

static void odd_names(void)
{
    pid_t pid = spawn(named_to_mislead);
    await_flag(0);
    CHECK(sy_pid_exists(pid));
    AWAIT(sy_pid_state(pid) == 'S');
    CHECK(sy_start_time(pid) >= sy_start_time(getpid()));
    killed(pid);
}

static void what_a_process_maps(void)
{
    struct stat status;
    lab_alone();
    pid_t pid = spawn(sits);
    await_flag(0);
    CHECK(fstat(look()->fd, &status) == 0);
    NUMBER(1, sy_pid_maps_file(pid, status.st_dev, status.st_ino));
    NUMBER(0, sy_pid_maps_file(pid, status.st_dev, status.st_ino + 1));
    NUMBER(1, sy_pid_maps_file(getpid(), status.st_dev, status.st_ino));
    CHECK(unlink(lab_path()) == 0);
    NUMBER(1, sy_pid_maps_file(pid, status.st_dev, status.st_ino)); /* deleted, but mapped */
    sy_fault_set(SY_FAULT_MAPS, 1, 1, EACCES);
    NUMBER(-EACCES, sy_pid_maps_file(pid, status.st_dev, status.st_ino));
    killed(pid);
    CHECK(sy_pid_maps_file(pid, status.st_dev, status.st_ino) < 0);
}

static void pidfds(void)
{
    pid_t pid = spawn(sits);
    int fd = sy_pidfd_open(pid);
    if (fd == -ENOSYS) {
        harness_skip("no pidfd_open here");
    }
    CHECK(fd >= 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    killed(pid);
    NUMBER(-ESRCH, sy_pidfd_open(pid));
    sy_fault_set(SY_FAULT_PIDFD, 1, 1, EMFILE);
    NUMBER(-EMFILE, sy_pidfd_open(getpid()));
}

static void users_and_names(void)
{
    char text[40];
    uint32_t uid;
    NUMBER(0, sy_user_name(0, text, sizeof(text)));
    CHECK(strcmp(text, "root") == 0);
    NUMBER(0, sy_user_name(3999999, text, sizeof(text)));
    CHECK(strcmp(text, "3999999") == 0);
    NUMBER(0, sy_user_id("root", &uid));
    NUMBER(0, uid);
    NUMBER(-ENOENT, sy_user_id("no-such-user", &uid));
    pthread_setname_np(pthread_self(), "exposer");
    NUMBER(0, sy_thread_name(text, sizeof(text)));
    CHECK(strcmp(text, "exposer") == 0);
    NUMBER(syscall(SYS_gettid), sy_gettid());
    char boot_id[40];
    NUMBER(0, sy_boot_id(boot_id, sizeof(boot_id)) < 0);
    NUMBER(36, strlen(boot_id));
}

/* ---- file.c ---- */

static void bytes_exclude_open_files(void)
{
    lab_alone();
    int first = look()->fd, second = sy_reopen(first, true);
    CHECK(second >= 0 && (fcntl(second, F_GETFD) & FD_CLOEXEC));
    NUMBER(0, sy_byte_held(first, SY_BYTE_PROCESS(5)));
    NUMBER(0, sy_byte_lock(first, SY_BYTE_PROCESS(5)));
    NUMBER(0, sy_byte_lock(first, SY_BYTE_PROCESS(5)));
    NUMBER(0, sy_byte_held(first, SY_BYTE_PROCESS(5))); /* by another, that is */
    NUMBER(1, sy_byte_held(second, SY_BYTE_PROCESS(5)));
    NUMBER(0, sy_byte_held(second, SY_BYTE_PROCESS(6)));
    CHECK(sy_byte_lock(second, SY_BYTE_PROCESS(5)) < 0);
    NUMBER(0, sy_byte_unlock(first, SY_BYTE_PROCESS(5)));
    NUMBER(0, sy_byte_held(second, SY_BYTE_PROCESS(5)));
    NUMBER(0, sy_byte_lock(second, SY_BYTE_PROCESS(5)));
    close(second);
    NUMBER(0, sy_byte_held(first, SY_BYTE_PROCESS(5)));
    sy_fault_set(SY_FAULT_BYTE_LOCK, 1, 1, ENOLCK);
    NUMBER(-ENOLCK, sy_byte_lock(first, SY_BYTE_PROCESS(5)));
}

static void a_rename_replaces_nothing(void)
{
    char other[SY_PATH_MAX + 8], path[SY_PATH_MAX + 32];
    lab_alone();
    snprintf(other, sizeof(other), "%s.other", lab_shm());
    snprintf(path, sizeof(path), "/dev/shm%s", other);
    int fd = sy_shm_open(other, O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    NUMBER(-EEXIST, sy_shm_rename(other, lab_shm()));
    CHECK(access(path, F_OK) == 0);
    NUMBER(-EEXIST, sy_shm_open(other, O_RDWR | O_CREAT | O_EXCL, 0600));
    NUMBER(0, sy_shm_unlink(other));
    NUMBER(-ENOENT, sy_shm_unlink(other));
    NUMBER(-ENOENT, sy_shm_open(other, O_RDWR, 0));
    NUMBER(-ENOENT, sy_shm_rename(other, lab_shm()));
}

/* ---- memory.c ---- */

static void the_page_a_child_finds_wiped(void)
{
    sy_word *page = sy_wipe_page();
    CHECK(page && sy_get(page) == 1);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(sy_get(page) == 0 ? 0 : 1);
    }
    joined(pid);
    NUMBER(1, sy_get(page));
}

HARNESS_MAIN(CASE(facts_of_oneself), CASE(states), CASE(odd_names), CASE(what_a_process_maps),
             CASE(pidfds), CASE(users_and_names), CASE(bytes_exclude_open_files),
             CASE(a_rename_replaces_nothing), CASE(the_page_a_child_finds_wiped))
