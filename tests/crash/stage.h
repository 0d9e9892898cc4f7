/* SPDX-License-Identifier: MIT */
/* One scenario in one mode: the dry run, then every kill point of it, by several workers. */
#ifndef CRASH_STAGE_H
#define CRASH_STAGE_H

#include "points.h"
#include "scenario.h"
#include "verdict.h"

enum { STAGE_REPORTS = 16, STAGE_TEXT = 320 };

struct stage_options {
    unsigned workers;
    unsigned every; /* takes each every-th point */
    long point;     /* only this one, or -1 */
    bool verbose;
};

struct stage_result {
    size_t steps;  /* instructions stepped in the dry run */
    size_t points; /* distinct kill points found */
    size_t of_kind[POINT_KINDS];
    size_t cases; /* kill points tried */
    size_t verdict[VERDICTS];
    size_t missed;  /* of the cases: the victim never came to the point */
    size_t unbuilt; /* of the cases: the world could not be made */
    double seconds;
    unsigned reports; /* how many texts below */
    char report[STAGE_REPORTS][STAGE_TEXT];
};

/* First thing in main(): every run of the program has the same addresses, and no symbol is bound in
 * the middle of an operation. */
void stage_fix_addresses(char **argv);

/* False if there was no dry run to go by; the first report says why. */
bool stage_run(const struct crash_scenario *scenario, enum crash_mode mode,
               const struct stage_options *options, struct stage_result *ret_result);

/* So many points were never reached that what was tried says nothing about the scenario. */
bool stage_is_astray(const struct stage_result *result);

const char *crash_mode_name(enum crash_mode mode);
void stage_print(const struct crash_scenario *scenario, enum crash_mode mode,
                 const struct stage_options *options, const struct stage_result *result);

#endif
