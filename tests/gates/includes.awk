# SPDX-License-Identifier: MIT
# Reads lines "FILE<tab>INCLUDED" (both as paths from the top; system headers as <name>) and prints
# those that point upwards or sideways. The levels are those of the picture in docs/architecture.md.

# What may be included from where, beside one's own folder. The public headers are everybody's
# vocabulary; they themselves stand on nothing but each other.
BEGIN {
    FS = "\t"
    down["libsync/base"] = ""
    down["libsync/os"] = "libsync/base"
    down["libsync/shm"] = "libsync/os " down["libsync/os"]
    down["libsync/objects"] = "libsync/shm libsync/os libsync/base"
    down["libsync/wire"] = "libsync/shm libsync/os libsync/base"
    down["libsync/direct"] = "libsync/objects " down["libsync/objects"]
    down["libsync/remote"] = "libsync/wire " down["libsync/wire"]
    down["libsync/transport"] = "libsync/direct libsync/remote libsync/objects libsync/wire libsync/shm libsync/os libsync/base"
    down["libsync/api"] = "libsync/transport " down["libsync/transport"]
    down["libsync/process"] = ""
    down["managerd"] = "libsync/objects libsync/wire libsync/shm libsync/os libsync/base"
    down["managerd/gateway"] = "managerd " down["managerd"]
    down["managerd/ctl"] = "libsync/transport libsync/objects libsync/shm libsync/os libsync/base"
    down["examples"] = ""
}

function folder(path) {
    if (path ~ /^include\/sync\//) return "include/sync"
    if (path ~ /^libsync\/[a-z]+\//) { sub(/^libsync\//, "", path); sub(/\/.*/, "", path); return "libsync/" path }
    if (path ~ /^managerd\/(ctl|gateway)\//) { sub(/^managerd\//, "", path); sub(/\/.*/, "", path); return "managerd/" path }
    sub(/\/.*/, "", path)
    return path
}

function refuse(why) { print $1 " includes " $2 ": " why }

{
    from = folder($1)
    if ($2 ~ /^</) {
        if ($2 ~ /^<nanomsg\// && from != "libsync/wire") refuse("only libsync/wire/ names nanomsg")
        next
    }
    to = folder($2)
    if (from == to || from == "tests" || from == "bench") next
    if (from == "include/sync") { refuse("a public header stands on public headers only"); next }
    if (to == "include/sync") next
    if (!(from in down)) { refuse("no level is given for " from "/ in tests/gates/includes.awk"); next }
    if (index(" " down[from] " ", " " to " ") == 0) refuse("this points upwards or sideways")
}
