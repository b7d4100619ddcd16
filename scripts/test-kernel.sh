#!/bin/sh
# test-kernel.sh: builds the kernel of tests/guest/kernel.config from Debian's linux-source-6.12, for what
# guests' tests need and Debian's images lack (user SVA, IOMMUFD, ...), and prints its folder, which has
# boot/vmlinuz-test, boot/config-test. Once: the cache is keyed by this script and the configuration, and is
# $TANDEM_CACHE, else tandem/ in $XDG_CACHE_HOME or ~/.cache. $TANDEM_JOBS: compilers at a time [all CPUs].
# Nothing is installed. The log of a failed build is kept, and named.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
series=6.12
here=$(cd "$(dirname "$0")" && pwd)
config=$here/../tests/guest/kernel.config
cache=${TANDEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tandem}/kernels
key=$(cat "$0" "$config" | sha256sum | cut -c1-16)
dir=$cache/test-$series-$key

fail() {
    echo "test-kernel: $*" >&2
    exit 1
}

# One builds, the others wait for it.
mkdir -p "$cache"
exec 9>"$cache/.test-kernel.lock"
flock 9
if [ -f "$dir/.complete" ]; then
    echo "$dir"
    exit 0
fi

for tool in gcc make flex bison bc xz; do
    command -v $tool >/dev/null || fail "$tool is missing (scripts/install-deps.sh)"
done
[ -e /usr/include/gelf.h ] || fail "libelf-dev is missing (scripts/install-deps.sh)"

work=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && apt-get download -q "linux-source-$series" >&2) ||
    fail "linux-source-$series cannot be fetched from the package archive"
dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work" --wildcards '*.tar.xz'
tree=$work/linux
mkdir "$tree"
tar -xJf "$work"/usr/src/*.tar.xz -C "$tree" --strip-components=1
rm -r "$work"/*.deb "$work/usr"

# Stable kernels refuse SVA on x86, whose kernel mappings a device's TLB could outlive: nothing frees page
# tables of the kernel while a test runs. The refusal is one condition of its own.
sva=$tree/drivers/iommu/iommu-sva.c
refusal='if (IS_ENABLED(CONFIG_X86))'
[ "$(grep -cF "$refusal" "$sva")" = 1 ] &&
    grep -A1 -F "$refusal" "$sva" | grep -q 'return ERR_PTR(-EOPNOTSUPP);' ||
    fail "the refusal of SVA is not where it was in drivers/iommu/iommu-sva.c: see $0"
sed -i 's/if (IS_ENABLED(CONFIG_X86))/if (0)/' "$sva"

cc=gcc
command -v ccache >/dev/null && cc="ccache gcc"
log=$cache/test-$series-$key.log
build() {
    make -C "$tree" ARCH=x86_64 CC="$cc" -j"${TANDEM_JOBS:-$(nproc)}" "$@" >>"$log" 2>&1 ||
        fail "make $* failed, see $log"
}
: >"$log"
build KCONFIG_ALLCONFIG="$(realpath "$config")" allnoconfig
grep '^CONFIG' "$config" | while read -r line; do
    case $line in
    *=n) ! grep -q "^${line%=n}=" "$tree/.config" ;;
    *) grep -qx "$line" "$tree/.config" ;;
    esac || echo "$line"
done >"$work/lost"
[ ! -s "$work/lost" ] || fail "options the kernel does not take:" $(cat "$work/lost")
build KBUILD_BUILD_USER=test KBUILD_BUILD_HOST=test bzImage

mkdir -p "$work/out/boot"
cp "$tree/arch/x86/boot/bzImage" "$work/out/boot/vmlinuz-test"
cp "$tree/.config" "$work/out/boot/config-test"
touch "$work/out/.complete"
rm -rf "$dir"
mv "$work/out" "$dir"
rm -f "$log"
echo "$dir"
