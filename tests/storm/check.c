/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

void check_object(struct storm_log *log, uint32_t object)
{
    switch (plan_object(object).kind) {
    case OBJECT_MUTEX:
        check_mutex(log, object);
        break;
    case OBJECT_SEMAPHORE:
        check_semaphore(log, object);
        break;
    case OBJECT_EVENT:
        check_event(log, object);
        break;
    default:
        check_barrier(log, object);
        break;
    }
}

static void show_figures(const struct storm_log *log)
{
    uint32_t calls[CALLS] = {0};
    uint64_t stalled = 0;
    for (uint32_t i = 0; i < log->entry_count; i++) {
        calls[log->entries[i].call % CALLS]++;
    }
    for (uint32_t i = 0; i < log->stall_count; i++) {
        stalled += log->stalls[i].to - log->stalls[i].from;
    }
    printf("recorded:");
    for (uint32_t i = 1; i < CALLS; i++) {
        printf(" %s %u%s", call_name(i), calls[i], i + 1 < CALLS ? "," : "\n");
    }
    printf(
        "proved on: %u holds, %u deaths told, %u holds evicted, %u rounds, %u told broken (%u of "
        "them without a cause), %u calls in doubt\n",
        log->holds, log->deaths_told, log->evicted, log->rounds, log->broken, log->unknown_cause,
        log->perhaps);
    printf("slowest: %.0f ms beyond a timeout, %.0f ms waited for what was free; the machine stood "
           "still for %.0f ms in all\n",
           (double)log->latest_return / 1e6, (double)log->longest_idle_wait / 1e6,
           (double)stalled / 1e6);
}

int main(int argc, char **argv)
{
    bool doctor = argc == 3 && strcmp(argv[1], "--doctor") == 0;
    if (argc != 2 && !doctor) {
        fputs("usage: check [--doctor] RECORDING\n"
              "Checks a recording; with --doctor, whether the checker finds what is wrong with\n"
              "doctored copies of it.\n",
              stderr);
        return 2;
    }
    if (doctor) {
        uint32_t passed;
        int failed = doctor_run(argv[2], &passed);
        printf("%u passed, %d failed\n", passed, failed);
        return failed != 0;
    }
    struct storm_log *log = log_load(argv[1], false);
    check_calls(log);
    check_plan(log);
    for (uint32_t i = 0; i < PLAN_OBJECTS; i++) {
        check_object(log, i);
    }
    show_figures(log);
    uint32_t failed = 0;
    for (uint32_t i = 0; i < RULES; i++) {
        failed += log->found[i] != 0;
    }
    printf("%u passed, %u failed\n", RULES - failed, failed);
    return failed != 0;
}
