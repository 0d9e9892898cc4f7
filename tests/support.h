/* SPDX-License-Identifier: MIT */
/* What the tests share: checks that hold in any thread and child, a laboratory of one's own, other
 * processes and threads, and looks into the segment. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include "tests/harness.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <sync/sync.h>

#include "direct/direct.h"
#include "os/fault.h"

/* ---- checks ------------------------------------------------------------------------------------
 * cmocka's own leave by longjmp, which neither a child nor another thread survives. */

void check_failed(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));
void check_code(const char *file, int line, const char *call, int expected, int got);
void check_number(const char *file, int line, const char *what, int64_t expected, int64_t got);
void check_words(const char *file, int line, const char *text, const char *words);

#define CHECK(condition_)                                                                          \
    ((condition_) ? (void)0 : check_failed(__FILE__, __LINE__, "%s", #condition_))
/* The call returns that code. */
#define EXPECT(code_, call_) check_code(__FILE__, __LINE__, #call_, (code_), (call_))
#define NUMBER(expected_, got_)                                                                    \
    check_number(__FILE__, __LINE__, #got_, (int64_t)(expected_), (int64_t)(got_))
/* The text, or the last failure's, holds these words. */
#define HOLDS(text_, words_) check_words(__FILE__, __LINE__, (text_), (words_))
#define SAYS(words_) HOLDS(sync_last_error(), (words_))

/* Outputs are poisoned before a call, and whole after one that fails. */
#define POISON(p_) memset((p_), 0xa5, sizeof(*(p_)))
bool all_bytes(const void *p, size_t size, unsigned char value);
#define UNTOUCHED(p_) all_bytes((p_), sizeof(*(p_)), 0xa5)
#define ZEROED(array_) all_bytes((array_), sizeof(array_), 0)

/* Bounded: what does not come about within 20 s never does. */
#define AWAIT(condition_)                                                                          \
    do {                                                                                           \
        for (int64_t end_ = sy_now() + 20000000000; !(condition_); nap()) {                        \
            if (sy_now() > end_) {                                                                 \
                check_failed(__FILE__, __LINE__, "never: %s", #condition_);                        \
            }                                                                                      \
        }                                                                                          \
    } while (0)
void nap(void);

/* ---- the laboratory ----------------------------------------------------------------------------
 */

/* Its name and segment; from SYNC_MANAGER, set by run-tap, or made up. */
const char *lab_name(void);
const char *lab_shm(void);  /* "/libsync.UID.NAME" */
const char *lab_path(void); /* "/dev/shm/libsync.UID.NAME" */

/* A segment and no manager. */
struct sy_segment *lab_alone(void);
struct sy_segment *lab_small(const struct sy_capacities *capacities);
/* A manager in the foreground, a child of ours, up and beating; killed at exit. */
pid_t lab_managed(void);
pid_t manager_start(const char *const *arguments);
/* What our managers have said on stderr so far. */
const char *managers_said(void);
/* Its heartbeat is stale when this returns. */
void manager_freeze(pid_t manager);
/* Our view of the segment, opened when first asked for. No client of it. */
struct sy_segment *look(void);
/* Forget that view, as the name leads to another segment by now. */
void look_again(void);

/* The process' connection; autostart forbidden. */
sync_manager *lab(void);
sync_mutex *a_mutex(const char *name, const sync_mutex_options *options);
sync_semaphore *a_semaphore(const char *name, uint32_t initial, uint32_t maximum);
sync_event *an_event(const char *name, bool auto_reset);
sync_barrier *a_barrier(const char *name, uint32_t parties);

/* The same case in a lab whose manager lives, is stopped, is absent. */
#define IN_EACH_LAB(case_)                                                                         \
    static void case_##_managed(void)                                                              \
    {                                                                                              \
        lab_managed();                                                                             \
        case_();                                                                                   \
    }                                                                                              \
    static void case_##_manager_stopped(void)                                                      \
    {                                                                                              \
        manager_freeze(lab_managed());                                                             \
        case_();                                                                                   \
    }                                                                                              \
    static void case_##_alone(void)                                                                \
    {                                                                                              \
        lab_alone();                                                                               \
        case_();                                                                                   \
    }
#define CASES_IN_EACH_LAB(case_)                                                                   \
    CASE(case_##_managed), CASE(case_##_manager_stopped), CASE(case_##_alone)

/* ---- in the segment ----------------------------------------------------------------------------
 */

uint32_t record_of(const char *name); /* SY_NONE: no such name */
struct sy_hot *hot_of(const char *name);
uint32_t sleepers_on(const char *name);
/* Exactly so many have said that they wait, and their threads are asleep. */
void await_sleepers(const char *name, uint32_t count);
/* Entries of the event ring of that type. */
uint32_t ring_count(uint32_t type);

/* ---- other processes and threads ---------------------------------------------------------------
 * A child that is to be a client of its own is made before its parent connects. */

struct board {
    _Atomic uint32_t flag[32];
    _Atomic int64_t value[32];
};
extern struct board *board; /* shared with all children */
void raise_flag(int index);
void await_flag(int index);

pid_t spawn(void (*function)(void));
/* It must leave with 0. */
void joined(pid_t pid);
void killed(pid_t pid);
/* Stopped for certain when this returns. */
void stopped(pid_t pid);
/* The status of a command; its stdout and stderr in `text`. */
int command_output(char *text, size_t size, const char *const *arguments);
const char *managerd_path(void);

struct job {
    int (*call)(struct job *job);
    void *handle;
    sync_timeout timeout;
    int64_t number;
    int rc;
    sync_error error;
    char text[1024];
    pthread_t thread;
    _Atomic int done;
};
void job_start(struct job *job);
int job_end(struct job *job); /* its rc */

/* Jobs that make one call. */
int acquires(struct job *job); /* a mutex, and keeps it */
int acquires_and_releases(struct job *job);
int takes_permits(struct job *job); /* `number` of a semaphore */
int waits_for_event(struct job *job);
int waits_at_barrier(struct job *job);

#endif
