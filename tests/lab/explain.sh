#!/bin/sh
# tlsyn explain: what it says of our own handshakes and of strangers' (curl at openssl's server,
# both on the kernel's stack, captured by dumpcap on Ethernet and "any"), and of files that are
# broken.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl curl dumpcap editcap
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# sniff INTERFACE FILE: captures until stopped.
sniff()
{
    : >"$scratch/dumpcap" # what the last one said
    sniffed=$2
    dumpcap -q -i "$1" -f 'tcp port 4433' -w "$sniffed" 2>"$scratch/dumpcap" &
    sniffer=$!
    await "$scratch/dumpcap" '^File: '
}

# has_ended CONNECTIONS: so many, to their ends, are in the file, behind which the capture lags.
has_ended()
{
    "$TLSYN" explain --list "$sniffed" >"$scratch/list" 2>&1
    [ "$(grep -c ' closed$' "$scratch/list")" -ge "$1" ]
}

# stop_after CONNECTIONS
stop_after()
{
    soon has_ended "$1" || fail "not $1 connections were captured: $(cat "$scratch/list" "$scratch/dumpcap")"
    kill -INT "$sniffer"
    wait "$sniffer" || :
}

# ask CURL-OPTION...: the response is not the point
ask()
{
    curl -sS -m 120 --cacert "$SHARED/ec.pem" -o /dev/null "$@" "https://$TLSYN_KERNEL_PEER:4433/"
}

inside()
{
    await "$SHARED/server.log" serving
    "$TLSYN" get --no-cache --ca "$SHARED/own.pem" --capture "$SHARED/embedded.pcapng" \
        -o /dev/null --json "https://$TLSYN_PEER/" >"$SHARED/embedded.json"
    "$TLSYN" get --no-cache --ca "$SHARED/own.pem" --level none -v -o /dev/null \
        --capture "$SHARED/sequential.pcapng" "https://$TLSYN_PEER/large" 2>"$SHARED/sequential.txt"
    soon ask -k 2>"$scratch/err" || fail "s_server does not answer: $(cat "$scratch/err")"
    sniff "$TLSYN_INTERFACE" "$SHARED/strangers.pcapng"
    ask
    ask --tls-max 1.2
    stop_after 2
    echo 0x403 >/proc/sys/net/ipv4/tcp_fastopen 2>/dev/null || return 0
    ask --tcp-fastopen # for a cookie
    sniff any "$SHARED/fastopen.pcapng"
    ask --tcp-fastopen
    stop_after 1
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
mkdir "$scratch/www"
echo index >"$scratch/www/index.html"
head -c 300000 /dev/zero >"$scratch/www/large"
cat >"$scratch/server" <<END
echo 0x403 >/proc/sys/net/ipv4/tcp_fastopen 2>/dev/null
openssl s_server -quiet -www -accept 4433 -cert $scratch/ec.pem -key $scratch/ec.key &
exec $TLSYN serve --self-signed $scratch/own.pem $scratch/www
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 10ms --server "sh $scratch/server 2>$scratch/server.log" -- \
    "$self" inside || { cat "$scratch/server.log"; exit 1; }

# explain OPTION...: $scratch/out
explain()
{
    "$TLSYN" explain "$@" >"$scratch/out" 2>"$scratch/err" ||
        fail "explain $* ends with $?: $(cat "$scratch/err")"
}

# says PATTERN...
says()
{
    for pattern in "$@"; do
        grep -q -- "$pattern" "$scratch/out" || fail "no \"$pattern\" in: $(cat "$scratch/out")"
    done
}

explain "$scratch/embedded.pcapng"
says 'SYN, seq 0, [0-9]* bytes' 'MSS 1460' 'window scale' 'Fast Open (asks' 'ClientHello' \
    'ServerHello (TLS 1.3)' '^Embedded: [0-9]* bytes rode' 'got one of 8 bytes' \
    'a new session' 'after 1 round trip,' 'closed first; \(three\|four\) segments'
explain "$scratch/sequential.pcapng"
says '^Sequential: nothing' 'after 2 round trips,' 'segments are not shown'
grep -q '"round_trips": 1,' "$scratch/embedded.json" &&
    grep -q '"early": "none"' "$scratch/embedded.json" || fail "$(cat "$scratch/embedded.json")"
grep -q 'waited for  2 round trips until' "$scratch/sequential.txt" ||
    fail "get -v says otherwise: $(cat "$scratch/sequential.txt")"
passed "our own handshakes, embedded and sequential; get counts the same round trips"

explain --list "$scratch/strangers.pcapng"
[ "$(grep -c 10.77.0 "$scratch/out")" -eq 2 ] || fail "not two: $(cat "$scratch/out")"
explain "$scratch/strangers.pcapng"
says '^Sequential' 'TLS 1.3, a new' 'after 2 round trips,'
grep -q 'holds 2 connections' "$scratch/err" || fail "the other is not mentioned"
explain "$scratch/strangers.pcapng" --connection 2
says 'ServerHello (TLS 1.2), Certificate, ServerKeyExchange, ServerHelloDone' 'ClientKeyExchange' \
    'TLS 1.2, a new' 'after 3 round trips,'
passed "curl at openssl's server, TLS 1.3 and 1.2"
if [ -e "$scratch/fastopen.pcapng" ]; then
    explain "$scratch/fastopen.pcapng"
    says 'Fast Open (cookie of' '^Embedded' 'carried nothing' 'showed a Fast Open cookie' \
        'after 1 round trip,'
    passed "with the kernel's Fast Open, captured on every interface at once"
fi

explain --svg "$scratch/ladder.svg" "$scratch/embedded.pcapng"
[ ! -s "$scratch/out" ] && grep -q '^<svg .*xmlns' "$scratch/ladder.svg" &&
    grep -q '>ClientHello<' "$scratch/ladder.svg" || fail "no SVG: $(head -c 300 "$scratch/ladder.svg")"
"$TLSYN" explain - <"$scratch/embedded.pcapng" >"$scratch/piped" || fail "not from a pipe"
"$TLSYN" explain "$scratch/embedded.pcapng" | cmp -s - "$scratch/piped" || fail "a pipe differs"
editcap -F pcap "$scratch/strangers.pcapng" "$scratch/old.pcap"
explain "$scratch/old.pcap"
says 'after 2 round trips,'
passed "as SVG, from a pipe, from a file of the old format"

# refuses PATTERN FILE [OPTION...]: a sentence, and status 1
refuses()
{
    pattern=$1
    shift
    status=0
    "$TLSYN" explain "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq 1 ] && grep -q -- "$pattern" "$scratch/err" ||
        fail "explain $* ends with $status: $(cat "$scratch/err")"
}

: >"$scratch/empty"
head -c 1000 "$scratch/strangers.pcapng" >"$scratch/cut.pcapng"
head -c 24 "$scratch/old.pcap" >"$scratch/nothing.pcap"
editcap -s 20 "$scratch/old.pcap" "$scratch/short.pcap"
editcap -T ieee-802-11 "$scratch/old.pcap" "$scratch/foreign.pcap"
editcap -r "$scratch/old.pcap" "$scratch/late.pcap" 4-9
refuses 'No such file' "$scratch/none"
refuses 'not a capture' "$scratch/empty"
refuses 'not a capture' "$scratch/server"
refuses 'no frame in it' "$scratch/nothing.pcap"
refuses 'none of its frames holds TCP' "$scratch/short.pcap"
refuses 'link type are not read: IEEE802_11' "$scratch/foreign.pcap"
refuses 'open before it began' "$scratch/late.pcap"
refuses 'none of the 2 connections' "$scratch/old.pcap" --connection 3
refuses 'cannot be written' --svg /proc/none "$scratch/old.pcap"
explain "$scratch/cut.pcapng"
says 'breaks off after'
editcap -s 80 "$scratch/old.pcap" "$scratch/headers.pcap"
explain "$scratch/headers.pcap"
says 'only the beginning was captured'
says 'too little of it to tell'
passed "what is broken is told in a sentence"
