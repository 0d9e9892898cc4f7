# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Sourced by the shell tests: prints TAP. A check is a command; what it prints explains its failure.

SOURCE_DIR=${SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD_DIR=${BUILD_DIR:-$SOURCE_DIR}
tap_count=0
tap_failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check NAME COMMAND…: passes when COMMAND succeeds
check() {
    tap_name=$1
    shift
    tap_count=$((tap_count + 1))
    if "$@" >"$scratch/.tap" 2>&1; then
        echo "ok $tap_count - $tap_name"
    else
        sed 's/^/# /' "$scratch/.tap"
        echo "not ok $tap_count - $tap_name"
        tap_failed=$((tap_failed + 1))
    fi
}

skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

finish() {
    echo "1..$tap_count"
    [ "$tap_failed" = 0 ]
    exit
}

# Succeeds when nothing is piped in; else shows it.
nothing() {
    ! grep .
}

# The folders that hold our own text; what a build leaves in them is left out.
our_files() {
    (cd "$1" && find configure.ac Makefile.am README* include libsync managerd tests bench examples \
        docs scripts .ci -type f \( -name '*.[ch]' -o -name '*.cc' -o -name '*.sh' -o -name '*.py' \
        -o -name '*.mk' -o -name '*.am' -o -name '*.ac' -o -name '*.pml' -o -name '*.[1-8]' \
        -o -name '*.md' -o -name '*.map' -o ! -name '*.*' \) ! -path '*/.deps/*' ! -path '*/.libs/*' \
        2>/dev/null) | while read -r file; do
        case ${file##*/} in
        *.*) echo "$file" ;;
        *) head -c 2 "$1/$file" | grep -q '^#!' && echo "$file" ;;
        esac
    done | sort
}

# Of those, the shell scripts.
our_scripts() {
    our_files "$1" | while read -r file; do
        case $file in
        *.sh) echo "$file" ;;
        *.*) ;;
        *) head -n 1 "$1/$file" | grep -Eq '^#!.*[ /](ba|da)?sh( |$)' && echo "$file" ;;
        esac
    done
    [ ! -f "$1/.ci/run" ] || echo .ci/run
}
