#!/bin/sh
# install-deps.sh [build]: installs the Debian packages of packages.txt that this host lacks, or
# only those the build needs. Root (or sudo) is needed only if something is missing.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
here=$(cd "$(dirname "$0")" && pwd)

list=$("$here/missing.sh")
if [ "${1:-all}" = build ]; then
    list=$(echo "$list" | grep -Ev '^(test|fuzzing) ' || true)
fi
packages=$(echo "$list" | cut -d' ' -f2 | sort -u | tr '\n' ' ')
packages=${packages% }
[ -n "$packages" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "install-deps: missing, and not root: $packages" >&2
        exit 1
    }
    sudo=sudo
fi
echo "installing: $packages"
export DEBIAN_FRONTEND=noninteractive
# A stale index only matters if the installation then fails.
$sudo apt-get update -q || true
# shellcheck disable=SC2086 # a list of names
$sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $packages

left=$("$here/missing.sh" | cut -d' ' -f2 | sort -u)
for package in $packages; do
    if echo "$left" | grep -qx "$package"; then
        echo "install-deps: $package is installed but not found by the build" >&2
        exit 1
    fi
done
