#!/bin/sh
# Programs of others, unmodified, on our TCP: `tlsyn run` against the kernel's stack and its
# programs, in both roles.
# shellcheck source=tests/lab/lib.sh disable=SC2015,SC2016 # a failing middle is a failure; perl's and sh's variables
. "$(dirname "$0")/lib.sh"
need curl openssl perl python3
self=$(realpath "$0")

# ours COMMAND...: at our address, as the lab's variables say
ours()
{
    timeout 120 "$TLSYN" run -- "$@"
}

# at ADDRESS COMMAND...
at()
{
    address=$1
    shift
    timeout 120 "$TLSYN" run --address "$address" -- "$@"
}

# ends_with STATUS TEXT COMMAND...: it does, and says so
ends_with()
{
    wanted=$1 text=$2 status=0
    shift 2
    "$@" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" -eq "$wanted" ] || fail "$*: $status, not $wanted: $(cat "$scratch/err")"
    [ -z "$text" ] || grep -q -- "$text" "$scratch/err" || fail "$*: no \"$text\" in $(cat "$scratch/err")"
}

fetching()
{
    ours curl -sS -o "$scratch/got" "http://$kernel:8000/large" || fail "curl"
    cmp "$SHARED/large" "$scratch/got" || fail "curl got something else"
    at 10.77.0.14/24 curl -sS -o "$scratch/got" --cacert "$SHARED/ec.pem" "https://$kernel:4433/large" ||
        fail "curl with its own TLS"
    cmp "$SHARED/large" "$scratch/got" || fail "curl got something else by TLS"
    grep -q "^$TLSYN_ADDRESS_ONLY " "$SHARED/http.log" || fail "the server saw nothing of $TLSYN_ADDRESS_ONLY"
    passed "curl, with and without TLS, is seen at our address"

    ours sh -c 'for i in 1 2 3; do curl -sS -o /dev/null http://'"$kernel"':8000/small || exit; done' ||
        fail "three programs in turn"
    passed "a shell runs one program after another"

    at fd77::15/64 curl -sS -g -o "$scratch/got" "http://[$TLSYN_KERNEL_PEER6]:8001/large" ||
        fail "curl over IPv6"
    cmp "$SHARED/large" "$scratch/got" || fail "curl got something else over IPv6"
    passed "over IPv6"
}

serving()
{
    cd "$SHARED"
    "$TLSYN" run --address 10.77.0.16/24 -- python3 -u -m http.server 80 >"$scratch/server" 2>&1 &
    server=$!
    await "$scratch/server" Serving
    echo 10.77.0.16 >"$SHARED/serve"
    await "$SHARED/fetched" "done"
    cmp "$SHARED/large" "$SHARED/fetched.1" && cmp "$SHARED/large" "$SHARED/fetched.2" ||
        fail "the kernel's curl got something else: $(cat "$scratch/server")"
    grep -q 'GET /large' "$scratch/server" || fail "the server says nothing"
    kill "$server"
    wait "$server" 2>/dev/null || :
    passed "python3 -m http.server to the kernel's curl"
    cd - >/dev/null
    command -v dnsmasq >/dev/null || return 0
    "$TLSYN" run --address 10.77.0.17/24 -- dnsmasq -d -C /dev/null -p 53 --no-resolv --no-hosts \
        --address=/a.test/1.2.3.4 --interface=eth0 >"$scratch/dnsmasq" 2>&1 &
    server=$!
    await "$scratch/dnsmasq" started
    echo 10.77.0.17 >"$SHARED/dns"
    await "$SHARED/resolved" "done"
    grep -q '1\.2\.3\.4' "$SHARED/resolving" || fail "dnsmasq: $(cat "$SHARED/resolving" "$scratch/dnsmasq")"
    kill "$server"
    wait "$server" 2>/dev/null || :
    passed "dnsmasq, which lists interfaces and says from which address it answers"
}

# Blocking calls, then non-blocking ones with select, dup and a half-closed stream.
talker='
    use IO::Socket::INET; use IO::Select; use Fcntl;
    my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 7007) or die "connect: $!\n";
    $s->autoflush(1);
    print $s "one\n"; print scalar <$s>;
    fcntl($s, F_SETFL, fcntl($s, F_GETFL, 0) | O_NONBLOCK) or die "fcntl: $!\n";
    defined(sysread($s, my $none, 10)) and die "it blocks not\n"; $!{EAGAIN} or die "read: $!\n";
    open(my $copy, ">&", $s) or die "dup: $!\n"; syswrite($copy, "two\n") == 4 or die "write: $!\n"; close($copy);
    my ($got, $all) = ("", "");
    while (IO::Select->new($s)->can_read(60)) { sysread($s, $got, 100) or last; $all .= $got; last if $all =~ /\n/; }
    print $all; shutdown($s, 1); IO::Select->new($s)->can_read(60) or die "no end\n";
    sysread($s, $got, 10) == 0 or die "more: $got\n"; print "end\n";'

scripts()
{
    ours perl -e "$talker" "$kernel" >"$scratch/out" 2>"$scratch/err" || fail "perl: $(cat "$scratch/err")"
    [ "$(cat "$scratch/out")" = "one
two
end" ] || fail "perl: $(cat "$scratch/out")"
    passed "perl: blocking, select, dup, half-closed"

    printf 'datagram' >"$scratch/datagram"
    ours python3 -c '
import os, selectors, socket, sys
kernel = sys.argv[1]
d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
d.settimeout(60)
d.sendto(b"datagram", (kernel, 7007))
assert d.recv(100) == b"datagram"
s = socket.create_connection((kernel, 7007))
s.setblocking(False)
watch = selectors.EpollSelector()
watch.register(s, selectors.EVENT_READ)
assert watch.select(0) == []
s.sendall(b"three\n")
assert watch.select(60) and s.recv(100) == b"three\n"
with open("/proc/self/exe", "rb") as f:
    head = f.read(16)
    s.setblocking(True)
    assert s.sendfile(f, 0, 16) == 16 and s.recv(16, socket.MSG_WAITALL) == head
s.sendall(b"four\n")
assert s.makefile("rb").readline()[-5:] == b"four\n"
for number in range(20, 30):
    os.dup2(s.fileno(), number)
s.close()
os.closerange(20, 29)
t = socket.socket(fileno=29)
t.sendall(b"five\n")
assert t.recv(100) == b"five\n" and t.getpeername() == (kernel, 7007)
t.close()
' "$kernel" || fail "python3: datagrams, epoll, sendfile, dup2"
    passed "python3: datagrams, epoll, sendfile, dup2"

    ours python3 -c '
import fcntl, socket, struct, sys
index = socket.if_nametoindex("eth0")
d = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked = struct.pack("16si", b"eth0", 0)
assert struct.unpack("16si", fcntl.ioctl(d, 0x8933, asked + bytes(20))[:20])[1] == index # SIOCGIFINDEX
d.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
assert d.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16) == b"eth0\0"
d.setsockopt(socket.IPPROTO_IP, 8, 1) # IP_PKTINFO
d.settimeout(60)
d.sendto(b"whose", (sys.argv[1], 7007))
note = d.recvmsg(100, 100)[1][0][2]
assert struct.unpack("i4s4s", note)[0] == index, note
try:
    d.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth7")
    raise SystemExit("bound to what is not there")
except OSError:
    pass
' "$kernel" || fail "python3: interfaces"
    ours curl -sS --interface eth0 -o "$scratch/got" "http://$kernel:8000/small" || fail "curl --interface"
    passed "interfaces are asked about, and bound to, by the names that the kernel has for them"

    if command -v cc >/dev/null; then
        cc -O2 -D_FORTIFY_SOURCE=2 -o "$scratch/stdio" "$SHARED/stdio.c" || fail "cc"
        [ "$(ours "$scratch/stdio" "$kernel")" = "line" ] || fail "stdio"
        passed "a stream of stdio, by fdopen"
    fi
    if command -v nc >/dev/null; then
        [ "$(printf 'five\n' | ours nc "$kernel" 7007 | head -n 1)" = five ] || fail "nc"
        passed "nc"
    fi
}

ends()
{
    ends_with 7 '' ours sh -c 'exit 7'
    ends_with 7 'connect' ours curl -sS "http://$kernel:9/"
    ends_with 127 'no-such-program' ours no-such-program
    ends_with 2 'takes an address' "$TLSYN" run --address dhcp -- true
    ends_with 0 'child of fork' ours perl -e '
        use IO::Socket::INET;
        my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 7007) or die "connect: $!\n";
        unless (fork) { exit(!defined syswrite($s, "x") && $!{EBADF} ? 0 : 1); }
        wait; exit $? >> 8;' "$kernel"
    ends_with 0 'has the network' ours python3 -c '
import socket, subprocess, sys
s = socket.socket()
child = "import socket\ntry: socket.socket()\nexcept OSError: raise SystemExit(5)"
raise SystemExit(0 if subprocess.call([sys.executable, "-c", child]) == 5 else 1)'
    passed "statuses, and what can't be, in a sentence"

    rm -f "$SHARED/closed"
    "$TLSYN" run -- perl -e '
        use IO::Socket::INET;
        my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 7007) or die "connect: $!\n";
        $s->autoflush(1); print $s "signal\n"; print STDERR scalar <$s>; sleep 1000;' "$kernel" 2>"$scratch/err" &
    program=$!
    await "$scratch/err" signal
    kill "$program"
    status=0
    wait "$program" || status=$?
    [ "$status" -eq 143 ] || fail "SIGTERM: $status $(cat "$scratch/err")"
    await "$SHARED/echo.log" 'end after signal'
    passed "who dies by a signal closes his connections"
}

inside()
{
    kernel=$TLSYN_KERNEL_PEER TLSYN_ADDRESS_ONLY=${TLSYN_ADDRESS%/*}
    await "$SHARED/ready" kernel
    await "$SHARED/http.log" Serving
    await "$SHARED/http6.log" Serving
    await "$SHARED/s_server.log" ACCEPT
    fetching
    serving
    scripts
    ends
}

[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
certificate ec ec -pkeyopt ec_paramgen_curve:P-256
head -c 3000000 /dev/urandom >"$scratch/large"
echo small >"$scratch/small"
cat >"$scratch/echo.py" <<'END'
import socket, sys, threading
def echo(s):
    last = b""
    while (got := s.recv(65536)):
        last = got
        s.sendall(got)
    print("end after", last.decode("latin-1").strip()[:20], flush=True)
    s.close()
def datagrams(u):
    while True:
        got, who = u.recvfrom(65536)
        u.sendto(got, who)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("", 7007))
threading.Thread(target=datagrams, args=(u,), daemon=True).start()
l = socket.create_server(("", 7007))
print("kernel", file=open("ready", "w"), flush=True)
while True:
    threading.Thread(target=echo, args=(l.accept()[0],), daemon=True).start()
END
cat >"$scratch/stdio.c" <<'END'
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(7007)};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    char line[100];
    FILE *stream;
    if (argc != 2 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
        connect(s, (struct sockaddr *)&to, sizeof(to)) < 0 || !(stream = fdopen(s, "r+")))
        return 1;
    if (fputs("line\n", stream) < 0 || fflush(stream) != 0 || !fgets(line, sizeof(line), stream))
        return 1;
    fputs(line, stdout);
    return fclose(stream) != 0;
}
END
cat >"$scratch/servers" <<END
cd $scratch
python3 -u -m http.server 8000 >http.log 2>&1 &
python3 -u -m http.server --bind :: 8001 >http6.log 2>&1 &
openssl s_server -WWW -accept 4433 -cert ec.pem -key ec.key >s_server.log 2>&1 &
python3 echo.py >echo.log 2>&1 &
until [ -s serve ]; do sleep 0.1; done
curl -sS -o fetched.1 "http://\$(cat serve)/large" &
curl -sS -o fetched.2 "http://\$(cat serve)/large"
wait \$!
echo "done" >fetched
until [ -s dns ]; do sleep 0.1; done
"$TLSYN" ping -q -c 1 a.test --dns "\$(cat dns)" >resolving 2>&1
echo "done" >resolved
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers" -- "$self" inside
