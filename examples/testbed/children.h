/* SPDX-License-Identifier: MIT */
/* The programs of one run: started, listened to, ended. */
#ifndef TESTBED_CHILDREN_H
#define TESTBED_CHILDREN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "protocol.h"

#define CHILDREN_MAX 12
#define HEARD_SIZE 512

/* What a child has told about itself, and how it ended. */
struct child {
    char name[NAME_SIZE];
    pid_t pid; /* 0: never started */
    bool reaped;
    int status; /* as waitpid gives it */
    int in, out;
    char heard[HEARD_SIZE]; /* a line not yet complete */
    size_t heard_size;

    int start_index; /* at the barrier; -1: not yet */
    int64_t started_at, left_at;
    bool left; /* because of "stop" */
    int sent, answered, garbled;
    int64_t longest_wait, longest_hold;
    bool in_half; /* stands in the middle of a command */
};

struct troupe {
    struct child children[CHILDREN_MAX];
    size_t count;
    int64_t began;
    /* called for each line a child says */
    void (*on_line)(struct troupe *, struct child *, const char *line);
    void (*on_end)(struct troupe *, struct child *);
    void *story;
};

/* A line of the timeline. */
void tell(const struct troupe *troupe, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* argv[0] is a path. NULL when it cannot be started; the reason is told. */
struct child *troupe_start(struct troupe *troupe, const char *name, const char *const *argv);

/* A signal, if it is still there to get it. */
void child_signal(const struct child *child, int signal);

/* Set by the testbed's handler of SIGINT: nobody listens any more. */
extern volatile sig_atomic_t interrupted;

/* Listen until *flag, or for so long if flag is NULL. False when time was over first. */
bool troupe_listen(struct troupe *troupe, const bool *flag, int ms);

/* Listen until the child is gone; whoever is not gone in time is killed, and false returned. */
bool troupe_await_end(struct troupe *troupe, struct child *child, int ms);

struct child *troupe_find(struct troupe *troupe, const char *name);

/* SIGKILL to all that still live. */
void troupe_clear(struct troupe *troupe);

/* Run a program to its end, show what it prints, indented, and keep as much as there is room for.
 * False unless it exits 0 in time. */
bool show_output(const char *const *argv, const char *indent, int ms, char *text, size_t size);

#endif
