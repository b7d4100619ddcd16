#!/bin/sh
# check.sh: sets up this host, builds in every configuration, runs every test. The last line is
# "N passed, N failed, N skipped" over all suites and steps; the exit status is 1 if any failed, and
# the line before names those.
# CHECK_DIR is where it builds [build-check]; logs stay there. FUZZ_SECONDS is given to each fuzz
# target [5]. PEER_QTESTS=no does without QEMU's own tests (docs/devel/peer-qtests.md).
# SPDX-License-Identifier: GPL-2.0-or-later
set -u
source=$(cd "$(dirname "$0")/.." && pwd)
dir=${CHECK_DIR:-$source/build-check}
ccache=$(command -v ccache >/dev/null && echo 'ccache ')
passed=0 failed=0 skipped=0 failures='' linker=''

# note_failure WHAT: for the end.
note_failure() {
    failures="${failures:+$failures; }$1"
}

# step NAME COMMAND...: one thing that passes or fails, its output shown if it fails.
step() {
    name=$1 log=$dir/logs/$(echo "$1" | tr ' /' '--').log
    shift
    start=$(date +%s)
    if ("$@") >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok: $name ($(($(date +%s) - start)) s)"
    else
        failed=$((failed + 1))
        note_failure "$name"
        echo "FAILED: $name, the end of $log:"
        tail -n 60 "$log" | sed 's/^/    /'
        return 1
    fi
}

# build NAME OPTION...: a configured and complete build in $dir/NAME, by $linker if that is set.
build() {
    name=$1
    shift
    mkdir -p "$dir/$name" && cd "$dir/$name" &&
        ${linker:+env CC_LD="$linker"} "$source/configure" "$@" && ninja
}

# suite NAME OPTION...: all tests of build NAME; each counts.
suite() {
    name=$1
    shift
    echo "== tests of $name"
    rm -f "$dir/$name/meson-logs/testlog.json"
    # Limits are for a quiet host; a busy one is no reason to fail.
    meson test -C "$dir/$name" --no-rebuild --timeout-multiplier 3 "$@" >"$dir/logs/tests-$name.log" 2>&1
    counts=$(python3 "$source/scripts/test_summary.py" "$dir/$name/meson-logs/testlog.json") ||
        counts='0 1 0 (no log of tests)'
    # shellcheck disable=SC2086 # three numbers, and names
    set -- $counts
    echo "   $1 passed, $2 failed, $3 skipped"
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    shift 3
    [ $# = 0 ] || note_failure "$name $*"
}

rm -rf "$dir/logs"
mkdir -p "$dir/logs"
cd "$source" || exit 1
step 'packages' scripts/install-deps.sh

# The tests run them; built once, they stay in the cache, as guests' kernels do. PEER_QTESTS=no passes them over.
[ "${PEER_QTESTS:-yes}" = no ] || step "the peer's qtests" scripts/peer-qtests.sh build
step 'the test kernel' scripts/test-kernel.sh

step 'layers' python3 scripts/check_layers.py scripts/layers.txt --root .
step 'gcc, all features' build gcc --cc="${ccache}gcc" --enable-werror && suite gcc
# Programs are many: a fast linker. gcc's are linked as users link them.
linker=lld
step 'clang, no optional feature' build clang --cc="${ccache}clang" --enable-werror \
    --without-default-features

step 'clang, sanitizers, all features' build sanitizers --cc="${ccache}clang" --enable-werror \
    --enable-sanitizers --enable-fuzzing --extra-ldflags=-no-pie && {
    suite sanitizers
    step 'fuzz targets' env FUZZ_BUILD="$dir/sanitizers" scripts/fuzz.sh "${FUZZ_SECONDS:-5}"
}

[ -z "$failures" ] || echo "failed: $failures"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
