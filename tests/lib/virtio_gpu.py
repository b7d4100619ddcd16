# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver of virtio-gpu over qtest."""
import struct

import virtio
from virtio_pci import COMMON, Function

EDID = 1
BGRA, BGRX, ARGB, XRGB, RGBA, XBGR, ABGR, RGBX = 1, 2, 3, 4, 67, 68, 121, 134
# Where each has red, green and blue.
PLACES = {BGRA: (2, 1, 0), BGRX: (2, 1, 0), ARGB: (1, 2, 3), XRGB: (1, 2, 3), RGBA: (0, 1, 2),
          XBGR: (3, 2, 1), ABGR: (3, 2, 1), RGBX: (0, 1, 2)}
REQUEST, ANSWER, PIXELS = 0x200000, 0x280000, 0x400000
OK, INFO, EDID_ANSWER = 0x1100, 0x1101, 0x1104
UNSPECIFIED, NO_MEMORY, NO_SCANOUT, NO_RESOURCE, PARAMETER = 0x1200, 0x1201, 0x1202, 0x1203, 0x1205


class Gpu(Function):
    def __init__(self, vm, features=1 << virtio.VERSION_1 | 1 << EDID):
        super().__init__(vm)
        self.places = {kind: self.place(kind) for kind in self.caps if kind < 5}
        self.place = self.places.get
        self.control = virtio.Queue(vm, 0x100000, 16)
        self.cursor = virtio.Queue(vm, 0x110000, 16)
        self.start([self.control, self.cursor], features)

    def poke(self, at, data):
        for n in range(0, len(data), 0x8000):
            part = data[n:n + 0x8000]
            self.vm.qtest(f'write {at + n:#x} {len(part)} 0x{part.hex()}')

    def raw(self, request, room=0x800):
        self.poke(REQUEST, request)
        self.control.add([(REQUEST, len(request), False), (ANSWER, room, True)])
        self.put(COMMON, 0x16, 0, 2)
        self.kick()
        return self.control.read(ANSWER, self.control.wait()[1])

    def run(self, kind, *words, tail=b''):
        """The type of the answer, and what is behind its header."""
        answer = self.raw(struct.pack(f'<IIQII{len(words)}I', kind, 0, 0, 0, 0, *words) + tail)
        return struct.unpack('<I', answer[:4])[0], answer[24:]

    def create(self, n, width, height, form=BGRX):
        return self.run(0x101, n, form, width, height)[0]

    def unref(self, n):
        return self.run(0x102, n, 0)[0]

    def scanout(self, screen, n, x=0, y=0, width=0, height=0):
        return self.run(0x103, x, y, width, height, screen, n)[0]

    def flush(self, n, x, y, width, height):
        return self.run(0x104, x, y, width, height, n, 0)[0]

    def transfer(self, n, x, y, width, height, offset=0):
        return self.run(0x105, x, y, width, height, offset & 0xffffffff, offset >> 32, n, 0)[0]

    def attach(self, n, *pieces):
        rows = b''.join(struct.pack('<QII', at, size, 0) for at, size in pieces)
        return self.run(0x106, n, len(pieces), tail=rows)[0]

    def detach(self, n):
        return self.run(0x107, n, 0)[0]

    def show(self, width, height, form=BGRX, n=1):
        """A picture on the first screen; its bytes as a PPM has them."""
        data = b''.join(bytes((x + k * y + k) & 0xff for k in range(4))
                        for y in range(height) for x in range(width))
        self.poke(PIXELS, data)
        for answer in (self.create(n, width, height, form), self.attach(n, (PIXELS, len(data))),
                       self.transfer(n, 0, 0, width, height),
                       self.scanout(0, n, 0, 0, width, height), self.flush(n, 0, 0, width, height)):
            assert answer == OK, hex(answer)
        return b''.join(bytes(data[at + k] for k in PLACES[form]) for at in range(0, len(data), 4))

    def set_cursor(self, n, hot_x=0, hot_y=0, screen=0):
        self.poke(REQUEST, struct.pack('<IIQIIIIIIIIII', 0x300, 0, 0, 0, 0, screen, 0, 0, 0, n, hot_x,
                                       hot_y, 0))
        self.cursor.add([(REQUEST, 56, False)])
        self.put(COMMON, 0x16, 1, 2)
        self.kick()
        self.cursor.wait()
