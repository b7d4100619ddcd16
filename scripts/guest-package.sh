#!/bin/sh
# guest-package.sh NAME [ARCH [FOLDER]]: fetches a Debian package whose files tests use in guests, unpacks it into
# the cache and prints its folder [packages/NAME-ARCH]. NAME is an extended regular expression of the whole
# name: of several packages it is the newest. ARCH is a Debian architecture [the host's].
# The cache is $TANDEM_CACHE, else tandem/ in $XDG_CACHE_HOME or ~/.cache. Nothing is installed.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
host=$(dpkg --print-architecture)
pattern=$1 arch=${2:-$host}
folder=${3:-packages/$(echo "$pattern" | tr -d '][')-$arch}
dir=${TANDEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tandem}/$folder

if [ -f "$dir/.complete" ]; then
    echo "$dir"
    exit 0
fi

# A foreign architecture's packages are known to apt only if dpkg knows the architecture. apt brings
# what it can of the lists: one that is just being replaced on a mirror is no reason to give up.
if [ "$arch" != "$host" ] && ! dpkg --print-foreign-architectures | grep -qx "$arch"; then
    dpkg --add-architecture "$arch"
    apt-get update -q >&2 || true
fi

# A plain name need not be searched for.
newest() {
    case $pattern in
    *[][*?\(\)]*) apt-cache --names-only search "^$pattern\$" | cut -d' ' -f1 | sort -V | tail -n 1 ;;
    *) echo "$pattern" ;;
    esac
}
download() {
    name=$(newest)
    [ -n "$name" ] && (cd "$work" && apt-get download -q "$name:$arch" >&2)
}

mkdir -p "$(dirname "$dir")"
work=$(mktemp -d "$dir.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
download || {
    apt-get update -q >&2 || true
    download
} || {
    echo "guest-package: no package $pattern for $arch" >&2
    exit 1
}
mkdir "$work/tree"
dpkg -x "$work"/*.deb "$work/tree"
touch "$work/tree/.complete"
rm -rf "$dir"
mv "$work/tree" "$dir"
echo "$dir"
