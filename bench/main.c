/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

static const struct bench_question *const questions[] = {
    &bench_pair,    &bench_contended, &bench_handoff, &bench_fairness, &bench_event,
    &bench_barrier, &bench_death,     &bench_open,    &bench_stopped,
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

void bench_pair_traced(void);

static void usage(void)
{
    printf("usage: bench [--json] [--quick] [--rounds N] [--case TEXT] [QUESTION...]\n");
    for (size_t i = 0; i < QUESTIONS; i++) {
        printf("  %-10s %s\n", questions[i]->name, questions[i]->asks);
    }
    printf("Exit status: 0 all bars met, 1 some missed, 2 could not be measured.\n");
}

static bool asked_for(const struct bench_question *question, int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], question->name) == 0) {
            return true;
        }
    }
    return count == 0;
}

static void check_names(int count, char **names)
{
    for (int i = 0; i < count; i++) {
        bool known = false;
        for (size_t j = 0; j < QUESTIONS; j++) {
            known = known || strcmp(names[i], questions[j]->name) == 0;
        }
        if (!known) {
            bench_die("no question \"%s\"; see bench --help", names[i]);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"quick", no_argument, NULL, 'q'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"case", required_argument, NULL, 'c'},
                                            {"traced", no_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'j':
            bench_options.json = true;
            break;
        case 'q':
            bench_options.quick = true;
            break;
        case 'r':
            bench_options.rounds = atoi(optarg);
            break;
        case 'c':
            bench_options.filter = optarg;
            break;
        case 't':
            bench_pair_traced();
            return 0;
        case 'h':
            usage();
            return 0;
        default:
            usage();
            return 2;
        }
    }
    check_names(argc - optind, argv + optind);
    bench_machine();
    for (size_t i = 0; i < QUESTIONS; i++) {
        if (asked_for(questions[i], argc - optind, argv + optind)) {
            bench_begin(questions[i]);
            questions[i]->run();
        }
    }
    bench_machine();
    return bench_end();
}
