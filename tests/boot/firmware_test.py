# SPDX-License-Identifier: GPL-2.0-or-later
"""Firmware and what stands on it by itself: OVMF in flash, qboot, memtest86+."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402

SECONDS = 500
QBOOT = '/usr/share/qemu/qboot.rom'
VARIABLE = 'setvar Tandem -guid 11223344-5566-7788-99aa-bbccddeeff00'


def terminal(board, *args, memory='512', **shell):
    return guest.Terminal([house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config', '-display',
                           'none', '-no-reboot', '-M', board, '-m', memory, '-cpu', 'max', *args,
                           '-serial', 'stdio'], SECONDS, **shell)


def fetched(test, name, *path):
    try:
        return guest.package(name, *path)
    except subprocess.CalledProcessError:
        return test.skipTest(f'{name} cannot be fetched from the package archive')


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def linux(self):
        try:
            kernel = guest.kernel()
            guest.shell(self.path('initramfs'))
        except subprocess.CalledProcessError:
            self.skipTest('Linux or busybox-static cannot be fetched from the package archive')
        return ('-kernel', kernel, '-initrd', self.path('initramfs'), '-append',
                f'console=ttyS0 reboot=t {guest.LINUX_OPTIONS} tsc_early_khz=1000000')

    def check_shell(self, shell):
        shell.wait_for(guest.PROMPT)
        self.assertEqual(shell.run('echo $((6 * 7))'), '42')
        self.assertEqual(shell.end(), 0)


class Ovmf(Case):
    def flash(self, code='OVMF_CODE_4M.fd'):
        """Options; the variables' file is made anew only once in a test."""
        folder = fetched(self, 'ovmf', 'usr', 'share', 'OVMF')
        if not os.path.exists(self.path('variables')):
            shutil.copy(os.path.join(folder, 'OVMF_VARS_4M.fd'), self.path('variables'))
        return ('-drive', f'if=pflash,format=raw,readonly=on,file={folder}/{code}',
                '-drive', f"if=pflash,format=raw,file={self.path('variables')}")

    def shell(self, board, *args):
        """At the prompt of the UEFI shell."""
        shell = terminal(board, *args, prompt='Shell> ', enter='\r')
        shell.wait_for('Press .*ESC')
        shell.type('\x1b')
        shell.wait_for(shell.prompt)
        return shell

    def check_variables(self, board, *args):
        """What is set stays in the file."""
        shell = self.shell(board, *args)
        shell.run(VARIABLE + ' -bs -rt -nv =0x12345678')
        self.assertEqual(shell.end('reset -s'), 0)
        shell = self.shell(board, *args)
        self.assertIn('78 56 34 12', shell.run(VARIABLE))
        self.assertEqual(shell.end('reset -s'), 0)

    def test_variables_q35(self):
        self.check_variables('q35', *self.flash())

    def test_smm(self):
        """Only what runs in system management mode writes variables; two CPUs go there at once."""
        self.check_variables('q35,smm=on', '-smp', '2', '-global', 'driver=cfi.pflash01,property=secure,value=on',
                             *self.flash('OVMF_CODE_4M.secboot.fd'))

    def test_kernel_pc(self):
        self.check_shell(terminal('pc', *self.flash(), *self.linux()))

    def test_kernel_q35(self):
        self.check_shell(terminal('q35', '-smp', '2', *self.flash(), *self.linux()))


@unittest.skipUnless(os.path.exists(QBOOT), 'the package qemu-system-data is not installed')
class Qboot(Case):
    def test_microvm(self):
        self.check_shell(terminal('microvm', '-bios', QBOOT, *self.linux()))


class Memtest(Case):
    def check(self, name):
        """Tests of the first pass find nothing and go on. Every two seconds it says where it is."""
        program = fetched(self, 'memtest86[+]', 'boot', name)
        screen = terminal('pc', '-vga', 'std', '-kernel', program, '-append', 'console=ttyS0,115200',
                          memory='16')
        screen.wait_for(r'#[4-9] +\[')
        screen.wait_for(r'Errors: \d')
        self.assertEqual(set(re.findall(r'Errors: (\d+)', screen.seen)), {'0'})
        screen.stop()

    def test_64(self):
        self.check('memtest86+x64.bin')

    def test_32(self):
        self.check('memtest86+ia32.bin')


if __name__ == '__main__':
    house.main()
