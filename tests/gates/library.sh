#!/bin/sh
# SPDX-License-Identifier: MIT
# What the shared library promises its loader.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
library=$BUILD_DIR/.libs/libsync.so
if [ ! -f "$library" ]; then
    skip "libsync.so" "no shared library in $BUILD_DIR"
    finish
fi
${READELF:-readelf} -d -W "$library" >"$scratch/dynamic"
${READELF:-readelf} --dyn-syms -W "$library" >"$scratch/symbols"

says() {
    grep -E "$1" "$scratch/dynamic" || {
        cat "$scratch/dynamic"
        return 1
    }
}
others() {
    grep NEEDED "$scratch/dynamic" | grep -Ev '\[(libc\.so\.6|ld-linux-[a-z0-9-]+\.so\.[0-9])\]' | nothing
}
strangers() {
    awk '$5 == "GLOBAL" && $7 != "UND" && $7 != "ABS" && $8 !~ /^(sync_|SYNC_)/ { print $8 " is exported" }' \
        "$scratch/symbols" | nothing
}

check "soname libsync.so.0" says 'SONAME.*\[libsync\.so\.0\]'
check "-z nodelete" says 'FLAGS_1.*NODELETE'
if [ "${INSTRUMENTED:-}" = "" ]; then
    check "it needs libc only" others
    check "it exports sync_ names only" strangers
else
    skip "it needs libc only" "sanitizers bring their own"
    skip "it exports sync_ names only" "sanitizers bring their own"
fi
finish
