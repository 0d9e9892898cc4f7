/* SPDX-License-Identifier: MIT */
/* The one door to the kernel. Functions return 0 or a value, or -errno; none touches errno's caller
 * beyond that, and each first asks os/fault.h whether it must fail. */
#ifndef SY_OS_H
#define SY_OS_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/base.h"

/* clock.c: nanoseconds. The coarse one ticks every few ms and costs next to nothing. */
int64_t sy_now(void);
int64_t sy_now_coarse(void);
int64_t sy_wall(void); /* for display only */

/* futex.c. Deadlines are absolute CLOCK_MONOTONIC ns, INT64_MAX for none. */
#define SY_WAIT_WORDS 3
struct sy_wait_word {
    sy_word *word;
    uint32_t value;
};
/* 0 woken or value changed, -ETIMEDOUT, -EINTR. Without futex_waitv only the first word is watched,
 * for at most 5 ms at a time: the caller looks again anyway. */
int sy_futex_wait(const struct sy_wait_word *words, size_t count, int64_t deadline);
int sy_futex_wake(sy_word *word, int count); /* how many were woken */

/* file.c: the segment's file. */
int sy_shm_open(const char *name, int flags, mode_t mode);
int sy_shm_rename(const char *from, const char *to); /* fails with -EEXIST, never replaces */
int sy_shm_unlink(const char *name);
int sy_allocate(int fd, uint64_t offset, uint64_t size);
int sy_reopen(int fd, bool writable); /* a new open file description of the same file */
int sy_byte_lock(int fd, uint64_t offset);
int sy_byte_unlock(int fd, uint64_t offset);
int sy_byte_held(int fd, uint64_t offset); /* by another open file description: 1, 0 */

/* memory.c */
void *sy_reserve(size_t size);
int sy_map(void *address, size_t size, int fd, uint64_t offset, bool writable);
sy_word *sy_wipe_page(void); /* holds 1; 0 in a forked child; NULL when there is no memory */
size_t sy_page_size(void);

/* process.c */
struct sy_process_facts {
    int32_t pid;
    uint64_t pid_namespace; /* inode of /proc/self/ns/pid, 0 if unreadable */
    uint64_t start_time;    /* clock ticks since boot, 0 if unreadable */
    uint64_t pidfs_inode;   /* unique per boot since 6.9, else 0 */
};
int32_t sy_gettid(void);
int32_t sy_getpid(void);
bool sy_has_robust_list(void);
void sy_self_facts(struct sy_process_facts *ret_facts);
uint64_t sy_start_time(int32_t pid); /* 0: gone, or unreadable */
bool sy_pid_exists(int32_t pid);     /* a zombie counts as gone */
char sy_pid_state(int32_t pid); /* letter of /proc/PID/stat, 'C' while it dumps core, 0 unknown */
/* Does /proc/PID/maps show the file? 1, 0, or -EACCES when it may not be read. */
int sy_pid_maps_file(int32_t pid, dev_t device, ino_t inode);
int sy_pidfd_open(int32_t pid);
int sy_thread_name(char *to, size_t size);
int sy_boot_id(char *to, size_t size);
int sy_user_name(uint32_t uid, char *to, size_t size);
int sy_user_id(const char *name, uint32_t *ret_uid); /* -ENOENT */
void sy_sleep_until(int64_t deadline);

#endif
