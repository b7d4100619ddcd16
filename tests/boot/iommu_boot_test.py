# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels behind intel-iommu: random bytes by DMA through it, in each of its modes; disks under load
while devices come and go."""
import hashlib
import os
import random
import socket
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
from vm import Qmp  # noqa: E402

SECONDS = 500
MODULES = {'6.1': ('virtio_ring', 'virtio', 'virtio_pci_legacy_dev', 'virtio_pci_modern_dev', 'virtio_pci',
                   'virtio-rng'),
           '6.12': ('virtio-rng',)}
# What a kernel says that something is wrong with DMA, interrupts or itself.
TROUBLE = r'DMAR:.*(fault|Fault|fail|error)|\[Firmware Bug\]|unchecked MSR|WARNING:|BUG:|Oops|INVALID'


class Iommu(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.program = guest.build('iommu_init.c', os.path.join(cls.folder.name, 'init'))

    def archive(self, series, kernel):
        path = os.path.join(self.folder.name, f'initramfs-{series}')
        if not os.path.exists(path):
            modules = guest.modules(kernel, MODULES[series], tempfile.mkdtemp(dir=self.folder.name))
            guest.initramfs(path, {'init': self.program, **modules})
        return path

    def check(self, series, unit, append, kind, cpus=1):
        """`kind`: the domain the kernel gives the device. The log."""
        try:
            kernel = guest.kernel(series)
        except subprocess.CalledProcessError:
            self.skipTest(f'Linux {series} cannot be fetched from the package archive')
        console = guest.Console(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', 'q35', '-cpu', 'max', '-m', '512', '-smp', str(cpus), '-serial', 'stdio',
             '-device', f'intel-iommu,{unit}', '-object', 'rng-random,filename=/dev/urandom,id=rng',
             '-device', 'virtio-rng-pci,rng=rng,addr=4,iommu_platform=on,disable-legacy=on',
             '-kernel', kernel, '-initrd', self.archive(series, kernel), '-append',
             # Its timer may be late on a busy host, which would be taken for an interrupt that is lost.
             'console=ttyS0 reboot=t panic=-1 no_timer_check intel_iommu=on '
             f'modules={",".join(MODULES[series])} {append}'], SECONDS)
        text = '\n'.join(line for _, line in console.lines())
        words = [line.split(None, 2) for line in text.splitlines() if line.startswith('iommu ')]
        found = {name: value for _, name, value in words}
        self.assertIn('end', found, text[-3000:])
        self.assertNotIn('fails', found, text[-3000:])
        self.assertEqual(found['cpus'], str(cpus))
        self.assertEqual(found['type'], kind, text[-3000:])
        self.assertEqual(found['device'], 'virtio_rng.0')
        self.assertEqual(int(found['bytes']), 64 * 4096)
        self.assertEqual(int(found['values']), 256)
        self.assertNotRegex(text, TROUBLE)
        self.assertEqual(console.process.returncode, 0, text[-3000:])
        return text

    def each(self, unit, append, kind, cpus=1, says='DMAR: Intel.*Virtualization Technology for Directed'):
        for series in MODULES:
            with self.subTest(series):
                self.assertRegex(self.check(series, unit, append, kind, cpus), says)

    def test_first_stage(self):
        self.each('x-scalable-mode=modern,device-iotlb=on,svm=on', 'intel_iommu=sm_on iommu.strict=0',
                  'DMA-FQ')

    def test_legacy_strict(self):
        self.each('x-scalable-mode=on', 'intel_iommu=sm_off iommu.strict=1', 'DMA')

    def test_pass_through(self):
        self.each('x-scalable-mode=on', 'intel_iommu=sm_on iommu=pt', 'identity')

    def test_interrupts(self):
        """Remapped, to x2APICs, on two CPUs."""
        self.each('intremap=on,eim=on', 'intel_iommu=sm_off iommu.strict=1', 'DMA', 2,
                  'DMAR-IR: Enabled IRQ remapping in x2apic mode')


# Programs of the guest; what is typed fits its terminal's lines.
PROGRAMS = {
    # Both disks, past the page cache, again and again.
    'load': 'while :; do echo 3 >/proc/sys/vm/drop_caches; for d in vda sda; do md5sum /dev/$d; done; done',
    # Waits for the one device of its kind and reads from it.
    'plugged': 'until ls /sys/bus/virtio/drivers/virtio_rng | grep -q virtio; do sleep 0.1; done; '
               'dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c',
    'trouble': "dmesg | grep -E 'DMAR:.*(fault|Fault)|WARNING:|BUG:|Oops|I/O error'",
}
ROUNDS = 5


class Load(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        try:
            self.kernel = guest.kernel()
            files = guest.modules_with_needs(self.kernel, ('virtio_blk', 'virtio-rng', 'ahci', 'sd_mod'),
                                             self.folder)
            self.modules = list(files)
            for name, text in PROGRAMS.items():
                files[name] = os.path.join(self.folder, name)
                with open(files[name], 'w', encoding='ascii') as program:
                    program.write(f'#!/busybox sh\n{text}\n')
            guest.shell(os.path.join(self.folder, 'initramfs'), files=files)
        except subprocess.CalledProcessError:
            self.skipTest('Linux or busybox-static cannot be fetched from the package archive')
        self.sums = {}
        for name in ('vda', 'sda'):
            data = random.Random(name).randbytes(4 << 20)
            self.sums[name] = hashlib.md5(data).hexdigest()
            with open(os.path.join(self.folder, name), 'wb') as disk:
                disk.write(data)

    def start(self, unit, append):
        disks = [arg for name in self.sums for arg in
                 ('-blockdev', f'driver=file,filename={self.folder}/{name},node-name={name}')]
        self.shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', 'q35', '-cpu', 'max', '-m', '512', '-smp', '2', '-serial', 'stdio',
             '-qmp', f'unix:{self.folder}/qmp,server=on,wait=off', '-device', 'intel-iommu,' + unit, *disks,
             '-device', 'virtio-blk-pci,drive=vda,iommu_platform=on,disable-legacy=on', '-device',
             'ide-hd,drive=sda,bus=ide.0', '-device', 'pcie-root-port,id=behind,chassis=1', '-kernel',
             self.kernel, '-initrd', os.path.join(self.folder, 'initramfs'), '-append',
             f'console=ttyS0 reboot=t panic=-1 no_timer_check intel_iommu=on {append}'], SECONDS)
        self.shell.wait_for(guest.PROMPT)
        for name in self.modules:
            self.assertEqual(self.shell.run(f'insmod /{name}'), '', name)
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(os.path.join(self.folder, 'qmp'))
        self.qmp = Qmp(sock)
        self.addCleanup(self.qmp.close)

    def plug_and_unplug(self):
        self.qmp.run('device_add', {'driver': 'virtio-rng-pci', 'id': 'hot', 'bus': 'behind', 'rng': 'rng',
                                    'iommu_platform': True, 'disable-legacy': 'on'})
        self.assertEqual(self.shell.run('/plugged'), '256')
        self.qmp('device_del', id='hot')
        while self.qmp.wait_event('DEVICE_DELETED')['data'].get('device') != 'hot':
            pass

    def check(self, unit, append):
        self.start(unit, append)
        self.qmp('object-add', **{'qom-type': 'rng-random', 'id': 'rng', 'filename': '/dev/urandom'})
        self.shell.run('/load >/tmp/sums 2>&1 &')
        for _ in range(ROUNDS):
            self.plug_and_unplug()
        self.shell.run('while [ $(wc -l </tmp/sums) -lt 6 ]; do sleep 1; done')
        self.assertEqual(set(self.shell.run('head -n 6 /tmp/sums | sort -u').split()),
                         {word for name, digest in self.sums.items() for word in (digest, '/dev/' + name)})
        self.assertEqual(self.shell.run('/trouble'), '')
        info, = self.qmp('x-query-iommu')
        self.assertEqual(info['counters']['faults'], [])
        self.assertGreater(info['counters']['hits'], 1000)
        self.assertEqual(self.shell.end(), 0)

    def test_legacy_strict(self):
        self.check('intremap=on', 'intel_iommu=sm_off iommu.strict=1')

    def test_first_stage(self):
        self.check('x-scalable-mode=modern,device-iotlb=on,svm=on', 'intel_iommu=sm_on iommu.strict=0')


if __name__ == '__main__':
    house.main()
