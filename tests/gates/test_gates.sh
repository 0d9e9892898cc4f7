#!/bin/sh
# SPDX-License-Identifier: MIT
# A gate that lets everything through looks like one that finds nothing: each is shown a tree with
# one fault, and must name it.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
: "${CC:=cc}"
export CC

tree=$scratch/tree
clean_tree() {
    rm -rf "$tree"
    mkdir -p "$tree/include/sync" "$tree/libsync/base" "$tree/libsync/os" "$tree/libsync/direct" \
        "$tree/managerd/ctl" "$tree/docs/man" "$tree/tests" "$tree/scripts"
    cp -r "$SOURCE_DIR/tests/gates" "$tree/tests/"
    cat >"$tree/include/sync/sync.h" <<'END'
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H
#define SYNC_API
typedef struct sync_thing sync_thing;
typedef int (*sync_list_function)(void *argument);
SYNC_API int sync_one(sync_thing *thing); /* sync_forgotten(1) is not meant */
SYNC_API int sync_two(sync_thing *thing,
                      sync_list_function function);
static inline int sync_small(int x) { return x; }
#endif
END
    cat >"$tree/libsync/libsync.map" <<'END'
LIBSYNC_1 {
global:
    sync_one;
    sync_two;
local:
    *;
};
END
    printf '.Nm sync_thing\n.Fn sync_one "sync_thing *"\n.Fn sync_two\n\\fBsync_small\\fR(x), sync_thing(3)\n' \
        >"$tree/docs/man/sync_thing.3"
    : >"$tree/libsync/base/base.h"
    echo '#include "base/base.h"' >"$tree/libsync/os/os.c"
    printf '#include <sync/sync.h>\n#include "../os/os.c"\n' >"$tree/libsync/direct/direct.c"
    echo '#include <stdio.h>' >"$tree/managerd/main.c"
    printf '#!/bin/sh\necho "$1"\n' >"$tree/scripts/hello"
    {
        find "$tree" -type f -name '*.[ch]' -o -type f -name '*.sh'
    } | sed "s,^$tree/,list += ," >"$tree/Makefile.am"
}

gate() {
    SOURCE_DIR=$tree BUILD_DIR=$tree sh "$tree/tests/gates/$1.sh" >"$scratch/said" 2>&1
}
accepts() {
    gate "$1" || {
        cat "$scratch/said"
        return 1
    }
}
refuses() {
    if gate "$1"; then
        echo "$1.sh accepts the fault"
        return 1
    fi
    grep -E "$2" "$scratch/said" || {
        cat "$scratch/said"
        return 1
    }
}

clean_tree
for name in exports headers includes length lists todo; do
    check "$name.sh accepts a clean tree" accepts "$name"
done

echo '#include "os/os.h"' >"$tree/libsync/base/base.h"
: >"$tree/libsync/os/os.h"
check "an include pointing upwards" refuses includes 'libsync/base/base.h includes libsync/os/os.h'
clean_tree
echo '#include "gone/gone.h"' >"$tree/libsync/base/base.h"
check "an include of nothing" refuses includes 'base.h includes missing/gone/gone.h'
clean_tree
echo '#include "base/base.h"' >>"$tree/include/sync/sync.h"
check "a public header with a private include" refuses includes 'public headers only'
clean_tree
echo '#  include <nanomsg/nn.h>' >"$tree/libsync/os/os.c"
check "nanomsg outside of wire/" refuses includes 'only libsync/wire/ names nanomsg'
clean_tree
mkdir -p "$tree/libsync/direct"
echo '#include "direct/direct.c"' >"$tree/managerd/ctl/main.c"
: >"$tree/libsync/direct/direct.c"
check "managerctl reaching into direct/" refuses includes 'managerd/ctl/main.c includes libsync/direct/direct.c'
clean_tree
mkdir "$tree/libsync/other"
echo '#include "base/base.h"' >"$tree/libsync/other/other.c"
check "a folder without a level" refuses includes 'no level is given for libsync/other/'

clean_tree
echo 'SYNC_API void sync_three(void);' >>"$tree/include/sync/sync.h"
check "a function missing in the map" refuses exports 'sync_three is declared with SYNC_API, but not in'
check "a function without a man page" refuses exports 'sync_three is described in no docs'
clean_tree
sed -i 's/sync_two;/sync_two; sync_four;/' "$tree/libsync/libsync.map"
check "a function of the map only" refuses exports 'sync_four is in libsync.map, but no header'
clean_tree
echo '.Fn sync_five void' >>"$tree/docs/man/sync_thing.3"
check "a function of a man page only" refuses exports 'sync_five is described in docs/man, but no'

clean_tree
echo 'size_t sync_size;' >"$tree/include/sync/lone.h"
check "a header that needs another" refuses headers 'not ok .* sync/lone.h in C'
if [ -n "${CXX:-}" ]; then
    clean_tree
    echo 'int sync_new(int new);' >"$tree/include/sync/lone.h"
    check "a header that is no C++" refuses headers 'not ok .* sync/lone.h in C\+\+'
else
    skip "a header that is no C++" "no C++ compiler"
fi

clean_tree
seq 521 >"$tree/docs/long.md"
check "a file of 521 lines" refuses length 'docs/long.md has 521 lines'
clean_tree
: >"$tree/libsync/base/new.c"
check "a file in no list" refuses lists 'libsync/base/new.c is in no list'
clean_tree
echo 'list += libsync/base/old.c' >>"$tree/Makefile.am"
check "a listed file that is not there" refuses lists 'libsync/base/old.c is in a list, but not there'
clean_tree
echo '/* TO''DO: later */' >"$tree/libsync/base/base.h"
check "a mark without a sentence" refuses todo 'libsync/base/base.h:1:'
if command -v shellcheck >/dev/null; then
    clean_tree
    printf '#!/bin/sh\nif [ $1 == ]; then\n' >"$tree/scripts/hello"
    check "a broken script" refuses shell 'not ok .* shellcheck scripts/hello'
else
    skip "a broken script" "no shellcheck"
fi
finish
