/* SPDX-License-Identifier: MIT */
/* The harness. A question is one file; it compares a subject (libsync) with a peer (what a user
 * would take otherwise) by alternating the two in one run. */
#ifndef BENCH_H
#define BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sync/sync.h>

#define BENCH_CPUS_MAX 64
#define BENCH_MEMBERS_MAX 16

struct bench_options {
    bool json;
    bool quick;         /* few, short alternations: shows that it runs, judges nothing */
    int rounds;         /* alternations; 0: as the question wants */
    const char *filter; /* only cases whose text contains it */
    int cpus[BENCH_CPUS_MAX];
    int cpu_count;
};
extern struct bench_options bench_options;

struct bench_question {
    const char *name, *asks;
    void (*run)(void);
};
extern const struct bench_question bench_pair, bench_contended, bench_handoff, bench_fairness,
    bench_event, bench_barrier, bench_death, bench_open, bench_stopped;

/* ---- samples: a histogram of ns, 1.6 % fine -------------------------------------------------- */

#define BENCH_BUCKETS (64 * 40)
struct bench_samples {
    uint64_t count, max;
    uint32_t buckets[BENCH_BUCKETS];
};
void bench_sample(struct bench_samples *samples, int64_t ns);
void bench_samples_add(struct bench_samples *to, const struct bench_samples *from);
double bench_quantile(const struct bench_samples *samples, double q);

/* ---- comparing ------------------------------------------------------------------------------- */

enum bench_side { BENCH_PEER, BENCH_SUBJECT };

/* Of one run: the figure to compare; samples in ns for p99 and max, where there are any. */
struct bench_figure {
    double value;
    struct bench_samples samples;
};

struct bench_case {
    const char *what, *unit;
    bool rate;    /* more is better */
    double bar;   /* on subject / peer; 0: shown, not judged */
    double limit; /* on the subject's own median; 0: none */
    double max;   /* on the subject's longest, ns; 0: none */
    int rounds;   /* alternations, 0: 15 */
    void (*run)(void *context, enum bench_side side, struct bench_figure *ret_figure);
    void *context;
};
/* Peer, subject, peer, over and over; prints a line and remembers whether the bars were met. */
void bench_compare(const struct bench_case *c);
/* A bar that is no comparison. */
void bench_judge(const char *what, const char *unit, double value, double bar, bool met);
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void bench_skip(const char *what, const char *why);
bool bench_wanted(const char *what);
void bench_begin(const struct bench_question *question);
/* The exit status: 0 all met, 1 something missed. */
int bench_end(void);
double bench_median(double *values, size_t count); /* sorts */

/* ---- machine --------------------------------------------------------------------------------- */

int64_t bench_now(void);
void bench_machine(void);
void bench_pin(int place); /* to the place-th of the CPUs we may use, modulo */
void bench_spin_until(int64_t when);
void bench_sleep(int64_t ns);
void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *bench_shared(size_t size); /* zeroed, shared with children */
static inline void bench_relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- the peers' raw material ----------------------------------------------------------------- */

typedef _Atomic uint32_t bench_word;
void bench_futex_wait(bench_word *word, uint32_t value);
void bench_futex_wait_for(bench_word *word, uint32_t value, int64_t ns);
void bench_futex_wake(bench_word *word, int count);
/* Recursive, robust, process-shared. */
void bench_pthread_mutex(pthread_mutex_t *mutex);

/* ---- a manager of our own -------------------------------------------------------------------- */

const char *bench_address(void);                       /* "shm:bench-PID"; started at first use */
sync_manager *bench_manager(void);                     /* this process' connection */
void bench_lab_names(uint32_t names, uint32_t chunks); /* a new lab with those capacities */
pid_t bench_manager_pid(void);
void bench_manager_kill(void);
void bench_manager_start(void); /* again, after a kill */
void bench_lab_end(void);
int bench_check(int rc, const char *call); /* ends the run when rc is a failure */

/* ---- a crew: processes that do as told ------------------------------------------------------- */

struct bench_member {
    int index, place;
    pid_t pid;
    void *own;              /* of its setup, in its own memory */
    _Atomic uint64_t count; /* what it achieved in this run */
    _Atomic uint64_t state; /* the question's own */
    int64_t until;
    struct bench_samples samples;
};
struct bench_crew {
    int count;
    bench_word order, stop, finished;
    _Atomic int side;
    void (*work)(struct bench_crew *crew, struct bench_member *me, enum bench_side side);
    void *shared; /* the question's own, in shared memory */
    int parameter;
    struct bench_member members[BENCH_MEMBERS_MAX];
};
/* Members are placed on CPUs one after the other, or all on the first one. `setup` runs in each. */
struct bench_crew *bench_crew_start(int count, bool one_cpu, void *shared,
                                    void (*setup)(struct bench_crew *, struct bench_member *),
                                    void (*work)(struct bench_crew *, struct bench_member *,
                                                 enum bench_side));
/* One run of `ns` (0: until all are done by themselves). Returns how long it was. */
int64_t bench_crew_run(struct bench_crew *crew, enum bench_side side, int64_t ns);
void bench_crew_begin(struct bench_crew *crew, enum bench_side side);
void bench_crew_finish(struct bench_crew *crew);
void bench_crew_samples(struct bench_crew *crew, struct bench_samples *ret_samples);
void bench_crew_end(struct bench_crew *crew);
static inline bool bench_stopping(struct bench_crew *crew)
{
    return atomic_load_explicit(&crew->stop, memory_order_relaxed);
}

#endif
