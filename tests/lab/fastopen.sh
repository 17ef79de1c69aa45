#!/bin/sh
# Fast Open with stock peers, both ways, as tshark sees it: clients of the kernel at tlsyn serve (curl, and OpenSSL over
# MSG_FASTOPEN), tlsyn get at servers of the kernel (nginx, and openssl s_server, which knows nothing of it).
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need nginx openssl curl tshark python3
self=$(realpath "$0")
client=$(dirname "$self")/fastopen_client.py

# --- what a capture says --------------------------------------------------------------------------
# read_capture CAPTURE: CAPTURE.txt, which all below go by: tshark takes seconds to begin. A line per segment, its fields
# between bars; numbers are relative.
read_capture()
{
    HOME=$scratch tshark -r "$1" -Y tcp -T fields -E separator='|' -E aggregator=, -e tcp.stream -e tcp.flags.syn -e tcp.flags.ack \
        -e tcp.dstport -e tcp.len -e tcp.ack -e tcp.options.tfo.cookie -e tls.handshake.type >"$1.txt" 2>"$scratch/tshark" ||
        fail "tshark: $(cat "$scratch/tshark")"
}

flags='function is(flag) { return flag ~ /1|True/ } ' # as the tshark is old or new

# syn_of CAPTURE STREAM, synack_of CAPTURE STREAM: "LENGTH ACK COOKIE" of the first
syn_of()
{
    awk -F'|' -v stream="$2" "$flags"'$1 == stream && is($2) && !is($3) { print $5, $6, $7; exit }' "$1.txt"
}

synack_of()
{
    awk -F'|' -v stream="$2" "$flags"'$1 == stream && is($2) && is($3) { print $5, $6, $7; exit }' "$1.txt"
}

# text_before_hello CAPTURE STREAM PORT: octets that the client has sent behind its SYN when the
# ServerHello comes: with none of them the server has answered to the SYN
text_before_hello()
{
    awk -F'|' -v stream="$2" -v port="$3" "$flags"'$1 != stream { next } $8 ~ /^2(,|$)/ { found = 1; exit }
        $4 == port && !is($2) { sum += $5 } END { print sum + 0; exit !found }' "$1.txt" ||
        fail "no ServerHello in stream $2 of $1: $(cat "$1.txt")"
}

# expect_embedded CAPTURE STREAM PORT: the ClientHello rode in the SYN, was acknowledged with it, and nothing else was
# needed for the server to answer
expect_embedded()
{
    read -r length _ <<END
$(syn_of "$1" "$2")
END
    read -r _ ack _ <<END
$(synack_of "$1" "$2")
END
    [ "$length" -gt 100 ] || fail "$1: the SYN of stream $2 has $length octets of payload"
    [ "$ack" -eq $((length + 1)) ] || fail "$1: the SYN-ACK acknowledges $ack, not $((length + 1))"
    [ "$(text_before_hello "$1" "$2" "${3:-443}")" -eq 0 ] || fail "$1: the server waited"
}

# expect_sequential CAPTURE STREAM PORT: the SYN alone was acknowledged
expect_sequential()
{
    read -r _ ack _ <<END
$(synack_of "$1" "$2")
END
    [ "$ack" -eq 1 ] || fail "$1: the SYN-ACK of stream $2 acknowledges $ack"
    [ "$(text_before_hello "$1" "$2" "${3:-443}")" -gt 100 ] || fail "$1: where was the ClientHello?"
}

# --- in the lab's client host ---------------------------------------------------------------------
# get NAME PORT EXPECTED: one run of the command, with a capture of its own
get()
{
    "$TLSYN" get -v --ca "$SHARED/ec.pem" --capture "$SHARED/$1.pcapng" -o /dev/null \
        "https://$TLSYN_KERNEL_PEER:$2/" 2>"$scratch/err" || fail "get $1: $(cat "$scratch/err")"
    grep -q "mode  *$3" "$scratch/err" || fail "get $1 is not $3: $(cat "$scratch/err")"
}

stock_clients()
{
    await "$SHARED/serve.log" serving
    for i in 1 2 3; do
        curl -sS -m 120 --cacert "$SHARED/ca.pem" --tcp-fastopen -o /dev/null "https://$TLSYN_PEER/" ||
            fail "curl --tcp-fastopen, number $i"
    done
    [ "$(grep -c embedded "$SHARED/serve.log")" -eq 2 ] || fail "curl: $(cat "$SHARED/serve.log")"
    ip tcp_metrics flush all >/dev/null 2>&1 || echo 0 >"$SHARED/cookies" # forgets the kernel's cookie
    for i in 4 5; do
        [ "$(timeout 120 python3 "$client" "$TLSYN_PEER" "$SHARED/ca.pem")" = "HTTP/1.1 200 OK" ] ||
            fail "MSG_FASTOPEN, number $i"
    done
}

stock_servers()
{
    soon "$TLSYN" get --no-cache --ca "$SHARED/ec.pem" -o /dev/null "https://$TLSYN_KERNEL_PEER/" 2>"$scratch/err" ||
        fail "nginx does not answer: $(cat "$scratch/err")"
    get first 443 'sequential: .* gave a cookie for next time'
    get second 443 'embedded: .* with a cookie'
    get third 4433 'embedded: .* with a cookie' # a cookie is the address's, whatever the port
    echo damaged >>"$TLSYN_CACHE/destinations"
    get fourth 443 'embedded: .* with a cookie'
    grep -q '1 damaged lines' "$scratch/err" || fail "not a word: $(cat "$scratch/err")"
    : >"$SHARED/trust"
    await "$SHARED/trusting" .
    rm "$TLSYN_CACHE/destinations"
    get fifth 443 embedded
    rm "$TLSYN_CACHE/destinations"
    get sixth 4433 embedded
}

inside()
{
    stock_clients
    if [ -e "$SHARED/fastopen" ]; then
        stock_servers
    fi
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
mkdir "$scratch/www"
echo index >"$scratch/www/index.html"
nginx_configuration fastopen=64 </dev/null
# The kernel takes part as a server (2), with every listener (0x400); later without cookies too (0x200).
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve www --capture $scratch/serve.pcapng --self-signed ca.pem 2>serve.log &
echo 0x403 >/proc/sys/net/ipv4/tcp_fastopen 2>/dev/null && : >fastopen
nginx -p $scratch -c nginx.conf 2>nginx.log &
openssl s_server -accept 4433 -cert ec.pem -key ec.key -www -quiet >/dev/null 2>&1 &
until [ -e trust ]; do sleep 0.05; done
echo 0x603 >/proc/sys/net/ipv4/tcp_fastopen
echo yes >trusting
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch/serve.log" "$scratch/error.log"; exit 1; }
no_findings "$scratch/serve.log"

# Streams 0 to 2 are curl's, 3 and 4 those of MSG_FASTOPEN.
capture=$scratch/serve.pcapng
read_capture "$capture"
expect_sequential "$capture" 0
synack_of "$capture" 0 | grep -q ' [0-9a-f]\{16\}$' || fail "no cookie: $(synack_of "$capture" 0)"
for stream in 1 2; do
    expect_embedded "$capture" "$stream"
    [ "$(synack_of "$capture" "$stream" | cut -d ' ' -f 1)" -gt 500 ] ||
        fail "the flight is not in the SYN-ACK: $(synack_of "$capture" "$stream")"
done
passed "curl --tcp-fastopen: a cookie first, then the whole handshake in SYN and SYN-ACK"
if [ -e "$scratch/cookies" ]; then
    expect_embedded "$capture" 3
else
    expect_sequential "$capture" 3
fi
expect_embedded "$capture" 4
[ "$(synack_of "$capture" 4 | cut -d ' ' -f 1)" -gt 500 ] || fail "no flight in the SYN-ACK"
passed "OpenSSL over MSG_FASTOPEN: the same"

[ -e "$scratch/fastopen" ] || { passed "this kernel's servers can't be asked here"; exit 0; }
for i in first second third fourth fifth sixth; do
    read_capture "$scratch/$i.pcapng"
done
expect_sequential "$scratch/first.pcapng" 0
synack_of "$scratch/first.pcapng" 0 | grep -q ' [0-9a-f]\{16\}$' || fail "nginx gives no cookie"
expect_embedded "$scratch/second.pcapng" 0
syn_of "$scratch/second.pcapng" 0 | grep -q ' [0-9a-f]\{16\}$' || fail "no cookie in the SYN"
expect_embedded "$scratch/third.pcapng" 0 4433
expect_embedded "$scratch/fourth.pcapng" 0
passed "tlsyn get, the second time: a stock nginx and s_server know its cookie, a round trip is saved"
expect_embedded "$scratch/fifth.pcapng" 0
expect_embedded "$scratch/sixth.pcapng" 0 4433
passed "under net.ipv4.tcp_fastopen=0x603 it is saved the first time"
