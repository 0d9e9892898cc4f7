#!/bin/sh
# SPDX-License-Identifier: MIT
# A source file that no local.mk names is neither built nor shipped.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
cd "$SOURCE_DIR" || exit 1

# Names in the lists, and tests/x/test_y, whose source automake derives.
find Makefile.am include libsync managerd tests bench examples docs -name '*.[am][mk]' -exec cat {} + 2>/dev/null |
    sed 's/#.*//' | tr -s '[:space:]\\' '\n' >"$scratch/words"

unlisted() {
    find include libsync managerd tests bench examples -type f \
        \( -name '*.[ch]' -o -name '*.cc' -o -name '*.sh' -o -name '*.py' -o -name '*.pml' \) 2>/dev/null |
        while read -r file; do
            grep -qxF -e "$file" -e "${file%.c}" "$scratch/words" ||
                echo "$file is in no list: add it to the local.mk of its folder"
        done | nothing
}

missing() {
    grep -E '^(include|libsync|managerd|tests|bench|examples|docs|scripts)/.*\.[a-z0-9]+$' \
        "$scratch/words" | grep -Ev '\.(la|a|o)$' | while read -r file; do
        [ -f "$file" ] || echo "$file is in a list, but not there"
    done | nothing
}

check "every file is in a list" unlisted
check "every listed file is there" missing
finish
