# SPDX-License-Identifier: GPL-2.0-or-later
"""GRUB from a disk, started by SeaBIOS or OVMF; it loads Linux from a second disk, which is a tar archive."""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
import media  # noqa: E402

SECONDS = 500
SEABIOS = '/usr/share/seabios/bios.bin'
MODULES = ('tar', 'linux', 'serial', 'terminal', 'normal', 'boot', 'echo', 'halt')
# OVMF has the serial line for its console, which GRUB uses by default.
SERIAL = 'serial --unit=0\nterminal_input serial\nterminal_output serial\n'


class Grub(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        try:
            self.tools = guest.package('grub-common')
            guest.shell(self.path('initramfs'))
            kernel = guest.kernel()
        except subprocess.CalledProcessError:
            self.skipTest('GRUB, Linux or busybox-static cannot be fetched from the package archive')
        with tarfile.open(self.path('system'), 'w') as archive:
            archive.add(kernel, 'vmlinuz')
            archive.add(self.path('initramfs'), 'initramfs')
        with open(self.path('system'), 'ab') as disk:
            disk.truncate(64 << 20)

    def path(self, name):
        return os.path.join(self.folder, name)

    def core(self, package, target, commands, *modules):
        """GRUB's modules and what it does first, in one file."""
        with open(self.path('setup'), 'w', encoding='ascii') as setup:
            setup.write(commands)
        folder = guest.package(package, 'usr', 'lib', 'grub', target)
        subprocess.run([os.path.join(self.tools, 'usr', 'bin', 'grub-mkimage'), '-O', target, '-d', folder,
                        '-c', self.path('setup'), '-p', '/', '-o', self.path('core'), *MODULES, *modules],
                       check=True)
        with open(self.path('core'), 'rb') as file:
            return folder, file.read()

    def starts(self, board, *args):
        """From GRUB's prompt to the shell."""
        grub = guest.Terminal([house.binary(), '-accel', 'tcg', '-nodefaults', '-no-user-config',
                               '-display', 'none', '-no-reboot', '-M', board, '-m', '512', '-cpu', 'max',
                               '-serial', 'stdio', *args,
                               '-drive', f"file={self.path('boot')},format=raw",
                               '-drive', f"file={self.path('system')},format=raw"],
                              SECONDS, prompt='grub> ', enter='\r')
        grub.wait_for(grub.prompt)
        self.assertIn('vmlinuz', grub.run('ls (hd1)/'))
        grub.run('linux (hd1)/vmlinuz console=ttyS0 panic=-1 no_timer_check')
        grub.run('initrd (hd1)/initramfs')
        grub.type('boot\r')
        grub.prompt, grub.enter = guest.PROMPT, '\n'
        grub.wait_for(grub.prompt)
        self.assertEqual(grub.run('echo $((6 * 7))'), '42')
        self.assertEqual(grub.end(), 0)

    @unittest.skipUnless(os.path.exists(SEABIOS), 'the package seabios is not installed')
    def test_bios(self):
        folder, core = self.core('grub-pc-bin', 'i386-pc', SERIAL, 'biosdisk')
        with open(os.path.join(folder, 'boot.img'), 'rb') as sector, open(self.path('boot'), 'wb') as disk:
            disk.write((sector.read() + core).ljust(4 << 20, b'\0'))
        for board in ('pc', 'q35'):
            with self.subTest(board):
                self.starts(board, '-bios', SEABIOS)

    def test_efi(self):
        _, core = self.core('grub-efi-amd64-bin', 'x86_64-efi', '')
        with open(self.path('boot'), 'wb') as disk:
            disk.write(media.fat_disk('EFI/BOOT/BOOTX64.EFI', core))
        firmware = guest.package('ovmf', 'usr', 'share', 'OVMF')
        shutil.copy(os.path.join(firmware, 'OVMF_VARS_4M.fd'), self.path('variables'))
        self.starts('q35', '-drive', f'if=pflash,format=raw,readonly=on,file={firmware}/OVMF_CODE_4M.fd',
                    '-drive', f"if=pflash,format=raw,file={self.path('variables')}")


if __name__ == '__main__':
    house.main()
