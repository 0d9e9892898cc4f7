#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/memory.md and memory-words.md name every shared field (`struct.field`) and constant of layout.h.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
cd "$SOURCE_DIR" || exit 1
: "${CC:=cc}"

# Comments out, one token-ish item a line.
$CC -fpreprocessed -dD -E -P -x c libsync/shm/layout.h 2>/dev/null >"$scratch/layout"

# A stack of open braces; the fields of a nameless struct get the name behind its closing brace, those
# of the union "u" none.
fields() {
    grep -v '^#' "$scratch/layout" | tr '\n' ' ' | sed 's/[;{}]/&\n/g' | awk '
        function keep(name) { count[depth]++; field[depth, count[depth]] = name }
        /\{$/ {
            depth++; closing = 0; count[depth] = 0; title[depth] = ""
            if (match($0, /struct sy_[a-z_]+ *\{/)) {
                title[depth] = substr($0, RSTART + 10, RLENGTH - 11); sub(/ *$/, "", title[depth])
            }
            inside[depth] = $0 ~ /(struct|union)[a-z_ ]*\{/
            next
        }
        /\}$/ { closing = depth; depth--; next }
        closing {
            name = $0; gsub(/[ ;]|\[.*/, "", name)
            for (i = 1; i <= count[closing]; i++) {
                f = field[closing, i]
                if (title[closing] != "") print title[closing] "." f
                else if (inside[closing]) keep(name == "u" ? f : name "." f)
            }
            closing = 0
            if (name == "") next
            next
        }
        depth && inside[depth] {
            line = $0; sub(/;.*/, "", line); gsub(/\[[^]]*\]/, "", line)
            many = split(line, part, ",")
            for (i = 1; i <= many; i++) {
                n = split(part[i], word, " ")
                if (n) keep(word[n])
            }
        }'
}
constants() {
    grep -Eo '\bSY_[A-Z_]+[A-Z]\b' "$scratch/layout" | grep -vx SY_LAYOUT_H | sort -u
}
fields | sort -u >"$scratch/fields"
constants >"$scratch/constants"

named() {
    while read -r name; do
        grep -qF "\`$name" docs/memory.md || echo "docs/memory.md does not say who may write $name"
    done <"$scratch/fields" | nothing
}
explained() {
    while read -r name; do
        grep -qE "\b$name\b" docs/memory.md docs/memory-words.md || echo "docs/memory.md does not explain $name"
    done <"$scratch/constants" | nothing
}
gone() {
    grep -Eo '^\| `[a-z_]+\.[a-z_0-9.]+' docs/memory.md | tr -d '|` ' | sort -u |
        comm -23 - "$scratch/fields" | sed 's/$/ is in docs\/memory.md, but not in layout.h/' | nothing
}
enough() {
    [ "$(wc -l <"$scratch/fields")" -gt 100 ]
}

check "layout.h was understood" enough
check "layout.h -> docs/memory.md: fields" named
check "layout.h -> docs/memory.md: constants" explained
check "docs/memory.md -> layout.h" gone
finish
