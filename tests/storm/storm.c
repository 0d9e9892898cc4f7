/* SPDX-License-Identifier: MIT */
/* The supervisor: starts workers and manager, kills, stops and continues them as the seed says,
 * puts new ones in the place of the dead, and writes down when. It uses no object of libsync. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "storm.h"

static struct storm storm;

static uint64_t now_ms(void)
{
    return record_now() / 1000000;
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)(plan_random(&storm.state) >> 32) % limit;
}

void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("storm: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    storm.complaints++;
}

/* ---- workers ---- */

static void start_worker(uint32_t place)
{
    struct worker *worker = &storm.workers[place];
    fflush(NULL);
    worker->pid = fork();
    if (worker->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (place == storm.recording->workers) {
            breaker_run(storm.recording, place, worker->incarnation);
        }
        worker_run(storm.recording, place, worker->incarnation);
    }
    worker->stopped = NULL;
}

static void lay_to_rest(uint32_t place)
{
    struct worker *worker = &storm.workers[place];
    if (worker->stopped) {
        record_after(worker->stopped, 0);
        worker->stopped = NULL;
    }
    worker->pid = 0;
    worker->incarnation++;
    worker->due = now_ms() + below(20);
}

static void kill_worker(uint32_t place)
{
    struct worker *worker = &storm.workers[place];
    int status;
    if (worker->pid <= 0) {
        return;
    }
    struct record *record = record_before(&storm.writer, CALL_KILL, place, 0, worker->incarnation);
    kill(worker->pid, SIGKILL);
    waitpid(worker->pid, &status, 0);
    record_after(record, status);
    storm.kills++;
    lay_to_rest(place);
}

static void stop_worker(uint32_t place)
{
    struct worker *worker = &storm.workers[place];
    if (worker->pid <= 0 || worker->stopped) {
        return;
    }
    worker->stopped = record_before(&storm.writer, CALL_STOP, place, 0, worker->incarnation);
    kill(worker->pid, SIGSTOP);
    worker->due = now_ms() + 20 + below(below(8) ? 500 : 1200);
    storm.stops++;
}

static void continue_worker(uint32_t place)
{
    struct worker *worker = &storm.workers[place];
    kill(worker->pid, SIGCONT);
    record_after(worker->stopped, 0);
    worker->stopped = NULL;
}

/* Nobody dies here but by our hand. */
static void look_for_crashes(void)
{
    for (uint32_t i = 0; i < storm.places; i++) {
        int status;
        pid_t pid = storm.workers[i].pid;
        if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
            complain("worker %u.%u ended by itself: %s %d (see the log)", i,
                     storm.workers[i].incarnation, WIFSIGNALED(status) ? "signal" : "exit",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            struct record *record = record_before(&storm.writer, CALL_KILL, i, 0,
                                                  storm.workers[i].incarnation);
            record_after(record, status);
            lay_to_rest(i);
        }
    }
}

/* ---- one tick ---- */

static void tick_workers(void)
{
    uint64_t now = now_ms();
    for (uint32_t i = 0; i < storm.places; i++) {
        if (storm.workers[i].pid == 0 && now >= storm.workers[i].due) {
            start_worker(i);
        } else if (storm.workers[i].stopped && now >= storm.workers[i].due) {
            continue_worker(i);
        }
    }
    if (below(storm.kill_every) == 0) {
        kill_worker(below(storm.places));
    }
    if (below(storm.kill_every) == 0) {
        stop_worker(below(storm.places));
    }
}

static void run(void)
{
    uint64_t end = record_now() + storm.recording->seconds * 1000000000ull, last = 0;
    while (record_now() < end && !atomic_load(&storm.recording->ending)) {
        struct timespec tick = {0, 2000000};
        tick_workers();
        manager_tick(&storm);
        if (now_ms() > last + 500) {
            last = now_ms();
            look_for_crashes();
            if (watch_for_hung(&storm)) {
                break;
            }
        }
        nanosleep(&tick, NULL);
    }
}

static void wind_down(void)
{
    uint64_t limit = record_now() + 15000000000ull;
    uint32_t left = storm.places;
    manager_ensure(&storm);
    atomic_store(&storm.recording->ending, 1);
    while (left && record_now() < limit) {
        struct timespec tick = {0, 10000000};
        left = 0;
        for (uint32_t i = 0; i < storm.places; i++) {
            if (storm.workers[i].stopped) {
                continue_worker(i);
            }
            left += storm.workers[i].pid > 0;
        }
        for (uint32_t i = 0; i < storm.places; i++) {
            int status;
            pid_t pid = storm.workers[i].pid;
            if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
                if (!WIFEXITED(status) || WEXITSTATUS(status)) {
                    complain("worker %u ended with status %d", i, status);
                }
                storm.workers[i].pid = 0;
            }
        }
        nanosleep(&tick, NULL);
    }
    for (uint32_t i = 0; i < storm.places && left; i++) {
        if (storm.workers[i].pid > 0) {
            complain("worker %u.%u does not end", i, storm.workers[i].incarnation);
            show_threads(storm.workers[i].pid);
            kill_worker(i);
        }
    }
}

static void finish(void)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int complaints = final_run(storm.recording, false);
        fflush(NULL);
        _exit(complaints > 100 ? 100 : complaints);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
        complain("the fresh process at the end: %d complaints",
                 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    kill(storm.pulse, SIGKILL);
    waitpid(storm.pulse, NULL, 0);
    manager_end(&storm);
    storm.recording->ended = record_now();
}

static void usage(void)
{
    fputs("usage: storm --file RECORDING [--seconds S] [--seed N] [--workers N] [--megabytes N]\n"
          "             [--no-recheck] [--log FILE]\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"file", 1, NULL, 'f'},      {"seconds", 1, NULL, 's'}, {"seed", 1, NULL, 'n'},
        {"workers", 1, NULL, 'w'},   {"log", 1, NULL, 'l'},     {"no-recheck", 0, NULL, 'r'},
        {"megabytes", 1, NULL, 'm'}, {NULL, 0, NULL, 0}};
    const char *file = NULL, *log = "storm.log";
    uint64_t seed = 1, seconds = 10, workers = 32, megabytes = 1024;
    bool no_recheck = false;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'f':
            file = optarg;
            break;
        case 'l':
            log = optarg;
            break;
        case 's':
            seconds = strtoull(optarg, NULL, 10);
            break;
        case 'n':
            seed = strtoull(optarg, NULL, 10);
            break;
        case 'w':
            workers = strtoull(optarg, NULL, 10);
            break;
        case 'm':
            megabytes = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            no_recheck = true;
            break;
        default:
            usage();
        }
    }
    if (!file || optind < argc || workers == 0 || workers > WORKERS_MAX || seconds == 0) {
        usage();
    }
    struct recording *recording = record_create(file, megabytes);
    if (!recording) {
        fprintf(stderr, "storm: %s: %s\n", file, strerror(errno));
        return 1;
    }
    recording->seed = seed;
    recording->seconds = (uint32_t)seconds;
    recording->workers = (uint32_t)workers;
    recording->threads = WORKER_THREADS;
    recording->objects = PLAN_OBJECTS;
    recording->recheck_off = no_recheck;
    recording->began = record_now();
    snprintf(recording->manager, sizeof(recording->manager), "storm-%d", (int)getpid());
    storm.recording = recording;
    storm.places = (uint32_t)workers + 1; /* the last is the breaker */
    storm.state = plan_key(seed, WORKER_SUPERVISOR, 0, 0);
    storm.kill_every = 60;
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    dup2(fd, STDERR_FILENO);
    writer_open(&storm.writer, recording, WORKER_SUPERVISOR, 0, 0);
    storm.pulse = pulse_start(recording);
    manager_start(&storm);
    run();
    wind_down();
    finish();
    printf("storm: seed %llu, %llu s, %llu processes x %u threads, %u names: %u kills, %u stops, "
           "manager killed %u and stopped %u times, %u complaints\n",
           (unsigned long long)seed, (unsigned long long)seconds, (unsigned long long)workers,
           WORKER_THREADS, PLAN_OBJECTS, storm.kills, storm.stops, storm.manager_kills,
           storm.manager_stops, storm.complaints);
    if (atomic_load(&recording->overflow)) {
        printf("storm: the recording was full before the time was over\n");
        return 1;
    }
    return storm.complaints ? 1 : 0;
}
