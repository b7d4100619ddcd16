# SPDX-License-Identifier: GPL-2.0-or-later
"""The i440FX board: host bridge, PAM, SMRAM, firmware, reset. Intel 82441FX data sheet."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import house  # noqa: E402
from pci import Pci  # noqa: E402
from vm import Vm, refusal  # noqa: E402

HOST, BRIDGE = 0x00, 0x08
READ, WRITE = 1, 2
NOBODY = 0  # what qtest reads where nobody answers
# PAM segments: register, shift of its nibble, first address, bytes.
SEGMENTS = [(0x59, 4, 0xf0000, 0x10000)] + \
    [(0x5a + n // 2, n % 2 * 4, 0xc0000 + n * 0x4000, 0x4000) for n in range(12)]


def machine(*args):
    return Vm(house.binary(), '-M', 'pc', '-nodefaults', '-m', '64', *args, qtest=True)


def byte(vm, addr):
    return int(vm.qtest(f'readb {addr:#x}'), 16)


def put(vm, addr, value):
    vm.qtest(f'writeb {addr:#x} {value:#x}')


class I440fx(unittest.TestCase):
    def test_identity(self):
        with machine() as vm:
            pci = Pci(vm)
            self.assertEqual(pci.read(HOST, 0), 0x12378086)
            self.assertEqual(pci.read(HOST, 8), 0x06000002)
            self.assertEqual(pci.read(HOST, 4, 2), 0)
            self.assertEqual([pci.read(HOST, 0x59 + n, 1) for n in range(7)], [0] * 7)
            self.assertEqual(pci.read(HOST, 0x72, 1), 0x02)
            self.assertEqual(pci.read(BRIDGE, 0), 0x70008086)
            self.assertEqual(pci.read(BRIDGE, 0xa, 2), 0x0601)
            self.assertEqual(pci.read(BRIDGE, 0x60), 0x80808080)
            self.assertEqual(pci.read(0xff, 0), 0xffffffff)

    def test_pam(self):
        """Each segment in each mode: what is read, where writes go."""
        with machine() as vm:
            pci = Pci(vm)
            for at, shift, base, size in SEGMENTS:
                last = base + size - 1
                others = pci.read(HOST, at, 1) & ~(3 << shift)

                def mode(bits):
                    pci.write(HOST, at, others | bits << shift, 1)

                with self.subTest(base=hex(base)):
                    rom = byte(vm, last)
                    mode(READ | WRITE)
                    for addr in (base, last):
                        put(vm, addr, 0x42)
                        self.assertEqual(byte(vm, addr), 0x42)
                    mode(READ)
                    put(vm, last, 0x55)
                    self.assertEqual(byte(vm, last), 0x42)
                    mode(0)
                    self.assertEqual(byte(vm, last), rom)
                    mode(WRITE)
                    put(vm, last, 0x77)
                    self.assertEqual(byte(vm, last), rom)
                    mode(READ)
                    self.assertEqual(byte(vm, last), 0x77)
                    mode(0)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            self.assertEqual([pci.read(HOST, 0x59 + n, 1) for n in range(7)], [0] * 7)

    def test_smram(self):
        """Closed, the range is PCI's; open, it is DRAM; locked, it stays closed till reset."""
        with machine() as vm:
            pci = Pci(vm)
            put(vm, 0xa0000, 0x11)
            self.assertEqual(byte(vm, 0xa0000), NOBODY)
            pci.write(HOST, 0x72, 0x4a, 1)
            put(vm, 0xa0000, 0x22)
            self.assertEqual(byte(vm, 0xa0000), 0x22)
            pci.write(HOST, 0x72, 0x5a, 1)
            self.assertEqual(pci.read(HOST, 0x72, 1), 0x1a)
            self.assertEqual(byte(vm, 0xa0000), NOBODY)
            pci.write(HOST, 0x72, 0x4a, 1)
            self.assertEqual(pci.read(HOST, 0x72, 1), 0x1a)
            vm.qmp('system_reset')
            vm.qmp.wait_event('RESET')
            self.assertEqual(pci.read(HOST, 0x72, 1), 0x02)
            pci.write(HOST, 0x72, 0x4a, 1)
            self.assertEqual(byte(vm, 0xa0000), 0x22)

    def test_firmware(self):
        """An image ends at 4 GiB and at 1 MiB, where 128 KiB of it are seen."""
        with tempfile.NamedTemporaryFile() as file:
            for kib in (64, 128, 256):
                image = bytes(i * 7 % 251 for i in range(kib * 1024))
                file.seek(0)
                file.truncate()
                file.write(image)
                file.flush()
                with self.subTest(kib=kib), machine('-bios', file.name) as vm:
                    low = min(len(image), 0x20000)
                    for end, size in ((1 << 32, len(image)), (1 << 20, low)):
                        got = bytes.fromhex(vm.qtest(f'read {end - size:#x} {size}')[2:])
                        self.assertEqual(got, image[-size:])
                    put(vm, 0xfffff, image[-1] ^ 1)
                    self.assertEqual(byte(vm, 0xfffff), image[-1])

    def test_firmware_refused(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(1000))
            file.flush()
            for name in (file.name, '/nowhere/at/all'):
                with self.subTest(name=name):
                    self.assertIn(f"could not load PC BIOS '{name}'", refusal(house.binary(), '-M', 'pc', '-bios', name))

    def test_reset_port(self):
        """0xcf9 stands in the middle of CONFIG_ADDRESS, which takes doublewords only."""
        with machine() as vm:
            vm.qtest('outl 0xcf8 0x80000858')
            self.assertEqual(int(vm.qtest('inl 0xcf8'), 16), 0x80000858)
            vm.qtest('outb 0xcf9 0x02')
            self.assertEqual(int(vm.qtest('inb 0xcf9'), 16), 0x02)
            self.assertEqual(int(vm.qtest('inl 0xcf8'), 16), 0x80000858)
            vm.qtest('outb 0xcf9 0x06')
            event = vm.qmp.wait_event('RESET')
            self.assertEqual(event['data'], {'guest': True, 'reason': 'guest-reset'})
            self.assertEqual(int(vm.qtest('inb 0xcf9'), 16), 0)

    def test_every_version(self):
        with Vm(house.binary(), '-M', 'none', qtest=True) as vm:
            names = [m['name'] for m in vm.qmp('query-machines')]
        versions = [name for name in names if name.startswith('pc-')]
        self.assertIn('pc-i440fx-7.2', versions)
        for name in versions:
            with self.subTest(name=name), \
                    Vm(house.binary(), '-M', name, '-nodefaults', qtest=True) as vm:
                self.assertEqual(Pci(vm).read(HOST, 0, 2), 0x8086)


if __name__ == '__main__':
    house.main()
