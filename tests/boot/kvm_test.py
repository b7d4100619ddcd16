# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux guest that is a host: its KVM (kvm_amd) runs a guest of its own by our SVM."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402

SECONDS = 500
MODULES = ('irqbypass', 'kvm', 'ccp', 'kvm-amd')
RESULT = 'kvm guest: outs 200 writes 1 sum 40200 ax 0x1234 rip 0x1015'


class Kvm(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.init = guest.build('kvm_init.c', os.path.join(cls.folder.name, 'init'))

    def archive(self, kernel):
        path = os.path.join(self.folder.name, 'initramfs')
        guest.initramfs(path, {'init': self.init,
                               **guest.modules(kernel, MODULES, self.folder.name)})
        return path

    def run_guest(self, options, cpu, cpus=1, series='6.12', flavour='cloud'):
        try:
            kernel = guest.kernel(series, flavour)
        except subprocess.CalledProcessError:
            self.skipTest(f'Linux {series}-{flavour} cannot be fetched from the package archive')
        console = guest.Console(
            [house.binary(), '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-M',
             'q35', '-cpu', cpu, '-m', '512', '-smp', str(cpus), '-serial', 'stdio', '-kernel',
             kernel, '-initrd', self.archive(kernel), '-append',
             f'console=ttyS0 quiet {guest.LINUX_OPTIONS} kvm_options={options}'], SECONDS)
        text = '\n'.join(line for _, line in console.lines())
        self.assertIn(RESULT, text)
        # Late ones come in bursts, large ones on a busy host.
        self.assertRegex(text, r'kvm timer guest: interrupts ([2-9][0-9]|[12][0-9][0-9])\b')
        self.assertNotRegex(text, 'BUG:|Oops|WARNING:|kvm fails|kvm cannot')
        return text

    def test_nested_paging(self):
        self.run_guest('npt=1', 'max')

    def test_shadow_paging(self):
        self.run_guest('npt=0', 'max')

    def test_plain_cpu_two_cpus(self):
        """Without the conveniences of later CPUs."""
        self.run_guest('nrips=0,vgif=0', 'EPYC,svm=on,nrip-save=off', 2)

    def test_6_1_generic_two_cpus(self):
        self.run_guest('npt=1', 'max', 2, '6.1', 'generic')

    def test_6_12_generic_two_cpus(self):
        self.run_guest('npt=1', 'EPYC-Milan', 2, '6.12', 'generic')


if __name__ == '__main__':
    house.main()
