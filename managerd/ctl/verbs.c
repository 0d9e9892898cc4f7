/* SPDX-License-Identifier: MIT */
/* One row per verb, one per option. A new verb is a row here and a file verb_X.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "managerd/ctl/words.h"

/* ---- what options set ---- */

static const char *set_address(struct ctl_request *request, const char *value)
{
    request->address = value;
    return NULL;
}

static const char *set_json(struct ctl_request *request, const char *value)
{
    (void)value;
    request->json = true;
    return NULL;
}

static const char *set_quiet(struct ctl_request *request, const char *value)
{
    (void)value;
    request->quiet = true;
    return NULL;
}

static const char *set_tree(struct ctl_request *request, const char *value)
{
    (void)value;
    request->tree = true;
    return NULL;
}

static const char *set_bad(struct ctl_request *request, const char *value)
{
    (void)value;
    request->bad = true;
    return NULL;
}

static const char *set_threads(struct ctl_request *request, const char *value)
{
    (void)value;
    request->threads = true;
    return NULL;
}

static const char *set_kind(struct ctl_request *request, const char *value)
{
    request->kind = ctl_kind_number(value);
    return request->kind ? NULL : "one of mutex, semaphore, event, barrier";
}

static const char *set_older(struct ctl_request *request, const char *value)
{
    static const char rule[] = "a time: 5s, 200ms, 2min, 1h; a number alone is seconds";
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"", 1e9},     {"s", 1e9},  {"ms", 1e6},   {"us", 1e3},
                 {"min", 6e10}, {"m", 6e10}, {"h", 3.6e12}, {"d", 8.64e13}};
    char *end;
    double number = strtod(value, &end);
    if (end == value || !(number >= 0) || number > 1e9) {
        return rule;
    }
    end += strspn(end, " ");
    for (size_t i = 0; i < SY_COUNT(units); i++) {
        if (strcmp(units[i].unit, end) == 0) {
            double ns = number * units[i].ns;
            request->older_than = ns < 9e18 ? (int64_t)ns : INT64_MAX;
            return NULL;
        }
    }
    return rule;
}

static const char *set_token(struct ctl_request *request, const char *value)
{
    char *end;
    errno = 0;
    request->token = strtoull(value, &end, 10);
    return errno || *end || *value < '0' || *value > '9' || request->token == 0
               ? "the number that managerctl show NAME gives, 1 or more"
               : NULL;
}

static const char *set_reason(struct ctl_request *request, const char *value)
{
    request->reason = value;
    return *value ? NULL : "a text that says why";
}

/* ---- options ---- */

const struct ctl_option ctl_common_options[] = {
    {'m', "manager", "ADDRESS", "which manager: shm:NAME; else $SYNC_MANAGER, else shm:default",
     set_address},
    {'j', "json", NULL, "one JSON document on standard output; times are nanoseconds", set_json},
    {'q', "quiet", NULL, "no line about managerd on standard error", set_quiet},
    {0, NULL, NULL, NULL, NULL},
};

#define KIND                                                                                       \
    {                                                                                              \
        'k', "kind", "KIND", "only mutex, semaphore, event or barrier", set_kind                   \
    }
#define END                                                                                        \
    {                                                                                              \
        0, NULL, NULL, NULL, NULL                                                                  \
    }

static const struct ctl_option none[] = {END};
static const struct ctl_option list_options[] = {KIND, END};
static const struct ctl_option locks_options[] = {
    {'t', "tree", NULL, "who waits for whom; roots are whom to talk to", set_tree},
    {'b', "bad", NULL, "only what is in trouble", set_bad},
    {'o', "older-than", "TIME", "only what is held, or waited for, at least as long", set_older},
    KIND,
    END,
};
static const struct ctl_option clients_options[] = {
    {'t', "threads", NULL, "all threads, not only those that hold, wait or have a note",
     set_threads},
    END,
};
static const struct ctl_option break_options[] = {
    {0, "token", "N", "the ownership that is meant, as show NAME gives it", set_token},
    {0, "reason", "TEXT", "why, kept in the event ring", set_reason},
    END,
};

/* ---- verbs ---- */

const struct ctl_verb ctl_verbs[] = {
    {"list", "[NAME...]", "every object, its state and its counters",
     "One row per object: how many processes have it open, how many wait for it, how often somebody "
     "had to sleep for it (CONTENDED), gave up (TIMEOUTS), and how often it passed on from a dead "
     "owner (DEATHS).",
     list_options, 0, -1, ctl_run_list},
    {"show", "NAME...", "all that is known of an object",
     "The record as a form: who holds it, why, since when, under which token; who waits, how long "
     "already and how long still, and behind whom; its options and counters; which processes have it "
     "open; what happened to it lately, from the event ring.\n\n"
     "Exit status 1 when nothing has that name.",
     none, 1, -1, ctl_run_show},
    {"locks", "[NAME...]", "what is held or waited for, and by whom",
     "What somebody holds or waits for, and what is in trouble; the longest wait first. Below each "
     "object stand those who wait for it, in the order of their arrival: WAITED so far, LEFT until "
     "they give up.\n\n"
     "With *--tree* below each waiter also stand those who wait for what it holds. A root holds "
     "something and waits for nothing: talk to it. A circle has no root; it begins with its longest "
     "wait and its state is DEADLOCK.\n\n"
     "With *--bad* only what is in trouble: the owner stopped, dead, suspect or dumping core, held "
     "longer than max_hold, poisoned, broken, in a deadlock, or with a waiter that should have given "
     "up.",
     locks_options, 0, -1, ctl_run_locks},
    {"clients", "[LABEL...]", "the processes that are attached",
     "One row per process, and below it those of its threads and handles that hold, wait or have a "
     "note. A client that is _suspect_ looks dead, but that cannot be proved from here.",
     clients_options, 0, -1, ctl_run_clients},
    {"deadlocks", "", "the circles in which everybody waits for the next",
     "Exit status 1 when there are any. The library tells the youngest of a circle at once, so what "
     "is seen here consists of threads that are stopped or are just being told.",
     none, 0, 0, ctl_run_deadlocks},
    {"break", "NAME --token N --reason TEXT", "take a mutex away from a living owner",
     "The last resort: the owner goes on as if it still had the mutex until it asks "
     "(*sync_mutex_check*(3)), releases or acquires again, and is told SYNC_ELOST then. N is the token "
     "of the ownership that is meant; when the mutex has passed on in the meantime nothing happens, "
     "the present holder is named and the exit status is 1. The dead need no break: the next who "
     "acquires is told.\n\n"
     "This is the one verb that attaches to the segment.",
     break_options, 1, 1, ctl_run_break},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, NULL},
};
