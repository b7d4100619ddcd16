#!/bin/sh
# bench.sh [NAME...]: builds as users do and runs the benchmarks meson knows (benchmark() in
# tests/bench), one after the other. Each prints ours, the installed peer's and their ratio.
# BENCH_BUILD names the build folder [build-bench].
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${BENCH_BUILD:-$source/build-bench}

"$source/scripts/build.sh" "$build"
exec meson test -C "$build" --benchmark --no-rebuild --verbose --num-processes 1 "$@"
