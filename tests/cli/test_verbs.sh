#!/bin/sh
# SPDX-License-Identifier: MIT
# Every verb, as text and as JSON, on known holders and waiters. No manager was ever there.
# The pids of the cast come from the lab.
# shellcheck disable=SC2154
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
# shellcheck source=tests/cli/cli.sh
. "$SOURCE_DIR/tests/cli/cli.sh"

"$LAB" create "$NAME" || exit 1
check "an empty segment: list" exits 0 list
check "an empty segment: no line on stdout" [ ! -s "$scratch/out" ]
check "an empty segment: the manager" grep -q "^$SYNC_MANAGER .*managerd absent" "$scratch/err"
check "an empty segment: JSON" json '.objects == [] and .manager.state == "absent"' locks
check "an empty segment: tree" json '.tree == []' locks --tree
check "an empty segment: clients" json '.clients == []' clients
check "an empty segment: deadlocks" exits 0 deadlocks
check "an empty segment: show" complains 1 'no object "camera"' show camera
start_lab run

# list
check "list: header" says '^NAME +KIND +STATE +OPEN +WAITERS +CONTENDED +TIMEOUTS +DEATHS +AGE' list
check "list: a mutex" says '^camera +mutex +held, held too long +3 +2 ' list
check "list: a semaphore" says '^slots +semaphore +1 of 3 free +1 +0 ' list
check "list: events" says '^go +event +set ' list
check "list: a barrier" says '^start +barrier +1 of 3 here ' list
check "list: a broken one" says '^burst +barrier +broken: aborted' list
check "list: the owner died" says '^stage +mutex +owner died' list
check "list: by name" json '[.objects[].name] == ([.objects[].name] | sort) and (.objects | length) == 9' list
check "list: glob" json '[.objects[].name] == ["slots", "stage", "start", "stop"]' list 's*'
check "list: kind" json '[.objects[].name] == ["go", "stop"]' list -k event
check "list: no such name" complains 1 'no object "nobody"' list nobody camera
check "list: values" json '[.objects[] | select(.name == "slots") | [.value, .maximum, .holders[0].permits, .holders[0].pid]] == [[1, 3, 2, '"$exposer"']]' list

# locks
check "locks: header" says '^NAME +KIND +STATE +HOLDER +HELD +WAITERS +WAITED +LEFT +WHY' locks
check "locks: a holder" says "^camera +mutex +held.* exposer\[$exposer\] +[0-9.]+ m?s +2 +flat fields, night 3" locks
check "locks: a waiter" says "^[^a-z]+waiting +flattener\[$flattener\] .* min [0-9]+ s +DM flat" locks
check "locks: for ever" says "waiting +scan.py\[$scan\] .*for ever +grid scan 12" locks
check "locks: arrival" json '[.objects[] | select(.name == "camera") | .waiters[].who.label] == ["flattener", "safety"]' locks
check "locks: longest wait first" json '[.objects[].longest_wait_ns] == ([.objects[].longest_wait_ns] | sort | reverse)' locks
check "locks: numbers" json '.objects[] | select(.name == "camera") | .depth == 2 and .token == 1 and .max_hold_ns == 1000000 and .holder.tid == '"$exposer"' and (.held_ns > 0) and .waiters[0].left_ns < 300000000000 and .waiters[0].left_ns > 200000000000' locks
check "locks: for ever is null" json '[.objects[] | select(.name == "mirror") | .waiters[0].left_ns] == [null]' locks
check "locks: not what is free" json '[.objects[].name] | index("go") == null' locks
check "locks: events and barriers that are waited for" json '[.objects[] | select(.waiting > 0) | .name] | sort == ["camera", "mirror", "start", "stop"]' locks
check "locks --bad" json '[.objects[] | [.name, .trouble // .state]] | sort == [["burst", "broken: aborted"], ["camera", "held too long"], ["stage", "owner died"]]' locks --bad
check "locks --older-than: none" json '.objects == []' locks --older-than 1h
check "locks --older-than: all" json '.objects | length > 5' locks --older-than 1ms
check "locks NAME" json '[.objects[].name] == ["camera"]' locks camera
check "locks: handle" json '.objects[0].holder | .kind == "handle" and .label == "labview"' locks 'filter wheel'

# the tree
check "tree: the one to talk to" says "^camera +mutex +held.* exposer\[$exposer\]" locks --tree
check "tree: below" says "^[^a-z]+waiting +flattener.* DM flat \(holds mirror\)" locks --tree
check "tree: two below" says "^[^a-z]+mirror +waiting +scan.py" locks --tree
check "tree: mirror is no root" json '[.tree[].name] | index("mirror") == null and index("camera") == 0' locks --tree
check "tree: nested" json '.tree[0].children[0] | .who.label == "flattener" and .holds == "mirror" and .children[0].who.label == "scan.py" and .children[0].object == "mirror"' locks --tree
check "tree: each wait once" json '[.. | objects | select(has("waited_ns"))] | length == 5' locks --tree

# show
check "show: the form" says '^camera: mutex, held, held too long' show camera
check "show: holder" says "^  holder +exposer\[$exposer\] thread \"[^\"]*\" \(tid $exposer\), .*@.*, alive" show camera
check "show: why" says '^  why +flat fields, night 3' show camera
check "show: held" says '^  held +for .*, longer than it may be' show camera
check "show: token" says '^  token +1$' show camera
check "show: depth" says '^  depth +2$' show camera
check "show: options" says '^  options +recursive, owned by a thread, held at most 1 ms' show camera
check "show: other options" says '^  options +not recursive, owned by a handle, first come first served' show 'filter wheel'
check "show: what to type" says "managerctl break 'camera' --token 1 " show camera
check "show: behind the holder" says "^  flattener\[$flattener\] +alive .* exposer\[$exposer\] +DM flat" show camera
check "show: behind a waiter" says "^  safety\[$safety\] +alive .* flattener\[$flattener\]" show camera
check "show: open in" says '^open in: 3' show camera
check "show: permits" says "^  exposer\[$exposer\] +alive +1 +2" show slots
check "show: events" says 'ago  broken: aborted \(starter' show burst
check "show: who set it" says "^  set by +starter\[$starter\]" show go
check "show: sets" says '^  so far +1 sets' show go
check "show: dead" says "^  holder +doomed\[$doomed\] .*, dead" show stage
check "show: several" json '[.objects[].name] | sort == ["camera", "mirror"]' show camera mirror
check "show: JSON" json '.objects[0] | (.open | length) == 3 and .evicted == null and (.options | startswith("recursive")) and .events == []' show camera
check "show: events in JSON" json '.objects[0].events[0] | .type == "barrier broken" and .value == 2' show burst
check "show: not there" complains 1 'no object "nothing"' show nothing
check "show: not there, in JSON" json '.objects == []' show nothing

# clients
check "clients: header" says '^CLIENT +STATE +USER +THREADS +OPEN +HOLDS +WAITS +ATTACHED +WHY' clients
check "clients: a process" says "^exposer\[$exposer\] +alive +[^ ]+ +1 +2 +2 +0 " clients
check "clients: a thread" says "tid $flattener\) .* 1 +1 +DM flat" clients
check "clients: a handle" says '(└─|`-)a handle +1 +0' clients
check "clients: the dead" says "^doomed\[$doomed\] +dead" clients
check "clients: JSON" json '[.clients[] | select(.label == "flattener") | [.pid, .holds, .waits, .principals[0].note]] == [['"$flattener"', 1, 1, "DM flat"]]' clients
check "clients: by label" json '[.clients[].label] == ["scan.py"]' clients 'scan*'
check "clients: by pid" json '[.clients[].label] == ["safety"]' clients "$safety"
check "clients: nobody" exits 1 clients nobody

# states of processes
kill -STOP "$exposer"
sleep 0.1
check "a stopped owner" says '^camera +mutex +held, owner STOPPED' locks --bad
check "a stopped owner, in JSON" json '.objects[0].holder.state == "STOPPED"' show camera
kill -CONT "$exposer"

# break
check "break: no token" complains 2 "exposer\[$exposer\].*managerctl break 'camera' --token 1 " break camera --reason x
check "break: no reason" complains 2 'reason TEXT is missing' break camera --token 1
check "break: wrong token" complains 1 "nothing broken: token 7 .* is 1: held .* by exposer\[$exposer\].*\"flat fields" break camera --token 7 --reason x
check "break: wrong token, in JSON" json '.error.name == "SYNC_EPERM"' break camera --token 7 --reason x
check "break: not there" complains 1 'no object' break nothing --token 1 --reason x
check "break: not a mutex" complains 125 'slots is a semaphore' break slots --token 1 --reason x
check "break: of the dead" complains 1 'is dead' break stage --token 1 --reason x
check "break: nothing was done" json '.objects[0] | .token == 1 and .holder.label == "exposer"' show camera
check "break" says "camera: taken away from exposer\[$exposer\]" break camera --token 1 --reason "exposer hangs"
# The first in the queue goes on, ends, and so do those behind it.
for _ in $(seq 100); do
    ctl --json show camera
    jq -e '.objects[0].waiting == 0' "$scratch/out" >/dev/null && break
    sleep 0.05
done
check "break: the queue went on" json '.objects[0].waiting == 0 and .objects[0].token > 4294967296' show camera
check "break: the event" says "took it away from exposer\[$exposer\]: \"exposer hangs\"" show camera
check "break: the evicted" says "^  evicted +exposer\[$exposer\]" show camera
check "break: the evicted, in JSON" json '.objects[0].evicted.pid == '"$exposer" show camera
check "break: one camera only" json '[.objects[] | select(.name == "camera")] | length == 1' list
check "break: again" exits 1 break camera --token 1 --reason again
check "break left no client behind" json '[.clients[] | select(.label == "managerctl" and .state != "dead")] == []' clients
stop_lab

# deadlocks
"$LAB" remove "$NAME"
"$LAB" create "$NAME" || exit 1
start_lab circle
check "deadlocks: exit status" exits 1 deadlocks
check "deadlocks: text" says '^deadlock of 3:' deadlocks
check "deadlocks: an edge" says 'alpha\[.*waits for beta, held by beta\[' deadlocks
check "deadlocks: JSON" json '(.deadlocks | length) == 1 and ([.deadlocks[0][].waits_for] | sort) == ["alpha", "beta", "gamma"]' deadlocks
check "deadlocks: locks --bad" json '[.objects[] | .trouble] == ["DEADLOCK", "DEADLOCK", "DEADLOCK"]' locks --bad
check "deadlocks: a tree all the same" json '(.tree | length) == 1 and ([.. | objects | select(has("waited_ns"))] | length) == 3' locks --tree
check "deadlocks: its state" says '^(alpha|beta|gamma) +mutex +held, DEADLOCK' locks --tree
stop_lab

# the segment itself
rm -f "$SEGMENT"
"$LAB" create "$NAME" || exit 1
printf 'x' >>"$SEGMENT"
check "a segment that grew" complains 125 'is damaged' list
finish
