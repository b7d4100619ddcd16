# SPDX-License-Identifier: GPL-2.0-or-later
"""Xen by multiboot, with Debian's kernel as its first domain, to a shell there."""
import gzip
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402

SECONDS = 500
XEN = 'xen-hypervisor-4.17-amd64', 'boot', 'xen-4.17-amd64.gz'


class Xen(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.archive = os.path.join(cls.folder.name, 'initramfs')
        cls.xen = os.path.join(cls.folder.name, 'xen')
        try:
            cls.kernels = {series: guest.kernel(series, 'generic') for series in ('6.1', '6.12')}
            guest.shell(cls.archive)
            with gzip.open(guest.package(*XEN)) as packed, open(cls.xen, 'wb') as out:
                out.write(packed.read())
        except subprocess.CalledProcessError:
            raise unittest.SkipTest('Xen or Linux cannot be fetched from the package archive') from None

    def check(self, board, cpus, series):
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', board, '-cpu', 'max', '-m', '1024', '-smp', str(cpus), '-serial',
             'stdio', '-kernel', self.xen, '-append', 'console=com1 dom0_mem=512M loglvl=none',
             '-initrd', f'{self.kernels[series]} console=hvc0,{self.archive}'], SECONDS)
        shell.wait_for(guest.PROMPT)
        self.assertEqual(shell.run('cat /sys/hypervisor/type'), 'xen')
        self.assertRegex(shell.run('cat /sys/hypervisor/version/minor'), '^17$')
        self.assertTrue(shell.run('uname -r').startswith(series))
        self.assertEqual(shell.run('nproc'), str(cpus))
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops'"), '')
        self.assertEqual(shell.end(), 0)

    def test_q35(self):
        self.check('q35', 2, '6.12')

    def test_pc(self):
        self.check('pc', 1, '6.1')


if __name__ == '__main__':
    house.main()
