/* SPDX-License-Identifier: MIT */
#include "os/fault.h"

struct sy_switches sy_switches;

static struct {
    _Atomic int32_t after; /* calls still to pass */
    _Atomic int32_t times; /* failures still to give */
    _Atomic int error;
} points[SY_FAULT_POINTS];

void sy_fault_set(enum sy_fault_point point, uint32_t after, uint32_t times, int error)
{
    atomic_store(&points[point].after, (int32_t)after - 1);
    atomic_store(&points[point].error, error);
    atomic_store(&points[point].times, (int32_t)times);
}

int sy_fault(enum sy_fault_point point)
{
    if (sy_likely(sy_get(&points[point].times) <= 0)) {
        return 0;
    }
    if (atomic_fetch_sub(&points[point].after, 1) > 0) {
        return 0;
    }
    return atomic_fetch_sub(&points[point].times, 1) > 0 ? atomic_load(&points[point].error) : 0;
}
