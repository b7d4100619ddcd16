# SPDX-License-Identifier: GPL-2.0-or-later
"""Real firmware and kernels on the software CPU, on every board, to an init of ours and to power off."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402

SECONDS = 500  # for a busy machine and an instrumented build; nothing waits this long when all is well
SEABIOS = '/usr/share/seabios/bios.bin'


def boot(*args, accel='tcg'):
    return guest.Console([house.binary(), '-accel', accel, '-nodefaults', '-no-user-config', '-display',
                          'none', '-no-reboot', *args], SECONDS)


class Firmware(unittest.TestCase):
    @unittest.skipUnless(os.path.exists(SEABIOS), 'the package seabios is not installed')
    def test_seabios(self):
        """It finds the board's parts and our tables, and nothing to start."""
        for board, drive in (('pc', 'ATA controller 1 at 1f0'), ('q35', 'AHCI controller at 00:1f.2')):
            console = boot('-M', board, '-bios', SEABIOS, '-chardev', 'stdio,id=d', '-device',
                           'isa-debugcon,iobase=0x402,chardev=d')
            seen = []
            for _, line in console.lines():
                seen.append(line)
                if line.startswith('No bootable device'):
                    console.process.terminate()
                    break
            console.close()
            text = '\n'.join(seen)
            with self.subTest(board):
                self.assertTrue(seen and seen[-1].startswith('No bootable device'), text[-2000:])
                for wanted in ('Using pmtimer', 'Copying SMBIOS', 'PS2 keyboard initialized', drive):
                    self.assertIn(wanted, text)
                # It makes tables of its own when it finds none.
                self.assertNotIn('Copying ACPI RSDP', text)


class Linux(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        program = guest.build('boot_init.c', os.path.join(cls.folder.name, 'init'))
        cls.archive = os.path.join(cls.folder.name, 'initramfs')
        guest.initramfs(cls.archive, {'init': program})

    def check(self, board, *args, series='6.12', flavour='cloud', cpus=1, append='',
              end=None):
        try:
            kernel = guest.kernel(series, flavour)
        except subprocess.CalledProcessError:
            self.skipTest(f'Linux {series}-{flavour} cannot be fetched from the package archive')
        console = boot('-M', board, '-cpu', 'max', '-m', '512', '-smp', str(cpus), '-serial', 'stdio',
                       '-kernel', kernel, '-initrd', self.archive, '-append',
                       f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS} {append}', *args)
        lines = []
        for _, line in console.lines():
            lines.append(line)
            if end and end in line:
                console.process.terminate()
        words = [line.split(None, 2) for line in lines if line.startswith('boot ')]
        found = {name: value for _, name, value in words if name != 'warning'}
        tail = '\n'.join(lines[-40:])
        self.assertIn('end', found, tail)
        self.assertTrue(found['release'].startswith(series), found)
        self.assertEqual(found['cpus'], str(cpus))
        self.assertEqual(found['failed-children'], '0')
        self.assertEqual([line for line in lines if line.startswith('boot warning')], [])
        if not end:
            self.assertEqual(console.process.returncode, 0, tail)

    def test_pc(self):
        self.check('pc')

    def test_q35(self):
        self.check('q35')

    def test_microvm(self):
        """Without firmware, and by firmware that is named."""
        for args in ([], ['-bios', 'bios-microvm.bin']):
            with self.subTest(args=args):
                self.check('microvm', *args, cpus=2, append='tsc_early_khz=1000000')

    def test_microvm_without_acpi(self):
        """By the multiprocessor table; nothing can turn it off."""
        self.check('microvm,acpi=off', series='6.1', flavour='generic', cpus=2,
                   append='tsc_early_khz=1000000', end='reboot: System halted')

    def test_two_cpus(self):
        self.check('q35', cpus=2)

    def test_older_kernel(self):
        self.check('pc', series='6.1')


if __name__ == '__main__':
    house.main()
