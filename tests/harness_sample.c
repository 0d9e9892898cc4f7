/* SPDX-License-Identifier: MIT */
/* One case for each way a case can end; tests/test_harness.sh looks at what run-tap says of them.
 */
#include "tests/harness.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void passes(void)
{
    assert_true(1);
}

static void is_skipped(void)
{
    harness_skip("no %s here", "unicorn");
}

static void fails(void)
{
    assert_int_equal(1, 2);
}

static void crashes(void)
{
    raise(SIGSEGV);
}

static void is_killed(void)
{
    kill(getpid(), SIGKILL);
}

static void hangs(void)
{
    for (;;) {
        pause();
    }
}

static void exits(void)
{
    exit(0);
}

static void leaves_a_child(void)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            pause();
        }
        _exit(0);
    }
}

static void passes_after_all_that(void)
{
    assert_true(1);
}

HARNESS_MAIN(CASE(passes), CASE(is_skipped), CASE(fails), CASE(crashes), CASE(is_killed),
             CASE(hangs), CASE(exits), CASE(leaves_a_child), CASE(passes_after_all_that))
