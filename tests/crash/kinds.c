/* SPDX-License-Identifier: MIT */
#include "scenarios.h"

const struct crash_scenario *const *const crash_kinds[] = {
    crash_mutex,   crash_many, crash_break,    crash_semaphore, crash_event,  crash_barrier,
    crash_handler, crash_life, crash_recovery, crash_growth,    crash_create, crash_process,
    crash_names,   NULL,
};
