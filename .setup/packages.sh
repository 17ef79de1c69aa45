#!/bin/sh
# Installs what is missing of the packages that a task needs, and only that; when nothing is missing it asks for nothing.
#
#   .setup/packages.sh SET...     the sets: table, test, ci, fuzz, coverage, lint
set -eu
unset CDPATH
# shellcheck source=.setup/lib.sh
. "$(dirname "$0")/lib.sh"

# PACKAGE reason; the distribution's names, the same on Debian 12 and 13 and on Ubuntu 24.04.
packages_of()
{
    case $1 in
    table)
        echo 'build-essential compiles tlsyn and mbedTLS
              cmake describes the build
              ninja-build runs it
              patch applies our changes to mbedTLS
              pkg-config finds the libraries
              libpcap-dev the pcap link: capture with a compiled filter
              libnet1-dev the pcap link: injection at the link layer
              libcap-dev giving up privileges
              libc-ares-dev names to addresses over our own stack
              libnghttp2-dev the frames of HTTP/2, in tlsyn serve and the page loads
              libhttp-parser-dev reading HTTP in tlsyn get and serve
              libxml2-dev     parsing the HTML of pages that are loaded, in tlsyn bench pageload
              gnuplot-nox draws the figures of the report
              libjansson-dev reads results and archives of pages
              libsqlite3-dev keeps what the webperf study observes
              liblwip-dev a peer in the bulk study
              libngtcp2-dev QUIC as a peer in the main study
              libngtcp2-crypto-gnutls-dev its handshake
              libgnutls28-dev the TLS below it
              libssl-dev verifies signatures and hashes (libcrypto); the stock peer beside which the table measures
              systemtap-sdt-dev the trace events as probes'
        ;;
    test)
        packages_of table
        echo 'check runs the unit tests
              python3 a lint, and what watches for resets in a lab test
              openssl the stock TLS peer of the lab tests
              nghttp2-client the stock HTTP/2 clients of the lab tests
              curl the stock HTTPS client of the lab tests
              nginx the stock HTTPS server of the lab tests; installed, but not started
              iputils-ping measures round trips in the lab tests
              iproute2 sets up the router of a lab test
              procps switches its forwarding on
              dnsmasq-base the stock DNS server of the lab tests
              tshark reads our captures in the lab tests
              jq reads our reports in the lab tests
              sqlite3 reads our databases in the lab tests
              r-base-core the reference for our statistics
              chromium opens the reports'
        ;;
    ci)
        echo 'clang-format-14 judges the layout of the sources'
        ;;
    fuzz)
        packages_of table
        echo 'clang compiles the fuzzers
              libclang-rt-dev libFuzzer and the sanitizers of clang'
        ;;
    coverage)
        packages_of test
        echo 'gcovr sums up which lines and branches the tests run'
        ;;
    lint)
        packages_of test
        packages_of ci
        echo 'clang-tidy looks for bugs and for functions too long or too deep
              shellcheck looks for bugs in the scripts'
        ;;
    *) die "no package set is called '$1'" "The sets: table, test, ci, fuzz, coverage, lint" ;;
    esac
}

is_installed()
{
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# A package that this release does not have under that name can only be done without.
is_optional()
{
    case $1 in
    chromium | clang-format-14 | libgnutls28-dev | liblwip-dev | libngtcp2-dev | libngtcp2-crypto-gnutls-dev | \
        systemtap-sdt-dev) return 0 ;;
    *) return 1 ;;
    esac
}

command -v dpkg-query >/dev/null 2>&1 || die "this is no Debian or Ubuntu: dpkg-query is missing." \
    "Install the counterparts of the packages listed in .setup/packages.sh, then: make build"

missing=
for set in "$@"; do
    wanted=$(packages_of "$set")
    while read -r package reason; do
        case " $missing " in *" $package "*) continue ;; esac
        is_installed "$package" && continue
        say "missing: $package ($reason)"
        missing="$missing $package"
    done <<END
$wanted
END
done
[ -n "$missing" ] || exit 0

has_candidate()
{
    apt-cache policy "$1" 2>/dev/null | grep -q '^  Candidate: [^(]'
}

# What root does, in one go, so that a password is asked for once. The lock may be held by the updater of a machine that
# has just started.
# shellcheck disable=SC2016
as_root='
    set -e
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    update=$1 optional=$2
    shift 2
    get="apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"
    [ "$update" = no ] || $get update
    # The tests start the daemons they need themselves: a package must not start one on this machine, now or at boot.
    policy=/usr/sbin/policy-rc.d daemons=
    command -v /usr/sbin/nginx >/dev/null || daemons=nginx
    if [ ! -e $policy ]; then
        trap "rm -f $policy" EXIT
        printf "#!/bin/sh\nexit 101\n" >$policy
        chmod 755 $policy
    fi
    # Lists that are out of date name packages that are gone.
    [ $# -eq 0 ] || $get install --no-install-recommends "$@" ||
        { $get update && $get install --no-install-recommends "$@"; }
    for package in $optional; do
        $get install --no-install-recommends "$package" || echo "$package is not to be had here; done without"
    done
    for daemon in $daemons; do
        deb-systemd-helper disable "$daemon.service" || :
        update-rc.d "$daemon" disable || :
    done
'

update=no needed='' optional=''
has_candidate build-essential || update=yes # no package lists yet: a fresh machine
for package in $missing; do
    if ! is_optional "$package"; then
        needed="$needed $package"
        has_candidate "$package" || update=yes
    elif [ "$update" = yes ] || has_candidate "$package"; then
        optional="$optional $package"
    else
        say "$package is not to be had in this release; done without"
    fi
done
[ -n "$needed$optional" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    run=''
elif command -v sudo >/dev/null 2>&1; then
    run=sudo
    say "installing them needs root: sudo may ask for your password"
else
    die "you are not root and there is no sudo, so I can't install what is missing." \
        "As root, type: apt-get update && apt-get install --no-install-recommends$needed$optional"
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "installing:$needed$optional (a minute or two)"
# shellcheck disable=SC2086
if ! $run sh -c "$as_root" sh "$update" "$optional" $needed >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    die "the packages could not be installed; apt's words stand above." \
        "As root, type: apt-get update && apt-get install --no-install-recommends$needed"
fi
