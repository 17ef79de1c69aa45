#!/bin/sh
# A disk that is full: before a study nothing is measured; in the middle of one, what was observed is whole, and the run goes on
# when there is room again. A file system in memory, which nobody else sees, is the disk.
# shellcheck source=tests/lab/lib.sh disable=SC2015,SC2016
. "$(dirname "$0")/lib.sh"
need jq sqlite3 unshare

disk=$scratch/disk
if [ -z "${DISK_IS_SMALL:-}" ]; then
    root=-r
    [ "$(id -u)" -ne 0 ] || root=
    unshare $root -m true 2>/dev/null || skip "no mount namespace can be made here"
    status=0
    DISK_IS_SMALL=1 unshare $root -m "$0" || status=$?
    exit "$status"
fi
trap 'umount "$disk" 2>/dev/null || true; rm -rf "$scratch"' EXIT
mkdir "$disk"
mount -t tmpfs -o size=24m small "$disk" 2>"$scratch/log" || skip "no file system can be mounted here: $(cat "$scratch/log")"

fill()
{
    dd if=/dev/zero of="$disk/filler" bs=4k >/dev/null 2>&1 || true
}

# study NAME OPTION...: in memory, which asks for no rights and takes no time.
study()
{
    study=$1
    shift
    "$TLSYN" bench "$study" "$@" --out "$disk/$study" >/dev/null 2>"$scratch/log"
}

status=0
study table2 --link memory --rtt 2 -n 100000 --no-html || status=$?
[ "$status" -eq 1 ] && grep -q 'has no room for what is to be observed, some' "$scratch/log" ||
    fail "what the disk cannot hold is begun: $status, $(cat "$scratch/log")"
[ "$(wc -l <"$disk/table2/samples.jsonl")" -eq 1 ] || fail "something was measured"
passed "what the disk cannot hold is not begun"

# once SEEN FOLDER COMMAND...: fills the disk when `SEEN FOLDER` succeeds, and waits for the command's end. One that was faster
# than we are begins again.
once()
{
    seen=$1 folder=$2
    shift 2
    for _ in 1 2 3 4 5; do
        rm -rf "$folder" "$disk/filler"
        "$@" -o "$folder" >/dev/null 2>"$scratch/log" &
        run=$!
        soon seen_or_over || fail "nothing is observed within a minute: $(cat "$scratch/log")"
        fill
        status=0
        wait "$run" || status=$?
        [ "$status" -eq 0 ] || break
    done
}

# The journal has its room, so that the run comes to its end; the report has none.
set -- --link memory --rtt 5 -n 8 --no-html
once 'observed 4' "$disk/table2" "$TLSYN" bench table2 "$@"
[ "$status" -eq 1 ] || fail "with a full disk table2 ends with $status: $(cat "$scratch/log")"
grep -q 'cannot be written: No space left on device' "$scratch/log" || fail "it is not told: $(cat "$scratch/log")"
[ -z "$(find "$disk/table2" -name '*.part' -o -size 0 ! -name .lock)" ] || fail "half a file is left: $(ls -la "$disk/table2")"
lines=$(wc -l <"$disk/table2/samples.jsonl")
rm "$disk/filler"
"$TLSYN" bench table2 --resume "$disk/table2" >/dev/null 2>"$scratch/log" || fail "it does not go on: $(cat "$scratch/log")"
[ "$(wc -l <"$disk/table2/samples.jsonl")" -eq "$lines" ] || fail "something was measured again"
jq -e '.environment.interrupted | not' "$disk/table2/table2.json" >/dev/null || fail "there is no whole report"
passed "a disk that fills up costs no observation, and the report is made when there is room"

count()
{
    sqlite3 "$disk/webperf/webperf.db" "$1"
}

has_round()
{
    [ "$(count 'SELECT count(*) FROM observation' 2>/dev/null || echo 0)" -gt 0 ]
}

once has_round "$disk/webperf" "$TLSYN" bench webperf --link memory --rtt 2ms --tls 1.3 -n 4000
[ "$status" -eq 1 ] || fail "with a full disk webperf ends with $status: $(cat "$scratch/log")"
grep -q 'the disk is full, and what was written before is kept' "$scratch/log" || fail "it is not told: $(cat "$scratch/log")"
rm "$disk/filler"
there=$(count 'SELECT max(round) + 1 FROM observation')
"$TLSYN" bench webperf --link memory --rtt 2ms --tls 1.3 -n "$((there + 2))" -o "$disk/webperf" >/dev/null 2>"$scratch/log" ||
    fail "webperf does not go on: $(cat "$scratch/log")"
[ "$(count 'SELECT count(*), count(DISTINCT round), max(round) + 1 FROM observation')" = \
    "$(((there + 2) * 8))|$((there + 2))|$((there + 2))" ] || fail "rounds are missing, or there are too many"
[ "$(count 'PRAGMA integrity_check')" = ok ] || fail "the database is damaged"
passed "webperf's database holds whole rounds, and the robot goes on with it"
