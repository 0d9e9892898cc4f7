/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/fault.h"
#include "os/os.h"

/* Opened without O_CREAT first wherever the file may exist: fs.protected_regular refuses O_CREAT on
 * somebody else's file in a sticky directory even to root. */
int sy_shm_open(const char *name, int flags, mode_t mode)
{
    int fault = sy_fault(SY_FAULT_SHM_OPEN);
    if (fault) {
        return -fault;
    }
    int fd = shm_open(name, flags | O_CLOEXEC, mode);
    return fd < 0 ? -errno : fd;
}

int sy_shm_rename(const char *from, const char *to)
{
    char old[300], new[300];
    snprintf(old, sizeof(old), "/dev/shm%s", from);
    snprintf(new, sizeof(new), "/dev/shm%s", to);
    return renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int sy_shm_unlink(const char *name)
{
    return shm_unlink(name) < 0 ? -errno : 0;
}

/* Pages are reserved before they are touched, so that a full tmpfs is an error here and never a
 * SIGBUS in somebody's critical section. */
int sy_allocate(int fd, uint64_t offset, uint64_t size)
{
    int fault = sy_fault(SY_FAULT_ALLOCATE);
    if (fault) {
        return -fault;
    }
    while (fallocate(fd, 0, (off_t)offset, (off_t)size) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int sy_reopen(int fd, bool writable)
{
    char path[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int copy = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    return copy < 0 ? -errno : copy;
}

static int byte(int fd, int command, short type, uint64_t offset, struct flock *ret_lock)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)offset, .l_len = 1};
    int rc = fcntl(fd, command, &lock);
    if (ret_lock) {
        *ret_lock = lock;
    }
    return rc < 0 ? -errno : 0;
}

int sy_byte_lock(int fd, uint64_t offset)
{
    int fault = sy_fault(SY_FAULT_BYTE_LOCK);
    return fault ? -fault : byte(fd, F_OFD_SETLK, F_WRLCK, offset, NULL);
}

int sy_byte_unlock(int fd, uint64_t offset)
{
    return byte(fd, F_OFD_SETLK, F_UNLCK, offset, NULL);
}

int sy_byte_held(int fd, uint64_t offset)
{
    struct flock lock;
    int rc = byte(fd, F_OFD_GETLK, F_WRLCK, offset, &lock);
    return rc < 0 ? rc : lock.l_type != F_UNLCK;
}
