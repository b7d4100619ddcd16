#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Controllers of disks and displays where boards put them: addresses, interrupts, CMOS, pictures."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
from vm import Vm  # noqa: E402

BINARY = os.path.join(os.environ['BINARIES'], 'qemu-system-x86_64')
FDC = 0x3f0


class Port:
    def __init__(self, vm):
        self.vm = vm

    def inb(self, port):
        return int(self.vm.qtest(f'inb {port:#x}'), 16)

    def outb(self, port, value):
        self.vm.qtest(f'outb {port:#x} {value:#x}')

    def inw(self, port):
        return int(self.vm.qtest(f'inw {port:#x}'), 16)

    def config(self, devfn, at):
        self.vm.qtest(f'outl 0xcf8 {0x80000000 | devfn << 8 | at:#x}')
        return int(self.vm.qtest('inl 0xcfc'), 16)

    def set_config(self, devfn, at, value):
        self.vm.qtest(f'outl 0xcf8 {0x80000000 | devfn << 8 | at:#x}')
        self.vm.qtest(f'outl 0xcfc {value:#x}')

    def cmos(self, at):
        self.outb(0x70, at)
        return self.inb(0x71)


class Boards(unittest.TestCase):
    def test_ide_interrupt(self):
        with Vm(BINARY, '-M', 'pc', '-nodefaults', '-device', 'ide-cd,bus=ide.1,serial=xyz',
                qtest=True) as vm:
            port = Port(vm)
            self.assertEqual(port.config(9, 0), 0x70108086)
            vm.qtest('irq_intercept_in ioapic')
            port.outb(0x176, 0)
            port.outb(0x177, 0xa1)
            self.assertTrue(vm.irqs.get(15))
            self.assertEqual(port.inb(0x177), 0x58)
            self.assertFalse(vm.irqs.get(15))
            words = [port.inw(0x170) for _ in range(256)]
            self.assertEqual(words[0], 0x85c0)
            self.assertEqual(words[10], ord('x') << 8 | ord('y'))
            self.assertEqual(port.inb(0x1f7), 0)

    def test_ahci(self):
        with Vm(BINARY, '-M', 'q35', '-nodefaults', '-device', 'ide-cd,bus=ide.2',
                qtest=True) as vm:
            port = Port(vm)
            self.assertEqual(port.config(0xfa, 0), 0x29228086)
            self.assertEqual(port.config(0xfa, 8), 0x01060102)
            port.set_config(0xfa, 0x24, 0xe0000000)
            port.set_config(0xfa, 4, 7)
            read = [int(vm.qtest(f'readl {0xe0000100 + 0x80 * n + 0x28:#x}'), 16)
                    for n in range(6)]
            self.assertEqual(read, [0, 0, 0x113, 0, 0, 0])
            self.assertEqual(int(vm.qtest('readl 0xe0000000'), 16), 0xc0141f05)

    def test_floppy(self):
        for args, floppies, equipment in (((), 0, 0x06), (('-device', 'floppy'), 0x50, 0x07), (
                ('-device', 'floppy,drive-type=144', '-device', 'floppy,drive-type=120'),
                0x42, 0x47)):
            with Vm(BINARY, '-M', 'pc', '-nodefaults', *args, qtest=True) as vm:
                port = Port(vm)
                self.assertEqual(port.cmos(0x10), floppies)
                self.assertEqual(port.cmos(0x14), equipment)
        with Vm(BINARY, '-M', 'pc', '-nodefaults', '-device', 'floppy', qtest=True) as vm:
            port = Port(vm)
            vm.qtest('irq_intercept_in ioapic')
            self.assertEqual(port.inb(FDC + 4), 0x80)
            for byte in (0x0f, 0, 7):  # seek
                port.outb(FDC + 5, byte)
            self.assertTrue(vm.irqs.get(6))
            port.outb(FDC + 5, 0x08)
            self.assertEqual([port.inb(FDC + 5), port.inb(FDC + 5)], [0x20, 7])
            for byte in (0xe6, 0, 0, 0, 1, 2, 1, 0x1b, 0xff):  # read, without a disk
                port.outb(FDC + 5, byte)
            self.assertEqual(port.inb(FDC + 4), 0xd0)
            self.assertEqual(port.inb(FDC + 5), 0x40)

    def test_vga(self):
        for machine, slot in (('pc', 2), ('q35', 1)):
            with Vm(BINARY, '-M', machine, qtest=True) as vm, \
                    tempfile.TemporaryDirectory() as folder:
                port = Port(vm)
                path = os.path.join(folder, 'dump')
                self.assertEqual(port.config(slot << 3, 0), 0x11111234)
                self.assertEqual(port.config(slot << 3, 8), 0x03000002)
                self.assertEqual(port.inw(0x1d0), 0xb0c5)
                vm.qmp('screendump', filename=path)
                with open(path, 'rb') as dump:
                    self.assertEqual(dump.read(15), b'P6\n640 480\n255\n')
                port.outb(0x3c2, 0x67)
                self.assertEqual(port.inb(0x3cc), 0x67)
        for args in (('-vga', 'none'), ('-nodefaults',), ('-device', 'isa-vga')):
            with Vm(BINARY, '-M', 'pc', '-nic', 'none', *args, qtest=True) as vm:
                self.assertEqual(Port(vm).config(2 << 3, 0), 0xffffffff)

    def test_displays_together(self):
        with Vm(BINARY, '-M', 'q35', '-vga', 'none', '-device', 'VGA', '-device', 'secondary-vga',
                '-device', 'bochs-display,id=third', '-device', 'ramfb', qtest=True) as vm, \
                tempfile.TemporaryDirectory() as folder:
            vm.qmp('screendump', filename=os.path.join(folder, 'dump'), device='third')
            vm.qmp('system_reset')
            vm.qmp('screendump', filename=os.path.join(folder, 'dump'), device='third', head=0)

    def test_pictures_move(self):
        """Video memory is a part of what is saved, also of a card that was plugged twice."""
        cards = ('-device', 'VGA,addr=4', '-device', 'bochs-display,addr=5', '-device', 'isa-vga')
        late = {'driver': 'bochs-display', 'bus': 'pci.0', 'addr': '7', 'id': 'late'}
        slots = {4: 0xe0000000, 5: 0xe2000000, 7: 0xe4000000}
        with tempfile.TemporaryDirectory() as folder:
            uri = f'file:{folder}/state'
            with Vm(BINARY, '-M', 'pc', '-nodefaults', *cards, qtest=True) as vm:
                for _ in range(2):
                    vm.qmp('device_add', **late)
                    vm.qtest('outl 0xae08 0x80')  # the guest lets it go
                    vm.qmp.wait_event('DEVICE_DELETED')
                vm.qmp('device_add', **late)
                for slot, base in slots.items():
                    Port(vm).set_config(slot << 3, 0x10, base)
                    Port(vm).set_config(slot << 3, 4, 3)
                    vm.qtest(f'memset {base + 0x1000:#x} 0x2000 {slot:#x}')
                vm.qmp('migrate', uri=uri)
                while vm.qmp('query-migrate')['status'] != 'completed':
                    pass
            args = ','.join(f'{key}={value}' for key, value in late.items() if key != 'driver')
            with Vm(BINARY, '-M', 'pc', '-nodefaults', *cards, '-device', f'bochs-display,{args}',
                    '-incoming', uri, qtest=True) as vm:
                while vm.qmp('query-migrate').get('status') != 'completed':
                    pass
                for slot, base in slots.items():
                    self.assertEqual(vm.qtest(f'read {base + 0xffe:#x} 4'),
                                     f'0x0000{slot:02x}{slot:02x}')

    def test_ramfb(self):
        """Firmware tells of 16 x 16 pixels at 1 MiB; the screen shows them."""
        with Vm(BINARY, '-M', 'pc', '-nodefaults', '-device', 'ramfb', qtest=True) as vm, \
                tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'dump')
            key = self.find_file(vm, b'etc/ramfb')
            vm.qtest('memset 0x100000 0x400 0x33')
            for width, size in ((15, '640 480'), (16, '16 16')):
                config = (0x100000).to_bytes(8, 'big') + b'42RX'
                config += b''.join(n.to_bytes(4, 'big') for n in (0, width, 16, 0))
                self.write_file(vm, key, config)
                vm.qmp('screendump', filename=path)
                with open(path, 'rb') as dump:
                    text = dump.read()
                self.assertEqual(text.split(b'\n')[1].decode(), size)
            self.assertEqual(text[-3:], b'\x33\x33\x33')

    def dma(self, vm, control, length, address):
        command = control.to_bytes(4, 'big') + length.to_bytes(4, 'big') + \
            address.to_bytes(8, 'big')
        vm.qtest(f'write 0x8000 16 0x{command.hex()}')
        vm.qtest('outl 0x514 0')
        vm.qtest(f'outl 0x518 {int.from_bytes((0x8000).to_bytes(4, "big"), "little"):#x}')

    def find_file(self, vm, name):
        self.dma(vm, 0x19 << 16 | 8 | 2, 4 + 64 * 64, 0x9000)
        entries = bytes.fromhex(vm.qtest(f'read 0x9000 {4 + 64 * 64}')[2:])[4:]
        for at in range(0, len(entries), 64):
            if entries[at + 8:at + 64].rstrip(b'\0') == name:
                return int.from_bytes(entries[at + 4:at + 6], 'big')
        self.fail(f'no file {name}')

    def write_file(self, vm, key, data):
        vm.qtest(f'write 0x9000 {len(data)} 0x{data.hex()}')
        self.dma(vm, key << 16 | 8 | 16, len(data), 0x9000)


if __name__ == '__main__':
    unittest.main()
