#!/bin/sh
# tlsyn bench table2, from end to end: a short run gives every row, round trips as they should be,
# captures that tshark decrypts, a report; and it stops in good order when it is told to.
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
need jq tshark pgrep
need_namespaces
out=$scratch/out

# holds FILTER WHAT: a condition on table2.json.
holds()
{
    jq -e "$1" "$out/table2.json" >/dev/null || {
        jq -c '.fits[], .rows[] | select(.failed != 0 or .a != null)' "$out/table2.json" >&2
        fail "$2"
    }
    passed "$2"
}

"$TLSYN" bench table2 --quick --rounds 3 --out "$out" >"$scratch/table" 2>"$scratch/log" ||
    fail "the study ends with $?: $(tail -n 3 "$scratch/log")"
for file in table2.json table2.csv samples.csv ladders.txt table2.html; do
    [ -s "$out/$file" ] || fail "$file is missing"
done
grep -q 'TLS 1.3' "$scratch/table" || fail "no table was printed"
grep -q 'about .* s$' "$scratch/log" || fail "no estimate was given"
passed "a quick run writes all its files"

# 5 pings x (our stack: 3 suites x 2 modes; the kernel's: 3 suites).
holds '[.rows[] | select(.n + .failed == 3)] | length == 45' \
    "every cell was measured in every round"
# What the link takes is the least, however busy the machine.
# shellcheck disable=SC2016 # jq's variables
holds '([.targets[] | {key: (.ping_target_ms | tostring), value: ((.delay_to_server_us + .delay_to_client_us) / 1000)}]
        | from_entries) as $delay | [.rows[] | select(.n >= 2 and .median_ms >= $delay[.ping_target_ms | tostring]
        and .first_byte_median_ms > .median_ms and .ci95_ms[0] <= .median_ms and .median_ms <= .ci95_ms[1])] | length == 45' \
    "rows hang together, and next to nothing failed"
holds '[.rows[] | select(.mode == "embedded" and .level == "cookie" and .stack == "tlsyn")] | length == 15' \
    "embedded rows say at which level"
holds '[.targets[] | select((.residual_ms | fabs) <= 0.3 + 0.1 * .ping_target_ms or (.kept | not))] | length == 5' \
    "each ping target was reached, or marked"
holds '(.published.fits[0].a - 2.841 | fabs) < 0.001 and (.published.rows | length) == 5' \
    "the published figures stand beside"
holds '.environment.kernel != null and .environment.seed == 1 and .environment.link.kind == "lab"' \
    "what was measured on is told"

# fields FILE FIELD...: of the frames with TCP text, a line each.
fields()
{
    file=$1
    shift
    # shellcheck disable=SC2046
    tshark -r "$out/$file" -Y 'tcp.len > 0' -T fields -E separator=/t $(printf ' -e %s' "$@") \
        2>/dev/null
}

# Handshake types: 1 ClientHello, 2 ServerHello, 16 ClientKeyExchange, 20 Finished.
tab=$(printf '\t')
seen=$(fields 1.3-embedded.pcapng tcp.flags.syn tcp.flags.ack tls.handshake.type http.request.method http.response.code)
printf '%s\n' "$seen" | sed -n 1p | grep -q "^1${tab}0${tab}1" ||
    fail "no ClientHello in the SYN: $seen"
printf '%s\n' "$seen" | sed -n 2p | grep -q "^1${tab}1${tab}2,8,11,15,20" ||
    fail "the SYN-ACK lacks ServerHello to Finished: $seen"
printf '%s\n' "$seen" | sed -n 3p | grep -q "^0${tab}1${tab}20${tab}GET" ||
    fail "the ACK lacks Finished and request: $seen"
printf '%s\n' "$seen" | grep -q "${tab}200\$" || fail "the response can't be read: $seen"
passed "TLS 1.3 embedded: tshark reads SYN, SYN-ACK, ACK and the data, decrypted"

seen=$(fields 1.2-rsa-embedded.pcapng tcp.flags.syn tcp.flags.ack tls.handshake.type http.request.method http.response.code)
printf '%s\n' "$seen" | sed -n 1p | grep -q "^1${tab}0${tab}1" ||
    fail "no ClientHello in the SYN: $seen"
printf '%s\n' "$seen" | sed -n 2p | grep -q "^1${tab}1${tab}2,11,14" ||
    fail "the SYN-ACK lacks ServerHello to ServerHelloDone: $seen"
printf '%s\n' "$seen" | sed -n 3p | grep -q "^0${tab}1${tab}16,20" ||
    fail "the ACK lacks ClientKeyExchange to Finished: $seen"
printf '%s\n' "$seen" | grep -q "${tab}GET" || fail "the request can't be read: $seen"
passed "TLS 1.2 RSA embedded: tshark reads SYN, SYN-ACK, ACK and the data, decrypted"

# However fast the machine: n round trips take n times the delay at least. The best of some take less than one more where a round
# trip is longer than what a busy machine computes; one that stands still spoils a try. Fits count round trips, too, of medians:
# those of a cell whose rounds are as one.
# shellcheck disable=SC2016 # jq's variables
round_trips='def trips: (if .tls == "1.3" then 2 else 3 end) - (if .mode == "embedded" then 1 else 0 end);
    [.fits[] | select(.predicted == trips and (([.stack, .tls, .mode] | join(" ") | IN($spoilt | split("\n")[])) or
        ((.a - trips | fabs) <= 0.25 and (.first_byte.a - trips - 1 | fabs) <= 0.35)))] | length == 9'
counted()
{
    "$TLSYN" bench table2 --quick --rtt 4,154 --rounds 3 --no-html --out "$out" >/dev/null \
        2>"$scratch/log" ||
        fail "with two pings it ends with $?: $(tail -n 3 "$scratch/log")"
    delay=$(jq '.targets[1] | .delay_to_server_us + .delay_to_client_us' "$out/table2.json")
    awk -F, -v delay="$delay" '$3 == 0 && $6 != "ping" && $8 == 154 && $9 == 1 {
            print $4, $5, $6, ($5 == "1.3" ? 2 : 3) - ($6 == "embedded" ? 1 : 0), $10 / delay
        }' "$out/samples.csv" >>"$scratch/counted"
    awk '{ cell = $1 " " $2 " " $3; trips[cell] = $4; if (!(cell in best) || $5 < best[cell]) best[cell] = $5 }
        END {
            for (cell in best) {
                cells++
                if (best[cell] < trips[cell] || best[cell] >= trips[cell] + 1)
                    print (best[cell] < trips[cell] ? "less than light" : cell), "takes", best[cell], "round trips"
            }
            if (cells != 9) print cells, "cells"
        }' "$scratch/counted" >"$scratch/wrong"
    ! grep 'less than light' "$scratch/wrong" || fail "$(cat "$scratch/wrong")"
    [ ! -s "$scratch/wrong" ]
}
again counted || fail "$(cat "$scratch/wrong")"
awk -F, '$3 == 0 && $6 != "ping" && $9 == 1 {
        cell = $4 " " $5 " " $6
        for (i = 10; i <= 11; i++) {
            if (!((cell, $8, i) in least) || $i < least[cell, $8, i]) least[cell, $8, i] = $i
            if ($i > most[cell, $8, i]) most[cell, $8, i] = $i
            if (most[cell, $8, i] - least[cell, $8, i] > 15000) spoilt[cell]
        }
    }
    END { for (cell in spoilt) print cell }' "$out/samples.csv" >"$scratch/spoilt"
passed "no handshake takes a round trip too many or too few"
jq -e --arg spoilt "$(cat "$scratch/spoilt")" "$round_trips" "$out/table2.json" >/dev/null ||
    fail "fits: $(jq -c '.fits[]' "$out/table2.json") spoilt: $(cat "$scratch/spoilt")"
passed "fits say so: 3 and 2 round trips, embedded one less ($(wc -l <"$scratch/spoilt") of 9 cells spoilt)"

# The other levels, the emulated pad, and a link in memory, shortly.
for level in open paper; do
    "$TLSYN" bench table2 --level $level --rtt 4 --rounds 3 --no-html --out "$out" >/dev/null \
        2>"$scratch/log" ||
        fail "level $level ends with $?: $(tail -n 3 "$scratch/log")"
    holds "[.rows[] | select(.level == \"$level\" and .n >= 2 and .failed <= 1)] | length == 3" \
        "level $level embeds"
done
"$TLSYN" bench table2 --link memory --cpu-pad 20ms --rtt 2 --rounds 3 --no-html --csv --out "$out" \
    >"$scratch/csv" 2>"$scratch/log" ||
    fail "in memory it ends with $?: $(tail -n 3 "$scratch/log")"
holds '[.rows[] | select(.stack == "tlsyn" and .median_ms > 20)] | length == 6' \
    "the pad is in every handshake"
holds '(.remarks | map(test("Emulated")) | any) and (.remarks | map(test("not packets")) | any)' \
    "what is emulated, and not packets, is said"
[ "$(grep -c 'in memory, not packets; emulated: 20.0 ms at the server' "$scratch/csv")" -eq 6 ] ||
    fail "the CSV doesn't say so in each row: $(cat "$scratch/csv")"
grep -q 'not packets; emulated' "$out/samples.csv" || fail "the samples don't say so"
passed "in memory, labelled so in every file"

# Every way to open a connection that there is: a row counts only what was resumed, early or embedded
# as it says. QUIC may be missing, and then that is said.
# all_modes: whether early data left at once in the best of each cell's rounds, for a busy machine may take longer to compute than
# the link to carry.
all_modes()
{
    "$TLSYN" bench table2 --modes all --rtt 40 --rounds 3 --no-html --out "$out" >"$scratch/table" \
        2>"$scratch/log" || fail "all modes end with $?: $(tail -n 3 "$scratch/log")"
    quic=3
    ! grep -q 'built without ngtcp2' "$scratch/table" || quic=0
    delay=$(jq '.targets[0] | .delay_to_server_us + .delay_to_client_us' "$out/table2.json")
    awk -F, -v delay="$delay" -v stacks=$((2 + quic / 3)) '
        $3 == 0 && $6 == "embedded" && $9 == 1 && $13 == "early" {
            if (!($4 in ready) || $10 < ready[$4]) ready[$4] = $10
            if (!($4 in answer) || $11 < answer[$4]) answer[$4] = $11
        }
        END {
            for (stack in ready) {
                seen++
                if (ready[stack] >= delay || answer[stack] < delay)
                    print stack, "sends after", ready[stack], "us, hears after", answer[stack]
            }
            if (seen != stacks) print seen + 0, "stacks"
        }' "$out/samples.csv" >"$scratch/wrong"
    [ ! -s "$scratch/wrong" ] && jq -e "[.rows[] | select(.n >= 2)] | length == 36 + $quic" "$out/table2.json" >/dev/null
}
again all_modes || fail "early data, at a delay of $delay us: $(cat "$scratch/wrong" && jq -c '.rows[] | select(.n < 2)' "$out/table2.json")"
passed "early data leaves at once, and next to no way fails"
for session in new id ticket psk early; do
    holds "[.rows[] | select(.session == \"$session\") | .stack] | unique |
        contains([\"tlsyn\", \"kernel\"])" "session $session on both stacks"
done

# Told to stop: what there is is written, the status tells, and nobody is left behind.
cut_short "$out" 'observed 20' "$TLSYN" bench table2 --rounds 1000 --rtt 2 --no-html
[ -s "$out/1.3-embedded.pcapng" ] || fail "interrupted, it has captured nothing: $(ls "$out")"
holds '.environment.interrupted == true' "interrupted, it writes what there is"

# A process of the lab that dies ends the study at once, and what came before is kept. The last of
# the actors is the kernel's server, which the client can't tell from a server that refuses.
rm -rf "$out"
"$TLSYN" bench table2 --rounds 1000 --rtt 2 --no-html --out "$out" >/dev/null 2>"$scratch/log" &
study=$!
soon observed 20 "$out" || fail "nothing is observed: $(cat "$scratch/log")"
kill -KILL "$(pgrep -x -P "$study" tlsyn | tail -n 1)"
status=0
wait "$study" || status=$?
[ "$status" -eq 1 ] || fail "with a dead server it ends with $status: $(tail -n 3 "$scratch/log")"
grep -q 'broken off: a process of the lab has died' "$scratch/log" ||
    fail "nobody says so: $(tail -n 3 "$scratch/log")"
passed "a dead server ends it, with a word"

status=0
"$TLSYN" bench table2 --out /proc/none >/dev/null 2>"$scratch/log" || status=$?
[ "$status" -eq 1 ] || fail "an impossible folder ends with $status"
grep -q 'nothing was measured' "$scratch/log" || fail "an impossible folder: $(cat "$scratch/log")"
passed "an impossible folder is told before anything is measured"
