# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtio-net driver over qtest."""
import socket
import struct

import virtio
from virtio_pci import COMMON, Function

SUM, GUEST_USO4, GUEST_USO6, HOST_USO = 0, 54, 55, 56
(OFFLOADS, MTU, MERGED, STATUS, CTRL_VQ, CTRL_RX, CTRL_VLAN, CTRL_EXTRA, ANNOUNCE, MQ, CTRL_MAC, HASH, RSS, SPEED) = (
    2, 3, 15, 16, 17, 18, 19, 20, 21, 22, 23, 57, 60, 63)
KEY = bytes.fromhex('6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa')
OWN = bytes.fromhex('525400123456')
OTHER = bytes.fromhex('525400abcdef')
DATA = 0x300000


def ether(payload, dest=OWN, kind=0x0800):
    return dest + OTHER + struct.pack('>H', kind) + payload


def checksum(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(protocol, payload, source='66.9.149.187', dest='161.142.100.80'):
    return struct.pack('>BBHHHBBH4s4s', 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(dest)) + payload


FRAME = ether(bytes(50), dest=OTHER)


class Driver:
    """Of virtio-net-pci in slot 4; `wire` is a socket that its frames come from and go to."""

    def __init__(self, vm, wire, features, pairs=1):
        self.vm, self.wire = vm, wire
        self.function = Function(vm)
        self.queues = [virtio.Queue(vm, base=0x100000 + 0x10000 * n, size=8) for n in range(2 * pairs + 1)]
        mask = 1 << virtio.VERSION_1
        for bit in features:
            mask |= 1 << bit
        self.offered = self.function.features()
        self.function.start(self.queues, mask & self.offered | 1 << virtio.VERSION_1)
        self.header = 20 if HASH in features else 12

    def kick(self, n):
        self.function.put(COMMON, 0x16, n, 2)
        self.function.kick()

    def ask(self, kind, command, data=b''):
        """A request of the control queue; True: it was obeyed."""
        self.vm.qtest(f'write {DATA:#x} {2 + len(data)} 0x{(bytes([kind, command]) + data).hex()}')
        self.vm.qtest(f'writeb {DATA + 0x800:#x} 0xff')
        self.queues[-1].add([(DATA, 2 + len(data), False), (DATA + 0x800, 1, True)])
        self.kick(len(self.queues) - 1)
        self.queues[-1].wait()
        return {0: True, 1: False}[int(self.vm.qtest(f'readb {DATA + 0x800:#x}'), 16)]

    def ask_raw(self, out, room):
        """Bytes that it writes into `room`; None: it broke down instead."""
        self.vm.qtest(f'write {DATA:#x} {max(len(out), 1)} 0x{out.hex() or "00"}')
        self.queues[-1].add([piece for piece in ((DATA, len(out), False), (DATA + 0x800, room, True)) if piece[1]])
        self.kick(len(self.queues) - 1)
        return None if self.function.status() & virtio.NEEDS_RESET else self.queues[-1].wait()[1]

    def send(self, frame, head=b'', pair=0):
        whole = head.ljust(self.header, b'\0') + frame
        self.vm.qtest(f'write {DATA + 0x2000:#x} {len(whole)} 0x{whole.hex()}')
        self.queues[2 * pair + 1].add([(DATA + 0x2000, len(whole), False)])
        self.kick(2 * pair + 1)

    def receive(self, frame):
        """The header it comes with."""
        self.queues[0].add([(DATA + 0x1000, 2048, True)])
        self.kick(0)
        self.wire.send(frame)
        self.queues[0].wait()
        data = bytes.fromhex(self.vm.qtest(f'read {DATA + 0x1000:#x} {self.header + len(frame)}')[2:])
        assert data[self.header:] == frame, data
        return data[:self.header]
