#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds and runs the outside project against what has been installed under $DESTDIR.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "${SOURCE_DIR:?}"/tests/outside/outside.c* "$SOURCE_DIR/tests/outside/Makefile" "$work"

export PKG_CONFIG_PATH="${DESTDIR:-}${libdir:?}/pkgconfig" PKG_CONFIG_SYSROOT_DIR="${DESTDIR:-}"
export LD_LIBRARY_PATH="${DESTDIR:-}$libdir"
what='outside'
if [ -n "${CXX:-}" ]; then
    what='outside outside-cxx'
else
    echo "no C++ compiler: the C++ half is left out (apt-get install g++)"
fi
# shellcheck disable=SC2086
env -u MAKEFLAGS -u MAKELEVEL -u CFLAGS -u LDFLAGS make -s -C "$work" CC="${CC:?}" CXX="${CXX:-}" \
    PKG_CONFIG="${PKG_CONFIG:?}" $what
for program in $what; do
    "$work/$program"
    echo "$program: built against the installed libsync, and runs"
done
