/* SPDX-License-Identifier: MIT */
/* The command line, by the rows of verbs.c: managerctl [OPTION...] VERB [OPTION...] [NAME...] */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "managerd/ctl/ctl.h"

enum { OPTIONS_MAX = 16, FIRST_VALUE = 256, ASKS_HELP = 'h', ASKS_VERSION = 'V', ASKS_SCDOC = 1 };

struct grammar {
    const struct ctl_option *rows[OPTIONS_MAX];
    struct option longs[OPTIONS_MAX + 4];
    char shorts[2 * OPTIONS_MAX + 8]; /* zeroed, so that it ends anywhere */
    int count;
};

static void add(struct grammar *grammar, const struct ctl_option *option)
{
    for (; option->name && grammar->count < OPTIONS_MAX; option++) {
        int i = grammar->count++;
        grammar->rows[i] = option;
        grammar->longs[i] = (struct option){option->name,
                                            option->argument ? required_argument : no_argument,
                                            NULL, FIRST_VALUE + i};
        if (option->letter) {
            size_t end = strlen(grammar->shorts);
            grammar->shorts[end] = option->letter;
            grammar->shorts[end + 1] = option->argument ? ':' : 0;
        }
    }
}

/* "+" ends the options at the verb: what follows it is read by its own rows as well. */
static void make(struct grammar *grammar, const struct ctl_verb *verb)
{
    memset(grammar, 0, sizeof(*grammar));
    strcpy(grammar->shorts, verb ? "hV" : "+hV");
    add(grammar, ctl_common_options);
    if (verb) {
        add(grammar, verb->options);
    }
    grammar->longs[grammar->count] = (struct option){"help", no_argument, NULL, ASKS_HELP};
    grammar->longs[grammar->count + 1] = (struct option){"version", no_argument, NULL,
                                                         ASKS_VERSION};
    grammar->longs[grammar->count + 2] = (struct option){"scdoc", no_argument, NULL, ASKS_SCDOC};
}

static const struct ctl_option *row_of(const struct grammar *grammar, int value)
{
    if (value >= FIRST_VALUE) {
        return grammar->rows[value - FIRST_VALUE];
    }
    for (int i = 0; i < grammar->count; i++) {
        if (grammar->rows[i]->letter == value) {
            return grammar->rows[i];
        }
    }
    return NULL;
}

static int complain(const struct ctl_verb *verb)
{
    fprintf(stderr, "managerctl: see managerctl %s%s--help\n", verb ? verb->name : "",
            verb ? " " : "");
    return CTL_USAGE;
}

/* Until the verb, or the end. */
static int read_options(int argc, char **argv, struct ctl_request *request, bool *ret_done)
{
    struct grammar grammar;
    make(&grammar, request->verb);
    argv[0] = (char *)(uintptr_t) "managerctl"; /* getopt's complaints begin with it */
    optind = 0;                                 /* forget the rules of the call before */
    for (;;) {
        int value = getopt_long(argc, argv, grammar.shorts, grammar.longs, NULL);
        if (value == -1) {
            return 0;
        }
        const struct ctl_option *row = row_of(&grammar, value);
        if (row) {
            const char *rule = row->set(request, optarg);
            if (rule) {
                fprintf(stderr, "managerctl: --%s %s: must be %s\n", row->name, optarg, rule);
                return complain(request->verb);
            }
            continue;
        }
        *ret_done = true;
        switch (value) {
        case ASKS_HELP:
            ctl_help(request->verb);
            return 0;
        case ASKS_VERSION:
            ctl_version();
            return 0;
        case ASKS_SCDOC:
            ctl_scdoc();
            return 0;
        default:
            return complain(request->verb);
        }
    }
}

static const struct ctl_verb *find(const char *name)
{
    for (const struct ctl_verb *verb = ctl_verbs; verb->name; verb++) {
        if (strcmp(verb->name, name) == 0) {
            return verb;
        }
    }
    return NULL;
}

int ctl_parse(int argc, char **argv, struct ctl_request *ret_request, bool *ret_done)
{
    memset(ret_request, 0, sizeof(*ret_request));
    *ret_done = false;
    int rc = read_options(argc, argv, ret_request, ret_done);
    if (rc || *ret_done) {
        return rc;
    }
    if (optind >= argc) {
        fputs("managerctl: no verb given\n", stderr);
        return complain(NULL);
    }
    const struct ctl_verb *verb = find(argv[optind]);
    if (!verb) {
        fprintf(stderr, "managerctl: no verb \"%s\"; there are:", argv[optind]);
        for (verb = ctl_verbs; verb->name; verb++) {
            fprintf(stderr, " %s", verb->name);
        }
        fputc('\n', stderr);
        return complain(NULL);
    }
    ret_request->verb = verb;
    argv += optind;
    argc -= optind;
    rc = read_options(argc, argv, ret_request, ret_done);
    if (rc || *ret_done) {
        return rc;
    }
    ret_request->names = argv + optind;
    ret_request->name_count = argc - optind;
    if (ret_request->name_count < verb->least ||
        (verb->most >= 0 && ret_request->name_count > verb->most)) {
        fprintf(stderr, "managerctl %s: %s; usage: managerctl %s %s\n", verb->name,
                ret_request->name_count < verb->least ? "a name is missing" : "too many names",
                verb->name, verb->usage);
        return complain(verb);
    }
    return 0;
}
