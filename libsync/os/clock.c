/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include "os/fault.h"
#include "os/os.h"

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t sy_now(void)
{
    return read_clock(CLOCK_MONOTONIC) + sy_switches.clock_offset;
}

int64_t sy_now_coarse(void)
{
    return read_clock(CLOCK_MONOTONIC_COARSE) + sy_switches.clock_offset;
}

int64_t sy_wall(void)
{
    return read_clock(CLOCK_REALTIME) + sy_switches.wall_offset;
}

void sy_sleep_until(int64_t deadline)
{
    deadline -= sy_switches.clock_offset;
    struct timespec t = {.tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}
