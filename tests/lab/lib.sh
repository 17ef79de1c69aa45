# Shared by the tests in namespaces. ctest runs each with TLSYN = the binary; from the shell:
#     TLSYN=build/release/tlsyn tests/lab/lab_link.sh
# A test exits with 0, with 1 at the first thing that isn't as it should be, with 77 when it can't
# run here and says why.
# shellcheck shell=sh
set -eu
unset CDPATH

: "${TLSYN:?is the tlsyn binary to test}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Nothing from another test, or the user's: caches, and what `tlsyn ss` finds running. A script that runs itself in the
# lab's hosts keeps what it had outside.
if [ -z "${TLSYN_TEST_FOLDER:-}" ]; then
    mkdir -m 700 "$scratch/runtime"
    export TLSYN_TEST_FOLDER="$scratch" TLSYN_CACHE="$scratch/cache" XDG_RUNTIME_DIR="$scratch/runtime"
fi

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

# await FILE PATTERN: until the file has a line like that; 20 seconds at most.
await()
{
    tries=0
    until grep -q "$2" "$1" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -le 400 ] || fail "no \"$2\" within 20 s: $(cat "$1" 2>&1)"
        sleep 0.05
    done
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

# cut_short STUDY AFTER OPTION...: interrupts it, in $scratch/STUDY, when it has made so many observations.
cut_short()
{
    study=$1 after=$2
    shift 2
    "$TLSYN" bench "$study" "$@" -o "$scratch/$study" >/dev/null 2>"$scratch/log" &
    run=$!
    tries=0
    # shellcheck disable=SC2002 # not a useless cat: the file is not there at first
    until [ "$(cat "$scratch/$study/samples.jsonl" 2>/dev/null | wc -l)" -gt "$after" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 800 ] || fail "$study: too few observations within 40 s: $(cat "$scratch/log")"
        sleep 0.05
    done
    kill -TERM "$run" # a shell without a terminal has its background ignore SIGINT
    status=0
    wait "$run" || status=$?
    [ "$status" -eq 130 ] || fail "$study: interrupted, it ends with $status: $(cat "$scratch/log")"
    jq -e '.environment.interrupted' "$scratch/$study/$study.json" >/dev/null || fail "$study: the report does not say so"
}

# no_findings FILE...: fails if a sanitizer said something there: a server that is asked to end has
# its leaks reported.
no_findings()
{
    ! grep -H -A 20 'Sanitizer\|runtime error' "$@" >&2 || fail "a sanitizer found something"
}
