#!/bin/sh
# SPDX-License-Identifier: MIT
# A harness that lets a broken test pass is worse than none.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"

if [ ! -x "$BUILD_DIR/tests/harness_sample" ]; then
    skip "the harness" "built without cmocka"
    finish
fi
RUN_TAP_TIMEOUT=2
export RUN_TAP_TIMEOUT
"$BUILD_DIR/tests/run-tap" "$BUILD_DIR/tests/harness_sample" >"$scratch/said"
status=$?

says() {
    grep -Eq "$1" "$scratch/said" || {
        cat "$scratch/said"
        return 1
    }
}

check "the run as a whole fails" [ "$status" = 1 ]
check "a plan" says '^1\.\.9$'
check "a passing case passes" says '^ok 1 - passes$'
check "a skipped case says why" says '^ok 2 - is_skipped # SKIP no unicorn here$'
check "a failing case fails" says '^not ok 3 - fails'
check "and shows file and line" says '^# .*harness_sample\.c:[0-9]+: error'
check "a crashing case fails" says '^not ok 4 - crashes'
check "a killed case fails" says '^not ok 5 - is_killed: Killed'
check "a hanging case is ended" says '^not ok 6 - hangs: not finished after 2 s'
check "leaving by exit(0) fails" says '^not ok 7 - exits: left the process'
check "a child left behind is killed and named" says '^# left running: '
check "and its case is judged by itself" says '^ok 8 - leaves_a_child$'
check "the cases after it run" says '^ok 9 - passes_after_all_that$'

"$BUILD_DIR/tests/harness_sample" no_such_case >/dev/null 2>&1
check "an unknown case is refused" [ $? = 2 ]
printf '#!/bin/sh\nexit 0\n' >"$scratch/empty"
chmod +x "$scratch/empty"
"$BUILD_DIR/tests/run-tap" "$scratch/empty" >"$scratch/said"
check "a program without cases fails" [ $? = 1 ]
check "and says so" says '^Bail out! .* has no cases$'
finish
