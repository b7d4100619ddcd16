#!/bin/sh
# fuzz.sh [SECONDS] [TARGET...]: builds the libFuzzer targets with clang and sanitizers and runs
# each (or those named, as fuzz-util-json or util-json) for so long, as many at once as there are
# processors. Corpora and findings stay in BUILD/corpus and BUILD/findings; a finding makes the
# exit status 1.
# FUZZ_BUILD names the build folder [build-fuzz]; seeds come from tests/fuzz/TARGET/.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${FUZZ_BUILD:-$source/build-fuzz}
seconds=60
case ${1:-} in
'' | *[!0-9]*) ;;
*) seconds=$1; shift ;;
esac

"$source/scripts/build.sh" "$build" --cc="${FUZZ_CC:-clang}" --enable-fuzzing \
    --enable-sanitizers --enable-werror

all=$(cd "$build" && find . -maxdepth 1 -type f -name 'fuzz-*' -perm -u+x | sed 's|./||' | sort)
[ -n "$all" ] || { echo "fuzz: no target in $build" >&2; exit 1; }
[ $# -gt 0 ] || set -- $all

# As the tests of a sanitizer build have it (meson.build).
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1 G_SLICE=always-malloc
failed=0 running=0 jobs='' most=$(nproc)

# run BINARY NAME: with the corpus, seeds and findings of that name.
run() {
    corpus=$build/corpus/$2
    found=$build/findings/$2
    seeds=$source/tests/fuzz/${2#fuzz-}
    mkdir -p "$corpus" "$found"
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086 # at most one more folder
    if "$build/$1" -max_total_time="$seconds" -seed=1 -timeout=20 -rss_limit_mb=2048 \
        -malloc_limit_mb=1000000000 -print_final_stats=1 -artifact_prefix="$found/" \
        "$corpus" $seeds >"$found/log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/log")
        echo "$2: no finding in $runs runs"
    else
        echo "$2: FINDING, log in $found/log:"
        grep -Ev '^#[0-9]+\s+(NEW|REDUCE|pulse|INITED|RELOAD)' "$found/log" | tail -n 40
        return 1
    fi
}

# finish: waits for all that run.
finish() {
    for job in $jobs; do
        wait "$job" || failed=1
    done
    running=0 jobs=''
}

# start BINARY NAME: as run, beside others.
start() {
    [ "$running" -lt "$most" ] || finish
    run "$@" &
    jobs="$jobs $!" running=$((running + 1))
}

for name; do
    name=fuzz-${name#fuzz-}
    if ! echo "$all" | grep -qxF -e "$name"; then
        echo "fuzz: no target '$name'; there are:" $all >&2
        exit 1
    fi
    # Whole machines: one after the other, unless the caller says which.
    if [ "$name" != fuzz-target_i386-machine ] || [ -n "${TANDEM_FUZZ_ARGS:-}" ]; then
        start "$name" "$name"
        continue
    fi
    for args in "$source"/tests/fuzz/machine-*.args; do
        export TANDEM_FUZZ_ARGS="$(cat "$args")"
        start "$name" "fuzz-$(basename "$args" .args)"
    done
    unset TANDEM_FUZZ_ARGS
done
finish
exit $failed
