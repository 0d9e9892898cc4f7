#!/bin/sh
# SPDX-License-Identifier: MIT
# A file holds one idea: no file above 520 lines.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"

too_long() {
    our_files "$SOURCE_DIR" | while read -r file; do
        lines=$(wc -l <"$SOURCE_DIR/$file")
        [ "$lines" -le 520 ] || echo "$file has $lines lines: split it by idea"
    done | nothing
}
check "files of at most 520 lines" too_long
finish
