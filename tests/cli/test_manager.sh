#!/bin/sh
# SPDX-License-Identifier: MIT
# Every reading verb, and break, with managerd alive, stopped, killed, started again, ended.
# shellcheck disable=SC2154
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
# shellcheck source=tests/cli/cli.sh
. "$SOURCE_DIR/tests/cli/cli.sh"

MANAGERD=${SYNC_MANAGERD:-$BUILD_DIR/managerd/managerd}
if [ ! -x "$MANAGERD" ]; then
    skip "managerctl beside managerd" "no $MANAGERD"
    finish
fi

start_manager() {
    "$MANAGERD" --name "$NAME" 2>>"$scratch/managerd.err" 7>&- &
    manager=$!
    started="$started $manager"
    for _ in $(seq 200); do
        [ "$("$MANAGERCTL" -q --json list 2>/dev/null | jq -r '.manager | "\(.state) \(.pid)"' 2>/dev/null)" = "alive $manager" ] && return
        sleep 0.05
    done
    sed 's/^/# /' "$scratch/managerd.err"
    echo "Bail out! managerd does not start"
    exit 1
}

# all STATE LINE: every reading verb answers, says so on stderr and in JSON
all() {
    for verb in list locks "locks --tree" "show camera" clients deadlocks; do
        # shellcheck disable=SC2086
        check "$1: $verb" complains 0 "$2" $verb
        # shellcheck disable=SC2086
        check "$1: $verb, in JSON" json ".manager.state == \"$1\"" $verb
    done
    check "$1: who holds" json '.objects[0].holder.label == "exposer"' locks camera
    check "$1: -q" exits 0 -q list
    check "$1: -q is quiet" [ ! -s "$scratch/err" ]
}

start_manager
start_lab run
all alive "^$SYNC_MANAGER .*managerd\[$manager\] alive\$"
check "alive: the dead one is buried" says '^stage +mutex +owner died' list

kill -STOP "$manager"
sleep 1.3
all "not beating" "managerd\[$manager\] NOT BEATING for [0-9.]+ s: stopped"
check "not beating: pid" json '.manager.pid == '"$manager"' and .manager.process_state == "T" and .manager.silent_ns > 1000000000' list
kill -CONT "$manager"
sleep 0.6
check "alive once more" json '.manager.state == "alive"' list

kill -9 "$manager"
wait "$manager" 2>/dev/null
all absent "managerd absent: \[$manager\] died .* ago"
check "absent: break" says 'taken away from' break camera --token 1 --reason "no manager"

start_manager
check "adopted" json '.manager.epoch == 2 and (.objects | length) > 5' list
kill -TERM "$manager"
wait "$manager" 2>/dev/null
check "ended" complains 0 'managerd absent: it was stopped' list
check "ended: nobody's pid" json '.manager.pid == null' list

# The name taken away: what is open stays open, newcomers find nothing.
stop_lab
rm -f "$SEGMENT"
check "the name is gone" complains 125 'no manager has made' list
finish
