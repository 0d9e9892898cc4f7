/* SPDX-License-Identifier: MIT */
/* Time and chance, as the testbed takes them. */
#ifndef TESTBED_CLOCK_H
#define TESTBED_CLOCK_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define MS 1000000ll /* ns */

static inline int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * MS + now.tv_nsec;
}

static inline void nap_ns(int64_t ns)
{
    struct timespec left = {.tv_sec = ns / (1000 * MS), .tv_nsec = ns % (1000 * MS)};
    while (nanosleep(&left, &left) != 0) {}
}

static inline int random_between(int low, int high)
{
    return low + (int)(random() % (high - low + 1));
}

#endif
