#!/bin/sh
# --address host: our stack and the kernel's on one address. Both ends share theirs, and the
# kernels' downloads over the same interfaces go on undisturbed; no kernel resets what is ours, and
# nothing is left behind. GUARD_SECONDS makes it longer, GUARD_PAUSE (seconds between rounds) and
# GUARD_RATE (bytes per second, of the kernel's download) gentler.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need curl openssl perl python3 ss setpriv
watch=$(dirname "$(realpath "$0")")/resets.py
self=$(realpath "$0")
seconds=${GUARD_SECONDS:-4}

# --- in the lab's client host ---------------------------------------------------------------------
# listening: TCP and UDP ports that somebody has
listening()
{
    ss -Htuan state listening state unconnected
}

# Kernel to kernel, without a break, until $scratch/stop is there; each file whole.
downloads()
{
    n=0
    until [ -e "$scratch/stop" ]; do
        curl -sS --limit-rate "${GUARD_RATE:-1G}" -o "$scratch/down" "http://$TLSYN_KERNEL_PEER:8080/" 2>>"$scratch/down.err" ||
            { echo "curl ends with $?" >>"$scratch/down.err"; return; }
        [ "$(stat -c %s "$scratch/down")" -eq 4000000 ] ||
            echo "a download of $(stat -c %s "$scratch/down") bytes" >>"$scratch/down.err"
        n=$((n + 1))
        echo "$n" >"$scratch/downloads"
    done
}

# got WHAT COMMAND...: the file comes, whole
got()
{
    what=$1
    shift
    "$@" >"$scratch/got" 2>"$scratch/err" || fail "$what ends with $?: $(cat "$scratch/err")"
    cmp -s "$scratch/got" "$SHARED/www/file" || fail "$what brings something else"
}

# connections FAMILY-OF-OURS SERVER: ours to ours, the kernel's to ours, ours to the kernel's
connections()
{
    got "ours to ours at $2" "$TLSYN" get --address "$1" --ca "$SHARED/ec.pem" \
        --servername localhost "https://$2:8443/file"
    got "curl to ours at $2" curl -sSk --local-port 20000-20999 "https://$2:8443/file"
    got "ours to the kernel's at $2" "$TLSYN" get --address "$1" -k "https://$2:4433/file"
}

# resets: those that were seen, but for what curl's kernel answers to what arrives behind its close.
resets()
{
    grep -Ev '^[^ ]+\.20[0-9]{3} > |\.9 > [^ ]+\.21001 ' "$scratch/resets" || :
}

# sees_resets PORT: the watch sees what it is for: the kernel's answers at a port that nobody has. So it has seen all before them.
sees_resets()
{
    for peer in "$TLSYN_KERNEL_PEER $TLSYN_KERNEL_PEER" "[$TLSYN_KERNEL_PEER6] $TLSYN_KERNEL_PEER6"; do
        ! curl -s --local-port "$1" "http://${peer% *}:9/" || fail "somebody answers at port 9"
        soon has "$scratch/resets" "^${peer#* }\.9 > .*\.$1 " ||
            fail "resets are not seen: $(cat "$scratch/resets" "$scratch/watch")"
    done
}

inside()
{
    unset TLSYN_ADDRESS
    await "$SHARED/log" serving
    await "$SHARED/log6" serving
    await "$SHARED/perl" ready
    grep -q "https://$TLSYN_KERNEL_PEER:8443/" "$SHARED/log" ||
        fail "the server has another address: $(cat "$SHARED/log")"
    python3 "$watch" eth0 "$scratch/resets" >"$scratch/watch" 2>&1 &
    watcher=$!
    await "$scratch/watch" watching
    sees_resets 21000
    : >"$scratch/resets"
    before=$(listening)
    downloads &
    download=$!

    ends=$(($(date +%s) + seconds))
    rounds=0
    while [ "$rounds" -eq 0 ] || [ "$(date +%s)" -lt "$ends" ]; do
        connections host "$TLSYN_KERNEL_PEER"
        connections host6 "[$TLSYN_KERNEL_PEER6]"
        rounds=$((rounds + 1))
        sleep "${GUARD_PAUSE:-0}"
    done
    "$TLSYN" get -k "https://$TLSYN_KERNEL_PEER:8443/file" >/dev/null ||
        fail "the machine's own address is not the default"
    "$TLSYN" get -k "https://[$TLSYN_KERNEL_PEER6]:8443/file" >/dev/null ||
        fail "nor its IPv6 address for a server that has one"
    passed "$rounds rounds of six connections over both families, ours and the kernels'"

    touch "$scratch/stop"
    wait "$download"
    [ ! -s "$scratch/down.err" ] || fail "a download of the kernel's: $(cat "$scratch/down.err")"
    passed "$(cat "$scratch/downloads") downloads of the kernel's meanwhile, each whole"

    # Datagrams and echo: the kernel's go on, ours are not answered twice.
    "$TLSYN" ping -c 3 --interval 20ms "$TLSYN_KERNEL_PEER" >"$scratch/ping" ||
        fail "our ping: $(cat "$scratch/ping")"
    ping -c 3 -i 0.2 "$TLSYN_KERNEL_PEER" >"$scratch/ping" 2>&1 ||
        fail "the kernel's ping: $(cat "$scratch/ping")"
    ! grep -q DUP "$scratch/ping" || fail "two answer a ping: $(cat "$scratch/ping")"
    passed "one answer to a ping, whoever asks"

    sees_resets 21001
    kill "$watcher" || fail "the watch has ended: $(cat "$scratch/watch")"
    wait "$watcher" || :
    [ -z "$(resets)" ] || fail "$(resets | wc -l) resets: $(resets | head -n 5)"
    passed "not one RST on the wire, but $(grep -c '^[^ ]*\.20[0-9]* > ' "$scratch/resets") of the kernel's behind a close of curl's"
    [ "$(listening)" = "$before" ] || fail "left behind: $(listening)"
    ! ip maddr show dev eth0 | grep -q 'users [2-9]' || fail "$(ip maddr show dev eth0)"
    passed "no port is left behind"
    ends_in_all_ways
}

# start COMMAND...: a server of ours here; $pid is its process
start()
{
    : >"$scratch/serve"
    "$@" 2>"$scratch/serve" >/dev/null </dev/null &
    pid=$!
    await "$scratch/serve" serving
}

ends_in_all_ways()
{
    serve="$TLSYN serve --port 8444 $SHARED/www --self-signed $scratch/ca.pem"

    for signal in INT TERM KILL; do
        # shellcheck disable=SC2086 # words
        start $serve
        ss -Htln 'sport = :8444' | grep -q . || fail "the port is not guarded: $(ss -Htln)"
        ss -0bn >"$scratch/packet"
        ! grep -q 'bpf filter' "$scratch/packet" || grep -q ' 8444,' "$scratch/packet" ||
            fail "all that the kernel receives is copied: $(cat "$scratch/packet")"
        kill -s $signal "$pid"
        wait "$pid" 2>/dev/null || :
        ! ss -Htan 'sport = :8444' | grep -q . || fail "SIG$signal leaves $(ss -Htan)"
    done
    passed "nor by Ctrl-C, SIGTERM, kill -9"

    # shellcheck disable=SC2086
    start $serve
    status=0
    $serve 2>"$scratch/err" || status=$?
    kill "$pid"
    wait "$pid" || :
    [ "$status" -eq 1 ] && grep -q 'port 8444 is in use by another program' "$scratch/err" ||
        fail "a second server ends with $status: $(cat "$scratch/err")"
    "$TLSYN" get -k "https://$TLSYN_KERNEL_ADDRESS:8444/" 2>"$scratch/err" && fail "to ourselves"
    grep -q 'is an address of this machine' "$scratch/err" || fail "$(cat "$scratch/err")"
    "$TLSYN" get -k "https://$TLSYN_KERNEL_PEER:8443/" -i lo 2>"$scratch/err" && fail "by lo"
    grep -q 'lo carries no Ethernet frames' "$scratch/err" || fail "$(cat "$scratch/err")"
    passed "what can't be is said: a port that is taken, ourselves, the loopback"

    start "$TLSYN" serve --port 8444 "$SHARED/www" --self-signed "$scratch/ca.pem"
    ip addr del "$TLSYN_KERNEL_ADDRESS/24" dev eth0
    status=0
    wait "$pid" || status=$?
    ip addr add "$TLSYN_KERNEL_ADDRESS/24" dev eth0
    [ "$status" -eq 1 ] && grep -q 'is no address of this machine any more' "$scratch/serve" ||
        fail "an address that went: $status, $(cat "$scratch/serve")"
    passed "the service ends when the address goes"
    as_ordinary_user
}

as_ordinary_user()
{
    if [ "$(id -u)" -ne 0 ] || ! grep -q '^ *0 *0 *4294967295' /proc/self/uid_map; then
        echo "not shown: other users, since this is no root of the machine"
        return
    fi
    cp "$TLSYN" "$scratch/capable"
    setcap cap_net_raw+ep "$scratch/capable" 2>/dev/null || return 0
    chmod 711 "$scratch"
    user="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all
        --bounding-set=-all,+net_raw env ASAN_OPTIONS=detect_leaks=0"
    # shellcheck disable=SC2086
    got "an ordinary user with setcap" $user "$scratch/capable" get \
        --ca "$SHARED/ec.pem" --servername localhost "https://$TLSYN_KERNEL_PEER:8443/file"
    mkdir -m 777 "$scratch/open"
    # shellcheck disable=SC2086
    start $user "$scratch/capable" serve --port 8444 "$SHARED/www" \
        --self-signed "$scratch/open/ca.pem"
    grep -q '^CapEff:[[:space:]]*0*$' "/proc/$pid/status" || fail "$(cat "/proc/$pid/status")"
    kill "$pid"
    wait "$pid" || fail "$(cat "$scratch/serve")"
    status=0
    # shellcheck disable=SC2086
    $user "$scratch/capable" serve "$SHARED/www" --self-signed "$scratch/open/ca.pem" \
        2>"$scratch/err" || status=$?
    [ "$status" -eq 3 ] && grep -q 'may not have port 443.*cap_net_bind_service' "$scratch/err" ||
        fail "a privileged port: $status, $(cat "$scratch/err")"
    passed "an ordinary user needs cap_net_raw alone, from port 1024 on, and keeps nothing"
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
chmod 755 "$scratch"
mkdir "$scratch/www"
head -c 300000 /dev/urandom >"$scratch/www/file"
cat >"$scratch/http.pl" <<'END_OF_PERL'
# The kernel's web server: 4,000,000 bytes for whoever asks.
use Socket;
$SIG{CHLD} = "IGNORE";
socket(my $s, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
bind($s, sockaddr_in(8080, INADDR_ANY)) or die "bind: $!";
listen($s, 16);
$| = 1;
print "ready\n";
while (accept(my $c, $s)) {
    next if fork;
    sysread($c, my $request, 4096);
    print $c "HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\nConnection: close\r\n\r\n"; # all of it, whatever interrupts
    print $c "x" x 40000 for 1 .. 100;
    exit; # which writes the rest
}
END_OF_PERL
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve www --port 8443 --address host --cert ec.pem --key ec.key 2>log &
$TLSYN serve www --port 8443 --address host6 --cert ec.pem --key ec.key 2>log6 &
perl http.pl >perl 2>perl.log &
cd www && openssl s_server -accept 4433 -cert ../ec.pem -key ../ec.key -quiet -WWW &
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers 2>$scratch/servers.log" -- "$self" inside ||
    { tail -n 3 "$scratch"/log*; cat "$scratch/servers.log" "$scratch/perl.log"; exit 1; }
no_findings "$scratch/log" "$scratch/log6"
