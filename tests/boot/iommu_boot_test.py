# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels behind intel-iommu, in each of its modes, and behind virtio-iommu: disks of each kind are read
and written, come and go while others are read, and no DMA and no interrupt is lost or refused."""
import hashlib
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
from vm import Qmp  # noqa: E402

SECONDS = 800  # for a busy machine
MIB = 1 << 20
SERIES = '6.1', '6.12'
MODULES = 'virtio_pci', 'virtio_blk', 'nvme', 'ahci', 'sd_mod', 'xhci_pci', 'usb_storage', 'e1000e'
# Disks by their names in the guest; those of the second line come and go.
DISKS = 'vda', 'nvme0n1', 'sda', 'sdb'
PLUGGED = {'vdb': {'driver': 'virtio-blk-pci', 'iommu_platform': True, 'disable-legacy': 'on'},
           'nvme1n1': {'driver': 'nvme', 'serial': 'a2'}}
PROGRAMS = {
    # All of a disk, past the page cache; when its size is known and it can be opened: its name is there earlier.
    'sum': 'until [ "$(cat /sys/block/$1/size 2>/dev/null)" -gt 0 ] 2>/dev/null && (: </dev/$1) 2>/dev/null; do '
           'sleep 0.1; done; dd if=/dev/$1 iflag=direct bs=64k 2>/errors-$1 | md5sum',
    # Others do, again and again; until it goes, one that is to go.
    'load': 'while :; do for d in ' + ' '.join(DISKS) + '; do /sum $d; done; done',
    'worry': '(while test -b /dev/$1; do dd if=/dev/$1 of=/dev/null iflag=direct bs=64k; done) >/dev/null 2>&1 &',
    # Kinds of domains that devices have been given.
    'kinds': 'cat /sys/kernel/iommu_groups/*/type | sort -u',
    'trouble': "dmesg | grep -E 'DMAR:.*([Ff]ault|fail|INVALID)|Firmware Bug|MSR|WARNING:|BUG:|Oops|timeout' |"
               " grep -v 'clocksource'",
    'errors': "dmesg | grep 'I/O error' | grep -v -E 'vdb|nvme1'",
}
ROUNDS = 2
NET_BYTES = 8 * MIB


class Modes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.data = {}
        for name in (*DISKS, *PLUGGED):
            self.data[name] = random.Random(name).randbytes(2 * MIB)
            with open(os.path.join(self.folder, name), 'wb') as disk:
                disk.write(self.data[name])

    def archive(self, series, first):
        """The kernel; the archive is written, and the modules' names are kept."""
        try:
            kernel = guest.kernel(series, 'generic')
            files = guest.modules_with_needs(kernel, [*first, *MODULES], tempfile.mkdtemp(dir=self.folder))
            self.modules = list(files)
            for name, text in PROGRAMS.items():
                files[name] = os.path.join(self.folder, 'program-' + name)
                with open(files[name], 'w', encoding='ascii') as program:
                    program.write(f'#!/busybox sh\n{text}\n')
            guest.shell(os.path.join(self.folder, 'initramfs'), files=files)
        except subprocess.CalledProcessError:
            self.skipTest(f'Linux {series} or busybox-static cannot be fetched from the package archive')
        return kernel

    def start(self, series, unit, append, says, first=()):
        kernel = self.archive(series, first)
        nodes = [arg for name in self.data for arg in
                 ('-blockdev', f'driver=file,filename={self.folder}/{name},node-name={name}')]
        qmp = os.path.join(self.folder, 'qmp-' + series)
        self.shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', 'q35', '-cpu', 'max', '-m', '512', '-smp', '2', '-serial', 'stdio',
             '-qmp', f'unix:{qmp},server=on,wait=off', '-device', unit, *nodes,
             '-device', 'virtio-blk-pci,drive=vda,iommu_platform=on,disable-legacy=on',
             '-device', 'nvme,drive=nvme0n1,serial=a1', '-device', 'ide-hd,drive=sda,bus=ide.0',
             '-device', 'qemu-xhci,id=usb', '-device', 'usb-storage,drive=sdb,bus=usb.0',
             '-netdev', 'user,id=net', '-device', 'e1000e,netdev=net',
             *[arg for n, name in enumerate(PLUGGED)
               for arg in ('-device', f'pcie-root-port,id=for-{name},chassis={n}')],
             '-kernel', kernel, '-initrd', os.path.join(self.folder, 'initramfs'), '-append',
             f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS} {append}'], SECONDS)
        self.addCleanup(self.shell.stop)
        self.shell.wait_for(guest.PROMPT)
        for name in self.modules:
            self.assertEqual(self.shell.run(f'insmod /{name}'), '', name)
        self.assertTrue(re.search(says, self.shell.run('dmesg')), self.shell.seen[-3000:])
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(qmp)
        self.qmp = Qmp(sock)
        self.addCleanup(self.qmp.close)

    def check_disk(self, name):
        self.assertEqual(self.shell.run('/sum ' + name).split()[0], hashlib.md5(self.data[name]).hexdigest(),
                         f"{name}: {self.shell.run('cat /errors-' + name)}")

    def write(self, name):
        """A part of a disk, which is then found here."""
        self.shell.run('dd if=/dev/urandom of=/new bs=64k count=9 2>/dev/null')
        self.shell.run(f'dd if=/new of=/dev/{name} bs=64k seek=7 conv=fsync 2>/dev/null')
        with open(os.path.join(self.folder, name), 'rb') as disk:
            now = disk.read()
        before, self.data[name] = self.data[name], now
        self.assertEqual(self.shell.run('md5sum </new').split()[0],
                         hashlib.md5(now[7 << 16:16 << 16]).hexdigest(), name)
        self.assertEqual((now[:7 << 16], now[16 << 16:]), (before[:7 << 16], before[16 << 16:]))

    def fetch(self):
        """From a server of ours, through the network adapter."""
        data = random.Random('net').randbytes(NET_BYTES)
        server = socket.create_server(('127.0.0.1', 0))
        self.addCleanup(server.close)

        def serve():
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(b'HTTP/1.0 200 OK\r\n\r\n' + data)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.shell.run('ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0')
        fetched = self.shell.run(f'wget -q -O - http://10.0.2.2:{server.getsockname()[1]}/ | md5sum')
        self.assertEqual(fetched.split()[0], hashlib.md5(data).hexdigest())
        thread.join()

    def plug_and_unplug(self):
        for name, options in PLUGGED.items():
            self.qmp.run('device_add', {'id': 'hot-' + name, 'bus': 'for-' + name, 'drive': name, **options})
        for name in PLUGGED:
            self.check_disk(name)
            self.write(name)
            self.shell.run('/worry ' + name)
        for name in PLUGGED:
            self.qmp('device_del', id='hot-' + name)
            while self.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'hot-' + name:
                pass
            self.assertEqual(self.shell.run(f'ls /dev/{name} 2>/dev/null'), '')

    def check(self, series, unit, append, kind, *more):
        self.start(series, unit, append, *more)
        for name in DISKS:
            self.check_disk(name)
            self.write(name)
            self.check_disk(name)
        self.shell.run('/load >/sums 2>&1 &')
        self.fetch()
        for _ in range(ROUNDS):
            self.plug_and_unplug()
        self.shell.run('while [ $(wc -l </sums) -lt 8 ]; do sleep 1; done')
        self.assertEqual(set(self.shell.run('head -n 8 /sums | sort -u').split()) - {'-'},
                         {hashlib.md5(self.data[name]).hexdigest() for name in DISKS})
        self.assertEqual(self.shell.run('/kinds').split(), [kind])
        self.assertEqual(self.shell.run('/trouble'), '')
        self.assertEqual(self.shell.run('/errors'), '')
        info, = self.qmp('x-query-iommu')
        self.assertEqual(info['counters']['faults'], [])
        self.assertEqual(info['counters']['blocked-interrupts'], 0)
        if kind != 'identity':
            self.assertGreater(info['counters']['hits'], 1000)
        self.end(unit)
        return info

    def end(self, unit):
        """Linux 6.12 resets virtio devices as it powers off, a virtio-iommu before who still has pages to unmap,
        and then waits for its answer for ever."""
        if unit.startswith('virtio-iommu'):
            self.qmp('quit')
            self.assertEqual(self.shell.process.wait(), 0)
        else:
            self.assertEqual(self.shell.end(), 0)

    def each(self, unit, append, kind):
        for series in SERIES:
            with self.subTest(series):
                info = self.check(series, 'intel-iommu,intremap=on,eim=on,' + unit, 'intel_iommu=on ' + append, kind,
                                  'DMAR-IR: Enabled IRQ remapping in x2apic mode')
                self.assertGreater(info['counters']['interrupts'], 100)

    def test_first_stage(self):
        self.each('x-scalable-mode=modern,device-iotlb=on,svm=on', 'intel_iommu=sm_on iommu.strict=0', 'DMA-FQ')

    def test_second_stage(self):
        self.each('x-scalable-mode=on', 'intel_iommu=sm_on iommu.strict=1', 'DMA')

    def test_legacy_strict(self):
        self.each('device-iotlb=on', 'intel_iommu=sm_off iommu.strict=1', 'DMA')

    def test_legacy_lazy(self):
        self.each('x-scalable-mode=on', 'intel_iommu=sm_off iommu.strict=0', 'DMA-FQ')

    def test_pass_through(self):
        self.each('x-scalable-mode=modern', 'intel_iommu=sm_on iommu=pt', 'identity')

    def check_virtio(self, append, kind):
        """6.1 has no driver for it."""
        info = self.check('6.12', 'virtio-iommu-pci', append, kind, 'virtio_iommu .*input address: 64 bits',
                          ['virtio-iommu'])
        self.assertGreater({row['name']: row['count'] for row in info['counters']['invalidations']}['unmap'], 500)

    def test_virtio_iommu_strict(self):
        self.check_virtio('iommu.strict=1', 'DMA')

    def test_virtio_iommu_lazy(self):
        self.check_virtio('iommu.strict=0', 'DMA-FQ')


if __name__ == '__main__':
    house.main()
