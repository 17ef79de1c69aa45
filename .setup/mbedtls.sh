#!/bin/sh
# Builds our static mbedTLS 3.6 once per configuration and keeps it in the user's cache.
#
#   .setup/mbedtls.sh            make sure that it is there, say where
#   .setup/mbedtls.sh --prefix   the same; print only the installation prefix (CMake calls this)
#
# Debian 12 and Ubuntu 24.04 ship mbedTLS 2.28, and a packaged 3.6 lacks our compile-time choices (clock,
# randomness, early data). So the source package of a later release of the same distribution is taken, from the
# mirror that this machine's own apt uses, checked against the distribution's own signing keys, in apt
# directories of our own: nothing on the machine changes, and no rights are needed.
#
# Cached, under ${XDG_CACHE_HOME:-~/.cache}/tlsyn:
#   source/                     the original tarball and its SHA-256, so that a new configuration needs no network
#   mbedtls-3.6.N-<key>/        include/ and lib/; the key hashes everything that goes into the build
set -eu
unset CDPATH
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=.setup/lib.sh
. "$here/lib.sh"

config=$here/../tls/mbedtls/tlsyn_mbedtls_config.h
changes=$here/../tls/mbedtls/changes.patch
# Always the distribution's own compiler, whatever compiles tlsyn: one library serves every preset.
cc=cc
# The build type is None and the level stands here, for mbedTLS's build types put their own -O2 behind it.
# -maes and -mpclmul make the AES-GCM intrinsics available; mbedTLS asks the CPU before it uses them. With
# SSE4.2 beside them (every x86-64 CPU since 2009) AES-GCM is 1.8 times as fast, as fast as -march=native, and
# the library still runs on other machines. Without the vectoriser X25519, long sums of 64-bit products, takes
# three quarters of the time.
flags="-O3 -fno-tree-vectorize"
case $(uname -m) in
x86_64)
    ! grep -q '^flags.* sse4_2' /proc/cpuinfo || flags="$flags -march=x86-64-v2"
    flags="$flags -maes -mpclmul"
    ;;
esac

# The later releases that carry 3.6, the best first. Where none of them answers, the message says so.
debian_suites="trixie forky sid"
ubuntu_suites="resolute questing plucky"

cache_directory()
{
    if [ -n "${XDG_CACHE_HOME:-}" ]; then
        echo "$XDG_CACHE_HOME/tlsyn"
    elif [ -n "${HOME:-}" ] && [ -w "$HOME" ]; then
        echo "$HOME/.cache/tlsyn"
    else
        (cd "$here/.." && echo "$PWD/build/cache")
    fi
}

# What the cached build depends on: this script, the configuration, our changes, the flags, the compiler.
build_key()
{
    { cat "$here/mbedtls.sh" "$config" "$changes"; echo "$flags"; "$cc" --version; uname -m; } |
        sha256sum | cut -c1-16
}

# The newest finished build for a key; fails if there is none.
find_built()
{
    found=$(find "$cache" -maxdepth 1 -name "mbedtls-3.6.*-$1" 2>/dev/null | sort -V | tail -n 1)
    [ -n "$found" ] && echo "$found"
}

# repositories [APT-OPTION...]: URIs of the repositories whose lists apt holds: the distribution's own first, then
# whatever else carries a component called main; those of security updates hold no whole release.
repositories()
{
    # shellcheck disable=SC2016
    apt-get "$@" indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)' 'Identifier: Packages' |
        awk -F'|' -v codename="$codename" -v origin="$family" '
            $3 != "main" || $2 ~ /security/ || $1 ~ /^cdrom:/ { next }
            {
                uri = $1
                sub(/\/$/, "", uri)
                rank = 3
                if ($2 == codename) rank = 2
                if (tolower($4) == origin) rank = 1
                print rank, uri
            }' | sort -n | awk '!seen[$2]++ { print $2 }'
}

# The same where apt has fetched no lists yet: they are fetched for us alone.
repositories_of_fresh_machine()
{
    say "mbedTLS: asking the repositories of this machine, for apt has no lists yet"
    mkdir -p "$work/machine/lists/partial" "$work/machine/cache/archives/partial"
    set -- -o Dir::State::lists="$work/machine/lists" -o Dir::Cache="$work/machine/cache"
    apt-get -q "$@" update >"$work/log" 2>&1 || :
    repositories "$@"
}

# apt_private ARGS: apt-get or apt-cache with sources, lists and cache of our own.
apt_private()
{
    command=$1
    shift
    "$command" -q \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
        -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Update::Error-Mode=any "$@"
}

# fetch_from URI SUITE: leaves mbedtls_3.6.N.orig.tar.* in $work/source.
fetch_from()
{
    echo "deb-src [signed-by=$keyring] $1 $2 $components" >"$work/sources.list"
    rm -rf "$work/lists" "$work/cache"
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    apt_private apt-get update >"$work/log" 2>&1 || return 1
    version=$(apt_private apt-cache showsrc --only-source mbedtls 2>>"$work/log" |
        sed -n 's/^Version: *\(3\.6\..*\)/\1/p' | sort -V | tail -n 1)
    [ -n "$version" ] || return 1
    (cd "$work/source" &&
        apt_private apt-get source --only-source --download-only "mbedtls=$version") \
        >>"$work/log" 2>&1
}

describe_distribution()
{
    codename='' family='' ID='' ID_LIKE=''
    # shellcheck disable=SC1091
    [ ! -r /etc/os-release ] || . /etc/os-release
    codename=${UBUNTU_CODENAME:-${VERSION_CODENAME:-}}
    case " $ID $ID_LIKE " in
    *" ubuntu "*)
        family=ubuntu suites=$ubuntu_suites components="main universe"
        keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
        ;;
    *" debian "*)
        family=debian suites=$debian_suites components=main
        keyring=/usr/share/keyrings/debian-archive-keyring.gpg
        ;;
    *)
        die "this distribution (${ID:-unknown}) is neither Debian nor Ubuntu, so the source package of mbedTLS can't be found." \
            "Put mbedtls_3.6.N.orig.tar.bz2 and its SHA-256 (sha256sum >NAME.sha256) into $cache/source and run this again."
        ;;
    esac
    [ -r "$keyring" ] || die "the distribution's signing keys ($keyring) are missing." \
        "Install them: apt-get install $family-keyring (Ubuntu) or debian-archive-keyring (Debian)."
}

# Puts the original tarball and its checksum into the cache.
fetch_source()
{
    describe_distribution
    mkdir "$work/source"
    chmod 755 "$work"
    # apt run by root downloads as a user of its own, which needs a folder it may write to.
    [ "$(id -u)" -ne 0 ] || ! id _apt >/dev/null 2>&1 || chown _apt "$work/source"
    uris=$(repositories)
    [ -n "$uris" ] || uris=$(repositories_of_fresh_machine)
    for uri in $uris; do
        for suite in $suites; do
            say "mbedTLS: fetching the source package from $suite of $uri"
            if fetch_from "$uri" "$suite"; then
                mkdir -p "$cache/source"
                (cd "$work/source" && for tarball in mbedtls_3.6.*.orig.tar.*[!c]; do
                    sha256sum "$tarball" >"$tarball.sha256"
                    cp "$tarball" "$tarball.sha256" "$cache/source/"
                done)
                return
            fi
        done
    done
    sed 's/^/  apt: /' "$work/log" >&2 2>/dev/null || :
    die "no repository of this machine's apt configuration gave a source package of mbedTLS 3.6." \
        "Is the machine online? See what apt has: apt-get indextargets --format '\$(REPO_URI) \$(RELEASE)'." \
        "A machine without network: copy $cache from one that has it."
}

# The newest tarball in the cache whose checksum holds; fails if there is none.
find_source()
{
    for sum in $(cd "$cache" && find source -name 'mbedtls_3.6.*.sha256' 2>/dev/null | sort -rV); do
        if (cd "$cache/source" && sha256sum --status -c "${sum#source/}"); then
            echo "$cache/${sum%.sha256}"
            return
        fi
    done
    return 1
}

# build TARBALL: into $cache/mbedtls-<version>-<key>, which appears only when it is whole.
build()
{
    release=$(basename "$1" | sed 's/^mbedtls_\(.*\)\.orig\.tar\..*/\1/')
    target=$cache/mbedtls-$release-$key
    say "mbedTLS: building $release with our configuration into $target (takes about 20 s)"
    fresh=$cache/unfinished-$key
    rm -rf "$fresh"
    mkdir "$work/tree"
    tar -xf "$1" -C "$work/tree" --strip-components=1
    cp "$config" "$work/tree/include/mbedtls/"
    {
        patch -d "$work/tree" -p1 <"$changes" &&
            cmake -G Ninja -S "$work/tree" -B "$work/build" -DCMAKE_C_COMPILER="$cc" \
            -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$flags" \
            -DMBEDTLS_USER_CONFIG_FILE:STRING=mbedtls/tlsyn_mbedtls_config.h \
            -DENABLE_TESTING=OFF -DENABLE_PROGRAMS=OFF -DGEN_FILES=OFF -DMBEDTLS_FATAL_WARNINGS=OFF \
            -DUSE_STATIC_MBEDTLS_LIBRARY=ON -DUSE_SHARED_MBEDTLS_LIBRARY=OFF \
            -DCMAKE_INSTALL_PREFIX="$fresh" -DCMAKE_INSTALL_LIBDIR=lib &&
            cmake --build "$work/build" && cmake --install "$work/build"
    } >"$work/log" 2>&1 || {
        tail -n 30 "$work/log" >&2
        die "mbedTLS $release did not build; the compiler's words stand above."
    }
    mv "$fresh" "$target"
}

cache=$(cache_directory)
key=$(build_key)
if ! prefix=$(find_built "$key"); then
    mkdir -p "$cache" 2>/dev/null || die "can't write to the cache folder $cache." \
        "Name another one: export XDG_CACHE_HOME=/some/folder"
    # One builds, the others wait for it.
    exec 9>"$cache/lock"
    flock 9
    if ! prefix=$(find_built "$key"); then
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        trap 'exit 130' INT TERM HUP
        tarball=$(find_source) || { fetch_source; tarball=$(find_source); }
        build "$tarball"
        prefix=$(find_built "$key")
    fi
fi
if [ "${1:-}" = --prefix ]; then
    echo "$prefix"
else
    say "mbedTLS: $prefix"
fi
