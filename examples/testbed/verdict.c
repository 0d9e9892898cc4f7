/* SPDX-License-Identifier: MIT */
/* Compares what the controllers say with what the instrument has counted. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "run.h"

struct owner {
    char name[LINE_SIZE];
    unsigned commands, complete, half, interleaved, answered;
};

struct report {
    int exposing_max;
    struct owner owners[16];
    size_t count;
};

static bool read_report(const char *folder, struct report *ret_report)
{
    char path[PATH_SIZE];
    char line[256];
    snprintf(path, sizeof path, "%s/report", folder);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    while (fgets(line, sizeof line, file) != NULL && ret_report->count < 16) {
        struct owner *owner = &ret_report->owners[ret_report->count];
        if (sscanf(line, "owner %127s %u %u %u %u %u", owner->name, &owner->commands,
                   &owner->complete, &owner->half, &owner->interleaved, &owner->answered) == 6) {
            ret_report->count++;
        }
        sscanf(line, "exposing %d", &ret_report->exposing_max);
    }
    fclose(file);
    return true;
}

static const struct owner *owner_of(const struct report *report, const char *name)
{
    static const struct owner nobody;
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->owners[i].name, name) == 0) {
            return &report->owners[i];
        }
    }
    return &nobody;
}

static const struct child *controller_of(const struct run *run, const char *name)
{
    for (size_t i = 0; i < run->controller_count; i++) {
        const struct child *child = &run->troupe.children[run->controllers + i];
        if (strcmp(child->name, name) == 0) {
            return child;
        }
    }
    return NULL;
}

static void show_row(const struct owner *owner, const char *sent, const char *port)
{
    printf("  %-8s%7s  |%9u%6u%13u%10u  |%16s\n", owner->name, sent, owner->complete, owner->half,
           owner->interleaved, owner->answered, port);
}

static void show_table(const struct run *run, const struct report *report)
{
    printf("\n  %-8s%7s  |%9s%6s%13s%10s  |%16s\n", "", "sent", "complete", "half", "interleaved",
           "answered", "waited    held");
    for (size_t i = 0; i < run->controller_count; i++) {
        const struct child *child = &run->troupe.children[run->controllers + i];
        char sent[16];
        char port[32] = "";
        snprintf(sent, sizeof sent, "%d", child->sent);
        if (child->left) {
            snprintf(port, sizeof port, "%.0f ms %4.0f ms", (double)child->longest_wait / 1e6,
                     (double)child->longest_hold / 1e6);
        } else if (child == run->victim) {
            snprintf(port, sizeof port, "killed");
        }
        struct owner owner = *owner_of(report, child->name);
        snprintf(owner.name, sizeof owner.name, "%s", child->name);
        show_row(&owner, child->left || child == run->victim ? sent : "", port);
    }
    for (size_t i = 0; i < report->count; i++) {
        if (controller_of(run, report->owners[i].name) == NULL) {
            show_row(&report->owners[i], "", "");
        }
    }
    printf("\n");
}

static int failures;

static void check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void check(bool holds, const char *format, ...)
{
    va_list arguments;
    bool colours = isatty(STDOUT_FILENO) == 1;
    printf("  %s%-8s%s",
           !colours ? ""
           : holds  ? "\033[32m"
                    : "\033[1;31m",
           holds ? "ok" : "FAILED", colours ? "\033[0m" : "");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    failures += !holds;
}

struct sums {
    unsigned interleaved, half, living;
    unsigned wrong_counts; /* of controllers whose books differ from the instrument's */
    unsigned stayed;       /* survivors that did not leave because of "stop" */
    unsigned indices;      /* a bit for each place at the barrier */
    int64_t longest_wait;
};

static struct sums sum_up(const struct run *run, const struct report *report)
{
    struct sums sums = {0};
    for (size_t i = 0; i < report->count; i++) {
        sums.interleaved += report->owners[i].interleaved;
        sums.half += report->owners[i].half;
    }
    for (size_t i = 0; i < run->controller_count; i++) {
        const struct child *child = &run->troupe.children[run->controllers + i];
        const struct owner *owner = owner_of(report, child->name);
        unsigned sent = (unsigned)child->sent;
        if (child->start_index >= 0) {
            sums.indices |= 1u << child->start_index;
        }
        if (child == run->victim) {
            sums.wrong_counts += owner->complete != sent || owner->commands != sent + 1;
            continue;
        }
        sums.living++;
        sums.stayed += !child->left || !WIFEXITED(child->status) || WEXITSTATUS(child->status) != 0;
        sums.wrong_counts += owner->complete != sent || owner->commands != sent ||
                             owner->answered != sent || (unsigned)child->answered != sent ||
                             child->garbled != 0 || sent == 0;
        if (child->longest_wait > sums.longest_wait) {
            sums.longest_wait = child->longest_wait;
        }
    }
    return sums;
}

static void check_death(const struct run *run, const struct report *report, const struct sums *sums)
{
    const struct child *victim = run->victim;
    unsigned halves = owner_of(report, victim->name)->half;
    check(WIFSIGNALED(victim->status) && WTERMSIG(victim->status) == SIGKILL && victim->in_half,
          "%s was killed in the middle of a command", victim->name);
    check(run->holder_shown, "managerctl locks had named %s while it held the port", victim->name);
    check(sums->half == 1 && halves == 1, "half commands: %u, %u of them %s's", sums->half, halves,
          victim->name);
    check(run->told_count == 1 && run->told_pid == victim->pid,
          "told of an owner's death: %d, the dead one's pid is %d, named was %d", run->told_count,
          (int)victim->pid, run->told_pid);
    check(run->told && run->drained_bytes > 0,
          "the next owner was told after %.2f ms, and drained %d bytes",
          run->told ? (double)(run->told_at - run->killed_at) / 1e6 : 0, run->drained_bytes);
    check(run->permits_back, "the dead one's place among the two exposures is free again");
}

static void check_manager(const struct run *run)
{
    int commands = (int)run->while_dead - (int)run->before_kill;
    check(commands > 0, "commands while managerd was dead: %d", commands > 0 ? commands : 0);
    check(run->adopted && run->epoch_after > run->epoch_before,
          "the new managerd adopted the living segment: epoch %u, then %u", run->epoch_before,
          run->epoch_after);
}

int run_verdict(struct run *run)
{
    struct report report = {0};
    failures = 0;
    if (!read_report(run->folder, &report)) {
        check(false, "the instrument left no report");
        return failures;
    }
    show_table(run, &report);
    struct sums sums = sum_up(run, &report);

    check(run->ended_well, "everything went as planned, and in time");
    check(sums.indices == (1u << run->controller_count) - 1, "all %zu started together",
          run->controller_count);
    check(sums.stayed == 0, "all %u survivors left because of \"stop\"", sums.living);
    check(run->manager_ended_well, "managerd stopped when asked to");
    if (run->plan->own_locks) {
        check(sums.interleaved > 0, "interleaved commands: %u, so the instrument does notice",
              sums.interleaved);
        return failures;
    }
    check(sums.interleaved == 0, "interleaved commands: %u", sums.interleaved);
    check(sums.wrong_counts == 0, "every count of the controllers agrees with the instrument's");
    check(report.exposing_max == 2, "exposures at a time: never more than %d", report.exposing_max);
    check(sums.longest_wait < PATIENCE_MS * MS, "nobody hung: the longest wait was %.1f ms",
          (double)sums.longest_wait / 1e6);
    if (run->plan->camera_dies) {
        check_death(run, &report, &sums);
    }
    if (run->plan->manager_dies) {
        check_manager(run);
    }
    return failures;
}
