/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/valgrind.h"
#include "os/fault.h"
#include "os/os.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#define PIDFS_MAGIC_SINCE_INODE 4 /* before pidfs all pidfds share one small anonymous inode */

int32_t sy_gettid(void)
{
    return (int32_t)syscall(SYS_gettid);
}

int32_t sy_getpid(void)
{
    return (int32_t)getpid();
}

bool sy_has_robust_list(void)
{
    void *head;
    size_t size;
    return !sy_fault(SY_FAULT_ROBUST_LIST) && syscall(SYS_get_robust_list, 0, &head, &size) == 0;
}

static ssize_t read_file(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ssize_t got = read(fd, buffer, size - 1);
    int error = errno;
    close(fd);
    if (got < 0) {
        return -error;
    }
    buffer[got] = 0;
    return got;
}

/* State letter and start time from /proc/PID/stat; the name in parentheses may hold anything. */
static bool read_stat(int32_t pid, char *ret_state, uint64_t *ret_start)
{
    char path[40], text[1024];
    snprintf(path, sizeof(path), "/proc/%" PRId32 "/stat", pid);
    if (read_file(path, text, sizeof(text)) <= 0) {
        return false;
    }
    char *p = strrchr(text, ')');
    if (!p || p[1] != ' ') {
        return false;
    }
    p += 2;
    *ret_state = *p;
    for (int field = 3; field < 22; field++) {
        p = strchr(p, ' ');
        if (!p) {
            return false;
        }
        p++;
    }
    *ret_start = strtoull(p, NULL, 10);
    return true;
}

uint64_t sy_start_time(int32_t pid)
{
    char state;
    uint64_t start;
    return read_stat(pid, &state, &start) ? start : 0;
}

bool sy_pid_exists(int32_t pid)
{
    char state;
    uint64_t start;
    if (kill(pid, 0) < 0 && errno == ESRCH) {
        return false;
    }
    return !read_stat(pid, &state, &start) || (state != 'Z' && state != 'X');
}

char sy_pid_state(int32_t pid)
{
    char state, path[40], text[2048];
    uint64_t start;
    if (!read_stat(pid, &state, &start)) {
        return 0;
    }
    snprintf(path, sizeof(path), "/proc/%" PRId32 "/status", pid);
    if (read_file(path, text, sizeof(text)) > 0 && strstr(text, "\nCoreDumping:\t1")) {
        return 'C';
    }
    return state;
}

int sy_pid_maps_file(int32_t pid, dev_t device, ino_t inode)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/%" PRId32 "/maps", pid);
    int fault = sy_fault(SY_FAULT_MAPS);
    FILE *file = fault ? NULL : fopen(path, "re");
    if (!file) {
        return fault ? -fault : -errno;
    }
    int found = 0;
    char *line = NULL;
    size_t size = 0;
    errno = 0;
    while (!found && getline(&line, &size, file) > 0) {
        unsigned major_number, minor_number;
        uint64_t number;
        found = sscanf(line, "%*s %*s %*s %x:%x %" SCNu64, &major_number, &minor_number, &number) ==
                    3 &&
                number == inode && makedev(major_number, minor_number) == device;
    }
    int rc = !found && errno ? -errno : found; /* cut off by an error, it shows nothing */
    free(line);
    fclose(file);
    return rc;
}

int sy_pidfd_open(int32_t pid)
{
    int fault = sy_on_valgrind ? ENOSYS : sy_fault(SY_FAULT_PIDFD); /* 3.19 knows no pidfds */
    if (fault) {
        return -fault;
    }
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

void sy_self_facts(struct sy_process_facts *ret_facts)
{
    struct stat status;
    ret_facts->pid = sy_getpid();
    ret_facts->pid_namespace = stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino
                                                                       : 0;
    ret_facts->start_time = sy_start_time(ret_facts->pid);
    ret_facts->pidfs_inode = 0;
    int fd = sy_fault(SY_FAULT_PIDFS) ? -1 : sy_pidfd_open(ret_facts->pid);
    if (fd >= 0) {
        if (fstat(fd, &status) == 0 && status.st_ino > PIDFS_MAGIC_SINCE_INODE &&
            S_ISREG(status.st_mode)) {
            ret_facts->pidfs_inode = (uint64_t)status.st_ino;
        }
        close(fd);
    }
}

int sy_thread_name(char *to, size_t size)
{
    char name[17] = "";
    int rc = prctl(PR_GET_NAME, name);
    snprintf(to, size, "%s", name);
    return rc < 0 ? -errno : 0;
}

int sy_boot_id(char *to, size_t size)
{
    ssize_t got = read_file("/proc/sys/kernel/random/boot_id", to, size);
    if (got < 0) {
        to[0] = 0;
        return (int)got;
    }
    to[strcspn(to, "\n")] = 0;
    return 0;
}

int sy_user_name(uint32_t uid, char *to, size_t size)
{
    char buffer[1024];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found) {
        snprintf(to, size, "%s", entry.pw_name);
    } else {
        snprintf(to, size, "%" PRIu32, uid);
    }
    return 0;
}

int sy_user_id(const char *name, uint32_t *ret_uid)
{
    char buffer[1024];
    struct passwd entry, *found = NULL;
    if (getpwnam_r(name, &entry, buffer, sizeof(buffer), &found) != 0 || !found) {
        return -ENOENT;
    }
    *ret_uid = (uint32_t)found->pw_uid;
    return 0;
}
