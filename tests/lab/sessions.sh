#!/bin/sh
# Returning clients: OpenSSL and curl come back to our server, and we to ours, OpenSSL's and nginx,
# by session ID, ticket and pre-shared key; what a command remembers for the next one.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl curl nginx
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# visit EXPECTED OPTIONS...: s_client asks for the index; $scratch/out
visit()
{
    expected=$1
    shift
    printf 'GET / HTTP/1.0\r\n\r\n' | openssl s_client -ign_eof -CAfile "$SHARED/ca.pem" \
        -verify_return_error "$@" >"$scratch/out" 2>&1 || fail "s_client $*: $(cat "$scratch/out")"
    grep -q "^$expected, TLSv1" "$scratch/out" || fail "s_client $*: $(cat "$scratch/out")"
    grep -q '^index$' "$scratch/out" || fail "s_client $* got no answer: $(cat "$scratch/out")"
}

# twice EXPECTED OPTIONS...: a first visit, and one that brings the first one's session; the
# server's log says what it was
twice()
{
    word=$1
    shift
    visit New -connect "$TLSYN_PEER:443" -sess_out "$scratch/session" "$@"
    visit Reused -connect "$TLSYN_PEER:443" -sess_in "$scratch/session" "$@"
    tail -n 1 "$SHARED/serve.log" | grep -q " $word " ||
        fail "$word: $(cat "$SHARED/serve.log")"
}

# get EXPECTED-SESSION PORT-OR-URL OPTIONS...: $scratch/json, $scratch/err
get()
{
    expected=$1 url=$2
    shift 2
    "$TLSYN" get --json -o "$scratch/got" "$url" "$@" >"$scratch/json" 2>"$scratch/err" ||
        fail "get $url $*: $(cat "$scratch/err")"
    grep -q "\"session\": \"$expected\"" "$scratch/json" ||
        fail "get $url $* is not $expected: $(cat "$scratch/json" "$scratch/err")"
    grep -q '"verified": true' "$scratch/json" || fail "not verified: $(cat "$scratch/json")"
}

says()
{
    grep -q "$1" "$scratch/json" "$scratch/err" ||
        fail "no $1: $(cat "$scratch/json" "$scratch/err")"
}

ourselves()
{
    # Ours at both ends: everything rides in SYN and SYN-ACK.
    for kind in 1.2-ecdhe:ticket 1.3:psk any:psk; do
        version=${kind%:*}
        get new "https://$TLSYN_PEER/" --tls "$version" --ca "$SHARED/ca.pem"
        get "${kind#*:}" "https://$TLSYN_PEER/" --tls "$version" --ca "$SHARED/ca.pem"
        says '"mode": "embedded"'
        get new "https://$TLSYN_PEER/" --tls "$version" --ca "$SHARED/ca.pem" --new-session
        says '"chain_known": true'
        get new "https://$TLSYN_PEER/" --tls "$version" --ca "$SHARED/ca.pem" --no-cache
        says '"chain_known": false'
    done
    get new https://10.77.0.13/ --tls 1.2-ecdhe --ca "$SHARED/other.pem"
    get id https://10.77.0.13/ --tls 1.2-ecdhe --ca "$SHARED/other.pem"
    [ "$(stat -c %a "$TLSYN_CACHE/sessions" "$TLSYN_CACHE/chains" | tr '\n' ' ')" = "600 600 " ] ||
        fail "others may read the cache: $(ls -l "$TLSYN_CACHE")"
    passed "we come back to ourselves, embedded, and known chains need no verification"

    # A cache that somebody sat on costs no more than a full handshake.
    sed 's/[0-9a-f]\{8\}$/00000000/' "$TLSYN_CACHE/sessions" >"$scratch/altered"
    (echo nonsense && cat "$scratch/altered") >"$TLSYN_CACHE/sessions"
    head -c 100 /dev/urandom >"$TLSYN_CACHE/chains"
    get new "https://$TLSYN_PEER/" --ca "$SHARED/ca.pem" -v
    says 'sessions: 1 damaged lines'
    says '"offered": "new"'
    passed "altered entries are passed over"

    rm "$TLSYN_CACHE"/*
    "$TLSYN" prefetch "$TLSYN_PEER" --ca "$SHARED/ca.pem" 2>"$scratch/err" ||
        fail "prefetch: $(cat "$scratch/err")"
    grep -q 'verified and kept, 2 TLS sessions kept, and a Fast Open cookie' "$scratch/err" ||
        fail "prefetch: $(cat "$scratch/err")"
    get psk "https://$TLSYN_PEER/" --ca "$SHARED/ca.pem"
    get new "https://$TLSYN_PEER/" --ca "$SHARED/ca.pem" --new-session
    says '"chain_known": true'
    passed "what prefetch learnt serves the next command"
}

strangers()
{
    for port in 443 4433; do
        get new "https://$TLSYN_KERNEL_PEER:$port/" --tls 1.2-ecdhe --ca "$SHARED/ec.pem"
        get ticket "https://$TLSYN_KERNEL_PEER:$port/" --tls 1.2-ecdhe --ca "$SHARED/ec.pem"
        get new "https://$TLSYN_KERNEL_PEER:$port/" --tls 1.3 --ca "$SHARED/ec.pem"
        get psk "https://$TLSYN_KERNEL_PEER:$port/" --tls 1.3 --ca "$SHARED/ec.pem"
    done
    get new "https://$TLSYN_KERNEL_PEER:4434/" --tls 1.2-ecdhe --ca "$SHARED/ec.pem"
    get id "https://$TLSYN_KERNEL_PEER:4434/" --tls 1.2-ecdhe --ca "$SHARED/ec.pem"
    passed "we come back to nginx and s_server by session ID, ticket and pre-shared key"

    # A server that no longer speaks the session's version; its entry is under the same name.
    get new "https://$TLSYN_KERNEL_PEER:4433/" --ca "$SHARED/ec.pem"
    sed -i "s/:4433\/any/:4435\/any/" "$TLSYN_CACHE/sessions"
    get new "https://$TLSYN_KERNEL_PEER:4435/" --ca "$SHARED/ec.pem"
    says '"offered": "new"' # moved by hand, it is none of this server's
}

# What tlsyn ss shows of all that.
counters()
{
    "$TLSYN" ss --counters "$(cat "$SHARED/pid")" >"$scratch/ss" || fail "ss: $(cat "$scratch/ss")"
    for line in 'HandshakesById  *1' 'HandshakesByTicket  *2' 'HandshakesByPsk  *1' 'SessionsKept  *[1-9]' \
        'SessionsUnknown  *3' 'TicketsForeign  *[1-9]' 'TicketsSent  *[1-9][0-9]*'; do
        grep -q "^Tls$line$" "$scratch/ss" || fail "no Tls$line: $(cat "$scratch/ss")"
    done
    "$TLSYN" ss -s "$(cat "$SHARED/pid")" | grep -q '^TlsSessionsKept ' || fail "nothing of sessions in ss -s"
    passed "tlsyn ss shows the server's cache"
}

inside()
{
    await "$SHARED/serve.log" serving
    await "$SHARED/serve.other" serving
    twice id -tls1_2 -no_ticket
    twice ticket -tls1_2
    twice psk -tls1_3
    twice ticket -tls1_2 -servername localhost
    passed "s_client comes back by session ID, ticket and pre-shared key"

    # What another server gave, what was given for another name, and what was altered.
    for version in 1_2 1_3; do
        visit New -connect "$TLSYN_PEER:443" -tls$version -sess_out "$scratch/session" \
            -servername localhost
        visit New -connect 10.77.0.13:443 -tls$version -sess_in "$scratch/session" \
            -servername localhost -CAfile "$SHARED/other.pem"
        visit New -connect "$TLSYN_PEER:443" -tls$version -sess_in "$scratch/session" \
            -servername other.test
        visit New -connect "$TLSYN_PEER:443" -tls$version -sess_in "$scratch/session" -noservername
    done
    visit New -connect "$TLSYN_PEER:443" -tls1_2 -no_ticket -servername localhost \
        -sess_out "$scratch/session"
    visit New -connect "$TLSYN_PEER:443" -tls1_2 -no_ticket -servername other.test \
        -sess_in "$scratch/session"
    passed "a session of another server or another name is refused, and the handshake goes on"
    counters

    for version in 1.2 1.3; do
        curl -sS --http1.1 --cacert "$SHARED/ca.pem" --tls-max $version -H 'Connection: close' \
            "https://$TLSYN_PEER/?[1-2]" -o /dev/null || fail "curl twice"
        tail -n 1 "$SHARED/serve.log" | grep -q ' \(id\|ticket\|psk\) ' ||
            fail "curl $version does not come back: $(cat "$SHARED/serve.log")"
    done
    passed "curl comes back"
    ourselves
    strangers
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
mkdir "$scratch/www"
echo index >"$scratch/www/index.html"
nginx_configuration '' <<'END'
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache builtin:100;
END
cat >"$scratch/servers" <<END
cd $scratch
nginx -p $scratch -c nginx.conf 2>nginx.log &
openssl s_server -accept 4433 -cert ec.pem -key ec.key -www >/dev/null 2>&1 &
openssl s_server -accept 4434 -cert ec.pem -key ec.key -www -no_ticket >/dev/null 2>&1 &
openssl s_server -accept 4435 -cert ec.pem -key ec.key -www -tls1_2 >/dev/null 2>&1 &
$TLSYN serve www --self-signed ca.pem 2>serve.log &
first=\$!
$TLSYN serve www --address 10.77.0.13/24 --no-tickets --self-signed other.pem 2>serve.other &
echo \$first >pid
trap "kill \$first \$!" TERM
wait
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "exec sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch/serve.log"; exit 1; }
await "$scratch/serve.log" 'TLS handshakes: '
grep -q 'by session ID' "$scratch/serve.log" &&
    grep -q 'not resumed: [1-9][0-9]* session IDs unknown, 0 expired, 0 tickets expired, [1-9][0-9]* not ours' \
        "$scratch/serve.log" || fail "no summary: $(cat "$scratch/serve.log")"
no_findings "$scratch/serve.log" "$scratch/serve.other"
