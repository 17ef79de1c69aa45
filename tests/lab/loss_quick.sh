#!/bin/sh
# tlsyn bench loss, from end to end: every pair transfers over every path asked for, whole and
# unharmed; it says how; and it stops in good order when it is told to. No time is asserted.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_namespaces
out=$scratch/out

# holds FILTER WHAT: a condition on loss.json.
holds()
{
    jq -e "$1" "$out/loss.json" >/dev/null || fail "$2: $(cat "$out/loss.json")"
    passed "$2"
}

"$TLSYN" bench loss --quick --rounds 2 --bytes 200kB --all --out "$out" >"$scratch/table" \
    2>"$scratch/log" ||
    fail "the study ends with $?: $(tail -n 3 "$scratch/log")"
grep -q 'median ratio' "$scratch/table" || fail "no summary was printed: $(cat "$scratch/table")"
holds '[.rows[] | select(.n == 2 and .failed == 0)] | length == 64' \
    "every pair's bytes arrived over every path"
holds '[.rows[] | [.family, .controller, .sender, .receiver, .loss, .rtt_ms, .reorder, .seconds, .ratio]
        | select(all(. != null))] | length == 64' "rows have all their fields"
holds '[.rows[] | select(.sender == "kernel" and .receiver == "kernel" and .ratio == 1)] | length == 16' \
    "kernel to kernel is what the others are compared with"
holds '[.rows[] | select(.rtt_ms == 20 and .seconds < 0.03)] | length == 0' "a delay delays"
holds '.summary.rows == 32 and .summary.worst_ratio >= .summary.median_ratio' \
    "the summary is that of the rows"

if command -v chromium >/dev/null && command -v gnuplot >/dev/null; then
    # shellcheck source=tests/pages/judge.sh
    . "$(dirname "$0")/../pages/judge.sh"
    judge 2 loss "$out/loss.html"
fi

# Told to stop: what there is is written, the status tells.
set -- bench loss --rounds 1000 --bytes 100kB --loss 0 --rtt 1 --reorder 0 --family 4
cut_short "$out" 'observed 4' "$TLSYN" "$@"
holds '.environment.interrupted == true and .rows[0].n > 0' "interrupted, it writes what there is"

# A signal for the whole group, as timeout(1) sends it, is for the study to obey, not for its ends.
group=-
cut_short "$out" 'observed 4' setsid "$TLSYN" "$@"
! grep 'failed:' "$scratch/log" || fail "an end died of what was meant for the study"
holds '.environment.interrupted == true and .rows[0].n > 0' \
    "so it does when all of it is told to end"

status=0
"$TLSYN" bench loss --controller none-such --loss 0 --rtt 0 --reorder 0 -n 1 --out "$out" \
    >/dev/null 2>"$scratch/log" ||
    status=$?
grep -q 'failed:' "$scratch/log" || fail "an unknown controller: $(cat "$scratch/log")"
holds '[.rows[] | select(.failed > 0 and .reason != null)] | length >= 1' \
    "what failed is told, with its reason"
