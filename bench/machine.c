/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"

int64_t bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void bench_spin_until(int64_t when)
{
    while (bench_now() < when) {}
}

void bench_sleep(int64_t ns)
{
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR) {}
}

void bench_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fflush(stdout);
    fprintf(stderr, "bench: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(2);
}

void *bench_shared(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        bench_die("no memory for %zu bytes", size);
    }
    return at;
}

void bench_pin(int place)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)bench_options.cpus[place % bench_options.cpu_count], &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0) {
        bench_die("cannot pin to a CPU: %s", strerror(errno));
    }
}

static void find_cpus(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    for (int i = 0; i < CPU_SETSIZE && bench_options.cpu_count < BENCH_CPUS_MAX; i++) {
        if (CPU_ISSET((size_t)i, &set)) {
            bench_options.cpus[bench_options.cpu_count++] = i;
        }
    }
}

static void line_of(const char *path, const char *key, char *to, size_t size)
{
    char line[256];
    FILE *file = fopen(path, "r");
    snprintf(to, size, "?");
    while (file && fgets(line, sizeof(line), file)) {
        char *value = key ? strchr(line, ':') : line;
        if (!key || (strncmp(line, key, strlen(key)) == 0 && value)) {
            value = key ? value + 2 : value;
            value[strcspn(value, "\n")] = 0;
            snprintf(to, size, "%.*s", (int)size - 1, value);
            break;
        }
    }
    if (file) {
        fclose(file);
    }
}

void bench_machine(void)
{
    char model[128], load[64], clock[64];
    struct utsname name;
    if (!bench_options.cpu_count) {
        find_cpus();
    }
    uname(&name);
    line_of("/proc/cpuinfo", "model name", model, sizeof(model));
    line_of("/proc/loadavg", NULL, load, sizeof(load));
    line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource", NULL, clock,
            sizeof(clock));
    bench_note("machine: %s, %d CPUs used of %ld, %s %s, Linux %s, clock %s, load %s", model,
               bench_options.cpu_count, sysconf(_SC_NPROCESSORS_ONLN), name.machine, name.sysname,
               name.release, clock, load);
}

/* ---- raw material ---- */

void bench_futex_wait_for(bench_word *word, uint32_t value, int64_t ns)
{
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    syscall(SYS_futex, (uint32_t *)word, FUTEX_WAIT, value, &t, NULL, 0);
}

void bench_futex_wait(bench_word *word, uint32_t value)
{
    syscall(SYS_futex, (uint32_t *)word, FUTEX_WAIT, value, NULL, NULL, 0);
}

void bench_futex_wake(bench_word *word, int count)
{
    syscall(SYS_futex, (uint32_t *)word, FUTEX_WAKE, count, NULL, NULL, 0);
}

void bench_pthread_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}
