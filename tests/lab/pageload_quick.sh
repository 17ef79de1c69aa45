#!/bin/sh
# tlsyn bench pageload, from end to end: a page loaded under some handshakes, its files, its memory of the page.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_namespaces
out=$scratch/out

# load HANDSHAKE [OPTION...]: over a link whose round trip is longer than what a busy machine computes.
load()
{
    handshake=$1
    shift
    "$TLSYN" bench pageload --rtt 100 -n 1 --http "${http:-1.1}" --handshake "$handshake" -o "$out" "$@" >"$scratch/table" 2>"$scratch/log" ||
        fail "the study of $handshake ends with $?: $(tail -n 3 "$scratch/log")"
}

# live QUERY: of the live rows of $stack, ours by default.
live()
{
    jq -e "[.rows[] | select(.stack == \"${stack:-tlsyn}\")] | $1" "$out/pageload.json" >/dev/null
}

load tls1.2-sequential --stacks tlsyn
for file in pageload.json pageload.html history; do
    [ -s "$out/$file" ] || fail "$file is missing"
done
live 'length == 3 and all(.loads == 1 and .failed == 0)' || fail "not every visit was loaded: $(jq -c '.rows[]' "$out/pageload.json")"
# What was counted in 2004 costs at least so much, and the improved browsers less.
live 'map(.round_trips > .model - 0.5) | all' || fail "faster than light: $(jq -c '.rows[]' "$out/pageload.json")"
# What they take beside their round trips is the machine's: where it was much, the best of more loads.
best='map(.observed_seconds | min) | .[0] > .[1] and .[1] > .[2]'
for rounds in 2 4 6; do
    ! live "$best" || break
    "$TLSYN" bench pageload --resume "$out" -n "$rounds" >"$scratch/table" 2>"$scratch/log" || fail "$rounds rounds: $(cat "$scratch/log")"
done
live "$best" || fail "pools and prefetch save nothing: $(jq -c '.rows[]' "$out/pageload.json")"
passed "a page of 29 URLs is loaded in each kind of visit"

live 'all(.computing_seconds > 0 and .computing_seconds < .seconds and .round_trips_computing_apart < .round_trips)' ||
    fail "computing is not apart: $(jq -c '.rows[]' "$out/pageload.json")"
grep -q 'with computing apart' "$scratch/table" || fail "the second verdict is not printed"
passed "what is computed is measured beside the loads, and both verdicts are there"

[ "$(stat -c %a "$out/history")" = 600 ] || fail "others may read where the browser was"
[ "$(grep -c '^[a-z]* [0-9]* [0-9]* https://' "$out/history")" = 29 ] || fail "the history has not every URL"
grep -q '^redirect .*/R1' "$out/history" || fail "the history does not know what is a redirection"
passed "the page's URLs are remembered, for their owner alone"

printf 'damaged\n' >"$out/history"
load tls1.3-embedded-0rtt --visit repeat
live 'length == 1 and .[0].loads == 1' || fail "a damaged history keeps the page from being loaded"
grep -q '^tlsyn page history' "$out/history" || fail "a damaged history is not made anew"
grep -q 'Live, tlsyn: HTTP/1.1, tls1.3-embedded-0rtt, repeat' "$out/pageload.html" || fail "the report has no waterfall of the load"
passed "a damaged history is passed over, and early data brings the page"

load tls1.3-sequential --stacks tlsyn,kernel --visit repeat
live 'length == 1 and .[0].loads == 1' || fail "beside the kernel's our stack loads nothing"
stack=kernel
live 'length == 1 and .[0].loads == 1 and .[0].failed == 0' || fail "the kernel's stack loads nothing: $(jq -c '.rows[]' "$out/pageload.json")"
live '.[0].round_trips > .[0].model - 0.5' || fail "the kernel is faster than light: $(jq -c '.rows[]' "$out/pageload.json")"
grep -q 'Live, kernel: HTTP/1.1, tls1.3-sequential, repeat' "$out/pageload.html" || fail "the report has no waterfall of the kernel's load"
load tls1.2-sequential --stacks kernel
live 'length == 3 and all(.loads == 1 and .failed == 0)' || fail "the kernel does not load every visit: $(jq -c '.rows[]' "$out/pageload.json")"
passed "the kernel's stack with OpenSSL loads the page, too"

load tls1.3-sequential-0rtt --stacks kernel --visit repeat
live 'length == 1 and .[0].loads == 1 and .[0].failed == 0' || fail "the kernel loads nothing with early data: $(jq -c '.rows[]' "$out/pageload.json")"
jq -e '.samples[0].events | map(select(.step == "TLS")) == []' "$out/pageload.json" >/dev/null ||
    fail "a connection of the visit again has a new session: $(jq -c '.samples' "$out/pageload.json")"
passed "OpenSSL's early data brings it, too"

stack=
http=2
load tls1.3-embedded-0rtt --visit repeat
live 'length == 1 and .[0].http == "2" and .[0].loads == 1 and .[0].failed == 0' ||
    fail "HTTP/2 loads nothing: $(jq -c '.rows[]' "$out/pageload.json")"
jq -e '[.samples[0].events[].connection] | unique | length == 2' "$out/pageload.json" >/dev/null ||
    fail "HTTP/2 needs more than a connection to each server: $(jq -c '.samples' "$out/pageload.json")"
stack=kernel
load tls1.3-sequential --stacks kernel --visit first
live 'length == 1 and .[0].http == "2" and .[0].loads == 1 and .[0].failed == 0' ||
    fail "the kernel's stack loads nothing with HTTP/2: $(jq -c '.rows[]' "$out/pageload.json")"
passed "HTTP/2 brings the page over one connection to each server"

jq -c .samples "$out/pageload.json" >"$scratch/samples"
rm "$out/pageload.json" "$out/pageload.html"
"$TLSYN" bench pageload --resume "$out" >"$scratch/table" 2>"$scratch/log" || fail "a report made anew: $(tail -n 3 "$scratch/log")"
jq -e '.samples | length == 1 and (.[0].events | length > 29)' "$out/pageload.json" >/dev/null || fail "no load is kept"
jq -c .samples "$out/pageload.json" | diff -q - "$scratch/samples" >/dev/null || fail "the load that was kept is another"
grep -q 'Live, kernel: HTTP/2, tls1.3-sequential, first' "$out/pageload.html" || fail "the report has no waterfall of a load of before"
passed "a report that is made again has the waterfalls of all loads"

"$TLSYN" bench pageload --resume "$out" -n 2 >"$scratch/table" 2>"$scratch/log" ||
    fail "going on ends with $?: $(tail -n 3 "$scratch/log")"
live 'length == 1 and .[0].loads == 2 and (.[0].observed_seconds | length == 2)' ||
    fail "a run that goes on has not both rounds: $(jq -c '.rows[]' "$out/pageload.json")"
grep -q '2 observations are there already' "$scratch/log" || fail "it does not go on, it begins: $(cat "$scratch/log")"
passed "a run goes on where it ended"

code=0
"$TLSYN" bench pageload --rtt 100 -n 1 --stacks kernel --handshake tls1.3-embedded -o "$out" >"$scratch/table" 2>"$scratch/log" ||
    code=$?
[ "$code" -eq 2 ] || fail "what the kernel does not do is taken: $code"
grep -q 'no embedded' "$scratch/log" || fail "nobody says what the kernel does not do: $(cat "$scratch/log")"
passed "a handshake that the kernel does not have is refused"
