#!/bin/sh
# Studies that are interrupted report what there is, and go on, killed ones, too: then their journals hold the same observations in
# the same order as that of a run which was left alone; and they end when the intervals are narrow enough. A folder is one run's.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need jq
need_namespaces

# order FOLDER: what was observed when.
order()
{
    sed 1d "$1/samples.jsonl" | jq -c '[.round, .block, .member, (del(.t) | keys)]'
}

# cut_study STUDY AFTER OPTION...: interrupts it when it has made so many observations.
cut_study()
{
    study=$1 after=$2
    shift 2
    cut_short "$scratch/$study" "observed $after" "$TLSYN" bench "$study" "$@"
    jq -e '.environment.interrupted' "$scratch/$study/$study.json" >/dev/null || fail "$study: the report does not say so"
}

stopped_or_over()
{
    ! grep -q '^State:[[:space:]]*[^TZ[:space:]]' "/proc/$run/status" 2>/dev/null
}

# kill_study STUDY AFTER OPTION...: kills it amid its observations. Before that, while it stands still, nobody else may write there.
kill_study()
{
    study=$1 folder=$scratch/$1 seen="observed $2"
    shift 2
    for _ in 1 2 3 4 5; do
        rm -rf "$folder"
        "$TLSYN" bench "$study" "$@" -o "$folder" >/dev/null 2>"$scratch/killed" &
        run=$!
        soon seen_or_over || fail "$study: nothing is observed within a minute: $(cat "$scratch/killed")"
        kill -s STOP "$run" 2>/dev/null || :
        soon stopped_or_over || fail "$study does not stop"
        ! has "/proc/$run/status" '^State:[[:space:]]*T' || break
        wait "$run" || fail "$study ends with $?: $(cat "$scratch/killed")" # it was faster than we are
    done
    what_is_there >"$scratch/before"
    refused 'another run writes there' 1 "$study" "$@" -o "$folder"
    refused 'another run writes there' 1 "$study" --resume "$folder"
    what_is_there >"$scratch/after"
    cmp -s "$scratch/before" "$scratch/after" || fail "$study: who is refused leaves something: $(cat "$scratch/after")"
    kill -s KILL "$run"
    wait "$run" || :
    passed "$study: another run is kept from the folder"
}

what_is_there()
{
    ls -A "$folder"
    cat "$folder/samples.jsonl"
}

refused()
{
    words=$1 wanted=$2 status=0
    shift 2
    "$TLSYN" bench "$@" >/dev/null 2>"$scratch/log" || status=$?
    [ "$status" -eq "$wanted" ] || fail "bench $* ends with $status: $(cat "$scratch/log")"
    grep -q -- "$words" "$scratch/log" || fail "bench $* is told: $(cat "$scratch/log")"
}

# goes_on STUDY OPTION...: as it was asked for with the options.
goes_on()
{
    study=$1
    shift
    "$TLSYN" bench "$study" --resume "$scratch/$study" >/dev/null 2>"$scratch/log" || fail "$study does not go on: $(cat "$scratch/log")"
    grep -q 'are there already' "$scratch/log" || fail "$study begins anew: $(cat "$scratch/log")"
    "$TLSYN" bench "$study" "$@" -o "$scratch/$study-whole" >/dev/null 2>"$scratch/log" || fail "$study fails: $(cat "$scratch/log")"
    order "$scratch/$study" >"$scratch/one"
    order "$scratch/$study-whole" >"$scratch/other"
    diff "$scratch/one" "$scratch/other" >"$scratch/diff" || fail "$study: not what an uninterrupted run leaves: $(head -n 4 "$scratch/diff")"
    jq -e '.environment.interrupted | not' "$scratch/$study/$study.json" >/dev/null || fail "$study: it is still interrupted"
    for folder in "$study" "$study-whole"; do
        jq -c '[.rows[] | [.n, .failed]]' "$scratch/$folder/$study.json" >"$scratch/$folder.counts"
    done
    cmp -s "$scratch/$study.counts" "$scratch/$study-whole.counts" || fail "$study: other counts than an uninterrupted run's"
    passed "$study: interrupted and gone on with, it is as if it had not been interrupted"
}

set -- --rtt 2 -n 5 --no-html
cut_study table2 15 "$@"
goes_on table2 "$@"
set -- --rtt 5 --loss 1 --reorder 0 --family 4 --bytes 200k -n 4
cut_study loss 4 "$@"
goes_on loss "$@"
set -- --seconds 500ms --only kernel-kernel,tlsyn-kernel --offload on -n 3
kill_study bulk 2 "$@"
goes_on bulk "$@"
set -- --server tlsyn --flood spoofed --rate 500 --seconds 200ms -n 2
kill_study flood 2 "$@"
goes_on flood "$@"

# A run that was killed may leave half a line.
printf '{"round":2,"blo' >>"$scratch/loss/samples.jsonl"
"$TLSYN" bench loss --resume="$scratch/loss" -n 5 >/dev/null 2>"$scratch/log" || fail "half a line: $(cat "$scratch/log")"
[ "$(sed 1d "$scratch/loss/samples.jsonl" | jq -s 'map(.round) | max')" -eq 4 ] || fail "no round was added"
passed "half a line is passed over, and more rounds may be asked for"

refused 'is as it was asked for' 2 loss --resume "$scratch/loss" --rtt 7
refused 'holds a run of "tlsyn bench loss"' 2 bulk --resume "$scratch/loss"
refused 'needs a value' 2 loss --resume="$scratch/loss" --resume
refused 'No such file' 1 loss --resume "$scratch/nothing"
for study in table2 loss; do
    cp "$scratch/$study/$study.json" "$scratch/before"
    sed -i 's/"missed"/"lost"/' "$scratch/$study/samples.jsonl"
    refused 'none of this version' 1 "$study" --resume "$scratch/$study"
    cmp -s "$scratch/$study/$study.json" "$scratch/before" || fail "$study: what can't be gone on with has lost its report"
done
echo '{}' >"$scratch/loss/samples.jsonl"
refused 'does not say which study' 1 loss --resume "$scratch/loss"
: >"$scratch/loss/samples.jsonl"
refused 'is empty' 1 loss --resume "$scratch/loss"
passed "what can't be gone on with is told"

"$TLSYN" bench table2 --link memory --rtt 2 -n 400 -p 60% --no-html -o "$scratch/precise" >/dev/null 2>"$scratch/log" ||
    fail "with a precision it ends with $?: $(cat "$scratch/log")"
[ "$(sed 1d "$scratch/precise/samples.jsonl" | jq -s 'map(.round) | max')" -lt 399 ] || fail "the precision was not heeded"
passed "it ends when the intervals are narrow"
