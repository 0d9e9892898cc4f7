/* SPDX-License-Identifier: MIT */
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/text.h"
#include "shm/ring.h"

static pid_t owner, managers[8];
static size_t manager_count;
static char name[64], shm_name[SY_PATH_MAX], path[SY_PATH_MAX + 16];
static bool made_up;
static FILE *managers_log; /* not our own output: lines of several writers would mix */
static struct sy_segment *view;
static sync_manager *connection;
struct board *board;

static void clean_up(void)
{
    if (getpid() != owner) {
        return;
    }
    for (size_t i = 0; i < manager_count; i++) {
        kill(managers[i], SIGKILL);
        waitpid(managers[i], NULL, 0);
    }
    manager_count = 0;
    if (made_up) {
        unlink(path);
    }
}

/* ---- checks ---- */

void check_failed(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "%s\n%s", getpid() == owner ? "" : " (in a child)",
            getpid() == owner ? managers_said() : "");
    va_end(arguments);
    clean_up();
    _exit(EXIT_FAILURE);
}

void check_code(const char *file, int line, const char *call, int expected, int got)
{
    if (got != expected) {
        check_failed(file, line, "%s: %s (%d), expected %s (%d)%s%s", call, sync_strcode(got), got,
                     sync_strcode(expected), expected, got < 0 ? ": " : "",
                     got < 0 ? sync_last_error() : "");
    }
}

void check_number(const char *file, int line, const char *what, int64_t expected, int64_t got)
{
    if (got != expected) {
        check_failed(file, line, "%s: %" PRId64 ", expected %" PRId64, what, got, expected);
    }
}

void check_words(const char *file, int line, const char *text, const char *words)
{
    if (!strstr(text, words)) {
        check_failed(file, line, "\"%s\" does not hold \"%s\"", text, words);
    }
}

bool all_bytes(const void *p, size_t size, unsigned char value)
{
    const unsigned char *bytes = p;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

void nap(void)
{
    struct timespec t = {0, 300000};
    nanosleep(&t, NULL);
}

/* ---- the laboratory ---- */

__attribute__((constructor)) static void begin(void)
{
    owner = getpid();
    managers_log = tmpfile();
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    atexit(clean_up);
    /* The user's own configuration is not what is tested. */
    setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
    unsetenv("SYNC_MANAGERD_CONFIG");
}

const char *lab_name(void)
{
    int private_to_user;
    const char *address = getenv("SYNC_MANAGER");
    if (name[0]) {
        return name;
    }
    if (address && strncmp(address, "shm:", 4) == 0) {
        snprintf(name, sizeof(name), "%.63s", address + 4);
    } else {
        char made[80];
        made_up = true;
        snprintf(name, sizeof(name), "check-%d", (int)owner);
        snprintf(made, sizeof(made), "shm:%s", name);
        setenv("SYNC_MANAGER", made, 1);
    }
    EXPECT(0, sy_segment_name(name, shm_name, sizeof(shm_name), &private_to_user));
    snprintf(path, sizeof(path), "/dev/shm%s", shm_name);
    return name;
}

const char *lab_shm(void)
{
    lab_name();
    return shm_name;
}

const char *lab_path(void)
{
    lab_name();
    return path;
}

struct sy_segment *lab_small(const struct sy_capacities *capacities)
{
    struct sy_segment_config config = {.capacities = *capacities,
                                       .default_timeout = 30000000000,
                                       .uid = geteuid(),
                                       .gid = (uint32_t)-1,
                                       .mode = 0600};
    EXPECT(0, sy_segment_create(lab_shm(), &config, &view));
    return view;
}

struct sy_segment *lab_alone(void)
{
    static const struct sy_capacities some = {.processes = 64,
                                              .threads = 256,
                                              .principals = 1024,
                                              .records = 512,
                                              .chunks = 256,
                                              .ring = 512};
    return lab_small(&some);
}

const char *managerd_path(void)
{
    static char beside[512];
    const char *given = getenv("SYNC_MANAGERD");
    if (given) {
        return given;
    }
    ssize_t size = readlink("/proc/self/exe", beside, sizeof(beside) - 32);
    CHECK(size > 0);
    beside[size] = 0;
    for (int up = 0; up < 3; up++) {
        *strrchr(beside, '/') = 0;
    }
    strcat(beside, "/managerd/managerd");
    return beside;
}

pid_t manager_start(const char *const *arguments)
{
    const char *words[24] = {managerd_path(), "--name", lab_name()};
    for (size_t i = 0; arguments && arguments[i] && i < 20; i++) {
        words[i + 3] = arguments[i];
    }
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fileno(managers_log), STDERR_FILENO);
        execv(words[0], (char **)(uintptr_t)words);
        perror(words[0]);
        _exit(127);
    }
    CHECK(manager_count < 8);
    managers[manager_count++] = pid;
    return pid;
}

const char *managers_said(void)
{
    static char text[16384];
    ssize_t size = pread(fileno(managers_log), text, sizeof(text) - 1, 0);
    text[size > 0 ? size : 0] = 0;
    return text;
}

pid_t lab_managed(void)
{
    pid_t pid = manager_start(NULL);
    AWAIT(access(lab_path(), F_OK) == 0);
    struct sy_header *header = look()->header;
    AWAIT(sy_get(&header->epoch) && sy_get(&header->manager_pid) == (uint32_t)pid &&
          !sy_manager_stale(look(), sy_now()));
    return pid;
}

void manager_freeze(pid_t manager)
{
    stopped(manager);
    /* What a second of silence would do, without the second. */
    sy_put(&look()->header->heartbeat, 0);
    CHECK(sy_manager_stale(look(), sy_now()));
}

struct sy_segment *look(void)
{
    if (!view) {
        EXPECT(0, sy_segment_open(lab_shm(), true, &view));
    }
    return view;
}

void look_again(void)
{
    sy_segment_free(view);
    view = NULL;
}

sync_manager *lab(void)
{
    sync_manager_options options = {.no_autostart = 1, .label = "tester"};
    lab_name();
    if (!connection) {
        EXPECT(0, sync_manager_connect(NULL, &options, &connection));
    }
    return connection;
}

sync_mutex *a_mutex(const char *called, const sync_mutex_options *options)
{
    sync_mutex *mutex;
    EXPECT(0, sync_mutex_open(lab(), called, options, &mutex));
    return mutex;
}

sync_semaphore *a_semaphore(const char *called, uint32_t initial, uint32_t maximum)
{
    sync_semaphore *semaphore;
    sync_semaphore_options options = {.initial = initial, .maximum = maximum};
    EXPECT(0, sync_semaphore_open(lab(), called, &options, &semaphore));
    return semaphore;
}

sync_event *an_event(const char *called, bool auto_reset)
{
    sync_event *event;
    sync_event_options options = {.auto_reset = auto_reset};
    EXPECT(0, sync_event_open(lab(), called, &options, &event));
    return event;
}

sync_barrier *a_barrier(const char *called, uint32_t parties)
{
    sync_barrier *barrier;
    sync_barrier_options options = {.parties = parties};
    EXPECT(0, sync_barrier_open(lab(), called, &options, &barrier));
    return barrier;
}

/* ---- in the segment ---- */

uint32_t record_of(const char *called)
{
    struct sy_name key = {called, (uint32_t)strlen(called), sy_hash(called, strlen(called))};
    return sy_directory_find(look(), &key);
}

struct sy_hot *hot_of(const char *called)
{
    uint32_t record = record_of(called);
    CHECK(record != SY_NONE);
    return sy_hot_at(look(), record);
}

static uint32_t sleepers(const char *called, bool asleep)
{
    uint32_t record = record_of(called), found = 0;
    uint32_t count = sy_committed(look(), SY_EXECUTORS);
    for (uint32_t i = 0; i < count && record != SY_NONE; i++) {
        struct sy_executor *executor = sy_executor_at(look(), i);
        struct sy_principal *principal = sy_principal_at(look(), i);
        if (!sy_load(&executor->waiting.count) ||
            sy_get(&executor->waiting.records[0]) != record + 1) {
            continue;
        }
        char state = asleep ? sy_pid_state((int32_t)sy_get(&principal->tid)) : 'S';
        found += state == 'S' || state == 'T';
    }
    return found;
}

uint32_t sleepers_on(const char *called)
{
    return sleepers(called, false);
}

void await_sleepers(const char *called, uint32_t count)
{
    AWAIT(sleepers(called, true) == count);
}

uint32_t ring_count(uint32_t type)
{
    struct sy_entry entry;
    uint32_t found = 0;
    uint64_t head = sy_load(&look()->header->ring_head);
    for (uint64_t place = 1; place <= head; place++) {
        found += sy_ring_read(look(), place, &entry) && sy_get(&entry.type) == type;
    }
    return found;
}

/* ---- other processes ---- */

void raise_flag(int index)
{
    atomic_store(&board->flag[index], 1);
}

void await_flag(int index)
{
    AWAIT(atomic_load(&board->flag[index]));
}

pid_t spawn(void (*function)(void))
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        function();
        _exit(EXIT_SUCCESS);
    }
    return pid;
}

void joined(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(!WIFSIGNALED(status));
    NUMBER(0, WEXITSTATUS(status));
}

void killed(pid_t pid)
{
    int status;
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void stopped(pid_t pid)
{
    int status;
    CHECK(kill(pid, SIGSTOP) == 0);
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
}

int command_output(char *text, size_t size, const char *const *arguments)
{
    int ends[2], status;
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        execvp(arguments[0], (char **)(uintptr_t)arguments);
        _exit(127);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got; used < size - 1;) {
        got = read(ends[0], text + used, size - 1 - used);
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
    }
    text[used] = 0;
    close(ends[0]);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* ---- other threads ---- */

static void *run(void *argument)
{
    struct job *job = argument;
    job->rc = job->call(job);
    snprintf(job->text, sizeof(job->text), "%s", sync_last_error());
    sync_last_error_info(&job->error);
    atomic_store(&job->done, 1);
    return NULL;
}

void job_start(struct job *job)
{
    atomic_store(&job->done, 0);
    CHECK(pthread_create(&job->thread, NULL, run, job) == 0);
}

int job_end(struct job *job)
{
    AWAIT(atomic_load(&job->done));
    CHECK(pthread_join(job->thread, NULL) == 0);
    return job->rc;
}

int acquires(struct job *job)
{
    return sync_mutex_acquire(job->handle, job->timeout);
}

int acquires_and_releases(struct job *job)
{
    int rc = sync_mutex_acquire(job->handle, job->timeout);
    if (rc >= 0) {
        EXPECT(0, sync_mutex_release(job->handle));
    }
    return rc;
}

int takes_permits(struct job *job)
{
    return sync_semaphore_acquire_many(job->handle, (uint32_t)job->number, job->timeout);
}

int waits_for_event(struct job *job)
{
    return sync_event_wait(job->handle, job->timeout);
}

int waits_at_barrier(struct job *job)
{
    return sync_barrier_wait(job->handle, job->timeout);
}
