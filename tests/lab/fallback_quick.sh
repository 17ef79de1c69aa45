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

# came_to ROW FIRST NEXT: what the stack says of either contact.
came_to()
{
    holds '.rows[] | select(.row == "'"$1"'") |
        (.first.embedding | test("'"$2"'")) and (.next.embedding | test("'"$3"'"))' \
        "$1: $2, then $3"
}

came_to ours 'took the first flight' 'took the first flight'
came_to proxy 'only the SYN' 'only the SYN'
came_to strip-option 'only the SYN' 'only the SYN'
came_to strip-both 'only the SYN' 'only the SYN'
came_to reset 'was refused' 'is off'
came_to drop-syn 'got no answer' 'is off'
came_to drop-answer 'asked for again' 'is off'
came_to swallow 'is off' 'is off'
came_to swallow-strip 'is off' 'is off'
if [ -z "${kernels:-}" ]; then
    came_to linux-cookie 'gave a cookie' 'took the first flight'
    came_to linux-open 'took the first flight' 'took the first flight'
    came_to linux-off 'only the SYN' 'only the SYN'
fi
holds '[.rows[] | select(.row | startswith("swallow")) | .first.opens == 2 and .next.opens == 1] == [true, true]' \
    "what was swallowed is opened again, once"
# A timeout is most of a second. Of one round a busy machine may take as much; more of them have a median.
timeouts='[.rows[] | select(.first.cost_ms > 500) | .row] | sort == ["drop-answer", "drop-syn", "swallow", "swallow-strip"]'
for rounds in 3 5 9; do
    ! jq -e "$timeouts" "$out/fallback.json" >/dev/null || break
    "$TLSYN" bench fallback --resume "$out" --rounds "$rounds" >"$scratch/table" 2>"$scratch/log" ||
        fail "with $rounds rounds it ends with $?: $(tail -n 3 "$scratch/log")"
done
holds "$timeouts" "what costs a timeout is what may"
