#!/bin/sh
# Early data between our server and OpenSSL's client, and our client and OpenSSL's server.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# visit OPTIONS...: s_client, whose ordinary data are GET; $scratch/out
visit()
{
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 120 openssl s_client -ign_eof -tls1_3 \
        -CAfile "$SHARED/ca.pem" -verify_return_error "$@" >"$scratch/out" 2>&1 ||
        fail "s_client $*: $(cat "$scratch/out")"
}

says()
{
    grep -q "$1" "$scratch/out" || fail "no \"$1\": $(cat "$scratch/out")"
}

# get CA URL OPTION...: ours, with early data; $scratch/got
get()
{
    trusted=$1
    shift
    timeout 120 "$TLSYN" get --early-data --cache "$scratch/cache" --ca "$SHARED/$trusted" -o "$scratch/got" "$@" \
        2>"$scratch/err" || fail "get $*: $(cat "$scratch/err")"
}

inside()
{
    await "$SHARED/serve.log" serving
    await "$SHARED/serve.other" serving
    printf 'GET /early.txt HTTP/1.0\r\n\r\n' >"$scratch/get"
    printf 'PUT /put.txt HTTP/1.0\r\nContent-Length: 4\r\n\r\nfour' >"$scratch/put"
    visit -connect "$TLSYN_PEER:443" -sess_out "$scratch/session"
    visit -connect "$TLSYN_PEER:443" -sess_in "$scratch/session" -early_data "$scratch/get"
    says 'Early data was accepted'
    says '^what came early$'
    grep -q '"GET /early.txt" 200 .* early$' "$SHARED/serve.log" ||
        fail "not answered early: $(cat "$SHARED/serve.log")"
    passed "s_client's early GET is answered early"

    visit -connect "$TLSYN_PEER:443" -sess_out "$scratch/session"
    visit -connect "$TLSYN_PEER:443" -sess_in "$scratch/session" -early_data "$scratch/put"
    says 'Early data was accepted'
    says '^HTTP/1.1 425 Too Early'
    [ ! -e "$SHARED/www/put.txt" ] || fail "an early PUT made a file"
    passed "s_client's early PUT gets 425"

    # A server that knows nothing of the ticket.
    visit -connect "$TLSYN_PEER:443" -sess_out "$scratch/session"
    visit -connect 10.77.0.13:443 -CAfile "$SHARED/other.pem" -sess_in "$scratch/session" \
        -early_data "$scratch/get"
    says 'Early data was rejected'
    says '^index$'
    passed "another server passes the early data over, and the handshake goes on"

    get ca.pem "https://$TLSYN_PEER/early.txt"
    get ca.pem "https://$TLSYN_PEER/early.txt"
    cmp -s "$scratch/got" "$SHARED/www/early.txt" || fail "get brings other bytes"
    tail -n 1 "$SHARED/serve.log" | grep -q '200 .* psk embedded .* early$' ||
        fail "the second get was not early: $(cat "$SHARED/serve.log")"
    passed "tlsyn get's request rides in the SYN of its second visit"

    get ec.pem "https://$TLSYN_KERNEL_PEER:4437/first"
    get ec.pem "https://$TLSYN_KERNEL_PEER:4437/second"
    grep -q 'GET /second' "$SHARED/s_server.log" &&
        grep -q 'Early data received' "$SHARED/s_server.log" ||
        fail "s_server got no early data: $(cat "$SHARED/s_server.log")"
    passed "s_server takes the early data of tlsyn get"

    # One that wants another key share rejects it; one that speaks TLS 1.2 alone has no place for it.
    get ec.pem "https://$TLSYN_KERNEL_PEER:4437/retried" -v
    becomes '-tls1_3 -groups P-384'
    get ec.pem "https://$TLSYN_KERNEL_PEER:4437/retried" -v
    grep -q 'early data *not accepted' "$scratch/err" || fail "HelloRetryRequest: $(cat "$scratch/err")"
    came_once 'GET /retried' "behind a HelloRetryRequest"
    get ec.pem "https://$TLSYN_KERNEL_PEER:4437/older" -v
    becomes '-tls1_2'
    get ec.pem "https://$TLSYN_KERNEL_PEER:4437/older" -v
    grep -q 'TLSv1.2' "$scratch/err" || fail "TLS 1.2: $(cat "$scratch/err")"
    came_once 'GET /older' "to a server that went back to TLS 1.2"
}

# becomes OPTIONS: s_server ends, and another is there.
becomes()
{
    : >"$SHARED/s_server.log"
    echo "$1" >"$SHARED/s_server.wanted"
    await "$SHARED/s_server.log" ACCEPT
}

came_once()
{
    [ "$(grep -c "$1" "$SHARED/s_server.log")" -eq 1 ] || fail "$2: $(cat "$SHARED/s_server.log")"
    passed "early data $2 comes after the handshake, once"
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
mkdir "$scratch/www"
echo index >"$scratch/www/index.html"
echo 'what came early' >"$scratch/www/early.txt"
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve www --self-signed ca.pem --early-data --upload 2>serve.log &
first=\$!
$TLSYN serve www --address 10.77.0.13/24 --self-signed other.pem 2>serve.other &
second=\$!
trap "kill \$first \$second; touch over" TERM
mkfifo answers
{ while sleep 0.2; do printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n'; done; } >answers &
exec 5<>answers
echo '-tls1_3 -early_data' >s_server.wanted
until [ -e over ]; do
    is="\$(cat s_server.wanted)"
    openssl s_server -accept 4437 -cert ec.pem -key ec.key \$is <answers >>s_server.log 2>&1 &
    while [ "\$(cat s_server.wanted)" = "\$is" ] && [ ! -e over ]; do sleep 0.1; done
    kill \$!
    wait \$!
done
wait \$first
wait \$second
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "exec sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch/serve.log"; exit 1; }
no_findings "$scratch/serve.log" "$scratch/serve.other"
