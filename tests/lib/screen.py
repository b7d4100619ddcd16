# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures on a VGA's screen and keys of a PC without a guest, by qtest."""
import struct

VRAM = 0xfd000000


class Screen:
    """The VGA of a PC without firmware, in a mode of 32 bits."""

    def __init__(self, vm, width=640, height=480, devfn=2 << 3):
        self.vm, self.devfn = vm, devfn
        self.config(0x10, VRAM)
        self.config(4, 3)
        self.mode(width, height)

    def config(self, at, value):
        self.vm.qtest(f'outl 0xcf8 {0x80000000 | self.devfn << 8 | at:#x}')
        self.vm.qtest(f'outl 0xcfc {value:#x}')

    def mode(self, width, height):
        self.width = width
        for index, value in ((4, 0), (1, width), (2, height), (3, 32), (4, 0x41)):
            self.vm.qtest(f'outw 0x1ce {index:#x}')
            self.vm.qtest(f'outw 0x1cf {value:#x}')

    def put(self, x, y, color):
        self.vm.qtest(f'writel {VRAM + 4 * (y * self.width + x):#x} {color:#x}')

    def fill(self, height):
        """Each pixel another."""
        for y in range(height):
            line = b''.join(struct.pack('<I', x * 0x10305 ^ y * 0x70b) for x in range(self.width))
            self.vm.qtest(f'write {VRAM + 4 * y * self.width:#x} {len(line)} 0x{line.hex()}')


def scan_codes(vm, count):
    """What the keyboard's controller has for its guest, when it has so many."""
    codes = []
    while len(codes) < count:
        if int(vm.qtest('inb 0x64'), 16) & 1:
            codes.append(int(vm.qtest('inb 0x60'), 16))
    return codes
