/* SPDX-License-Identifier: MIT */
/* The main() of a test program: a table of cases, each run by tests/run-tap in a process of its
 * own.
 *
 *     static void a_free_mutex_is_taken(void) { … assert_int_equal(…); … }
 *     HARNESS_MAIN(CASE(a_free_mutex_is_taken), CASE(…))
 *
 * PROGRAM --list prints the names, PROGRAM NAME… runs those, PROGRAM runs all in one process. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct harness_case {
    const char *name;
    void (*function)(void);
};

#define CASE(function_)                                                                            \
    {                                                                                              \
#function_, function_                                                                      \
    }

#define HARNESS_MAIN(...)                                                                          \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct harness_case cases[] = {__VA_ARGS__};                                  \
        return harness_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));                  \
    }

int harness_main(int argc, char **argv, const struct harness_case *cases, size_t count);

/* Ends the case as skipped. What cannot be tested here is said and counted, never passed over. */
void harness_skip(const char *reason, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
