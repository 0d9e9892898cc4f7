#!/bin/sh
# SPDX-License-Identifier: MIT
# Headers, export map, man pages and the library itself name the same functions.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
cd "$SOURCE_DIR" || exit 1
: "${CC:=cc}"
export LC_ALL=C

# Comments out, one declaration a line; what is exported is marked SYNC_API.
declarations() {
    for header in include/sync/*.h; do
        $CC -fpreprocessed -dD -E -P -x c "$header" 2>/dev/null
    done | tr '\n' ' ' | tr ';{}' '\n'
}
declarations | grep SYNC_API | grep -Eo '\bsync_[a-z0-9_]+[[:space:]]*\(' | grep -Eo '^[a-z0-9_]+' |
    sort -u >"$scratch/header"
declarations | grep 'static inline' | grep -Eo '\b(sync|SYNC)_[A-Za-z0-9_]+[[:space:]]*\(' |
    grep -Eo '^[A-Za-z0-9_]+' | sort -u >"$scratch/inline"
sed 's,/\*.*\*/,,' libsync/libsync.map | grep -Eo '\bsync_[a-z0-9_*]+;' | tr -d ';' | sort >"$scratch/map"

# Functions a man page names: name( or .Fn name, but not the page name(3).
man_names() {
    cat docs/man/*.3 2>/dev/null | sed -E 's/\\f[A-Z]|\\f\[[A-Z]*\]|\\&//g' >"$scratch/man.text"
    grep -Eo '\bsync_[a-z0-9_]+ ?\([^)]?[^)]?' "$scratch/man.text" | grep -Ev '\([0-9]' | grep -Eo '^[a-z0-9_]+'
    sed -nE 's/^\.F[no] "?[a-z0-9_ *]*\b(sync_[a-z0-9_]+).*/\1/p; s/^\.Nm (sync_[a-z0-9_]+).*/\1/p' "$scratch/man.text"
}
man_names | sort -u >"$scratch/man"

only_in() {
    comm -23 "$1" "$2" | awk -v why="$3" '{ print $0 " " why }' | nothing
}

sort -u "$scratch/header" "$scratch/inline" >"$scratch/declared"
# A page's own name is a noun (sync_mutex), which is a type and no function.
grep -Eow 'typedef [^;{]*' include/sync/*.h | grep -Eo 'sync_[a-z0-9_]+' | sort -u >"$scratch/types"
find docs/man -name '*.3' -printf '%f\n' 2>/dev/null | sed 's/\.3$//' | sort -u - "$scratch/types" >"$scratch/nouns"
comm -23 "$scratch/man" "$scratch/nouns" >"$scratch/man.functions"

check "the headers declare functions" [ -s "$scratch/header" ]
check "headers -> libsync.map" only_in "$scratch/header" "$scratch/map" "is declared with SYNC_API, but not in libsync.map"
check "libsync.map -> headers" only_in "$scratch/map" "$scratch/header" "is in libsync.map, but no header declares it with SYNC_API"
twice() {
    uniq -d "$scratch/map" | nothing
}
check "libsync.map names each once" twice
check "headers -> docs/man" only_in "$scratch/header" "$scratch/man" "is described in no docs/man/*.3"
check "docs/man -> headers" only_in "$scratch/man.functions" "$scratch/declared" "is described in docs/man, but no header declares it"

library=$BUILD_DIR/.libs/libsync.so
if [ -f "$library" ]; then
    ${READELF:-readelf} --dyn-syms -W "$library" | awk '$5 == "GLOBAL" && $7 != "UND" { sub(/@.*/, "", $8); print $8 }' |
        grep '^sync_' | sort -u >"$scratch/library"
    check "libsync.map -> libsync.so" only_in "$scratch/map" "$scratch/library" "is in libsync.map, but libsync.so does not export it"
    check "libsync.so -> libsync.map" only_in "$scratch/library" "$scratch/map" "is exported, but not in libsync.map"
else
    skip "libsync.map -> libsync.so" "no libsync.so in $BUILD_DIR"
fi
finish
