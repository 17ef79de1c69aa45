#!/bin/sh
# tlsyn bench webperf, from end to end: rounds into a database, a run that is interrupted and goes on, the report.
# shellcheck source=tests/lab/lib.sh disable=SC2015
. "$(dirname "$0")/lib.sh"
need jq sqlite3
need_namespaces
out=$scratch/out

# robot ROUNDS FOLDER [OPTION...]: over a link of $rtt.
rtt=2ms
robot()
{
    n=$1 folder=$2
    shift 2
    "$TLSYN" bench webperf --rtt "$rtt" --tls 1.3 -n "$n" -o "$folder" "$@"
}

# ask FOLDER SQL: what the database says.
ask()
{
    sqlite3 "$1/webperf.db" "$2"
}

# has_round FOLDER
has_round()
{
    [ "$(ask "$1" 'SELECT count(*) FROM observation' 2>/dev/null || echo 0)" -gt 0 ]
}

# saves: whether early data does, over a link that is longer than what a machine computes which does not stand still.
saves()
{
    rm -rf "$out"
    robot 4 "$out" --stacks tlsyn,kernel >"$scratch/table" 2>"$scratch/log" ||
        fail "the study ends with $?: $(tail -n 3 "$scratch/log")"
    jq -e '[.rows[] | select(.session == "early" and .saving > 0.2)] | length == 4' "$out/webperf.json" >/dev/null
}
rtt=100ms
again saves || fail "early data saves no round trip: $(jq -c '.rows[]' "$out/webperf.json")"
for file in webperf.db webperf.json webperf.csv webperf.html; do
    [ -s "$out/$file" ] || fail "$file is missing"
done
passed "a run writes all its files"

# Per stack a ping, a connect, and three sessions in two modes.
[ "$(ask "$out" 'SELECT count(*), count(DISTINCT round) FROM observation')" = "64|4" ] ||
    fail "the rounds are not whole: $(ask "$out" 'SELECT round, count(*) FROM observation GROUP BY 1')"
[ "$(ask "$out" "SELECT count(*) FROM observation WHERE verdict = 'ok'")" -ge 60 ] ||
    fail "too much failed: $(ask "$out" "SELECT stack, mode, session, verdict, reason FROM observation WHERE verdict <> 'ok'")"
jq -e '.rows | length == 8' "$out/webperf.json" >/dev/null || fail "not every pair has a row"
passed "every kind of connection was observed in every round, and early data saves a round trip"

# The figures can be made from the database alone: each is the last field, its words those before; how many is left out.
sqlite3 "$out/webperf.db" <"$(dirname "$0")/../../docs/examples/webperf.sql" >"$scratch/sql"
jq -r '(.cells[] | "median||\(.operation)|\(.stack)|\(.tls)|\(.mode)|\(.session)|\(.n)|\(.median_ms)"),
    (.rows[] | "S||\(.stack)|\(.tls)|\(.mode)|\(.session)|\(.pairs)|\(.tls_cached_ms)",
        "saving||\(.stack)|\(.tls)|\(.mode)|\(.session)|\(.pairs)|\(.saving)")' "$out/webperf.json" >"$scratch/figures"
awk -F'|' '{ key = $1; for (i = 2; i < NF - 1; i++) key = key "|" $i }
    NR == FNR { sql[key] = $NF; next }
    { n++; off = sql[key] - $NF; if (!(key in sql) || off > 0.0006 || off < -0.0006) { print key, sql[key], $NF; bad = 1 } }
    END { exit bad || n != 32 }' "$scratch/sql" "$scratch/figures" >"$scratch/diff" ||
    fail "SQL and the report differ: $(cat "$scratch/diff" "$scratch/sql")"
[ "$(awk -F'|' '$1 == "bin" { n += $3 } END { print n }' "$scratch/sql")" -eq \
    "$(jq '.cells[] | select(.stack == "tlsyn" and .mode == "sequential" and .session == "new") | .n' "$out/webperf.json")" ] ||
    fail "the histogram is not of all"
passed "SQL makes the report's figures of the database alone"

rtt=2ms
cut_short "$scratch/cut" has_round "$TLSYN" bench webperf --rtt "$rtt" --tls 1.3 -n 400
[ -s "$scratch/cut/webperf.html" ] || fail "interrupted, it writes no report"
before=$(ask "$scratch/cut" 'SELECT max(round) + 1 FROM observation')
robot "$((before + 2))" "$scratch/cut" >/dev/null 2>"$scratch/log" || fail "it does not go on: $(cat "$scratch/log")"
[ "$(ask "$scratch/cut" 'SELECT count(*) FROM observation')" -eq "$(((before + 2) * 8))" ] ||
    fail "rounds are missing, or there are too many"
robot "$((before + 2))" "$scratch/whole" >/dev/null 2>&1 || fail "an uninterrupted run fails"
for folder in cut whole; do
    ask "$scratch/$folder" 'SELECT round, place, operation, stack, tls, mode, session FROM observation ORDER BY 1, 2' \
        >"$scratch/$folder.order"
    ask "$scratch/$folder" .schema >>"$scratch/$folder.order"
done
diff "$scratch/cut.order" "$scratch/whole.order" >"$scratch/diff" ||
    fail "it is not what an uninterrupted run leaves: $(head -n 5 "$scratch/diff")"
passed "interrupted and gone on with, it is as if it had not been interrupted"

rtt=0.001ms
robot 1 "$scratch/near" --sessions new >"$scratch/table" 2>"$scratch/log" || fail "over a short link: $(cat "$scratch/log")"
jq -e '.cells | length > 0 and all(.link_kept | not)' "$scratch/near/webperf.json" >/dev/null ||
    fail "a round trip that no link has is one: $(jq -c .cells "$scratch/near/webperf.json")"
grep -q 'did not keep what was asked for' "$scratch/table" && grep -q 'ping !' "$scratch/table" ||
    fail "the rows are not marked: $(cat "$scratch/table")"
rtt=2ms
passed "a round trip that the link does not keep is told, and rows are marked"

status=0
robot 9 "$out" --modes embedded >/dev/null 2>"$scratch/log" || status=$?
if [ "$status" -eq 0 ] || ! grep -q 'holds another run' "$scratch/log"; then
    fail "another plan goes into the same file"
fi
sqlite3 "$scratch/other.db" 'CREATE TABLE t (x)'
status=0
robot 1 "$scratch/o" --db "$scratch/other.db" >/dev/null 2>"$scratch/log" || status=$?
if [ "$status" -ne 1 ] || ! grep -q "not one of tlsyn's" "$scratch/log"; then
    fail "a foreign database is written to"
fi
status=0
"$TLSYN" bench webperf report -o "$scratch/nothing" >/dev/null 2>"$scratch/log" || status=$?
[ "$status" -eq 1 ] || fail "a report of nothing ends with $status"
passed "what does not fit is refused"

"$TLSYN" bench webperf report -o "$out" --bin 500us --json >"$scratch/json" || fail "the report cannot be made again"
jq -e '.environment.rounds == 4' "$scratch/json" >/dev/null || fail "the report is of something else"
"$TLSYN" bench report "$out" "$scratch/whole" -o "$scratch/compared" >"$scratch/table" || fail "they cannot be compared"
grep -q 'Caching session keys. Until the first byte, with a new key: medians, ms' "$scratch/table" || fail "nothing is compared: $(cat "$scratch/table")"
[ -s "$scratch/compared/comparison.html" ] || fail "there is no page of the comparison"
passed "the report is made again, and two runs are compared"

mkdir "$scratch/www"
echo hello >"$scratch/www/index.html"
cat >"$scratch/ask" <<END
until [ -s "$scratch/ca.pem" ]; do sleep 0.05; done
"$TLSYN" bench webperf --url "https://\$TLSYN_PEER/" --ca "$scratch/ca.pem" -n 1 --tls 1.3 --modes embedded \
    --sessions new -o "$scratch/url"
END
"$TLSYN" lab -q --rtt 5ms --server "$TLSYN serve --self-signed $scratch/ca.pem $scratch/www" -- sh "$scratch/ask" \
    >/dev/null 2>"$scratch/log" || fail "a server with an URL is not asked: $(cat "$scratch/log")"
[ "$(ask "$scratch/url" "SELECT count(*) FROM observation WHERE verdict = 'ok'")" -eq 3 ] ||
    fail "something failed: $(ask "$scratch/url" 'SELECT operation, verdict, reason FROM observation')"
[ "$(ask "$scratch/url" "SELECT max(when_us) - min(when_us) >= 2000000 FROM observation")" -eq 1 ] ||
    fail "it is asked too often"
passed "a server with an URL is asked, once a second"

# Interrupted, and most likely in the middle of a connection.
cat >"$scratch/ask" <<END
until [ -s "$scratch/ca.pem" ]; do sleep 0.05; done
"$TLSYN" bench webperf --url "https://\$TLSYN_PEER/" --ca "$scratch/ca.pem" -n 100 --tls 1.3 \
    --modes embedded --sessions new -o "$scratch/url_cut" &
while kill -0 \$! && [ "\$(sqlite3 "$scratch/url_cut/webperf.db" 'SELECT count(*) FROM observation' 2>/dev/null || echo 0)" -eq 0 ]; do
    sleep 0.05
done
sleep 1.1
kill -TERM \$!
wait \$!
echo \$? >"$scratch/url_status"
END
rm -f "$scratch/ca.pem"
"$TLSYN" lab -q --rtt 700ms --server "$TLSYN serve --self-signed $scratch/ca.pem $scratch/www" -- sh "$scratch/ask" \
    >/dev/null 2>"$scratch/log"
[ "$(cat "$scratch/url_status")" -eq 130 ] || fail "interrupted, it ends with $(cat "$scratch/url_status"): $(cat "$scratch/log")"
! grep -q 'cannot be used' "$scratch/log" || fail "an interruption is an error: $(cat "$scratch/log")"
[ "$(ask "$scratch/url_cut" "SELECT count(*) % 3 FROM observation")" -eq 0 ] ||
    fail "the rounds are not whole: $(ask "$scratch/url_cut" 'SELECT round, operation, verdict, reason FROM observation')"
passed "a robot that asks a server is interrupted at once, and leaves whole rounds"
