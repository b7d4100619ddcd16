# SPDX-License-Identifier: GPL-2.0-or-later
"""Our option ROMs on a real BIOS: the peer runs them in place of its own, with kernels that say
one letter and halt. Then its memory and registers are looked at.
"""
import os
import re
import shutil
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
import images  # noqa: E402
from vm import TIMEOUT, Vm  # noqa: E402

PEER = shutil.which('qemu-system-x86_64')
# mov dx, 0x3f8; mov al, 'K'; out dx, al; hlt; jmp to it
SAY_16 = b'\xba\xf8\x03\xb0K\xee\xf4\xeb\xfd'
SAY_32 = b'\x66' + SAY_16
INITRD, MODULE = b'INITRD' * 1000, b'MODULE' * 1000


@unittest.skipUnless(PEER, 'no peer installed')
class OptionRoms(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='roms-')
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        for name in ('linuxboot_dma.bin', 'multiboot_dma.bin', 'pvh.bin'):
            shutil.copy(os.path.join(os.environ['ROMS'], name), self.folder)
        self.initrd = self.file('initrd', INITRD)
        self.module = self.file('module', MODULE)

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as out:
            out.write(data)
        return path

    def start(self, machine, image, *args):
        """The kernel has spoken and the machine is stopped."""
        console = os.path.join(self.folder, 'console')
        self.file('console', b'')
        vm = Vm(PEER, '-L', self.folder, '-M', machine, '-nodefaults', '-accel', 'tcg',
                '-kernel', self.file('kernel', image), '-serial', 'file:' + console, *args)
        self.addCleanup(vm.release)
        self.addCleanup(vm.end)
        deadline = time.monotonic() + TIMEOUT
        while os.path.getsize(console) == 0:
            self.assertLess(time.monotonic(), deadline, vm.qmp.hmp('info registers'))
            time.sleep(0.02)
        vm.qmp('stop')
        self.vm = vm
        text = vm.qmp.hmp('info registers')
        self.registers = {name: int(value, 16) for name, value in
                          re.findall(r'\b(E[A-Z]+|CR\d)=([0-9a-f]+)', text)}
        self.segments = {name: [int(word, 16) for word in words.split()[:4]] for name, words in
                         re.findall(r'(?m)^([A-Z]S|TR) *=([0-9a-f ]+)', text)}

    def memory(self, at, count):
        path = os.path.join(self.folder, 'memory')
        self.vm.qmp.run('pmemsave', {'val': at, 'size': count, 'filename': path})
        with open(path, 'rb') as data:
            return data.read()

    def check_protected_mode(self):
        self.assertEqual(self.registers['CR0'] & ~0x60000000, 0x11)
        self.assertEqual(self.registers['EFL'] & 0x20202, 2)
        self.assertEqual(self.segments['CS'][1:3], [0, 0xffffffff])
        self.assertEqual(self.segments['DS'], self.segments['SS'])
        self.assertEqual(self.segments['DS'][1:3], [0, 0xffffffff])
        self.assertEqual(self.segments['TR'][1:3], [0, 0x67 if 'pvh' in self.id() else 0xffff])

    def test_linux(self):
        code = b'CODE' * 5000
        for machine in 'pc', 'q35':
            self.start(machine, images.bzimage(code, heap=SAY_16), '-initrd', self.initrd,
                       '-append', 'console=ttyS0')
            self.assertEqual(self.segments['CS'][:2], [0x1020, 0x10200])
            for name in 'DS', 'ES', 'FS', 'GS', 'SS':
                self.assertEqual(self.segments[name][:2], [0x1000, 0x10000])
            self.assertEqual(self.registers['ESP'], 0xfff0)
            self.assertEqual(self.memory(0x20000, 14), b'console=ttyS0\0')
            self.assertEqual(self.memory(0x100000, len(code)), code)
            at, count = struct.unpack('<II', self.memory(0x10218, 8))
            self.assertEqual(self.memory(at, count), INITRD)

    def test_linux_low(self):
        image = images.bzimage(b'CODE' * 100, heap=SAY_16, protocol=0x200, loadflags=0)
        self.start('pc', image, '-append', 'old')
        self.assertEqual(self.segments['CS'][:2], [0x9020, 0x90200])
        self.assertEqual(self.memory(0x10000, 8), b'CODECODE')

    def check_map(self, rows):
        self.assertIn((0x100000, 1), [(row[0], row[2]) for row in rows])
        self.assertEqual(rows[0][0], 0)

    def test_pvh(self):
        for bits in 32, 64:
            self.start('q35', images.pvh(SAY_32, bits=bits), '-initrd', self.initrd,
                       '-append', 'console=ttyS0')
            self.check_protected_mode()
            info = struct.unpack('<4I4Q2I', self.memory(self.registers['EBX'], 56))
            magic, version, flags, modules, module, cmdline, rsdp, table, rows, _ = info
            self.assertEqual((magic, version, flags, modules), (0x336ec578, 1, 0, 1))
            self.assertEqual(self.memory(cmdline, 14), b'console=ttyS0\0')
            at, count = struct.unpack('<QQ', self.memory(module, 16))
            self.assertEqual(self.memory(at, count), INITRD)
            self.assertEqual(self.memory(rsdp, 8), b'RSD PTR ')
            self.check_map([struct.unpack('<QQI', self.memory(table + 24 * i, 20))
                            for i in range(rows)])

    def test_initrd_below_firmware(self):
        """With many disks the BIOS keeps more memory for itself than the machine thinks it does."""
        disks = [arg for n in range(8) for arg in
                 ('-blockdev', f'driver=null-co,node-name=d{n}', '-device', f'nvme,drive=d{n},serial={n}')]
        self.start('q35', images.pvh(SAY_32), '-initrd', self.initrd, *disks)
        info = struct.unpack('<4I4Q2I', self.memory(self.registers['EBX'], 56))
        at, count = struct.unpack('<QQ', self.memory(info[4], 16))
        [end] = [row[0] + row[1] for row in (struct.unpack('<QQI', self.memory(info[7] + 24 * i, 20))
                                             for i in range(info[8])) if row[0] == 0x100000]
        self.assertLess(end, (128 << 20) - 0x28000)
        self.assertLessEqual(at + count, end)
        self.assertEqual(self.memory(at, count), INITRD)
        self.start('q35', images.bzimage(heap=SAY_16), '-initrd', self.initrd, *disks)
        at, count = struct.unpack('<II', self.memory(0x10218, 8))
        self.assertLessEqual(at + count, end)
        self.assertEqual(self.memory(at, count), INITRD)

    def test_pvh_alone(self):
        self.start('pc', images.pvh(SAY_32))
        info = struct.unpack('<4I4Q2I', self.memory(self.registers['EBX'], 56))
        self.assertEqual(info[3:5], (0, 0))

    def test_multiboot(self):
        for is_elf in True, False:
            self.start('pc', images.multiboot(SAY_32, is_elf=is_elf), '-initrd',
                       f'{self.initrd} a b,{self.module}', '-append', 'x y')
            self.check_protected_mode()
            info = struct.unpack('<22I', self.memory(self.registers['EBX'], 88))
            self.assertEqual(info[0] & 0x4f, 0x4f)
            self.assertEqual(info[1], 639)
            self.assertGreater(info[2], 100 * 1024)
            self.assertEqual(self.registers['EAX'] >> 16, 0x2bad)
            self.assertIn(b' x y\0', self.memory(info[4], 200))
            found = []
            for i in range(info[5]):
                start, end, text = struct.unpack('<3I', self.memory(info[6] + 16 * i, 12))
                found.append(self.memory(start, end - start))
                self.assertTrue(self.memory(text, 200).startswith(self.folder.encode()))
            self.assertEqual(found, [INITRD, MODULE])
            self.check_map([struct.unpack('<4xQQI', self.memory(info[12] + at, 24))
                            for at in range(0, info[11], 24)])


if __name__ == '__main__':
    house.main()
