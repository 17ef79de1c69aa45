#!/bin/sh
# Returning clients: OpenSSL and curl come back to our server, by session ID, ticket and pre-shared
# key.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl curl
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

    for version in 1.2 1.3; do
        curl -sS --cacert "$SHARED/ca.pem" --tls-max $version -H 'Connection: close' \
            "https://$TLSYN_PEER/?[1-2]" -o /dev/null || fail "curl twice"
        tail -n 1 "$SHARED/serve.log" | grep -q ' \(id\|ticket\|psk\) ' ||
            fail "curl $version does not come back: $(cat "$SHARED/serve.log")"
    done
    passed "curl comes back"
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
mkdir "$scratch/www"
echo index >"$scratch/www/index.html"
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve www --self-signed ca.pem 2>serve.log &
first=\$!
$TLSYN serve www --address 10.77.0.13/24 --self-signed other.pem 2>serve.other &
trap "kill \$first \$!" TERM
wait
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "exec sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch/serve.log"; exit 1; }
tries=0
until grep -q 'TLS handshakes: ' "$scratch/serve.log" || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
grep -q 'by session ID' "$scratch/serve.log" &&
    grep -q 'not resumed: [1-9][0-9]* session IDs unknown, 0 tickets expired, [1-9][0-9]* not ours' \
        "$scratch/serve.log" || fail "no summary: $(cat "$scratch/serve.log")"
no_findings "$scratch/serve.log" "$scratch/serve.other"
