#!/bin/sh
# SPDX-License-Identifier: MIT
# Segments that are cut, scribbled on, or being scribbled on: every verb ends in time, by an exit
# status of its own, and its JSON parses. A build with ASan says more. Rounds: CLI_ROUNDS (15).
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
# shellcheck source=tests/cli/cli.sh
. "$SOURCE_DIR/tests/cli/cli.sh"

rounds=${CLI_ROUNDS:-15}
original=$SEGMENT.original
"$LAB" create "$NAME" || exit 1
start_lab run
cp --sparse=always "$SEGMENT" "$original"

# As ctl, but no longer than 20 s; what is no status of ours is a failure.
survives() {
    timeout -k 1 20 "$MANAGERCTL" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    case $status in
    0 | 1 | 125) ;;
    *)
        show_output | head -n 60
        return 1
        ;;
    esac
    case " $* " in
    *" --json "*)
        jq empty "$scratch/out" || {
            show_output | head -n 60
            return 1
        }
        ;;
    esac
    # What was written into names must not reach a terminal as it is.
    if LC_ALL=C tr -d '\n' <"$scratch/out" | LC_ALL=C grep -q '[[:cntrl:]]'; then
        echo "control characters in the output of $*"
        return 1
    fi
}

every_verb() {
    survives locks && survives --json locks && survives locks --tree --bad &&
        survives show '*' && survives --json show '*' && survives clients --threads &&
        survives --json clients && survives --json deadlocks && survives --json list
}

check "whole" every_verb
size=$(stat -c %s "$SEGMENT")
page=$(getconf PAGESIZE)

# Cut before it is opened: refused.
for length in 0 1 100 4095 4096 "$page" $((size / 2)) $((size - page)) $((size - 1)); do
    truncate -s "$length" "$SEGMENT"
    check "cut to $length bytes" complains 125 'no segment of libsync|is damaged' list
    cp "$original" "$SEGMENT"
done
truncate -s $((size + page)) "$SEGMENT"
check "longer than it says" complains 125 'is damaged' list
cp "$original" "$SEGMENT"

head -c "$size" /dev/urandom >"$SEGMENT"
check "noise" complains 125 'is not a segment of libsync' list
head -c "$size" /dev/zero >"$SEGMENT"
check "zeroes" complains 125 'is not a segment of libsync' list
cp "$original" "$SEGMENT"

# Cut under its reader.
"$LAB" cutting "$SEGMENT" >"$scratch/cutting" &
cutter=$!
started="$started $cutter"
while ! grep -q ready "$scratch/cutting"; do
    sleep 0.02
done
# Text: a reader that was cut has printed nothing, not even a line. JSON: not even half a document.
while_cut() {
    seen=0 tries=0
    while [ "$tries" -lt "$rounds" ] || { [ "$seen" = 0 ] && [ "$tries" -lt 3000 ]; }; do
        survives "$@" || return 1
        [ "$status" != 125 ] || [ ! -s "$scratch/out" ] || grep -q '"error"' "$scratch/out" ||
            show_output || return 1
        ! grep -q 'was cut while it was read' "$scratch/err" || seen=$((seen + 1))
        tries=$((tries + 1))
    done
    echo "$seen of $tries were cut while they read"
    [ "$seen" -gt 0 ]
}
check "cut while it is read" while_cut show '*'
check "cut while it is read, JSON" while_cut --json locks
check "the cutter runs" kill -0 "$cutter"
kill -9 "$cutter"
wait "$cutter" 2>/dev/null
cp "$original" "$SEGMENT"

# Scribbled on: little, so that it opens; much, so that it does not.
scribbled() {
    seed=1
    while [ "$seed" -le "$rounds" ]; do
        cp "$original" "$SEGMENT"
        "$LAB" scribble "$SEGMENT" "$seed" "$1"
        every_verb || {
            echo "seed $seed, $1 places"
            return 1
        }
        seed=$((seed + 1))
    done
}
for places in 1 30 1000; do
    check "scribbled on in $places places, $rounds times" scribbled "$places"
done

# Scribbled on at the same time.
cp "$original" "$SEGMENT"
"$LAB" scribbling "$SEGMENT" >"$scratch/scribbling" &
scribbler=$!
started="$started $scribbler"
while ! grep -q ready "$scratch/scribbling"; do
    sleep 0.02
done
check "the scribbler runs" kill -0 "$scribbler"
meanwhile() {
    for _ in $(seq "$rounds"); do
        every_verb || return 1
    done
}
check "while it is scribbled on, $rounds times" meanwhile
finish
