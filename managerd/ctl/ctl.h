/* SPDX-License-Identifier: MIT */
/* What every verb is given, and the table that parser, help and man page come from. */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes, those of timeout(1) and env(1) where they have one. */
enum {
    CTL_OK = 0,
    CTL_FOUND = 1, /* deadlocks: there are some; show, break: what was named is not there */
    CTL_USAGE = 2,
    CTL_FAILED = 125
};

struct ctl_request {
    const struct ctl_verb *verb;
    const char *address; /* NULL: $SYNC_MANAGER, else shm:default */
    char *const *names;
    int name_count;
    bool json, quiet, tree, bad, threads;
    int64_t older_than; /* ns */
    uint32_t kind;      /* SYNC_KIND_…, 0: all */
    uint64_t token;     /* 0: not given */
    const char *reason;
};

struct ctl_option {
    char letter; /* 0: none; a long name ends the list when NULL */
    const char *name, *argument, *help;
    /* NULL, or the rule that the value breaks. */
    const char *(*set)(struct ctl_request *request, const char *value);
};

struct ctl_verb {
    const char *name, *usage, *help;
    const char *manual;               /* scdoc, paragraphs parted by an empty line */
    const struct ctl_option *options; /* beside those of every verb */
    int least, most;                  /* names */
    int (*run)(const struct ctl_request *request);
};

/* verbs.c; both end with a NULL name */
extern const struct ctl_verb ctl_verbs[];
extern const struct ctl_option ctl_common_options[];

/* parse.c: 0, or an exit code after a complaint. *ret_done: help or version was all. */
int ctl_parse(int argc, char **argv, struct ctl_request *ret_request, bool *ret_done);
/* usage.c */
void ctl_help(const struct ctl_verb *verb); /* NULL: of the whole */
void ctl_version(void);
void ctl_scdoc(void); /* the verb section of the man page */

/* verb_*.c */
int ctl_run_list(const struct ctl_request *request);
int ctl_run_show(const struct ctl_request *request);
int ctl_run_locks(const struct ctl_request *request);
int ctl_run_clients(const struct ctl_request *request);
int ctl_run_deadlocks(const struct ctl_request *request);
int ctl_run_break(const struct ctl_request *request);

/* alloc.c: never NULL; out of memory ends the program with CTL_FAILED */
void *ctl_alloc(size_t size); /* zeroed */
void *ctl_grow(void *items, size_t *capacity, size_t count, size_t size);
char *ctl_copy(const char *text);
char *ctl_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
