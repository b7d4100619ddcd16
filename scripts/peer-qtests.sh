#!/bin/sh
# peer-qtests.sh: QEMU's own qtest programs, unmodified, against a binary of ours.
#
#   peer-qtests.sh build                        fetches and builds them, once; prints their folder
#   peer-qtests.sh folder                       prints it; fails if they are not built
#   peer-qtests.sh sources                      prints where apt is to get the source from
#   peer-qtests.sh run BINARY TEST [OPTION...]  runs one, prints TAP: rtc-test -p /x86_64/rtc/misc
#
# Their source is Debian's package, of the release that the host's distribution has: 7.2 in Debian
# 12, where there is no 9.0. It comes from where the host's packages come from, through apt, into a
# folder of its own; the host's lists of sources stay as they are. Programs and their data are kept,
# by distribution, in $TANDEM_CACHE, else tandem/ in $XDG_CACHE_HOME or ~/.cache. They are black
# boxes: nobody here reads their source. Between them and the binary is peer_qtest_proxy.py, with
# the boards of that release.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${TANDEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tandem}/peer-qtests
distribution=$(. /etc/os-release && echo "${ID:-none}")
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-none}")
folder=$cache/$suite

die() {
    echo "peer-qtests: $*" >&2
    exit 1
}

# apt with a state of its own, in the folder $work.
apt_alone() {
    command=$1
    shift
    "$command" -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}

# Packages come from where apt is told to get the host's own, in whatever form it is told.
list_sources() {
    keys=/usr/share/keyrings/$distribution-archive-keyring.gpg
    # shellcheck disable=SC2016 # names of apt's fields
    apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
        'Created-By: Packages' |
        sed -n -E "s|^($suite\|stable\|oldstable) main (.*)|deb-src [signed-by=$keys] \2 $suite main|p" |
        sort -u
}

fetch() {
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    list_sources >"$work/sources.list"
    [ -s "$work/sources.list" ] || die "apt knows no source of packages of '$suite', part main"
    apt_alone apt-get update
    (cd "$work" && apt_alone apt-get source qemu)
}

# Only what qtests need: their helpers, the programs, and the generated headers those include.
compile() {
    mkdir "$work/build"
    cd "$work/build"
    "$work"/qemu-*/configure --cc="$(command -v ccache >/dev/null && echo 'ccache ')gcc" \
        --target-list=x86_64-softmmu --without-default-features --enable-system --enable-tcg \
        --enable-tpm --enable-fdt=system --disable-docs --with-git-submodules=ignore
    ninja -t targets all | sed -n 's|^\(tests/qtest/[a-z0-9_-]*\): .*LINKER.*|\1|p' >programs
    # shellcheck disable=SC2046 # a list of names
    ninja $(cat programs)
}

# They run in a folder that has tests/data and themselves, where they look for it.
keep() {
    mkdir -p "$work/kept/tests/qtest" "$work/kept/tests/data"
    # shellcheck disable=SC2046 # a list of names
    (cd "$work/build" && strip $(cat programs) && cp $(cat programs) "$work/kept/tests/qtest/")
    cp -rL "$work"/qemu-*/tests/data/acpi "$work/kept/tests/data/"
    (cd "$work" && ls -- *.dsc) >"$work/kept/version"
    rm -rf "$folder"
    mv "$work/kept" "$folder"
}

build() {
    [ -f "$folder/version" ] && return
    for tool in apt-get dpkg-source gcc ninja; do
        command -v "$tool" >/dev/null || die "needs $tool"
    done
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/.new-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    { fetch && compile && keep; } >"$cache/log" 2>&1 || {
        tail -n 20 "$cache/log" >&2
        die "cannot build, see $cache/log"
    }
}

folder() {
    [ -f "$folder/version" ] || die "not built: scripts/peer-qtests.sh build"
    echo "$folder"
}

run() {
    TANDEM_BINARY=$(realpath "$1")
    export TANDEM_BINARY
    program=$2
    shift 2
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    ln -s "$here/peer_qtest_proxy.py" "$work/qemu-system-x86_64"
    cd "$(folder)"
    [ -x "tests/qtest/$program" ] || die "no test '$program'; there are:" $(ls tests/qtest)
    QTEST_QEMU_BINARY=$work/qemu-system-x86_64 QTEST_QEMU_IMG=$(command -v qemu-img || true) \
        QTEST_QEMU_STORAGE_DAEMON_BINARY=$(command -v qemu-storage-daemon || true) \
        G_TEST_SRCDIR=$PWD/tests/qtest G_TEST_BUILDDIR=$PWD/tests/qtest \
        "./tests/qtest/$program" --tap -k "$@"
}

case ${1:-} in
build) build && folder ;;
folder) folder ;;
sources) list_sources ;;
run) shift && [ $# -ge 2 ] || die "run BINARY TEST [OPTION...]"; run "$@" ;;
*) die "build, folder, sources, or run BINARY TEST [OPTION...]" ;;
esac
