#!/bin/sh
# tlsyn serve --page: its names asked of its DNS server, its files by curl and tlsyn get, and the whole page, the typical one and
# one of a HAR file, by a browser, which finds every URL of it.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need curl openssl getent
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------
inside()
{
    await "$SHARED/serve.log" serving
    printf 'nameserver %s\noptions timeout:30\n' "$TLSYN_PEER" >"$scratch/resolv.conf"
    # The C library asks the server whose resolv.conf it sees.
    unshare -m sh -c "mount --bind '$scratch/resolv.conf' /etc/resolv.conf && getent ahostsv4 images.page.test &&
        ! getent ahostsv4 nobody.page.test" >"$scratch/names" || fail "the C library's resolver: $(cat "$scratch/names")"
    grep -q "^$TLSYN_PEER " "$scratch/names" || fail "a wrong address: $(cat "$scratch/names")"
    passed "names are asked of the page's server"

    resolve="--resolve www.page.test:443:$TLSYN_PEER --resolve images.page.test:443:$TLSYN_PEER"
    # shellcheck disable=SC2086
    curl -sS -m 120 --cacert "$SHARED/ca.pem" $resolve -L -w '%{http_code} %{url_effective} %{size_download}\n' -o /dev/null \
        https://www.page.test/R1 >"$scratch/redirected"
    grep -q '^200 https://images.page.test/RI1.gif 4000$' "$scratch/redirected" ||
        fail "a redirection: $(cat "$scratch/redirected")"
    # shellcheck disable=SC2086
    for there in 200:www.page.test/ 404:www.page.test/RI1.gif 404:images.page.test/; do
        code=$(curl -sS -m 120 --cacert "$SHARED/ca.pem" $resolve -o /dev/null -w '%{http_code}' "https://${there#*:}")
        [ "$code" = "${there%%:*}" ] || fail "${there#*:} gets $code"
    done
    code=$(curl -sS -m 120 --cacert "$SHARED/ca.pem" -o /dev/null -w '%{http_code}' "https://$TLSYN_PEER/")
    [ "$code" = 421 ] || fail "another host gets $code"
    passed "curl finds files and redirections, host by host"

    "$TLSYN" get --ca "$SHARED/ca.pem" --dns "$TLSYN_PEER" -o - https://www.page.test/F1.html >"$scratch/F1.html" ||
        fail "tlsyn get ends with $?"
    grep -q 'src="/IMG1_7.gif"' "$scratch/F1.html" || fail "that is no frame: $(cat "$scratch/F1.html")"
    passed "tlsyn get asks for the name and gets a frame, over our own stack"

    command -v chromium >/dev/null || { echo "no chromium here: no browser looks at the pages"; return; }
    : >"$SHARED/serve.log"
    browse "*.page.test" "$TLSYN_PEER" https://www.page.test/
    grep -q '<frame src="/F1.html">' "$scratch/dom" || fail "the browser sees: $(cat "$scratch/dom")"
    fetches 29 serve.log
    browse "*.test" 10.77.0.15 https://shop.test/
    fetches "$(sed -n 's/.*shop.har: \([0-9]*\) URLs.*/\1/p' "$SHARED/har.log")" har.log
}

# browse HOSTS ADDRESS URL: in the browser, for which these hosts are there; $scratch/dom.
browse()
{
    HOME=$scratch timeout 240 chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
        --user-data-dir="$scratch/profile" --disable-background-networking --disable-component-update --disable-extensions \
        --disable-sync --ignore-certificate-errors --host-resolver-rules="MAP $1 $2" \
        --virtual-time-budget=20000 --dump-dom "$3" >"$scratch/dom" 2>"$scratch/console" ||
        fail "the browser ends with $?: $(tail -n 3 "$scratch/console")"
}

# fetches URLS LOG: the browser found so many URLs, each of which was there.
fetches()
{
    sed -n 's/.*"GET \([^ ]*\)" \(200\|302\) .*/\1/p' "$SHARED/$2" | sort -u >"$scratch/fetched"
    [ "$(wc -l <"$scratch/fetched")" -eq "$1" ] || fail "the browser fetched $(wc -l <"$scratch/fetched") of $1: $(cat "$scratch/fetched")"
    ! grep '"GET' "$SHARED/$2" | grep -v '" \(200\|302\) ' || fail "and the lines above"
    passed "a browser finds the page's $1 URLs, each of which is there"
}

cd "${SHARED:-/}"
[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside --------------------------------------------------------------------------------------
need_namespaces
cp "$(dirname "$self")/../fuzz/corpus/har/shop.har" "$scratch"
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve --page typical --dns --self-signed ca.pem 2>>serve.log &
$TLSYN serve --page shop.har --address 10.77.0.15/24 --self-signed har.pem 2>har.log &
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch/serve.log" "$scratch/har.log"; exit 1; }
no_findings "$scratch/serve.log" "$scratch/har.log"
