/* SPDX-License-Identifier: MIT */
/* All scenarios of the sweep, a list a file. */
#ifndef CRASH_SCENARIOS_H
#define CRASH_SCENARIOS_H

#include "scenario.h"

/* How sparse the third run is in CI; `make sweep` takes every point. */
enum { CRASH_EVERY_IN_CI = 10 };

enum {
    ALL_MODES = 1 << CRASH_REPLAY | 1 << CRASH_NOTHING | 1 << CRASH_RECHECK,
    HEALED = 1 << CRASH_REPLAY | 1 << CRASH_RECHECK,
};

/* Sets the library's switches for this process and those it starts. */
void crash_set_mode(enum crash_mode mode);

/* NULL-ended lists in a NULL-ended list. */
extern const struct crash_scenario *const *const crash_kinds[];

extern const struct crash_scenario *const crash_mutex[];
extern const struct crash_scenario *const crash_semaphore[];
extern const struct crash_scenario *const crash_event[];
extern const struct crash_scenario *const crash_barrier[];
extern const struct crash_scenario *const crash_many[];
extern const struct crash_scenario *const crash_break[];
extern const struct crash_scenario *const crash_handler[];
extern const struct crash_scenario *const crash_life[];
extern const struct crash_scenario *const crash_recovery[];
extern const struct crash_scenario *const crash_growth[];
extern const struct crash_scenario *const crash_create[];
extern const struct crash_scenario *const crash_process[];
extern const struct crash_scenario *const crash_names[];

#endif
