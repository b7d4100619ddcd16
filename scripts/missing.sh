#!/bin/sh
# missing.sh: prints a line "NEED PACKAGE NAME" for each row of packages.txt this host lacks.
# Headers are looked for with $CC.
# SPDX-License-Identifier: GPL-2.0-or-later
set -u
here=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-cc}

has_tool() {
    command -v "$1" >/dev/null 2>&1
}

has_package() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Without the tool that would tell, dpkg does.
has_module() {
    if has_tool pkg-config; then pkg-config --exists "$1"; else has_package "$2"; fi
}

has_header() {
    if has_tool "${CC%% *}"; then
        printf '#include <%s>\n' "$1" | $CC -E -xc - >/dev/null 2>&1
    else
        has_package "$2"
    fi
}

while read -r kind name package need; do
    case $kind in
    '' | '#'*) continue ;;
    tool) [ "$name" = cc ] && name=${CC%% *}; has_tool "$name" ;;
    module) has_module "$name" "$package" ;;
    header) has_header "$name" "$package" ;;
    package) has_package "$package" ;;
    *) echo "packages.txt: no kind '$kind'" >&2; exit 1 ;;
    esac || echo "$need $package $name"
done <"$here/packages.txt"
