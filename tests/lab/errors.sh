#!/bin/sh
# What can go wrong, and how it is told: one sentence on stderr, an exit status that says what kind,
# and never a hang.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need openssl perl
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
# refused STATUS WORDS COMMAND...: ends with that status and one sentence that has these words
refused()
{
    expected=$1 words=$2
    shift 2
    status=0
    timeout 120 "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
    [ "$status" -ne 124 ] || fail "$* hangs"
    [ "$status" -eq "$expected" ] || fail "$* ends with $status: $(cat "$scratch/err")"
    [ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "$*: no one sentence: $(cat "$scratch/err")"
    grep -q "^tlsyn: .*$words" "$scratch/err" || fail "$*: $(cat "$scratch/err")"
}

# unheard COMMAND...: it ends without a word, as one that SIGPIPE ends, when whoever read its output has gone. The pipe's other end
# is closed before the command begins, or what it says would have room in there.
unheard()
{
    {
        trap '' PIPE
        while printf . 2>/dev/null; do :; done
        status=0
        timeout 120 "$@" 2>"$scratch/err" || status=$?
        echo "$status" >"$scratch/status"
    } | true
    [ "$(cat "$scratch/status")" -eq 141 ] && [ ! -s "$scratch/err" ] ||
        fail "$* without a reader ends with $(cat "$scratch/status"): $(cat "$scratch/err")"
}

inside()
{
    await "$SHARED/log" serving
    await "$SHARED/perl" ready
    own=10.77.0.12 kernel=$TLSYN_KERNEL_PEER

    refused 1 'no network interface "eth7"; there are: .*eth0' "$TLSYN" get "https://$own/" -i eth7
    refused 1 'lo carries no Ethernet' "$TLSYN" get "https://$own/" -i lo
    ip link set lo down 2>/dev/null || :
    refused 2 'address is missing' env -u TLSYN_ADDRESS "$TLSYN" get "https://$own/" --link tap
    refused 2 'address is missing' env -u TLSYN_ADDRESS "$TLSYN" run -- true
    refused 2 'host needs an interface' "$TLSYN" get "https://$own/" --link tap --address host
    refused 1 'address in use: 127.0.0.1 belongs to this machine (lo)' \
        "$TLSYN" get "https://$own/" --address 127.0.0.1/8
    refused 1 'address in use: .* belongs to this machine (eth0)' \
        "$TLSYN" run --address "$TLSYN_KERNEL_ADDRESS/24" true
    refused 1 'address in use: another machine' "$TLSYN" get "https://$own/" --address "$kernel/24"
    refused 1 'address in use: another machine' "$TLSYN" ping -c 1 "$own" --address "$kernel/24"
    "$TLSYN" serve --self-signed "$scratch/own.pem" "$scratch" 2>"$scratch/own" &
    await "$scratch/own" serving
    refused 1 'address in use: another tlsyn on this machine has 10.77.0.11' \
        "$TLSYN" serve --self-signed "$scratch/own2.pem" "$scratch"
    "$TLSYN" ping -c 1 "$own" --address 10.77.0.14/24 >"$scratch/out" 2>&1 ||
        fail "another address is in use too: $(cat "$scratch/out")"
    kill -9 $! && wait $! 2>/dev/null || :
    "$TLSYN" ping -c 1 "$own" >"$scratch/out" 2>&1 ||
        fail "in use by the dead: $(cat "$scratch/out")"
    # Whoever takes the name that commands tell each other by keeps nobody out.
    perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) && bind(S, pack_sockaddr_un("\0tlsyn eth0 10.77.0.14")) or die $!;
        $| = 1; print "ready\n"; sleep 60' >"$scratch/squatter" 2>&1 &
    await "$scratch/squatter" ready
    "$TLSYN" ping -c 1 "$own" --address 10.77.0.14/24 >"$scratch/out" 2>&1 && grep -q 'not whose it is; going on' "$scratch/out" ||
        fail "a name keeps us out: $(cat "$scratch/out")"
    kill $!
    refused 1 'is an address of this machine' "$TLSYN" get "https://$TLSYN_KERNEL_ADDRESS/"
    refused 1 'is our own --address' "$TLSYN" get "https://10.77.0.11/"
    refused 2 'is not in the network' "$TLSYN" get "https://$own/" --gateway 10.9.9.9
    refused 1 'nothing on eth0 answers for it' "$TLSYN" get https://10.77.0.99/
    refused 1 'another network, and no router' "$TLSYN" get https://10.99.0.1/
    refused 1 'nothing on eth0 answers for it' "$TLSYN" get https://10.99.0.1/ --gateway 10.77.0.98
    passed "interfaces, addresses and routes"

    refused 1 "capture .* can't be written: No space left" "$TLSYN" ping -c 1 "$own" \
        --capture /dev/full
    # shellcheck disable=SC2016 # expanded in there
    refused 1 'capture .* is incomplete: File too large' sh \
        -c 'trap "" XFSZ; ulimit -f 1; exec "$0" "$@"' \
        "$TLSYN" ping -q -c 9 --interval 1ms "$own" --capture "$scratch/cap"
    refused 1 'trace /dev/full is incomplete: No space left' "$TLSYN" ping -c 1 "$own" \
        --trace /dev/full
    passed "files that the disk has no room for"

    # shellcheck disable=SC2016 # expanded in there
    refused 1 "output can't be written: Bad file descriptor" \
        sh -c 'exec "$0" "$@" >&-' "$TLSYN" get -k "https://$own/index.html"
    passed "a standard output that is closed is not the next socket"

    unheard "$TLSYN" --help
    unheard "$TLSYN" ping --interval 20ms "$own"
    unheard "$TLSYN" get -k "https://$own/large"
    passed "a reader who has had enough is told nothing"

    # shellcheck disable=SC2016 # expanded in there
    refused 1 "can't be opened: Too many open files" \
        sh -c 'ulimit -n 12; exec "$0" "$@"' "$TLSYN" run -- true
    passed "the limit of open files is named for what it is"

    refused 1 'refused the connection' "$TLSYN" get "https://$kernel:9/"
    refused 1 'refused the connection' "$TLSYN" connect "$own:9"
    refused 1 'did not answer within' "$TLSYN" get "https://$kernel:7001/" --timeout 500ms
    refused 1 'did not answer within' "$TLSYN" connect "$kernel:7002" --timeout 500ms
    refused 4 'port 7003: ' "$TLSYN" connect "$kernel:7003"
    refused 1 'port 7004' "$TLSYN" connect "$kernel:7004"
    refused 1 'not done within --max-time' "$TLSYN" get -k "https://$kernel:7005/" --max-time 1s
    passed "peers that refuse, are silent, speak no TLS, hang up, or never come to an end"

    ! "$TLSYN" get -v "https://$kernel:9/" 2>"$scratch/err" || fail "port 9 answers"
    grep -q "no connection to $kernel port 9" "$scratch/err" &&
        grep -q 'with [0-9]* bytes of TLS, then bare' "$scratch/err" &&
        ! grep -q 'connected to\|certificate' "$scratch/err" ||
        fail "an attempt is told as a connection: $(cat "$scratch/err")"
    ! "$TLSYN" get --json -o /dev/null "https://$kernel:9/" >"$scratch/out" 2>&1 || fail "port 9 answers"
    grep -q '"mode": null' "$scratch/out" || fail "a mode of no connection: $(cat "$scratch/out")"
    "$TLSYN" get -v --early-data --no-cache --ca "$SHARED/ca.pem" "https://$own/" \
        >/dev/null 2>"$scratch/err" || fail "get ends with $?: $(cat "$scratch/err")"
    grep -q 'early data  none: no ticket' "$scratch/err" ||
        fail "why nothing was early is not said: $(cat "$scratch/err")"
    "$TLSYN" connect -v --ca "$SHARED/ca.pem" "$own" >/dev/null 2>"$scratch/err" </dev/null ||
        fail "connect -v ends with $?: $(cat "$scratch/err")"
    grep -q 'mode  *embedded' "$scratch/err" || fail "$(cat "$scratch/err")"
    passed "what was tried, and what there was to offer, is told by -v"

    refused 4 'issuer is not trusted.*--ca' "$TLSYN" get "https://$own/"
    refused 4 'not for the expected other.test.*--servername' \
        "$TLSYN" get "https://$own/" --ca "$SHARED/ca.pem" --servername other.test
    refused 4 'expired' "$TLSYN" get "https://$kernel:4433/" --ca "$SHARED/old.pem"
    refused 4 'TLS\|version\|handshake' "$TLSYN" connect "$own" --ca "$SHARED/ca.pem" --tls 1.2-rsa
    refused 1 "can't be read: No such file" "$TLSYN" get "https://$own/" --ca /nowhere
    refused 1 'no trusted certificate could be read' "$TLSYN" get "https://$own/" --ca "$self"
    "$TLSYN" get -k "https://$own/" >/dev/null || fail "--insecure verifies"
    passed "certificates that don't verify, with the reason and the remedy"

    refused 5 '404 Not Found' "$TLSYN" get "https://$own/nothing" --ca "$SHARED/ca.pem"
    refused 1 "/nowhere/x can't be written" "$TLSYN" get "https://$own/" --ca "$SHARED/ca.pem" \
        -o /nowhere/x
    refused 1 "capture /nowhere/x can't be written" "$TLSYN" get "https://$own/" \
        --capture /nowhere/x
    refused 1 "can't be served" "$TLSYN" serve /nowhere --self-signed "$scratch/x"
    refused 1 "can't be written" "$TLSYN" serve / --self-signed /nowhere/x
    refused 1 'address in use' "$TLSYN" serve / --self-signed "$scratch/x" \
        --address 127.0.0.1/8
    refused 1 "can't be found\|no host called" "$TLSYN" get https://no.such.host.invalid/ \
        --timeout 5s
    passed "files, folders and names"

    refused 2 'no option --nothing' "$TLSYN" get --nothing "https://$own/"
    refused 2 'URL is missing' "$TLSYN" get
    refused 2 'takes a duration' "$TLSYN" get --timeout soon "https://$own/"
    refused 2 'only https' "$TLSYN" get "http://$own/"
    refused 2 'HOST or HOST:PORT' "$TLSYN" connect "$own:99999"
    refused 2 '--self-signed' "$TLSYN" serve /
    refused 2 'no command "fetch"' "$TLSYN" fetch
    passed "command lines"

    if command -v setpriv >/dev/null; then
        refused 3 'setcap cap_net_raw+ep .*sudo.*tlsyn lab' \
            setpriv --bounding-set=-all --inh-caps=-all "$TLSYN" get "https://$own/"
        refused 3 'setcap cap_net_raw+ep .*sudo.*tlsyn lab' \
            setpriv --bounding-set=-all --inh-caps=-all "$TLSYN" serve / \
            --self-signed "$scratch/x" --link pcap
        passed "no permission, and what to type"
    fi

    "$TLSYN" ping -c 1 10.77.0.99 >"$scratch/out" 2>&1 && fail "nobody answers ping"
    grep -q 'Destination Host Unreachable' "$scratch/out" || fail "$(cat "$scratch/out")"
    grep -q 'tlsyn: 10.77.0.99 is unreachable' "$scratch/out" || fail "$(cat "$scratch/out")"
    "$TLSYN" ping 10.77.0.12 --interval 50ms >"$scratch/out" 2>&1 &
    pid=$!
    await "$scratch/out" 'icmp_seq=2'
    kill -INT "$pid"
    wait "$pid" || fail "an interrupted ping with answers fails"
    grep -q 'packets transmitted' "$scratch/out" ||
        fail "Ctrl-C shows no statistics: $(cat "$scratch/out")"
    "$TLSYN" get -k "https://$kernel:7006/" -o "$scratch/got" 2>"$scratch/err" &
    pid=$!
    await "$scratch/got.part" .
    kill -INT "$pid"
    status=0
    wait "$pid" || status=$?
    [ "$status" -eq 130 ] || fail "an interrupted get ends with $status"
    [ -z "$(find "$scratch" -name 'got*')" ] ||
        fail "an interrupted get leaves $(find "$scratch" -name 'got*')"
    passed "Ctrl-C ends at once, and leaves nothing"

    # The first contact brings the cookie with which the kernel sends the second one's
    # bytes in the SYN.
    perl -e "$fast_open" "$own" >"$scratch/first" ||
        fail "garbage after the handshake: $(cat "$scratch/first")"
    grep -q '^1503..0002.... end$' "$scratch/first" || fail "no lone alert: $(cat "$scratch/first")"
    perl -e "$fast_open" "$own" >"$scratch/second" ||
        fail "garbage in a SYN: $(cat "$scratch/second")"
    grep -q '^\(1503..0002....\)\{0,1\} reset$' "$scratch/second" ||
        fail "no reset: $(cat "$scratch/second")"
    [ "$(grep -c 'no TLS: what the peer sent is not TLS' "$SHARED/log")" -eq 2 ] ||
        fail "$(cat "$SHARED/log")"
    if command -v tshark >/dev/null; then
        soon alert_in_synack || fail "no alert in the SYN-ACK: $(cat "$scratch/alert")"
    fi
    "$TLSYN" get --ca "$SHARED/ca.pem" "https://$own/" >/dev/null ||
        fail "garbage in a SYN breaks the server"
    passed "garbage instead of a ClientHello, in a SYN too: an alert and a reset, and the server serves on"
}

# The capture lags by a tenth of a second.
alert_in_synack()
{
    HOME=$scratch tshark -r "$SHARED/serve.pcapng" -Y 'tcp.flags.syn == 1 && tcp.flags.ack == 1 && tcp.len == 7' \
        -T fields -e tcp.payload >"$scratch/alert" 2>/dev/null
    grep -q '^1503' "$scratch/alert"
}

# shellcheck disable=SC2016 # perl's variables
# Sends garbage in the SYN where a cookie allows it, and prints what comes back in hex,
# and how it ended.
fast_open='
    use Socket;
    socket(my $s, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    my $to = sockaddr_in(443, inet_aton($ARGV[0]));
    $SIG{ALRM} = sub { print "nothing\n"; exit 1 };
    alarm 60;
    my ($all, $end) = ("", "end");
    $end = "reset" unless defined(send($s, "GET / HTTP/1.1\r\nHost: garbage\r\n\r\n" x 4,
        0x20000000, $to));
    while ($end eq "end") {
        my $n = sysread($s, my $piece, 4096);
        $end = "reset" unless defined $n;
        last unless $n;
        $all .= $piece;
    }
    print unpack("H*", $all), " $end\n";
'

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
openssl x509 -in "$scratch/ec.pem" -signkey "$scratch/ec.key" -days -1 -out "$scratch/old.pem" \
    2>/dev/null ||
    fail "openssl makes no expired certificate"
cp "$scratch/ec.key" "$scratch/old.key"
echo index >"$scratch/index.html"
head -c 300000 /dev/zero >"$scratch/large"
cat >"$scratch/servers.pl" <<'END'
# Peers of a kind on the kernel's stack: 7001 takes no SYN (a filter drops all that comes to the
# socket), 7002 is silent, 7003 speaks no TLS, 7004 hangs up at once.
use Socket;
$| = 1;
sub listener
{
    my ($port, $filter) = @_;
    socket(my $s, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
    setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
    if ($filter) { # struct sock_fprog of one instruction: return 0
        my $code = pack("SCCL", 6, 0, 0, 0);
        setsockopt($s, SOL_SOCKET, 26, pack("Sx![P]P", 1, $code)) or die "filter: $!";
    }
    bind($s, sockaddr_in($port, INADDR_ANY)) or die "bind: $!";
    listen($s, 16);
    return $s;
}
my $deaf = listener(7001, 1);
my @talker = map { listener($_, 0) } (7002, 7003, 7004);
print "ready\n";
my @kept;
while (1) {
    my $set = "";
    vec($set, fileno($_), 1) = 1 for @talker;
    select($set, undef, undef, undef);
    for my $i (0 .. 2) {
        next unless vec($set, fileno($talker[$i]), 1);
        accept(my $c, $talker[$i]);
        push @kept, $c if $i == 0;
        syswrite($c, "220 mail.test ESMTP, no TLS here\r\n" x 3), push @kept, $c if $i == 1;
        close($c) if $i == 2;
    }
}
END
# 7005 and 7006 answer with a body that never ends.
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve . --self-signed ca.pem --tls 1.3 --capture serve.pcapng 2>log &
perl servers.pl >perl 2>perl.log &
openssl s_server -accept 4433 -cert old.pem -key old.key -quiet -www &
for port in 7005 7006; do
    (printf 'HTTP/1.1 200 OK\r\n\r\nendless\n' && sleep 1000) |
        openssl s_server -accept \$port -cert ec.pem -key ec.key -quiet -naccept 1 >/dev/null &
done
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 1ms --server "sh $scratch/servers 2>$scratch/servers.log" -- "$self" inside ||
    { tail -n 3 "$scratch/log"; cat "$scratch/servers.log" "$scratch/perl.log"; exit 1; }
no_findings "$scratch/log"
