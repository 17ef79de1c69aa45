#!/bin/sh
# The kernel's TCP and ours get the same segments and take them alike, but for the differences that
# docs/TESTING.md explains.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
program=$(dirname "$TLSYN")/tests/differential
[ -x "$program" ] || skip "tests/differential is not built"

status=0
timeout 200 "$program" --from "${FROM:-1}" --count "${COUNT:-5000}" >"$scratch/out" 2>&1 ||
    status=$?
[ "$status" -ne 77 ] || skip "$(cat "$scratch/out")"
no_findings "$scratch/out"
[ "$status" -eq 0 ] || fail "$(tail -n 60 "$scratch/out")"
passed "$(sed -n 's/^\([0-9]* sequences, [0-9]* steps\).*/\1 taken alike, or explained/p' "$scratch/out")"
