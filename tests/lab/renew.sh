#!/bin/sh
# A server that runs for months gets a new certificate: SIGHUP has `tlsyn serve` read it anew, and nobody's connection ends.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl curl script
self=$(realpath "$0")

# renewed COUNT WORDS: SIGHUP, and the server has said so as often
renewed()
{
    kill -HUP "$(cat "$SHARED/pid")"
    tries=0
    until [ "$(grep -c "$2" "$SHARED/log")" -eq "$1" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 400 ] || fail "no \"$2\": $(cat "$SHARED/log")"
        sleep 0.05
    done
}

# get CA OPTION...
get()
{
    ca=$1
    shift
    "$TLSYN" get -v --ca "$SHARED/$ca.pem" "https://$TLSYN_PEER/" -o "$scratch/got" "$@" 2>"$scratch/err"
}

inside()
{
    await "$SHARED/log" serving
    mkfifo "$scratch/questions"
    openssl s_client -quiet -CAfile "$SHARED/old.pem" -verify_return_error -connect "$TLSYN_PEER:443" \
        <"$scratch/questions" >"$scratch/answers" 2>&1 &
    exec 3>"$scratch/questions"
    printf 'GET /first HTTP/1.1\r\nHost: x\r\n\r\n' >&3
    await "$scratch/answers" ' 404 '
    get old || fail "the first certificate: $(cat "$scratch/err")"

    cp "$SHARED/new.pem" "$SHARED/cert.pem" # and its key is not there yet
    renewed 1 'the certificate stays the one that it was'
    grep -q "the certificate can't be used: the private key does not belong" "$SHARED/log" ||
        fail "no reason: $(cat "$SHARED/log")"
    get old --new-session || fail "what cannot be used ends what was: $(cat "$scratch/err")"
    passed "a certificate without its key changes nothing"

    cp "$SHARED/new.key" "$SHARED/cert.key"
    renewed 1 'new connections have the certificate that is now in'
    get new --new-session || fail "the new certificate: $(cat "$scratch/err")"
    ! get old --new-session || fail "the old certificate is still shown"
    get old || fail "a ticket of before is of no use: $(cat "$scratch/err")"
    grep -q 'pre-shared key' "$scratch/err" || fail "not resumed: $(cat "$scratch/err")"
    printf 'GET /second HTTP/1.1\r\nHost: x\r\n\r\n' >&3
    await "$SHARED/log" 'GET /second" 404'
    exec 3>&-
    passed "SIGHUP: new connections have the new certificate, tickets and connections stay good"
}

# A server that was begun with nohup(1) at a terminal which has gone.
alone()
{
    await "$SHARED/gone" gone
    kill -HUP "$(cat "$SHARED/pid")" || fail "it went with its terminal: $(cat "$SHARED/log")"
    await "$SHARED/log" 'new connections have the certificate that is now in'
    get new || fail "after its terminal: $(cat "$scratch/err")"
    kill "$(cat "$SHARED/pid")"
    passed "nohup: SIGHUP has the files read anew, though the terminal has gone"
}

case ${1:-} in
inside | alone)
    "$1"
    exit 0
    ;;
esac

need_namespaces
for name in old new; do
    certificate "$name" ec -pkeyopt ec_paramgen_curve:P-256
done
cp "$scratch/old.pem" "$scratch/cert.pem"
cp "$scratch/old.key" "$scratch/cert.key"
echo index >"$scratch/index.html"
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "echo \$\$ >$scratch/pid; cd / && exec $TLSYN serve --cert $scratch/cert.pem \
    --key $scratch/cert.key $scratch 2>$scratch/log" -- "$self" inside
no_findings "$scratch/log"

rm "$scratch/log"
"$TLSYN" lab -q --rtt 2ms --server "cd / && script -qec 'nohup $TLSYN serve --cert $scratch/cert.pem --key $scratch/cert.key \
    $scratch >$scratch/log 2>&1 & echo \$! >$scratch/pid; until grep -q serving $scratch/log; do sleep 0.05; done' /dev/null; \
    echo gone >$scratch/gone" -- "$self" alone
no_findings "$scratch/log"
