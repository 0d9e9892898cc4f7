/* SPDX-License-Identifier: MIT */
/* Killed while the segment comes into being: managerd from its main() on, and a client that starts
 * one. Whoever comes next finds a whole segment, or none. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lab.h"
#include "lab_manager.h"
#include "scenarios.h"

struct plan {
    bool starts; /* the victim is a client that starts managerd */
};

static const struct plan *plan_of(struct crash_case *c)
{
    return c->scenario->argument;
}

/* "No manager yet" is the only refusal a client may get, and only where none comes. */
static bool attach(struct crash_case *c, bool starts, sync_manager **ret_manager)
{
    const sync_manager_options options = {.no_autostart = !starts};
    for (;;) {
        int rc = sync_manager_connect(lab_of(c)->address, &options, ret_manager);
        if (rc != SYNC_ENOMANAGER || starts) {
            lab_must(c, "connect", rc);
            return true;
        }
        if (c->mode == CRASH_RECHECK) {
            return false;
        }
        usleep(500);
    }
}

static void use(struct crash_case *c, sync_manager *manager)
{
    sync_mutex *mutex;
    lab_must(c, "open", sync_mutex_open(manager, "m", NULL, &mutex));
    lab_must(c, "acquire", sync_mutex_acquire(mutex, LAB_PATIENCE));
    lab_must(c, "release", sync_mutex_release(mutex));
}

static void client(struct crash_case *c)
{
    sync_manager *manager;
    actor_begin(c);
    if (attach(c, plan_of(c)->starts, &manager)) {
        use(c, manager);
    }
    actor_end(c, 0);
}

static bool build(struct crash_case *c)
{
    return actor_start(c, client) >= 0 && actor_start(c, client) >= 0;
}

static void prepare_serve(struct crash_case *c)
{
    (void)c;
}

/* A small segment, and few descriptors for a daemon to close. */
static void prepare_connect(struct crash_case *c)
{
    static const char *const settings[][2] = {
        {"NAMES", "64"},      {"PROCESSES", "16"}, {"THREADS", "16"},
        {"PRINCIPALS", "32"}, {"CHUNKS", "16"},    {"EVENTS", "16"},
    };
    const struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
    char path[PATH_MAX];
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends,
                NULL); /* of the caller's part of the daemon: not a stop of ours */
    setrlimit(RLIMIT_NOFILE, &few);
    for (unsigned i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        char key[48];
        snprintf(key, sizeof key, "SYNC_MANAGERD_%s", settings[i][0]);
        setenv(key, settings[i][1], 1);
    }
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 32);
    path[size < 0 ? 0 : size] = '\0';
    char *slash = strrchr(path, '/');
    if (getenv("SYNC_MANAGERD") == NULL && slash != NULL) {
        strcpy(slash, "/../../managerd/managerd");
        setenv("SYNC_MANAGERD", path, 1);
    }
    (void)c;
}

static bool prepare_clients(struct crash_case *c)
{
    prepare_connect(c);
    return build(c);
}

static void operate_connect(struct crash_case *c)
{
    sync_manager *manager;
    attach(c, true, &manager);
}

static const char *check(struct crash_case *c)
{
    struct lab *lab = lab_of(c);
    char draft[SY_PATH_MAX + 32];
    struct stat status;
    if (c->mode == CRASH_RECHECK && !plan_of(c)->starts) {
        return NULL;
    }
    snprintf(draft, sizeof draft, "/dev/shm%s.new", lab->shm_name);
    if (stat(draft, &status) == 0) {
        return "half a segment was left";
    }
    return sy_segment_open(lab->shm_name, false, &lab->segment) == 0 ? NULL : "no segment";
}

static const struct crash_scenario created = {
    .name = "managerd creates the segment",
    .world = &lab_empty_world,
    .points = CRASH_STORES,
    .modes = HEALED,
    .build = build,
    .prepare = prepare_serve,
    .operate = lab_managerd_serve,
    .check = check,
    .late_manager = true,
    .argument = &(const struct plan){.starts = false},
};

static const struct crash_scenario started = {
    .name = "attach, managerd is started",
    .world = &lab_empty_world,
    .points = CRASH_STORES,
    .modes = 1 << CRASH_RECHECK,
    .build = prepare_clients,
    .prepare = prepare_connect,
    .operate = operate_connect,
    .check = check,
    .argument = &(const struct plan){.starts = true},
};

const struct crash_scenario *const crash_create[] = {&created, &started, NULL};
