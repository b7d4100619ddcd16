#!/bin/sh
# guest-system.sh: makes a Debian system for tests with debootstrap and prints its folder, which has disk.img, a
# sparse disk with GRUB and one ext4 file system; vmlinuz and initrd.img. It has systemd, Debian's kernel, apt, fio
# and iperf3, and a login on ttyS0, where root needs no password. Once: the cache is keyed by this script, and is
# $TANDEM_CACHE, else tandem/ in $XDG_CACHE_HOME or ~/.cache. debootstrap wants root; nothing is installed here.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu
release=bookworm
size_mib=1024
here=$(cd "$(dirname "$0")" && pwd)
cache=${TANDEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tandem}/systems
dir=$cache/$release-$(sha256sum <"$0" | cut -c1-16)
packages=systemd-sysv,udev,kmod,e2fsprogs,initramfs-tools,linux-image-amd64,fio,iperf3,iproute2,iputils-ping

fail() {
    echo "guest-system: $*" >&2
    exit 1
}

# One builds, the others wait for it.
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9
if [ -f "$dir/.complete" ]; then
    echo "$dir"
    exit 0
fi

[ "$(id -u)" = 0 ] || fail "debootstrap wants root"
PATH=$PATH:/usr/sbin:/sbin
for tool in debootstrap mke2fs; do
    command -v $tool >/dev/null || fail "$tool is missing (scripts/install-deps.sh)"
done
rm -rf "$cache"/.new-*
work=$(mktemp -d "$cache/.new-XXXXXX")
root=$work/root log=$cache/$(basename "$dir").log
finish() {
    [ $? = 0 ] && rm -f "$log" || echo "guest-system: $(tail -n 1 "$log"), see $log" >&4
    rm -rf "$work"
}

# Of the kernel's modules those that machines of ours have a device for.
configure_packages() {
    mkdir -p "$root/etc/dpkg/dpkg.cfg.d" "$root/etc/initramfs-tools/conf.d"
    {
        echo force-unsafe-io
        for path in usr/share/doc usr/share/man usr/share/locale 'lib/modules/*/kernel'; do
            echo "path-exclude=/$path/*"
        done
        for path in 'crypto/*' 'lib/*' 'block/*' 'fs/ext4/*' 'fs/jbd2/*' 'fs/mbcache*' 'drivers/ata/*' \
            'drivers/block/virtio*' 'drivers/nvme/*' 'drivers/scsi/*' 'drivers/usb/*' 'drivers/virtio/*' 'drivers/net/*virtio*' \
            'drivers/net/*failover*' 'net/core/*' 'drivers/net/ethernet/intel/e1000*' 'drivers/pps/*' \
            'drivers/ptp/*'; do
            echo "path-include=/lib/modules/*/kernel/$path"
        done
    } >"$root/etc/dpkg/dpkg.cfg.d/tests"
    printf 'MODULES=list\nCOMPRESS=zstd\n' >"$root/etc/initramfs-tools/conf.d/tests"
    printf '%s\n' ext4 crc32c_generic virtio_pci virtio_blk virtio_scsi sd_mod nvme ahci ata_piix xhci_pci \
        usb_storage >"$root/etc/initramfs-tools/modules"
}

configure_system() {
    cat >"$root/boot/grub.cfg" <<END
serial --unit=0
terminal_output serial
linux /vmlinuz root=LABEL=system console=ttyS0 panic=-1
initrd /initrd.img
boot
END
    echo 'LABEL=system / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
    echo system >"$root/etc/hostname"
    echo '127.0.0.1 localhost system' >"$root/etc/hosts"
    printf 'stty cols 1000\nexport PS1="system> " TERM=dumb\n' >"$root/root/.profile"
    printf '[Match]\nName=e*\n[Network]\nDHCP=ipv4\n' >"$root/etc/systemd/network/80-dhcp.network"
    chroot "$root" passwd -q -d root
    mkdir -p "$root/etc/systemd/journald.conf.d"
    printf '[Journal]\nStorage=volatile\n' >"$root/etc/systemd/journald.conf.d/tests.conf"
    # What takes its time and nobody here waits for.
    chroot "$root" systemctl -q set-default multi-user.target
    chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
        e2scrub_reap.service fstrim.timer getty@tty1.service systemd-tmpfiles-clean.timer modprobe@.service \
        dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
        sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount \
        systemd-binfmt.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
        systemd-pstore.service kmod-static-nodes.service systemd-modules-load.service systemd-logind.service
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*
}

bootstrap() {
    debootstrap --foreign --variant=minbase --include=$packages $release "$root"
    configure_packages
    # What it mounts goes with it, where the host allows that.
    apart=
    ! unshare -m true || apart='unshare -m'
    $apart chroot "$root" /debootstrap/debootstrap --second-stage
    configure_system
}

# GRUB's first sector with the partition table, its core in the gap behind it, the file system at 1 MiB.
make_disk() {
    disk=$work/out/disk.img
    mkdir "$work/out"
    truncate -s ${size_mib}M "$disk"
    mke2fs -q -t ext4 -L system -d "$root" -E offset=1048576,root_owner=0:0 "$disk" $((size_mib - 1))M
    tools=$("$here/guest-package.sh" grub-common)/usr/bin
    grub=$("$here/guest-package.sh" grub-pc-bin)/usr/lib/grub/i386-pc
    echo 'configfile (hd0,msdos1)/boot/grub.cfg' >"$work/first"
    "$tools/grub-mkimage" -O i386-pc -d "$grub" -c "$work/first" -p '(hd0,msdos1)/boot' -o "$work/core" \
        biosdisk part_msdos ext2 linux serial normal configfile
    dd if="$grub/boot.img" of="$disk" bs=440 count=1 conv=notrunc status=none
    dd if="$work/core" of="$disk" bs=512 seek=1 conv=notrunc status=none
    # A bootable partition of type 83 from sector 2048 on, and the sector's mark.
    sectors=$(((size_mib - 1) * 2048))
    {
        printf '\200\376\377\377\203\376\377\377\000\010\000\000'
        for shift in 0 8 16 24; do
            # shellcheck disable=SC2059 # an octal escape
            printf "\\$(printf %03o $((sectors >> shift & 255)))"
        done
    } | dd of="$disk" bs=1 seek=446 conv=notrunc status=none
    printf '\125\252' | dd of="$disk" bs=1 seek=510 conv=notrunc status=none
}

exec 3>&1 4>&2 >"$log" 2>&1
trap finish EXIT
bootstrap
make_disk
cp "$root/vmlinuz" "$root/initrd.img" "$work/out"
touch "$work/out/.complete"
rm -rf "$dir"
mv "$work/out" "$dir"
echo "$dir" >&3
