# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels as users get them, to a shell on the serial line: boards, numbers of CPUs, ways to load."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402

SECONDS = 500


class Shell(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def fetch(self, series, flavour, arch):
        """The kernel, and an archive with a shell for it."""
        try:
            kernel = guest.kernel(series, flavour, arch)
            archive = os.path.join(self.folder.name, 'initramfs-' + arch)
            guest.shell(archive, arch)
        except subprocess.CalledProcessError:
            self.skipTest(f'Linux {series}-{flavour} or busybox-static ({arch}) cannot be fetched from '
                          'the package archive')
        return kernel, archive

    def check(self, board, cpus, series, flavour='generic', arch='amd64', cpu='max', unpack=False):
        kernel, archive = self.fetch(series, flavour, arch)
        if unpack:
            elf = os.path.join(self.folder.name, 'vmlinux')
            guest.unpack_kernel(kernel, elf)
            kernel = elf
        shell = guest.Terminal(
            [house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display', 'none',
             '-no-reboot', '-M', board, '-cpu', cpu, '-m', '512', '-smp', str(cpus), '-serial', 'stdio',
             '-kernel', kernel, '-initrd', archive, '-append', f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS}'],
            SECONDS)
        shell.wait_for(guest.PROMPT)
        self.assertTrue(shell.run('uname -r').startswith(series), shell.seen[-200:])
        self.assertEqual(shell.run('uname -m'), 'i686' if arch == 'i386' else 'x86_64')
        self.assertEqual(shell.run('nproc'), str(cpus))
        self.assertEqual(shell.run('echo $((6 * 7)) | sed s/4/four-/'), 'four-2')
        self.assertEqual(shell.run("dmesg | grep -E 'WARNING:|BUG:|Oops|hung task'"), '')
        self.assertEqual(shell.end(), 0)
        self.assertIn('Power down', shell.seen)

    def test_6_1_pc(self):
        self.check('pc', 1, '6.1')

    def test_6_1_q35_four_cpus(self):
        self.check('q35', 4, '6.1')

    def test_6_12_q35(self):
        self.check('q35', 1, '6.12')

    def test_6_12_pc_two_cpus(self):
        self.check('pc', 2, '6.12')

    def test_6_1_pvh(self):
        """The kernel's ELF file, by its PVH entry."""
        self.check('q35', 2, '6.1', unpack=True)

    def test_686_pc_two_cpus(self):
        self.check('pc', 2, '6.1', '686-pae', 'i386')

    def test_686_q35_old_cpu(self):
        self.check('q35', 1, '6.1', '686-pae', 'i386', cpu='qemu32')


if __name__ == '__main__':
    house.main()
