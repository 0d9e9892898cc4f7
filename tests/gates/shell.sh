#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
cd "$SOURCE_DIR" || exit 1

for script in $(our_scripts .); do
    if command -v shellcheck >/dev/null; then
        check "shellcheck $script" shellcheck -x --severity=warning "$script"
    else
        skip "shellcheck $script" "no shellcheck (apt-get install shellcheck)"
    fi
done
finish
