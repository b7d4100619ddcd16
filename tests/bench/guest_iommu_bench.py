#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""guest_iommu_bench.py OURS [PEER]: what a virtual IOMMU costs a guest on the software CPU. Debian's kernel reads
a virtio disk and a virtio network, each buffer mapped for its DMA and unmapped after it (intel_iommu=on
iommu.strict=1), and the same without. Prints MB that are moved in a second of processor time, the loss, and
the peer's own; fails when ours is more than 15 %."""
import os
import shutil
import socket
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402

ROUNDS = 4
MOST = 0.15
MODULES = 'virtio_pci', 'virtio_blk', 'virtio_net'
# Its size in MiB, and what it does with it.
LOADS = {
    'a disk, summed': (64, 'echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda bs=1M count=64 | md5sum >/dev/null'),
    'a disk, 64 KiB at a time': (1024, 'dd if=/dev/vda of=/dev/null iflag=direct bs=64k count=16384'),
    'a disk, 4 KiB at a time': (64, 'dd if=/dev/vda of=/dev/null iflag=direct bs=4k count=16384'),
    'a network': (128, 'wget -q -O /dev/null http://10.0.2.2:{port}/'),
}
UNIT = '-device', 'intel-iommu'
BEHIND = ',iommu_platform=on,disable-legacy=on'


class Server:
    """Gives who comes some MiB."""

    def __init__(self):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        size = LOADS['a network'][0] << 20
        while True:
            client, _ = self.socket.accept()
            with client:
                client.recv(4096)
                client.sendall(b'HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n' % size)
                for _ in range(size >> 20):
                    client.sendall(bytes(1 << 20))


def start(binary, folder, kernel, modules, is_behind):
    behind = BEHIND if is_behind else ',disable-legacy=on'
    shell = guest.Terminal(
        [binary, '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-M', 'q35',
         '-cpu', 'max', '-m', '512', '-smp', '1', '-serial', 'stdio', *(UNIT if is_behind else ()),
         '-blockdev', 'driver=null-co,node-name=d,size=1073741824,read-zeroes=off', '-device', 'virtio-blk-pci,drive=d' + behind,
         '-netdev', 'user,id=n', '-device', 'virtio-net-pci,netdev=n,romfile=' + behind,
         '-kernel', kernel, '-initrd', os.path.join(folder, 'initramfs'), '-append',
         'console=ttyS0 reboot=t panic=-1 quiet no_timer_check ' +
         ('intel_iommu=on iommu.strict=1' if is_behind else 'intel_iommu=off')], 600)
    shell.wait_for(guest.PROMPT)
    for name in modules:
        shell.run(f'insmod /{name}')
    shell.run('until test -b /dev/vda -a -d /sys/class/net/eth0; do sleep 0.1; done')
    shell.run('ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0')
    return shell


def cpu_ns(shell):
    """What the machine's threads ran so far."""
    with open(f'/proc/{shell.process.pid}/task/{shell.process.pid}/children', encoding='ascii') as file:
        pid = file.read().split()[0]
    total = 0
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/schedstat', encoding='ascii') as file:
            total += int(file.read().split()[0])
    return total


def measure(shell, load, port):
    """MB for a second of the machine's threads, the best of some rounds: that is little else's business."""
    mib, command = load
    least = 1 << 62
    for _ in range(ROUNDS):
        before = cpu_ns(shell)
        shell.run('{ ' + command.format(port=port) + '; } >/dev/null 2>&1')
        least = min(least, cpu_ns(shell) - before)
    return mib * 1048.576e6 / least


def losses(binary, folder, kernel, modules, port):
    """{load: (MB/s without, MB/s with)}."""
    found = {}
    shells = [start(binary, folder, kernel, modules, is_behind) for is_behind in (False, True)]
    for name, load in LOADS.items():
        found[name] = tuple(measure(shell, load, port) for shell in shells)
    for shell in shells:
        shell.end()
    return found


def main(ours, peer):
    server = Server()
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        kernel = guest.kernel()
        files = guest.modules_with_needs(kernel, MODULES, folder)
        guest.shell(os.path.join(folder, 'initramfs'), files=files)
        of_peer = losses(peer, folder, kernel, files, server.port) if peer else {}
        for name, (without, behind) in losses(ours, folder, kernel, files, server.port).items():
            loss = 1 - behind / without
            line = f'{name}: ours {without:.1f} MB/s, through the unit {behind:.1f}, loss {100 * loss:.0f} %'
            if name in of_peer:
                line += ', peer {:.1f}, {:.1f}, loss {:.0f} %'.format(*of_peer[name],
                                                                     100 - 100 * of_peer[name][1] / of_peer[name][0])
            print(line + ('' if loss <= MOST else ': more than 15 %'), flush=True)
            status |= loss > MOST
    return status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else
                  shutil.which('qemu-system-x86_64', path='/usr/bin')))
