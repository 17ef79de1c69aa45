#!/bin/sh
# tlsyn serve --page, the typical page and one of a HAR file, against curl by HTTP/1.1 and HTTP/2: every URL that the page's files
# name is there, is as long as it should be, and where it is a redirection leads to another. And archives that are none.
# shellcheck source=tests/lab/lib.sh disable=SC2015 # a failing middle is a failure here
. "$(dirname "$0")/lib.sh"
need curl jq
self=$(realpath "$0")

# --- in the lab's client host ---------------------------------------------------------------------

# crawl FOLDER CA ADDRESS URL CURL-OPTION...: fetches the URL and whatever is referred to, as often as it takes; of each a line
# "STATUS HTTP-VERSION BYTES URL LOCATION" in FOLDER/fetched.
crawl()
{
    folder=$1 ca=$2 address=$3
    mkdir -p "$folder"
    echo "$4" >"$folder/new"
    shift 4
    : >"$folder/fetched"
    while [ -s "$folder/new" ]; do
        awk -v folder="$folder" -v at="$(wc -l <"$folder/fetched")" \
            '{ printf "url = \"%s\"\noutput = \"%s/%d\"\n", $0, folder, at + NR }' "$folder/new" >"$folder/config"
        curl -sS -m 120 --no-progress-meter -Z --parallel-max 16 --cacert "$SHARED/$ca" --connect-to "::$address:443" "$@" -K "$folder/config" \
            -w '%{http_code} %{http_version} %{size_download} %{url_effective} %{redirect_url}\n' >>"$folder/fetched" ||
            fail "curl ends with $?"
        sed 'N; s/^url = "\(.*\)"\noutput = "\(.*\)"$/\1 \2/' "$folder/config" | while read -r url file; do
            referred "$url" "$file"
        done >"$folder/found"
        awk '$1 ~ /^30/ { print $5 }' "$folder/fetched" >>"$folder/found"
        awk 'FILENAME ~ /fetched$/ { had[$4] = 1; next } !had[$0]++' "$folder/fetched" "$folder/found" >"$folder/new"
    done
}

# referred URL FILE: what the file there names.
referred()
{
    [ -e "$2" ] || return 0
    host=${1#https://}
    grep -ao '"\(https:/\)\?/[^"]*"' "$2" | tr -d '"' | grep -v '\.dtd$' | sed "s|^/|https://${host%%/*}/|"
}

# expect FOLDER URLS VERSION SIZES: so many URLs by that version of HTTP, each of which is there and as long as SIZES, rules of awk,
# say of $4.
expect()
{
    [ "$(wc -l <"$1/fetched")" -eq "$2" ] || fail "$1: not $2 URLs: $(cat "$1/fetched")"
    awk -v version="$3" '{ want = 0 } '"$4"' $1 != 302 && ($1 != 200 || $3 != want) { print } $2 != version { print }
        $1 == 302 && $5 == "" { print }' "$1/fetched" >"$1/wrong"
    [ ! -s "$1/wrong" ] || fail "$1: wrong: $(cat "$1/wrong")"
    passed "$1: $2 URLs, as long as they should be"
}

inside()
{
    await "$SHARED/typical.log" serving
    await "$SHARED/har.log" serving
    urls=$(sed -n 's/.*shop.har: \([0-9]*\) URLs.*/\1/p' "$SHARED/har.log")
    # shellcheck disable=SC2016 # awk's
    sizes='$4 ~ /\/$/ { want = 1000 } $4 ~ /\/F[12].html$/ { want = 6000 } $4 ~ /\.css$/ { want = 3000 } $4 ~ /\.js$/ { want = 5000 }
        $4 ~ /\.gif$/ { want = 4000 }'
    cd "$scratch"
    for version in 1.1 2; do
        crawl "typical-$version" typical.pem "$TLSYN_PEER" https://www.page.test/ "--http$version"
        expect "typical-$version" 29 "$version" "$sizes"
        crawl "har-$version" har.pem 10.77.0.15 https://shop.test/ "--http$version"
        expect "har-$version" "$urls" "$version" '{ want = 1200 }'
    done
    [ "$(cat typical-1.1/[0-9]* | sort | cksum)" = "$(cat typical-2/[0-9]* | sort | cksum)" ] ||
        fail "HTTP/2 brings other files than HTTP/1.1"
    passed "both versions of HTTP bring the same"

    curl -sS -m 120 -L --cacert "$SHARED/typical.pem" --connect-to "::$TLSYN_PEER:443" -o got -w '%{num_redirects} %{size_download}' \
        https://www.page.test/R2 >redirected || fail "curl follows no redirection"
    [ "$(cat redirected)" = "1 4000" ] || fail "a redirection gives $(cat redirected)"
    passed "a redirection leads to the other server"
}

cd "${SHARED:-/}"
[ "${1:-}" != inside ] || { inside && exit 0; }

# --- outside: what is no page -----------------------------------------------------------------------

# refused FILE WORDS: by both who read archives, before there is a network.
refused()
{
    for command in "serve --address 10.0.0.9/24 --self-signed $scratch/ca.pem" "bench pageload --model -o $scratch/out"; do
        status=0
        # shellcheck disable=SC2086 # options are words
        timeout 120 "$TLSYN" $command --page "$1" >"$scratch/said" 2>&1 </dev/null || status=$?
        [ "$status" -eq 1 ] && grep -q "$2" "$scratch/said" || fail "$command --page $1 ends with $status: $(cat "$scratch/said")"
    done
}

# entries JQ-EXPRESSION: an archive of a document and so many entries.
entries()
{
    jq -n "{log: {entries: ([{request: {method: \"GET\", url: \"https://main.test/\"},
            response: {status: 200, content: {mimeType: \"text/html\"}}}] + [$1])}}"
}

hars=$scratch/hars
shop=$(dirname "$self")/../fuzz/corpus/har/shop.har
mkdir "$hars"
head -c 900 "$shop" >"$hars/cut.har"
: >"$hars/empty.har"
truncate -s 65M "$hars/huge.har"
entries 'range(1000) | {request: {method: "GET", url: "https://s\(.).test/"}, response: {status: 200}}' >"$hars/servers.har"
entries 'range(1000) | {request: {method: "GET", url: "https://main.test/\(.)"}, response: {status: 200}}' >"$hars/urls.har"
echo '{"log":{"entries":[]}}' >"$hars/nothing.har"
refused "$hars/cut.har" 'no HTTP Archive: line'
refused "$hars/empty.har" 'no HTTP Archive'
refused "$hars/huge.har" 'larger than 64 MiB'
refused /dev/zero 'larger than 64 MiB'
refused "$hars/servers.har" 'more than 32 servers'
refused "$hars/urls.har" 'more than 256 URLs'
refused "$hars/nothing.har" 'no page'
refused "$hars" 'cannot be read: Is a directory'
refused "$hars/missing.har" 'cannot be read: No such file'
passed "what is no page, or too much of one, is refused with a sentence"

# --- outside: the servers ---------------------------------------------------------------------------
need_namespaces
cat >"$scratch/servers" <<END
cd $scratch
$TLSYN serve --page typical --self-signed typical.pem 2>typical.log &
$TLSYN serve --page $(realpath "$shop") --address 10.77.0.15/24 --self-signed har.pem 2>har.log &
wait
END
export SHARED="$scratch"
"$TLSYN" lab -q --rtt 2ms --server "sh $scratch/servers" -- "$self" inside ||
    { cat "$scratch/typical.log" "$scratch/har.log"; exit 1; }
no_findings "$scratch/typical.log" "$scratch/har.log"
