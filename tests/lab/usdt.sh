#!/bin/sh
# The trace events as static probes: bpftrace hears of a download what the trace tells of it.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need bpftrace jq
[ "$(id -u)" -eq 0 ] || skip "bpftrace needs root"
need_namespaces
readelf -n "$TLSYN" 2>/dev/null | grep -q 'Provider: tlsyn' || skip "built without <sys/sdt.h>"

# Only of the client: the server is the same program.
cat >"$scratch/probes" <<END
usdt:$TLSYN:tlsyn:tcp_state { printf("%d tcp_state %d %d\\n", pid, arg1, arg2); }
usdt:$TLSYN:tlsyn:tcp_rx { @rx[pid] = count(); }
usdt:$TLSYN:tlsyn:tls_established { printf("%d tls_established %x\\n", pid, arg1); }
BEGIN { printf("listening\\n"); }
END
bpftrace -B line "$scratch/probes" >"$scratch/heard" 2>"$scratch/err" &
tracer=$!
trap 'kill "$tracer" 2>/dev/null || :; rm -rf "$scratch"' EXIT
tries=0
until grep -q listening "$scratch/heard"; do
    kill -0 "$tracer" 2>/dev/null || skip "bpftrace does not work here: $(head -n 3 "$scratch/err")"
    tries=$((tries + 1))
    [ "$tries" -le 600 ] || skip "bpftrace does not get ready here: $(head -n 3 "$scratch/err")"
    sleep 0.1
done

mkdir "$scratch/www"
head -c 100000 /dev/urandom >"$scratch/www/file"
# shellcheck disable=SC2016 # expanded in the lab
"$TLSYN" lab -q --server "$TLSYN serve $scratch/www --self-signed $scratch/ca.pem 2>$scratch/log" \
    -- sh -c '
    until grep -q serving "$1/log"; do sleep 0.1; done
    "$TLSYN" get --tls 1.3 --ca "$1/ca.pem" --trace "$1/trace" -o "$1/got" \
        "https://$TLSYN_PEER/file"' sh "$scratch" ||
    fail "get: $(cat "$scratch/log")"
kill -INT "$tracer"
wait "$tracer" || fail "bpftrace: $(cat "$scratch/err")"

# 1 is SYN-SENT, 3 ESTABLISHED (states.def): only who opens goes from the one to the other.
client=$(awk '$2 == "tcp_state" && $3 == 1 && $4 == 3 { print $1 }' "$scratch/heard")
[ -n "$client" ] || fail "no client was heard of: $(cat "$scratch/heard" "$scratch/err")"
heard=$(sed -n "s/^@rx\[$client\]: //p" "$scratch/heard")
traced=$(jq -s '[.[] | select(.event == "tcp_rx")] | length' "$scratch/trace")
[ "$heard" = "$traced" ] && [ "$traced" -gt 10 ] || fail "heard of $heard segments, traced $traced"
[ "$(grep -c 'tls_established 304$' "$scratch/heard")" -eq 2 ] ||
    fail "not two ends with TLS 1.3: $(cat "$scratch/heard")"
passed "bpftrace hears of $heard segments, as many as the trace has"
