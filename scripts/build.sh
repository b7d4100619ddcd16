#!/bin/sh
# build.sh DIR OPTION...: builds in DIR, configured with the options if it was not yet. Output is
# kept in DIR/build.log and shown on failure only.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
cd "$1"
shift
{ [ -f build.ninja ] || "$source/configure" "$@"; } >build.log 2>&1 &&
    ninja >>build.log 2>&1 || {
    cat build.log >&2
    exit 1
}
