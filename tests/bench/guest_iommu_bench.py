#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""guest_iommu_bench.py OURS [PEER]: what a virtual IOMMU costs a guest on the software CPU. Debian's kernel uses
virtio disks and a virtio network, each buffer mapped for its DMA and unmapped after it (intel_iommu=on
iommu.strict=1), and the same without. Prints MB that are moved in a second of processor time, the loss, and
the peer's own.

A guest that looks at its data may lose 15 %, or the benchmark fails. What only moves data is told, too, for it is
the worst there can be: mapping and unmapping a page is some 2000 instructions of the guest's own, which is several
times what a disk without anything behind it takes for one. `x-coherent-walks=on` is on in a third column, for
guests flush table entries from caches without it."""
import os
import shutil
import socket
import statistics
import sys
import tarfile
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402

ROUNDS, STARTS = 6, 2
MOST = 0.15
MODULES = 'virtio_pci', 'virtio_blk', 'virtio_net'
FETCH = 'wget -q -O - http://10.0.2.2:{port}/'
FILES, FILE_BYTES = 96, 400000
# MiB that are moved, and how.
USES = {
    'a disk, summed': (64, 'echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vda bs=1M count=64 | md5sum'),
    'an archive on a disk, unpacked and summed': (
        FILES * FILE_BYTES / 2**20, 'echo 3 >/proc/sys/vm/drop_caches; mkdir /x; tar x -f /dev/vdb -C /x; '
        'cat /x/* | md5sum; rm -r /x'),
    'a compressed disk, written': (64, 'dd if=/dev/vda bs=1M count=64 | gzip -1 >/dev/vdc; sync'),
    'a network, summed': (64, FETCH + ' | md5sum'),
}
MOVES = {
    'a disk, 64 KiB at a time': (1024, 'dd if=/dev/vda of=/dev/null iflag=direct bs=64k count=16384'),
    'a disk, 4 KiB at a time': (64, 'dd if=/dev/vda of=/dev/null iflag=direct bs=4k count=16384'),
    'a network': (64, FETCH + ' >/dev/null'),
}
LOADS = {**USES, **MOVES}
WITHOUT, UNIT, COHERENT = (), ('-device', 'intel-iommu'), ('-device', 'intel-iommu,x-coherent-walks=on')
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


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.port = Server().port
        self.kernel = guest.kernel()
        self.modules = guest.modules_with_needs(self.kernel, MODULES, folder)
        guest.shell(self.path('initramfs'), files=self.modules)
        self.make_archive()

    def path(self, name):
        return os.path.join(self.folder, name)

    def make_archive(self):
        with open(self.path('file'), 'wb') as file:
            file.write(os.urandom(FILE_BYTES))
        with tarfile.open(self.path('archive'), 'w') as archive:
            for n in range(FILES):
                archive.add(self.path('file'), f'file{n}')

    def start(self, binary, unit):
        behind = BEHIND if unit else ',disable-legacy=on'
        disks = {'null': 'driver=null-co,size=1073741824,read-zeroes=off',
                 'archive': 'driver=file,read-only=on,filename=' + self.path('archive'),
                 'sink': 'driver=null-co,size=1073741824,read-zeroes=off'}
        drives = [arg for name, node in disks.items() for arg in
                  ('-blockdev', f'{node},node-name={name}', '-device', f'virtio-blk-pci,drive={name}{behind}')]
        shell = guest.Terminal(
            [binary, '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-M', 'q35',
             '-cpu', 'max', '-m', '512', '-smp', '1', '-serial', 'stdio', *unit, *drives,
             '-netdev', 'user,id=n', '-device', 'virtio-net-pci,netdev=n,romfile=' + behind,
             '-kernel', self.kernel, '-initrd', self.path('initramfs'), '-append',
             'console=ttyS0 reboot=t panic=-1 quiet no_timer_check ' +
             ('intel_iommu=on iommu.strict=1' if unit else 'intel_iommu=off')], 900)
        shell.wait_for(guest.PROMPT)
        for name in self.modules:
            shell.run(f'insmod /{name}')
        shell.run('until test -b /dev/vdc -a -d /sys/class/net/eth0; do sleep 0.1; done')
        shell.run('ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0')
        return shell

    def rounds(self, binary, units):
        """{load: [seconds with each of the units, round by round]}: in turns, for others use the processors, too;
        of machines that were started anew, for one may have got worse memory than another."""
        rounds = {name: [] for name in LOADS}
        for _ in range(STARTS):
            shells = [self.start(binary, unit) for unit in units]
            for name, (_, command) in LOADS.items():
                command = '{ ' + command.format(port=self.port) + '; } >/dev/null 2>&1'
                rounds[name] += [[spent(shell, command) for shell in shells] for _ in range(ROUNDS)]
            for shell in shells:
                shell.end()
        return rounds


def cpu_ns(shell):
    """What the machine's threads ran so far."""
    with open(f'/proc/{shell.process.pid}/task/{shell.process.pid}/children', encoding='ascii') as file:
        pid = file.read().split()[0]
    total = 0
    for thread in os.listdir(f'/proc/{pid}/task'):
        with open(f'/proc/{pid}/task/{thread}/schedstat', encoding='ascii') as file:
            total += int(file.read().split()[0])
    return total


def spent(shell, command):
    before = cpu_ns(shell)
    shell.run(command)
    return cpu_ns(shell) - before


def loss(rounds, unit):
    """The middle one of the rounds': both sides of each had the same neighbours."""
    return 1 - statistics.median(times[0] / times[unit] for times in rounds)


def told(name, rounds):
    rates = [LOADS[name][0] * 1048.576e6 / statistics.median(times) for times in zip(*rounds)]
    return f'{rates[0]:.1f} MB/s' + ''.join(f', {rates[unit]:.1f} ({100 * loss(rounds, unit):.0f} % less)'
                                            for unit in range(1, len(rates)))


def main(ours, peer):
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        of_peer = bench.rounds(peer, (WITHOUT, UNIT)) if peer else {}
        for name, rounds in bench.rounds(ours, (WITHOUT, UNIT, COHERENT)).items():
            is_bad = name in USES and loss(rounds, 1) > MOST
            print(f'{name}: ours {told(name, rounds)}' + (f'; peer {told(name, of_peer[name])}' if peer else '') +
                  (': more than 15 %' if is_bad else '' if name in USES else ' (no more than moved)'), flush=True)
            status |= is_bad
    return status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else
                  shutil.which('qemu-system-x86_64', path='/usr/bin')))
