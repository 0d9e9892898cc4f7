/* SPDX-License-Identifier: MIT */
/* Timeouts and deadlines: nanoseconds of CLOCK_MONOTONIC. */
#ifndef SYNC_TIME_H
#define SYNC_TIME_H

#include <sync/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Relative, in nanoseconds. 0 tries once. 1 … 999 and negative numbers other than SYNC_DEFAULT are
 * SYNC_EINVAL: they are mistakes in the unit. */
typedef int64_t sync_timeout;
#define SYNC_FOREVER INT64_MAX /* really for ever */
/* The handle's own, else that of sync_manager_options, else the object's, else the segment's (60
 * s). */
#define SYNC_DEFAULT INT64_MIN

/* Absolute, in nanoseconds of CLOCK_MONOTONIC; stands still while the machine is suspended. */
typedef int64_t sync_deadline;

/* Seconds, milliseconds, microseconds; saturating at SYNC_FOREVER; negative and NaN give -1, which
 * every call refuses. What is positive but below 1 us gives 1 us. Pure. */
static inline sync_timeout sync_timeout_of(double count, double unit)
{
    double ns = count * unit;
    if (ns == 0) {
        return 0;
    }
    if (!(ns > 0)) {
        return -1;
    }
    if (ns < 1000) {
        return 1000;
    }
    return ns >= 9.2233720368547748e18 ? SYNC_FOREVER : (sync_timeout)ns;
}
static inline sync_timeout SYNC_S(double seconds)
{
    return sync_timeout_of(seconds, 1e9);
}
static inline sync_timeout SYNC_MS(double milliseconds)
{
    return sync_timeout_of(milliseconds, 1e6);
}
static inline sync_timeout SYNC_US(double microseconds)
{
    return sync_timeout_of(microseconds, 1e3);
}

/* One deadline for a loop of waits. SYNC_FOREVER stays SYNC_FOREVER; SYNC_DEFAULT counts as the
 * library's own 60 s; an invalid timeout gives a deadline that is past. Thread- and fork-safe. */
SYNC_API sync_deadline sync_deadline_after(sync_timeout timeout);

/* What is left: 0 when past (one last try), else at least 1 us; FOREVER stays FOREVER. */
SYNC_API sync_timeout sync_remaining(sync_deadline deadline);

#ifdef __cplusplus
}
#endif
#endif
