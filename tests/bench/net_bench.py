#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""net_bench.py OURS [PEER]: frames per second that an adapter sends to a socket, on our binary and, if it is
installed, on the peer's.

A driver over qtest fills a ring and tells the adapter of all of it at once; the frames go to a socket of
loopback that nobody reads. Time is from there to the moment when the adapter is done. Prints the best of some
rounds, and the ratio.
"""
import os
import shutil
import socket
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import virtio  # noqa: E402
from pci import Pci  # noqa: E402
from virtio_pci import COMMON, Function  # noqa: E402
from vm import Vm  # noqa: E402

ROUNDS = 12
FRAME, RING, BAR = 0x200000, 0x400000, 0xe0000000
BYTES = 60
TCTL, TDBAL, TDLEN, TDH, TDT = 0x400, 0x3800, 0x3808, 0x3810, 0x3818
EOP, IFCS, RS = 1 << 24, 1 << 25, 1 << 27


class E1000e:
    """A ring of 4096 descriptors, of which the last reports."""
    frames = 4095

    def __init__(self, vm):
        self.vm = vm
        pci = Pci(vm)
        pci.write(4 << 3, 0x10, BAR)
        pci.write(4 << 3, 4, 6, 2)
        rows = b''.join(FRAME.to_bytes(8, 'little') + (BYTES | EOP | IFCS).to_bytes(8, 'little') for _ in range(4096))
        vm.qtest(f'write {RING:#x} {len(rows)} 0x{rows.hex()}')
        self.tail = 0
        for at, value in (TDBAL, RING), (TDLEN, len(rows)), (TCTL, 2):
            vm.qtest(f'writel {BAR + at:#x} {value:#x}')

    def run(self):
        self.tail = (self.tail + self.frames) % 4096
        self.vm.qtest(f'writel {BAR + TDT:#x} {self.tail}')
        while int(self.vm.qtest(f'readl {BAR + TDH:#x}'), 16) != self.tail:
            pass


class VirtioNet:
    frames = 256

    def __init__(self, vm):
        self.vm = vm
        self.function = Function(vm)
        self.queues = [virtio.Queue(vm, base=RING + 0x10000 * n, size=256) for n in range(2)]
        self.function.start(self.queues)
        send = self.queues[1]
        rows = b''.join(FRAME.to_bytes(8, 'little') + (12 + BYTES).to_bytes(4, 'little') + bytes(4)
                        for _ in range(256))
        send.write(send.desc, rows)
        send.write(send.driver + 4, b''.join(n.to_bytes(2, 'little') for n in range(256)))
        self.function.put(COMMON, 0x16, 1, 2)
        self.place = None
        self.sent = 0

    def run(self):
        send = self.queues[1]
        self.sent = (self.sent + 256) & 0xffff
        send.write(send.driver + 2, self.sent.to_bytes(2, 'little'))
        self.function.kick()
        while int.from_bytes(send.read(send.device + 2, 2), 'little') != self.sent:
            pass


def rate(binary, model, driver, is_peer):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink, tempfile.TemporaryDirectory() as folder:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sink.bind(('127.0.0.1', 0))
        halt = os.path.join(folder, 'halt')
        with open(halt, 'wb') as file:
            file.write(b'\xf4' * 65536)  # frames move while the machine runs: its CPU stands at once
        with Vm(binary, '-M', 'q35', '-nodefaults', '-m', '64', '-netdev',
                f'socket,id=n,udp=127.0.0.1:{sink.getsockname()[1]},localaddr=127.0.0.1:0', '-device',
                f'{model},netdev=n,addr=4,romfile=', *(['-bios', halt] if is_peer else []), qtest=True,
                accel='tcg' if is_peer else 'qtest') as vm:
            vm.qtest(f'memset {FRAME:#x} {BYTES + 12} 0')
            device = driver(vm)
            best = float('inf')
            for _ in range(ROUNDS):
                start = time.perf_counter()
                device.run()
                best = min(best, time.perf_counter() - start)
    return device.frames / best


def main():
    ours = sys.argv[1]
    peer = sys.argv[2] if len(sys.argv) > 2 else shutil.which('qemu-system-x86_64', path='/usr/bin')
    for model, driver in ('e1000e', E1000e), ('virtio-net-pci,disable-legacy=on', VirtioNet):
        mine = rate(ours, model, driver, False)
        line = f'{model.split(",")[0]}: {mine:.0f} frames per second'
        if peer:
            theirs = rate(peer, model, driver, True)
            line += f', peer {theirs:.0f}, ratio {mine / theirs:.2f}'
        print(line)


if __name__ == '__main__':
    main()
