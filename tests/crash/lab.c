/* SPDX-License-Identifier: MIT */
#include "lab.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab_manager.h"
#include "os/fault.h"
#include "os/os.h"
#include "scenarios.h"

/* Enough for every scenario, and little to compare after each step. Records are two growths: see
 * the scenario of growth. */
static const struct sy_capacities capacities = {
    .processes = 16,
    .threads = 16,
    .principals = 32,
    .records = 512,
    .chunks = 16,
    .ring = 64,
};

void crash_set_mode(enum crash_mode mode)
{
    sy_switches.recheck_off = mode != CRASH_RECHECK;
    sy_switches.replay_off = mode != CRASH_REPLAY;
}

static const struct sy_capacities roomy = {
    .processes = 128,
    .threads = 32,
    .principals = 128,
    .records = 512,
    .chunks = 32,
    .ring = 64,
};

static const struct sy_capacities narrow = {
    .processes = 16,
    .threads = 16,
    .principals = 32,
    .records = 16,
    .chunks = 16,
    .ring = 64,
};

static bool lab_name(struct crash_case *c)
{
    struct lab *lab = calloc(1, sizeof *lab);
    int private;
    c->world = lab;
    /* Each worker has a pid of its own, which keeps workers and sweeps apart. */
    snprintf(lab->name, sizeof lab->name, "crash-%d-%llu", (int)getpid(),
             (unsigned long long)c->serial);
    snprintf(lab->address, sizeof lab->address, "shm:%s", lab->name);
    if (sy_segment_name(lab->name, lab->shm_name, sizeof lab->shm_name, &private) < 0) {
        return case_trouble(c, "no name: %s", sync_last_error());
    }
    sy_shm_unlink(lab->shm_name); /* of a sweep that was killed, and whose pid is used again */
    prctl(PR_SET_CHILD_SUBREAPER, 1UL);
    return true;
}

static bool lab_open(struct crash_case *c)
{
    const struct sy_segment_config config = {
        .capacities = c->scenario->world == &lab_roomy_world    ? roomy
                      : c->scenario->world == &lab_narrow_world ? narrow
                                                                : capacities,
        .default_timeout = 60000000000,
        .uid = (uint32_t)geteuid(),
        .gid = (uint32_t)-1,
        .mode = 0600,
    };
    if (!lab_name(c)) {
        return false;
    }
    struct lab *lab = lab_of(c);
    if (sy_segment_create(lab->shm_name, &config, &lab->segment) < 0) {
        return case_trouble(c, "no segment: %s", sync_last_error());
    }
    /* A manager that has died just now is the hardest to notice. */
    sy_put(&lab->segment->header->heartbeat, (uint64_t)sy_now());
    return c->mode != CRASH_REPLAY || c->scenario->late_manager || lab_manager_start(c);
}

static void lab_close(struct crash_case *c)
{
    struct lab *lab = lab_of(c);
    lab_manager_stop(c);
    if (lab->segment != NULL) {
        sy_shm_unlink(lab->shm_name);
        sy_segment_free(lab->segment);
    }
    lab_end_descendants();
    free(lab);
    c->world = NULL;
}

/* All but managerd's beat, which would look like a store of the victim's. */
unsigned lab_header_ranges(const void *base, struct crash_range *ret_ranges)
{
    const size_t beat = offsetof(struct sy_header, heartbeat);
    const size_t behind = beat + sizeof(((struct sy_header *)NULL)->heartbeat);
    ret_ranges[0].base = base;
    ret_ranges[0].size = beat;
    ret_ranges[1].base = (const char *)base + behind;
    ret_ranges[1].size = SY_HEADER_SIZE - behind;
    return 2;
}

static unsigned lab_ranges(struct crash_case *c, struct crash_range *ret_ranges)
{
    struct sy_segment *segment = lab_of(c)->segment;
    unsigned count = lab_header_ranges(segment->base, ret_ranges);
    for (int id = 0; id < SY_REGIONS; id++) {
        uint32_t committed = sy_committed(segment, (enum sy_region_id)id);
        if (committed == 0 || !sy_segment_reach(segment, (enum sy_region_id)id, committed)) {
            continue;
        }
        ret_ranges[count].base = segment->start[id];
        ret_ranges[count++].size = (size_t)committed * segment->header->regions[id].stride;
    }
    return count;
}

const struct crash_world lab_world = {
    .open = lab_open,
    .close = lab_close,
    .ranges = lab_ranges,
    .died = lab_manager_notice,
    .admits = lab_admits,
};

const struct crash_world lab_roomy_world = {
    .open = lab_open,
    .close = lab_close,
    .ranges = lab_ranges,
    .died = lab_manager_notice,
    .admits = lab_admits,
};

const struct crash_world lab_narrow_world = {
    .open = lab_open,
    .close = lab_close,
    .ranges = lab_ranges,
    .died = lab_manager_notice,
    .admits = lab_admits,
};

const struct crash_world lab_empty_world = {
    .open = lab_name,
    .close = lab_empty_close,
    .ranges = lab_empty_ranges,
    .died = lab_manager_notice,
    .admits = lab_admits,
};

sync_manager *lab_connect(struct crash_case *c)
{
    static sync_manager *manager;
    if (manager == NULL) {
        const sync_manager_options options = {.no_autostart = 1};
        lab_must(c, "connect", sync_manager_connect(lab_of(c)->address, &options, &manager));
    }
    return manager;
}

int lab_must(struct crash_case *c, const char *what, int rc)
{
    if (SYNC_FAILED(rc)) {
        actor_fail(c, "%s: %s: %s", what, sync_strcode(rc), sync_last_error());
    }
    return rc;
}

struct sy_hot *lab_hot(struct crash_case *c, const char *name)
{
    struct sy_segment *segment = lab_of(c)->segment;
    uint32_t count = sy_committed(segment, SY_HOTS);
    struct sy_hot *newest = NULL;
    uint64_t created = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sy_hot *hot = sy_hot_at(segment, i);
        struct sy_cold *cold = sy_cold_at(segment, i);
        if (hot == NULL || cold == NULL || (sy_load(&hot->state) & 0xff) != SY_RECORD_LIVE ||
            strcmp(cold->name, name) != 0) {
            continue;
        }
        if (newest == NULL || sy_load(&cold->created_at) >= created) {
            newest = hot;
            created = sy_load(&cold->created_at);
        }
    }
    return newest;
}

bool lab_until(struct crash_case *c, bool (*holds)(struct crash_case *), const char *what)
{
    uint64_t limit = now_ns() + 2000000000u;
    for (unsigned look = 0; !holds(c); look++) {
        if (now_ns() > limit) {
            return case_trouble(c, "the segment never showed: %s", what);
        }
        look < 20 ? (void)sched_yield() : (void)usleep(20);
    }
    return true;
}

struct sy_executor *lab_executor(struct crash_case *c, unsigned actor)
{
    struct sy_segment *segment = lab_of(c)->segment;
    pid_t tid = actor == CRASH_ACTORS ? atomic_load(&c->control->victim_tid) : c->actor[actor].pid;
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i);
        if (principal != NULL && sy_tenancy_state(sy_load(&principal->tenancy)) == SY_SLOT_LIVE &&
            sy_load(&principal->tid) == (uint32_t)tid) {
            return sy_executor_at(segment, i);
        }
    }
    return NULL;
}
