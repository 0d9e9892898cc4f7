# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Sourced by the stages; scripts/test says where things are, and so can be left out.
: "${SOURCE_DIR:=$(cd "$(dirname "$0")/../.." && pwd)}"
: "${TEST_DIR:=$SOURCE_DIR/build/test}"
: "${JOBS:=$(nproc)}"
export SOURCE_DIR TEST_DIR JOBS
passed=0
failed=0
skipped=0

# step NAME COMMAND…: one test; its output is shown whatever comes of it.
step() {
    step_name=$1
    shift
    echo "== $step_name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $step_name"
        return 1
    fi
}

skip() {
    skipped=$((skipped + 1))
    echo "skipped: $1: $2"
}

# The stage ends here; the last line is what scripts/test reads.
finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
    exit
}

# configure_and_make FOLDER OPTION…: in $TEST_DIR/FOLDER; configured once per set of options.
configure_and_make() {
    (
        folder=$TEST_DIR/$1
        shift
        mkdir -p "$folder" && cd "$folder" || exit 1
        if [ ! -f Makefile ] || [ "$(cat .options 2>/dev/null)" != "$*" ]; then
            "$SOURCE_DIR/configure" "$@" >configure.out 2>&1 || {
                tail -n 20 configure.out
                exit 1
            }
            echo "$*" >.options
        fi
        make -s -j"$JOBS" all
    )
}

# make_check FOLDER TARGET…: adds what automake's .trs files say, test case by test case.
make_check() {
    folder=$TEST_DIR/$1
    shift
    find "$folder" -name '*.trs' -exec rm -f {} +
    (cd "$folder" && make -j"$JOBS" "$@")
    made=$?
    results=$(find "$folder" -name '*.trs' -exec cat {} + | sed -n 's/^:test-result: \([A-Z]*\).*/\1/p')
    count() {
        echo "$results" | grep -cE "^($1)\$"
    }
    bad=$(count 'FAIL|XPASS|ERROR')
    passed=$((passed + $(count 'PASS|XFAIL')))
    failed=$((failed + bad))
    skipped=$((skipped + $(count SKIP)))
    if [ "$made" != 0 ]; then
        cat "$folder/test-suite.log" 2>/dev/null
        if [ "$bad" = 0 ]; then
            failed=$((failed + 1))
            echo "FAILED: make $* in $folder"
        fi
    fi
}

# delegate FOLDER: a suite with a runner of its own, tests/FOLDER/run, which counts for itself. It
# finds the sources in $SOURCE_DIR, and the build in $BUILD_DIR, which is also where it runs.
delegate() {
    runner=$SOURCE_DIR/tests/$1/run
    if [ ! -x "$runner" ]; then
        echo "FAILED: tests/$1/run is not there, or not executable"
        failed=1
        finish
    fi
    step "build" configure_and_make gcc --enable-werror || finish
    step "build the tests" make -s -C "$TEST_DIR/gcc" -j"$JOBS" check TESTS= || finish
    export BUILD_DIR="$TEST_DIR/gcc"
    export SYNC_MANAGERD="$BUILD_DIR/managerd/managerd" \
        PATH="$BUILD_DIR/managerd:$BUILD_DIR/managerd/ctl:$PATH"
    cd "$BUILD_DIR" && exec "$runner"
}
