#!/bin/sh
# SPDX-License-Identifier: MIT
# The command line, and that parser, help and man page say the same.
# shellcheck source=tests/gates/tap.sh
. "${SOURCE_DIR:?}/tests/gates/tap.sh"
# shellcheck source=tests/cli/cli.sh
. "$SOURCE_DIR/tests/cli/cli.sh"
page=$SOURCE_DIR/docs/man/managerctl.1.scd

verbs=$("$MANAGERCTL" --help | sed -n '/^Verbs/,/^$/p' | awk '/^  [a-z]/ { print $1 }')
check "there are verbs" [ -n "$verbs" ]
check "--help" exits 0 --help
check "--version" says '^managerctl [0-9]' --version
check "no verb" complains 2 'no verb given'
check "unknown verb" complains 2 'no verb "lock"; there are: list ' lock
check "unknown option" complains 2 'unrecognized option' --nothing
check "unknown option of a verb" complains 2 'unrecognized option' list --tree
check "an option of the wrong verb" complains 2 "option '--token'" locks --token 3
check "a name is missing" complains 2 'a name is missing' show
check "too many names" complains 2 'too many names' break a b --token 1 --reason x
check "a name where none is taken" complains 2 'too many names' deadlocks a
for time in x 5y -1s '' 5s5; do
    check "--older-than '$time'" complains 2 'must be a time' locks --older-than "$time"
done
for token in x -1 0 1x 99999999999999999999999; do
    check "--token $token" complains 2 'must be the number' break a --token="$token" --reason x
done
check "--kind of no kind" complains 2 'must be one of mutex' list -k pipe

check "no manager" complains 125 'no manager has made /dev/shm/libsync' list
check "no manager, in JSON" json '.error.name == "SYNC_ENOMANAGER" and .error.code == -13' locks
check "an address of no scheme" complains 125 'unknown scheme' -m pipe:x list
check "a remote address" complains 125 'this host only' list -m tcp://localhost:1
check "a name with a slash" complains 125 'holds a slash' -m shm:a/b list
check "-m goes before SYNC_MANAGER" complains 125 'other' -m shm:other list
no_environment() {
    (unset SYNC_MANAGER && "$MANAGERCTL" -m shm: list) 2>&1 | grep -q 'manager name'
}
check "an empty name" no_environment

every_option() {
    for verb in $verbs; do
        "$MANAGERCTL" --scdoc | awk -v verb="$verb" '
            /^## / { on = $2 == verb } /^# / { on = 0 }
            on && /^\*-/ { sub(/.*\*--/, ""); sub(/\*.*/, ""); print }' >"$scratch/options"
        while read -r option; do
            "$MANAGERCTL" "$verb" --help | grep -q -e "--$option" || echo "$verb: no --$option in --help"
        done <"$scratch/options"
        "$MANAGERCTL" "$verb" --help | grep -q "^managerctl .* $verb" || echo "$verb: no usage"
    done | nothing
}
check "each verb's options are in its help" every_option

the_same() {
    "$MANAGERCTL" --scdoc >"$scratch/table"
    awk '/^# VERBS/ { on = 1 } /^# / && !/^# (VERBS|OPTIONS)$/ { on = 0 } on' "$page" |
        sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' >"$scratch/page"
    diff -u "$scratch/page" "$scratch/table" || {
        echo "write that part of docs/man/managerctl.1.scd anew: managerctl --scdoc"
        false
    }
}
check "the man page's verbs are the table's" the_same

if command -v scdoc >/dev/null; then
    scdoc <"$page" >"$scratch/managerctl.1"
    check "scdoc takes the page" [ -s "$scratch/managerctl.1" ]
    if command -v mandoc >/dev/null; then
        lint() {
            awk -f "$SOURCE_DIR/docs/man/mend.awk" "$scratch/managerctl.1" >"$scratch/mended.1"
            mandoc -Tlint -Wwarning "$scratch/mended.1"
        }
        check "mandoc has nothing to say" lint
    else
        skip "mandoc has nothing to say" "no mandoc (apt-get install mandoc)"
    fi
else
    skip "scdoc takes the page" "no scdoc (apt-get install scdoc)"
fi
finish
