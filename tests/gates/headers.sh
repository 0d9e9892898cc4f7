#!/bin/sh
# SPDX-License-Identifier: MIT
# Each public header stands alone: in C, in C++, and for pycparser, which ctypes and cffi users have.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
cd "$SOURCE_DIR" || exit 1
: "${CC:=cc}"

in_c() {
    # Twice, for the include guard.
    printf '#include <sync/%s>\n#include <sync/%s>\nint unused;\n' "$1" "$1" |
        $CC -std=c11 -pedantic -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Werror \
            -Iinclude -fsyntax-only -x c -
}

in_cxx() {
    printf '#include <sync/%s>\n#include <sync/%s>\nint unused;\n' "$1" "$1" |
        $CXX -std=c++11 -pedantic -Wall -Wextra -Wshadow -Werror -Iinclude -fsyntax-only -x c++ -
}

# pycparser knows the language, not the compiler: attributes go, libc's headers become stubs.
mkdir -p "$scratch/libc"
cat >"$scratch/libc/stdint.h" <<'END'
typedef signed char int8_t; typedef short int16_t; typedef int int32_t; typedef long int64_t;
typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned uint32_t;
typedef unsigned long uint64_t; typedef unsigned long uintptr_t;
#define INT64_MAX 9223372036854775807L
#define INT64_MIN (-INT64_MAX - 1)
END
echo 'typedef unsigned long size_t; typedef int wchar_t;' >"$scratch/libc/stddef.h"
for name in stdarg stdbool string stdio; do
    echo '#include <stddef.h>' >"$scratch/libc/$name.h"
done

in_pycparser() {
    $CC -E -P -nostdinc -D'__attribute__(x)=' -D'__extension__=' -I"$scratch/libc" -Iinclude \
        "include/sync/$1" | python3 -c '
import sys
from pycparser import c_parser
c_parser.CParser().parse(sys.stdin.read())'
}

for path in include/sync/*.h; do
    header=${path##*/}
    check "sync/$header in C" in_c "$header"
    if [ -n "$CXX" ]; then
        check "sync/$header in C++" in_cxx "$header"
    else
        skip "sync/$header in C++" "no C++ compiler (apt-get install g++)"
    fi
    if python3 -c 'import pycparser' 2>/dev/null; then
        check "sync/$header in pycparser" in_pycparser "$header"
    else
        skip "sync/$header in pycparser" "no pycparser (apt-get install python3-pycparser)"
    fi
done
finish
