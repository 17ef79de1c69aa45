#!/bin/sh
# The echo pair of docs/examples, unchanged: ours with ours, ours with the kernel's,
# plain and with TLS.
# shellcheck source=tests/lab/lib.sh disable=SC2015,SC2094 # a failing middle is a failure; it writes while we wait for that
. "$(dirname "$0")/lib.sh"
need openssl perl
self=$(realpath "$0")
examples=$(dirname "$TLSYN")/examples
[ -x "$examples/echo_client" ] || skip "the examples are not built"

# --- in the lab's client host ---------------------------------------------------------------------
# echoes EXPECTED ADDRESS PORT [CA NAME]: our client, with whatever server
echoes()
{
    expected=$1
    shift
    printf 'one\ntwo three\n%s\n' "$long" |
        timeout 120 "$examples/echo_client" eth0 10.77.0.11/24 "$@" >"$scratch/out" \
        2>"$scratch/err" ||
        fail "echo_client $*: $(cat "$scratch/err")"
    cmp -s "$expected" "$scratch/out" || fail "echo_client $*: $(head -c 300 "$scratch/out")"
    no_findings "$scratch/err"
}

# shellcheck disable=SC2016 # perl's variables
plain_client='
    use IO::Socket::INET;
    my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1]) or
        die "connect: $!\n";
    $s->autoflush(1);
    while (my $line = <STDIN>) { print $s $line; print scalar(<$s>); }
'

reachable()
{
    perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => 60)' "$@"
}

inside()
{
    long=$(printf '%03000d' 0)
    printf 'one\ntwo three\n%s\n' "$long" >"$scratch/same"
    printf 'eno\neerht owt\n%s\n' "$long" >"$scratch/reversed"
    own=10.77.0.12 kernel=$TLSYN_KERNEL_PEER
    await "$SHARED/ready" kernel
    await "$SHARED/s_server.log" ACCEPT
    soon reachable "$own" 443 && soon reachable 10.77.0.13 7 || fail "no echo_server: $(cat "$SHARED"/serve.*)"

    echoes "$scratch/same" 10.77.0.13 7
    echoes "$scratch/same" "$own" 443 "$SHARED/ec.pem" "$own"
    passed "our client, our server"

    echoes "$scratch/same" "$kernel" 7007
    echoes "$scratch/reversed" "$kernel" 4433 "$SHARED/ec.pem" "$kernel"
    passed "our client, the kernel's servers (the one with TLS reverses lines)"

    timeout 120 perl -e "$plain_client" 10.77.0.13 7 <"$scratch/same" >"$scratch/out" ||
        fail "the kernel's client"
    cmp -s "$scratch/same" "$scratch/out" ||
        fail "the kernel's client: $(head -c 300 "$scratch/out")"
    : >"$scratch/out"
    { printf 'one\n'; soon has "$scratch/out" .; } |
        timeout 120 openssl s_client -quiet -no_ign_eof -connect "$own:443" \
        -CAfile "$SHARED/ec.pem" -verify_return_error -verify_ip "$own" >"$scratch/out" \
        2>"$scratch/err" ||
        fail "s_client: $(cat "$scratch/err")"
    [ "$(cat "$scratch/out")" = one ] || fail "s_client: $(cat "$scratch/out")"
    passed "the kernel's clients, our server"

    status=0
    echo x | "$examples/echo_client" eth0 10.77.0.11/24 "$own" 443 "$SHARED/ec.pem" other.test \
        >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq 1 ] && grep -q 'connect: Protocol error' "$scratch/err" ||
        fail "a wrong name: $status $(cat "$scratch/err")"
    status=0
    echo x | "$examples/echo_client" eth0 10.77.0.11/24 "$kernel" 9 2>"$scratch/err" || status=$?
    [ "$status" -eq 1 ] && grep -q 'connect: Connection refused' "$scratch/err" ||
        fail "nobody there: $status $(cat "$scratch/err")"
    passed "a wrong name, and nobody there: errno says so"
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
cat >"$scratch/echo.pl" <<'END'
use IO::Socket::INET;
my $l = IO::Socket::INET->new(LocalPort => 7007, Listen => 4, ReuseAddr => 1) or die "listen: $!";
$| = 1;
print "kernel\n";
while (my $s = $l->accept) {
    $s->autoflush(1);
    while (my $line = <$s>) { print $s $line; }
}
END
cat >"$scratch/servers" <<END
cd $scratch
$examples/echo_server eth0 10.77.0.12/24 443 ec.pem ec.key 2>serve.tls &
$examples/echo_server eth0 10.77.0.13/24 7 2>serve.plain &
openssl s_server -rev -accept 4433 -cert ec.pem -key ec.key >s_server.log 2>&1 &
perl echo.pl >ready &
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch"/serve.*; exit 1; }
no_findings "$scratch"/serve.*
