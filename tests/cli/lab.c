/* SPDX-License-Identifier: MIT */
/* A laboratory to be looked at: processes that hold and wait, in known ways.
 *
 *   lab create MANAGER          a small segment without a manager
 *   lab run MANAGER             the cast below; prints NAME=PID lines, then "ready"; ends with
 * stdin lab circle MANAGER          the records of a deadlock that nobody resolves; ends with stdin
 *   lab many MANAGER N          N names, one in ten held
 *   lab scribble FILE SEED N    N random bytes, words or bits into places that matter
 *   lab scribbling FILE         the same without an end, into the mapped file
 *   lab cutting FILE            whole for half a millisecond, then cut for an instant, without an
 * end lab remove MANAGER */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sync/sync.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "objects/kind.h"

static const char *manager_name;

static void die(const char *what)
{
    fprintf(stderr, "lab: %s: %s\n", what, sync_last_error());
    _exit(1);
}

#define NEED(call_)                                                                                \
    do {                                                                                           \
        if (SYNC_FAILED(call_)) {                                                                  \
            die(#call_);                                                                           \
        }                                                                                          \
    } while (0)

static sync_manager *connect_as(const char *label)
{
    char address[80];
    sync_manager *manager;
    sync_manager_options options = {.label = label, .no_autostart = 1};
    snprintf(address, sizeof(address), "shm:%s", manager_name);
    NEED(sync_manager_connect(address, &options, &manager));
    return manager;
}

static void segment_name(char *to, size_t size)
{
    int private_to_user;
    NEED(sy_segment_name(manager_name, to, size, &private_to_user));
}

static struct sy_segment *open_segment(bool writable)
{
    char shm_name[SY_PATH_MAX];
    struct sy_segment *segment;
    segment_name(shm_name, sizeof(shm_name));
    NEED(sy_segment_open(shm_name, writable, &segment));
    return segment;
}

static int create(void)
{
    char shm_name[SY_PATH_MAX];
    struct sy_segment *segment;
    struct sy_segment_config config = {.capacities = {.processes = 32,
                                                      .threads = 64,
                                                      .principals = 128,
                                                      .records = 64,
                                                      .chunks = 32,
                                                      .ring = 64},
                                       .default_timeout = 60000000000ll,
                                       .uid = geteuid(),
                                       .gid = (uint32_t)-1,
                                       .mode = 0600};
    segment_name(shm_name, sizeof(shm_name));
    NEED(sy_segment_create(shm_name, &config, &segment));
    return 0;
}

/* ---- the cast ---- */

static sync_mutex *mutex_of(sync_manager *manager, const char *name, sync_mutex_options *options)
{
    sync_mutex *mutex;
    NEED(sync_mutex_open(manager, name, options, &mutex));
    return mutex;
}

static void say_ready(int ready)
{
    if (write(ready, "r", 1) != 1) {
        _exit(1);
    }
}

static void stay(int ready)
{
    say_ready(ready);
    for (;;) {
        pause();
    }
}

static void exposer(int ready)
{
    sync_manager *manager = connect_as("exposer");
    sync_semaphore *slots;
    sync_mutex *camera = mutex_of(manager, "camera", &(sync_mutex_options){.max_hold = SYNC_MS(1)});
    NEED(sync_note(manager, "flat fields, night 3"));
    NEED(sync_mutex_acquire(camera, SYNC_S(5)));
    NEED(sync_mutex_acquire(camera, SYNC_S(5)));
    NEED(sync_semaphore_open(manager, "slots",
                             &(sync_semaphore_options){.initial = 3, .maximum = 3}, &slots));
    NEED(sync_semaphore_acquire_many(slots, 2, 0));
    stay(ready);
}

static void flattener(int ready)
{
    sync_manager *manager = connect_as("flattener");
    NEED(sync_note(manager, "DM flat"));
    NEED(sync_mutex_acquire(mutex_of(manager, "mirror", NULL), SYNC_S(5)));
    say_ready(ready);
    NEED(sync_mutex_acquire(mutex_of(manager, "camera", NULL), SYNC_S(300)));
    _exit(0);
}

static void scan(int ready)
{
    sync_manager *manager = connect_as("scan.py");
    NEED(sync_note(manager, "grid scan 12"));
    sync_mutex *mirror = mutex_of(manager, "mirror", NULL);
    say_ready(ready);
    NEED(sync_mutex_acquire(mirror, SYNC_FOREVER));
    _exit(0);
}

static void safety(int ready)
{
    sync_manager *manager = connect_as("safety");
    sync_mutex *camera = mutex_of(manager, "camera", NULL);
    say_ready(ready);
    NEED(sync_mutex_acquire(camera, SYNC_S(600)));
    _exit(0);
}

static void listener(int ready)
{
    sync_manager *manager = connect_as("listener");
    sync_event *stop;
    NEED(sync_event_open(manager, "stop", NULL, &stop));
    say_ready(ready);
    NEED(sync_event_wait(stop, SYNC_S(300)));
    _exit(0);
}

static void starter(int ready)
{
    sync_manager *manager = connect_as("starter");
    sync_barrier *start, *broken;
    sync_event *go;
    NEED(sync_event_open(manager, "go", NULL, &go));
    NEED(sync_event_set(go));
    NEED(sync_barrier_open(manager, "burst", &(sync_barrier_options){.parties = 2}, &broken));
    NEED(sync_barrier_abort(broken));
    NEED(sync_barrier_open(manager, "start", &(sync_barrier_options){.parties = 3}, &start));
    say_ready(ready);
    NEED(sync_barrier_wait(start, SYNC_S(300)));
    _exit(0);
}

/* Holds by a handle, so nobody's thread; then its process dies. */
static void doomed(int ready)
{
    sync_manager *manager = connect_as("doomed");
    NEED(sync_mutex_acquire(mutex_of(manager, "stage", NULL), SYNC_S(5)));
    stay(ready);
}

static void by_handle(int ready)
{
    sync_manager *manager = connect_as("labview");
    sync_mutex_options options = {.owner = SYNC_OWNER_HANDLE, .fifo = 1, .non_recursive = 1};
    NEED(sync_mutex_acquire(mutex_of(manager, "filter wheel", &options), SYNC_S(5)));
    stay(ready);
}

static const struct {
    const char *name;
    void (*act)(int ready);
    uint32_t waits; /* sleepers there are once it is settled */
} cast[] = {
    {"exposer", exposer, 0}, {"flattener", flattener, 1}, {"scan", scan, 2},
    {"safety", safety, 3},   {"listener", listener, 4},   {"starter", starter, 5},
    {"doomed", doomed, 5},   {"labview", by_handle, 5},
};

static uint32_t sleepers(void)
{
    struct sy_segment *segment = open_segment(false);
    uint32_t count = sy_committed(segment, SY_EXECUTORS), found = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct sy_executor *executor = sy_executor_at(segment, i);
        struct sy_principal *principal = sy_principal_at(segment, i);
        found += executor && principal && sy_load(&executor->waiting.count) != 0 &&
                 sy_tenancy_state(sy_load(&principal->tenancy)) == SY_SLOT_LIVE;
    }
    sy_segment_free(segment);
    return found;
}

static int run(void)
{
    pid_t parent = getpid(), pids[SY_COUNT(cast)];
    for (size_t i = 0; i < SY_COUNT(cast); i++) {
        int ready[2];
        char byte;
        if (pipe(ready) < 0) {
            return 1;
        }
        pids[i] = fork();
        if (pids[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(ready[0]);
            if (getppid() == parent) {
                cast[i].act(ready[1]);
            }
            _exit(1);
        }
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 1) {
            return 1;
        }
        close(ready[0]);
        for (int tries = 0; sleepers() != cast[i].waits; tries++) {
            if (tries == 500) {
                fprintf(stderr, "lab: %s does not wait\n", cast[i].name);
                return 1;
            }
            usleep(10000);
        }
        printf("%s=%d\n", cast[i].name, (int)pids[i]);
        if (strcmp(cast[i].name, "doomed") == 0) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF) {}
    return 0;
}

/* ---- a deadlock ---- */

/* The library tells the youngest at once, so the waiting records are written by hand, as those of
 * threads that were stopped before they could look. */
static void pretend_to_wait(struct sy_segment *segment, const char *label, const char *name)
{
    struct sy_name key = {name, (uint32_t)strlen(name), sy_hash(name, strlen(name))};
    uint32_t record = sy_directory_find(segment, &key);
    uint32_t count = sy_committed(segment, SY_EXECUTORS);
    for (uint32_t i = 0; i < count; i++) {
        struct sy_principal *principal = sy_principal_at(segment, i);
        struct sy_executor *executor = sy_executor_at(segment, i);
        sync_principal who;
        uint32_t id = sy_principal_id(segment, i);
        sy_describe_principal(segment, id, &who);
        if (principal && executor && strcmp(who.label, label) == 0) {
            sy_put(&executor->waiting.principal, id);
            sy_put(&executor->waiting.ticket, (uint64_t)sy_now());
            sy_put(&executor->waiting.deadline, (uint64_t)INT64_MAX);
            sy_put(&executor->waiting.records[0], record + 1);
            sy_put(&executor->waiting.generations[0],
                   sy_hot_generation(sy_hot_at(segment, record)));
            sy_store_sc(&executor->waiting.count, 1);
        }
    }
}

static const char *const circle_names[] = {"alpha", "beta", "gamma"};

static void hold(int ready, size_t which)
{
    sync_manager *manager = connect_as(circle_names[which]);
    NEED(sync_mutex_acquire(mutex_of(manager, circle_names[which], NULL), SYNC_S(5)));
    stay(ready);
}

static int circle(void)
{
    pid_t parent = getpid();
    for (size_t i = 0; i < SY_COUNT(circle_names); i++) {
        int ready[2];
        char byte;
        if (pipe(ready) < 0) {
            return 1;
        }
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() == parent) {
                hold(ready[1], i);
            }
            _exit(1);
        }
        close(ready[1]);
        if (read(ready[0], &byte, 1) != 1) {
            return 1;
        }
        close(ready[0]);
    }
    struct sy_segment *segment = open_segment(true);
    for (size_t i = 0; i < SY_COUNT(circle_names); i++) {
        pretend_to_wait(segment, circle_names[i], circle_names[(i + 1) % SY_COUNT(circle_names)]);
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF) {}
    return 0;
}

/* ---- many ---- */

static int many(uint32_t count)
{
    sync_manager *manager = connect_as("many");
    for (uint32_t i = 0; i < count; i++) {
        char name[40];
        snprintf(name, sizeof(name), "object %u", i);
        sync_mutex *mutex = mutex_of(manager, name, NULL);
        if (i % 10 == 0) {
            NEED(sync_mutex_acquire(mutex, SYNC_S(5)));
        }
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF) {}
    return 0;
}

/* ---- scribbling ---- */

static uint64_t state;
static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Bits, bytes and words; random, all ones, or off by a little: what an index becomes when its
 * writer errs. Where there is data, as most of a segment is holes. */
static void scribble_once(unsigned char *base, size_t size)
{
    static const uint64_t values[] = {0, 1, UINT64_MAX, INT64_MAX, 0x80000000u, 0xffff, 0xfffffffe};
    size_t at = next() % size;
    for (int tries = 0; tries < 200 && base[at] == 0; tries++) {
        at = next() % size;
    }
    if (next() % 8 == 0) {
        at = next() % SY_HEADER_SIZE;
    }
    uint64_t value = next() % 3 ? next() : values[next() % SY_COUNT(values)];
    switch (next() % 4) {
    case 0:
        base[at] ^= (unsigned char)(1u << value % 8);
        break;
    case 1:
        base[at] = (unsigned char)value;
        break;
    case 2:
        memcpy(base + at / 4 * 4, &value, 4);
        break;
    default:
        memcpy(base + at / 8 * 8, &value, 8);
        break;
    }
}

static unsigned char *map_file(const char *path, size_t *ret_size)
{
    struct stat status;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 || status.st_size <= (off_t)SY_HEADER_SIZE) {
        perror(path);
        _exit(1);
    }
    *ret_size = (size_t)status.st_size;
    void *base = mmap(NULL, *ret_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        perror(path);
        _exit(1);
    }
    return base;
}

static int scribble(const char *path, uint64_t seed, int count)
{
    size_t size;
    unsigned char *base = map_file(path, &size);
    state = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < count; i++) {
        scribble_once(base, size);
    }
    return 0;
}

/* The header's fixed part is written back each time, or nothing would ever open. */
static void scribbling(const char *path)
{
    size_t size;
    unsigned char *base = map_file(path, &size), fixed[SY_HEADER_SIZE];
    state = 4711;
    memcpy(fixed, base, sizeof(fixed));
    puts("ready");
    fflush(stdout);
    for (unsigned i = 0;; i++) {
        scribble_once(base, size);
        if (i % 64 == 0) {
            memcpy(base, fixed, sizeof(fixed));
        }
    }
}

static void cutting(const char *path)
{
    size_t size;
    unsigned char *base = map_file(path, &size), *whole = malloc(size);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (!whole || fd < 0) {
        _exit(1);
    }
    memcpy(whole, base, size);
    puts("ready");
    fflush(stdout);
    for (;;) {
        if (ftruncate(fd, SY_HEADER_SIZE) < 0 || ftruncate(fd, (off_t)size) < 0 ||
            pwrite(fd, whole + SY_HEADER_SIZE, size - SY_HEADER_SIZE, SY_HEADER_SIZE) < 0) {
            _exit(1);
        }
        usleep(500);
        if (ftruncate(fd, SY_HEADER_SIZE) < 0) {
            _exit(1);
        }
        usleep(50);
    }
}

static int remove_segment(void)
{
    char shm_name[SY_PATH_MAX];
    segment_name(shm_name, sizeof(shm_name));
    sy_shm_unlink(shm_name);
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "";
    manager_name = argc > 2 ? argv[2] : "";
    if (strcmp(verb, "create") == 0) {
        return create();
    }
    if (strcmp(verb, "run") == 0) {
        return run();
    }
    if (strcmp(verb, "circle") == 0) {
        return circle();
    }
    if (strcmp(verb, "many") == 0 && argc == 4) {
        return many((uint32_t)strtoul(argv[3], NULL, 10));
    }
    if (strcmp(verb, "scribble") == 0 && argc == 5) {
        return scribble(argv[2], strtoull(argv[3], NULL, 10), atoi(argv[4]));
    }
    if (strcmp(verb, "scribbling") == 0) {
        scribbling(argv[2]);
    }
    if (strcmp(verb, "cutting") == 0) {
        cutting(argv[2]);
    }
    if (strcmp(verb, "remove") == 0) {
        return remove_segment();
    }
    fputs("lab: see the head of tests/cli/lab.c\n", stderr);
    return 2;
}
