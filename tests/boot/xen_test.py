# SPDX-License-Identifier: GPL-2.0-or-later
"""Xen by multiboot, with Debian's kernel as its first domain, to a shell there; with its own driver of the IOMMU,
and disks of that domain behind it."""
import gzip
import hashlib
import os
import random
import re
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
XEN = 'xen-hypervisor-4.17-amd64', 'boot', 'xen-4.17-amd64.gz'


class Xen(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.xen = os.path.join(cls.folder.name, 'xen')
        try:
            cls.kernels = {series: guest.kernel(series, 'generic') for series in ('6.1', '6.12')}
            guest.shell(os.path.join(cls.folder.name, 'initramfs'))
            with gzip.open(guest.package(*XEN)) as packed, open(cls.xen, 'wb') as out:
                out.write(packed.read())
        except subprocess.CalledProcessError:
            raise unittest.SkipTest('Xen or Linux cannot be fetched from the package archive') from None

    def start(self, board, cpus, series, *args, modules=(), options=''):
        archive = os.path.join(self.folder.name, 'initramfs')
        if modules:
            archive += '-' + series
            modules = guest.modules_with_needs(self.kernels[series], modules,
                                               tempfile.mkdtemp(dir=self.folder.name))
            guest.shell(archive, files=modules)
        self.shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', board, '-cpu', 'max', '-m', '1024', '-smp', str(cpus), '-serial',
             'stdio', '-kernel', self.xen, '-append', f'console=com1 dom0_mem=512M loglvl={options or "none"}',
             '-initrd', f'{self.kernels[series]} console=hvc0,{archive}', *args], SECONDS)
        self.addCleanup(self.shell.stop)
        self.shell.wait_for(guest.PROMPT)
        for name in modules:
            self.assertEqual(self.shell.run(f'insmod /{name}'), '', name)

    def finish(self):
        self.assertEqual(self.shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|I/O err'"), '')
        self.assertEqual(self.shell.end(), 0)

    def check(self, board, cpus, series):
        self.start(board, cpus, series)
        self.assertEqual(self.shell.run('cat /sys/hypervisor/type'), 'xen')
        self.assertRegex(self.shell.run('cat /sys/hypervisor/version/minor'), '^17$')
        self.assertTrue(self.shell.run('uname -r').startswith(series))
        self.assertEqual(self.shell.run('nproc'), str(cpus))
        self.finish()

    def disk(self, name):
        with open(os.path.join(self.folder.name, name), 'rb') as disk:
            return hashlib.md5(disk.read()).hexdigest()

    def check_iommu(self, series, unit, options, *says):
        disks = 'nvme0n1', 'sda'
        for name in disks:
            with open(os.path.join(self.folder.name, name), 'wb') as disk:
                disk.write(random.Random(name).randbytes(2 << 20))
        path = os.path.join(self.folder.name, 'qmp-' + series)
        self.start('q35', 2, series, '-device', 'intel-iommu,' + unit, *[arg for name in disks for arg in (
            '-blockdev', f'driver=file,filename={self.folder.name}/{name},node-name={name}')],
            '-device', 'nvme,drive=nvme0n1,serial=a1', '-device', 'ide-hd,drive=sda,bus=ide.0',
            '-qmp', f'unix:{path},server=on,wait=off', modules=('nvme', 'ahci', 'sd_mod'),
            options='all iommu=verbose ' + options)
        for line in (r'\[VT-D\]drhd->address = fed90000', 'Intel VT-d Queued Invalidation enabled',
                     r'I/O virtualisation enabled', *says):
            self.assertTrue(re.search(r'\(XEN\) .*' + line, self.shell.seen), line)
        for name in disks:
            self.shell.run(f'until test -b /dev/{name}; do sleep 0.1; done')
            read = f'dd if=/dev/{name} iflag=direct bs=64k 2>/dev/null | md5sum'
            self.assertEqual(self.shell.run(read).split()[0], self.disk(name))
            self.shell.run(f'dd if=/dev/urandom of=/dev/{name} bs=64k count=9 seek=7 conv=fsync 2>/dev/null')
            self.assertEqual(self.shell.run(read).split()[0], self.disk(name))
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        qmp = Qmp(connection)
        info, = qmp('x-query-iommu')
        qmp.close()
        self.assertEqual((info['counters']['faults'], info['counters']['blocked-interrupts']), ([], 0))
        self.assertGreater(info['counters']['hits'], 100)
        self.assertEqual([line for line in self.shell.seen.splitlines()
                          if re.search(r'\[VT-D\].*([Ff]ault|error|Failed)', line)], [])
        self.finish()

    def test_iommu(self):
        self.check_iommu('6.12', 'intremap=on,eim=on', '', 'x2apic', 'Intel VT-d Interrupt Remapping enabled')

    def test_iommu_strict(self):
        self.check_iommu('6.1', 'intremap=off,snoop-control=on,aw-bits=48', 'dom0-iommu=strict',
                         'Intel VT-d Snoop Control enabled', 'Intel VT-d Interrupt Remapping not enabled',
                         'Dom0 mode: Strict')

    def test_q35(self):
        self.check('q35', 2, '6.12')

    def test_pc(self):
        self.check('pc', 1, '6.1')


if __name__ == '__main__':
    house.main()
