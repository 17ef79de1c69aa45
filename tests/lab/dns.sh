#!/bin/sh
# Names over our own stack (--dns): dnsmasq on the kernel's side answers, over UDP and, when it has
# to cut, over TCP.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need dnsmasq perl
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# unresolved WORDS NAME OPTIONS...: ping ends with one sentence about this name
unresolved()
{
    words=$1 name=$2
    shift 2
    status=0
    timeout 120 "$TLSYN" ping -c 1 "$name" "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq 1 ] || fail "ping $name ends with $status: $(cat "$scratch/err")"
    grep -q "$name.*$words" "$scratch/err" || fail "ping $name: $(cat "$scratch/err")"
}

# answers_over_tcp CAPTURE: how many addresses each answer had that came over TCP
answers_over_tcp()
{
    HOME=$scratch tshark -r "$1" -Y 'tcp.port == 53 && dns.flags.response == 1' -T fields \
        -e dns.count.answers 2>/dev/null
}

inside()
{
    await "$SHARED/log" serving
    await "$SHARED/dnsmasq" 'started'
    dns=$TLSYN_KERNEL_PEER

    "$TLSYN" get --dns "$dns" --ca "$SHARED/ca.pem" https://www.lab.test/index.html \
        -o "$scratch/got" \
        2>"$scratch/err" || fail "get by name: $(cat "$scratch/err")"
    [ "$(cat "$scratch/got")" = index ] || fail "get by name brings $(cat "$scratch/got")"
    "$TLSYN" ping -c 1 --dns "$dns:53" alias.lab.test >"$scratch/out" || fail "ping by name"
    grep -q '(10.77.0.12)' "$scratch/out" || fail "another address: $(cat "$scratch/out")"
    TLSYN_DNS=$dns "$TLSYN" connect --ca "$SHARED/ca.pem" --json www.lab.test </dev/null \
        >"$scratch/out" 2>"$scratch/err" ||
        fail "connect by name: $(cat "$scratch/err")"
    grep -q 10.77.0.12 "$scratch/out" || fail "another address: $(cat "$scratch/out")"
    passed "get, ping and connect by a name, and by an alias"

    # Nobody is at those addresses.
    "$TLSYN" ping -c 1 -W 10ms --dns "$dns" big.lab.test --capture "$scratch/big.pcapng" \
        >"$scratch/out" 2>/dev/null || :
    grep -q 'PING big.lab.test (10.77.0.1[0-9][0-9])' "$scratch/out" ||
        fail "a long answer: $(cat "$scratch/out")"
    if command -v tshark >/dev/null; then
        answers_over_tcp "$scratch/big.pcapng" >"$scratch/fields"
        grep -qx 100 "$scratch/fields" || fail "no 100 answers over TCP: $(cat "$scratch/fields")"
        passed "a truncated answer is fetched over TCP"
    fi

    unresolved 'no such name' gone.lab.test --dns "$dns"
    unresolved 'no address of this kind' six.lab.test --dns "$dns"
    unresolved 'no DNS server could be reached' www.lab.test --dns "$dns:9"
    unresolved 'no DNS server could be reached' www.lab.test --dns 10.99.0.1
    unresolved 'in time' www.lab.test --dns "$dns:5399" --timeout 1s
    passed "names that are not there, ports that are closed, servers out of reach or silent"

    "$TLSYN" ping -c 1 --dns "$dns:9,$dns" www.lab.test >"$scratch/out" ||
        fail "the second server is not asked"
    passed "where one server has no answer the next is asked"
}

# --- in the lab's server host ---------------------------------------------------------------------
serve()
{
    i=100
    set --
    while [ "$i" -lt 200 ]; do
        set -- "$@" --host-record="big.lab.test,10.77.0.$i"
        i=$((i + 1))
    done
    # Nobody reads what comes here.
    perl -MSocket -e 'socket($s, AF_INET, SOCK_DGRAM, 0) && bind($s, sockaddr_in(5399, INADDR_ANY)) or die; sleep 1000' &
    dnsmasq --no-daemon --conf-file=/dev/null --user=root --pid-file= --no-hosts --no-resolv --bind-interfaces \
        --listen-address="$TLSYN_KERNEL_ADDRESS" --log-queries --local=/lab.test/ \
        --host-record=www.lab.test,10.77.0.12 --cname=alias.lab.test,www.lab.test \
        --host-record=six.lab.test,2001:db8::6 "$@" 2>"$SHARED/dnsmasq" &
    exec "$TLSYN" serve "$SHARED/www" --self-signed "$SHARED/ca.pem" --name www.lab.test \
        2>"$SHARED/log"
}

case ${1:-} in
inside | serve)
    "$1"
    exit
    ;;
esac

need_namespaces
export SHARED="$scratch/shared"
mkdir -p "$SHARED/www"
echo index >"$SHARED/www/index.html"
"$TLSYN" lab -q --server "$self serve" -- "$self" inside || fail "see above"
no_findings "$SHARED/log"
