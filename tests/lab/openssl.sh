#!/bin/sh
# OpenSSL on the kernel's stack, on either side, with each version and key exchange: who says what,
# and who refuses what.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# client ADDRESS CA OPTIONS... EXPECTED: s_client against our server
client()
{
    address=$1 ca=$2
    shift 2
    eval "expected=\${$#}"
    options=$*
    # shellcheck disable=SC2086,SC2154 # options are words; eval sets expected
    openssl s_client -connect "$address:443" -CAfile "$SHARED/$ca" -verify_return_error \
        -verify_ip "$address" ${options%"$expected"} </dev/null >"$scratch/out" 2>&1 || true
    grep -q "$expected" "$scratch/out" || fail "s_client $*: $(cat "$scratch/out")"
    grep -q 'Verify return code: 0 (ok)' "$scratch/out" ||
        fail "s_client does not verify: $(cat "$scratch/out")"
}

# server PORT OPTIONS... EXPECTED: tlsyn connect against s_server
server()
{
    port=$1
    shift
    eval "expected=\${$#}"
    options=$*
    status=0
    # shellcheck disable=SC2086
    "$TLSYN" connect "$TLSYN_KERNEL_PEER:$port" --json ${options%"$expected"} \
        >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq 0 ] || fail "connect $*: $status: $(cat "$scratch/err")"
    grep -q "$expected" "$scratch/out" || fail "connect $*: $(cat "$scratch/out")"
    grep -q '"verified": true' "$scratch/out" || fail "not verified: $(cat "$scratch/out")"
    grep -q '"mode": "sequential"' "$scratch/out" || fail "how embedded? $(cat "$scratch/out")"
}

inside()
{
    await "$SHARED/serve.any" serving
    await "$SHARED/serve.rsa" serving
    client "$TLSYN_PEER" ca.pem -tls1_3 'New, TLSv1.3'
    client "$TLSYN_PEER" ca.pem -tls1_2 'New, TLSv1.2, Cipher is ECDHE'
    client "$TLSYN_PEER" ca.pem -alpn http/1.1 'ALPN protocol: http/1.1'
    client 10.77.0.13 rsa.pem -tls1_2 -cipher kRSA 'New, .*, Cipher is AES'
    passed "s_client against tlsyn serve: 1.3, 1.2 with ECDHE and with RSA key exchange, ALPN"

    server 4433 --ca "$SHARED/ec.pem" --tls 1.3 TLSv1.3
    server 4433 --ca "$SHARED/ec.pem" --tls any --alpn h2,http/1.1 '"alpn": "http/1.1"'
    server 4433 --ca "$SHARED/ec.pem" --tls 1.2-ecdhe 'TLS.ECDHE.ECDSA'
    server 4434 --ca "$SHARED/rsa2.pem" --tls 1.2-rsa '"ciphersuite": "TLS.RSA.WITH'
    server 4434 --ca "$SHARED/rsa2.pem" --tls 1.3 --level none 'nothing else was asked for'
    server 4437 --ca "$SHARED/ec.pem" '"round_trips": 3, "hello_retry": true'
    server 4433 --ca "$SHARED/ec.pem" --new-session '"round_trips": 2, "hello_retry": false'
    passed "tlsyn connect against s_server: 1.3, 1.2 with ECDHE and RSA, ALPN, HelloRetryRequest"

    [ "$(printf 'reverse me\n' | timeout 120 "$TLSYN" connect -q --ca "$SHARED/ec.pem" "$TLSYN_KERNEL_PEER:4435")" = \
        "em esrever" ] || fail "what is typed is not answered"
    passed "the standard input and output are relayed"

    "$TLSYN" get --ca "$SHARED/ec.pem" "https://$TLSYN_KERNEL_PEER:4436/random" \
        -o "$scratch/random" ||
        fail "get from s_server"
    cmp -s "$scratch/random" "$SHARED/random" || fail "get from s_server brings other bytes"
    passed "tlsyn get from s_server, whose answer ends with the connection"
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
certificate rsa2 rsa:2048
head -c 200000 /dev/urandom >"$scratch/random"
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve . --self-signed ca.pem 2>serve.any &
$TLSYN serve . --self-signed rsa.pem --tls 1.2-rsa --address 10.77.0.13/24 2>serve.rsa &
openssl s_server -accept 4433 -cert ec.pem -key ec.key -alpn http/1.1 -quiet -www &
openssl s_server -accept 4434 -cert rsa2.pem -key rsa2.key -cipher ALL:@SECLEVEL=0 -quiet -www &
openssl s_server -accept 4437 -cert ec.pem -key ec.key -groups P-384 -quiet -www &
openssl s_server -accept 4435 -cert ec.pem -key ec.key -quiet -rev &
openssl s_server -accept 4436 -cert ec.pem -key ec.key -quiet -WWW &
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers 2>$scratch/servers.log" -- "$self" inside
no_findings "$scratch/serve.any" "$scratch/serve.rsa"
