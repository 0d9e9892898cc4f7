/* SPDX-License-Identifier: MIT */
/* From the call that lets somebody through to the return of the call that waited for it, in another
 * process: shared by the questions `handoff` and `event`. */
#ifndef BENCH_HANDOFF_H
#define BENCH_HANDOFF_H

#include "bench/bench.h"

/* One way to hand on. `prepare` makes the waiter wait, `after` runs in the waiter when it is over.
 */
struct bench_way {
    void (*open)(struct bench_member *me);
    void (*prepare)(struct bench_member *me, bench_word *word);
    void (*wait)(struct bench_member *me, bench_word *word);
    void (*give)(struct bench_member *me, bench_word *word);
    void (*after)(struct bench_member *me, bench_word *word);
};
extern const struct bench_way bench_way_futex; /* raw: sleeps at once */
extern const struct bench_way bench_way_spin;  /* raw: a word that is looked at */

/* Compare subject and peer on two CPUs, `delay` ns after the waiter began to wait. */
void bench_handoff_compare(struct bench_case c, const struct bench_way *subject,
                           const struct bench_way *peer, int64_t delay, int turns);

#endif
