# SPDX-License-Identifier: GPL-2.0-or-later
"""Firmware starts what is on disks, discs and the network, on the software CPU."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import guest  # noqa: E402
import house  # noqa: E402
import media  # noqa: E402

SECONDS = 600  # for a busy machine; nothing waits this long when all is well
SEABIOS = '/usr/share/seabios/bios.bin'
LARGE_SEABIOS = '/usr/share/seabios/bios-256k.bin'
IPXE = '/usr/lib/ipxe/qemu/pxe-virtio.rom'
EXIT = 0x10 << 1 | 1


@unittest.skipUnless(os.path.exists(SEABIOS), 'the package seabios is not installed')
class Firmware(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.files = {}
        for name, data in (('disk', media.boot_disk('hello from the disk\n')),
                           ('disc', media.boot_disc('hello from the disc\n')),
                           ('floppy', media.boot_disk('hello from the floppy\n', 2880))):
            cls.files[name] = os.path.join(cls.folder.name, name)
            with open(cls.files[name], 'wb') as file:
                file.write(data)

    def starts(self, what, *args):
        args = [arg.format(**self.files) for arg in args]
        console = guest.Console([house.binary(), '-accel', 'tcg', '-no-user-config', '-display', 'none',
                                 '-no-reboot', '-net', 'none', '-bios', SEABIOS, '-chardev',
                                 'stdio,id=d', '-device', 'isa-debugcon,iobase=0x402,chardev=d',
                                 '-device', 'isa-debug-exit', *args], SECONDS)
        lines = [line for _, line in console.lines()]
        self.assertIn(f'hello from the {what}', lines, '\n'.join(lines[-40:]))
        self.assertEqual(console.process.returncode, EXIT)

    def test_disk(self):
        for board in ('pc', 'q35'):
            with self.subTest(board):
                self.starts('disk', '-M', board, '-drive', 'file={disk},format=raw')
        with self.subTest('a secondary channel'):
            self.starts('disk', '-M', 'pc', '-nodefaults', '-drive', 'if=none,id=d,file={disk},format=raw',
                        '-device', 'ide-hd,drive=d,bus=ide.1,bootindex=0')

    def test_disk_of_each_kind(self):
        """What the larger image of the firmware knows."""
        for board, *device in (('pc', '-device', 'virtio-blk-pci,drive=d,bootindex=0'),
                               ('q35', '-device', 'virtio-blk-pci,drive=d,bootindex=0,disable-legacy=on'),
                               ('pc', '-device', 'virtio-scsi-pci', '-device', 'scsi-hd,drive=d,bootindex=0'),
                               ('q35', '-device', 'nvme,drive=d,serial=a,bootindex=0'),
                               ('q35', '-usb', '-device', 'usb-storage,drive=d,bootindex=0'),
                               ('pc', '-usb', '-device', 'usb-hub,port=2', '-device',
                                'usb-storage,drive=d,bootindex=0,port=2.3')):
            with self.subTest(board=board, device=device[-1]):
                self.starts('disk', '-M', board, '-bios', LARGE_SEABIOS, '-nodefaults', '-drive',
                            'if=none,id=d,file={disk},format=raw', *device)

    def test_disc(self):
        for board in ('pc', 'q35'):
            with self.subTest(board):
                self.starts('disc', '-M', board, '-cdrom', '{disc}')

    def test_disc_of_each_kind(self):
        for device in (('-device', 'virtio-scsi-pci', '-device', 'scsi-cd,drive=d,bootindex=0'),
                       ('-usb', '-device', 'usb-storage,drive=d,bootindex=0')):
            with self.subTest(device=device[-1]):
                self.starts('disc', '-M', 'q35', '-bios', LARGE_SEABIOS, '-nodefaults', '-drive',
                            'if=none,id=d,media=cdrom,file={disc},format=raw', *device)

    def test_floppy(self):
        self.starts('floppy', '-M', 'pc', '-drive', 'if=floppy,file={floppy},format=raw')

    def test_order(self):
        both = ('-M', 'pc', '-drive', 'file={disk},format=raw', '-cdrom', '{disc}')
        self.starts('disk', *both)
        self.starts('disc', *both, '-boot', 'd')

    @unittest.skipUnless(os.path.exists(IPXE), 'the package ipxe-qemu is not installed')
    def test_network(self):
        """iPXE from the card's ROM asks for an address and gets the program it is told of."""
        with open(os.path.join(self.folder.name, 'program'), 'wb') as file:
            file.write(media.boot_program('hello from the network\n'))
        self.starts('network', '-M', 'pc', '-boot', 'n', '-netdev',
                    f'user,id=n,tftp={self.folder.name},bootfile=program', '-device',
                    f'virtio-net-pci,netdev=n,disable-legacy=on,romfile={IPXE}')


if __name__ == '__main__':
    house.main()
