/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/valgrind.h"
#include "os/fault.h"
#include "os/os.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#define FUTEX2_U32 2

/* As in the kernel's interface of 5.16; older headers lack it. */
struct waiter {
    uint64_t value, address;
    uint32_t flags, reserved;
};

#define BLIND_WAIT 5000000 /* ns, where only one word can be watched */

static _Atomic int waitv_missing;

static int64_t bounded(int64_t deadline)
{
    int64_t limit = sy_now() + BLIND_WAIT;
    return deadline < limit ? deadline : limit;
}

static int wait_one(sy_word *word, uint32_t value, int64_t deadline)
{
    deadline -= sy_switches.clock_offset;
    struct timespec t = {.tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000};
    bool forever = deadline >= INT64_MAX / 2;
    long rc = syscall(SYS_futex, (uint32_t *)word, FUTEX_WAIT_BITSET, value, forever ? NULL : &t,
                      NULL, FUTEX_BITSET_MATCH_ANY);
    return rc == 0 || errno == EAGAIN ? 0 : -errno;
}

static int wait_many(const struct sy_wait_word *words, size_t count, int64_t deadline)
{
    struct waiter waiters[SY_WAIT_WORDS];
    for (size_t i = 0; i < count; i++) {
        waiters[i] = (struct waiter){
            .value = words[i].value, .address = (uintptr_t)words[i].word, .flags = FUTEX2_U32};
    }
    deadline -= sy_switches.clock_offset;
    struct timespec t = {.tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000};
    bool forever = deadline >= INT64_MAX / 2;
    long rc = syscall(SYS_futex_waitv, waiters, (unsigned)count, 0, forever ? NULL : &t,
                      CLOCK_MONOTONIC);
    return rc >= 0 || errno == EAGAIN ? 0 : -errno;
}

int sy_futex_wait(const struct sy_wait_word *words, size_t count, int64_t deadline)
{
    int fault = sy_fault(SY_FAULT_FUTEX_WAIT);
    if (fault) {
        return -fault;
    }
    if (count == 1) {
        return wait_one(words[0].word, words[0].value, deadline);
    }
    if (!sy_on_valgrind && !sy_get(&waitv_missing)) { /* valgrind 3.19 knows no waitv */
        fault = sy_fault(SY_FAULT_WAITV);
        int rc = fault ? -fault : wait_many(words, count, deadline);
        if (rc != -ENOSYS && rc != -EPERM) {
            return rc;
        }
        sy_put(&waitv_missing, 1);
    }
    return wait_one(words[0].word, words[0].value, bounded(deadline));
}

int sy_futex_wake(sy_word *word, int count)
{
    long rc = syscall(SYS_futex, (uint32_t *)word, FUTEX_WAKE, count, NULL, NULL, 0);
    return rc < 0 ? 0 : (int)rc;
}
