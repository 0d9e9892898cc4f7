/* SPDX-License-Identifier: MIT */
#include "toy.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define W 0x80000000u

static void wake_one(struct toy *toy)
{
    syscall(SYS_futex, &toy->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

int toy_acquire(struct crash_case *c, unsigned who)
{
    struct toy *toy = toy_of(c);
    const struct timespec recheck = {.tv_nsec = 50000000};
    uint32_t word = 0;
    if (atomic_compare_exchange_strong(&toy->word, &word, who + 1)) {
        return 0;
    }
    atomic_store(&toy->waiting[who], 1);
    for (;;) {
        word = atomic_load(&toy->word);
        if ((word & ~W) == 0) {
            /* Others may sleep: whoever has slept, or finds W, keeps W. */
            if (atomic_compare_exchange_strong(&toy->word, &word, (who + 1) | W)) {
                break;
            }
            continue;
        }
        if (!(word & W) && !atomic_compare_exchange_strong(&toy->word, &word, word | W)) {
            continue;
        }
        syscall(SYS_futex, &toy->word, FUTEX_WAIT, word | W,
                c->mode == CRASH_RECHECK ? &recheck : NULL, NULL, 0);
    }
    atomic_store(&toy->waiting[who], 0);
    return 0;
}

int toy_release(struct crash_case *c, unsigned who)
{
    struct toy *toy = toy_of(c);
    uint32_t word = who + 1;
    if (atomic_compare_exchange_strong(&toy->word, &word, 0)) {
        return 0;
    }
    atomic_store(&toy->owed[who], 1);
    atomic_store(&toy->word, 0);
    wake_one(toy);
    atomic_store(&toy->owed[who], 0);
    return 0;
}

static bool toy_open(struct crash_case *c)
{
    c->world = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return c->world != MAP_FAILED;
}

static void toy_close(struct crash_case *c)
{
    munmap(c->world, 4096);
}

static unsigned toy_ranges(struct crash_case *c, struct crash_range *ret_ranges)
{
    ret_ranges[0].base = c->world;
    ret_ranges[0].size = sizeof(struct toy);
    return 1;
}

/* The owner's own lock is always given back; what it owed is replayed only where the mode says so.
 */
static void toy_died(struct crash_case *c)
{
    struct toy *toy = toy_of(c);
    if ((atomic_load(&toy->word) & ~W) == TOY_VICTIM + 1) {
        atomic_store(&toy->word, 0);
        wake_one(toy);
    }
    if (c->mode == CRASH_REPLAY &&
        (atomic_load(&toy->owed[TOY_VICTIM]) || atomic_load(&toy->waiting[TOY_VICTIM]))) {
        wake_one(toy);
    }
}

static bool toy_admits(struct crash_case *c, unsigned actor)
{
    (void)actor;
    return (atomic_load(&toy_of(c)->word) & ~W) == 0;
}

const struct crash_world toy_world = {
    .open = toy_open,
    .close = toy_close,
    .ranges = toy_ranges,
    .died = toy_died,
    .admits = toy_admits,
};
