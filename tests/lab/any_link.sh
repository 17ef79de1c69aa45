#!/bin/sh
# The link's options, the same for all studies: what was asked for stands in the results, what contradicts itself is refused, and
# rows over a link that was not kept are marked.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need jq
need_namespaces
out=$scratch/out

# refused WORDS COMMAND...: usage, with these words.
refused()
{
    words=$1 status=0
    shift
    "$TLSYN" "$@" -o "$out" >/dev/null 2>"$scratch/log" || status=$?
    [ "$status" -eq 2 ] || fail "$* ends with $status: $(cat "$scratch/log")"
    grep -q -- "$words" "$scratch/log" || fail "$* is told: $(cat "$scratch/log")"
}
refused 'give --rate' bench webperf --queue 8k
refused 'no full frame' bench fallback --rate 1mbit --queue 1k
refused '90% or less' bench table2 --loss 100%
refused 'leave it out, or --rtt' bench loss --link satellite --rtt 5
refused 'leave it out, or --rtt' bench bulk --link satellite --rtt 5ms
refused 'tlsyn bench links' bench flood --link mars
refused 'a longer one' bench table2 --link demand-satellite --timeout 1s
passed "what contradicts itself is refused, with what to do"

"$TLSYN" bench links | grep -q '^demand-satellite  *1300 ms' || fail "the links are not listed"
# fastest LINK: of ten, in milliseconds.
fastest()
{
    "$TLSYN" lab --link "$1" -- ping -c 10 -i 0.2 10.77.0.2 >"$scratch/ping" 2>/dev/null || fail "the laboratory has no $1"
    sed -n 's/.* time=\([0-9]*\).*/\1/p' "$scratch/ping" | sort -n | head -n 1
}
near=$(fastest dc-ny) far=$(fastest demand-satellite)
[ "$near" -ge 30 ] && [ "$far" -ge 1300 ] && [ "$near" -lt "$far" ] || fail "links of 30 and 1300 ms take $near and $far"
passed "tlsyn lab knows the links by name"

"$TLSYN" bench webperf --link lan --jitter 3ms --rate 8mbit --queue 16KiB --loss 5% --tls 1.3 --sessions new -n 4 -o "$out" \
    >"$scratch/table" 2>"$scratch/log" || fail "webperf ends with $?: $(cat "$scratch/log")"
grep -q 'lan, RTT 1 ms, 8 Mbit/s, queue 16 KiB, loss 5 %, jitter 3 ms' "$scratch/table" || fail "the link is not told"
jq -e '.environment.rtt_ms == 1 and (.environment.link | contains("8 Mbit/s"))' "$out/webperf.json" >/dev/null ||
    fail "the JSON does not tell the link"
passed "what was asked for stands in the results"

# Nobody's ping takes a microsecond here.
"$TLSYN" bench table2 --rtt 0.001,5 --rate 100mbit -n 1 -q --no-html -o "$scratch/table2" >"$scratch/table" 2>"$scratch/log" ||
    fail "table2 ends with $?: $(cat "$scratch/log")"
grep -q '! 0.001' "$scratch/table" || fail "a link that was not kept is not marked: $(cat "$scratch/table")"
jq -e '.environment.link.rate_bits_per_s == 100000000 and ([.rows[] | select(.ping_target_ms == 0.001) | .link_kept] | any | not)' \
    "$scratch/table2/table2.json" >/dev/null || fail "the JSON does not tell that the link was not kept"
passed "rows over a link that was not kept are marked"
