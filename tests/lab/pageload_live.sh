#!/bin/bash
# tlsyn bench pageload where things go wrong: a page of an archive, a link that is not kept, an interruption amid a load, of which
# nothing stays, and a disk that is full.
# shellcheck source=tests/lab/lib.sh disable=SC2015
. "$(dirname "$0")/lib.sh"
need jq pgrep
need_namespaces
set -m # background jobs are process groups, as at a terminal, and don't ignore SIGINT
shop=$(realpath "$(dirname "$0")/../fuzz/corpus/har/shop.har")
out=$scratch/out
mark=PAGELOAD_LIVE_MARK=$$-$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')

# bench OPTION...: exit status in $status, what was said in $scratch/log.
bench()
{
    status=0
    env "$mark" timeout 400 "$TLSYN" bench pageload --http 1.1 --stacks tlsyn --handshake tls1.3-embedded -n 1 -o "$out" "$@" \
        >"$scratch/table" 2>"$scratch/log" || status=$?
}

# rows QUERY: whether it holds of the live rows.
rows()
{
    jq -e "[.rows[] | select(.stack == \"tlsyn\")] | $1" "$out/pageload.json" >/dev/null ||
        fail "$1: $(jq -c '.rows[] | select(.stack)' "$out/pageload.json")"
}

# Processes that have our mark, and files that are not the report's.
leftovers()
{
    grep -lz "^$mark\$" /proc/[0-9]*/environ 2>/dev/null || true
    find "$out" -mindepth 1 ! -name pageload.json ! -name pageload.html ! -name history ! -name samples.jsonl ! -name .lock 2>/dev/null || true
}

nothing_stays()
{
    soon nothing_left || fail "after $1 there is still: $left"
}

nothing_left()
{
    left=$(leftovers)
    [ -z "$left" ]
}

bench --rtt 60 --page "$shop"
[ "$status" -eq 0 ] || fail "a page of an archive ends with $status: $(cat "$scratch/log")"
urls=$(sed -n 's/.*shop.har: \([0-9]*\) URLs.*/\1/p' "$scratch/log")
rows 'length == 3 and all(.loads == 1 and .failed == 0)'
[ "$(grep -c ' https://' "$out/history")" -eq "$urls" ] || fail "not all of its $urls URLs were loaded: $(cat "$out/history")"
nothing_stays 'a run that ends'
passed "a page of an archive is loaded, all of its URLs"

# What is busy is late, and nothing early: a client without a cookie would have got its tickets late, and have opened more
# connections meanwhile.
bench --rtt 60 --visit first
[ "$status" -eq 0 ] || fail "a single load ends with $status: $(cat "$scratch/log")"
rows 'length == 1 and all(.seconds * 1000 / .rtt_ms > .model - 0.3)'
passed "the first load of a run has its cookie, and the round trips of the others"

bench --rtt 60 --visit first --jitter 5ms
[ "$status" -eq 0 ] || fail "a link with jitter ends with $status: $(cat "$scratch/log")"
rows 'length == 1 and all(.loads == 1 and .verdict == "no claim")'
passed "over an impaired link the model claims nothing"

# begin OPTION...: the study in the background, until it loads pages; its exit status goes to a file.
begin()
{
    : >"$scratch/log"
    (bench "$@"; echo "$status" >"$scratch/status") &
    await "$scratch/log" 'loading pages'
}

# marked SIGNAL: to all processes of the run.
marked()
{
    # shellcheck disable=SC2046 # numbers
    kill -"$1" $(leftovers | sed -n 's|^/proc/\([0-9]*\)/environ$|\1|p') 2>/dev/null || true
}

# All stand still now and then, the laboratory's relay too, while frames are on their way: those are late.
begin --rtt 500 --visit first
while kill -0 $! 2>/dev/null; do
    marked STOP
    sleep 0.4
    marked CONT
    sleep 2
done
wait -f $!
[ "$(cat "$scratch/status")" -eq 0 ] || fail "a run that stood still ends with $(cat "$scratch/status"): $(cat "$scratch/log")"
rows 'length == 1 and all(.loads == 1 and (.link_kept | not))'
grep -q 'link not kept' "$out/pageload.html" && grep -q '<td class="right">? ' "$out/pageload.html" &&
    grep -q 'did not keep what was asked for' "$out/pageload.html" || fail "the report does not mark the row"
passed "rows over a link that stood still are marked"

# --- interrupted ------------------------------------------------------------------------------------

rm -rf "$out"
begin --rtt 2000 --visit unoptimized
sleep 2 # a page takes half a minute, what comes before it hardly any time
[ -n "$(leftovers)" ] || fail "a running study is not seen"
marked INT
wait $!
[ "$(cat "$scratch/status")" -eq 130 ] || fail "interrupted, it ends with $(cat "$scratch/status"): $(cat "$scratch/log")"
nothing_stays 'an interruption'
rows 'all(.loads == 0 and .failed == 0)'
jq -e .environment.interrupted "$out/pageload.json" >/dev/null && grep -q 'The run was interrupted' "$out/pageload.html" ||
    fail "the report does not say that it is of an interrupted run"
passed "an interruption amid a load leaves a report, and nothing else"

begin --rtt 2000 --visit unoptimized
sleep 2
kill -KILL "$(pgrep -P "$(pgrep -P $!)")" # timeout(1) is between
wait $!
[ "$(cat "$scratch/status")" -gt 0 ] || fail "a study that was killed ends well"
nothing_stays 'kill -9'
passed "nor does one that is killed"

# --- a full disk ------------------------------------------------------------------------------------

bench --rtt 30 --visit repeat # its files are there
ln -s /dev/full "$out/pageload.html.part" # it has its name when it is whole
bench --rtt 30 --visit repeat
[ "$status" -eq 1 ] || fail "a full disk ends with $status: $(cat "$scratch/log")"
grep -q 'pageload.html cannot be written: No space left' "$scratch/log" || fail "nobody tells of a full disk: $(cat "$scratch/log")"
passed "a report that finds no room is told"
