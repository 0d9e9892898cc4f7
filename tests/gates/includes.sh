#!/bin/sh
# SPDX-License-Identifier: MIT
# Includes point only downwards (docs/architecture.md).
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
cd "$SOURCE_DIR" || exit 1

# "FILE<tab>INCLUDED" for every #include; a name that is no file of ours is a system header.
list() {
    find include libsync managerd bench examples -name '*.[ch]' -exec \
        grep -Eo '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"][^>"]+' /dev/null {} + 2>/dev/null |
        sed -E 's/:[[:space:]]*#[[:space:]]*include[[:space:]]*([<"])/ \1 /' |
        while read -r file style name; do
            found="<$name>"
            [ "$style" = '"' ] && places="${file%/*} include libsync ." || places="include libsync"
            for place in $places; do
                if [ -f "$place/$name" ]; then
                    found=$(echo "$place/$name" | sed -E 's,^\./,,; :a; s,[^/]+/\.\./,,; ta')
                    break
                fi
            done
            # configure makes that one.
            if [ "$style" = '"' ] && [ "$found" = "<$name>" ] && [ "$name" != config.h ]; then
                found="missing/$name"
            fi
            printf '%s\t%s\n' "$file" "$found"
        done
}

list >"$scratch/list"
upwards() {
    awk -f tests/gates/includes.awk "$scratch/list" | nothing
}
check "there are includes to look at" [ -s "$scratch/list" ]
check "includes point downwards" upwards
finish
