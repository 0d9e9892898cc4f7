#!/bin/sh
# SPDX-License-Identifier: MIT
# What is left undone is said in a sentence: what, and why not now.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
cd "$SOURCE_DIR" || exit 1

# A sentence: at least four words after the mark, on its line.
bare() {
    our_files . | grep -Ev '\.(md|[1-8])$' | xargs grep -nE '\b(TO''DO|FIX''ME|XX''X)\b' /dev/null |
        grep -Ev '\b(TO''DO|FIX''ME|XX''X)\b[:,]?([[:space:]]+[^[:space:]]+){4}' | nothing
}
check "no mark without a sentence" bare
finish
