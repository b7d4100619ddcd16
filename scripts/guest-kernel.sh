#!/bin/sh
# guest-kernel.sh SERIES FLAVOUR [ARCH]: fetches Debian's newest kernel of a series ("6.1", "6.12") and
# flavour ("cloud", "generic", "686-pae", "rt") for tests with guest-package.sh and prints its folder, which
# has boot/vmlinuz-* and lib/modules. ARCH is a Debian architecture [amd64].
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
series=$1 flavour=$2 arch=${3:-amd64}

apt_arch=$arch
case $flavour in
686*) apt_arch=i386 ;;
esac
case $flavour in
generic) tail=$apt_arch ;;
cloud | rt) tail=$flavour-$apt_arch ;;
*) tail=$flavour ;;
esac
dots=$(echo "$series" | sed 's/[.]/[.]/g')
exec "$(dirname "$0")/guest-package.sh" \
    "linux-image-$dots[.][0-9]+([-+](deb)?[0-9]+)?-$tail(-unsigned)?" "$apt_arch" \
    "kernels/$series-$flavour-$arch"
