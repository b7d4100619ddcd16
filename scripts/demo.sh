#!/bin/sh
# demo.sh: installs what the build needs, builds qemu-system-x86_64 and shows what it is for: scripts/demo.py.
# DEMO_BUILD names the build folder [build].
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${DEMO_BUILD:-$source/build}

"$source/scripts/install-deps.sh" build
echo "building in $build"
"$source/scripts/build.sh" "$build" --target-list=x86_64-softmmu
exec python3 "$source/scripts/demo.py" "$build/qemu-system-x86_64"
