# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtio-scsi adapter, and commands of SCSI on it, as a driver has them."""
import struct

import virtio
from virtio import VERSION_1
from virtio_pci import COMMON, Function

S_OK, S_OVERRUN, S_BAD_TARGET, S_REJECTED, S_INCORRECT_LUN = 0, 1, 3, 11, 12
GOOD, CHECK = 0, 2
F_HOTPLUG, F_CHANGE = 1, 2
HEADER, RESPONSE, DATA = 0x200000, 0x204000, 0x210000
ALL = sum(1 << bit for bit in (VERSION_1, F_HOTPLUG, F_CHANGE))


class Adapter:
    """A started adapter: control, events and one queue of commands."""

    def __init__(self, vm):
        self.vm = vm
        self.function = Function(vm)
        self.queues = [virtio.Queue(vm, 0x100000 + 0x10000 * n, 16) for n in range(3)]
        self.function.start(self.queues, ALL)

    def poke(self, at, data):
        self.vm.qtest(f'write {at:#x} {len(data)} 0x{data.hex()}')

    def peek(self, at, size):
        return bytes.fromhex(self.vm.qtest(f'read {at:#x} {size}')[2:])

    def add(self, n, pieces):
        self.queues[n].add(pieces)
        self.function.put(COMMON, 0x16, n, 2)
        self.function.kick()

    def submit(self, cdb, data=b'', room=0, lun=0, target=0):
        self.poke(HEADER, struct.pack('>BBHIQBBB', 1, target, lun, 0, 0, 0, 0, 0) +
                  bytes(cdb).ljust(32, b'\0'))
        self.poke(RESPONSE, b'\xee' * 108)
        pieces = [(HEADER, 51, False)]
        if data:
            self.poke(DATA, data)
            pieces.append((DATA, len(data), False))
        pieces.append((RESPONSE, 108, True))
        if room:
            self.poke(DATA, b'\xdd' * min(room, 64))
            pieces.append((DATA, room, True))
        self.add(2, pieces)
        self.queues[2].wait()
        return self.peek(RESPONSE, 108)

    def command(self, cdb, *args, **kwargs):
        """(status or sense key and code, data)."""
        raw = self.submit(cdb, *args, **kwargs)
        _, residual, _, status, response = struct.unpack_from('<IIHBB', raw)
        assert response == S_OK, response
        room = kwargs.get('room', 0)
        if status == CHECK:
            return (raw[12 + 2] & 0xf, raw[12 + 12]), b''
        return status, self.peek(DATA, room - residual) if room > residual else b''

    def ready(self):
        """Takes what is told once."""
        while self.command([0])[0] != GOOD:
            pass
        return self

    def control(self, request, room=1):
        self.poke(HEADER, request)
        self.poke(RESPONSE, b'\xee' * room)
        self.add(0, [(HEADER, len(request), False), (RESPONSE, room, True)])
        self.queues[0].wait()
        return self.peek(RESPONSE, room)

    def manage(self, function, target=0, lun=0, tag=0):
        return self.control(struct.pack('<II', 0, function) + struct.pack('>BBHI', 1, target, lun, 0) +
                            struct.pack('<Q', tag))[0]
