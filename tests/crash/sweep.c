/* SPDX-License-Identifier: MIT */
/* The kill sweep: every scenario, in every mode that it names, killed at every point.
 *
 *     sweep [--all] [--every K] [--thin K] [--workers N] [--sleepers N] [--mode NAME] [--only TEXT]
 *           [--point N] [--verbose] [--list]
 *
 * --every thins the third run only, --thin all of them; --only takes the scenarios whose name holds
 * TEXT, --point one case of them. */
#include "scenarios.h"
#include "stage.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one mode found, over all its stages. */
struct total {
    size_t stages, steps, points, cases, stuck, late, wrong, missed, unbuilt, left_out;
    double seconds;
};

struct sweep {
    struct stage_options options;
    unsigned thin;     /* takes each thin-th point of every run: for a quick look */
    unsigned sleepers; /* workers where most time is slept */
    const char *only;
    int mode; /* or -1 */
    bool list;
    struct total total[CRASH_MODES];
    size_t passed, failed, skipped;
};

/* With everything off, being stuck is what is expected of some points. */
static size_t bad_of(const struct stage_result *result, enum crash_mode mode)
{
    size_t waiting = mode == CRASH_NOTHING ? 0 : result->verdict[STUCK] + result->verdict[LATE];
    return waiting + result->verdict[WRONG] + result->unbuilt;
}

static void add(struct sweep *sweep, enum crash_mode mode, const struct stage_result *result,
                bool done)
{
    struct total *total = &sweep->total[mode];
    total->stages++;
    total->steps += result->steps;
    total->points += result->points;
    total->cases += result->cases;
    total->stuck += result->verdict[STUCK];
    total->late += result->verdict[LATE];
    total->wrong += result->verdict[WRONG];
    total->missed += result->missed;
    total->unbuilt += result->unbuilt;
    total->left_out += result->points - result->cases;
    total->seconds += result->seconds;
    sweep->failed += bad_of(result, mode);
    if (mode != CRASH_NOTHING) { /* nothing is proven by those who went on there */
        sweep->passed += result->verdict[WENT_ON];
    }
    sweep->failed += !done;
    if (stage_is_astray(result)) {
        sweep->failed += result->missed;
    } else {
        sweep->skipped += result->missed;
    }
}

static void run_mode(struct sweep *sweep, enum crash_mode mode)
{
    struct stage_options options = sweep->options;
    if (mode != CRASH_RECHECK) {
        options.every = sweep->thin;
    }
    crash_set_mode(mode);
    for (const struct crash_scenario *const *const *kind = crash_kinds; *kind != NULL; kind++) {
        for (const struct crash_scenario *const *scenario = *kind; *scenario != NULL; scenario++) {
            if (!((*scenario)->modes & 1u << mode) ||
                (sweep->only != NULL && strstr((*scenario)->name, sweep->only) == NULL)) {
                continue;
            }
            if (sweep->list) {
                printf("%-8s %s\n", crash_mode_name(mode), (*scenario)->name);
                continue;
            }
            bool slept = mode == CRASH_RECHECK || (*scenario)->points == CRASH_STORES_SLOWLY;
            options.workers = slept ? sweep->sleepers : sweep->options.workers;
            static struct stage_result result;
            bool done = stage_run(*scenario, mode, &options, &result);
            stage_print(*scenario, mode, &options, &result);
            /* Its dry run may have gone a way that is hardly ever gone: a second one, and all of
             * its points. */
            if (done && result.missed > 0 && bad_of(&result, mode) == 0) {
                done = stage_run(*scenario, mode, &options, &result);
                stage_print(*scenario, mode, &options, &result);
            }
            add(sweep, mode, &result, done);
        }
    }
}

static void sum_up(struct sweep *sweep)
{
    for (unsigned mode = 0; mode < CRASH_MODES; mode++) {
        const struct total *total = &sweep->total[mode];
        if (total->stages == 0) {
            continue;
        }
        printf(
            "%s: %zu stages, %zu instructions stepped, %zu distinct points, %zu scenarios, %.1f s, %zu stuck, %zu late, %zu wrong, %zu missed, %zu "
            "unbuilt, %zu left out\n",
            crash_mode_name((enum crash_mode)mode), total->stages, total->steps, total->points,
            total->cases, total->seconds, total->stuck, total->late, total->wrong, total->missed,
            total->unbuilt, total->left_out);
    }
    if (sweep->options.every > 1 && sweep->total[CRASH_RECHECK].stages > 0) {
        printf("recheck: every %u-th point was taken; `make sweep` takes all\n",
               sweep->options.every);
    }
    /* The sight of the harness itself: without recovery somebody must have been stuck. */
    if (sweep->total[CRASH_NOTHING].stages > 0 && sweep->only == NULL) {
        bool seen = sweep->total[CRASH_NOTHING].stuck > 0;
        printf("replay and re-check off: %zu stuck%s\n", sweep->total[CRASH_NOTHING].stuck,
               seen ? "" : ": the harness sees nothing");
        sweep->passed += seen;
        sweep->failed += !seen;
    }
    printf("%zu passed, %zu failed, %zu skipped\n", sweep->passed, sweep->failed, sweep->skipped);
}

static bool parse(struct sweep *sweep, int argc, char **argv)
{
    static const struct option table[] = {
        {"all", no_argument, NULL, 'a'},
        {"every", required_argument, NULL, 'e'},
        {"workers", required_argument, NULL, 'w'},
        {"sleepers", required_argument, NULL, 's'},
        {"mode", required_argument, NULL, 'm'},
        {"only", required_argument, NULL, 'o'},
        {"point", required_argument, NULL, 'p'},
        {"verbose", no_argument, NULL, 'v'},
        {"thin", required_argument, NULL, 't'},
        {"list", no_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", table, NULL)) != -1;) {
        switch (option) {
        case 'a':
            sweep->options.every = 1;
            break;
        case 'e':
            sweep->options.every = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'w':
            sweep->options.workers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            sweep->sleepers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 't':
            sweep->thin = sweep->options.every = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'o':
            sweep->only = optarg;
            break;
        case 'p':
            sweep->options.point = strtol(optarg, NULL, 10);
            break;
        case 'v':
            sweep->options.verbose = true;
            break;
        case 'l':
            sweep->list = true;
            break;
        case 'm':
            for (int mode = 0; mode < CRASH_MODES; mode++) {
                if (strcmp(optarg, crash_mode_name((enum crash_mode)mode)) == 0) {
                    sweep->mode = mode;
                }
            }
            if (sweep->mode < 0) {
                return false;
            }
            break;
        default:
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    stage_fix_addresses(argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* A case waits about as long as it works: some more of them than there are processors. */
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct sweep sweep = {.options = {.workers = 3 * (unsigned)(processors < 1 ? 1 : processors),
                                      .every = CRASH_EVERY_IN_CI,
                                      .point = -1},
                          .thin = 1,
                          .sleepers = 24,
                          .mode = -1};
    if (!parse(&sweep, argc, argv)) {
        fprintf(
            stderr,
            "usage: %s [--all] [--every K] [--workers N] [--sleepers N] [--mode replay|nothing|recheck] [--only TEXT] [--point N] [--verbose] [--list]\n",
            argv[0]);
        return 2;
    }
    for (int mode = 0; mode < CRASH_MODES; mode++) {
        if (sweep.mode < 0 || sweep.mode == mode) {
            run_mode(&sweep, (enum crash_mode)mode);
        }
    }
    if (sweep.list) {
        return 0;
    }
    sum_up(&sweep);
    return sweep.failed != 0;
}
