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
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 openssl s_client -ign_eof -tls1_3 \
        -CAfile "$SHARED/ca.pem" -verify_return_error "$@" >"$scratch/out" 2>&1 ||
        fail "s_client $*: $(cat "$scratch/out")"
}

says()
{
    grep -q "$1" "$scratch/out" || fail "no \"$1\": $(cat "$scratch/out")"
}

# get CA URL: ours, with early data; $scratch/got
get()
{
    timeout 20 "$TLSYN" get --early-data --cache "$scratch/cache" --ca "$SHARED/$1" -o "$scratch/got" "$2" \
        2>"$scratch/err" || fail "get $2: $(cat "$scratch/err")"
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
{ while sleep 0.2; do printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n'; done; } |
    openssl s_server -accept 4437 -cert ec.pem -key ec.key -tls1_3 -early_data >s_server.log 2>&1 &
trap "kill \$first \$second" TERM
wait
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "exec sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch/serve.log"; exit 1; }
no_findings "$scratch/serve.log" "$scratch/serve.other"
