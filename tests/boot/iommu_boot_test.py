# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels behind intel-iommu: random bytes by DMA through it, in each of its modes."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402

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


if __name__ == '__main__':
    house.main()
