# Completion for qemu-system-*: everything offered is asked of the program itself, by -help and by
# -OPTION help, so that it is never older than the program.
# SPDX-License-Identifier: GPL-2.0-or-later

# Options, from the lines of -help that begin with one ("-h or -help" has two).
_qemu_system_options() {
    "$1" -help 2>/dev/null | awk '/^-/ {
        print $1
        if ($2 == "or") { print $3 }
    }'
}

# Names an option takes, from -OPTION help: a name a line, or name "X", or a CPU behind its family.
_qemu_system_names() {
    "$1" "$2" help 2>/dev/null | awk '
        /:[ \t]*$/ { next }
        /^name "/ { split($0, part, "\""); print part[2]; next }
        $1 == "x86" || $1 == "PowerPC" { print $2; next }
        $1 ~ /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/ { print $1 }'
}

# Properties of a name, from -OPTION NAME,help.
_qemu_system_properties() {
    "$1" "$2" "$3,help" 2>/dev/null | awk '/^ +[^ =]+=/ { sub(/=.*/, "="); print $1 }'
}

_qemu_system() {
    local program=$1 current=$2 option=$3 given
    COMPREPLY=()
    case $current in
    -*)
        mapfile -t COMPREPLY < <(compgen -W "$(_qemu_system_options "$program")" -- "$current")
        return
        ;;
    esac
    option=${option/#--/-}
    case $option,$current in
    -machine,*,* | -M,*,* | -device,*,* | -object,*,*)
        given=${current%,*}
        mapfile -t COMPREPLY < <(compgen -P "$given," -W \
            "$(_qemu_system_properties "$program" "$option" "${given%%,*}")" -- "${current##*,}")
        compopt -o nospace 2>/dev/null
        ;;
    -accel,* | -chardev,* | -cpu,* | -d,* | -device,* | -display,* | -M,* | -machine,* | \
    -netdev,* | -object,* | -trace,* | -audiodev,*)
        mapfile -t COMPREPLY < <(compgen -W "$(_qemu_system_names "$program" "$option")" \
            -- "$current")
        ;;
    esac
}

complete -o bashdefault -o default -F _qemu_system \
    qemu-system-aarch64 qemu-system-ppc64 qemu-system-x86_64
