#!/bin/sh
# tlsyn bench fallback, from end to end: every row of the matrix is made, the stack says of each what
# came of it, and all is written down. No time is asserted, but that a lost second is told from a
# round trip.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_namespaces
out=$scratch/fallback

# holds FILTER WHAT: a condition on fallback.json.
holds()
{
    jq -e "$1" "$out/fallback.json" >/dev/null || fail "$2: $(cat "$out/fallback.json")"
    passed "$2"
}

cut_short "$out" 'observed 4' "$TLSYN" bench fallback --rounds 1 --rtt 20ms
holds '[.rows[].verdict] | any(. == "not measured") and all(. != "failed")' "what was not measured has not failed"
"$TLSYN" bench fallback --resume "$out" >"$scratch/table" 2>"$scratch/log" ||
    fail "the study ends with $?: $(tail -n 3 "$scratch/log")"
grep -q 'are there already' "$scratch/log" || fail "it begins anew: $(cat "$scratch/log")"
passed "it is interrupted, and goes on"
grep -q 'rows cost more than they say' "$scratch/table" || fail "no verdict: $(cat "$scratch/table")"
if grep -q "tcp_fastopen can't be set" "$scratch/log"; then
    kernels='and (.row | startswith("linux") | not)'
fi
holds '[.rows[] | select(true '"${kernels:-}"') | .n] | all(. == 1)' \
    "both clients came through every box"

if command -v chromium >/dev/null && command -v gnuplot >/dev/null; then
    # shellcheck source=tests/pages/judge.sh
    . "$(dirname "$0")/../pages/judge.sh"
    judge 15 fallback "$out/fallback.html"
fi

# What the stack says of either contact, row by row.
cat >"$scratch/rows" <<'END'
ours|took the first flight|took the first flight
proxy|only the SYN|only the SYN
strip-option|only the SYN|only the SYN
strip-both|only the SYN|only the SYN
reset|was refused|is off
drop-syn|got no answer|is off
drop-answer|asked for again|is off
swallow|is off|is off
swallow-strip|is off|is off
END
if [ -z "${kernels:-}" ]; then
    cat >>"$scratch/rows" <<'END'
linux-cookie|gave a cookie|took the first flight
linux-open|took the first flight|took the first flight
linux-off|only the SYN|only the SYN
END
fi

# came_to ROW FIRST NEXT
came_to()
{
    jq -e '.rows[] | select(.row == "'"$1"'") | (.first.embedding | test("'"$2"'")) and (.next.embedding | test("'"$3"'"))' \
        "$out/fallback.json" >/dev/null
}

# A timeout is most of a second; which end's runs out first tells a dropped answer's fate.
timeouts='[.rows[] | select(.first.cost_ms > 500) | .row] | sort == ["drop-answer", "drop-syn", "swallow", "swallow-strip"]'
as_expected()
{
    while IFS='|' read -r row first next; do
        came_to "$row" "$first" "$next" || return 1
    done <"$scratch/rows"
    jq -e "$timeouts" "$out/fallback.json" >/dev/null
}

# Where the machine stood still in a round, there are more: the last one's words, and the median, count.
for rounds in 2 3 4 5 6 7 8; do
    ! as_expected || break
    "$TLSYN" bench fallback --resume "$out" --rounds "$rounds" >"$scratch/table" 2>"$scratch/log" ||
        fail "with $rounds rounds it ends with $?: $(tail -n 3 "$scratch/log")"
done
while IFS='|' read -r row first next; do
    came_to "$row" "$first" "$next" || fail "$row: not $first, then $next: $(jq -c '.rows[]' "$out/fallback.json")"
    passed "$row: $first, then $next"
done <"$scratch/rows"
holds "$timeouts" "what costs a timeout is what may"
holds '[.rows[] | select(.row | startswith("swallow")) | .first.opens == 2 and .next.opens == 1] == [true, true]' \
    "what was swallowed is opened again, once"
