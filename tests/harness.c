/* SPDX-License-Identifier: MIT */
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void call(void **state)
{
    const struct harness_case *one = *state;
    one->function();
}

static const struct harness_case *find(const struct harness_case *cases, size_t count,
                                       const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(cases[i].name, name) == 0) {
            return &cases[i];
        }
    }
    return NULL;
}

static int run(const char *program, const struct CMUnitTest *tests, size_t count)
{
    return _cmocka_run_group_tests(program, tests, count, NULL, NULL) == 0 ? EXIT_SUCCESS
                                                                           : EXIT_FAILURE;
}

int harness_main(int argc, char **argv, const struct harness_case *cases, size_t count)
{
    /* Unbuffered, so that a fork in a case duplicates nothing and a crash loses nothing. */
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (size_t i = 0; i < count; i++) {
            puts(cases[i].name);
        }
        return EXIT_SUCCESS;
    }

    size_t wanted = argc > 1 ? (size_t)argc - 1 : count;
    struct CMUnitTest *tests = calloc(wanted, sizeof(*tests));
    if (tests == NULL) {
        perror(argv[0]);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < wanted; i++) {
        const struct harness_case *one = argc > 1 ? find(cases, count, argv[i + 1]) : &cases[i];
        if (one == NULL) {
            fprintf(stderr, "%s: no case '%s'; --list shows all\n", argv[0], argv[i + 1]);
            free(tests);
            return 2;
        }
        tests[i] = (struct CMUnitTest){
            .name = one->name, .test_func = call, .initial_state = (void *)(uintptr_t)one};
    }
    int rc = run(argv[0], tests, wanted);
    free(tests);
    return rc;
}

void harness_skip(const char *reason, ...)
{
    va_list arguments;
    va_start(arguments, reason);
    printf("# skip: ");
    vprintf(reason, arguments);
    putchar('\n');
    va_end(arguments);
    skip();
    abort();
}
