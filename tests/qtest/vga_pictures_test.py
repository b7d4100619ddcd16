# SPDX-License-Identifier: GPL-2.0-or-later
"""What a VGA shows in each of IBM's modes: as the peer does, pixel by pixel, also when registers of it change; and, of
what the peer leaves out, that the picture moves as it should."""
import os
import random
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import house  # noqa: E402
from vm import Vm  # noqa: E402

VRAM = 0xfd000000
PLANES = 0x40000  # bytes that 16-bit addresses of four planes reach
# Registers as the VGA's technical reference has them for each BIOS mode: miscellaneous output, sequencer from 1, CRT
# controller, graphics controller from 4, attribute controller from 0x10.
TEXT, CGA, PLANAR, BYTES = '00 10 0e 00 ff', '00 30 0f 00 ff', '00 00 05 0f ff', '00 40 05 0f ff'
MODES = {
    'text 80x25': (0x67, '00 03 00 02', '5f 4f 50 82 55 81 bf 1f 00 4f 20 0e 00 00 00 50 9c 0e 8f 28 1f 96 b9 a3 ff',
                   TEXT, '0c 00 0f 08 00'),
    'text 40x25': (0x63, '09 03 00 02', '2d 27 28 90 2b a0 bf 1f 00 4f 20 0e 00 00 00 a0 9c 0e 8f 14 1f 96 b9 a3 ff',
                   TEXT, '0c 00 0f 00 00'),
    'text 80x50': (0x63, '01 03 00 02', '5f 4f 50 82 55 81 bf 1f 00 47 20 07 00 00 01 40 9c 0e 8f 28 1f 96 b9 a3 ff',
                   TEXT, '08 00 0f 00 00'),
    'text 132x43': (0x67, '01 03 00 02', '9f 83 84 82 8a 9e bf 1f 00 47 20 07 00 00 00 00 9c 0e 57 42 1f 96 b9 a3 ff',
                    TEXT, '08 00 0f 00 00'),
    'monochrome text': (0x66, '00 03 00 02',
                        '5f 4f 50 82 55 81 bf 1f 00 4d 20 0c 00 00 00 00 83 85 5d 28 1f 63 ba a3 ff',
                        '00 10 0a 00 ff', '0e 00 0f 08 00'),
    '320x200x4': (0x63, '09 03 00 02', '2d 27 28 90 2b 80 bf 1f 00 c1 00 00 00 00 00 00 9c 0e 8f 14 00 96 b9 a2 ff',
                  CGA, '01 00 03 00 00'),
    '640x200x2': (0x63, '01 01 00 06', '5f 4f 50 82 54 80 bf 1f 00 c1 00 00 00 00 00 00 9c 0e 8f 28 00 96 b9 c2 ff',
                  '00 00 0d 00 ff', '01 00 01 00 00'),
    '320x200x16': (0x63, '09 0f 00 06', '2d 27 28 90 2b 80 bf 1f 00 c0 00 00 00 00 00 00 9c 0e 8f 14 00 96 b9 e3 ff',
                   PLANAR, '01 00 0f 00 00'),
    '640x200x16': (0x63, '01 0f 00 06', '5f 4f 50 82 54 80 bf 1f 00 c0 00 00 00 00 00 00 9c 0e 8f 28 00 96 b9 e3 ff',
                   PLANAR, '01 00 0f 00 00'),
    '640x350x16': (0xa3, '01 0f 00 06', '5f 4f 50 82 54 80 bf 1f 00 40 00 00 00 00 00 00 83 85 5d 28 0f 63 ba e3 ff',
                   PLANAR, '01 00 0f 00 00'),
    '640x480x16': (0xe3, '01 0f 00 06', '5f 4f 50 82 54 80 0b 3e 00 40 00 00 00 00 00 00 ea 0c df 28 00 e7 04 e3 ff',
                   PLANAR, '01 00 0f 00 00'),
    '320x200x256': (0x63, '01 0f 00 0e',
                    '5f 4f 50 82 54 80 bf 1f 00 41 00 00 00 00 00 00 9c 0e 8f 28 40 96 b9 a3 ff', BYTES,
                    '41 00 0f 00 00'),
    '320x240x256 in planes': (0xe3, '01 0f 00 06',
                              '5f 4f 50 82 54 80 0d 3e 00 41 00 00 00 00 00 00 ea 0c df 28 00 e7 06 e3 ff', BYTES,
                              '41 00 0f 00 00'),
}
# Changes of some registers: (controller's port or 0x3c0, index, bits to clear, bits to set).
CHANGES = {
    'plain': [],
    'start': [(0x3d4, 0x0c, 0xff, 0x01), (0x3d4, 0x0d, 0xff, 0x23)],
    'wide lines': [(0x3d4, 0x13, 0xff, 0x40)],
    'colour select': [(0x3c0, 0x14, 0xff, 0x06), (0x3c0, 0x10, 0, 0x80)],
    'intensity': [(0x3c0, 0x10, 0x08, 0)],
    'no lines in the ninth dot': [(0x3c0, 0x10, 0x04, 0)],
    'two fonts': [(0x3c4, 0x03, 0xff, 0x04)],
    'double': [(0x3d4, 0x09, 0, 0x80)],
}
GRAPHICS = {'split': [(0x3d4, 0x18, 0xff, 99), (0x3d4, 0x07, 0x10, 0), (0x3d4, 0x09, 0x40, 0),
                      (0x3d4, 0x0d, 0xff, 0x50)]}
PLANES_ALONE = {'tall': [(0x3d4, 0x09, 0x1f, 0x07)], 'planes off': [(0x3c0, 0x12, 0x0f, 0x0a)]}
PANNED = [(0x3c0, 0x13, 0xff, 0x02)]
PRESET = [(0x3d4, 0x08, 0x1f, 0x03)]
SPLIT = [(0x3d4, 0x18, 0xff, 99), (0x3d4, 0x07, 0x10, 0), (0x3d4, 0x09, 0x40, 0), (0x3d4, 0x0c, 0xff, 0x11)]
UNDERLINE = [(0x3d4, 0x14, 0x1f, 0x0d)]
MASK = [(0x3c6, None, 0, 0x2b)]


class Vga:
    """The VGA of a PC without firmware, its memory by its linear window."""

    def __init__(self, binary, folder):
        accel = 'tcg' if binary != house.binary() else 'qtest'
        self.vm = Vm(binary, '-M', 'pc', '-nodefaults', '-S', '-device', 'VGA,addr=2', qtest=True, accel=accel)
        self.path = os.path.join(folder, 'dump')
        for at, value in ((0x10, VRAM), (4, 3)):
            self.vm.qtest(f'outl 0xcf8 {0x80001000 | at:#x}')
            self.vm.qtest(f'outl 0xcfc {value:#x}')

    def out(self, port, value):
        self.vm.qtest(f'outb {port:#x} {value:#x}')

    def indexed(self, port, index, value):
        if index is None:
            self.out(port, value)
        elif port == 0x3c0:
            self.vm.qtest('inb 0x3da')
            self.vm.qtest('inb 0x3ba')
            self.out(port, index)
            self.out(port, value)
        else:
            self.out(port, index)
            self.out(port + 1, value)

    def fill(self, data):
        for at in range(0, len(data), 0x8000):
            part = data[at:at + 0x8000]
            self.vm.qtest(f'write {VRAM + at:#x} {len(part)} 0x{part.hex()}')

    def palette(self, values):
        self.out(0x3c8, 0)
        for value in values:
            self.out(0x3c9, value)

    def mode(self, registers, changes):
        """All registers of a mode, some of them changed."""
        misc, seq, crtc, graphics, attributes = registers
        values = {(0x3c4, n + 1): value for n, value in enumerate(bytes.fromhex(seq))}
        values |= {(0x3d4, n): value for n, value in enumerate(bytes.fromhex(crtc))}
        values |= {(0x3ce, n + 3): value for n, value in enumerate(bytes.fromhex('00' + graphics))}
        values |= {(0x3c0, n): n for n in range(16)}
        values |= {(0x3c0, n + 16): value for n, value in enumerate(bytes.fromhex(attributes))}
        values[0x3c6, None] = 0xff
        for port, index, clear, add in changes:
            old = values[port, index] if index is not None else 0
            values[port, index] = old & ~clear | add
        self.out(0x3c2, misc | 1)
        self.indexed(0x3d4, 0x11, 0)  # the first registers are to be written
        for (port, index), value in values.items():
            self.indexed(port, index, value)
        self.picture()  # a blank one: the next is drawn anew
        self.out(0x3c0, 0x20)

    def vbe(self, width, height, bits, virtual_width, x, y):
        for index, value in ((4, 0), (1, width), (2, height), (3, bits), (4, 0x41), (6, virtual_width), (8, x),
                             (9, y)):
            self.vm.qtest(f'outw 0x1ce {index:#x}')
            self.vm.qtest(f'outw 0x1cf {value:#x}')

    def picture(self):
        self.vm.qmp('screendump', filename=self.path)
        with open(self.path, 'rb') as file:
            _, size, _, pixels = file.read().split(b'\n', 3)
        return (*map(int, size.split()), pixels)


def is_text(name):
    return 'text' in name


def changes_of(name):
    """Those that the peer does in a mode."""
    rows = dict(CHANGES)
    if not is_text(name):
        rows.update(GRAPHICS)
        if not name.endswith(('x4', 'x2')):
            rows.update(PLANES_ALONE)
    return rows


class Pictures(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        source = random.Random(1)
        self.memory = source.randbytes(PLANES)
        self.colors = [source.randrange(64) for _ in range(768)]

    def vga(self, binary):
        vga = Vga(binary, self.folder)
        self.addCleanup(vga.vm.kill)
        vga.fill(self.memory)
        vga.palette(self.colors)
        return vga

    def shown(self, vga, name, changes=()):
        vga.mode(MODES[name], changes)
        return vga.picture()

    def lines(self, vga, name, changes=()):
        width, height, pixels = self.shown(vga, name, changes)
        return [pixels[y * width * 3:(y + 1) * width * 3] for y in range(height)]

    @unittest.skipUnless(house.peer(), 'there is no peer')
    def test_same(self):
        ours, theirs = self.vga(house.binary()), self.vga(house.peer())
        for name in MODES:
            for change, registers in changes_of(name).items():
                self.assertTrue(self.shown(ours, name, registers) == self.shown(theirs, name, registers),
                                (name, change))

    @unittest.skipUnless(house.peer(), 'there is no peer')
    def test_vbe(self):
        """Modes of the Bochs interface, with a wider line and a corner that is not the first."""
        machines = self.vga(house.binary()), self.vga(house.peer())
        for vga in machines:
            vga.fill(self.memory * 8)
            vga.out(0x3c0, 0x20)
        for bits in (4, 8, 15, 16, 24, 32):
            for width, height, virtual, x, y in ((640, 400, 640, 0, 0), (320, 200, 512, 16, 5)):
                for vga in machines:
                    vga.vbe(width, height, bits, virtual, x, y)
                self.assertTrue(machines[0].picture() == machines[1].picture(), (bits, width))

    def test_moves(self):
        vga = self.vga(house.binary())
        for name, (_, sequencer, controller, _, _) in MODES.items():
            clocking = bytes.fromhex(sequencer)[0]
            plain = self.lines(vga, name)
            dots = 3 if is_text(name) and not clocking & 1 else 2 << (clocking >> 3 & 1)
            panned = self.lines(vga, name, PANNED)
            for y, line in enumerate(panned):
                self.assertTrue(line[:-3 * 16] == plain[y][3 * dots:][:len(line) - 3 * 16], (name, y))
            rows = 3 if is_text(name) else 3 << (bytes.fromhex(controller)[9] >> 7)
            preset = self.lines(vga, name, PRESET)
            self.assertTrue(preset[:-16] == plain[rows:][:len(plain) - 16], name)
            split = self.lines(vga, name, SPLIT)
            self.assertTrue(split[100:] == plain[:len(plain) - 100], name)
            self.assertFalse(split[:100] == plain[:100], name)
            # With the mode's bit the lower part is not panned.
            both = self.lines(vga, name, SPLIT + PANNED + [(0x3c0, 0x10, 0, 0x20)])
            self.assertTrue(both[100:] == split[100:], name)
            self.assertFalse(both[:100] == split[:100], name)

    def test_attributes(self):
        """Underlines of monochrome text; the mask of colours."""
        vga = self.vga(house.binary())
        plain = self.lines(vga, 'monochrome text')
        underlined = self.lines(vga, 'monochrome text', UNDERLINE)
        self.assertEqual({y % 14 for y, line in enumerate(underlined) if line != plain[y]}, {13})
        _, _, masked = self.shown(vga, '320x200x256', MASK)
        shades = {bytes(value << 2 | (value & 1) * 3 for value in self.colors[3 * n:3 * n + 3])
                  for n in range(256) if not n & ~0x2b}
        self.assertEqual({masked[at:at + 3] for at in range(0, len(masked), 3)}, shades)


if __name__ == '__main__':
    house.main()
