#!/bin/sh
# SPDX-License-Identifier: MIT
# What the docs show works: each whole C program in them compiles, each path they name exists, each
# link leads somewhere, and mandoc finds nothing to warn of.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
cd "$SOURCE_DIR" || exit 1
: "${CC:=cc}"

pages() {
    find README.md docs -name '*.md' -o -name '*.scd' | sort
}

# Each fenced block with a main() into a file of its own. In scdoc a backslash is written twice.
extract() {
    awk -v base="$scratch/$(echo "$1" | tr '/.' '__')" -v scdoc="${1##*.}" '
        /^ *```/ {
            if (inside) {
                if (text ~ /int main\(/) printf "%s", text >(base "_" ++count ".c")
                inside = 0
            } else {
                inside = 1
                text = ""
            }
            next
        }
        inside {
            if (scdoc == "scd") gsub(/\\\\/, "\\")
            text = text $0 "\n"
        }' "$1"
}
programs=0
for page in $(pages); do
    extract "$page"
done
for program in "$scratch"/*.c; do
    [ -f "$program" ] || continue
    name=${program##*/}
    check "$name compiles" $CC -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wshadow -Werror -Iinclude \
        -fsyntax-only "$program"
    programs=$((programs + 1))
done
check "the man pages have their examples" [ "$programs" -ge 8 ]

# Paths below our own folders, outside of what a build makes.
paths() {
    for page in $(pages); do
        grep -Eo '(^|[` (])(docs|examples|include|libsync|managerd|scripts|tests|bench)/[A-Za-z0-9_./-]*' "$page" |
            sed -E 's/^[` (]//; s/[.]$//' | sort -u | while read -r path; do
            [ -e "$path" ] || echo "$page names $path, which is not there"
        done
    done | nothing
}
links() {
    pages | grep '\.md$' | while read -r page; do
        grep -Eo '\]\([^)#:]+\)' "$page" | sed 's/^](//; s/)$//' | while read -r link; do
            [ -e "$(dirname "$page")/$link" ] || echo "$page links to $link, which is not there"
        done
    done | nothing
}
check "paths named in the docs exist" paths
check "links in the docs lead somewhere" links

lint() {
    mandoc -Tlint -W warning "$1"
}
for page in docs/man/*.[1-8]; do
    if [ ! -f "$page" ]; then
        skip "mandoc" "no man pages made (make)"
    elif command -v mandoc >/dev/null; then
        check "mandoc ${page##*/}" lint "$page"
    else
        skip "mandoc ${page##*/}" "no mandoc (apt-get install mandoc)"
    fi
done
finish
