# Shared by the tests in namespaces. ctest runs each with TLSYN = the binary; from the shell:
#     TLSYN=build/release/tlsyn tests/lab/lab_link.sh
# A test exits with 0, with 1 at the first thing that isn't as it should be, with 77 when it can't
# run here and says why.
# shellcheck shell=sh
set -eu
unset CDPATH

# Whoever runs tests in the background may ignore what they send (HUP, INT, PIPE, TERM), and no shell can undo that.
if [ $((0x$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/$$/status) & 0x5003)) -ne 0 ] && env --default-signal true 2>/dev/null; then
    exec env --default-signal "$0" "$@"
fi

: "${TLSYN:?is the tlsyn binary to test}"
# Nothing from another test, or the user's: caches, and what `tlsyn ss` finds running. A script that runs itself in the
# lab's hosts keeps what it had outside, and has its own files inside that.
if [ -n "${TLSYN_TEST_FOLDER:-}" ] && [ -w "$TLSYN_TEST_FOLDER" ]; then
    scratch=$(mktemp -d "$TLSYN_TEST_FOLDER/XXXXXX")
else
    [ -z "${TLSYN_TEST_FOLDER:-}" ] || unset TMPDIR # it is somebody else's, who is not us
    scratch=$(mktemp -d)
    # Who is killed can't tidy up: somebody who outlives him does.
    # shellcheck disable=SC2016 # expanded in there
    setsid -f sh -c 'tail --pid="$1" -f /dev/null
        pids=$(grep -lz "^TLSYN_TEST_FOLDER=$2\$" /proc/[0-9]*/environ | cut -d / -f 3)
        [ -z "$pids" ] || kill $pids
        rm -rf "$2"' sh $$ "$scratch" </dev/null >/dev/null 2>&1
    mkdir -m 700 "$scratch/runtime" "$scratch/tmp"
    export TLSYN_TEST_FOLDER="$scratch" TLSYN_CACHE="$scratch/cache" XDG_RUNTIME_DIR="$scratch/runtime" TMPDIR="$scratch/tmp"
fi
trap 'rm -rf "$scratch"' EXIT

fail()
{
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

skip()
{
    printf 'skipped: %s\n' "$*" >&2
    exit 77
}

passed()
{
    printf 'ok: %s\n' "$*"
}

# need COMMAND...: skips the test where one of them isn't installed.
need()
{
    for command in "$@"; do
        command -v "$command" >/dev/null || skip "$command is not installed"
    done
}

# need_namespaces: skips the test where this user can't make a lab.
need_namespaces()
{
    status=0
    "$TLSYN" lab -q -- true 2>"$scratch/refused" || status=$?
    [ "$status" -ne 3 ] || skip "$(cat "$scratch/refused")"
    [ "$status" -eq 0 ] || fail "an empty lab ends with $status: $(cat "$scratch/refused")"
}

# number_before TEXT PATTERN: the first number that stands in front of PATTERN in TEXT; 0 without
# one.
number_before()
{
    found=$(printf '%s\n' "$1" | sed -n "s/.*[^0-9]\([0-9][0-9]*\) *$2.*/\1/p" | head -n 1)
    echo "${found:-0}"
}

# is_between LOW VALUE HIGH: whether a whole number lies there, bounds included.
is_between()
{
    [ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}

# soon COMMAND...: until the command succeeds; fails after a minute, or longer where the machine is slow.
soon()
{
    tries=0
    until "$@"; do
        tries=$((tries + 1))
        [ "$tries" -le 1200 ] || return 1
        sleep 0.05
    done
}

# has FILE PATTERN: the file has a line like that.
has()
{
    grep -q -- "$2" "$1" 2>/dev/null
}

# await FILE PATTERN
await()
{
    soon has "$1" "$2" || fail "no \"$2\" in $1 within a minute: $(cat "$1" 2>&1)"
}

# certificate NAME KEY-OPTIONS...: $scratch/NAME.pem and NAME.key for both kinds of address in the
# lab and localhost.
certificate()
{
    name=$1
    shift
    openssl req -x509 -nodes -newkey "$@" -days 2 -subj "/CN=$name" \
        -addext 'subjectAltName=IP:10.77.0.2,IP:10.77.0.12,DNS:localhost' \
        -keyout "$scratch/$name.key" -out "$scratch/$name.pem" 2>"$scratch/openssl" ||
        fail "openssl makes no certificate: $(cat "$scratch/openssl")"
}

# nginx_configuration LISTEN-OPTIONS <LINES: $scratch/nginx.conf: an https server of $scratch/www with the certificate
# `ec`, and LINES inside its `server`. `nginx -p $scratch -c nginx.conf` stays in the foreground, as the user that
# it was called by.
nginx_configuration()
{
    cat >"$scratch/nginx.conf" <<END
user root;
daemon off;
master_process off;
error_log $scratch/error.log;
pid $scratch/nginx.pid;
events { worker_connections 64; }
http {
    types { text/html html; }
    access_log off;
    client_body_temp_path $scratch/t1;
    proxy_temp_path $scratch/t2;
    fastcgi_temp_path $scratch/t3;
    uwsgi_temp_path $scratch/t4;
    scgi_temp_path $scratch/t5;
    server {
        listen 443 ssl $1;
        ssl_certificate $scratch/ec.pem;
        ssl_certificate_key $scratch/ec.key;
        root $scratch/www;
$(cat)
    }
}
END
}

# again CHECK...: whether it succeeds in one of five tries. A machine that is busy with something else spoils one, a fault all.
again()
{
    for _ in 1 2 3 4 5; do
        ! "$@" || return 0
    done
    return 1
}

# cut_short FOLDER SEEN COMMAND...: interrupts the study, whose report goes to FOLDER, when `SEEN FOLDER` succeeds; what it said
# is in $scratch/table and log. One that was faster than we are begins again. group=-: all its process group is interrupted.
cut_short()
{
    folder=$1 seen=$2
    shift 2
    for _ in 1 2 3 4 5; do
        rm -rf "$folder"
        "$@" -o "$folder" >"$scratch/table" 2>"$scratch/log" &
        run=$!
        soon seen_or_over || fail "$*: not within a minute: $seen: $(cat "$scratch/log")"
        kill -s TERM -- "${group:-}$run" 2>/dev/null || : # a shell without a terminal has its background ignore SIGINT
        status=0
        wait "$run" || status=$?
        [ "$status" -eq 0 ] || break
    done
    [ "$status" -eq 130 ] || fail "$*: interrupted, it ends with $status: $(cat "$scratch/log")"
}

seen_or_over()
{
    $seen "$folder" || ! kill -0 "$run" 2>/dev/null
}

# observed MORE-THAN FOLDER: so many observations are in the journal there.
observed()
{
    # shellcheck disable=SC2002 # not a useless cat: the file is not there at first
    [ "$(cat "$2/samples.jsonl" 2>/dev/null | wc -l)" -gt "$1" ]
}

# no_findings FILE...: fails if a sanitizer said something there: a server that is asked to end has
# its leaks reported.
no_findings()
{
    ! grep -H -A 20 'Sanitizer\|runtime error' "$@" >&2 || fail "a sanitizer found something"
}
