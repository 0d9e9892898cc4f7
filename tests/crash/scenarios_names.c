/* SPDX-License-Identifier: MIT */
/* managerd killed while it takes names out of their chain, and while it retires names that nobody
 * would miss: those that stay are found, those that went can be made again. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "lab.h"
#include "lab_manager.h"
#include "scenarios.h"

enum { NAMES = 12 };

struct plan {
    unsigned names;
    bool one_chain;  /* all in one chain: the newest, which goes too, comes first in it */
    bool unlinks;    /* those that go are unlinked; else they are only closed */
    unsigned stay;   /* a bit each */
    unsigned sweeps; /* of managerd */
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

static bool stays(struct crash_case *c, unsigned i)
{
    return plan_of(c)->stay >> i & 1;
}

struct names {
    char text[NAMES][16];
};

static void find_names(struct crash_case *c, struct names *ret_names)
{
    uint32_t mask = lab_of(c)->segment->regions[SY_BUCKETS].capacity - 1, chain = 0;
    for (unsigned found = 0, i = 0; found < plan_of(c)->names; i++) {
        char *text = ret_names->text[found];
        int size = snprintf(text, sizeof ret_names->text[0], "n%u", i);
        uint32_t bucket = sy_hash(text, (size_t)size) & mask;
        if (found == 0 || bucket == chain || !plan_of(c)->one_chain) {
            chain = bucket;
            found++;
        }
    }
}

enum { KEEPER, NEWCOMER };

/* Holds those that stay: whoever made them anew would not wait for them. */
static void keeper(struct crash_case *c)
{
    sync_mutex *mutexes[NAMES];
    struct names names;
    find_names(c, &names);
    actor_begin(c);
    for (unsigned i = 0; i < plan_of(c)->names; i++) {
        lab_must(c, "open", sync_mutex_open(lab_connect(c), names.text[i], NULL, &mutexes[i]));
    }
    for (unsigned i = 0; i < plan_of(c)->names; i++) {
        if (stays(c, i)) {
            lab_must(c, "acquire", sync_mutex_acquire(mutexes[i], LAB_PATIENCE));
            continue;
        }
        sync_mutex_close(mutexes[i]);
        if (plan_of(c)->unlinks) {
            lab_must(c, "unlink", sync_unlink(lab_connect(c), names.text[i]));
        }
    }
    actor_end(c, 0);
    actor_begin(c);
    for (unsigned i = 0; i < 5000 && atomic_load(&c->control->actor[NEWCOMER].phase) < 2; i++) {
        usleep(200);
    }
    actor_end(c, 0);
}

static void newcomer(struct crash_case *c)
{
    struct names names;
    find_names(c, &names);
    actor_begin(c);
    for (unsigned i = 0; i < plan_of(c)->names; i++) {
        sync_mutex *mutex;
        lab_must(c, "open", sync_mutex_open(lab_connect(c), names.text[i], NULL, &mutex));
        int rc = sync_mutex_acquire(mutex, 0);
        if (rc != (stays(c, i) ? SYNC_ETIMEDOUT : 0)) {
            actor_fail(c, "%s, which %s: %s", names.text[i], stays(c, i) ? "stayed" : "went",
                       sync_strcode(rc));
        }
    }
    lab_sweep(c);
    actor_end(c, 0);
}

static bool build(struct crash_case *c)
{
    if (actor_start(c, keeper) < 0 || actor_start(c, newcomer) < 0) {
        return false;
    }
    actor_permit(c, KEEPER, 1);
    return actor_until_done(c, KEEPER, 1);
}

static void operate(struct crash_case *c)
{
    for (unsigned i = 0; i < plan_of(c)->sweeps; i++) {
        lab_managerd_sweep();
    }
}

static const char *check(struct crash_case *c)
{
    struct sy_segment *segment = lab_of(c)->segment;
    for (uint32_t i = 0; i < sy_committed(segment, SY_HOTS); i++) {
        uint32_t state = sy_state_of(sy_load(&sy_hot_at(segment, i)->state));
        if (state != SY_RECORD_FREE && state != SY_RECORD_LIVE) {
            return "a name was left between two states";
        }
    }
    return NULL;
}

#define NAME(variable_, name_, world_, ...)                                                        \
    static const struct crash_scenario variable_ = {                                               \
        .name = "managerd " name_,                                                                 \
        .world = &world_,                                                                          \
        .points = CRASH_STORES,                                                                    \
        .modes = HEALED,                                                                           \
        .build = build,                                                                            \
        .prepare = lab_managerd_prepare,                                                           \
        .operate = operate,                                                                        \
        .check = check,                                                                            \
        .late_manager = true,                                                                      \
        .argument = &(const struct plan){__VA_ARGS__},                                             \
    }

/* Taken out by the first sweep, freed by the second. */
NAME(unlinked, "takes names out of a chain", lab_world, .names = 5, .one_chain = true,
     .unlinks = true, .stay = 1 | 1 << 3, .sweeps = 2);
NAME(retired, "retires names, as most are taken", lab_narrow_world, .names = 12, .stay = 1 | 1 << 5,
     .sweeps = 1);

const struct crash_scenario *const crash_names[] = {&unlinked, &retired, NULL};
