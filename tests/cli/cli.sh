# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Sourced by the tests of managerctl, after tests/gates/tap.sh.
# shellcheck disable=SC2034,SC2154

MANAGERCTL=${MANAGERCTL:-$BUILD_DIR/managerd/ctl/managerctl}
LAB=${LAB:-$BUILD_DIR/tests/cli/lab}
NAME=cli-$$
SYNC_MANAGER=shm:$NAME
SEGMENT=/dev/shm/libsync.$(id -u).$NAME
export SYNC_MANAGER
# A finding of a sanitizer must not look like an exit status of ours.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=99:detect_leaks=0
UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}exitcode=99
export ASAN_OPTIONS UBSAN_OPTIONS

started=
leave() {
    exec 7>&- 8>&-
    for pid in $started; do
        kill -CONT "$pid" 2>/dev/null
        kill -9 "$pid" 2>/dev/null
    done
    rm -rf "$scratch"
    rm -f "$SEGMENT" "$SEGMENT".*
}
trap leave EXIT

for tool in jq "$MANAGERCTL" "$LAB"; do
    if ! command -v "$tool" >/dev/null; then
        skip "managerctl" "no $tool"
        finish
    fi
done

# ctl ARGUMENTS…: stdout in $scratch/out, stderr in $scratch/err, exit status in $status
ctl() {
    "$MANAGERCTL" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
}

# What a check that fails shows.
show_output() {
    echo "exit status $status; stdout:"
    cat "$scratch/out"
    echo "stderr:"
    cat "$scratch/err"
    false
}

# exits STATUS ARGUMENTS…
exits() {
    wanted=$1
    shift
    ctl "$@"
    [ "$status" = "$wanted" ] || show_output
}

# says TEXT ARGUMENTS…: stdout has a line that matches the extended regular expression
says() {
    text=$1
    shift
    ctl "$@"
    grep -Eq -e "$text" "$scratch/out" || show_output
}

# complains STATUS TEXT ARGUMENTS…: so does stderr, with that exit status
complains() {
    wanted=$1 text=$2
    shift 2
    ctl "$@"
    [ "$status" = "$wanted" ] && grep -Eq -e "$text" "$scratch/err" || show_output
}

# json EXPRESSION ARGUMENTS…: one document on stdout, schema 1, of which the jq expression is true
json() {
    expression=$1
    shift
    ctl --json "$@"
    [ "$(jq -s length "$scratch/out")" = 1 ] && jq -e '.schema == 1' "$scratch/out" >/dev/null &&
        jq -e "$expression" "$scratch/out" >/dev/null || show_output
}

# start_lab VERB [ARGUMENT]: in the background; its NAME=PID lines become variables
start_lab() {
    rm -f "$scratch/in" "$scratch/lab"
    mkfifo "$scratch/in"
    "$LAB" "$1" "$NAME" ${2:+"$2"} <"$scratch/in" >"$scratch/lab" 2>"$scratch/lab.err" 7>&- 8>&- &
    lab=$!
    started="$started $lab"
    exec 7>"$scratch/in"
    for _ in $(seq 300); do
        grep -q '^ready' "$scratch/lab" && break
        kill -0 "$lab" 2>/dev/null || break
        sleep 0.05
    done
    if ! grep -q '^ready' "$scratch/lab"; then
        sed 's/^/# /' "$scratch/lab.err"
        echo "Bail out! the lab does not start"
        exit 1
    fi
    eval "$(grep '=' "$scratch/lab")"
}

stop_lab() {
    exec 7>&-
    wait "$lab" 2>/dev/null
}
