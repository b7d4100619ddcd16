#!/bin/sh
# guest-kernel.sh SERIES FLAVOUR [ARCH]: fetches Debian's newest kernel of a series ("6.1", "6.12") and
# flavour ("cloud", "generic", "686-pae", "rt") for tests, unpacks it into the cache and prints its folder,
# which has boot/vmlinuz-* and lib/modules. ARCH is a Debian architecture [amd64].
# The cache is $TANDEM_CACHE, else tandem/ in $XDG_CACHE_HOME or ~/.cache. Nothing is installed.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
series=$1 flavour=$2 arch=${3:-amd64}
cache=${TANDEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tandem}/kernels
dir=$cache/$series-$flavour-$arch

if [ -f "$dir/.complete" ]; then
    echo "$dir"
    exit 0
fi

# A foreign architecture's packages are known to apt only if dpkg knows the architecture.
suffix= apt_arch=$arch
case $flavour in
686*) apt_arch=i386 ;;
esac
if [ "$apt_arch" != "$(dpkg --print-architecture)" ]; then
    suffix=:$apt_arch
    dpkg --print-foreign-architectures | grep -qx "$apt_arch" || {
        dpkg --add-architecture "$apt_arch"
        apt-get update -q >&2
    }
fi

case $flavour in
generic) tail=$apt_arch ;;
cloud | rt) tail=$flavour-$apt_arch ;;
*) tail=$flavour ;;
esac
dots=$(echo "$series" | sed 's/[.]/[.]/g')
pattern="^linux-image-$dots[.][0-9].*-$tail(-unsigned)?$"
list() {
    apt-cache --names-only search "^linux-image-$dots[.]" | cut -d' ' -f1 | grep -E "$pattern" |
        { if [ "$flavour" = generic ]; then grep -Ev -- '-(cloud|rt)-'; else cat; fi; } | sort -V
}
name=$(list | tail -n 1)
if [ -z "$name" ]; then
    apt-get update -q >&2 || true
    name=$(list | tail -n 1)
fi
[ -n "$name" ] || {
    echo "guest-kernel: no package of Linux $series, flavour $flavour, for $apt_arch" >&2
    exit 1
}

mkdir -p "$cache"
work=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download -q "$name$suffix" >&2)
mkdir "$work/tree"
dpkg -x "$work"/*.deb "$work/tree"
touch "$work/tree/.complete"
rm -rf "$dir"
mv "$work/tree" "$dir"
echo "$dir"
